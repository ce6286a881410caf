//! Tags: 32 bits of each of the newest ids, to answer "certainly not" in two cache misses.
//!
//! A generation is 256 tables, chosen by the first byte of the id, that grow one at a time, so no
//! admit waits for more than one small table (200 KB at 10 million ids). The tag is the next four
//! bytes and also says where in the table it lies. A new id meets an equal tag about once in
//! 50,000; the answer is then looked up. Which run holds an id is not kept beside its tag: that
//! would cost half as much memory again, and fresh ids and filters find it in about two microseconds.

use crate::bits::{length, low32, scale};
use crate::entry::Id;

const SHARDS: usize = 256;

#[cfg(test)]
mod tests;

fn tag(id: Id) -> u32 {
    low32(id.high >> 24).max(1)
}

fn shard(id: Id) -> usize {
    length(id.high >> 56)
}

#[derive(Debug, Default)]
struct Shard {
    /// 0 is free.
    slots: Vec<u32>,
    used: usize,
}

impl Shard {
    /// The slot that has the tag, or the free one where it belongs.
    fn slot(&self, tag: u32) -> usize {
        let mut at = scale(tag, self.slots.len());
        loop {
            let found = self.slots[at];
            if found == tag || found == 0 {
                return at;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    fn contains(&self, tag: u32) -> bool {
        !self.slots.is_empty() && self.slots[self.slot(tag)] == tag
    }

    fn insert(&mut self, tag: u32, full: usize) {
        if (self.used + 1) * 20 > self.slots.len() * 17 {
            self.grow(full);
        }
        let at = self.slot(tag);
        if self.slots[at] == 0 {
            self.slots[at] = tag;
            self.used += 1;
        }
    }

    /// Grows by half, but not past the size of a full generation while that is enough.
    fn grow(&mut self, full: usize) {
        let len = self.slots.len();
        let larger = if len < full { (len * 3 / 2).clamp(64, full.max(64)) } else { len * 5 / 4 };
        let old = std::mem::replace(&mut self.slots, vec![0; larger]);
        for tag in old.into_iter().filter(|tag| *tag != 0) {
            let at = self.slot(tag);
            self.slots[at] = tag;
        }
    }
}

/// One generation.
#[derive(Debug)]
struct Generation {
    shards: Vec<Shard>,
}

impl Generation {
    fn new() -> Self {
        Self { shards: std::iter::repeat_with(Shard::default).take(SHARDS).collect() }
    }

    fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots.capacity() * 4).sum()
    }
}

/// The tags of the current generation and the one before.
#[derive(Debug)]
pub(crate) struct Tags {
    current: Generation,
    older: Generation,
    /// Slots of a table when its generation is full.
    full: usize,
}

impl Tags {
    pub(crate) fn new(generation_ids: u64) -> Self {
        Self {
            current: Generation::new(),
            older: Generation::new(),
            full: length(generation_ids * 5 / 4) / SHARDS + 64,
        }
    }

    /// Makes room for so many ids at once. Runs bring ids in order, and a table that grows while it
    /// is filled in order is filled from one end: every insert would walk over all before it.
    pub(crate) fn reserve(&mut self, older: u64, current: u64) {
        for (generation, ids) in [(&mut self.older, older), (&mut self.current, current)] {
            let slots = length(ids * 5 / 4) / SHARDS + 64;
            for shard in generation.shards.iter_mut().filter(|shard| shard.slots.is_empty()) {
                shard.slots = vec![0; slots];
            }
        }
    }

    /// Whether an id of either generation has this id's tag.
    pub(crate) fn contains(&self, id: Id) -> bool {
        let (shard, tag) = (shard(id), tag(id));
        self.current.shards[shard].contains(tag) || self.older.shards[shard].contains(tag)
    }

    /// Notes an id of the current generation.
    pub(crate) fn insert(&mut self, id: Id) {
        self.current.shards[shard(id)].insert(tag(id), self.full);
    }

    /// Notes an id of the generation before, when tags are rebuilt.
    pub(crate) fn insert_older(&mut self, id: Id) {
        self.older.shards[shard(id)].insert(tag(id), self.full);
    }

    /// Begins a generation. The tables of the oldest come back, to be freed little by little.
    pub(crate) fn rotate(&mut self) -> Vec<Vec<u32>> {
        let newest = Generation::new();
        let oldest =
            std::mem::replace(&mut self.older, std::mem::replace(&mut self.current, newest));
        oldest.shards.into_iter().map(|shard| shard.slots).collect()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.current.bytes() + self.older.bytes()
    }
}
