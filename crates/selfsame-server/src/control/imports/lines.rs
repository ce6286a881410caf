//! The lines of an import's request, read and put into records.

use axum::body::Bytes;
use selfsame_collect::{Envelope, Shape};
use selfsame_event::{EventType, EventsHead, Raw, RecordKind, Refusal, Time, limits};
use selfsame_log::Item;

use super::{Invalid, Outcome};

/// A record has at most so many events and about so many bytes: reading one event reads its record.
const RECORD_EVENTS: usize = 500;
const RECORD_BYTES: usize = 256 << 10;

/// Lines that follow each other and become one record.
pub(super) struct Lines {
    pub(super) kind: RecordKind,
    pub(super) head: EventsHead,
    pub(super) first_line: u64,
    pub(super) items: Vec<Item>,
}

/// The lines of a body as records, in order.
pub(super) fn records(
    body: &Bytes,
    first_line: u64,
    default: Option<EventType>,
    outcome: &mut Outcome,
) -> Vec<Lines> {
    let (mut records, mut number) = (Vec::<Lines>::new(), first_line);
    let mut bytes = 0;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            let (kind, implied, item, refusal) = match read(line, default) {
                Ok(Read { item, implied, untimed }) => {
                    outcome.untimed += u64::from(untimed);
                    (RecordKind::Events, implied, item, None)
                }
                Err((refusal, message)) => {
                    let (code, message) = (refusal.code().to_owned(), message.to_owned());
                    outcome.invalid.push(Invalid { line: number, code, message });
                    let item = body.slice_ref(line);
                    (RecordKind::Rejected, None, item, Some(refusal))
                }
            };
            let fits = records.last().is_some_and(|last| {
                let next = last.first_line + u64::try_from(last.items.len()).unwrap_or(0);
                let is_alike = last.kind == kind && last.head.implied == implied;
                is_alike && next == number && last.items.len() < RECORD_EVENTS
            });
            if !fits || bytes + item.len() > RECORD_BYTES {
                let head = EventsHead { implied, ..EventsHead::default() };
                records.push(Lines { kind, head, first_line: number, items: Vec::new() });
                bytes = 0;
            }
            bytes += item.len();
            if let Some(last) = records.last_mut() {
                last.head.refusals.extend(refusal);
                last.items.push(Item::Body(item));
            }
        }
        number += 1;
    }
    records
}

/// An event of a line.
struct Read {
    item: Bytes,
    implied: Option<EventType>,
    untimed: bool,
}

type Refused = (Refusal, &'static str);

/// Reads one line. Its type is the default one only where it names none.
fn read(line: &[u8], default: Option<EventType>) -> Result<Read, Refused> {
    if line.len() > limits::EVENT_BYTES {
        return Err((Refusal::TooLarge, Refusal::TooLarge.sentence()));
    }
    let named = Raw::check(line).and_then(|raw| raw.get("type")).filter(|kind| !kind.is_null());
    let implied = default.filter(|_| named.is_none());
    let envelope = Envelope::read(line.to_vec(), Shape::Event(implied)).map_err(|problem| {
        let sentence = match problem {
            selfsame_collect::Problem::JsonInvalid => "The line is not valid JSON in UTF-8.",
            other => other.sentence(),
        };
        (Refusal::NotObject, sentence)
    })?;
    let mut events = envelope.events(false);
    if let Some(refused) = events.refused.first() {
        return Err((refused.refusal, refused.refusal.sentence()));
    }
    let item = events.accepted.pop().ok_or((Refusal::NotObject, Refusal::NotObject.sentence()))?;
    let text = std::str::from_utf8(&item)
        .map_err(|_| (Refusal::NotObject, Refusal::NotObject.sentence()))?;
    let raw = Raw::trusted(text);
    let given = ["timestamp", "originalTimestamp"].map(|key| raw.get(key));
    let mut given = given.into_iter().flatten().filter(|value| !value.is_null()).peekable();
    let untimed = given.peek().is_some()
        && !given.any(|value| value.string().is_some_and(|text| Time::parse(&text).is_some()));
    // The clock of the sender was corrected long ago, if it ever was.
    let item = match raw.get("sentAt") {
        Some(_) => without(raw, "sentAt"),
        None => item.clone(),
    };
    Ok(Read { item, implied, untimed })
}

/// The object without a key.
fn without(raw: Raw<'_>, name: &str) -> Bytes {
    let mut out = String::from("{");
    raw.each_field(|key, value| {
        if key != name {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&serde_json::Value::from(key).to_string());
            out.push(':');
            out.push_str(value.text());
        }
    });
    out.push('}');
    out.into()
}

#[cfg(test)]
mod tests;
