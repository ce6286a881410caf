//! Values that are kept.

use std::borrow::Cow;
use std::cmp::Ordering;

use selfsame_event::Raw;
use selfsame_event::packed::{Reader, Sink, put_number, put_text};
use selfsame_expr::{Decimal, Value};

/// Longest text that is kept of a value, in bytes; a longer one counts as none.
pub const MOST_VALUE_BYTES: usize = 1_024;

/// A value that is kept, which is never null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Datum {
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A text.
    Text(Box<str>),
    /// A list or an object, without spaces.
    Json(Box<str>),
}

impl Datum {
    /// What is kept of a value: nothing of null, and of one that is too long.
    pub fn of(value: &Value<'_>) -> Option<Self> {
        let fits = |text: Cow<'_, str>| (text.len() <= MOST_VALUE_BYTES).then(|| text.into());
        match value {
            Value::Null => None,
            Value::Bool(bool) => Some(Self::Bool(*bool)),
            Value::Number(number) => Some(Self::Number(*number)),
            Value::Text(text) => fits(Cow::Borrowed(text)).map(Self::Text),
            Value::Json(_) => fits(value.text()?).map(Self::Json),
        }
    }

    /// The value again.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Bool(bool) => Value::Bool(*bool),
            Self::Number(number) => Value::Number(*number),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Json(json) => Value::Json(Raw::trusted(json)),
        }
    }

    /// Its text.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) | Self::Json(text) => Cow::Borrowed(text),
        }
    }

    /// The order of texts; of equal ones, of kinds.
    pub(crate) fn text_order(&self, other: &Self) -> Ordering {
        self.text().cmp(&other.text()).then_with(|| self.tag().cmp(&other.tag()))
    }

    /// A rank that has nothing to do with what the value is, by which some are kept and others not.
    pub(crate) fn rank(&self) -> u64 {
        const START: u64 = 0xcbf2_9ce4_8422_2325;
        const FACTOR: u64 = 0x0000_0100_0000_01b3;
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(FACTOR);
        let hash = self.text().bytes().fold(mix(START, self.tag()), mix);
        (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    fn tag(&self) -> u8 {
        match self {
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Number(_) => 3,
            Self::Text(_) => 4,
            Self::Json(_) => 5,
        }
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        out.put(&[self.tag()]);
        match self {
            Self::Bool(_) => {}
            Self::Number(number) => put_signed(out, number.0),
            Self::Text(text) | Self::Json(text) => put_text(out, text),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Self::read_tagged(reader.byte()?, reader)
    }

    fn read_tagged(tag: u8, reader: &mut Reader<'_>) -> Option<Self> {
        Some(match tag {
            1 => Self::Bool(false),
            2 => Self::Bool(true),
            3 => Self::Number(Decimal(read_signed(reader)?)),
            4 => Self::Text(reader.text()?.into()),
            5 => Self::Json(reader.text()?.into()),
            _ => return None,
        })
    }
}

/// A value, or none.
pub(crate) fn put_optional(out: &mut impl Sink, datum: Option<&Datum>) {
    match datum {
        Some(datum) => datum.put(out),
        None => out.put(&[0]),
    }
}

pub(crate) fn read_optional(reader: &mut Reader<'_>) -> Option<Option<Datum>> {
    match reader.byte()? {
        0 => Some(None),
        tag => Datum::read_tagged(tag, reader).map(Some),
    }
}

/// Small numbers of either sign in few bytes.
pub(crate) fn put_signed(out: &mut impl Sink, number: i128) {
    let mut rest = (number << 1 ^ number >> 127).cast_unsigned();
    loop {
        let low = rest.to_le_bytes()[0] & 0x7f;
        rest >>= 7;
        if rest == 0 {
            return out.put(&[low]);
        }
        out.put(&[low | 0x80]);
    }
}

pub(crate) fn read_signed(reader: &mut Reader<'_>) -> Option<i128> {
    let mut number: u128 = 0;
    for shift in (0..128).step_by(7) {
        let byte = reader.byte()?;
        let bits = u128::from(byte & 0x7f);
        if shift == 126 && bits > 3 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
        }
    }
    None
}

/// A length that is read back with [`read_length`].
pub(crate) fn put_length(out: &mut impl Sink, length: usize) {
    put_number(out, u64::try_from(length).unwrap_or(u64::MAX));
}

/// A length, which cannot be more than the bytes that are left: each part has at least one.
pub(crate) fn read_length(reader: &mut Reader<'_>) -> Option<usize> {
    let length = usize::try_from(reader.number()?).ok()?;
    (length <= reader.left()).then_some(length)
}
