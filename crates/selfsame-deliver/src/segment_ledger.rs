//! The ledger as a log of its own in the data folder.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use selfsame_event::{Class, Position, RecordId};
use selfsame_log::{Log as _, LogRead as _, NewRecord, SegmentLog};
use tokio::task::spawn_blocking;

use crate::deliverer::log_chain;
use crate::ledger::{Appending, Ledger, LedgerError, LedgerPage, Releasing};
use crate::random::Random;

/// The kind of every record of this log.
const KIND: u8 = 1;
/// About how much one page of reading holds.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A ledger over a [`SegmentLog`] that holds nothing else. A record of the ledger is the head of a
/// record of the log.
pub struct SegmentLedger {
    log: Arc<SegmentLog>,
    random: Arc<dyn Random>,
}

impl fmt::Debug for SegmentLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SegmentLedger")
    }
}

impl SegmentLedger {
    /// A ledger in this log; the ids of its records are drawn from `random`.
    pub fn new(log: Arc<SegmentLog>, random: Arc<dyn Random>) -> Self {
        Self { log, random }
    }

    fn record_id(&self) -> RecordId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.random.next_u64().to_le_bytes());
        id[8..].copy_from_slice(&self.random.next_u64().to_le_bytes());
        RecordId(id)
    }
}

fn failed(source: impl std::error::Error + Send + Sync + 'static, class: Class) -> LedgerError {
    LedgerError { source: Box::new(source), class }
}

impl Ledger for SegmentLedger {
    fn append(&self, record: Bytes) -> Appending<'_> {
        let record =
            NewRecord { id: self.record_id(), kind: KIND, head: record, items: Vec::new() };
        let appending = self.log.append(record);
        Box::pin(async move {
            let appended = appending.await.map_err(|error| {
                let class = error.class();
                failed(error, class)
            })?;
            Ok(appended.position.offset)
        })
    }

    fn read(&self, from: u64) -> Result<LedgerPage, LedgerError> {
        let from = from.max(self.log.first().offset);
        if from >= self.log.end().offset {
            return Ok(LedgerPage::default());
        }
        let records = self.log.read(Position::embedded(from), PAGE_BYTES).map_err(|error| {
            let class = error.class();
            failed(error, class)
        })?;
        let records: Vec<_> =
            records.into_iter().map(|record| (record.position.offset, record.head)).collect();
        let next = records.last().map(|(offset, _)| offset + 1);
        Ok(LedgerPage { records, next })
    }

    fn release(&self, before: u64) -> Releasing<'_> {
        let log = Arc::clone(&self.log);
        Box::pin(async move {
            let trimmed = spawn_blocking(move || log.trim_to(Position::embedded(before))).await;
            if let Ok(Err(error)) = trimmed {
                log_chain(&error, "old records of the ledger could not be removed");
            }
        })
    }
}
