//! The bytes of rows. Every row starts with its version; numbers of varying size are LEB128.
//!
//! ```text
//! identifier  version flags type:u16 component:u64 mapped_at:i64            20 bytes
//! component   version flags [parent] merges sets count (print:u64)* count (member)*
//! member      type rank flags key:16 [mapped_at event_time position source [message id]] value
//! evidence    version flags stamp count (type fate key:16 [value])* [count (stamp)*] [previous]
//! previous    flags [key:16] [type key:16 value] [type key:16 value]
//! apart       version type value count (key:16 since by times flag [stamp])*
//! people      version count (key:16)*
//! ledger      version kind verdict components profiles keys [limit] stamp count (type fate key:16)*
//! limit       type count window
//! ```
//!
//! Members that one event mapped lie side by side, and only the first of them says when and where.

use selfsame_event::packed::{Reader, put_number, put_time};
use selfsame_event::{
    Class, IdentifierKey, ItemPosition, PackedText, Position, ProfileId, RecordId, SourceNumber,
    Time,
};

use crate::number::TypeNumber;
use crate::resolution::{Handed, LedgerEntry, LedgerRow, Merge, MetLimit, Refused};
use crate::row::{ComponentId, ComponentRow, Fate, IdentifierRow, Member, Seen, Stamp};
use crate::rule::{Limit, Window};
use crate::verdict::Verdict;

mod evidence;
mod glance;

const VERSION: u8 = 3;
const HAS_PARENT: u8 = 1;
const OVERFLOWED: u8 = 2;
const NAMED: u8 = 4;
const ANCHORED: u8 = 1;
const HAS_MESSAGE_ID: u8 = 2;
const SAME_EVENT: u8 = 4;
const VERIFIED: u8 = 8;
const APART: u8 = 16;
const MERGED: u8 = 1;
const REFUSED: u8 = 2;
/// A refusal that says which limit was met.
const REFUSED_BY_LIMIT: u8 = 3;
const GAINED: u8 = 4;
const LOST: u8 = 5;

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
        out[1] = standing(self.anchored, self.verified);
        out[2..4].copy_from_slice(&self.number.0.to_le_bytes());
        out[4..12].copy_from_slice(&self.component.0.to_le_bytes());
        out[12..].copy_from_slice(&self.mapped_at.micros().to_le_bytes());
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        whole(bytes, |reader| {
            let flags = flags(reader, ANCHORED | VERIFIED)?;
            let number = TypeNumber(u16::from_le_bytes(reader.array()?));
            let component = ComponentId(u64::from_le_bytes(reader.array()?));
            let micros = i64::from_le_bytes(reader.array()?);
            let mapped_at = Time::from_micros(micros);
            (mapped_at.micros() == micros).then_some(Self {
                component,
                number,
                anchored: flags & ANCHORED != 0,
                verified: flags & VERIFIED != 0,
                mapped_at,
            })
        })
    }
}

impl ComponentRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + self.members.len() * 80);
        let flags = if self.parent.is_some() { HAS_PARENT } else { 0 }
            | if self.sets_overflowed { OVERFLOWED } else { 0 }
            | if self.is_verified() { NAMED } else { 0 };
        out.extend([VERSION, flags]);
        if let Some(parent) = self.parent {
            put_number(&mut out, parent.0);
        }
        put_number(&mut out, self.merges.into());
        put_number(&mut out, self.sets.into());
        put_length(&mut out, self.prints.len());
        self.prints.iter().for_each(|print| out.extend(print.to_le_bytes()));
        put_length(&mut out, self.members.len());
        let mut before = None;
        for member in &self.members {
            put_member(&mut out, member, before);
            before = Some(member);
        }
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        whole(bytes, |reader| {
            let head = Head::read(reader)?;
            let prints = head.prints.as_chunks().0.iter().map(|print| u64::from_le_bytes(*print));
            let prints = prints.collect();
            let mut members = Vec::with_capacity(capacity(head.members, reader));
            for _ in 0..head.members {
                let member = read_member(reader, members.last())?;
                members.push(member);
            }
            let Head { parent, merges, sets, sets_overflowed, verified, .. } = head;
            let row = Self { parent, merges, sets, prints, sets_overflowed, members };
            (row.is_verified() == verified).then_some(row)
        })
    }
}

/// What is before the members of a component's row.
struct Head<'b> {
    parent: Option<ComponentId>,
    merges: u32,
    sets: u32,
    sets_overflowed: bool,
    verified: bool,
    prints: &'b [u8],
    members: usize,
}

impl<'b> Head<'b> {
    fn read(reader: &mut Reader<'b>) -> Option<Self> {
        let flags = flags(reader, HAS_PARENT | OVERFLOWED | NAMED)?;
        let parent = match flags & HAS_PARENT {
            0 => None,
            _ => Some(ComponentId(reader.number()?)),
        };
        let (merges, sets) = (reader.small()?, reader.small()?);
        let prints = length(reader)?.checked_mul(size_of::<u64>())?;
        let prints = reader.slice(prints)?;
        let members = length(reader)?;
        Some(Self {
            parent,
            merges,
            sets,
            sets_overflowed: flags & OVERFLOWED != 0,
            verified: flags & NAMED != 0,
            prints,
            members,
        })
    }
}

impl LedgerRow {
    /// The bytes of the row.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        let (kind, verdict, components, profiles, keys, limit) = match self.entry {
            LedgerEntry::Merged(it) => (
                MERGED,
                0,
                [it.parent, it.child],
                [it.parent_profile, it.child_profile],
                [it.parent_by, it.child_by],
                None,
            ),
            LedgerEntry::Refused(it) => (
                if it.limit.is_some() { REFUSED_BY_LIMIT } else { REFUSED },
                it.verdict as u8,
                [it.component, it.other],
                [it.profile, it.other_profile],
                [it.by, it.by],
                it.limit,
            ),
            LedgerEntry::Handed(it) => (
                if it.is_gained { GAINED } else { LOST },
                0,
                [it.component, it.other],
                [it.profile, it.other_profile],
                [it.device, it.device],
                None,
            ),
        };
        out.extend([VERSION, kind, verdict]);
        components.iter().for_each(|component| put_number(&mut out, component.0));
        profiles.iter().for_each(|profile| out.extend(profile.to_bytes()));
        keys.iter().for_each(|key| out.extend(key.0));
        limit.iter().for_each(|limit| put_limit(&mut out, limit));
        put_stamp(&mut out, &self.stamp);
        put_length(&mut out, self.identifiers.len());
        self.identifiers.iter().for_each(|seen| put_seen(&mut out, seen));
        out
    }

    /// Reads a row.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        whole(bytes, |reader| {
            let [kind, verdict] = reader.array()?;
            let components = [ComponentId(reader.number()?), ComponentId(reader.number()?)];
            let mut profile = || Some(ProfileId::from_bytes(reader.array()?));
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
                (REFUSED | REFUSED_BY_LIMIT, verdict) => LedgerEntry::Refused(Refused {
                    verdict: Verdict::from_code(verdict)?,
                    component: components[0],
                    other: components[1],
                    profile: profiles[0],
                    other_profile: profiles[1],
                    by: keys[0],
                    limit: match kind {
                        REFUSED_BY_LIMIT => Some(read_limit(reader)?),
                        _ => None,
                    },
                }),
                (GAINED | LOST, 0) if keys[0] == keys[1] => LedgerEntry::Handed(Handed {
                    component: components[0],
                    other: components[1],
                    profile: profiles[0],
                    other_profile: profiles[1],
                    device: keys[0],
                    is_gained: kind == GAINED,
                }),
                _ => return None,
            };
            let stamp = read_stamp(reader)?;
            let identifiers = list(reader, read_seen)?.into();
            Some(Self { entry, stamp, identifiers })
        })
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    put_number(out, u64::try_from(length).expect("a length fits 64 bits"));
}

fn put_position(out: &mut Vec<u8>, position: ItemPosition) {
    put_number(out, position.record.partition.into());
    put_number(out, position.record.offset);
    put_number(out, position.index.into());
}

fn put_stamp(out: &mut Vec<u8>, stamp: &Stamp) {
    put_position(out, stamp.position);
    out.extend(stamp.record.0);
    put_number(out, stamp.source.0.into());
    put_time(out, stamp.event_time);
    put_time(out, stamp.log_time);
}

fn put_limit(out: &mut Vec<u8>, met: &MetLimit) {
    put_number(out, met.number.0.into());
    put_number(out, met.limit.count.into());
    let window = Window::ALL.iter().position(|window| *window == met.limit.window);
    put_length(out, window.unwrap_or_default());
}

fn put_seen(out: &mut Vec<u8>, seen: &Seen) {
    put_number(out, seen.number.0.into());
    out.push(seen.fate as u8);
    out.extend(seen.key.0);
}

fn put_member(out: &mut Vec<u8>, member: &Member, before: Option<&Member>) {
    let is_same = before.is_some_and(|before| member.is_of_event_of(before));
    put_number(out, member.number.0.into());
    let flags = standing(member.anchored, member.verified)
        | if member.is_apart { APART } else { 0 }
        | if is_same { SAME_EVENT } else { 0 }
        | if !is_same && member.message_id.is_some() { HAS_MESSAGE_ID } else { 0 };
    out.extend([member.rank, flags]);
    out.extend(member.key.0);
    if !is_same {
        put_time(out, member.mapped_at);
        put_time(out, member.event_time);
        put_position(out, member.position);
        put_number(out, member.source.0.into());
        if let Some(message_id) = &member.message_id {
            PackedText::new(message_id).write(out);
        }
    }
    PackedText::new(&member.value).write(out);
}

fn standing(anchored: bool, verified: bool) -> u8 {
    (if anchored { ANCHORED } else { 0 }) | if verified { VERIFIED } else { 0 }
}

/// The row that is all of these bytes.
fn whole<'b, T>(
    bytes: &'b [u8],
    read: impl FnOnce(&mut Reader<'b>) -> Option<T>,
) -> Result<T, DecodeError> {
    let Some((&VERSION, rest)) = bytes.split_first() else { return Err(DecodeError) };
    let mut reader = Reader(rest);
    let row = read(&mut reader);
    row.filter(|_| reader.left() == 0).ok_or(DecodeError)
}

fn flags(reader: &mut Reader<'_>, known: u8) -> Option<u8> {
    reader.byte().filter(|flags| flags & !known == 0)
}

fn length(reader: &mut Reader<'_>) -> Option<usize> {
    usize::try_from(reader.number()?).ok()
}

/// A length is believed only as far as bytes are there for it.
fn capacity(count: usize, reader: &Reader<'_>) -> usize {
    count.min(reader.left() / 18)
}

fn list<'b, T>(
    reader: &mut Reader<'b>,
    mut item: impl FnMut(&mut Reader<'b>) -> Option<T>,
) -> Option<Vec<T>> {
    let count = length(reader)?;
    let mut items = Vec::with_capacity(capacity(count, reader));
    for _ in 0..count {
        items.push(item(reader)?);
    }
    Some(items)
}

fn read_position(reader: &mut Reader<'_>) -> Option<ItemPosition> {
    let (partition, offset) = (reader.small()?, reader.number()?);
    Some(Position { partition, offset }.item(reader.small()?))
}

fn read_stamp(reader: &mut Reader<'_>) -> Option<Stamp> {
    Some(Stamp {
        position: read_position(reader)?,
        record: RecordId(reader.array()?),
        source: SourceNumber(reader.small()?),
        event_time: reader.time()?,
        log_time: reader.time()?,
    })
}

fn read_number(reader: &mut Reader<'_>) -> Option<TypeNumber> {
    u16::try_from(reader.number()?).ok().map(TypeNumber)
}

fn read_limit(reader: &mut Reader<'_>) -> Option<MetLimit> {
    let (number, count) = (read_number(reader)?, reader.small()?);
    let window = *Window::ALL.get(usize::from(reader.byte()?))?;
    Some(MetLimit { number, limit: Limit { count, window } })
}

fn read_seen(reader: &mut Reader<'_>) -> Option<Seen> {
    let number = read_number(reader)?;
    let fate = match reader.byte()? {
        0 => Fate::Kept,
        1 => Fate::Demoted,
        2 => Fate::Stopped,
        _ => return None,
    };
    Some(Seen { number, fate, key: IdentifierKey(reader.array()?) })
}

/// What is before the value of a member.
struct MemberHead<'b> {
    number: TypeNumber,
    rank: u8,
    anchored: bool,
    verified: bool,
    is_apart: bool,
    key: IdentifierKey,
    /// None where it is the event of the member before.
    at: Option<MappedBy<'b>>,
}

/// The event that mapped a member.
struct MappedBy<'b> {
    mapped_at: Time,
    event_time: Time,
    position: ItemPosition,
    source: SourceNumber,
    message_id: Option<PackedText<'b>>,
}

fn read_head<'b>(reader: &mut Reader<'b>) -> Option<MemberHead<'b>> {
    let number = read_number(reader)?;
    let rank = reader.byte()?;
    let flags = flags(reader, ANCHORED | HAS_MESSAGE_ID | SAME_EVENT | VERIFIED | APART)?;
    let key = IdentifierKey(reader.array()?);
    let at = match flags & SAME_EVENT {
        0 => Some(MappedBy {
            mapped_at: reader.time()?,
            event_time: reader.time()?,
            position: read_position(reader)?,
            source: SourceNumber(reader.small()?),
            message_id: match flags & HAS_MESSAGE_ID {
                0 => None,
                _ => Some(PackedText::read(reader)?),
            },
        }),
        _ => None,
    };
    let (anchored, verified) = (flags & ANCHORED != 0, flags & VERIFIED != 0);
    let is_apart = flags & APART != 0;
    Some(MemberHead { number, rank, anchored, verified, is_apart, key, at })
}

/// A member. One whose event is that of the member before says so and repeats nothing.
fn read_member(reader: &mut Reader<'_>, before: Option<&Member>) -> Option<Member> {
    let MemberHead { number, rank, anchored, verified, is_apart, key, at } = read_head(reader)?;
    let value = PackedText::read(reader)?.to_string().into();
    let Some(at) = at else {
        let before = before?.clone();
        return Some(Member { number, rank, anchored, verified, is_apart, key, value, ..before });
    };
    let MappedBy { mapped_at, event_time, position, source, message_id } = at;
    let message_id = message_id.map(|id| id.to_string().into());
    let mapping = Member {
        number,
        rank,
        anchored,
        verified,
        is_apart,
        key,
        value,
        mapped_at,
        event_time,
        position,
        source,
        message_id,
    };
    Some(mapping).filter(|mapping| before.is_none_or(|before| !mapping.is_of_event_of(before)))
}

#[cfg(test)]
mod tests;
