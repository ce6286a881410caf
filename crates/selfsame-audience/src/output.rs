//! What a definition comes to.

use std::borrow::Cow;

use selfsame_expr::{Decimal, Value};

use crate::datum::Datum;

/// The value of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// None.
    Null,
    /// One value.
    One(Datum),
    /// A list, which is not empty.
    List(Vec<Datum>),
}

impl Output {
    pub(crate) fn bool(bool: bool) -> Self {
        Self::One(Datum::Bool(bool))
    }

    pub(crate) fn count(count: u64) -> Self {
        Self::One(Datum::Number(Decimal::count(count)))
    }

    pub(crate) fn number(number: Option<Decimal>) -> Self {
        Self::of(number.map(Datum::Number))
    }

    pub(crate) fn list(values: Vec<Datum>) -> Self {
        if values.is_empty() { Self::Null } else { Self::List(values) }
    }

    pub(crate) fn of(datum: Option<Datum>) -> Self {
        datum.map_or(Self::Null, Self::One)
    }

    /// It as a value, to be tested.
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::One(datum) => datum.value(),
            // Of a list, only its text takes part in tests.
            Self::List(_) => Value::Text(Cow::Owned(self.json())),
        }
    }

    /// It as JSON, without spaces.
    pub fn json(&self) -> String {
        let mut json = String::new();
        self.push_json(&mut json);
        json
    }

    /// Adds it as JSON, without spaces.
    pub fn push_json(&self, json: &mut String) {
        match self {
            Self::Null => json.push_str("null"),
            Self::One(datum) => datum.value().push_json(json),
            Self::List(list) => {
                json.push('[');
                for (index, datum) in list.iter().enumerate() {
                    if index > 0 {
                        json.push(',');
                    }
                    datum.value().push_json(json);
                }
                json.push(']');
            }
        }
    }
}
