//! Changes of kind that lose nothing.

use serde_json::{Number, Value};

use super::Kind;

/// The value as this kind, or the value as it was.
pub(super) fn to(kind: Kind, value: Value) -> Result<Value, Value> {
    match (kind, value) {
        (Kind::Object, value @ Value::Object(_))
        | (Kind::Text, value @ Value::String(_))
        | (Kind::Time, value @ (Value::String(_) | Value::Number(_)))
        | (Kind::Flag, value @ Value::Bool(_))
        | (Kind::Number, value @ Value::Number(_)) => Ok(value),
        (Kind::Object, value) => Err(value),
        (kind, Value::Array(mut list)) if list.len() == 1 => match list.pop() {
            Some(Value::Array(inner)) => Err(Value::Array(vec![Value::Array(inner)])),
            Some(alone) => to(kind, alone).map_err(|alone| Value::Array(vec![alone])),
            None => Err(Value::Array(list)),
        },
        (Kind::Text | Kind::Time, Value::Bool(flag)) => Ok(Value::String(flag.to_string())),
        (Kind::Text, Value::Number(number)) => Ok(Value::String(text_of(&number))),
        (Kind::Text | Kind::Time, Value::Null) => Ok(Value::String(String::new())),
        (Kind::Flag, value) => flag(value),
        (Kind::Number | Kind::Integer, value) => number(kind == Kind::Integer, value),
        (_, value) => Err(value),
    }
}

fn flag(value: Value) -> Result<Value, Value> {
    let number = value.as_f64();
    match value.as_str() {
        Some("true") => Ok(Value::Bool(true)),
        Some("false") => Ok(Value::Bool(false)),
        None if value.is_null() || number == Some(0.0) => Ok(Value::Bool(false)),
        None if number == Some(1.0) => Ok(Value::Bool(true)),
        _ => Err(value),
    }
}

fn number(whole: bool, value: Value) -> Result<Value, Value> {
    let read = match &value {
        Value::Number(number) => Some(number.clone()),
        Value::Null => Some(Number::from(0)),
        Value::Bool(flag) => Some(Number::from(u8::from(*flag))),
        Value::String(text) => text.trim().parse::<f64>().ok().and_then(plain),
        _ => None,
    };
    match read {
        Some(number) if !whole || is_whole(&number) => Ok(Value::Number(number)),
        _ => Err(value),
    }
}

fn is_whole(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number % 1.0 == 0.0)
}

/// A number as JSON writes it where it is whole and small enough to be exact.
fn plain(number: f64) -> Option<Number> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    if number % 1.0 == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Some(Number::from(number as i64));
    }
    Number::from_f64(number)
}

/// A number as a text: whole numbers without a point.
pub(crate) fn text_of(number: &Number) -> String {
    let whole = number.as_f64().filter(|_| !number.is_i64() && !number.is_u64());
    match whole.and_then(plain) {
        Some(plain) => plain.to_string(),
        None => number.to_string(),
    }
}
