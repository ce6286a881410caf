//! Writing blocks at the end of a log. One owner, one thread at a time.
//!
//! **Invariants:** with `sync`, a block is durable before the next is written, so at most one block
//! is ever in doubt; all blocks of a segment are durable before the next segment exists; after a
//! write or a sync failed for another reason than room, nothing is written any more.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use selfsame_event::{Clock, Time};

use crate::chain::Chain;
use crate::error::AppendError;
use crate::format::{BLOCK_HEADER_LEN, BlockHeader, SEGMENT_HEADER_LEN};
use crate::frame::{self, Parts};
use crate::fs::{File, is_full};
use crate::record::{NewRecord, Record};
use crate::segment::{Segment, narrow};

/// Writes blocks at the end of a log.
#[derive(Debug)]
pub(crate) struct Appender {
    chain: Arc<Chain>,
    clock: Arc<dyn Clock>,
    active: Arc<Segment>,
    file: Arc<dyn File>,
    /// Where the next block goes in the active file.
    position: u64,
    segment_bytes: u32,
    /// The block that is being made; kept for its memory.
    buffer: Vec<u8>,
    /// Why nothing is written any more.
    failed: Option<Arc<io::Error>>,
}

impl Appender {
    pub(crate) fn new(chain: Arc<Chain>, clock: Arc<dyn Clock>, segment_bytes: u32) -> Self {
        let active = chain.active();
        let (file, position) = place(&active);
        let buffer = Vec::new();
        Self { chain, clock, active, file, position, segment_bytes, buffer, failed: None }
    }

    pub(crate) fn failure(&self) -> Option<AppendError> {
        self.failed.as_ref().map(|error| AppendError::Failed(Arc::clone(error)))
    }

    /// Writes these records as one block and shows them. Returns the first offset.
    pub(crate) fn write(
        &mut self,
        records: Vec<(Time, NewRecord)>,
        sync: bool,
    ) -> Result<u64, AppendError> {
        if let Some(failed) = self.failure() {
            return Err(failed);
        }
        let first = self.active.end();
        let (Some((first_time, _)), Some((last_time, _))) = (records.first(), records.last())
        else {
            return Ok(first);
        };
        let (first_time, last_time) = (*first_time, *last_time);
        self.buffer.clear();
        self.buffer.resize(BLOCK_HEADER_LEN, 0);
        for (time, NewRecord { id, kind, head, items }) in &records {
            let parts = Parts { id: *id, time: *time, kind: *kind, head, items };
            frame::encode(parts, &mut self.buffer);
        }
        if self.position > SEGMENT_HEADER_LEN as u64
            && self.position + self.buffer.len() as u64 > self.segment_bytes.into()
        {
            self.roll(!sync)?;
        }
        let payload = self.buffer.get(BLOCK_HEADER_LEN..).unwrap_or_default();
        let len = narrow(payload.len() as u64);
        let block = BlockHeader {
            first,
            first_time,
            last_time,
            count: narrow(records.len() as u64),
            raw_len: len,
            stored_len: len,
            compressed: false,
            payload_crc: self.active.salt.crc(payload),
        };
        let header = block.encode(self.active.salt);
        self.buffer.splice(..BLOCK_HEADER_LEN, header);
        self.store(sync)?;
        self.position += block.size();
        let group = records.into_iter().zip(first..);
        let group: Arc<[Record]> = group
            .map(|((time, record), offset)| record.into_record(self.chain.position(offset), time))
            .collect();
        self.chain.publish(&self.active, &block, group);
        Ok(first)
    }

    fn store(&mut self, sync: bool) -> Result<(), AppendError> {
        if let Err(error) = self.file.write_at(&self.buffer, self.position) {
            return Err(if is_full(&error) { self.take_back(error) } else { self.fail(error) });
        }
        if sync { self.sync() } else { Ok(()) }
    }

    /// Undoes a write that found no room, so that the next one finds the file as it was.
    fn take_back(&mut self, full: io::Error) -> AppendError {
        let cut = self.file.truncate(self.position).and_then(|()| self.file.sync_data());
        match cut {
            Ok(()) => AppendError::Full(Arc::new(full)),
            Err(error) => self.fail(error),
        }
    }

    /// Makes all that was written durable.
    pub(crate) fn sync(&mut self) -> Result<(), AppendError> {
        if let Some(failed) = self.failure() {
            return Err(failed);
        }
        let started = self.clock.monotonic_micros();
        match self.file.sync_data() {
            Ok(()) => {
                let took = self.clock.monotonic_micros().saturating_sub(started);
                self.chain.counters.last_sync_micros.store(took, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn fail(&mut self, error: io::Error) -> AppendError {
        let segment = self.active.first;
        tracing::error!(segment, error = %error, "log failed to write and takes no more appends");
        let error = Arc::new(error);
        self.failed = Some(Arc::clone(&error));
        AppendError::Failed(error)
    }

    /// Begins a new segment, unless the active one is empty.
    pub(crate) fn roll(&mut self, sync_old: bool) -> Result<(), AppendError> {
        if let Some(failed) = self.failure() {
            return Err(failed);
        }
        if self.position == SEGMENT_HEADER_LEN as u64 {
            return Ok(());
        }
        if sync_old {
            self.sync()?;
        }
        let first = self.active.end();
        // Room is reserved for the block too that may be larger than a segment.
        let room = self.segment_bytes.max(narrow((SEGMENT_HEADER_LEN + self.buffer.len()) as u64));
        self.active = match self.chain.begin(first, room) {
            Ok(segment) => segment,
            Err(error) if is_full(&error) => return Err(AppendError::Full(Arc::new(error))),
            Err(error) => return Err(self.fail(error)),
        };
        (self.file, self.position) = place(&self.active);
        self.chain.push(Arc::clone(&self.active));
        match self.chain.note(|manifest| manifest.floor = manifest.floor.max(first)) {
            // Only a hint: without it, less would be missed at the next open.
            Err(error) if !is_full(&error) => Err(self.fail(error)),
            _ => Ok(()),
        }
    }

    /// Leaves nothing in the active segment of what its file held before, nor of records up to one
    /// that is about to be erased.
    pub(crate) fn clear_for_erasure(
        &mut self,
        last: u64,
        sync_old: bool,
    ) -> Result<(), AppendError> {
        if let Some(failed) = self.failure() {
            return Err(failed);
        }
        if sync_old {
            self.sync()?;
        }
        // All blocks are durable, so that none is lost if this fails: the log goes on.
        match self.active.drop_stale() {
            // Without room now, the next append will say so.
            Ok(true) => drop(self.file.allocate(self.segment_bytes.into())),
            Ok(false) => {}
            Err(error) => return Err(AppendError::Failed(Arc::new(error))),
        }
        if last >= self.active.first { self.roll(false) } else { Ok(()) }
    }

    /// Drops every record from an offset on.
    pub(crate) fn cut(&mut self, offset: u64) -> Result<(), crate::KeepError> {
        if let Some(failed) = self.failure() {
            return Err(failed.into());
        }
        self.chain.cut(offset, self.segment_bytes)?;
        self.active = self.chain.active();
        (self.file, self.position) = place(&self.active);
        Ok(())
    }

    /// Notes that all is durable, so that the next open misses what should be there.
    pub(crate) fn close(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let end = self.active.end();
        if let Err(error) = self.chain.note(|manifest| manifest.floor = manifest.floor.max(end)) {
            tracing::warn!(error = %error, "log failed to note its end when it was closed");
        }
    }
}

fn place(active: &Segment) -> (Arc<dyn File>, u64) {
    let file = active.file.as_ref().map(Arc::clone);
    let file = file.expect("the active segment keeps its file open");
    (file, active.read_directory(|directory| directory.size))
}
