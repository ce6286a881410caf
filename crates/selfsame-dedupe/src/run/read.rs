//! Reads a run from one end to the other, checking all of it.

use std::sync::Arc;

use super::{BLOCK, LINE, Run, entries_of};
use crate::bits::wide;
use crate::entry::{ENTRY_BYTES, Entry};
use crate::error::RunError;
use crate::filter::Filter;

/// So many blocks are read at once.
const BLOCKS: usize = 64;

/// A place in a run.
#[derive(Debug)]
pub(crate) struct Reader {
    run: Arc<Run>,
    buffer: Vec<u8>,
    /// The next block of the file, of the buffer, and the next entry of that.
    next: usize,
    block: usize,
    entry: usize,
}

impl Reader {
    pub(crate) fn new(run: Arc<Run>) -> Self {
        Self { run, buffer: Vec::new(), next: 0, block: 0, entry: 0 }
    }

    /// The next entry in order; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, RunError> {
        if self.block * BLOCK == self.buffer.len() {
            let left = (self.run.index.len() - self.next).min(BLOCKS);
            if left == 0 {
                return Ok(None);
            }
            self.buffer.resize(left * BLOCK, 0);
            self.run.read(&mut self.buffer, wide(BLOCK * (self.next + 1)))?;
            for block in self.buffer.chunks_exact(BLOCK) {
                entries_of(block).ok_or_else(|| self.run.damaged("block"))?;
            }
            self.next += left;
            self.block = 0;
        }
        let block = &self.buffer[self.block * BLOCK..][..BLOCK];
        let count = usize::from(u16::from_le_bytes([block[4], block[5]]));
        let (entries, _) = block[super::BLOCK_HEAD..].as_chunks::<ENTRY_BYTES>();
        let entry = Entry::unpack(&entries[self.entry], self.run.base);
        self.entry += 1;
        if self.entry == count {
            self.block += 1;
            self.entry = 0;
        }
        Ok(Some(entry))
    }
}

impl Run {
    /// Reads the filter into memory, checking it.
    pub(crate) fn filter(&self) -> Result<Filter, RunError> {
        let mut bytes = vec![0; self.lines * LINE];
        self.read(&mut bytes, self.filter_start())?;
        Filter::from_bytes(bytes).ok_or_else(|| self.damaged("filter"))
    }

    /// Bytes that the filter takes in memory.
    pub(crate) fn filter_bytes(&self) -> u64 {
        wide(self.lines * LINE)
    }
}
