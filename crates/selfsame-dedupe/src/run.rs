//! A run: a file of ids in order. Written once, never changed.
//!
//! ```text
//! 0                header, 4096 bytes: "SSDEDUPR", version u32, zeros
//! 4096             blocks of 4096 bytes:
//!                    crc32c u32 of the rest | entries u16 | zeros u16 | 146 entries of 28 bytes
//!                    entry: id 16 (as bytes, ascending) | content u32 |
//!                           offset - base, 40 bits, and item number, 24 bits, as one u64
//! + 4096 * blocks  index: first 8 bytes of each block's first id, as a number
//! + 8 * blocks     filter: lines of 64 bytes, each with its crc32c
//! + 64 * lines     footer, 96 bytes:
//!                    number u64 | entries u64 | blocks u64 | lines u64 | base u64
//!                    first offset u64, item u32 | last offset u64, item u32
//!                    crc32c of index u32 | version u32 | zeros | "SSDEDUPE" | crc32c u32 of all that
//! ```
//!
//! Numbers are little endian, ids and the index compare as bytes do. An id may have more than one
//! entry; they are in the order of their places.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::bits::{length, wide};
use crate::entry::{ENTRY_BYTES, Entry, Id, Place, part};
use crate::error::RunError;
use crate::filter::{LINE, line_has, line_is_whole, line_of};

mod footer;
mod read;
mod write;

use footer::{FOOTER, Footer};
pub(crate) use read::Reader;
pub(crate) use write::Writer;

/// The version of the format that is written.
pub const VERSION: u32 = 1;

const BLOCK: usize = 4_096;
const BLOCK_HEAD: usize = 8;
const BLOCK_ENTRIES: usize = (BLOCK - BLOCK_HEAD) / ENTRY_BYTES;
const HEADER_MAGIC: &[u8; 8] = b"SSDEDUPR";

/// The name of a run's file.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:016x}.run")
}

/// The number in a run's file name.
pub(crate) fn number_in(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".run").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// What a manifest says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RunMeta {
    pub(crate) number: u64,
    pub(crate) ids: u64,
    pub(crate) bytes: u64,
    pub(crate) first: Place,
    pub(crate) last: Place,
}

/// An open run.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) meta: RunMeta,
    path: PathBuf,
    file: File,
    base: u64,
    index: Vec<u64>,
    lines: usize,
}

impl Run {
    /// Opens the file of a run and checks its frame. Blocks are checked when they are read.
    pub(crate) fn open(dir: &Path, number: u64) -> Result<Self, RunError> {
        let path = dir.join(file_name(number));
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) = opened.map_err(|source| RunError::Io { path: path.clone(), source })?;
        let mut run = Self {
            meta: RunMeta {
                number,
                ids: 0,
                bytes,
                first: Place::default(),
                last: Place::default(),
            },
            path,
            file,
            base: 0,
            index: Vec::new(),
            lines: 0,
        };
        let mut head = [0; 12];
        if bytes < wide(BLOCK + FOOTER) {
            return Err(run.damaged("too short"));
        }
        run.read(&mut head, 0)?;
        if head[..8] != *HEADER_MAGIC {
            return Err(run.damaged("header"));
        }
        let version = u32::from_le_bytes(part(&head, 8));
        if version > VERSION {
            return Err(RunError::Version { path: run.path, found: version });
        }
        let mut foot = [0; FOOTER];
        run.read(&mut foot, bytes - wide(FOOTER))?;
        let Some(footer) = Footer::read(&foot) else { return Err(run.damaged("footer")) };
        if version != VERSION || footer.meta.number != number || footer.size() != Some(bytes) {
            return Err(run.damaged("footer of another file"));
        }
        let mut index = vec![0; length(footer.blocks) * 8];
        run.read(&mut index, footer.index_start())?;
        if crc32c::crc32c(&index) != footer.index_sum {
            return Err(run.damaged("index"));
        }
        run.index = index.chunks_exact(8).map(|key| u64::from_le_bytes(part(key, 0))).collect();
        run.meta = RunMeta { bytes, ..footer.meta };
        run.base = footer.base;
        run.lines = length(footer.lines);
        Ok(run)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that the open run takes in memory, without its filter.
    pub(crate) fn memory(&self) -> u64 {
        wide(self.index.len()) * 8 + 256
    }

    /// Whether the filter, read from disk, says that the id may be here.
    pub(crate) fn may_have(&self, id: Id) -> Result<bool, RunError> {
        let mut line = [0; LINE];
        let at = self.filter_start() + wide(line_of(id, self.lines) * LINE);
        self.read(&mut line, at)?;
        if !line_is_whole(&line) {
            return Err(self.damaged("filter"));
        }
        Ok(line_has(&line, id))
    }

    /// The newest entry of the id at `from` or behind.
    pub(crate) fn find(&self, id: Id, from: Place) -> Result<Option<Entry>, RunError> {
        let mut at = self.index.partition_point(|first| *first < id.high).saturating_sub(1);
        let mut newest = None;
        let mut block = [0; BLOCK];
        while self.index.get(at).is_some_and(|first| *first <= id.high) {
            let entries = self.block(at, &mut block)?;
            let start = entries.partition_point(|packed| packed[..16] < id.bytes()[..]);
            for packed in &entries[start..] {
                let entry = Entry::unpack(packed, self.base);
                if entry.id != id {
                    return Ok(newest);
                }
                if entry.place() >= from {
                    newest = Some(entry);
                }
            }
            at += 1;
        }
        Ok(newest)
    }

    /// Reads a block and checks it.
    fn block<'b>(
        &self,
        number: usize,
        block: &'b mut [u8; BLOCK],
    ) -> Result<&'b [[u8; ENTRY_BYTES]], RunError> {
        self.read(block, wide(BLOCK * (number + 1)))?;
        entries_of(block).ok_or_else(|| self.damaged("block"))
    }

    fn filter_start(&self) -> u64 {
        wide(BLOCK * (self.index.len() + 1) + self.index.len() * 8)
    }

    fn read(&self, into: &mut [u8], at: u64) -> Result<(), RunError> {
        self.file
            .read_exact_at(into, at)
            .map_err(|source| RunError::Io { path: self.path.clone(), source })
    }

    pub(crate) fn damaged(&self, what: &'static str) -> RunError {
        RunError::Damaged { path: self.path.clone(), what }
    }
}

/// The entries of a block, if it is whole.
fn entries_of(block: &[u8]) -> Option<&[[u8; ENTRY_BYTES]]> {
    let count = usize::from(u16::from_le_bytes(part(block, 4)));
    let whole = crc32c::crc32c(&block[4..]) == u32::from_le_bytes(part(block, 0));
    if !whole || count == 0 || count > BLOCK_ENTRIES {
        return None;
    }
    let (entries, _) = block[BLOCK_HEAD..].as_chunks::<ENTRY_BYTES>();
    entries.get(..count)
}
