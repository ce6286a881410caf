//! What events look like: their names, their properties, and what types these have. Pure.
//!
//! **Invariants:** what is kept is bounded, whatever the events have in them; what is beyond is left out
//! and said to be.

use std::collections::BTreeMap;

use selfsame_event::Time;
use serde_json::{Map, Value};

/// Names of events that are told apart.
const NAMES: usize = 300;
/// Properties of one event that are told apart.
const PROPERTIES: usize = 200;
/// How deep objects in properties are looked into.
const DEPTH: usize = 3;
/// Characters of an example.
const EXAMPLE: usize = 80;
/// Characters of a path.
const PATH: usize = 200;

/// The kinds of values, in the order in which they are shown.
pub(crate) const KINDS: [&str; 7] =
    ["string", "integer", "number", "boolean", "array", "object", "null"];

/// What was seen.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) events: u64,
    pub(crate) names: BTreeMap<(String, Option<String>), Named>,
    /// Whether anything was beyond a bound.
    pub(crate) truncated: bool,
}

/// Events of one type and name.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) count: u64,
    pub(crate) first: Time,
    pub(crate) last: Time,
    pub(crate) properties: BTreeMap<String, Property>,
}

/// A property: how often it was there, and as what.
#[derive(Debug, Default)]
pub(crate) struct Property {
    pub(crate) present: u64,
    /// By [`KINDS`].
    pub(crate) kinds: [u64; KINDS.len()],
    pub(crate) example: Option<String>,
}

impl Property {
    /// How often it was null.
    pub(crate) fn nulls(&self) -> u64 {
        self.kinds[KINDS.len() - 1]
    }

    /// Whether it was of several types, null and whole numbers among numbers aside.
    pub(crate) fn drifts(&self) -> bool {
        let [string, integer, number, boolean, array, object, _] = self.kinds;
        let seen = [string, integer + number, boolean, array, object];
        seen.iter().filter(|count| **count > 0).count() > 1
    }
}

fn kind(value: &Value) -> usize {
    let name = match value {
        Value::String(_) => "string",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::Bool(_) => "boolean",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Null => "null",
    };
    KINDS.iter().position(|known| *known == name).unwrap_or(KINDS.len() - 1)
}

impl Observed {
    /// Looks at an event: its type, its name, when it came, and its properties or traits.
    pub(crate) fn see(
        &mut self,
        kind: &str,
        name: Option<&str>,
        at: Time,
        inside: &Map<String, Value>,
    ) {
        self.events += 1;
        let key = (kind.to_owned(), name.map(|name| shortened(name, PATH)));
        if !self.names.contains_key(&key) && self.names.len() == NAMES {
            self.truncated = true;
            return;
        }
        let named = self.names.entry(key).or_insert_with(|| Named {
            count: 0,
            first: at,
            last: at,
            properties: BTreeMap::new(),
        });
        named.count += 1;
        named.first = named.first.min(at);
        named.last = named.last.max(at);
        self.truncated |= !look(&mut named.properties, "", inside, 1);
    }
}

/// Whether everything was looked at.
fn look(
    properties: &mut BTreeMap<String, Property>,
    above: &str,
    inside: &Map<String, Value>,
    depth: usize,
) -> bool {
    let mut is_all = true;
    for (key, value) in inside {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        if path.len() > PATH || (!properties.contains_key(&path) && properties.len() == PROPERTIES)
        {
            is_all = false;
            continue;
        }
        let property = properties.entry(path.clone()).or_default();
        property.present += 1;
        property.kinds[kind(value)] += 1;
        if !matches!(value, Value::Null | Value::Object(_)) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            property.example = Some(shortened(&text, EXAMPLE));
        }
        if let Value::Object(inner) = value
            && depth < DEPTH
        {
            is_all &= look(properties, &path, inner, depth + 1);
        }
    }
    is_all
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
