//! Ids that are in no run yet, whole, in the order of the log, with an index by id.
//!
//! Entries lie in blocks that never move, the index is 256 tables that grow one at a time: adding
//! an id never copies more than one small table.

use crate::bits::{length, low32, scale, wide};
use crate::entry::{Entry, Id, Place};

const SHARDS: usize = 256;
const BLOCK: usize = 4_096;

/// Table and tag of an id; other bits than the tags use.
fn shard(id: Id) -> usize {
    length(id.low >> 56)
}

fn tag(id: Id) -> u32 {
    low32(id.low >> 24)
}

/// Slots of (tag, number of the entry + 1); 0 is free. Equal ids have a slot each.
#[derive(Debug, Default)]
struct Shard {
    slots: Vec<u64>,
    used: usize,
}

impl Shard {
    fn insert(&mut self, tag: u32, number: u32) {
        if (self.used + 1) * 4 > self.slots.len() * 3 {
            let larger = (self.slots.len() * 2).max(32);
            let old = std::mem::replace(&mut self.slots, vec![0; larger]);
            for slot in old.into_iter().filter(|slot| *slot != 0) {
                self.place(slot);
            }
        }
        self.place((u64::from(tag) << 32) | u64::from(number + 1));
        self.used += 1;
    }

    fn place(&mut self, slot: u64) {
        let mut at = scale(low32(slot >> 32), self.slots.len());
        while self.slots[at] != 0 {
            at = (at + 1) % self.slots.len();
        }
        self.slots[at] = slot;
    }
}

/// Ids that are in no run yet.
#[derive(Debug)]
pub(crate) struct Fresh {
    blocks: Vec<Vec<Entry>>,
    index: Vec<Shard>,
    count: u32,
    bytes: usize,
    last: Place,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        Self {
            blocks: Vec::new(),
            index: std::iter::repeat_with(Shard::default).take(SHARDS).collect(),
            count: 0,
            bytes: 0,
            last: Place::default(),
        }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        if self.blocks.last().is_none_or(|block| block.len() == BLOCK) {
            self.blocks.push(Vec::with_capacity(BLOCK));
            self.bytes += BLOCK * size_of::<Entry>();
        }
        self.blocks.last_mut().expect("just made").push(entry);
        let shard = &mut self.index[shard(entry.id)];
        let before = shard.slots.len();
        shard.insert(tag(entry.id), self.count);
        self.bytes += (shard.slots.len() - before) * 8;
        self.count += 1;
        self.last = entry.place();
    }

    /// The newest entry of the id at `from` or behind.
    pub(crate) fn find(&self, id: Id, from: Place) -> Option<Entry> {
        let slots = &self.index[shard(id)].slots;
        if slots.is_empty() {
            return None;
        }
        let tag = tag(id);
        let mut newest: Option<Entry> = None;
        let mut at = scale(tag, slots.len());
        while slots[at] != 0 {
            if low32(slots[at] >> 32) == tag {
                let entry = self.entry(low32(slots[at]) - 1);
                let newer = newest.is_none_or(|other| entry.place() > other.place());
                if entry.id == id && entry.place() >= from && newer {
                    newest = Some(entry);
                }
            }
            at = (at + 1) % slots.len();
        }
        newest
    }

    fn entry(&self, number: u32) -> Entry {
        let number = length(u64::from(number));
        self.blocks[number / BLOCK][number % BLOCK]
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.blocks.iter().flatten()
    }

    pub(crate) fn count(&self) -> u64 {
        u64::from(self.count)
    }

    /// Whether one more entry has room in the index and within reach of the first.
    pub(crate) fn first(&self) -> Option<Place> {
        self.blocks.first().and_then(|block| block.first()).map(Entry::place)
    }

    /// The place of the newest entry.
    pub(crate) fn last(&self) -> Place {
        self.last
    }

    pub(crate) fn bytes(&self) -> u64 {
        wide(self.bytes)
    }

    /// The parts, to be freed little by little.
    pub(crate) fn into_parts(self) -> (Vec<Vec<Entry>>, Vec<Vec<u64>>) {
        (self.blocks, self.index.into_iter().map(|shard| shard.slots).collect())
    }
}
