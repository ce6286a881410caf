//! The segments of one log in order: reading them, and publishing what was appended.
//!
//! **Invariants:** segments follow each other without a gap; only the last one grows; a segment that
//! is rewritten is replaced by a new object of the same offsets, so a reader that fails on an old
//! object's file looks again.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use selfsame_event::{Position, Time};

use crate::config::{LogConfig, LogStats};
use crate::error::ReadError;
use crate::format::{BlockHeader, Salt};
use crate::frame::{self, FrameError};
use crate::fs::{Fs, Lock};
use crate::manifest::Manifest;
use crate::progress::Progress;
use crate::record::Record;
use crate::segment::{BlockError, Segment};
use crate::tail::{BlockCache, Tail};

mod keep;
mod spares;

use spares::Spares;

/// The segments of a log, shared by its writer, its readers and its sealer.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) folder: PathBuf,
    pub(crate) partition: u32,
    pub(crate) progress: Progress,
    pub(crate) counters: Counters,
    segments: RwLock<Vec<Arc<Segment>>>,
    tail: Mutex<Tail>,
    cache: Mutex<BlockCache>,
    /// Held while files are rewritten or removed: one such work at a time.
    maintenance: Mutex<()>,
    manifest: Mutex<Manifest>,
    spares: Mutex<Spares>,
    salts: Salts,
    _lock: Box<dyn Lock>,
}

/// What [`LogStats`] counts.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) last_sync_micros: AtomicU64,
    pub(crate) groups: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) seal_failures: AtomicU64,
}

/// Draws the salts of segments from the random bytes given at open.
#[derive(Debug)]
pub(crate) struct Salts {
    random: [u8; 16],
    drawn: AtomicU64,
}

impl Salts {
    pub(crate) fn new(random: [u8; 16]) -> Self {
        Self { random, drawn: AtomicU64::new(0) }
    }

    /// A salt for a segment, and a number that no other segment object has.
    pub(crate) fn draw(&self, first: u64) -> (Salt, u64) {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let serial = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut salt = [0; 16];
        for (half, lane) in salt.chunks_mut(8).zip(0_u8..) {
            let mut hasher = DefaultHasher::new();
            (self.random, first, serial, lane).hash(&mut hasher);
            // Never a zero byte, so that a tag never looks like the zeros behind the last block.
            half.copy_from_slice(&(hasher.finish() | 0x0101_0101_0101_0101).to_le_bytes());
        }
        (Salt(salt), serial)
    }
}

/// What recovery found, from which a chain is made.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) manifest: Manifest,
    pub(crate) salts: Salts,
    pub(crate) lock: Box<dyn Lock>,
}

impl Chain {
    pub(crate) fn new(fs: Arc<dyn Fs>, config: &LogConfig, parts: Parts) -> Self {
        let end = parts.segments.last().map_or(0, |segment| segment.end());
        Self {
            fs,
            folder: config.folder.clone(),
            partition: config.partition,
            progress: Progress::new(end),
            counters: Counters::default(),
            segments: RwLock::new(parts.segments),
            tail: Mutex::new(Tail::new(config.tail_bytes)),
            cache: Mutex::new(BlockCache::new(config.cache_bytes)),
            maintenance: Mutex::new(()),
            manifest: Mutex::new(parts.manifest),
            spares: Mutex::default(),
            salts: parts.salts,
            _lock: parts.lock,
        }
    }

    fn segments(&self) -> RwLockReadGuard<'_, Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, BlockCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn position(&self, offset: u64) -> Position {
        Position { partition: self.partition, offset }
    }

    pub(crate) fn first(&self) -> u64 {
        self.segments().first().map_or(0, |segment| segment.first)
    }

    /// The segment that is appended to.
    pub(crate) fn active(&self) -> Arc<Segment> {
        Arc::clone(self.segments().last().expect("a chain is made with a segment and keeps one"))
    }

    /// The time of the last record.
    pub(crate) fn last_time(&self) -> Option<Time> {
        let segments = self.segments();
        segments.iter().rev().find_map(|segment| segment.read_directory(|d| d.last_time))
    }

    /// Shows a group that was written as the next block of the active segment.
    pub(crate) fn publish(&self, segment: &Segment, block: &BlockHeader, group: Arc<[Record]>) {
        self.counters.groups.fetch_add(1, Ordering::Relaxed);
        self.counters.records.fetch_add(block.count.into(), Ordering::Relaxed);
        segment.push(block);
        self.tail().push(block.raw_len as usize, group);
        self.progress.set(block.end());
    }

    /// Replaces the facts of the manifest, durably.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Manifest)) -> io::Result<()> {
        let mut manifest = self.manifest.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = *manifest;
        change(&mut changed);
        if changed != *manifest {
            changed.store(&*self.fs, &self.folder)?;
            *manifest = changed;
        }
        Ok(())
    }

    pub(crate) fn draw(&self, first: u64) -> (Salt, u64) {
        self.salts.draw(first)
    }

    /// Adds a new active segment.
    pub(crate) fn push(&self, segment: Arc<Segment>) {
        self.segments.write().unwrap_or_else(PoisonError::into_inner).push(segment);
    }

    fn find(&self, offset: u64) -> Option<Arc<Segment>> {
        let segments = self.segments();
        let behind = segments.partition_point(|segment| segment.first <= offset);
        segments.get(behind.checked_sub(1)?).map(Arc::clone)
    }

    /// The frames from a record on to the end of its block.
    fn frames(&self, offset: u64) -> Result<(Bytes, u64), ReadError> {
        let mut tried = None;
        loop {
            let Some(segment) = self.find(offset) else {
                let first = self.position(self.first());
                return Err(ReadError::Trimmed { position: self.position(offset), first });
            };
            // The same object again: the error was no race with one who replaced it.
            let replaced = tried.as_ref().is_none_or(|(serial, _)| *serial != segment.serial);
            if let Some((_, error)) = tried.take_if(|_| !replaced) {
                // It may have been cut off since it was asked for.
                let end = self.position(self.progress.end());
                let position = self.position(offset);
                return Err(match position < end {
                    true => self.read_error(&segment, error),
                    false => ReadError::Beyond { position, end },
                });
            }
            match self.frames_in(&segment, offset) {
                Ok(frames) => return Ok(frames),
                Err(error) => tried = Some((segment.serial, error)),
            }
        }
    }

    fn read_error(&self, segment: &Segment, error: BlockError) -> ReadError {
        match error {
            BlockError::Damage(damage) => ReadError::Corrupt(damage),
            BlockError::Io(source) => ReadError::Io { segment: segment.first, source },
        }
    }

    fn frames_in(&self, segment: &Segment, offset: u64) -> Result<(Bytes, u64), BlockError> {
        let found = segment.read_directory(|directory| {
            let index = directory.find(offset - segment.first)?;
            let first = directory.places.get(index)?.first;
            Some((index, segment.first + u64::from(first)))
        });
        let (index, first) = found.ok_or_else(|| segment.damage(0, "no block has the record"))?;
        let cached = self.cache().get((segment.serial, index));
        let mut payload = match cached {
            Some(payload) => payload,
            None => {
                let (_, payload) = segment.payload(&*self.fs, &self.folder, index)?;
                if segment.sealed {
                    self.cache().put((segment.serial, index), payload.clone());
                }
                payload
            }
        };
        for _ in first..offset {
            frame::take(&mut payload).map_err(|FrameError| segment.damage(index, "record"))?;
        }
        Ok((payload, index as u64))
    }

    /// Checks a position that someone wants to read; `Ok(None)` if it is the end.
    fn check(&self, position: Position) -> Result<Option<u64>, ReadError> {
        if position.partition != self.partition {
            return Err(ReadError::Partition(position.partition));
        }
        let end = self.progress.end();
        if position.offset > end {
            return Err(ReadError::Beyond { position, end: self.position(end) });
        }
        let first = self.position(self.first());
        if position < first {
            return Err(ReadError::Trimmed { position, first });
        }
        Ok((position.offset < end).then_some(end))
    }

    pub(crate) fn read(&self, from: Position, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let mut records = Vec::new();
        let Some(end) = self.check(from)? else { return Ok(records) };
        let mut room = max_bytes;
        let mut offset = from.offset;
        while offset < end {
            let in_memory = self.tail().find(offset);
            let before = records.len();
            let full = if let Some((group, index)) = in_memory {
                take_fitting(group.iter().skip(index).cloned().map(Ok), &mut room, &mut records)?
            } else {
                // A segment removed meanwhile ends the answer, if there is one already.
                let (payload, block) = match self.frames(offset) {
                    Ok(frames) => frames,
                    Err(ReadError::Trimmed { .. }) if !records.is_empty() => break,
                    Err(error) => return Err(error),
                };
                let decoded = self.decode(payload, offset, block);
                take_fitting(decoded, &mut room, &mut records)?
            };
            let taken = records.len() - before;
            offset += taken as u64;
            if full || taken == 0 {
                break;
            }
        }
        Ok(records)
    }

    fn decode(
        &self,
        mut payload: Bytes,
        offset: u64,
        block: u64,
    ) -> impl Iterator<Item = Result<Record, ReadError>> {
        let mut next = offset;
        std::iter::from_fn(move || {
            if payload.is_empty() {
                return None;
            }
            let position = self.position(next);
            next += 1;
            let decoded = frame::take(&mut payload).and_then(|f| frame::decode(f, position));
            Some(decoded.map_err(|FrameError| self.bad_record(position.offset, block)))
        })
    }

    fn bad_record(&self, offset: u64, block: u64) -> ReadError {
        let segment = self.find(offset).map_or(0, |segment| segment.first);
        ReadError::Corrupt(crate::Damage { segment, block, what: "record" })
    }

    pub(crate) fn get(&self, position: Position) -> Result<Record, ReadError> {
        if self.check(position)?.is_none() {
            return Err(ReadError::Beyond { position, end: position });
        }
        if let Some((group, index)) = self.tail().find(position.offset)
            && let Some(record) = group.get(index)
        {
            return Ok(record.clone());
        }
        let (payload, block) = self.frames(position.offset)?;
        let first = self.decode(payload, position.offset, block).next();
        first.unwrap_or_else(|| Err(self.bad_record(position.offset, block)))
    }

    pub(crate) fn segment_sizes(&self) -> Vec<(u64, u64)> {
        let size = |segment: &Segment| segment.read_directory(|directory| directory.size);
        self.segments().iter().map(|segment| (segment.first, size(segment))).collect()
    }

    pub(crate) fn stats(&self) -> LogStats {
        let segments = self.segments();
        LogStats {
            segments: segments.len() as u64,
            sealed_segments: segments.iter().filter(|segment| segment.sealed).count() as u64,
            disk_bytes: segments.iter().map(|segment| segment.read_directory(|d| d.size)).sum(),
            spare_bytes: self.spare_bytes(),
            first: segments.first().map_or(0, |segment| segment.first),
            end: self.progress.end(),
            last_sync_micros: self.counters.last_sync_micros.load(Ordering::Relaxed),
            groups: self.counters.groups.load(Ordering::Relaxed),
            records: self.counters.records.load(Ordering::Relaxed),
            seal_failures: self.counters.seal_failures.load(Ordering::Relaxed),
            held_micros: 0,
        }
    }
}

/// Takes records while they fit, at least one if there is none yet; says whether one did not fit.
fn take_fitting(
    from: impl Iterator<Item = Result<Record, ReadError>>,
    room: &mut usize,
    into: &mut Vec<Record>,
) -> Result<bool, ReadError> {
    for record in from {
        let record = record?;
        let size = record.size();
        if size > *room && !into.is_empty() {
            return Ok(true);
        }
        *room = room.saturating_sub(size);
        into.push(record);
    }
    Ok(false)
}
