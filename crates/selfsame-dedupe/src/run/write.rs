//! Writes a run, entry by entry.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::footer::Footer;
use super::{BLOCK, BLOCK_ENTRIES, BLOCK_HEAD, HEADER_MAGIC, Run, RunMeta, VERSION, file_name};
use crate::bits::wide;
use crate::entry::{Entry, Place};
use crate::error::RunError;
use crate::filter::{Filter, LINE};

/// So much is written at once.
const CHUNK: usize = 1 << 20;
/// After so much the file is synchronised, so that the disk is never given one large burst.
const PACE: usize = 8 << 20;

/// Writes a run under a temporary name; [`Writer::finish`] gives it its own.
#[derive(Debug)]
pub(crate) struct Writer {
    dir: PathBuf,
    path: PathBuf,
    file: File,
    base: u64,
    number: u64,
    index: Vec<u64>,
    filter: Filter,
    block: Vec<u8>,
    buffer: Vec<u8>,
    unsynced: usize,
    ids: u64,
    first: Place,
    last: Place,
}

impl Writer {
    /// Begins the run of this number, of at most `ids` entries, none before offset `base`.
    pub(crate) fn create(dir: &Path, number: u64, ids: u64, base: u64) -> Result<Self, RunError> {
        let path = dir.join(file_name(number)).with_extension("tmp");
        let file =
            File::create(&path).map_err(|source| RunError::Io { path: path.clone(), source })?;
        let mut buffer = Vec::with_capacity(CHUNK + BLOCK);
        buffer.extend_from_slice(HEADER_MAGIC);
        buffer.extend_from_slice(&VERSION.to_le_bytes());
        buffer.resize(BLOCK, 0);
        Ok(Self {
            dir: dir.to_owned(),
            path,
            file,
            base,
            number,
            index: Vec::new(),
            filter: Filter::new(ids),
            block: Vec::with_capacity(BLOCK),
            buffer,
            unsynced: 0,
            ids: 0,
            first: Place::END,
            last: Place::default(),
        })
    }

    /// Adds the next entry in the order of [`Entry::key`].
    pub(crate) fn push(&mut self, entry: &Entry) -> Result<(), RunError> {
        if self.block.is_empty() {
            self.block.resize(BLOCK_HEAD, 0);
            self.index.push(entry.id.high);
        }
        entry.pack(self.base, &mut self.block);
        self.filter.insert(entry.id);
        self.ids += 1;
        self.first = self.first.min(entry.place());
        self.last = self.last.max(entry.place());
        if self.block.len() + crate::entry::ENTRY_BYTES > BLOCK { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), RunError> {
        let entries = (self.block.len() - BLOCK_HEAD) / crate::entry::ENTRY_BYTES;
        debug_assert!(entries <= BLOCK_ENTRIES, "pushed one by one");
        let entries = u16::try_from(entries).expect("a block has at most 146 entries");
        self.block[4..6].copy_from_slice(&entries.to_le_bytes());
        self.block.resize(BLOCK, 0);
        let sum = crc32c::crc32c(&self.block[4..]);
        self.block[..4].copy_from_slice(&sum.to_le_bytes());
        self.buffer.append(&mut self.block);
        if self.buffer.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), RunError> {
        self.unsynced += self.buffer.len();
        let mut written = self.file.write_all(&self.buffer);
        if written.is_ok() && self.unsynced >= PACE {
            written = self.file.sync_data();
            self.unsynced = 0;
        }
        self.buffer.clear();
        written.map_err(|source| RunError::Io { path: self.path.clone(), source })
    }

    /// Ends the run, makes it durable, names it and opens it. No file remains without entries.
    pub(crate) fn finish(mut self) -> Result<Option<(Run, Filter)>, RunError> {
        if self.ids == 0 {
            self.io(fs::remove_file(&self.path))?;
            return Ok(None);
        }
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let start = self.buffer.len();
        for key in &self.index {
            self.buffer.extend_from_slice(&key.to_le_bytes());
        }
        let index_sum = crc32c::crc32c(&self.buffer[start..]);
        let blocks = wide(self.index.len());
        self.flush()?;
        let filter = self.filter.seal();
        let lines = wide(filter.len() / LINE);
        for chunk in filter.chunks(PACE) {
            let written = self.file.write_all(chunk).and_then(|()| self.file.sync_data());
            written.map_err(|source| RunError::Io { path: self.path.clone(), source })?;
        }
        let meta = RunMeta {
            number: self.number,
            ids: self.ids,
            bytes: 0,
            first: self.first,
            last: self.last,
        };
        let footer = Footer { meta, blocks, lines, base: self.base, index_sum };
        self.buffer.extend_from_slice(&footer.write());
        self.flush()?;
        self.io(self.file.sync_all())?;
        let name = self.dir.join(file_name(self.number));
        self.io(fs::rename(&self.path, &name))?;
        self.io(File::open(&self.dir).and_then(|dir| dir.sync_all()))?;
        let run = Run::open(&self.dir, self.number)?;
        assert_eq!(run.meta.ids, self.ids, "a run reads back as it was written");
        Ok(Some((run, self.filter)))
    }

    fn io<T>(&self, result: io::Result<T>) -> Result<T, RunError> {
        result.map_err(|source| RunError::Io { path: self.path.clone(), source })
    }
}
