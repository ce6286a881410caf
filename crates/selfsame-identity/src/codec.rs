//! The bytes of rows. Every row starts with its version; numbers of varying size are LEB128.
//!
//! ```text
//! identifier  version flags type:u16 component:u64 mapped_at:i64            20 bytes
//! component   version flags [parent] merges sets count (member)*
//! member      type rank flags key:16 value mapped_at event_time position source [message id]
//! evidence    version stamp count (type fate key:16 [value])*
//! ledger      version kind verdict components profiles keys stamp count (type fate key:16)*
//! ```

use selfsame_event::{
    Class, IdentifierKey, ItemPosition, Position, ProfileId, RecordId, SourceNumber, Time,
};

use crate::number::TypeNumber;
use crate::resolution::{LedgerEntry, LedgerRow, Merge, Refused};
use crate::row::{
    ComponentId, ComponentRow, EvidenceRow, Fate, IdentifierRow, Member, Seen, Stamp,
};
use crate::verdict::Verdict;

const VERSION: u8 = 1;
const HAS_PARENT: u8 = 1;
const OVERFLOWED: u8 = 2;
const ANCHORED: u8 = 1;
const HAS_MESSAGE_ID: u8 = 2;
const MERGED: u8 = 1;
const REFUSED: u8 = 2;

/// A row that this build cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a row of the identity graph is damaged or from a newer version")]
pub struct DecodeError;

impl DecodeError {
    /// What the caller can do about it.
    pub fn class(self) -> Class {
        Class::Corrupt
    }
}

impl IdentifierRow {
    /// Bytes of an encoded row.
    pub const BYTES: usize = 20;

    /// The bytes of the row.
    pub fn encode(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0] = VERSION;
        out[1] = u8::from(self.anchored);
        out[2..4].copy_from_slice(&self.number.0.to_le_bytes());
        out[4..12].copy_from_slice(&self.component.0.to_le_bytes());
        out[12..].copy_from_slice(&self.mapped_at.micros().to_le_bytes());
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::versioned(bytes)?;
        let anchored = reader.flags(ANCHORED)? != 0;
        let number = TypeNumber(u16::from_le_bytes(reader.array()?));
        let component = ComponentId(u64::from_le_bytes(reader.array()?));
        let mapped_at = time(i64::from_le_bytes(reader.array()?))?;
        reader.end(Self { component, number, anchored, mapped_at })
    }
}

impl ComponentRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.members.len() * 96);
        let flags = if self.parent.is_some() { HAS_PARENT } else { 0 }
            | if self.sets_overflowed { OVERFLOWED } else { 0 };
        out.extend([VERSION, flags]);
        if let Some(parent) = self.parent {
            put(&mut out, parent.0);
        }
        put(&mut out, self.merges);
        put(&mut out, self.sets);
        put_length(&mut out, self.prints.len());
        self.prints.iter().for_each(|print| out.extend(print.to_le_bytes()));
        put_length(&mut out, self.members.len());
        for member in &self.members {
            put_member(&mut out, member);
        }
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::versioned(bytes)?;
        let flags = reader.flags(HAS_PARENT | OVERFLOWED)?;
        let parent = match flags & HAS_PARENT {
            0 => None,
            _ => Some(ComponentId(reader.number()?)),
        };
        let (merges, sets) = (reader.number()?, reader.number()?);
        let prints = reader.list(|reader| Ok(u64::from_le_bytes(reader.array()?)))?.into();
        let members = reader.list(Reader::member)?;
        let sets_overflowed = flags & OVERFLOWED != 0;
        reader.end(Self { parent, merges, sets, prints, sets_overflowed, members })
    }
}

impl EvidenceRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.identifiers.len() * 20);
        out.push(VERSION);
        put_stamp(&mut out, &self.first);
        put_length(&mut out, self.identifiers.len());
        let mut unmapped = self.unmapped.iter();
        for seen in &self.identifiers {
            put_seen(&mut out, seen);
            if seen.fate != Fate::Kept {
                put_text(&mut out, unmapped.next().map_or("", |value| value));
            }
        }
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::versioned(bytes)?;
        let first = reader.stamp()?;
        let mut unmapped = Vec::new();
        let identifiers = reader.list(|reader| {
            let seen = reader.seen()?;
            if seen.fate != Fate::Kept {
                unmapped.push(reader.text()?);
            }
            Ok(seen)
        })?;
        reader.end(Self { first, identifiers: identifiers.into(), unmapped })
    }
}

impl LedgerRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        let (kind, verdict, components, profiles, keys) = match self.entry {
            LedgerEntry::Merged(it) => (
                MERGED,
                0,
                [it.parent, it.child],
                [it.parent_profile, it.child_profile],
                [it.parent_by, it.child_by],
            ),
            LedgerEntry::Refused(it) => (
                REFUSED,
                it.verdict as u8,
                [it.component, it.other],
                [it.profile, it.other_profile],
                [it.by, it.by],
            ),
        };
        out.extend([VERSION, kind, verdict]);
        components.iter().for_each(|component| put(&mut out, component.0));
        profiles.iter().for_each(|profile| out.extend(profile.to_bytes()));
        keys.iter().for_each(|key| out.extend(key.0));
        put_stamp(&mut out, &self.stamp);
        put_length(&mut out, self.identifiers.len());
        self.identifiers.iter().for_each(|seen| put_seen(&mut out, seen));
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::versioned(bytes)?;
        let [kind, verdict] = reader.array()?;
        let components = [ComponentId(reader.number()?), ComponentId(reader.number()?)];
        let mut profile = || Ok(ProfileId::from_bytes(reader.array()?));
        let profiles = [profile()?, profile()?];
        let keys = [IdentifierKey(reader.array()?), IdentifierKey(reader.array()?)];
        let entry = match (kind, verdict) {
            (MERGED, 0) => LedgerEntry::Merged(Merge {
                parent: components[0],
                child: components[1],
                parent_profile: profiles[0],
                child_profile: profiles[1],
                parent_by: keys[0],
                child_by: keys[1],
            }),
            (REFUSED, verdict) => LedgerEntry::Refused(Refused {
                verdict: Verdict::from_code(verdict).ok_or(DecodeError)?,
                component: components[0],
                other: components[1],
                profile: profiles[0],
                other_profile: profiles[1],
                by: keys[0],
            }),
            _ => return Err(DecodeError),
        };
        let stamp = reader.stamp()?;
        let identifiers = reader.list(Reader::seen)?.into();
        reader.end(Self { entry, stamp, identifiers })
    }
}

fn put(out: &mut Vec<u8>, number: impl Into<u64>) {
    let mut rest = number.into();
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).expect("below 0x80"));
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    put(out, u64::try_from(length).expect("a length fits 64 bits"));
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_length(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_time(out: &mut Vec<u8>, time: Time) {
    put(out, u64::try_from(time.micros()).expect("no time is before 1970"));
}

fn put_position(out: &mut Vec<u8>, position: ItemPosition) {
    put(out, position.record.partition);
    put(out, position.record.offset);
    put(out, position.index);
}

fn put_stamp(out: &mut Vec<u8>, stamp: &Stamp) {
    put_position(out, stamp.position);
    out.extend(stamp.record.0);
    put(out, stamp.source.0);
    put_time(out, stamp.event_time);
    put_time(out, stamp.log_time);
}

fn put_seen(out: &mut Vec<u8>, seen: &Seen) {
    put(out, seen.number.0);
    out.push(seen.fate as u8);
    out.extend(seen.key.0);
}

fn put_member(out: &mut Vec<u8>, member: &Member) {
    put(out, member.number.0);
    let flags = if member.anchored { ANCHORED } else { 0 }
        | if member.message_id.is_some() { HAS_MESSAGE_ID } else { 0 };
    out.extend([member.rank, flags]);
    out.extend(member.key.0);
    put_text(out, &member.value);
    put_time(out, member.mapped_at);
    put_time(out, member.event_time);
    put_position(out, member.position);
    put(out, member.source.0);
    if let Some(message_id) = &member.message_id {
        put_text(out, message_id);
    }
}

fn time(micros: i64) -> Result<Time, DecodeError> {
    Some(Time::from_micros(micros)).filter(|time| time.micros() == micros).ok_or(DecodeError)
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn versioned(bytes: &'b [u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Ok(Self(rest)),
            _ => Err(DecodeError),
        }
    }

    /// The row, if nothing is left over.
    fn end<T>(self, row: T) -> Result<T, DecodeError> {
        if self.0.is_empty() { Ok(row) } else { Err(DecodeError) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(DecodeError)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn flags(&mut self, known: u8) -> Result<u8, DecodeError> {
        let [flags] = self.array()?;
        if flags & !known == 0 { Ok(flags) } else { Err(DecodeError) }
    }

    fn number<T: TryFrom<u64>>(&mut self) -> Result<T, DecodeError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                return Err(DecodeError);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return T::try_from(number).map_err(|_| DecodeError);
            }
        }
        Err(DecodeError)
    }

    fn text(&mut self) -> Result<Box<str>, DecodeError> {
        let length = self.number::<usize>()?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(DecodeError)?;
        self.0 = rest;
        std::str::from_utf8(text).map(Box::from).map_err(|_| DecodeError)
    }

    fn time(&mut self) -> Result<Time, DecodeError> {
        time(self.number()?)
    }

    fn key(&mut self) -> Result<IdentifierKey, DecodeError> {
        self.array().map(IdentifierKey)
    }

    /// A counted list. Its length is believed only as far as bytes are there for it.
    fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = self.number::<usize>()?;
        let mut items = Vec::with_capacity(count.min(self.0.len() / 18));
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn position(&mut self) -> Result<ItemPosition, DecodeError> {
        let (partition, offset) = (self.number()?, self.number()?);
        Ok(Position { partition, offset }.item(self.number()?))
    }

    fn stamp(&mut self) -> Result<Stamp, DecodeError> {
        Ok(Stamp {
            position: self.position()?,
            record: RecordId(self.array()?),
            source: SourceNumber(self.number()?),
            event_time: self.time()?,
            log_time: self.time()?,
        })
    }

    fn seen(&mut self) -> Result<Seen, DecodeError> {
        let number = TypeNumber(self.number()?);
        let fate = match self.array()? {
            [0] => Fate::Kept,
            [1] => Fate::Demoted,
            [2] => Fate::Stopped,
            _ => return Err(DecodeError),
        };
        Ok(Seen { number, fate, key: self.key()? })
    }

    fn member(&mut self) -> Result<Member, DecodeError> {
        let number = TypeNumber(self.number()?);
        let [rank] = self.array()?;
        let flags = self.flags(ANCHORED | HAS_MESSAGE_ID)?;
        Ok(Member {
            number,
            rank,
            anchored: flags & ANCHORED != 0,
            key: self.key()?,
            value: self.text()?,
            mapped_at: self.time()?,
            event_time: self.time()?,
            position: self.position()?,
            source: SourceNumber(self.number()?),
            message_id: match flags & HAS_MESSAGE_ID {
                0 => None,
                _ => Some(self.text()?),
            },
        })
    }
}

#[cfg(test)]
mod tests;
