//! Functions of times.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use selfsame_event::Time;

use crate::item::Item;
use crate::number;

use super::{Given, Name};

/// Most bytes of a formatted time.
const FORMATTED_BYTES: usize = 200;

pub(super) fn call<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    if given.call.name == Name::Now {
        return millis(given.evaluation.now_ms());
    }
    let micros = micros(&given.subject)?;
    let timestamp = || Timestamp::from_microsecond(micros).ok();
    match given.call.name {
        Name::EpochMs => millis(micros.div_euclid(1_000)),
        Name::Epoch => millis(micros.div_euclid(1_000_000)),
        Name::AddTime => {
            let seconds = given.argument_number(1)?;
            let moved = number::whole((seconds * 1_000.0).round())?;
            millis(micros.div_euclid(1_000).checked_add(moved)?)
        }
        Name::Iso => {
            let timestamp = timestamp()?;
            given.made(format!("{timestamp:.3}"))
        }
        Name::Date => {
            let zone = zone(given, 1)?;
            let date = timestamp()?.to_zoned(zone).date();
            given.made(date.to_string())
        }
        _ => {
            let (format, zone) = (given.argument_text(1)?, zone(given, 2)?);
            let zoned = timestamp()?.to_zoned(zone);
            let formatted = jiff::fmt::strtime::format(format.as_bytes(), &zoned).ok()?;
            (formatted.len() <= FORMATTED_BYTES).then(|| given.made(formatted))?
        }
    }
}

fn millis<'s>(millis: i64) -> Option<Item<'s>> {
    // A time that can be written has fewer bits than a double has exactly.
    serde_json::Number::from(millis).as_f64().map(Item::Number)
}

/// UTC, unless a zone is named; none, if it is not known.
fn zone(given: &mut Given<'_, '_, '_>, place: usize) -> Option<TimeZone> {
    let name = given.argument_text(place);
    match name.as_deref() {
        None | Some("UTC") => Some(TimeZone::UTC),
        Some(name) => TimeZone::get(name).ok(),
    }
}

/// A time in microseconds since 1970: a text in ISO 8601, or a number that is near enough to now in one of
/// the units that are usual. A text that is a number is one.
fn micros(item: &Item<'_>) -> Option<i64> {
    const SECONDS_BELOW: f64 = 1e11;
    const MILLIS_BELOW: f64 = 1e14;
    let number = match item.as_text() {
        Some(text) => match Time::parse_micros(text) {
            Some(micros) => return Some(micros),
            None if text.trim().is_empty() => return None,
            None => number::of_text(text),
        },
        None => item.as_number()?,
    };
    let unit = match number.abs() {
        size if size < SECONDS_BELOW => 1_000_000.0,
        size if size < MILLIS_BELOW => 1_000.0,
        _ => 1.0,
    };
    let micros = number::whole((number * unit).round())?;
    Timestamp::from_microsecond(micros).ok().map(|_| micros)
}
