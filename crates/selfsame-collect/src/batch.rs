//! The body of a request, taken apart: what it says once, and its events as slices of it.
//!
//! Every item of a body comes out exactly once, accepted or refused, as the bytes it came in; the
//! accepted ones keep their order, and so do the refused ones.

use std::ops::Range;

use bytes::Bytes;
use selfsame_event::{
    Event, EventType, EventsHead, Kind, Raw, Refusal, Shared, SourceNumber, Time, limits,
};

use crate::Problem;
use crate::json::{self, Bounds};

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One event, of the type that the route names.
    Event(Option<EventType>),
    /// An object with a `batch` of events.
    Batch,
}

/// A readable body: valid JSON of the right shape, its events not looked at yet.
#[derive(Debug, Clone)]
pub struct Envelope {
    body: Bytes,
    write_key: Option<Range<usize>>,
    sent_at: Option<Time>,
    context: Option<Range<usize>>,
    integrations: Option<Range<usize>>,
    implied: Option<EventType>,
    fault: Option<Problem>,
    items: Vec<Range<usize>>,
}

/// An event that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Why.
    pub refusal: Refusal,
    /// The event as it came.
    pub item: Bytes,
}

/// The events of a body.
#[derive(Debug, Clone, Default)]
pub struct Events {
    /// The valid ones.
    pub accepted: Vec<Bytes>,
    /// The valid ones that ask for the address of the connection by `context.direct`, where they
    /// were asked for apart.
    pub direct: Vec<Bytes>,
    /// The others.
    pub refused: Vec<Refused>,
}

impl Envelope {
    /// Takes a body apart. Prepares the bytes first: see [`crate`] on limits.
    pub fn read(mut body: Vec<u8>, shape: Shape) -> Result<Self, Problem> {
        json::prepare(&mut body, bounds(shape))?;
        let body = Bytes::from(body);
        // Not left to the parser: it asserts in places that its text is UTF-8.
        std::str::from_utf8(&body).map_err(|_| Problem::JsonInvalid)?;
        let raw = Raw::check(&body).ok_or(Problem::JsonInvalid)?;
        let mut envelope = Self {
            body: body.clone(),
            write_key: None,
            sent_at: None,
            context: None,
            integrations: None,
            implied: None,
            fault: None,
            items: Vec::new(),
        };
        match shape {
            Shape::Event(implied) => {
                envelope.implied = implied;
                envelope.items.push(range(&body, raw));
                let key = raw.get("writeKey");
                envelope.write_key = key.map(|key| range(&body, key));
            }
            Shape::Batch => envelope.fault = envelope.read_batch(raw).err(),
        }
        Ok(envelope)
    }

    fn read_batch(&mut self, raw: Raw<'_>) -> Result<(), Problem> {
        if raw.kind() != Kind::Object {
            return Err(Problem::BatchNotObject);
        }
        let body = self.body.clone();
        let mut batch = None;
        raw.each_field(|key, value| {
            let slot = match key {
                "batch" => {
                    batch = Some(value);
                    return;
                }
                "sentAt" => {
                    self.sent_at = value.string().and_then(|text| Time::parse(&text));
                    return;
                }
                "writeKey" => &mut self.write_key,
                "context" => &mut self.context,
                "integrations" => &mut self.integrations,
                _ => return,
            };
            *slot = Some(range(&body, value)).filter(|_| !value.is_null());
        });
        let batch =
            batch.filter(|batch| batch.kind() == Kind::Array).ok_or(Problem::BatchMissing)?;
        self.items.extend(batch.elements().map(|item| range(&body, item)));
        Ok(())
    }

    /// The write key in the body, unless it is absent, blank or not a string.
    pub fn write_key(&self) -> Option<String> {
        let text = self.raw(self.write_key.as_ref()?)?.string()?;
        Some(text.trim().to_owned()).filter(|key| !key.is_empty())
    }

    /// Why the body is none of its shape. It is readable, so its write key is looked at first.
    pub fn fault(&self) -> Option<Problem> {
        self.fault
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none: an empty batch.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What the records of this request share, but for the address and the refusals.
    pub fn head(&self, source: SourceNumber) -> EventsHead {
        let text =
            |range: &Option<Range<usize>>| Some(self.raw(range.as_ref()?)?.text().to_owned());
        let context = self.context.as_ref().and_then(|range| self.raw(range));
        let has_context = context.is_some_and(|context| context.kind() == Kind::Object);
        EventsHead {
            source,
            implied: self.implied,
            sent_at: self.sent_at,
            context: text(&self.context).filter(|_| has_context),
            integrations: text(&self.integrations),
            ..EventsHead::default()
        }
    }

    /// Checks every event. `split_direct` puts those that ask for the connection's address apart.
    pub fn events(&self, split_direct: bool) -> Events {
        let mut events =
            Events { accepted: Vec::with_capacity(self.items.len()), ..Events::default() };
        let Some(text) = self.text() else { return events };
        let raw = |range: &Option<Range<usize>>| Some(Raw::trusted(text.get(range.clone()?)?));
        let context = raw(&self.context);
        let shared = Shared {
            implied: self.implied,
            sent_at: self.sent_at,
            context,
            integrations: raw(&self.integrations),
        };
        let bad_context = context.is_some_and(|context| context.kind() != Kind::Object);
        let split_direct = split_direct && text.contains("\"direct\"");
        for (index, range) in self.items.iter().enumerate() {
            let item = self.body.slice(range.clone());
            let read = match text.get(range.clone()) {
                _ if index >= limits::BATCH_EVENTS => Err(Refusal::BatchTooLong),
                _ if range.len() > limits::EVENT_BYTES => Err(Refusal::TooLarge),
                _ if bad_context => Err(Refusal::ContextNotObject),
                Some(text) => Event::read(Raw::trusted(text), &shared),
                None => Err(Refusal::NotObject),
            };
            match read {
                Err(refusal) => events.refused.push(Refused { index, refusal, item }),
                Ok(event) if split_direct && is_direct(&event) => events.direct.push(item),
                Ok(_) => events.accepted.push(item),
            }
        }
        events
    }

    fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }

    fn raw(&self, range: &Range<usize>) -> Option<Raw<'_>> {
        std::str::from_utf8(self.body.get(range.clone())?).ok().map(Raw::trusted)
    }
}

fn is_direct(event: &Event<'_>) -> bool {
    event.context.get("direct").and_then(Raw::bool) == Some(true)
}

/// A batch's items are bounded by bytes one by one: a value takes two of them at least.
fn bounds(shape: Shape) -> Bounds {
    match shape {
        Shape::Event(_) => Bounds { depth: limits::DEPTH - 2, values: limits::NODES },
        Shape::Batch => Bounds { depth: limits::DEPTH, values: usize::MAX },
    }
}

const _: () = assert!(limits::EVENT_BYTES / 2 <= limits::NODES);

/// Where a part of the body is in it.
fn range(body: &Bytes, part: Raw<'_>) -> Range<usize> {
    let start = part.text().as_ptr() as usize - body.as_ptr() as usize;
    start..start + part.text().len()
}

#[cfg(test)]
mod tests;
