//! The tests of values, as the table of the page has them.

use std::cmp::Ordering;

use selfsame_expr::query::{Comparison, Literal, Scalar, Span, Test};

use super::value::Value;
use super::{Scope, values};

/// A test holds if it holds for one of the values; with none, it is a test of null.
pub(crate) fn passes(comparison: &Comparison, scope: Scope<'_>) -> bool {
    one_or_more(&comparison.value, scope)
        .iter()
        .any(|value| passes_one(value, &comparison.test, scope))
}

fn one_or_more(scalar: &Scalar, scope: Scope<'_>) -> Vec<Value> {
    let values = values(scalar, scope);
    if values.is_empty() { vec![Value::Null] } else { values }
}

fn passes_one(value: &Value, test: &Test, scope: Scope<'_>) -> bool {
    let to = |other: &Scalar, holds: fn(&Value, &Value) -> bool| {
        one_or_more(other, scope).iter().any(|other| holds(value, other))
    };
    let equals = |literal: &Literal| equals(value, &Value::written(literal));
    let now = scope.now.micros();
    let time = |holds: &dyn Fn(i64) -> bool| value.time().is_some_and(holds);
    match test {
        Test::Exists => !value.is_null(),
        Test::Absent => value.is_null(),
        Test::Equals(x) => to(x, self::equals),
        Test::Differs(x) => to(x, differs),
        Test::GreaterThan(x) => to(x, |a, b| order(a, b).is_some_and(Ordering::is_gt)),
        Test::AtLeast(x) => to(x, |a, b| order(a, b).is_some_and(Ordering::is_ge)),
        Test::LessThan(x) => to(x, |a, b| order(a, b).is_some_and(Ordering::is_lt)),
        Test::AtMost(x) => to(x, |a, b| order(a, b).is_some_and(Ordering::is_le)),
        Test::Contains(texts) => texts.iter().any(|text| to(text, contains)),
        Test::Omits(text) => to(text, |a, b| !contains(a, b)),
        Test::StartsWith(text) => to(text, |a, b| of_texts(a, b, |a, b| a.starts_with(b))),
        Test::EndsWith(text) => to(text, |a, b| of_texts(a, b, |a, b| a.ends_with(b))),
        Test::OneOf(list) => list.iter().any(equals),
        Test::NoneOf(list) => !value.is_null() && !list.iter().any(equals),
        Test::BeforeDate(t) => to(t, |a, b| order_of_times(a, b).is_some_and(Ordering::is_lt)),
        Test::AfterDate(t) => to(t, |a, b| order_of_times(a, b).is_some_and(Ordering::is_gt)),
        Test::WithinLast(d) => time(&|time| now - d.micros() <= time && time <= now),
        Test::WithinNext(d) => time(&|time| now <= time && time <= now + d.micros()),
        Test::BeforeLast(d) => time(&|time| time <= now - d.micros()),
        Test::AfterNext(d) => time(&|time| now + Span::micros(*d) <= time),
    }
}

fn equals(a: &Value, b: &Value) -> bool {
    if a.is_null() || b.is_null() {
        return false;
    }
    let one_is_a_number = matches!(a, Value::Number(_)) || matches!(b, Value::Number(_));
    match (a.number(), b.number()) {
        (Some(a), Some(b)) if one_is_a_number => a == b,
        _ => a.text() == b.text(),
    }
}

fn differs(a: &Value, b: &Value) -> bool {
    !a.is_null() && !b.is_null() && !equals(a, b)
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.number(), b.number()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => order_of_times(a, b),
    }
}

fn order_of_times(a: &Value, b: &Value) -> Option<Ordering> {
    Some(a.time()?.cmp(&b.time()?))
}

fn contains(a: &Value, b: &Value) -> bool {
    of_texts(a, b, |a, b| a.contains(b))
}

fn of_texts(a: &Value, b: &Value, holds: fn(&str, &str) -> bool) -> bool {
    match (a.text(), b.text()) {
        (Some(a), Some(b)) => holds(&a, &b),
        _ => false,
    }
}
