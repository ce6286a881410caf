//! Histories as text.
//!
//! A line, or what stands between semicolons, is `trait {…}` or an event: its time, its name, its
//! properties, its context, `#record/item` and `@source`, of which only the first two
//! have to be there. `page:`, `screen:`, `identify:`, `group:` and `alias:` stand before a name that
//! may be missing. A time is one of ISO 8601 without spaces, or what is to be added to [`NOW`]:
//! `-1d2h`, `-1h+1u`, `0`. In JSON, single quotes do.

use selfsame_event::Time;
use serde_json::{Deserializer, Value as Json, json};

use crate::reference::{Event, History, Kind};

/// A Wednesday.
pub(crate) const NOW: &str = "2024-05-15T12:00:00Z";

pub(crate) fn history(text: &str) -> History {
    let mut history = History::default();
    for line in text.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(traits) = line.strip_prefix("trait ") {
            let (Json::Object(traits), "") = value(traits) else { panic!("{line}") };
            history.traits.extend(traits);
        } else {
            let number = history.events.len();
            history.events.push(event(line, number));
        }
    }
    history
}

fn event(line: &str, number: usize) -> Event {
    let (at, rest) = line.split_once(' ').expect("a time and a name");
    let end = rest.find(['{', '#', '@']).unwrap_or(rest.len());
    let (name, mut rest) = rest.split_at(end);
    let (kind, name) = match name.split_once(':') {
        None => (Kind::Track, name),
        Some(("page", name)) => (Kind::Page, name),
        Some(("screen", name)) => (Kind::Screen, name),
        Some(("identify", name)) => (Kind::Identify, name),
        Some(("group", name)) => (Kind::Group, name),
        Some(("alias", name)) => (Kind::Alias, name),
        Some(_) => panic!("no such kind of event: {line}"),
    };
    let mut event = Event {
        kind,
        name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
        time: time(at),
        record: [u8::try_from(number).expect("at most 256 events"); 16],
        item: 0,
        source: "web".to_owned(),
        properties: json!({}),
        context: json!({}),
    };
    let mut bodies = Vec::new();
    while let Some(first) = rest.chars().next() {
        if first == '{' {
            let body;
            (body, rest) = value(rest);
            bodies.push(body);
            continue;
        }
        let (word, others) = rest.split_once(' ').unwrap_or((rest, ""));
        if let Some(source) = word.strip_prefix('@') {
            source.clone_into(&mut event.source);
        } else {
            let id = word.strip_prefix('#').unwrap_or_else(|| panic!("what is {word:?}? {line}"));
            let mut parts = id.split('/');
            event.record = [parts.next().expect("an id").parse().expect("a record"); 16];
            event.item = parts.next().map_or(0, |part| part.parse().expect("an item"));
        }
        rest = others.trim_start();
    }
    let mut bodies = bodies.into_iter();
    event.properties = bodies.next().unwrap_or(event.properties);
    event.context = bodies.next().unwrap_or(event.context);
    assert!(bodies.next().is_none(), "properties and a context at most: {line}");
    event
}

/// A value, and what stands behind it.
fn value(text: &str) -> (Json, &str) {
    // Quotes are one byte each, so that the place is the same in both texts.
    let quoted = text.replace('\'', "\"");
    let mut values = Deserializer::from_str(&quoted).into_iter();
    let value = values.next().expect("a value").unwrap_or_else(|error| panic!("{error}: {text}"));
    (value, text.split_at(values.byte_offset()).1.trim_start())
}

/// A time of ISO 8601, or one that is said from [`NOW`] on.
pub(crate) fn time(text: &str) -> Time {
    if text.get(..2) == Some("20") {
        return Time::parse(text).unwrap_or_else(|| panic!("not a time: {text}"));
    }
    let (mut micros, mut sign, mut count) = (0_i64, 1, 0);
    for letter in text.chars() {
        let unit = match letter {
            '+' => {
                sign = 1;
                continue;
            }
            '-' => {
                sign = -1;
                continue;
            }
            '0'..='9' => {
                count = count * 10 + i64::from(letter.to_digit(10).expect("a digit"));
                continue;
            }
            'u' => 1,
            's' => 1_000_000,
            'm' => 60_000_000,
            'h' => 3_600_000_000,
            'd' => 86_400_000_000,
            _ => panic!("not a time: {text}"),
        };
        micros += sign * count * unit;
        count = 0;
    }
    Time::parse(NOW).expect("a time").plus_micros(micros)
}
