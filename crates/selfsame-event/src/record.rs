//! What a record of the event log says: its kind, and the head that its items share.
//!
//! ```text
//! kind 1, events:    head = EventsHead, items = accepted events, each the JSON it came as
//! kind 2, rejected:  head = EventsHead and a reason per item, items = refused events, raw
//! kind 3, config:    head = a configuration change as JSON, no items
//! kind 4, skip:      head = offset (u64) and reason, no items: an earlier record is not folded
//! kind 5, identity:  head = identifiers set apart and lifted as JSON, no items
//! kind 6, computed:  head = what of computed traits and audiences goes on, as JSON; items by that
//! ```
//!
//! ```text
//! EventsHead  version u8, source u32, type u8, sent_at i64,
//!             context, integrations, ip (each length u32 + text),
//!             import u8 [+ file 16, first line u64],
//!             version 2: count u32, then for each identity token: item u32, verdict u8
//!             refusals, a byte each
//! ```
//!
//! A head without tokens is written as version 1, as it was before there were any.

use crate::{Event, EventType, Raw, Refusal, Shared, Time, TokenVerdict};

/// The kind of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RecordKind {
    /// Accepted events of one request.
    Events = 1,
    /// Refused events of one request, set aside.
    Rejected = 2,
    /// A change of the configuration, in force from here on.
    Config = 3,
    /// An earlier record that could not be folded and is passed over.
    Skip = 4,
    /// Identifiers that may not share a profile, or may again: holds for the whole history.
    Identity = 5,
    /// What of computed traits and audiences takes longer than a step.
    Computed = 6,
}

impl RecordKind {
    /// The kind of that number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Events, Self::Rejected, Self::Config, Self::Skip, Self::Identity, Self::Computed]
            .into_iter()
            .find(|kind| *kind as u8 == code)
    }
}

/// The number of a source. Sources are numbered in the order in which the log creates them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SourceNumber(pub u32);

/// What the items of an events record share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventsHead {
    /// The source whose write key the request had.
    pub source: SourceNumber,
    /// The type that the route named.
    pub implied: Option<EventType>,
    /// The sender's clock when the request was sent.
    pub sent_at: Option<Time>,
    /// The batch's `context`, an object as JSON text.
    pub context: Option<String>,
    /// The batch's `integrations`, as JSON text.
    pub integrations: Option<String>,
    /// The address the request came from, for events that a client sent itself.
    pub ip: Option<String>,
    /// The file and first line that an import read, so that it may be run again.
    pub import: Option<ImportOrigin>,
    /// What the identity tokens of items were found to be, by the number of the item, ascending.
    pub tokens: Vec<(u32, TokenVerdict)>,
    /// Why each item was refused, of a rejected record.
    pub refusals: Vec<Refusal>,
}

/// Where imported events come from: item `i` is line `first_line + i` of the file with that digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportOrigin {
    /// The digest of the file.
    pub file: [u8; 16],
    /// The line of the first item, from 1.
    pub first_line: u64,
}

/// A head that this build cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the head of an events record is damaged or from a newer version")]
pub struct HeadError;

const WITHOUT_TOKENS: u8 = 1;
const WITH_TOKENS: u8 = 2;

impl EventsHead {
    /// What events of this record share.
    pub fn shared(&self) -> Shared<'_> {
        Shared {
            implied: self.implied,
            sent_at: self.sent_at,
            context: self.context.as_deref().map(Raw::trusted),
            integrations: self.integrations.as_deref().map(Raw::trusted),
        }
    }

    /// What the identity token of an item was found to be, if it had one.
    pub fn token(&self, item: u32) -> Option<TokenVerdict> {
        let place = self.tokens.binary_search_by_key(&item, |(item, _)| *item).ok()?;
        self.tokens.get(place).map(|(_, verdict)| *verdict)
    }

    /// Reads an item that was checked before it was appended.
    pub fn event<'a>(&'a self, item: &'a [u8]) -> Result<Event<'a>, Refusal> {
        let text = std::str::from_utf8(item).map_err(|_| Refusal::NotObject)?;
        Event::read(Raw::trusted(text), &self.shared())
    }

    /// The bytes of the head.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.push(if self.tokens.is_empty() { WITHOUT_TOKENS } else { WITH_TOKENS });
        out.extend_from_slice(&self.source.0.to_le_bytes());
        out.push(self.implied.map_or(0, EventType::code));
        out.extend_from_slice(&self.sent_at.map_or(-1, Time::micros).to_le_bytes());
        for text in [&self.context, &self.integrations, &self.ip] {
            let bytes = text.as_deref().unwrap_or_default().as_bytes();
            out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(bytes);
        }
        match self.import {
            Some(origin) => {
                out.push(1);
                out.extend_from_slice(&origin.file);
                out.extend_from_slice(&origin.first_line.to_le_bytes());
            }
            None => out.push(0),
        }
        if !self.tokens.is_empty() {
            let count = u32::try_from(self.tokens.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&count.to_le_bytes());
            for (item, verdict) in &self.tokens {
                out.extend_from_slice(&item.to_le_bytes());
                out.push(verdict.number());
            }
        }
        out.extend(self.refusals.iter().map(|refusal| refusal.number()));
        out
    }

    /// Reads a head.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeadError> {
        let mut rest = bytes;
        let [version] = take(&mut rest)?;
        if !matches!(version, WITHOUT_TOKENS | WITH_TOKENS) {
            return Err(HeadError);
        }
        let source = SourceNumber(u32::from_le_bytes(take(&mut rest)?));
        let [implied] = take(&mut rest)?;
        let sent_at = i64::from_le_bytes(take(&mut rest)?);
        let mut text = || {
            let length =
                usize::try_from(u32::from_le_bytes(take(&mut rest)?)).map_err(|_| HeadError)?;
            let (bytes, behind) = rest.split_at_checked(length).ok_or(HeadError)?;
            rest = behind;
            let text = std::str::from_utf8(bytes).map_err(|_| HeadError)?;
            Ok::<_, HeadError>(Some(text.to_owned()).filter(|text| !text.is_empty()))
        };
        let (context, integrations, ip) = (text()?, text()?, text()?);
        let [has_import] = take(&mut rest)?;
        let import = match has_import {
            0 => None,
            _ => Some(ImportOrigin {
                file: take(&mut rest)?,
                first_line: u64::from_le_bytes(take(&mut rest)?),
            }),
        };
        let tokens = match version {
            WITH_TOKENS => take_tokens(&mut rest)?,
            _ => Vec::new(),
        };
        let refusals = rest.iter().map(|number| Refusal::from_number(*number).ok_or(HeadError));
        Ok(Self {
            source,
            implied: EventType::from_code(implied),
            sent_at: (sent_at >= 0).then(|| Time::from_micros(sent_at)),
            context,
            integrations,
            ip,
            import,
            tokens,
            refusals: refusals.collect::<Result<_, _>>()?,
        })
    }
}

fn take_tokens(rest: &mut &[u8]) -> Result<Vec<(u32, TokenVerdict)>, HeadError> {
    let count = u32::from_le_bytes(take(rest)?);
    let mut tokens = Vec::<(u32, TokenVerdict)>::new();
    for _ in 0..count {
        let item = u32::from_le_bytes(take(rest)?);
        let [number] = take(rest)?;
        let verdict = TokenVerdict::from_number(number).ok_or(HeadError)?;
        if tokens.last().is_some_and(|(before, _)| *before >= item) {
            return Err(HeadError);
        }
        tokens.push((item, verdict));
    }
    Ok(tokens)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], HeadError> {
    let (taken, behind) = rest.split_first_chunk().ok_or(HeadError)?;
    *rest = behind;
    Ok(*taken)
}

#[cfg(test)]
mod tests;
