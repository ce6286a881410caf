//! One segment file: its directory of blocks, reading a block, reading the file at open.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use selfsame_event::Time;

use crate::error::Damage;
use crate::format::{
    BLOCK_HEADER_LEN, BlockHeader, Misread, OFFSET_LIMIT, Place, SEGMENT_HEADER_LEN, Salt,
    SegmentHeader, TRAILER_LEN, Trailer,
};
use crate::frame;
use crate::fs::{File, Fs};

mod scan;
mod write;

pub(crate) use scan::{Scan, Tail, scan, write_again};
pub(crate) use write::{SealedWriter, put_in_place, put_open};

/// The name of the segment that begins at an offset.
pub(crate) fn name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// The offset that a segment's name says.
pub(crate) fn parse_name(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// Where the blocks of a segment are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) places: Vec<Place>,
    /// The offset behind the last record.
    pub(crate) end: u64,
    /// The position behind the last block.
    pub(crate) size: u64,
    /// The time of the last record, if there is one.
    pub(crate) last_time: Option<Time>,
}

impl Directory {
    pub(crate) fn empty(first: u64) -> Self {
        let size = SEGMENT_HEADER_LEN as u64;
        Self { places: Vec::new(), end: first, size, last_time: None }
    }

    /// Adds a block that was written behind the last one.
    pub(crate) fn push(&mut self, segment_first: u64, block: &BlockHeader) {
        self.places.push(Place {
            first: narrow(block.first - segment_first),
            position: narrow(self.size),
        });
        self.end = block.end();
        self.size += block.size();
        self.last_time = Some(block.last_time);
    }

    /// Whether the place behind the last block can still be said in a directory.
    fn has_room(&self, segment_first: u64) -> bool {
        [self.size, self.end - segment_first].into_iter().all(|value| u32::try_from(value).is_ok())
    }

    /// The block that holds a record, by its offset less the segment's first.
    pub(crate) fn find(&self, delta: u64) -> Option<usize> {
        self.places.partition_point(|place| u64::from(place.first) <= delta).checked_sub(1)
    }
}

/// A segment holds less than 4 GiB and 2^32 records: the appender rolls long before.
pub(crate) fn narrow(value: u64) -> u32 {
    u32::try_from(value).expect("a segment stays far below 4 GiB")
}

/// A segment as the running log knows it. Replaced by a new object when its file is rewritten.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Tells this object from others of the same offsets.
    pub(crate) serial: u64,
    pub(crate) first: u64,
    pub(crate) salt: Salt,
    pub(crate) sealed: bool,
    /// Open while the segment is not sealed; a sealed one is opened for each block read.
    pub(crate) file: Option<Arc<dyn File>>,
    /// Whether an older segment's blocks may lie behind the last one.
    pub(crate) stale: AtomicBool,
    pub(crate) directory: RwLock<Directory>,
}

/// A block was not read.
#[derive(Debug)]
pub(crate) enum BlockError {
    Io(io::Error),
    Damage(Damage),
}

impl From<io::Error> for BlockError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Segment {
    /// A segment that is appended to.
    pub(crate) fn open(
        serial: u64,
        header: &SegmentHeader,
        file: Arc<dyn File>,
        directory: Directory,
    ) -> Arc<Self> {
        let SegmentHeader { first, salt, reused, .. } = *header;
        let (stale, directory) = (AtomicBool::new(reused), RwLock::new(directory));
        Arc::new(Self { serial, first, salt, sealed: false, file: Some(file), stale, directory })
    }

    pub(crate) fn sealed(serial: u64, first: u64, salt: Salt, directory: Directory) -> Arc<Self> {
        let (stale, directory) = (AtomicBool::new(false), RwLock::new(directory));
        Arc::new(Self { serial, first, salt, sealed: true, file: None, stale, directory })
    }

    /// Cuts off what an older segment left behind the last block, durably. Whoever calls this sees
    /// to it that nothing is being appended. Returns whether there was anything.
    pub(crate) fn drop_stale(&self) -> io::Result<bool> {
        let Some(file) = self.file.as_ref().filter(|_| self.stale.load(Ordering::Acquire)) else {
            return Ok(false);
        };
        file.truncate(self.read_directory(|directory| directory.size))?;
        file.sync_data()?;
        self.stale.store(false, Ordering::Release);
        Ok(true)
    }

    pub(crate) fn end(&self) -> u64 {
        self.read_directory(|directory| directory.end)
    }

    pub(crate) fn read_directory<T>(&self, read: impl FnOnce(&Directory) -> T) -> T {
        read(&self.directory.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a block that was written behind the last one.
    pub(crate) fn push(&self, block: &BlockHeader) {
        let mut directory = self.directory.write().unwrap_or_else(PoisonError::into_inner);
        directory.push(self.first, block);
    }

    pub(crate) fn damage(&self, block: usize, what: &'static str) -> BlockError {
        BlockError::Damage(Damage { segment: self.first, block: block as u64, what })
    }

    fn file(&self, fs: &dyn Fs, folder: &Path) -> io::Result<Arc<dyn File>> {
        match &self.file {
            Some(file) => Ok(Arc::clone(file)),
            None => fs.open(&folder.join(name(self.first))),
        }
    }

    /// Reads a block as it is stored, and checks it.
    pub(crate) fn stored(
        &self,
        fs: &dyn Fs,
        folder: &Path,
        index: usize,
    ) -> Result<(BlockHeader, Bytes), BlockError> {
        let place = self.read_directory(|directory| {
            let place = *directory.places.get(index)?;
            let next = directory.places.get(index + 1);
            let end = next.map_or(directory.size, |next| next.position.into());
            let end_offset = next.map_or(directory.end, |next| self.first + u64::from(next.first));
            Some((place, end, end_offset))
        });
        let (place, end, end_offset) =
            place.ok_or_else(|| self.damage(index, "there is no such block"))?;
        let wrong = |what| self.damage(index, what);
        let len = end.checked_sub(place.position.into()).and_then(|len| usize::try_from(len).ok());
        let mut bytes = vec![0; len.ok_or_else(|| wrong("directory"))?];
        let file = self.file(fs, folder)?;
        if file.read_at(&mut bytes, place.position.into())? < bytes.len() {
            return Err(wrong("the file ends inside the block"));
        }
        let header = BlockHeader::decode(&bytes, self.salt).and_then(Result::ok);
        let header = header.ok_or_else(|| wrong("block header"))?;
        let payload = Bytes::from(bytes).split_off(BLOCK_HEADER_LEN);
        if header.first != self.first + u64::from(place.first)
            || header.end() != end_offset
            || u64::from(header.stored_len) != payload.len() as u64
        {
            return Err(wrong("block header does not fit the directory"));
        }
        if self.salt.crc(&payload) != header.payload_crc {
            return Err(wrong("checksum of the block"));
        }
        Ok((header, payload))
    }

    /// Reads the records' frames of a block: as many as its header says.
    pub(crate) fn payload(
        &self,
        fs: &dyn Fs,
        folder: &Path,
        index: usize,
    ) -> Result<(BlockHeader, Bytes), BlockError> {
        let (header, stored) = self.stored(fs, folder, index)?;
        let payload = inflate(&header, stored).ok_or_else(|| self.damage(index, "compression"))?;
        if !frame::are(payload.clone(), header.count) {
            return Err(self.damage(index, "records"));
        }
        Ok((header, payload))
    }
}

/// Undoes the compression of a payload.
pub(crate) fn inflate(header: &BlockHeader, stored: Bytes) -> Option<Bytes> {
    if !header.compressed {
        return Some(stored);
    }
    let raw_len = usize::try_from(header.raw_len).ok()?;
    let raw = lz4_flex::block::decompress(&stored, raw_len).ok()?;
    (raw.len() == raw_len).then(|| raw.into())
}

/// What the beginning (and, if sealed, the end) of a segment file says.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) header: SegmentHeader,
    pub(crate) file: Arc<dyn File>,
    /// The directory of a sealed segment; an active one must be scanned.
    pub(crate) directory: Option<Directory>,
}

/// Reads a segment's header, and its directory if it is sealed.
pub(crate) fn load(fs: &dyn Fs, path: &Path) -> io::Result<Result<Loaded, Misread>> {
    let file = fs.open(path)?;
    let mut bytes = [0; SEGMENT_HEADER_LEN];
    let len = file.read_at(&mut bytes, 0)?;
    let header = match SegmentHeader::decode(bytes.get(..len).unwrap_or_default()) {
        Ok(header) => header,
        Err(misread) => return Ok(Err(misread)),
    };
    if !header.sealed {
        return Ok(Ok(Loaded { header, file, directory: None }));
    }
    let directory = load_directory(&*file, &header)?;
    Ok(directory.map(|directory| Loaded { header, file, directory: Some(directory) }))
}

fn load_directory(
    file: &dyn File,
    header: &SegmentHeader,
) -> io::Result<Result<Directory, Misread>> {
    const BAD: Misread = Misread::Damaged("directory");
    let size = file.size()?;
    let Some(position) = size.checked_sub(TRAILER_LEN as u64) else { return Ok(Err(BAD)) };
    let mut bytes = vec![0; TRAILER_LEN];
    let len = file.read_at(&mut bytes, position)?;
    let trailer = match Trailer::peek(bytes.get(..len).unwrap_or_default(), header.salt) {
        Ok(trailer) if trailer.directory <= position => trailer,
        Ok(_) => return Ok(Err(BAD)),
        Err(misread) => return Ok(Err(misread)),
    };
    let len = usize::try_from(size - trailer.directory).unwrap_or(usize::MAX);
    let mut bytes = vec![0; len];
    if file.read_at(&mut bytes, trailer.directory)? < len {
        return Ok(Err(BAD));
    }
    let (trailer, places) = match Trailer::decode(&bytes, header.salt) {
        Ok(decoded) => decoded,
        Err(misread) => return Ok(Err(misread)),
    };
    let ordered = places.is_sorted_by(|a, b| a.first < b.first && a.position < b.position);
    let begin = places
        .first()
        .map_or((0, trailer.directory), |first| (first.first, u64::from(first.position)));
    let Some(count) = trailer.end.checked_sub(header.first) else { return Ok(Err(BAD)) };
    let ends = match places.last() {
        Some(last) => u64::from(last.first) < count && u64::from(last.position) < trailer.directory,
        None => count == 0,
    };
    let begins = begin == (0, SEGMENT_HEADER_LEN as u64);
    if !(ordered && begins && ends && trailer.end <= OFFSET_LIMIT) {
        return Ok(Err(BAD));
    }
    Ok(Ok(Directory {
        places,
        end: trailer.end,
        size: trailer.directory,
        last_time: Some(trailer.last_time),
    }))
}
