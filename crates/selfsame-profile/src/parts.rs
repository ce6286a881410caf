//! The parts of a section, side by side in one buffer.
//!
//! One allocation holds everything of a section, because there are millions of them and most are
//! small. The part that changes with every event, the open timeline, is last.

use selfsame_event::packed::{Reader, Scratch, put_number};

/// The parts, in the order in which they lie in the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Part {
    /// Traits and the stamps that set them: `traits`.
    Traits,
    /// The other ends of group calls: `links`.
    Links,
    /// The earliest and latest time of each full chunk of the timeline: `timeline`.
    Chunks,
    /// The stamp of the earliest event.
    First,
    /// The stamp of the latest event; empty where it is the earliest too.
    Last,
    /// What definitions keep of the events.
    Computed,
    /// The entries that are in no full chunk: `timeline`.
    Open,
}

const COUNT: usize = 7;

/// The parts' bytes, wherever they lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds<'a> {
    bytes: &'a [u8],
    ends: [u32; COUNT],
}

impl<'a> Bounds<'a> {
    /// Reads what [`Parts::write`] wrote, which is all that is left.
    pub(crate) fn read(mut reader: Reader<'a>) -> Option<Self> {
        let (mut ends, mut end) = ([0_u32; COUNT], 0_u32);
        for slot in &mut ends {
            end = end.checked_add(reader.small()?)?;
            *slot = end;
        }
        (reader.left() == end as usize).then_some(Self { bytes: reader.0, ends })
    }

    /// The bytes of a part.
    pub(crate) fn get(&self, part: Part) -> &'a [u8] {
        let start = (part as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start as usize..self.ends[part as usize] as usize).unwrap_or_default()
    }
}

/// The parts' bytes. Invariant: `ends` never falls, and its last is the length of the buffer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parts {
    buffer: Vec<u8>,
    ends: [u32; COUNT],
}

impl Parts {
    fn start(&self, part: Part) -> usize {
        match (part as usize).checked_sub(1) {
            Some(before) => self.ends[before] as usize,
            None => 0,
        }
    }

    /// The bytes of a part.
    pub(crate) fn get(&self, part: Part) -> &[u8] {
        self.buffer.get(self.start(part)..self.ends[part as usize] as usize).unwrap_or_default()
    }

    /// How many bytes of memory they take.
    pub(crate) fn memory(&self) -> usize {
        self.buffer.capacity()
    }

    /// Puts other bytes in the place of a part.
    pub(crate) fn set(&mut self, part: Part, bytes: &[u8]) {
        let length = self.get(part).len();
        self.splice(part, 0, length, bytes);
    }

    /// Puts `bytes` in the place of the `removed` bytes that start at `at` of a part.
    pub(crate) fn splice(&mut self, part: Part, at: usize, removed: usize, bytes: &[u8]) {
        let from = self.start(part) + at;
        let (old_end, new_end) = (from + removed, from + bytes.len());
        if old_end == new_end {
            self.buffer[from..new_end].copy_from_slice(bytes);
            return;
        }
        let old_length = self.buffer.len();
        let new_length = old_length - removed + bytes.len();
        assert!(u32::try_from(new_length).is_ok(), "a section is far smaller than 4 GiB");
        if new_length > old_length {
            self.buffer.resize(new_length, 0);
        }
        self.buffer.copy_within(old_end..old_length, new_end);
        self.buffer[from..new_end].copy_from_slice(bytes);
        self.buffer.truncate(new_length);
        for end in &mut self.ends[part as usize..] {
            let moved = *end as usize - removed + bytes.len();
            *end = u32::try_from(moved).expect("no end is behind the length, which was checked");
        }
    }

    /// The length of each part, then the bytes of all.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        self.write_with(self.get(Part::Computed), out);
    }

    /// The same with that as what definitions keep.
    pub(crate) fn write_with(&self, computed: &[u8], out: &mut Vec<u8>) {
        let mut lengths = Scratch::new();
        let mut start = 0;
        for (place, end) in self.ends.into_iter().enumerate() {
            let own = u64::from(end - start);
            let is_computed = place == Part::Computed as usize;
            put_number(&mut lengths, if is_computed { computed.len() as u64 } else { own });
            start = end;
        }
        let (before, behind) = (self.start(Part::Computed), self.start(Part::Open));
        out.reserve(lengths.len() + self.buffer.len() + computed.len());
        out.extend_from_slice(&lengths);
        out.extend_from_slice(&self.buffer[..before]);
        out.extend_from_slice(computed);
        out.extend_from_slice(&self.buffer[behind..]);
    }

    /// Reads what [`Self::write`] wrote, which is all that is left. Of what is no such thing, nothing
    /// is read.
    pub(crate) fn restore(&mut self, reader: Reader<'_>) -> Option<()> {
        let Bounds { bytes, ends } = Bounds::read(reader)?;
        self.buffer.clear();
        self.buffer.extend_from_slice(bytes);
        self.ends = ends;
        Some(())
    }

    /// The same without what definitions keep, which is answered: it may be long, and is not copied.
    pub(crate) fn restore_apart<'a>(&mut self, reader: Reader<'a>) -> Option<&'a [u8]> {
        let bounds = Bounds::read(reader)?;
        let computed = bounds.get(Part::Computed);
        let Bounds { bytes, mut ends } = bounds;
        let start = ends[Part::Computed as usize - 1];
        let (before, behind) = bytes.split_at_checked(start as usize)?;
        self.buffer.clear();
        self.buffer.extend_from_slice(before);
        self.buffer.extend_from_slice(behind.get(computed.len()..)?);
        let length = ends[Part::Computed as usize] - start;
        ends[Part::Computed as usize..].iter_mut().for_each(|end| *end -= length);
        self.ends = ends;
        Some(computed)
    }
}

#[cfg(test)]
mod tests;
