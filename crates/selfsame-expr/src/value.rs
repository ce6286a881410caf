//! Values as they lie in an event, read in place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use selfsame_event::{Kind, Raw, Time};

use crate::Decimal;
use crate::query::Step;

/// A value, borrowed from the JSON text that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// There is none, or it is null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number that is in range.
    Number(Decimal),
    /// A text; or a number that is out of range, as it was written.
    Text(Cow<'a, str>),
    /// A list or an object.
    Json(Raw<'a>),
}

impl<'a> Value<'a> {
    /// The value of a JSON text. A string that is no text (half of a surrogate pair stands in it) is
    /// null.
    pub fn of(raw: Raw<'a>) -> Self {
        match raw.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(raw.bool().unwrap_or(false)),
            Kind::Number => match Decimal::parse(raw.text()) {
                Some(number) => Self::Number(number),
                None => Self::Text(Cow::Borrowed(raw.text())),
            },
            Kind::String => raw.string().map_or(Self::Null, Self::Text),
            Kind::Array | Kind::Object => Self::Json(raw),
        }
    }

    /// Whether there is none.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value as a text; none for null.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(raw) => Cow::Owned(compact(*raw)),
        })
    }

    /// Adds the value as JSON.
    pub fn push_json(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::Text(text) => push_text(json, text),
            Self::Bool(_) | Self::Number(_) => json.push_str(&self.text().unwrap_or_default()),
            Self::Json(raw) => write(*raw, json),
        }
    }

    /// The value as a number: a number, or a text that is one.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => Decimal::parse(text),
            Self::Null | Self::Bool(_) | Self::Json(_) => None,
        }
    }

    /// The value as a time, in microseconds since 1970: a text that is one. It may be in any year.
    pub fn time(&self) -> Option<i64> {
        match self {
            // Nothing shorter than a date is one; most texts are seen not to be by their first byte.
            Self::Text(text) if text.len() >= 8 && text.starts_with(is_of_a_time) => {
                Time::parse_micros(text)
            }
            _ => None,
        }
    }
}

fn is_of_a_time(first: char) -> bool {
    first.is_ascii_digit() || matches!(first, '+' | '-' | ' ')
}

/// JSON in one form for all that says the same: no space, numbers in their shortest form, of a key that
/// comes twice the last value in the first place, no escapes but those that JSON demands.
fn compact(raw: Raw<'_>) -> String {
    let mut json = String::with_capacity(raw.text().len());
    write(raw, &mut json);
    json
}

/// Raw JSON is nested at most 128 levels deep.
fn write(raw: Raw<'_>, json: &mut String) {
    match raw.kind() {
        Kind::Array => {
            json.push('[');
            for (index, element) in raw.elements().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                write(element, json);
            }
            json.push(']');
        }
        Kind::Object => {
            let mut fields = Vec::new();
            let mut places = BTreeMap::new();
            for (key, value) in raw.fields() {
                let place = *places.entry(key.clone()).or_insert(fields.len());
                match fields.get_mut(place) {
                    Some((_, known)) => *known = value,
                    None => fields.push((key, value)),
                }
            }
            json.push('{');
            for (index, (key, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    json.push(',');
                }
                push_text(json, &key);
                json.push(':');
                write(value, json);
            }
            json.push('}');
        }
        _ => Value::of(raw).push_json(json),
    }
}

/// A text as JSON, with no escapes but those that JSON demands.
fn push_text(json: &mut String, text: &str) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            letter if u32::from(letter) < 0x20 => {
                json.push_str("\\u00");
                let digit = |shift| char::from_digit(u32::from(letter) >> shift & 15_u32, 16);
                json.extend([4_u32, 0].into_iter().filter_map(digit));
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
}

/// Calls `visit` with every value at the end of a path: one for a path without [`Step::Each`], which is
/// null where there is nothing; with it, as many as there are elements.
pub fn read<'a>(root: Option<Raw<'a>>, steps: &[Step], visit: &mut impl FnMut(Value<'a>)) {
    let mut at = root;
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Key(key) => at = at.and_then(|value| value.get(key)),
            Step::Each => {
                let rest = steps.get(index + 1..).unwrap_or_default();
                let Some(list) = at else { return };
                // A path has at most 32 steps.
                list.elements().for_each(|element| read(Some(element), rest, visit));
                return;
            }
        }
    }
    visit(at.map_or(Value::Null, Value::of));
}

#[cfg(test)]
mod tests;
