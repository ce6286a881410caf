//! The filter `date`: times in UTC, or in the zone that is given.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};
use selfsame_event::Time;

use crate::budget::Budget;
use crate::item::Item;
use crate::number;

/// How a time is written if nothing is said.
pub(super) const DEFAULT: &str = "%A, %B %-e, %Y at %-l:%M %P %z";

/// Most characters that a part is padded to.
const MOST_WIDTH: usize = 100;

/// The time that a value is: a text in ISO 8601 or as mails have it, or seconds since 1970.
pub(super) fn read(item: &Item<'_>, zone: Option<&Item<'_>>) -> Option<Zoned> {
    let of_seconds = |seconds: f64| {
        let micros = number::whole((seconds * 1_000.0).trunc())?.checked_mul(1_000)?;
        Timestamp::from_microsecond(micros).ok()
    };
    let timestamp = match (item.as_number(), item.as_text()) {
        // JavaScript's `new Date(true)`.
        (None, None) if matches!(item, Item::Bool(_)) => {
            Timestamp::from_millisecond(i64::from(item.is_true())).ok()?
        }
        (Some(seconds), _) => of_seconds(seconds)?,
        (None, Some(text)) => {
            if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
                of_seconds(number::of_text(text))?
            } else if let Some(micros) = Time::parse_micros(text) {
                Timestamp::from_microsecond(micros).ok()?
            } else {
                DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?
            }
        }
        (None, None) => return None,
    };
    Some(timestamp.to_zoned(self::zone(zone)?))
}

fn zone(item: Option<&Item<'_>>) -> Option<TimeZone> {
    let Some(item) = item.filter(|item| !item.is_nullish()) else { return Some(TimeZone::UTC) };
    if let Some(name) = item.as_text() {
        return TimeZone::get(name).ok();
    }
    // Minutes west of Greenwich.
    let minutes = number::whole(item.as_number()?.trunc())?;
    let seconds = i32::try_from(minutes.checked_mul(-60)?).ok()?;
    Some(Offset::from_seconds(seconds).ok()?.to_time_zone())
}

/// A time by a format with `%` in it. What is not known stays.
pub(super) fn format(zoned: &Zoned, format: &str, budget: &Budget) -> Option<String> {
    let mut text = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(rest.get(..at)?);
        let directive = rest.get(at..)?;
        let inner = directive.get(1..)?;
        let after_flags = inner.trim_start_matches(['-', '_', '0', '^', '#', ':']);
        let flags = inner.get(..inner.len() - after_flags.len())?;
        let after_width = after_flags.trim_start_matches(|char: char| char.is_ascii_digit());
        let width = after_flags.get(..after_flags.len() - after_width.len())?;
        let after_modifier = after_width.strip_prefix(['E', 'O']).unwrap_or(after_width);
        let Some(code) = after_modifier.chars().next() else {
            rest = directive;
            break;
        };
        let end = after_modifier.get(code.len_utf8()..)?;
        let whole = directive.get(..directive.len() - end.len())?;
        text.push_str(&part(zoned, code, flags, width).unwrap_or_else(|| whole.to_owned()));
        budget.spend(1 + text.len())?;
        rest = end;
    }
    text.push_str(rest);
    Some(text)
}

fn part(zoned: &Zoned, code: char, flags: &str, width: &str) -> Option<String> {
    let (mut text, least) = written(zoned, code, flags, width)?;
    if flags.contains('^') {
        text = text.to_uppercase();
    } else if flags.contains('#') {
        let is_lower = text.chars().any(char::is_lowercase);
        text = if is_lower { text.to_uppercase() } else { text.to_lowercase() };
    }
    let mut fill = if "aAbBceklpP".contains(code) { ' ' } else { '0' };
    if flags.contains('_') {
        fill = ' ';
    } else if flags.contains('0') {
        fill = '0';
    }
    let width = width.parse::<usize>().ok().filter(|width| *width > 0).unwrap_or(least);
    let width = if flags.contains('-') { 0 } else { width.min(MOST_WIDTH) };
    let missing = width.saturating_sub(text.chars().count());
    let padding: String = std::iter::repeat_n(fill, missing).collect();
    Some(padding + &text)
}

/// What a code stands for, and how long that is at least.
fn written(zoned: &Zoned, code: char, flags: &str, width: &str) -> Option<(String, usize)> {
    let by = |format: &str| zoned.strftime(format).to_string();
    let hour = (i32::from(zoned.hour()) + 11) % 12 + 1;
    let millis = zoned.subsec_nanosecond() / 1_000_000;
    Some(match code {
        'a' | 'A' | 'b' | 'B' => (by(&format!("%{code}")), 0),
        'h' => (by("%b"), 0),
        'C' => ((zoned.year() / 100).to_string(), 0),
        'd' | 'e' => (zoned.day().to_string(), 2),
        'H' | 'k' => (zoned.hour().to_string(), 2),
        'I' | 'l' => (hour.to_string(), 2),
        'j' => (zoned.day_of_year().to_string(), 3),
        'L' => (millis.to_string(), 3),
        'm' => (zoned.month().to_string(), 2),
        'M' => (zoned.minute().to_string(), 2),
        'N' => {
            let width = width.parse::<usize>().ok().filter(|width| *width > 0).unwrap_or(9);
            let width = width.min(MOST_WIDTH);
            let digits: String = millis.to_string().chars().take(width).collect();
            (format!("{digits:0<width$}"), 0)
        }
        'p' => (if zoned.hour() < 12 { "AM" } else { "PM" }.to_owned(), 0),
        'P' => (if zoned.hour() < 12 { "am" } else { "pm" }.to_owned(), 0),
        'q' => (ordinal(zoned.day()).to_owned(), 0),
        's' => (zoned.timestamp().as_second().to_string(), 0),
        'S' => (zoned.second().to_string(), 2),
        'u' => (zoned.weekday().to_monday_one_offset().to_string(), 0),
        'w' => (zoned.weekday().to_sunday_zero_offset().to_string(), 0),
        'U' => (by("%-U"), 2),
        'W' => (by("%-W"), 2),
        'c' => (by("%-m/%-d/%Y, %-I:%M:%S %p"), 0),
        'x' => (by("%-m/%-d/%Y"), 0),
        'X' => (by("%-I:%M:%S %p"), 0),
        'y' => (by("%y"), 0),
        'Y' => (zoned.year().to_string(), 0),
        'z' => {
            let minutes = zoned.offset().seconds() / 60;
            let sign = if minutes < 0 { '-' } else { '+' };
            let between = if flags.contains(':') { ":" } else { "" };
            let minutes = minutes.abs();
            (format!("{sign}{:02}{between}{:02}", minutes / 60, minutes % 60), 0)
        }
        'Z' => (zoned.time_zone().iana_name().unwrap_or("UTC").to_owned(), 0),
        't' => ("\t".to_owned(), 0),
        'n' => ("\n".to_owned(), 0),
        '%' => ("%".to_owned(), 0),
        _ => return None,
    })
}

fn ordinal(day: i8) -> &'static str {
    match (day, day % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    }
}
