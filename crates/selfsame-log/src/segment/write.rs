//! Writing a sealed segment: compressed blocks of about 64 KiB and a directory at the end.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use selfsame_event::Time;

use super::Directory;
use crate::format::{BLOCK_HEADER_LEN, BlockHeader, Salt, SegmentHeader, Trailer};
use crate::fs::{File, Fs};

/// How many bytes of records a block holds before it is closed.
const BLOCK_RAW: usize = 64 << 10;
/// How many bytes are gathered for one write.
const WRITE: usize = 1 << 20;

/// Writes the blocks of a sealed segment in order.
#[derive(Debug)]
pub(crate) struct SealedWriter {
    file: Arc<dyn File>,
    header: SegmentHeader,
    directory: Directory,
    /// What is not yet written, and where it goes.
    out: Vec<u8>,
    written: u64,
    /// The frames of the block that is being filled.
    raw: Vec<u8>,
    count: u32,
    times: (Time, Time),
}

impl SealedWriter {
    pub(crate) fn new(file: Arc<dyn File>, header: SegmentHeader) -> Self {
        Self {
            file,
            directory: Directory::empty(header.first),
            out: header.encode(),
            written: 0,
            raw: Vec::with_capacity(BLOCK_RAW * 2),
            count: 0,
            times: (Time::EPOCH, Time::EPOCH),
            header,
        }
    }

    /// Adds the frame of the next record.
    pub(crate) fn frame(&mut self, frame: &[u8], time: Time) -> io::Result<()> {
        if self.count == 0 {
            self.times.0 = time;
        }
        self.times.1 = time;
        self.raw.extend_from_slice(frame);
        self.count += 1;
        if self.raw.len() >= BLOCK_RAW { self.close_block() } else { Ok(()) }
    }

    /// Adds a whole block as another segment stored it.
    pub(crate) fn block(&mut self, header: BlockHeader, stored: &Bytes) -> io::Result<()> {
        self.close_block()?;
        self.push(BlockHeader { payload_crc: self.header.salt.crc(stored), ..header }, stored)
    }

    fn close_block(&mut self) -> io::Result<()> {
        if self.count == 0 {
            return Ok(());
        }
        let raw = std::mem::take(&mut self.raw);
        let packed = lz4_flex::block::compress(&raw);
        let compressed = packed.len() < raw.len();
        let stored = if compressed { &packed } else { &raw };
        let header = BlockHeader {
            first: self.directory.end,
            first_time: self.times.0,
            last_time: self.times.1,
            count: self.count,
            raw_len: super::narrow(raw.len() as u64),
            stored_len: super::narrow(stored.len() as u64),
            compressed,
            payload_crc: self.header.salt.crc(stored),
        };
        self.push(header, stored)?;
        self.raw = raw;
        self.raw.clear();
        self.count = 0;
        Ok(())
    }

    fn push(&mut self, header: BlockHeader, stored: &[u8]) -> io::Result<()> {
        assert_eq!(header.first, self.directory.end, "a rewritten segment keeps every number");
        self.directory.push(self.header.first, &header);
        self.out.reserve(BLOCK_HEADER_LEN + stored.len());
        self.out.extend_from_slice(&header.encode(self.header.salt));
        self.out.extend_from_slice(stored);
        if self.out.len() >= WRITE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(&self.out, self.written)?;
        self.written += self.out.len() as u64;
        self.out.clear();
        // Synced as it goes, so that no commit waits for the whole segment to be written back.
        self.file.sync_data()
    }

    /// Writes the directory and makes the file durable.
    pub(crate) fn finish(mut self) -> io::Result<(Salt, Directory)> {
        self.close_block()?;
        let Self { directory, header, .. } = &self;
        let trailer = Trailer {
            block_count: super::narrow(directory.places.len() as u64),
            end: directory.end,
            directory: directory.size,
            last_time: directory.last_time.unwrap_or_default(),
        };
        self.out.extend_from_slice(&trailer.encode(&directory.places, header.salt));
        self.flush()?;
        Ok((self.header.salt, self.directory))
    }
}

/// Makes the file of an active segment: written aside with its space reserved, synced, renamed.
pub(crate) fn put_open(
    fs: &dyn Fs,
    folder: &Path,
    first: u64,
    bytes: &[u8],
    segment_bytes: u32,
) -> io::Result<Arc<dyn File>> {
    let temporary = folder.join(format!("{}.tmp", super::name(first)));
    let file = fs.create(&temporary)?;
    put_in_place(fs, folder, first, (&temporary, file), bytes, segment_bytes)
}

/// Makes a file that has another name yet, and of which nothing is needed any more, that of an
/// active segment. If that fails before it is in place, the file is removed.
pub(crate) fn put_in_place(
    fs: &dyn Fs,
    folder: &Path,
    first: u64,
    (temporary, file): (&Path, Arc<dyn File>),
    bytes: &[u8],
    segment_bytes: u32,
) -> io::Result<Arc<dyn File>> {
    let made = file
        .allocate(u64::from(segment_bytes).max(bytes.len() as u64))
        .and_then(|()| file.write_at(bytes, 0))
        .and_then(|()| file.sync_data());
    if let Err(error) = made {
        // Gives the space back; if this fails too, the next open removes the file.
        drop(fs.remove(temporary));
        return Err(error);
    }
    fs.rename(temporary, &folder.join(super::name(first)))?;
    // The file is in place now: not even a lack of room can be answered by going on without it.
    fs.sync_dir(folder).map_err(io::Error::other)?;
    Ok(file)
}
