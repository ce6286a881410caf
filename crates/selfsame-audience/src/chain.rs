//! Entries by time, as bytes: the newest first, so that one is added at the front and the newest are read
//! without any of the others being looked at.
//!
//! Entries lie in blocks, so that the oldest ones leave without the others being read. Where a block begins is
//! a function of the times alone: the same entries are always the same bytes, whatever came first.
//!
//! ```text
//! number of entries | where there is one: time of the newest | how long before it the oldest was | blocks
//! for each block, the newest first:
//!     number of entries | bytes | from the second block on: time of its newest
//!     for each entry, the newest first: the entry | where another one follows: how long before it that was
//! ```

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_time};
use smallvec::SmallVec;

use crate::datum::{put_length, read_length};
use crate::moment::put_after;

/// Entries as they lie in a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain<'a> {
    /// How many they are.
    pub(crate) number: usize,
    /// When the newest was; of none, any time.
    pub(crate) newest: Time,
    /// When the oldest was.
    pub(crate) oldest: Time,
    blocks: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
struct Block<'a> {
    number: usize,
    newest: Time,
    entries: &'a [u8],
}

/// Reads entries, the newest first.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'a> {
    /// What is left of the block at hand.
    entries: Reader<'a>,
    left: usize,
    /// When the entry before was, where there is one in this block.
    before: Option<Time>,
    newest: Time,
    blocks: Reader<'a>,
}

/// Whether a block begins with an entry of that time, which is then the oldest in it: one in 32 does.
fn is_border(time: Time) -> bool {
    time.micros().cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59 == 0
}

fn read_before(reader: &mut Reader<'_>, newer: Time) -> Option<Time> {
    let distance = reader.time()?.micros();
    newer.micros().checked_sub(distance).map(Time::from_micros)
}

impl<'a> Block<'a> {
    /// The next block. Of the first one, the chain says of when its newest is.
    fn read(blocks: &mut Reader<'a>, first: Option<Time>) -> Option<Self> {
        let number = read_length(blocks)?;
        let length = usize::try_from(blocks.number()?).ok()?;
        let newest = match first {
            Some(newest) => newest,
            None => blocks.time()?,
        };
        Some(Self { number, newest, entries: blocks.slice(length)? })
    }

    /// Writes a block, the first of its chain or another one.
    fn put(self, out: &mut impl Sink, is_first: bool) {
        put_length(out, self.number);
        put_length(out, self.entries.len());
        if !is_first {
            put_time(out, self.newest);
        }
        out.put(self.entries);
    }
}

impl<'a> Chain<'a> {
    /// Reads what was written, which is all that is left.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let number = read_length(reader)?;
        if number == 0 {
            let (newest, oldest) = (Time::EPOCH, Time::EPOCH);
            return (reader.left() == 0).then_some(Self { number, newest, oldest, blocks: &[] });
        }
        let newest = reader.time()?;
        let oldest = read_before(reader, newest)?;
        let blocks = reader.slice(reader.left())?;
        Some(Self { number, newest, oldest, blocks })
    }

    fn put_head(out: &mut impl Sink, number: usize, newest: Time, oldest: Time) {
        put_length(out, number);
        put_time(out, newest);
        put_after(out, newest, oldest);
    }

    /// Writes entries, of which the oldest is the first.
    pub(crate) fn put_all<T>(
        out: &mut impl Sink,
        oldest_first: &[T],
        time: impl Fn(&T) -> Time,
        put: impl Fn(&T, &mut Vec<u8>),
    ) {
        let (Some(oldest), Some(newest)) = (oldest_first.first(), oldest_first.last()) else {
            return put_length(out, 0);
        };
        Self::put_head(out, oldest_first.len(), time(newest), time(oldest));
        let (mut rest, mut is_first, mut entries) = (oldest_first, true, Vec::new());
        while let Some(newest) = rest.last() {
            let begins = rest.iter().rposition(|entry| is_border(time(entry))).unwrap_or(0);
            let (older, block) = rest.split_at_checked(begins).unwrap_or_default();
            entries.clear();
            let mut newer = None;
            for entry in block.iter().rev() {
                if let Some(newer) = newer {
                    put_after(&mut entries, newer, time(entry));
                }
                put(entry, &mut entries);
                newer = Some(time(entry));
            }
            let block = Block { number: block.len(), newest: time(newest), entries: &entries };
            block.put(out, is_first);
            (rest, is_first) = (older, false);
        }
    }

    /// Writes the chain with one more entry, which is no older than its newest.
    pub(crate) fn put_with(&self, out: &mut impl Sink, time: Time, entry: &[u8]) {
        let oldest = if self.number == 0 { time } else { self.oldest };
        Self::put_head(out, self.number + 1, time, oldest);
        let mut rest = Reader(self.blocks);
        let Some(first) = Block::read(&mut rest, Some(self.newest)) else {
            return Block { number: 1, newest: time, entries: entry }.put(out, true);
        };
        if is_border(time) {
            Block { number: 1, newest: time, entries: entry }.put(out, true);
            first.put(out, false);
        } else {
            let mut distance: SmallVec<[u8; 16]> = SmallVec::new();
            put_after(&mut distance, time, first.newest);
            put_length(out, first.number + 1);
            put_length(out, entry.len() + distance.len() + first.entries.len());
            out.put(entry);
            out.put(&distance);
            out.put(first.entries);
        }
        out.put(rest.0);
    }

    /// The chain without its oldest entries, as far as `goes` says so: it is asked of the oldest first, until
    /// it says no. `blocks` holds the bytes. Nothing where these are damaged.
    pub(crate) fn without<'b, T>(
        &self,
        blocks: &'b mut Vec<u8>,
        read: impl Fn(Time, &mut Reader<'a>) -> Option<T>,
        mut goes: impl FnMut(Time, T) -> bool,
    ) -> Option<Chain<'b>> {
        let (mut rest, mut starts) = (Reader(self.blocks), SmallVec::<[_; 32]>::new());
        while rest.left() > 0 {
            let start = self.blocks.len() - rest.left();
            let block = Block::read(&mut rest, starts.is_empty().then_some(self.newest))?;
            starts.push((start, block));
        }
        blocks.clear();
        let mut number = self.number;
        while let Some((start, block)) = starts.pop() {
            // Each with where it ends.
            let mut entries: SmallVec<[_; 32]> = SmallVec::new();
            let (mut reader, mut time) = (Reader(block.entries), block.newest);
            for place in 0..block.number {
                if place > 0 {
                    time = read_before(&mut reader, time)?;
                }
                let entry = read(time, &mut reader)?;
                entries.push((time, entry, block.entries.len() - reader.left()));
            }
            while let Some((time, entry, end)) = entries.pop() {
                if goes(time, entry) {
                    number = number.checked_sub(1)?;
                    continue;
                }
                let kept = entries.len() + 1;
                let kept = Block { number: kept, entries: block.entries.get(..end)?, ..block };
                blocks.extend_from_slice(self.blocks.get(..start)?);
                kept.put(blocks, start == 0);
                return Some(Chain { number, newest: self.newest, oldest: time, blocks });
            }
        }
        let (newest, oldest) = (Time::EPOCH, Time::EPOCH);
        Some(Chain { number: 0, newest, oldest, blocks })
    }

    /// Its entries, the newest first.
    pub(crate) fn walk(&self) -> Walk<'a> {
        let (entries, blocks) = (Reader(&[]), Reader(self.blocks));
        Walk { entries, left: 0, before: None, newest: self.newest, blocks }.with_first()
    }
}

impl<'a> Walk<'a> {
    fn with_first(mut self) -> Self {
        if let Some(first) = Block::read(&mut self.blocks, Some(self.newest)) {
            self.begin(first);
        }
        self
    }

    fn begin(&mut self, block: Block<'a>) {
        (self.entries, self.left) = (Reader(block.entries), block.number);
        (self.before, self.newest) = (None, block.newest);
    }

    /// The next entry, older than those before. Nothing behind the oldest, and where the bytes are damaged.
    pub(crate) fn next<T>(
        &mut self,
        read: impl FnOnce(Time, &mut Reader<'a>) -> Option<T>,
    ) -> Option<T> {
        if self.left == 0 {
            let block = Block::read(&mut self.blocks, None)?;
            self.begin(block);
        }
        self.left = self.left.checked_sub(1)?;
        let time = match self.before {
            Some(before) => read_before(&mut self.entries, before)?,
            None => self.newest,
        };
        self.before = Some(time);
        read(time, &mut self.entries)
    }
}

#[cfg(test)]
mod tests;
