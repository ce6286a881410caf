//! Values, what their text, number and time are, and the paths to them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use selfsame_expr::query::{Literal, Step};
use serde_json::Value as Json;

use super::decimal::Decimal;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Decimal),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Value {
    /// What was sent. A number out of range is the text it came as, wherever it stands.
    pub(crate) fn read(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(bool) => Self::Bool(*bool),
            Json::Number(number) => Self::read_number(&number.to_string()),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(list) => Self::List(list.iter().map(Self::read).collect()),
            Json::Object(object) => Self::Object(
                object.iter().map(|(key, value)| (key.clone(), Self::read(value))).collect(),
            ),
        }
    }

    /// What is written in a definition. A written date is its text.
    pub(crate) fn written(literal: &Literal) -> Self {
        match literal {
            Literal::Text(text) | Literal::Time { text, .. } => Self::Text(text.clone()),
            Literal::Number(text) => Self::read_number(text),
            Literal::Bool(bool) => Self::Bool(*bool),
        }
    }

    fn read_number(text: &str) -> Self {
        Decimal::parse(text).map_or_else(|| Self::Text(text.to_owned()), Self::Number)
    }

    pub(crate) fn json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(bool) => Json::Bool(*bool),
            Self::Number(number) => serde_json::from_str(&number.text()).expect("a number is JSON"),
            Self::Text(text) => Json::String(text.clone()),
            Self::List(list) => list.iter().map(Self::json).collect(),
            Self::Object(object) => {
                object.iter().map(|(key, value)| (key.clone(), value.json())).collect()
            }
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }

    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(number.text()),
            Self::Bool(_) | Self::List(_) | Self::Object(_) => Some(self.json().to_string()),
        }
    }

    pub(crate) fn number(&self) -> Option<Decimal> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => Decimal::parse(text),
            Self::Null | Self::Bool(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// Microseconds since 1970, and before it.
    pub(crate) fn time(&self) -> Option<i64> {
        let Self::Text(text) = self else { return None };
        read_time(text)
    }

    /// In which order values are that have the same text.
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::Text(_) => 3,
            Self::List(_) => 4,
            Self::Object(_) => 5,
        }
    }

    /// The values at the end of a path: one without `$`, as many as there are elements with it.
    pub(crate) fn at(&self, steps: &[Step]) -> Vec<Self> {
        match (steps, self) {
            ([], _) => vec![self.clone()],
            ([Step::Key(key), rest @ ..], Self::Object(object)) => {
                match object.iter().find(|(name, _)| name == key) {
                    Some((_, value)) => value.at(rest),
                    None => Self::Null.at(rest),
                }
            }
            ([Step::Key(_), rest @ ..], _) => Self::Null.at(rest),
            ([Step::Each, rest @ ..], Self::List(list)) => {
                list.iter().flat_map(|element| element.at(rest)).collect()
            }
            ([Step::Each, ..], _) => Vec::new(),
        }
    }
}

/// The time that an ISO 8601 text says: with a zone, without one, or a date alone.
pub(crate) fn read_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_microsecond());
    }
    let without_zone: DateTime = text.parse().ok()?;
    Some(without_zone.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
}
