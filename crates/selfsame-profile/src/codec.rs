//! Sections as bytes, for checkpoints; and the part of them that does not depend on arrival.
//!
//! ```text
//! version: u8 = 2
//! partition, offset: number    where it was folded to
//! events: number               256 each are in chunks, the rest are open
//! timeline sum: u64            of a hash of each entry; little-endian
//! lengths: 7 numbers           traits, links, chunks, first, last, computed, open
//! the parts' bytes
//! ```

use selfsame_event::{Class, Position};

use crate::links;
use crate::parts::{Part, Parts};
use crate::section::Section;
use crate::stamp::Stamp;
use crate::timeline::{self, CHUNK_ENTRIES, ChunkTimes};
use crate::traits::Table;
use selfsame_event::packed::{Reader, Scratch, put_number};

const VERSION: u8 = 2;

/// A stored section that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A newer build wrote it.
    #[error("the section has version {0}, which this build does not know")]
    Version(u8),
    /// No build wrote it.
    #[error("the section is damaged")]
    Damaged,
}

impl DecodeError {
    /// What can be done about it: nothing.
    pub fn class(self) -> Class {
        Class::Corrupt
    }
}

impl Section {
    /// Appends the section's bytes. The same section is always the same bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.encode_head(out);
        self.parts.write(out);
    }

    /// The same with that as what is kept for definitions.
    pub fn encode_with(&self, computed: &[u8], out: &mut Vec<u8>) {
        self.encode_head(out);
        self.parts.write_with(computed, out);
    }

    fn encode_head(&self, out: &mut Vec<u8>) {
        let mut head = Scratch::new();
        head.push(VERSION);
        put_number(&mut head, u64::from(self.folded_to.partition));
        put_number(&mut head, self.folded_to.offset);
        put_number(&mut head, self.events);
        head.extend_from_slice(&self.timeline_sum.to_le_bytes());
        out.extend_from_slice(&head);
    }

    /// Reads a section. Any bytes that are not exactly a section are refused. (That values are JSON
    /// is not checked again: the store's checksums answer for what was written.)
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(other) => return Err(DecodeError::Version(*other)),
            None => return Err(DecodeError::Damaged),
        }
        let section = read(Reader(&bytes[1..])).ok_or(DecodeError::Damaged)?;
        let mut again = Vec::with_capacity(bytes.len());
        section.encode(&mut again);
        if again == bytes && is_sound(&section) { Ok(section) } else { Err(DecodeError::Damaged) }
    }

    /// Reads a section that was decoded or encoded in this process, into the place of this one, whose
    /// memory is used again. Says whether it is one.
    pub fn restore(&mut self, bytes: &[u8]) -> bool {
        self.restore_head(bytes).and_then(|parts| self.parts.restore(parts)).is_some()
    }

    /// The same without what is kept for definitions, which is answered: it may be long, and is not copied.
    pub fn restore_apart<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let parts = self.restore_head(bytes)?;
        self.parts.restore_apart(parts)
    }

    fn restore_head<'a>(&mut self, bytes: &'a [u8]) -> Option<Reader<'a>> {
        let (&VERSION, rest) = bytes.split_first()? else { return None };
        let mut reader = Reader(rest);
        let Head { folded_to, events, timeline_sum } = Head::read(&mut reader)?;
        (self.folded_to, self.events, self.timeline_sum) = (folded_to, events, timeline_sum);
        Some(reader)
    }

    /// Up to which record the section of these bytes is folded, and how many events it has.
    pub fn peek(bytes: &[u8]) -> Option<(Position, u64)> {
        let (head, _) = read_head(bytes)?;
        Some((head.folded_to, head.events))
    }

    /// The bytes behind the head.
    pub(crate) fn packed_parts(bytes: &[u8]) -> Option<Reader<'_>> {
        read_head(bytes).map(|(_, rest)| rest)
    }

    /// What the events in it say, as bytes that do not depend on the order in which they came nor on
    /// where the log keeps them: traits, links, first and last event, count, and a sum over the
    /// entries of the timeline. For comparing states.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Scratch::new();
        put_number(&mut out, self.events);
        out.extend_from_slice(&self.timeline_sum.to_le_bytes());
        for part in [Part::Traits, Part::Links, Part::First, Part::Last] {
            put_number(&mut out, self.parts.get(part).len() as u64);
            out.extend_from_slice(self.parts.get(part));
        }
        out.into_vec()
    }
}

/// What is before the parts.
struct Head {
    folded_to: Position,
    events: u64,
    timeline_sum: u64,
}

impl Head {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            folded_to: Position { partition: reader.small()?, offset: reader.number()? },
            events: reader.number()?,
            timeline_sum: u64::from_le_bytes(reader.array()?),
        })
    }
}

fn read_head(bytes: &[u8]) -> Option<(Head, Reader<'_>)> {
    let (_, rest) = bytes.split_first()?;
    let mut reader = Reader(rest);
    Some((Head::read(&mut reader)?, reader))
}

fn read(mut reader: Reader<'_>) -> Option<Section> {
    let Head { folded_to, events, timeline_sum } = Head::read(&mut reader)?;
    let mut parts = Parts::default();
    parts.restore(reader)?;
    Some(Section { folded_to, events, timeline_sum, parts })
}

fn is_sound(section: &Section) -> bool {
    let part = |part| section.parts.get(part);
    let full = section.events / CHUNK_ENTRIES as u64;
    let open = usize::try_from(section.events % CHUNK_ENTRIES as u64).unwrap_or(usize::MAX);
    let stamps = match (section.first(), section.last()) {
        (Some(first), Some(last)) => {
            section.events > 0
                && is_stamp(part(Part::First), first)
                && (part(Part::Last).is_empty() || first < last && is_stamp(part(Part::Last), last))
        }
        _ => section.events == 0 && part(Part::First).is_empty() && part(Part::Last).is_empty(),
    };
    stamps
        && Table::check(part(Part::Traits))
        && links::check(part(Part::Links))
        && are_chunks(part(Part::Chunks), full)
        && timeline::check(part(Part::Open), open)
}

fn is_stamp(bytes: &[u8], stamp: Stamp<'_>) -> bool {
    let mut again = Scratch::new();
    stamp.write(&mut again);
    stamp.message_id.is_canonical() && again.as_slice() == bytes
}

fn are_chunks(bytes: &[u8], count: u64) -> bool {
    let mut again = Scratch::new();
    let mut found = 0;
    for times in ChunkTimes::read_all(bytes) {
        times.write(&mut again);
        found += 1;
    }
    found == count && again.as_slice() == bytes
}
