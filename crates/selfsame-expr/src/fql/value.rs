//! Values of FQL, which has stricter types than the query language.

use std::borrow::Cow;
use std::cmp::Ordering;

use selfsame_event::{Kind, Raw};

use super::Literal;
use crate::decimal::Decimal;

/// One value, of an event or of a filter.
#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Decimal),
    /// A number that is out of range, as it was written.
    Far(&'a str),
    Text(Cow<'a, str>),
    /// A list of an event.
    List(Raw<'a>),
    /// A list of a filter.
    Written(&'a [Literal]),
    Object(Raw<'a>),
}

impl<'a> Value<'a> {
    pub(super) fn of(raw: Raw<'a>) -> Self {
        match (raw.kind(), crate::Value::of(raw)) {
            (Kind::Array, _) => Self::List(raw),
            (Kind::Object, _) => Self::Object(raw),
            (_, crate::Value::Bool(truth)) => Self::Bool(truth),
            (_, crate::Value::Number(number)) => Self::Number(number),
            (Kind::Number, _) => Self::Far(raw.text()),
            (_, crate::Value::Text(text)) => Self::Text(text),
            _ => Self::Null,
        }
    }

    pub(super) fn written(literal: &'a Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(truth) => Self::Bool(*truth),
            Literal::Number { number, .. } => Self::Number(*number),
            Literal::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self, Self::Bool(true))
    }

    /// Of the same type, and equal. Lists and objects are equal if their JSON is.
    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Far(a), Self::Far(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(_) | Self::Written(_), Self::List(_) | Self::Written(_))
            | (Self::Object(_), Self::Object(_)) => self.json() == other.json(),
            _ => false,
        }
    }

    /// Numbers are ordered, and texts are, by their code points.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// What `typeof` says.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) | Self::Far(_) => "number",
            Self::Text(_) => "string",
            Self::List(_) | Self::Written(_) => "list",
            Self::Object(_) => "object",
        }
    }

    /// The value as a text, as `string` gives it; null has none.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Null => None,
            Self::Bool(truth) => Some(Cow::Borrowed(if truth { "true" } else { "false" })),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Far(text) => Some(Cow::Borrowed(text)),
            Self::Text(text) => Some(text),
            list_or_object => Some(Cow::Owned(list_or_object.json())),
        }
    }

    /// A list or an object as JSON, in the one form that a value has as a text.
    fn json(&self) -> String {
        let text = |raw: &Raw<'_>| crate::Value::of(*raw).text().map(Cow::into_owned);
        match self {
            Self::List(raw) | Self::Object(raw) => text(raw).unwrap_or_default(),
            Self::Written(values) => {
                let values: Vec<_> = values.iter().map(written_json).collect();
                format!("[{}]", values.join(","))
            }
            _ => String::new(),
        }
    }
}

fn written_json(literal: &Literal) -> String {
    match literal {
        Literal::Null => "null".to_owned(),
        Literal::Bool(truth) => truth.to_string(),
        Literal::Number { number, .. } => number.to_string(),
        Literal::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
    }
}
