//! What a filter says of an event.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use selfsame_event::Raw;

use super::function::Function;
use super::glob::Glob;
use super::value::Value;
use super::{Compare, Node};
use crate::decimal::Decimal;

/// Whether a part is true; whatever is no truth value is not.
pub(super) fn holds(node: &Node, event: Raw<'_>) -> bool {
    match node {
        Node::And(parts) => parts.iter().all(|part| holds(part, event)),
        Node::Or(parts) => parts.iter().any(|part| holds(part, event)),
        Node::Not(part) => !holds(part, event),
        Node::Compare(compare, left, right) => compares(*compare, left, right, event),
        Node::Match(text, pattern) => match (value(text, event), &pattern.glob) {
            (Value::Text(text), Some(glob)) => glob.matches(&text),
            _ => false,
        },
        other => value(other, event).is_true(),
    }
}

fn value<'a>(node: &'a Node, event: Raw<'a>) -> Value<'a> {
    match node {
        Node::Literal(literal) => Value::written(literal),
        Node::List(values) => Value::Written(values),
        Node::Path(keys) => {
            let found = keys.iter().try_fold(event, |at, key| at.get(key));
            found.map_or(Value::Null, Value::of)
        }
        Node::Call(function, arguments) => call(*function, arguments, event),
        truth => Value::Bool(holds(truth, event)),
    }
}

fn compares(compare: Compare, left: &Node, right: &Node, event: Raw<'_>) -> bool {
    let (left, right) = (value(left, event), value(right, event));
    match compare {
        Compare::Equal => left.equals(&right),
        Compare::Unequal => !left.equals(&right),
        Compare::In => is_in(&left, &right),
        Compare::Less => left.order(&right) == Some(Ordering::Less),
        Compare::Greater => left.order(&right) == Some(Ordering::Greater),
        Compare::AtMost => left.order(&right).is_some_and(Ordering::is_le),
        Compare::AtLeast => left.order(&right).is_some_and(Ordering::is_ge),
    }
}

fn is_in(item: &Value<'_>, list: &Value<'_>) -> bool {
    match list {
        Value::Written(values) => values.iter().any(|value| item.equals(&Value::written(value))),
        Value::List(raw) => raw.elements().any(|element| item.equals(&Value::of(element))),
        _ => false,
    }
}

fn call<'a>(function: Function, arguments: &'a [Node], event: Raw<'a>) -> Value<'a> {
    let mut values = arguments.iter().map(|node| value(node, event));
    let first = values.next().unwrap_or(Value::Null);
    let second = values.next().unwrap_or(Value::Null);
    match function {
        Function::Contains => both(&first, &second, |text, part| text.contains(part)),
        Function::Match => both(&first, &second, |text, pattern| {
            Glob::parse(pattern).is_some_and(|glob| glob.matches(text))
        }),
        Function::CidrMatch => both(&first, &second, in_network),
        Function::Length => length(&first),
        Function::TypeOf => Value::Text(Cow::Borrowed(first.kind())),
        Function::Bool => truth(&first),
        Function::Number => number(first),
        Function::String => first.text().map_or(Value::Null, Value::Text),
        Function::Lowercase
        | Function::Uppercase
        | Function::Snakecase
        | Function::Kebabcase
        | Function::Titlecase => match first {
            Value::Text(text) => Value::Text(Cow::Owned(recased(function, &text))),
            _ => Value::Null,
        },
    }
}

/// What two texts say; anything else says no.
fn both<'a>(first: &Value<'_>, second: &Value<'_>, test: fn(&str, &str) -> bool) -> Value<'a> {
    Value::Bool(match (first, second) {
        (Value::Text(first), Value::Text(second)) => test(first, second),
        _ => false,
    })
}

/// How many bytes a text has, how many values a list.
fn length<'a>(of: &Value<'_>) -> Value<'a> {
    let length = match of {
        Value::Null => 0,
        Value::Text(text) => text.len(),
        Value::List(raw) => raw.elements().count(),
        Value::Written(values) => values.len(),
        Value::Bool(_) | Value::Number(_) | Value::Far(_) | Value::Object(_) => return Value::Null,
    };
    // No text or list has more than an i64 can count.
    Value::Number(Decimal::whole(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn truth<'a>(of: &Value<'_>) -> Value<'a> {
    match of {
        Value::Bool(truth) => Value::Bool(*truth),
        Value::Number(number) => Value::Bool(*number != Decimal::whole(0)),
        Value::Far(_) => Value::Bool(true),
        Value::Text(text) if text == "true" => Value::Bool(true),
        Value::Text(text) if text == "false" => Value::Bool(false),
        Value::List(raw) => Value::Bool(raw.elements().next().is_some()),
        Value::Written(values) => Value::Bool(!values.is_empty()),
        Value::Null | Value::Text(_) | Value::Object(_) => Value::Null,
    }
}

fn number(of: Value<'_>) -> Value<'_> {
    match of {
        Value::Text(text) => Decimal::parse(&text).map_or(Value::Null, Value::Number),
        Value::Number(_) | Value::Far(_) => of,
        _ => Value::Null,
    }
}

fn recased(function: Function, text: &str) -> String {
    match function {
        Function::Lowercase => text.to_lowercase(),
        Function::Uppercase => text.to_uppercase(),
        Function::Snakecase => text.replace(' ', "_"),
        Function::Kebabcase => text.replace(' ', "-"),
        // The first letter of each word; the others stay as they are.
        _ => {
            let mut begins = true;
            let mut titled = String::with_capacity(text.len());
            for char in text.chars() {
                if begins {
                    titled.extend(char.to_uppercase());
                } else {
                    titled.push(char);
                }
                begins = char == ' ';
            }
            titled
        }
    }
}

/// Whether an address is in a network, `10.0.0.0/8` or `2001:db8::/32`. An address of version 4 that is
/// written as one of version 6 is one of version 4.
fn in_network(address: &str, network: &str) -> bool {
    let parse = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    let Some((start, bits)) = network.split_once('/') else {
        return parse(address).is_some_and(|address| parse(network) == Some(address));
    };
    let is_digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    let bits = bits.parse::<u32>().ok().filter(|_| is_digits);
    let start = start.parse::<IpAddr>().ok();
    match (parse(address), start, bits) {
        (Some(IpAddr::V4(address)), Some(IpAddr::V4(start)), Some(bits @ 0..=32)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == start.to_bits() & mask
        }
        (Some(IpAddr::V6(address)), Some(IpAddr::V6(start)), Some(bits @ 0..=128)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == start.to_bits() & mask
        }
        _ => false,
    }
}
