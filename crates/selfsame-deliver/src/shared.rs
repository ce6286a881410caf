//! What the deliverer's tasks and its handles share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use selfsame_event::ItemPosition;
use tokio::sync::{mpsc, oneshot, watch};

use crate::attempts::{AttemptLog, Kept, Whose};
use crate::connection::{Connection, ConnectionId};
use crate::deliverer::log_chain;
use crate::feed::Feed;
use crate::flights::Flights;
use crate::ledger::Ledger;
use crate::pages::Pages;
use crate::range::DeadRange;
use crate::replay::{Replay, ReplayError, ReplayStatus, ReplayWish};
use crate::standing::Ledgered;
use crate::status::{ConnectionStatus, DeadLetterPage, PageRequest, RangeSelection, Selection};

/// What a handle asks of a connection's task.
#[derive(Debug)]
pub(crate) enum Command {
    DeadLetters(PageRequest, oneshot::Sender<DeadLetterPage>),
    Resend(Selection, oneshot::Sender<usize>),
    DeadRanges(oneshot::Sender<Vec<DeadRange>>),
    ResendRanges(RangeSelection, oneshot::Sender<u64>),
    Ledgered((ItemPosition, ItemPosition), oneshot::Sender<Ledgered>),
    Resume(oneshot::Sender<()>),
    Cancel(oneshot::Sender<()>),
}

/// What a handle asks of the deliverer itself.
#[derive(Debug)]
pub(crate) struct AskReplay {
    pub(crate) connection: ConnectionId,
    pub(crate) wish: ReplayWish,
    pub(crate) reply: oneshot::Sender<Result<Replay, ReplayError>>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) feed: Arc<dyn Feed>,
    pub(crate) ledger: Arc<dyn Ledger>,
    /// `None` until the server has said which there are.
    pub(crate) connections: watch::Sender<Option<Arc<[Connection]>>>,
    /// Those that every task has heard of.
    pub(crate) heard_of: watch::Sender<Option<Arc<[Connection]>>>,
    statuses: Mutex<BTreeMap<ConnectionId, ConnectionStatus>>,
    /// By the ids of the replays. Locked behind `statuses` where both are.
    replays: Mutex<BTreeMap<ConnectionId, ReplayStatus>>,
    pub(crate) asks: mpsc::Sender<AskReplay>,
    /// Counts the changes of `statuses`.
    pub(crate) changes: watch::Sender<u64>,
    mailboxes: Mutex<BTreeMap<ConnectionId, mpsc::Sender<Command>>>,
    pub(crate) attempts: Arc<AttemptLog>,
    pub(crate) pages: Arc<Pages>,
    pub(crate) flights: Flights,
    kept_from: Mutex<BTreeMap<ConnectionId, u64>>,
    /// The newest record of the ledger that we know of.
    newest: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        (feed, ledger): (Arc<dyn Feed>, Arc<dyn Ledger>),
        attempts: Arc<AttemptLog>,
        (asks, flights): (mpsc::Sender<AskReplay>, Flights),
    ) -> Self {
        Self {
            pages: Arc::new(Pages::new(Arc::clone(&feed))),
            flights,
            feed,
            ledger,
            asks,
            replays: Mutex::default(),
            connections: watch::Sender::new(None),
            heard_of: watch::Sender::new(None),
            statuses: Mutex::default(),
            changes: watch::Sender::new(0),
            mailboxes: Mutex::default(),
            attempts,
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
    pub(crate) async fn release(&self, kept_records: u64) {
        let newest = self.newest.load(Ordering::Relaxed);
        let needed = lock(&self.kept_from).values().copied().min();
        let Some(needed) = needed else { return };
        // What a power cut loses of them is taken from the ledger again.
        let attempts = Arc::clone(&self.attempts);
        match tokio::task::spawn_blocking(move || attempts.sync()).await {
            Ok(Ok(())) => {
                self.ledger.release(needed.min(newest.saturating_sub(kept_records))).await;
            }
            Ok(Err(error)) => log_chain(&error, "attempts cannot be synced, the ledger is kept"),
            Err(error) => log_chain(&error, "syncing attempts ended, the ledger is kept"),
        }
    }

    /// The connections' numbers, those of their replays included.
    pub(crate) fn statuses(&self) -> Vec<ConnectionStatus> {
        let statuses = lock(&self.statuses);
        let replays = lock(&self.replays);
        let mut all: Vec<_> = statuses.values().copied().collect();
        for one in replays.values() {
            if let Some(status) = all.iter_mut().find(|status| status.id == one.replay.connection) {
                status.add_replay(one.tally);
            }
        }
        all
    }

    /// A connection's own numbers.
    pub(crate) fn status(&self, connection: ConnectionId) -> Option<ConnectionStatus> {
        lock(&self.statuses).get(&connection).copied()
    }

    /// The replays of a connection, in order of their numbers.
    pub(crate) fn replays(&self, connection: ConnectionId) -> Vec<ReplayStatus> {
        let all = lock(&self.replays);
        let of = all.values().filter(|one| one.replay.connection == connection);
        let mut of: Vec<_> = of.cloned().collect();
        of.sort_by_key(|one| one.replay.number);
        of
    }

    /// The earliest place that some replay needs the log to keep.
    pub(crate) fn replays_need(&self) -> Option<ItemPosition> {
        lock(&self.replays).values().filter_map(|one| one.needed_from).min()
    }

    pub(crate) fn publish_replay(&self, id: ConnectionId, status: ReplayStatus) {
        let mut all = lock(&self.replays);
        if all.get(&id) != Some(&status) {
            all.insert(id, status);
            drop(all);
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    pub(crate) fn publish(&self, status: &ConnectionStatus) {
        let before = lock(&self.statuses).insert(status.id, *status);
        if before != Some(*status) {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }

    pub(crate) fn forget(&self, connection: ConnectionId) {
        lock(&self.statuses).remove(&connection);
        lock(&self.replays).remove(&connection);
        lock(&self.mailboxes).remove(&connection);
        lock(&self.kept_from).remove(&connection);
        self.pages.forget(connection);
    }

    pub(crate) fn mailbox(&self, connection: ConnectionId) -> Option<mpsc::Sender<Command>> {
        lock(&self.mailboxes).get(&connection).cloned()
    }

    pub(crate) fn set_mailbox(&self, connection: ConnectionId, mailbox: mpsc::Sender<Command>) {
        lock(&self.mailboxes).insert(connection, mailbox);
    }

    /// Keeps attempts that are in the ledger. Writes to a file: called on a blocking thread.
    pub(crate) fn keep(&self, whose: Whose, ledger: u64, rows: &[Kept]) {
        if let Err(error) = self.attempts.append(whose, ledger, rows) {
            log_chain(&error, "attempts cannot be kept for searching");
        }
    }
}
