//! What the deliverer's tasks and its handles share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use selfsame_event::ItemPosition;
use tokio::sync::{mpsc, oneshot, watch};

use crate::connection::{Connection, ConnectionId};
use crate::ledger::Ledger;
use crate::range::DeadRange;
use crate::record::Attempt;
use crate::status::{
    ConnectionStatus, DeadLetterPage, PageRequest, RangeSelection, Selection, TraceRow,
};

/// What a handle asks of a connection's task.
#[derive(Debug)]
pub(crate) enum Command {
    DeadLetters(PageRequest, oneshot::Sender<DeadLetterPage>),
    Resend(Selection, oneshot::Sender<usize>),
    DeadRanges(oneshot::Sender<Vec<DeadRange>>),
    ResendRanges(RangeSelection, oneshot::Sender<u64>),
    Resume(oneshot::Sender<()>),
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: Arc<dyn Ledger>,
    /// `None` until the server has said which there are.
    pub(crate) connections: watch::Sender<Option<Arc<[Connection]>>>,
    statuses: Mutex<BTreeMap<ConnectionId, ConnectionStatus>>,
    /// Counts the changes of `statuses`.
    pub(crate) changes: watch::Sender<u64>,
    mailboxes: Mutex<BTreeMap<ConnectionId, mpsc::Sender<Command>>>,
    trace: Mutex<Trace>,
    kept_from: Mutex<BTreeMap<ConnectionId, u64>>,
    /// The newest record of the ledger that we know of.
    newest: AtomicU64,
}

/// The newest attempts.
#[derive(Debug)]
struct Trace {
    rows: VecDeque<TraceRow>,
    capacity: usize,
    /// Whether there are older attempts, in the ledger only.
    is_partial: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, trace_rows: usize) -> Self {
        let trace = Trace { rows: VecDeque::new(), capacity: trace_rows, is_partial: false };
        Self {
            ledger,
            connections: watch::Sender::new(None),
            statuses: Mutex::default(),
            changes: watch::Sender::new(0),
            mailboxes: Mutex::default(),
            trace: Mutex::new(trace),
            kept_from: Mutex::default(),
            newest: AtomicU64::new(0),
        }
    }

    /// Says from which record of the ledger a connection can be known again.
    pub(crate) fn keep_from(&self, connection: ConnectionId, offset: u64) {
        lock(&self.kept_from).insert(connection, offset);
    }

    /// Notes a record that was appended.
    pub(crate) fn appended(&self, offset: u64) {
        self.newest.fetch_max(offset, Ordering::Relaxed);
    }

    /// How many records of the ledger there are only so that this connection can be known again.
    pub(crate) fn records_since(&self, connection: ConnectionId) -> u64 {
        let kept_from = lock(&self.kept_from).get(&connection).copied();
        let newest = self.newest.load(Ordering::Relaxed);
        kept_from.map_or(0, |from| newest.saturating_sub(from))
    }

    /// Gives up the records of the ledger that no connection needs, but for the newest ones.
    pub(crate) async fn release(&self, trace_records: u64) {
        let newest = self.newest.load(Ordering::Relaxed);
        let needed = lock(&self.kept_from).values().copied().min();
        if let Some(needed) = needed {
            self.ledger.release(needed.min(newest.saturating_sub(trace_records))).await;
        }
    }

    pub(crate) fn statuses(&self) -> Vec<ConnectionStatus> {
        lock(&self.statuses).values().copied().collect()
    }

    pub(crate) fn publish(&self, status: ConnectionStatus) {
        let before = lock(&self.statuses).insert(status.id, status);
        if before != Some(status) {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    pub(crate) fn forget(&self, connection: ConnectionId) {
        lock(&self.statuses).remove(&connection);
        lock(&self.mailboxes).remove(&connection);
        lock(&self.kept_from).remove(&connection);
    }

    pub(crate) fn mailbox(&self, connection: ConnectionId) -> Option<mpsc::Sender<Command>> {
        lock(&self.mailboxes).get(&connection).cloned()
    }

    pub(crate) fn set_mailbox(&self, connection: ConnectionId, mailbox: mpsc::Sender<Command>) {
        lock(&self.mailboxes).insert(connection, mailbox);
    }

    /// Remembers attempts that are durable.
    pub(crate) fn trace(&self, connection: ConnectionId, attempts: Vec<Attempt>) {
        let mut trace = lock(&self.trace);
        for attempt in attempts {
            trace.rows.push_back(TraceRow { connection, attempt });
        }
        while trace.rows.len() > trace.capacity {
            trace.rows.pop_front();
            trace.is_partial = true;
        }
    }

    /// The remembered attempts of an effect, and whether there may be older ones in the ledger.
    pub(crate) fn traced(&self, at: ItemPosition) -> (Vec<TraceRow>, bool) {
        let trace = lock(&self.trace);
        let rows = trace.rows.iter().filter(|row| row.attempt.at == at).cloned().collect();
        (rows, trace.is_partial)
    }
}
