//! When an answer may change though nothing happens.

use std::collections::BTreeSet;

use selfsame_event::Time;
use selfsame_expr::query::{Calendar, Literal, Span};
use serde_json::Value as Json;

use super::definitions::{Definition, Query};
use super::value::{Value, read_time};
use super::walk::{self, Part};
use super::{Account, Event, History, calendar};

/// Every moment after one and up to another at which the value of one of the definitions may be
/// another one than just before it: too many rather than too few. Between two of them nothing
/// changes but by an event.
///
/// A window has a border where `now` is some length before or after the time of an event, or after
/// or before a time that somebody wrote, and a period where a day begins. Whether the border itself
/// is inside is not asked: the microsecond after it is taken too.
pub(crate) fn moments(
    definitions: &[Definition],
    account: &Account,
    from: Time,
    to: Time,
) -> BTreeSet<Time> {
    let (mut spans, mut calendars, mut times) = (vec![0], Vec::new(), BTreeSet::new());
    for definition in definitions {
        visit(definition, &mut |part| match part {
            Part::Span(span) => spans.push(Span::micros(span)),
            Part::Calendar(calendar) => calendars.push(Calendar::clone(calendar)),
            Part::Literal(Literal::Text(text) | Literal::Number(text)) => {
                times.extend(read_time(text));
            }
            Part::Literal(Literal::Time { text, .. }) => times.extend(read_time(text)),
            Part::Literal(Literal::Bool(_)) | Part::Trait { .. } => {}
        });
    }
    account.traits.values().for_each(|value| times_in(value, &mut times));
    for History { events, traits, .. } in &account.users {
        traits.values().for_each(|value| times_in(value, &mut times));
        for Event { time, properties, context, name, .. } in events {
            times.insert(time.micros());
            times.extend(name.as_deref().and_then(read_time));
            times_in(properties, &mut times);
            times_in(context, &mut times);
        }
    }

    let mut moments = BTreeSet::new();
    for time in times {
        for span in &spans {
            for border in [time - span, time + span] {
                moments.extend([border, border + 1].map(Time::from_micros));
            }
        }
    }
    for calendar in calendars {
        moments.extend(calendar::days(&calendar, from, to));
    }
    moments.retain(|moment| from < *moment && *moment <= to);
    moments
}

/// The lengths of time that definitions have, each once, in microseconds.
pub(crate) fn windows(definitions: &[Definition]) -> Vec<i64> {
    let mut windows = BTreeSet::new();
    for definition in definitions {
        visit(definition, &mut |part| {
            if let Part::Span(span) = part {
                windows.insert(span.micros());
            }
        });
    }
    windows.into_iter().collect()
}

fn visit<'a>(definition: &'a Definition, visit: walk::Visit<'_, 'a>) {
    match &definition.query {
        Query::Audience(condition) => walk::condition(condition, false, visit),
        Query::Trait(scalar) => walk::scalar(scalar, false, visit),
    }
}

/// The times that are written in a value. A number may become a text, and be one.
fn times_in(json: &Json, times: &mut BTreeSet<i64>) {
    match json {
        Json::Null | Json::Bool(_) => {}
        Json::Number(_) | Json::String(_) => {
            times.extend(Value::read(json).text().as_deref().and_then(read_time));
        }
        Json::Array(list) => list.iter().for_each(|value| times_in(value, times)),
        Json::Object(object) => object.values().for_each(|value| times_in(value, times)),
    }
}
