//! Values from JSON.

use std::borrow::Cow;

use selfsame_event::{Bounds, Checking, Kind, Raw};
use serde_json::Value;

use super::{Item, Seen, merged};

/// Deepest nesting of what is read: as deep as events may be.
const DEPTH: u32 = 128;

impl<'e> Item<'e> {
    /// Reads JSON. Texts without escapes and all numbers stay where they are. `None`: it is no JSON, or it is
    /// nested more than 128 levels deep.
    pub fn read(json: &'e str) -> Option<Self> {
        let mut cursor = Checking::new(json, Bounds { depth: DEPTH, values: usize::MAX });
        let item = read(&mut cursor)?;
        cursor.end()?;
        Some(item)
    }

    /// A value that is kept elsewhere.
    pub(crate) fn of(value: &'e Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Written(Cow::Borrowed(number.as_str())),
            Value::String(text) => Self::Text(text),
            Value::Array(values) => Self::Array(values),
            Value::Object(map) => Self::Map(map),
        }
    }

    /// A value that nobody else holds.
    pub fn owned(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => Self::Written(Cow::Owned(number.as_str().to_owned())),
            Value::String(text) => Self::made(text),
            Value::Array(values) => Self::list(values.into_iter().map(Item::owned).collect()),
            Value::Object(map) => Self::object(
                map.into_iter().map(|(key, value)| (Cow::Owned(key), Item::owned(value))).collect(),
            ),
        }
    }
}

fn read<'e>(cursor: &mut Checking<'e>) -> Option<Item<'e>> {
    match cursor.peek()? {
        b'{' => {
            let mut fields = Vec::new();
            let (mut seen, mut is_repeated) = (Seen::default(), false);
            let mut more = cursor.begin(b'{')?;
            while more {
                let key = cursor.key()?;
                is_repeated |= seen.holds(&key);
                fields.push((key, read(cursor)?));
                more = cursor.more(b'}')?;
            }
            if is_repeated {
                fields = merged(fields);
            }
            Some(Item::object(fields))
        }
        b'[' => {
            let mut items = Vec::new();
            let mut more = cursor.begin(b'[')?;
            while more {
                items.push(read(cursor)?);
                more = cursor.more(b']')?;
            }
            Some(Item::list(items))
        }
        _ => scalar(cursor.value()?),
    }
}

fn scalar(raw: Raw<'_>) -> Option<Item<'_>> {
    Some(match raw.kind() {
        Kind::Null => Item::Null,
        Kind::Bool => Item::Bool(raw.bool()?),
        Kind::Number => Item::Written(Cow::Borrowed(raw.text())),
        _ => match raw.string()? {
            Cow::Borrowed(text) => Item::Text(text),
            Cow::Owned(text) => Item::made(text),
        },
    })
}
