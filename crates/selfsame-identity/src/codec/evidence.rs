//! The bytes of evidence, of what is set apart, and of who came with a device.

use selfsame_event::IdentifierKey;
use selfsame_event::packed::{Reader, put_number, put_text, put_time};

use super::{
    DecodeError, VERSION, flags, list, put_length, put_seen, put_stamp, read_number, read_seen,
    read_stamp, whole,
};
use crate::apart::{ApartFrom, ApartRow};
use crate::people::PeopleRow;
use crate::row::{EvidenceRow, Fate};
use crate::skeleton::{PreviousSeen, Reading};

const HAS_AGAIN: u8 = 1;
const CUT: u8 = 2;
const HAS_PREVIOUS: u8 = 4;
const HAS_ANONYMOUS: u8 = 1;
const HAS_USER: u8 = 2;
const HAS_CHOSEN: u8 = 4;

impl EvidenceRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.identifiers.len() * 20);
        let flags = if self.again.is_empty() { 0 } else { HAS_AGAIN }
            | if self.is_cut { CUT } else { 0 }
            | if self.previous.is_some() { HAS_PREVIOUS } else { 0 };
        out.extend([VERSION, flags]);
        put_stamp(&mut out, &self.first);
        put_length(&mut out, self.identifiers.len());
        let mut unmapped = self.unmapped.iter();
        for seen in &self.identifiers {
            put_seen(&mut out, seen);
            if seen.fate != Fate::Kept {
                put_text(&mut out, unmapped.next().map_or("", |value| value));
            }
        }
        if !self.again.is_empty() {
            put_length(&mut out, self.again.len());
            self.again.iter().for_each(|stamp| put_stamp(&mut out, stamp));
        }
        if let Some(previous) = &self.previous {
            put_previous(&mut out, previous);
        }
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        whole(bytes, |reader| {
            let flags = flags(reader, HAS_AGAIN | CUT | HAS_PREVIOUS)?;
            let first = read_stamp(reader)?;
            let mut unmapped = Vec::new();
            let identifiers = list(reader, |reader| {
                let seen = read_seen(reader)?;
                if seen.fate != Fate::Kept {
                    unmapped.push(reader.text()?.into());
                }
                Some(seen)
            })?;
            let again = match flags & HAS_AGAIN {
                0 => Vec::new(),
                _ => Some(list(reader, read_stamp)?).filter(|again| !again.is_empty())?,
            };
            let previous = match flags & HAS_PREVIOUS {
                0 => None,
                _ => Some(Box::new(read_previous(reader)?)),
            };
            let (identifiers, is_cut) = (identifiers.into(), flags & CUT != 0);
            Some(Self { first, again, is_cut, identifiers, unmapped, previous })
        })
    }
}

impl ApartRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 * self.others.len());
        out.push(VERSION);
        put_number(&mut out, self.number.0.into());
        put_text(&mut out, &self.value);
        put_length(&mut out, self.others.len());
        for other in &self.others {
            out.extend(other.key.0);
            put_time(&mut out, other.since);
            put_text(&mut out, &other.by);
            put_number(&mut out, other.times);
            out.push(u8::from(other.last.is_some()));
            other.last.iter().for_each(|stamp| put_stamp(&mut out, stamp));
        }
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        whole(bytes, |reader| {
            let (number, value) = (read_number(reader)?, reader.text()?.into());
            let others = list(reader, |reader| {
                Some(ApartFrom {
                    key: IdentifierKey(reader.array()?),
                    since: reader.time()?,
                    by: reader.text()?.into(),
                    times: reader.number()?,
                    last: match reader.byte()? {
                        0 => None,
                        1 => Some(read_stamp(reader)?),
                        _ => return None,
                    },
                })
            })?;
            let is_sorted = others.is_sorted_by(|one, other| one.key < other.key);
            is_sorted.then_some(Self { number, value, others })
        })
    }
}

impl PeopleRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + 16 * self.users.len());
        out.push(VERSION);
        put_length(&mut out, self.users.len());
        self.users.iter().for_each(|user| out.extend(user.0));
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        whole(bytes, |reader| {
            let users = list(reader, |reader| Some(IdentifierKey(reader.array()?)))?;
            users.is_sorted_by(|one, other| one < other).then_some(Self { users })
        })
    }
}

fn put_previous(out: &mut Vec<u8>, previous: &PreviousSeen) {
    let flag = |is_there, flag| if is_there { flag } else { 0 };
    out.push(
        flag(previous.anonymous.is_some(), HAS_ANONYMOUS)
            | flag(previous.user.is_some(), HAS_USER)
            | flag(previous.chosen.is_some(), HAS_CHOSEN),
    );
    previous.chosen.iter().for_each(|key| out.extend(key.0));
    for reading in previous.readings() {
        put_number(out, reading.number.0.into());
        out.extend(reading.key.0);
        put_text(out, &reading.value);
    }
}

fn read_previous(reader: &mut Reader<'_>) -> Option<PreviousSeen> {
    let flags = flags(reader, HAS_ANONYMOUS | HAS_USER | HAS_CHOSEN)?;
    let chosen = match flags & HAS_CHOSEN {
        0 => None,
        _ => Some(IdentifierKey(reader.array()?)),
    };
    let mut reading = |flag| match flags & flag {
        0 => Some(None),
        _ => Some(Some(Reading {
            number: read_number(reader)?,
            key: IdentifierKey(reader.array()?),
            value: reader.text()?.into(),
        })),
    };
    let (anonymous, user) = (reading(HAS_ANONYMOUS)?, reading(HAS_USER)?);
    Some(PreviousSeen { anonymous, user, chosen })
}
