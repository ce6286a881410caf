//! The tests of values, one by one, by the rules of `docs/reference/definitions.md`.
//!
//! Times of values are in microseconds since 1970. Tests that look at the clock say until when their
//! answer holds.

use std::cmp::Ordering;

use selfsame_event::Time;

use crate::Value;

/// An answer, and the first moment at which it may be another one though nothing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Whether it holds.
    pub holds: bool,
    /// When it may change; `None` is never.
    pub until: Option<Time>,
}

impl Answer {
    /// One that time does not change.
    pub const fn always(holds: bool) -> Self {
        Self { holds, until: None }
    }

    /// One that holds from the one moment on, and until just before the other one; in microseconds.
    fn between(now: Time, from: i64, until: i64) -> Self {
        let now = now.micros();
        let next = [from, until].into_iter().find(|moment| *moment > now && from < until);
        let until_then = next.filter(|moment| *moment <= Time::MAX.micros());
        Self { holds: from <= now && now < until, until: until_then.map(Time::from_micros) }
    }
}

/// Whether two values are equal: as numbers where one of them is a number and the other has one, else
/// as texts. Null equals nothing.
pub fn equals(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Null, _) | (_, Value::Null) => false,
        (Value::Text(one), Value::Text(other)) => one == other,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Number(one), Value::Number(other)) => one == other,
        (Value::Number(number), value) | (value, Value::Number(number)) => {
            value.number().map_or_else(|| one.text() == other.text(), |value| value == *number)
        }
        _ => one.text() == other.text(),
    }
}

/// Whether there are two values, and they are not equal.
pub fn differs(one: &Value<'_>, other: &Value<'_>) -> bool {
    !one.is_null() && !other.is_null() && !equals(one, other)
}

/// The order of two values: of their numbers where both have one, else of their times.
pub fn order(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.number(), other.number()) {
        return Some(one.cmp(&other));
    }
    Some(one.time()?.cmp(&other.time()?))
}

/// The order of the times of two values.
pub fn time_order(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    Some(one.time()?.cmp(&other.time()?))
}

/// Whether both have texts, for which `test` holds.
pub fn texts(one: &Value<'_>, other: &Value<'_>, test: fn(&str, &str) -> bool) -> bool {
    one.text().zip(other.text()).is_some_and(|(one, other)| test(&one, &other))
}

/// Whether the time is at most so many microseconds ago, and not to come.
pub fn within_last(time: i64, micros: i64, now: Time) -> Answer {
    Answer::between(now, time, time.saturating_add(micros).saturating_add(1))
}

/// Whether the time is at most so many microseconds ahead, and not past.
pub fn within_next(time: i64, micros: i64, now: Time) -> Answer {
    Answer::between(now, time.saturating_sub(micros), time.saturating_add(1))
}

/// Whether the time is so many microseconds ago, or longer.
pub fn before_last(time: i64, micros: i64, now: Time) -> Answer {
    Answer::between(now, time.saturating_add(micros), i64::MAX)
}

/// Whether the time is so many microseconds ahead, or further.
pub fn after_next(time: i64, micros: i64, now: Time) -> Answer {
    let until = time.saturating_sub(micros).saturating_add(1);
    Answer::between(now, i64::MIN, until)
}

#[cfg(test)]
mod tests;
