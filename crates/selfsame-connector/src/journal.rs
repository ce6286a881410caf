//! Answers of exchanges that are under way, so that what a receiver has taken is not sent to it again; and
//! how many requests went out in a vendor's day.
//!
//! ```text
//! attempt 1    search GET 200    create POST 201    add POST 503     interrupted
//! attempt 2    search GET 200    (create: as before)  add POST 200   delivered
//! ```
//!
//! Only answers to requests that change something are kept. What was looked up is looked up again: it may be
//! another thing by then, above all where nobody knows whether a request was taken. An answer stands in for
//! a request only if that is the same one, in the same place.
//!
//! An answer is durable before the next request of its exchange goes out, in a log of its own beside the
//! ledger (journal/record.rs), so a process that is killed in between goes on as if it had been interrupted.
//! What is unknown is what it was waiting for when it was killed: that is sent again, with the same keys.
//! Answers of an exchange that has ended are kept a while longer, until the ledger knows of the end too.
//!
//! Bounds: [`MOST_BYTES`] of answers for a connection and [`MOST_BYTES_OF_ALL`] for all; beyond, the oldest
//! exchanges begin again. Nothing is kept for longer than [`MOST_AGE`]. The log holds about three times of it.

mod exchanges;
mod record;
mod spent;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use selfsame_deliver::{Appending, Ledger, LedgerError, MemoryLedger};
use selfsame_event::{Class, Time};

use self::exchanges::Exchanges;
pub(crate) use self::exchanges::Kept;
use self::record::Record;
use self::spent::Spent;

/// Most bytes of answers that are kept for a connection.
const MOST_BYTES: usize = 4 << 20;
/// Most bytes of answers that are kept for all.
const MOST_BYTES_OF_ALL: usize = 64 << 20;
/// For how long an answer may be of use: the span of retries and the longest `Retry-After`, in microseconds.
const MOST_AGE: i64 = 4 * 24 * 3_600 * 1_000_000;
/// How long after its end an exchange is forgotten: by then the ledger has its end, in microseconds.
const SETTLED: i64 = 60 * 1_000_000;
/// The log is written anew when so many records more than twice those in use are in it.
const SLACK: usize = 1_000;

/// Whether a request of this method changes something.
pub(crate) fn changes(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD")
}

/// Why the journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The log under it.
    #[error("the log of the journal cannot be read")]
    Ledger(#[from] LedgerError),
    /// A record is of a later version.
    #[error("record {0} of the journal is none that this program reads. Use a newer selfsame")]
    Unread(u64),
}

impl JournalError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Ledger(error) => error.class(),
            Self::Unread(_) => Class::Corrupt,
        }
    }
}

/// The journal of all connections.
#[derive(Debug)]
pub struct Journal {
    ledger: Arc<dyn Ledger>,
    inner: Mutex<Inner>,
    /// Whoever has it counts requests: nobody uses up what another one's record reserves before it is durable.
    counting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Inner {
    exchanges: Exchanges,
    spent: Spent,
    /// Records in the log that were not released.
    records: usize,
}

impl Journal {
    /// The journal as its log has it. Reads files: it is called on a thread that may block.
    ///
    /// # Errors
    ///
    /// The log cannot be read, or is of a later version.
    pub fn open(ledger: Arc<dyn Ledger>, now: Time) -> Result<Self, JournalError> {
        let mut inner = Inner::default();
        let mut from = Some(0);
        while let Some(place) = from {
            let page = ledger.read(place)?;
            for (offset, bytes) in page.records {
                let record = Record::read(&bytes).ok_or(JournalError::Unread(offset))?;
                inner.take(record);
            }
            from = page.next;
        }
        inner.exchanges.expire(now);
        inner.spent.expire(now);
        Ok(Self { ledger, inner: Mutex::new(inner), counting: tokio::sync::Mutex::default() })
    }

    /// One that ends with the process.
    pub fn in_memory() -> Self {
        let counting = tokio::sync::Mutex::default();
        Self { ledger: Arc::<MemoryLedger>::default(), inner: Mutex::default(), counting }
    }

    /// The part of a connection.
    pub fn of(self: &Arc<Self>, connection: &str) -> Notebook {
        Notebook { journal: Arc::clone(self), whose: connection.into() }
    }

    /// Forgets a connection that is not there any more.
    pub fn forget(&self, connection: &str) {
        let mut inner = self.lock();
        inner.exchanges.forget_all(connection);
        inner.spent.forget(connection);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a record while the lock is held, so that records are in the order of the changes.
    fn append(&self, inner: &mut Inner, record: &Record) -> Appending<'_> {
        inner.records += 1;
        self.ledger.append(record.write())
    }

    /// Waits until a record is durable. What cannot be written is in memory only, which is said.
    async fn durable(&self, appending: Appending<'_>) {
        if let Err(error) = appending.await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the journal of exchanges did not take a record");
        }
        self.tidy().await;
    }

    /// Writes anew what is in use, once the log holds much more.
    async fn tidy(&self) {
        let (begun, rest) = {
            let mut inner = self.lock();
            let used = inner.exchanges.len() + inner.spent.len();
            if inner.records <= 2 * used + SLACK {
                return;
            }
            let all: Vec<Bytes> = inner.records_in_use().map(|one| one.write()).collect();
            inner.records = all.len();
            let begun = self.ledger.append(Record::Begin.write());
            let rest: Vec<_> = all.into_iter().map(|bytes| self.ledger.append(bytes)).collect();
            (begun, rest)
        };
        let mut first = begun.await;
        for appending in rest {
            if let Err(error) = appending.await {
                first = Err(error);
            }
        }
        match first {
            Ok(first) => self.ledger.release(first).await,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the journal of exchanges was not written anew");
            }
        }
    }
}

impl Inner {
    fn take(&mut self, record: Record) {
        self.records += 1;
        match record {
            Record::Begin => {}
            Record::Kept { of, key, at, kept } => {
                self.exchanges.put(&of.into(), &key, kept, at);
            }
            Record::Forgotten { of, keys } => self.exchanges.forget(&of, &keys),
            Record::Spent { of, slot, requests } => self.spent.put(&of.into(), slot, requests),
        }
    }

    fn records_in_use(&self) -> impl Iterator<Item = Record> {
        self.exchanges.records().chain(self.spent.records())
    }
}

/// The part of the journal that is about one connection.
#[derive(Debug, Clone)]
pub struct Notebook {
    journal: Arc<Journal>,
    whose: Arc<str>,
}

impl Notebook {
    /// An exchange begins or goes on: what was answered to it before.
    pub(crate) fn begin(&self, key: &str) -> Vec<Kept> {
        let mut inner = self.journal.lock();
        let (kept, gone) = inner.exchanges.begin(&self.whose, key);
        self.forget(&mut inner, gone);
        kept
    }

    /// Notes an answer, durably.
    pub(crate) async fn note(&self, key: &str, kept: Kept, now: Time) {
        let appending = {
            let mut inner = self.journal.lock();
            let of = self.whose.to_string();
            let record = Record::Kept { of, key: key.to_owned(), at: now, kept: kept.clone() };
            inner.exchanges.put(&self.whose, key, kept, now);
            self.journal.append(&mut inner, &record)
        };
        self.journal.durable(appending).await;
    }

    /// An exchange was interrupted or has ended.
    pub(crate) fn end(&self, key: &str, has_ended: bool, now: Time) {
        let mut inner = self.journal.lock();
        if has_ended {
            inner.exchanges.end(&self.whose, key, now);
        }
        let settled = inner.exchanges.settled(&self.whose, now);
        self.forget(&mut inner, settled);
    }

    /// Says that these need not be kept. Nobody waits for it: what a kill makes of it is a rest that is bounded.
    fn forget(&self, inner: &mut Inner, keys: Vec<String>) {
        if !keys.is_empty() {
            let record = Record::Forgotten { of: self.whose.to_string(), keys };
            drop(self.journal.append(inner, &record));
        }
    }

    /// Counts requests of a day, where it has room for them; else nothing. The count is durable before it is
    /// used up.
    pub(crate) async fn spend(&self, day: Day, requests: u64) -> bool {
        let _turn = self.journal.counting.lock().await;
        let appending = {
            let mut inner = self.journal.lock();
            match inner.spent.spend(&self.whose, day, requests) {
                spent::Taken::No => return false,
                spent::Taken::Yes => return true,
                spent::Taken::Reserve(reserved) => {
                    let (of, slot) = (self.whose.to_string(), day.slot());
                    let record = Record::Spent { of, slot, requests: reserved };
                    self.journal.append(&mut inner, &record)
                }
            }
        };
        self.journal.durable(appending).await;
        true
    }

    /// How many requests of a day were counted.
    pub(crate) fn spent(&self, day: Day) -> u64 {
        self.journal.lock().spent.used(&self.whose, day)
    }

    /// When there is room again, where a day has none.
    pub(crate) fn free_at(&self, day: Day) -> Option<Time> {
        self.journal.lock().spent.free_at(&self.whose, day)
    }
}

pub(crate) use self::spent::Day;

#[cfg(test)]
mod tests;
