//! Where delivery keeps what the outside told it.
//!
//! The second log: small records, appended in order, durable before they count. The server adapts
//! it over a log of its own; [`MemoryLedger`] is for tests and for a run without a data folder.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use selfsame_event::Class;

/// Why the ledger did not take or give records.
#[derive(Debug, thiserror::Error)]
#[error("the ledger cannot be used")]
pub struct LedgerError {
    /// What the log under it said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// Whether it is worth another try.
    pub class: Class,
}

impl LedgerError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        self.class
    }
}

/// Some records of the ledger, each with its offset, in order.
#[derive(Debug, Clone, Default)]
pub struct LedgerPage {
    /// The records.
    pub records: Vec<(u64, Bytes)>,
    /// Where to read on; `None` when the end was reached.
    pub next: Option<u64>,
}

/// An append under way.
pub type Appending<'a> = Pin<Box<dyn Future<Output = Result<u64, LedgerError>> + Send + 'a>>;

/// A release under way. It may fail: what was not released is released with the next one.
pub type Releasing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A log of delivery's own. No record is larger than [`crate::LEDGER_RECORD_BYTES`].
pub trait Ledger: Send + Sync + fmt::Debug + 'static {
    /// Appends a record; its offset, once it is durable. Appends at the same time share a sync.
    fn append(&self, record: Bytes) -> Appending<'_>;
    /// Reads records from an offset on (records before the first kept one are skipped). May read
    /// files: it is called on a blocking thread.
    fn read(&self, from: u64) -> Result<LedgerPage, LedgerError>;
    /// Says that no record before this offset is needed any more.
    fn release(&self, before: u64) -> Releasing<'_>;
}

/// A ledger that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    first: u64,
    records: Vec<Bytes>,
}

/// Records a page of the memory ledger has at most.
const PAGE: usize = 1_000;

impl MemoryLedger {
    /// Every record that is kept.
    pub fn records(&self) -> Vec<Bytes> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).records.clone()
    }

    /// A ledger that holds these records.
    pub fn with(records: Vec<Bytes>) -> Self {
        Self { kept: Mutex::new(Kept { first: 0, records }) }
    }
}

impl Ledger for MemoryLedger {
    fn append(&self, record: Bytes) -> Appending<'_> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let offset = kept.first + kept.records.len() as u64;
        kept.records.push(record);
        Box::pin(std::future::ready(Ok(offset)))
    }

    fn read(&self, from: u64) -> Result<LedgerPage, LedgerError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let from = from.max(kept.first);
        let skip = usize::try_from(from - kept.first).unwrap_or(usize::MAX);
        let records: Vec<_> =
            (from..).zip(kept.records.iter().skip(skip).cloned()).take(PAGE).collect();
        let next = from + records.len() as u64;
        let end = kept.first + kept.records.len() as u64;
        Ok(LedgerPage { records, next: (next < end).then_some(next) })
    }

    fn release(&self, before: u64) -> Releasing<'_> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let count = usize::try_from(before.saturating_sub(kept.first)).unwrap_or(usize::MAX);
        let count = count.min(kept.records.len());
        kept.records.drain(..count);
        kept.first += count as u64;
        Box::pin(std::future::ready(()))
    }
}
