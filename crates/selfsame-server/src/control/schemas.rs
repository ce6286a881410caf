//! What the newest events of a source look like.

use selfsame_event::{EventsHead, Position, RecordKind, Time};
use selfsame_log::{LogRead as _, Record};
use selfsame_pipeline::event_json::EventJson;
use serde_json::{Map, Value};

use super::Control;
use super::asked::Asked;
use super::problem::Problem;
use super::shape::shape;
use super::sources::find;
use crate::node::Node;
use crate::observed::{KINDS, Named, Observed, Property};

/// How many of the newest events are looked at.
const EVENTS: u64 = 5_000;
/// How many records are read for them at most, and in one go.
const RECORDS: (u64, u64) = (20_000, 200);
const READ_BYTES: usize = 1 << 20;

shape! {
    /// What the newest events of a source look like.
    pub(crate) struct SourceSchema {
        /// How many events were looked at.
        events: u64,
        /// When the oldest of them came; null where there is none.
        since: Option<String>,
        /// When the newest of them came.
        until: Option<String>,
        /// Whether there were more names or properties than are told apart.
        truncated: bool,
        /// Each type and name of events.
        data: Vec<SchemaEvent>,
    }

    /// Events of a type and name.
    pub(crate) struct SchemaEvent {
        /// The type.
        r#type: String,
        /// The name, where the type has one.
        name: Option<String>,
        /// How many there were.
        count: u64,
        /// When the first of them came.
        first: String,
        /// When the last of them came.
        last: String,
        /// Their properties, or traits, by path.
        properties: Vec<SchemaProperty>,
    }

    /// A property.
    pub(crate) struct SchemaProperty {
        /// Where it is, with dots between the names.
        path: String,
        /// In how many of the events it was.
        present: u64,
        /// In how many of them it was null.
        nulls: u64,
        /// The share of the events in which it was missing or null.
        null_rate: f64,
        /// As what it came.
        types: Vec<SchemaType>,
        /// Whether it came as several types, null and whole numbers among numbers aside.
        drift: bool,
        /// A value that it had.
        example: Option<String>,
    }

    /// A type of values.
    pub(crate) struct SchemaType {
        /// string, integer, number, boolean, array, object or null.
        r#type: String,
        /// How often.
        count: u64,
    }
}

/// `GET /api/sources/{id}/schema`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<SourceSchema, Problem> {
    let view = control.view()?;
    let number = find(&view, asked.id())?.number;
    drop(view);
    let observed = control.scan(move |node| observe(node, number)).await?;
    let since = observed.names.values().map(|named| named.first).min();
    let until = observed.names.values().map(|named| named.last).max();
    let data = observed.names.into_iter().map(|((kind, name), named)| shown(kind, name, named));
    Ok(SourceSchema {
        events: observed.events,
        since: since.map(|time| time.to_string()),
        until: until.map(|time| time.to_string()),
        truncated: observed.truncated,
        data: data.collect(),
    })
}

/// Looks at events of a source from the end of the log backwards.
fn observe(node: &Node, source: u32) -> Result<Observed, Problem> {
    let mut observed = Observed::default();
    let (first, mut end, mut read) = (node.log.first().offset, node.log.end().offset, 0);
    let (most, at_once) = RECORDS;
    while end > first && read < most && observed.events < EVENTS {
        let from = end.saturating_sub(at_once).max(first);
        read += end - from;
        let mut next = Position::embedded(from);
        while next.offset < end {
            for record in node.log.read(next, READ_BYTES)? {
                next = record.position.next();
                if record.position.offset < end {
                    look(&mut observed, &record, source);
                }
            }
        }
        end = from;
    }
    Ok(observed)
}

fn look(observed: &mut Observed, record: &Record, source: u32) {
    if RecordKind::from_code(record.kind) != Some(RecordKind::Events) {
        return;
    }
    let Ok(head) = EventsHead::decode(&record.head) else { return };
    if head.source.0 != source {
        return;
    }
    for (index, item) in (0_u32..).zip(record.items.iter()) {
        let Some(json) =
            item.body().and_then(|body| EventJson::of(record, &head, index, body).ok())
        else {
            continue;
        };
        let text = json.with(&[]);
        let Ok(Value::Object(mut event)) = serde_json::from_str(&text) else { continue };
        let mut inside = Map::new();
        for part in ["properties", "traits"] {
            if let Some(Value::Object(found)) = event.remove(part) {
                inside.extend(found);
            }
        }
        let kind = json.event.kind.name();
        observed.see(kind, json.event.event.as_deref(), record.time, &inside);
    }
}

fn shown(kind: String, name: Option<String>, named: Named) -> SchemaEvent {
    let Named { count, first, last, properties } = named;
    let time = |time: Time| time.to_string();
    let properties =
        properties.into_iter().map(|(path, property)| of_property(path, &property, count));
    SchemaEvent {
        r#type: kind,
        name,
        count,
        first: time(first),
        last: time(last),
        properties: properties.collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is shown, and of some thousands")]
fn of_property(path: String, property: &Property, events: u64) -> SchemaProperty {
    let filled = property.present.saturating_sub(property.nulls());
    let types = KINDS.into_iter().zip(property.kinds).filter(|(_, count)| *count > 0);
    SchemaProperty {
        path,
        present: property.present,
        nulls: property.nulls(),
        null_rate: 1.0 - filled as f64 / events.max(1) as f64,
        types: types.map(|(name, count)| SchemaType { r#type: name.to_owned(), count }).collect(),
        drift: property.drifts(),
        example: property.example.clone(),
    }
}
