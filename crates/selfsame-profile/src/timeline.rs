//! The timeline of one section: an index into the log, packed, in chunks of 256 entries.
//!
//! Entries that are in no full chunk yet are part of the section. The 256th completes a chunk, which
//! the caller stores under (anchor, number) and the section forgets but for its first and last time.
//! A late event goes into the open entries like any other, so chunks may overlap; reading merges
//! them (`page`).
//!
//! Entries are in one total order: event time, then three bytes of the record id, then the item.
//! None of these depend on the order of arrival or on where the log keeps the record. Where records
//! of one microsecond agree in those three bytes too, their positions decide.
//!
//! ```text
//! newest first; the first is relative to zero, each other one to the one before it
//! flags: u8   0-2 type  3 milliseconds  4 same record as before  5 item  6 partition  7 zero
//! time        number: earlier by, in microseconds, or in milliseconds if flagged
//! partition   number, if flagged
//! offset      zigzag number: lower by, unless it is the same record
//! tie         3 bytes, unless it is the same record
//! item        number, if flagged
//! name        2 bytes, of track events
//! ```

use selfsame_event::{EventType, Position, RecordId, Time};

use crate::rank;
use crate::stamp::Stamp;
use selfsame_event::packed::{Reader, Scratch, put_number, put_time, unzigzag, zigzag};

/// How many entries a full chunk has.
pub const CHUNK_ENTRIES: usize = 256;

/// Sixteen bits of a hash of an event's name: enough to pass over nearly all others. Whoever needs
/// to be sure compares the name in the event's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NameKey(u16);

impl NameKey {
    /// The key of that name.
    pub fn of(name: &str) -> Self {
        let [low, high, ..] = rank::of(name.as_bytes()).to_le_bytes();
        Self(u16::from_le_bytes([low, high]))
    }
}

/// Where an entry is in the order of its timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryKey {
    /// Effective event time.
    pub time: Time,
    /// The first three bytes of the record id.
    pub tie: [u8; 3],
    /// Which item of its record.
    pub item: u32,
    /// Where the record is.
    pub position: Position,
}

/// One event of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the order.
    pub key: EntryKey,
    /// Which of the six calls.
    pub kind: EventType,
    /// Of a track event, the key of its name.
    pub track: Option<NameKey>,
}

impl Entry {
    /// The entry of an event.
    pub fn new(
        time: Time,
        record: RecordId,
        position: Position,
        item: u32,
        kind: EventType,
        name: &str,
    ) -> Self {
        let [a, b, c, ..] = record.0;
        let key = EntryKey { time, tie: [a, b, c], item, position };
        Self { key, kind, track: (kind == EventType::Track).then(|| NameKey::of(name)) }
    }

    /// The key of the name that the Profile API gives it: of a page `Page Viewed`, of a screen
    /// `Screen Viewed`.
    pub fn name(&self) -> Option<NameKey> {
        match self.kind {
            EventType::Track => self.track,
            EventType::Page => Some(NameKey::of("Page Viewed")),
            EventType::Screen => Some(NameKey::of("Screen Viewed")),
            EventType::Identify | EventType::Group | EventType::Alias => None,
        }
    }

    /// Whether this may be the entry of that event: it has the same time, item and tie. So the event
    /// that set a trait is found in the log.
    pub fn may_be(&self, stamp: &Stamp<'_>) -> bool {
        let EntryKey { time, tie, item, .. } = self.key;
        time == stamp.time && item == stamp.item && stamp.record.0.starts_with(&tie)
    }

    /// A number that stands for the entry wherever the log keeps its record.
    pub(crate) fn digest(&self) -> u64 {
        let [a, b, c] = self.key.tie;
        let name = self.track.map_or(0, |name| u64::from(name.0));
        let rest = u64::from(u32::from_le_bytes([a, b, c, self.kind.code()])) << 16 | name;
        let place =
            self.key.time.micros().unsigned_abs() ^ u64::from(self.key.item).rotate_left(51);
        rank::mix(rank::mix(place) ^ rest)
    }

    fn write(&self, newer: Option<&Self>, out: &mut Scratch) {
        let EntryKey { time, tie, item, position } = self.key;
        let before = newer.map(|entry| entry.key);
        let same = before.is_some_and(|key| key.position == position && key.tie == tie);
        let delta = match before {
            Some(key) => key.time.micros().abs_diff(time.micros()),
            None => time.micros().unsigned_abs(),
        };
        let from = before.map_or_else(Position::default, |key| key.position);
        let millis = delta % 1_000 == 0;
        let moved = position.partition != from.partition;
        let flag = |set: bool, bit: u8| u8::from(set) << bit;
        out.push(
            self.kind.code()
                | flag(millis, 3)
                | flag(same, 4)
                | flag(item != 0, 5)
                | flag(moved, 6),
        );
        put_number(out, if millis { delta / 1_000 } else { delta });
        if moved {
            put_number(out, u64::from(position.partition));
        }
        if !same {
            let lower = from.offset.wrapping_sub(position.offset).cast_signed();
            put_number(out, zigzag(lower));
            out.extend_from_slice(&tie);
        }
        if item != 0 {
            put_number(out, u64::from(item));
        }
        if let Some(name) = self.track {
            out.extend_from_slice(&name.0.to_le_bytes());
        }
    }

    fn read(newer: Option<&Self>, reader: &mut Reader<'_>) -> Option<Self> {
        let flags = reader.byte()?;
        let flag = |bit: u8| flags >> bit & 1 == 1;
        let kind = EventType::from_code(flags & 7)?;
        let before = newer.map(|entry| entry.key);
        let mut delta = reader.number()?;
        if flag(3) {
            delta = delta.checked_mul(1_000)?;
        }
        let delta = i64::try_from(delta).ok()?;
        let micros = before.map_or(Some(delta), |key| key.time.micros().checked_sub(delta))?;
        let mut position = before.map_or_else(Position::default, |key| key.position);
        if flag(6) {
            position.partition = reader.small()?;
        }
        let tie = if flag(4) {
            before?.tie
        } else {
            let lower = unzigzag(reader.number()?).cast_unsigned();
            position.offset = position.offset.wrapping_sub(lower);
            reader.array()?
        };
        let item = if flag(5) { reader.small()? } else { 0 };
        let track = match kind {
            EventType::Track => Some(NameKey(u16::from_le_bytes(reader.array()?))),
            _ => None,
        };
        let key = EntryKey { time: Time::from_micros(micros), tie, item, position };
        Some(Self { key, kind, track })
    }
}

/// The entries of packed bytes that were checked, newest first.
pub(crate) fn entries(bytes: &[u8]) -> impl Iterator<Item = Entry> {
    let (mut reader, mut newer) = (Reader(bytes), None);
    std::iter::from_fn(move || {
        if reader.left() == 0 {
            return None;
        }
        newer = Entry::read(newer.as_ref(), &mut reader);
        newer
    })
}

/// Where packed entries change so that one more is among them.
pub(crate) struct Insertion {
    pub(crate) at: usize,
    pub(crate) removed: usize,
    pub(crate) bytes: Scratch,
}

/// Finds the place of an entry among packed ones. Most are the newest: one step.
pub(crate) fn insertion(packed: &[u8], entry: &Entry) -> Insertion {
    let mut reader = Reader(packed);
    let mut newer: Option<Entry> = None;
    let mut bytes = Scratch::new();
    loop {
        let at = packed.len() - reader.left();
        match Entry::read(newer.as_ref(), &mut reader) {
            Some(next) if next.key > entry.key => newer = Some(next),
            next => {
                entry.write(newer.as_ref(), &mut bytes);
                if let Some(next) = next {
                    next.write(Some(entry), &mut bytes);
                }
                return Insertion { at, removed: packed.len() - reader.left() - at, bytes };
            }
        }
    }
}

/// Whether bytes are so many entries, packed the one way there is.
pub(crate) fn check(bytes: &[u8], count: usize) -> bool {
    let mut again = Scratch::new();
    let (mut newer, mut found) = (None::<Entry>, 0);
    for entry in entries(bytes) {
        if newer.is_some_and(|newer| newer.key < entry.key) {
            return false;
        }
        entry.write(newer.as_ref(), &mut again);
        newer = Some(entry);
        found += 1;
    }
    found == count && again.as_slice() == bytes
}

/// The earliest and latest event time of a full chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkTimes {
    /// The earliest.
    pub min: Time,
    /// The latest.
    pub max: Time,
}

impl ChunkTimes {
    pub(crate) fn write(self, out: &mut Scratch) {
        put_time(out, self.min);
        put_number(out, self.max.micros().abs_diff(self.min.micros()));
    }

    /// The times of every full chunk, by number, from packed bytes.
    pub(crate) fn read_all(bytes: &[u8]) -> impl Iterator<Item = Self> {
        let mut reader = Reader(bytes);
        std::iter::from_fn(move || {
            let min = reader.time()?;
            let max = min.plus_micros(i64::try_from(reader.number()?).ok()?);
            Some(Self { min, max })
        })
    }
}

/// A full chunk of a timeline, to be stored under (anchor, number). Never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    number: u32,
    bytes: Box<[u8]>,
}

/// A stored chunk that is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a chunk of a timeline is damaged or from a newer version")]
pub struct ChunkError;

impl ChunkError {
    /// What can be done about it: nothing.
    pub fn class(self) -> selfsame_event::Class {
        selfsame_event::Class::Corrupt
    }
}

const VERSION: u8 = 1;

impl Chunk {
    pub(crate) fn new(number: u32, packed: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(packed.len() + 1);
        bytes.push(VERSION);
        bytes.extend_from_slice(packed);
        Self { number, bytes: bytes.into() }
    }

    /// Its number in its section, from 0.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What to store.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The chunk of that number, from what was stored.
    pub fn decode(number: u32, bytes: impl Into<Box<[u8]>>) -> Result<Self, ChunkError> {
        let bytes = bytes.into();
        match bytes.split_first() {
            Some((&VERSION, packed)) if check(packed, CHUNK_ENTRIES) => Ok(Self { number, bytes }),
            _ => Err(ChunkError),
        }
    }

    /// Its entries, newest first.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        entries(self.bytes.get(1..).unwrap_or_default())
    }

    /// Its earliest and latest event time.
    pub fn times(&self) -> ChunkTimes {
        let mut times = self.entries().map(|entry| entry.key.time);
        let max = times.next().unwrap_or_default();
        ChunkTimes { min: times.last().unwrap_or(max), max }
    }
}
