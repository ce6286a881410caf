//! A log whose end can be made again after a crash (the outbox): written by one owner, made durable
//! when the owner says so.
//!
//! Readers see records as soon as they are written. After a crash the log ends somewhere at or above
//! what was synced; the owner writes the rest again, the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selfsame_event::{Clock, ItemPosition, Position, Time};
use tokio::sync::watch;

use crate::appender::Appender;
use crate::chain::Chain;
use crate::config::{LogConfig, LogStats, Recovery};
use crate::error::{AppendError, KeepError, OpenError, ReadError};
use crate::fs::Fs;
use crate::log::LogRead;
use crate::record::{NewRecord, Record};
use crate::recover::{Mode, recover};
use crate::sealer::Sealer;

/// A log whose end can be made again after a crash.
#[derive(Debug)]
pub struct RegenerableLog {
    chain: Arc<Chain>,
    appender: Mutex<Appender>,
    /// Up to here all is durable.
    synced: AtomicU64,
    recovery: Recovery,
    record_limit: usize,
    sealer: Sealer,
}

impl RegenerableLog {
    /// Opens the log in the folder, or begins one. Below `synced_floor`, an offset up to which the
    /// owner knows the log to be durable, nothing may be missing; from there on the log is cut at
    /// the first damage.
    pub fn open(
        config: &LogConfig,
        clock: Arc<dyn Clock>,
        fs: Arc<dyn Fs>,
        synced_floor: u64,
    ) -> Result<Self, OpenError> {
        let (chain, recovery) = recover(config, fs, Mode::Regenerable { floor: synced_floor })?;
        let chain = Arc::new(chain);
        let sealer = Sealer::start(Arc::clone(&chain)).map_err(OpenError::io("start a thread"))?;
        sealer.ask();
        let appender = Appender::new(Arc::clone(&chain), clock, config.segment_bytes);
        Ok(Self {
            chain,
            appender: Mutex::new(appender),
            // Opening has synced what it found.
            synced: AtomicU64::new(recovery.end),
            recovery,
            record_limit: config.record_limit_bytes.min(crate::frame::MAX_SIZE),
            sealer,
        })
    }

    /// What was found when the log was opened.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    fn appender(&self) -> MutexGuard<'_, Appender> {
        self.appender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes records with the times that the owner gives them, as one block, without a sync.
    /// Returns the position of the first. Readers see them at once.
    pub fn append_batch(&self, batch: Vec<(Time, NewRecord)>) -> Result<Position, AppendError> {
        let limit = self.record_limit;
        let sizes = batch.iter().map(|(_, record)| record.size());
        if let Some(size) = sizes.max().filter(|size| *size > limit) {
            return Err(AppendError::TooLarge { size, limit });
        }
        let mut appender = self.appender();
        let active = self.chain.active().first;
        let written = appender.write(batch, false);
        if self.chain.active().first != active {
            self.sealer.ask();
        }
        Ok(self.chain.position(written?))
    }

    /// Makes all that was written durable. Returns the end that is.
    pub fn sync(&self) -> Result<Position, AppendError> {
        let mut appender = self.appender();
        let end = self.chain.progress.end();
        appender.sync()?;
        self.synced.store(end, Ordering::Release);
        Ok(self.chain.position(end))
    }

    /// Up to where all is known to be durable.
    pub fn synced(&self) -> Position {
        self.chain.position(self.synced.load(Ordering::Acquire))
    }

    /// Drops all records from an offset on, durably. The owner lowers the floor that it would open
    /// with first. An offset at or behind the end changes nothing.
    pub fn truncate_to(&self, offset: u64) -> Result<(), KeepError> {
        let mut appender = self.appender();
        if offset >= self.chain.progress.end() {
            return Ok(());
        }
        let (position, first) =
            (self.chain.position(offset), self.chain.position(self.chain.first()));
        if position < first {
            return Err(ReadError::Trimmed { position, first }.into());
        }
        self.synced.fetch_min(offset, Ordering::AcqRel);
        appender.cut(offset)?;
        self.synced.store(offset, Ordering::Release);
        Ok(())
    }

    /// Erases the bodies of these items, as [`crate::SegmentLog::erase`] does.
    pub fn erase(&self, items: &[ItemPosition]) -> Result<u64, KeepError> {
        let Some(last) = items.iter().map(|item| item.record.offset).max() else { return Ok(0) };
        let _none = self.chain.without_spares().map_err(KeepError::io("remove a spare file"))?;
        self.appender().clear_for_erasure(last, true)?;
        let erased = self.chain.erase(items);
        self.sealer.ask();
        erased
    }

    /// Removes segments that lie wholly below the position. Returns how many were removed.
    pub fn trim_to(&self, position: Position) -> Result<u64, KeepError> {
        self.chain.trim(position.offset.min(self.synced().offset))
    }

    /// Seals all closed segments on this thread, if the background has not done so yet.
    pub fn seal(&self) -> Result<(), KeepError> {
        while self.chain.seal_next()? {}
        Ok(())
    }

    /// Figures, cheap to ask for.
    pub fn stats(&self) -> LogStats {
        self.chain.stats()
    }
}

impl LogRead for RegenerableLog {
    fn first(&self) -> Position {
        self.chain.position(self.chain.first())
    }

    fn end(&self) -> Position {
        self.chain.position(self.chain.progress.end())
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        self.chain.read(from, max_bytes)
    }

    fn get(&self, position: Position) -> Result<Record, ReadError> {
        self.chain.get(position)
    }

    fn wait_beyond(&self, position: Position, timeout: Duration) -> bool {
        self.chain.progress.wait_beyond(position.offset, timeout)
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.chain.progress.subscribe()
    }
}
