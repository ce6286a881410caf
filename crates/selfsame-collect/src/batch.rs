//! The body of a request, taken apart: what it says once, and its events as slices of it.
//!
//! Every item of a body comes out exactly once, accepted or refused, as the bytes it came in; the
//! accepted ones keep their order, and so do the refused ones. Identity tokens alone are taken out.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use selfsame_event::{
    Bounds, Checking, Event, EventType, EventsHead, Found, IDENTITY_TOKEN, Kind, Raw, Refusal,
    SourceNumber, Time, limits,
};

use crate::{Problem, json, strip};

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One event, of the type that the route names.
    Event(Option<EventType>),
    /// An object with a `batch` of events.
    Batch,
}

/// A readable body: valid JSON of the right shape.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    body: Bytes,
    write_key: Option<Range<usize>>,
    sent_at: Option<Time>,
    context: Option<Range<usize>>,
    tokens: Tokens,
    integrations: Option<Range<usize>>,
    implied: Option<EventType>,
    fault: Option<Problem>,
    items: Vec<Item>,
}

/// An item of a body: where it is, and what it says by itself.
#[derive(Debug, Clone)]
struct Item {
    place: Range<usize>,
    /// Of a valid event: what its own context says of `direct`, if anything.
    verdict: Result<Option<bool>, Refusal>,
    tokens: Tokens,
}

/// Where identity tokens are in a context.
#[derive(Debug, Clone, Default)]
struct Tokens {
    /// The one that counts: the last. It may be `null`, or no text.
    last: Option<Range<usize>>,
    /// All of them: none is kept.
    all: Vec<Range<usize>>,
}

/// A token that came with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// The number of the event among those of its list.
    pub item: u32,
    /// Whether the event has it itself; otherwise its batch has it for all events with a user id.
    pub own: bool,
    token: Range<usize>,
}

impl Item {
    fn of(body: &[u8], found: &Found<'_>) -> Self {
        let tokens = Tokens {
            last: found.token.map(|token| range(body, token)),
            all: found.tokens.iter().map(|token| range(body, *token)).collect(),
        };
        Self { place: range(body, found.raw), verdict: found.verdict, tokens }
    }
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
    /// The identity tokens of accepted events, which the events themselves no longer have.
    pub tokens: Vec<Presented>,
    /// Those of the direct ones.
    pub direct_tokens: Vec<Presented>,
}

impl Envelope {
    /// Takes a body apart in one pass. Only a body that this pass does not understand is looked at
    /// again: it is mended if it can be, or it is found what is wrong with it.
    pub fn read(mut body: Vec<u8>, shape: Shape) -> Result<Self, Problem> {
        let found = match Self::find(&body, shape) {
            Some(found) => found,
            None => {
                json::prepare(&mut body, bounds(shape))?;
                Self::find(&body, shape).ok_or(Problem::JsonInvalid)?
            }
        };
        Ok(Self { body: body.into(), ..found })
    }

    /// Everything but the bytes themselves.
    fn find(body: &[u8], shape: Shape) -> Option<Self> {
        let mut cursor = Checking::new(std::str::from_utf8(body).ok()?, bounds(shape));
        let mut envelope = Self::default();
        match shape {
            Shape::Event(implied) => {
                envelope.implied = implied;
                let found = Event::find(&mut cursor, implied)?;
                envelope.write_key = found.write_key.map(|key| range(body, key));
                envelope.items.push(Item::of(body, &found));
            }
            Shape::Batch if cursor.peek()? == b'{' => envelope.find_batch(body, &mut cursor)?,
            Shape::Batch => {
                cursor.value()?;
                envelope.fault = Some(Problem::BatchNotObject);
            }
        }
        cursor.end()?;
        Some(envelope)
    }

    fn find_batch<'a>(&mut self, body: &[u8], cursor: &mut Checking<'a>) -> Option<()> {
        self.fault = Some(Problem::BatchMissing);
        cursor.object(|key, cursor| {
            if key == "batch" {
                // Where the key is repeated, the last one counts.
                self.items.clear();
                if cursor.peek()? != b'[' {
                    self.fault = Some(Problem::BatchMissing);
                    return cursor.value().map(drop);
                }
                self.fault = None;
                let items = &mut self.items;
                let found = cursor.array(|cursor| {
                    items.push(Item::of(body, &Event::find(cursor, None)?));
                    Some(())
                });
                return found.map(drop);
            }
            let value = match key {
                "context" => self.find_context(body, cursor)?,
                _ => cursor.value()?,
            };
            let slot = match key {
                "sentAt" => {
                    self.sent_at = value.string().and_then(|text| Time::parse(&text));
                    return Some(());
                }
                "writeKey" => &mut self.write_key,
                "context" => &mut self.context,
                "integrations" => &mut self.integrations,
                _ => return Some(()),
            };
            *slot = Some(range(body, value)).filter(|_| !value.is_null());
            Some(())
        })?;
        Some(())
    }

    fn find_context<'a>(&mut self, body: &[u8], cursor: &mut Checking<'a>) -> Option<Raw<'a>> {
        self.tokens = Tokens::default();
        if cursor.peek()? != b'{' {
            return cursor.value();
        }
        let tokens = &mut self.tokens;
        cursor.object(|key, cursor| {
            let value = cursor.value()?;
            if key == IDENTITY_TOKEN {
                tokens.last = Some(range(body, value));
                tokens.all.push(range(body, value));
            }
            Some(())
        })
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
        let context = self.context.as_ref().map(|place| self.stripped(place, &self.tokens));
        let context = context.and_then(|context| String::from_utf8(context.into()).ok());
        EventsHead {
            source,
            implied: self.implied,
            sent_at: self.sent_at,
            context: context.filter(|_| has_context),
            integrations: text(&self.integrations),
            ..EventsHead::default()
        }
    }

    /// The events, told apart. `split_direct` puts those that ask for the connection's address
    /// apart.
    pub fn events(&self, split_direct: bool) -> Events {
        let mut events =
            Events { accepted: Vec::with_capacity(self.items.len()), ..Events::default() };
        let context = self.context.as_ref().and_then(|range| self.raw(range));
        let bad_context = context.is_some_and(|context| context.kind() != Kind::Object);
        let shared_direct = || Some(context?.get("direct")?.bool() == Some(true));
        let shared_direct = split_direct && shared_direct().unwrap_or(false);
        let is_token = |place: &&Range<usize>| self.raw(place).is_some_and(|raw| !raw.is_null());
        let shared_token = self.tokens.last.as_ref().filter(is_token);
        for (index, Item { place, verdict, tokens }) in self.items.iter().enumerate() {
            let item = self.stripped(place, tokens);
            let verdict = match verdict {
                _ if index >= limits::BATCH_EVENTS => Err(Refusal::BatchTooLong),
                _ if place.len() > limits::EVENT_BYTES => Err(Refusal::TooLarge),
                _ if bad_context => Err(Refusal::ContextNotObject),
                verdict => *verdict,
            };
            match verdict {
                Err(refusal) => events.refused.push(Refused { index, refusal, item }),
                Ok(own) => {
                    let is_direct = split_direct && own.unwrap_or(shared_direct);
                    let (list, presented) = match is_direct {
                        true => (&mut events.direct, &mut events.direct_tokens),
                        false => (&mut events.accepted, &mut events.tokens),
                    };
                    // The event's own member hides that of its batch even where it is null.
                    let own = tokens.last.is_some();
                    let token = tokens.last.as_ref().filter(is_token);
                    if let Some(token) = if own { token } else { shared_token } {
                        let item = u32::try_from(list.len()).unwrap_or(u32::MAX);
                        presented.push(Presented { item, own, token: token.clone() });
                    }
                    list.push(item);
                }
            }
        }
        events
    }

    /// The text of a token; none where it is no text.
    pub(crate) fn token(&self, presented: &Presented) -> Option<Cow<'_, str>> {
        self.raw(&presented.token)?.string()
    }

    /// A part of the body without the tokens in it.
    fn stripped(&self, place: &Range<usize>, tokens: &Tokens) -> Bytes {
        if tokens.all.is_empty() {
            return self.body.slice(place.clone());
        }
        let inner = |token: &Range<usize>| token.start - place.start..token.end - place.start;
        let inner: Vec<_> = tokens.all.iter().map(inner).collect();
        strip::without(self.body.get(place.clone()).unwrap_or_default(), &inner).into()
    }

    fn raw(&self, range: &Range<usize>) -> Option<Raw<'_>> {
        std::str::from_utf8(self.body.get(range.clone())?).ok().map(Raw::trusted)
    }
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
fn range(body: &[u8], part: Raw<'_>) -> Range<usize> {
    let start = part.text().as_ptr() as usize - body.as_ptr() as usize;
    start..start + part.text().len()
}

#[cfg(test)]
mod tests;
