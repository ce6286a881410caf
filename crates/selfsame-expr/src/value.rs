//! Values as they lie in an event, read in place.

use std::borrow::Cow;

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
            Self::Json(raw) => compact(raw.text()),
        })
    }

    /// The value as a number: a number, or a text that is one.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => Decimal::parse(text),
            Self::Null | Self::Bool(_) | Self::Json(_) => None,
        }
    }

    /// The value as a time: a text that is one.
    pub fn time(&self) -> Option<Time> {
        match self {
            // Nothing shorter than a date is one; most texts are seen not to be by their first byte.
            Self::Text(text) if text.len() >= 8 && text.starts_with(is_of_a_time) => {
                Time::parse(text)
            }
            _ => None,
        }
    }
}

fn is_of_a_time(first: char) -> bool {
    first.is_ascii_digit() || matches!(first, '+' | '-' | ' ')
}

/// JSON without the space between its tokens; all else stays as it came.
fn compact(json: &str) -> Cow<'_, str> {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    if !json.bytes().any(is_space) {
        return Cow::Borrowed(json);
    }
    let (mut is_string, mut is_escaped) = (false, false);
    let keep = |letter: &char| {
        let is_kept = is_string || !letter.is_ascii() || !letter.is_ascii_whitespace();
        is_string ^= *letter == '"' && !is_escaped;
        is_escaped = is_string && !is_escaped && *letter == '\\';
        is_kept
    };
    Cow::Owned(json.chars().filter(keep).collect())
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
