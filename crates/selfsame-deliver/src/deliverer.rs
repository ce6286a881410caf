//! The service: reads the ledger, and keeps one task for each connection.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use selfsame_event::{Class, Clock};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing::{error, info};

use crate::attempts::AttemptLog;
use crate::budget::RetryBudget;
use crate::connection::{Connection, ConnectionId, Order, Start};
use crate::feed::Feed;
use crate::flights::Flights;
use crate::handle::DelivererHandle;
use crate::image::{Images, Known};
use crate::lag::LagLimit;
use crate::lane::Limits;
use crate::ledger::{Ledger, LedgerError};
use crate::outbound::Outbound;
use crate::random::Random;
use crate::record::{Entry, Record};
use crate::replay::Replay;
use crate::retry::RetryPolicy;
use crate::runner::{Runner, append};
use crate::shared::{AskReplay, Shared};
use crate::wire::WireError;

mod missing;
mod replays;

use missing::Missing;

/// `[deliver]`: how deliveries run. What differs between connections is in [`Connection`].
#[derive(Debug, Clone)]
pub struct DeliverConfig {
    /// Effects of a connection that a crash may deliver again: in flight, or delivered and not yet
    /// in the ledger. At least the connection's concurrency, and twice that where it sends batches in order.
    pub in_flight_limit: usize,
    /// Effects of a connection that the cursor may leave behind. Then it stops.
    pub exception_limit: usize,
    /// Effects of one profile that the cursor may leave behind. Then it stops.
    pub profile_exception_limit: usize,
    /// Dead letters of a connection. Then nothing dies any more: it is tried on.
    pub dead_letter_limit: usize,
    /// How long ordinary progress may wait to be appended to the ledger.
    pub flush_interval: Duration,
    /// How many records the ledger may hold only so that a connection can be known again; then
    /// what is known of it is written anew.
    pub snapshot_records: u64,
    /// Records that the ledger keeps at least: of what was last before, they say what a crash took of the
    /// attempts.
    pub kept_records: u64,
    /// How long requests in flight may go on when the process stops.
    pub stop_timeout: Duration,
    /// For how long later events of a profile wait for one that fails, where their order is relaxed.
    pub late_after: Duration,
    /// About how many requests may be under way over all connections: each has its share of them, at least one.
    pub requests: usize,
    /// The retries.
    pub retry: RetryPolicy,
    /// How many retries there may be.
    pub retry_budget: RetryBudget,
    /// How far a connection may be behind.
    pub lag_limit: LagLimit,
    /// For how long behind the start no connection is too far behind by age: the time in which it could
    /// not send, because nothing ran, is not held against it.
    pub lag_grace: Duration,
    /// How often it is looked how far a connection is behind.
    pub lag_interval: Duration,
}

impl Default for DeliverConfig {
    fn default() -> Self {
        Self {
            in_flight_limit: 256,
            exception_limit: 100_000,
            profile_exception_limit: 1_000,
            dead_letter_limit: 100_000,
            flush_interval: Duration::from_millis(50),
            snapshot_records: 100_000,
            kept_records: 10_000,
            stop_timeout: Duration::from_secs(10),
            late_after: Duration::from_secs(300),
            requests: 1_000,
            retry: RetryPolicy::default(),
            retry_budget: RetryBudget::default(),
            lag_limit: LagLimit::default(),
            lag_grace: Duration::from_secs(3_600),
            lag_interval: Duration::from_secs(10),
        }
    }
}

impl DeliverConfig {
    pub(crate) fn limits(&self, connection: &Connection) -> Limits {
        let concurrency = connection.concurrency.max(1);
        let together = connection.tool.as_ref().map_or(1, |tool| tool.0.together()).max(1);
        // Of batches there are many at once, so that the next can go while those before become durable.
        let in_flight = if together > 1 { 2 * concurrency } else { concurrency };
        Limits {
            concurrency,
            together,
            late_after: (connection.order == Order::Relaxed).then_some(self.late_after),
            in_flight: self.in_flight_limit.max(in_flight),
            exceptions: self.exception_limit,
            profile_exceptions: self.profile_exception_limit,
            dead: self.dead_letter_limit,
            retries: self.retry_budget,
        }
    }
}

/// What deliveries are made with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What there is to deliver.
    pub feed: Arc<dyn Feed>,
    /// What the outside told us.
    pub ledger: Arc<dyn Ledger>,
    /// Attempts, to be searched.
    pub attempts: Arc<AttemptLog>,
    /// The way out.
    pub outbound: Outbound,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The jitter.
    pub random: Arc<dyn Random>,
}

/// Why deliveries did not begin, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The ledger could not be read.
    #[error("the ledger of deliveries could not be read")]
    Read(#[source] LedgerError),
    /// A record of the ledger makes no sense.
    #[error("record {offset} of the ledger of deliveries is damaged or newer than this program")]
    Record {
        /// Which one.
        offset: u64,
        /// What is wrong with it.
        #[source]
        source: WireError,
    },
    /// A connection's task broke a rule of ours.
    #[error("a connection's task ended")]
    Task(#[source] tokio::task::JoinError),
}

impl DeliverError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Read(source) => source.class(),
            Self::Record { .. } => Class::Corrupt,
            Self::Task(_) => Class::Bug,
        }
    }
}

/// Delivers. Made with [`Deliverer::new`], asked through its [`DelivererHandle`].
#[derive(Debug)]
pub struct Deliverer {
    config: Arc<DeliverConfig>,
    parts: Parts,
    shared: Arc<Shared>,
    asks: mpsc::Receiver<AskReplay>,
}

/// Requests for replays that may wait. Beyond, whoever asks waits.
const ASKS: usize = 16;

/// A connection's task, or that of a replay, as the service sees it.
struct Running {
    /// What it is, if it is a replay.
    replay: Option<Replay>,
    connection: watch::Sender<Arc<Connection>>,
    stop: watch::Sender<bool>,
}

type All = BTreeMap<ConnectionId, Running>;

impl Running {
    /// Whether it is the task of a replay of this connection.
    fn is_replay_of(&self, id: ConnectionId) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.connection == id)
    }

    /// Whether it sends by this connection.
    fn is_of(&self, id: ConnectionId) -> bool {
        self.connection.borrow().id == id
    }
}

impl Deliverer {
    /// A deliverer that has not begun.
    pub fn new(config: DeliverConfig, parts: Parts) -> Self {
        let (sender, asks) = mpsc::channel(ASKS);
        let from = (Arc::clone(&parts.feed), Arc::clone(&parts.ledger));
        let flights = Flights::new(config.requests);
        let shared = Shared::new(from, Arc::clone(&parts.attempts), (sender, flights));
        let shared = Arc::new(shared);
        Self { config: Arc::new(config), parts, shared, asks }
    }

    /// A handle to it.
    pub fn handle(&self) -> DelivererHandle {
        DelivererHandle { shared: Arc::clone(&self.shared) }
    }

    /// Reads the ledger, then delivers until `shutdown` ends. Sends nothing before the first
    /// [`DelivererHandle::set_connections`].
    pub async fn run(
        mut self,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), DeliverError> {
        let mut images = self.load().await?;
        info!(connections = images.0.len(), "deliveries have read their ledger");
        let mut wanted = self.shared.connections.subscribe();
        wanted.mark_changed();
        let mut running: All = BTreeMap::new();
        let mut tasks = JoinSet::new();
        let tail = Arc::clone(&self.shared.pages).follow(self.parts.feed.subscribe());
        let tail = tokio::spawn(tail);
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(ended) = tasks.join_next() => ended.map_err(DeliverError::Task)?,
                Ok(()) = wanted.changed() => {
                    let connections = wanted.borrow_and_update().clone();
                    let Some(connections) = connections else { continue };
                    self.shared.pages.route(&connections);
                    self.remove_missing(&connections, &mut running, &mut images).await;
                    let ids: BTreeSet<_> = connections.iter().map(|one| one.id).collect();
                    if let Err(error) = self.shared.attempts.retain(&ids) {
                        log_chain(&error, "attempts of a removed connection cannot be removed");
                    }
                    for connection in connections.iter() {
                        let connection = Arc::new(connection.clone());
                        let id = connection.id;
                        for task in running.values().filter(|task| task.is_of(id)) {
                            task.connection.send_replace(Arc::clone(&connection));
                        }
                        if running.contains_key(&id) {
                            continue;
                        }
                        // Before it, so that the log is kept for them as soon as it is known what for.
                        for (replay, known) in images.take_replays(id) {
                            let started = self.start(&connection, known, &mut tasks);
                            running.insert(replay, started);
                        }
                        let known = match images.0.remove(&id) {
                            Some(known) => known,
                            None => self.begin(&connection).await,
                        };
                        running.insert(id, self.start(&connection, known, &mut tasks));
                    }
                    self.shared.heard_of.send_replace(Some(connections));
                }
                Some(ask) = self.asks.recv() => self.take_ask(ask, &mut running, &mut tasks).await,
            }
        }
        tail.abort();
        for task in running.values() {
            task.stop.send_replace(true);
        }
        while let Some(ended) = tasks.join_next().await {
            ended.map_err(DeliverError::Task)?;
        }
        Ok(())
    }

    async fn load(&self) -> Result<Images, DeliverError> {
        let (ledger, shared) = (Arc::clone(&self.parts.ledger), Arc::clone(&self.shared));
        let read = tokio::task::spawn_blocking(move || -> Result<Images, DeliverError> {
            let (mut images, mut from) = (Images::default(), Some(0));
            let mut missing = Missing::default();
            while let Some(offset) = from {
                let page = ledger.read(offset).map_err(DeliverError::Read)?;
                for (offset, bytes) in page.records {
                    let record = Record::decode(&bytes)
                        .map_err(|source| DeliverError::Record { offset, source })?;
                    missing.take(offset, &record, &images, &shared);
                    images.take(offset, record);
                    shared.appended(offset);
                }
                from = page.next;
            }
            missing.keep(&shared);
            for (connection, known) in &images.0 {
                shared.keep_from(*connection, known.from);
            }
            Ok(images)
        });
        read.await.map_err(DeliverError::Task)?
    }

    async fn remove_missing(
        &self,
        connections: &[Connection],
        running: &mut All,
        images: &mut Images,
    ) {
        let is_missing = |id: ConnectionId, replay: Option<&Replay>| {
            let owner = replay.map_or(id, |replay| replay.connection);
            !connections.iter().any(|connection| connection.id == owner)
        };
        let gone = running.iter().filter(|(id, task)| is_missing(**id, task.replay.as_ref()));
        let gone: Vec<_> = gone.map(|(id, _)| *id).collect();
        for id in gone {
            self.remove(id, running).await;
        }
        let unknown = images.0.iter().filter(|(id, known)| is_missing(**id, known.replay.as_ref()));
        let unknown: Vec<_> = unknown.map(|(id, _)| *id).collect();
        for id in unknown {
            images.0.remove(&id);
            self.forget(id).await;
        }
    }

    /// Ends a task, and gives up all that is known of what it did.
    async fn remove(&self, id: ConnectionId, running: &mut All) {
        let Some(task) = running.remove(&id) else { return };
        task.stop.send_replace(true);
        // Its last step must not come behind the record that removes it.
        task.connection.closed().await;
        self.forget(id).await;
    }

    async fn forget(&self, connection: ConnectionId) {
        self.shared.forget(connection);
        append(&*self.parts.ledger, &Record { connection, entry: Entry::Removed }).await;
        info!(connection_id = %connection, "connection removed");
    }

    fn start(
        &self,
        connection: &Arc<Connection>,
        known: Known,
        tasks: &mut JoinSet<()>,
    ) -> Running {
        let replay = known.replay.clone();
        let (config, watched) = watch::channel(Arc::clone(connection));
        let (stop, stopped) = watch::channel(false);
        let runner = Runner::new(
            Arc::clone(&self.config),
            self.parts.clone(),
            Arc::clone(&self.shared),
            (watched, stopped),
            known,
        );
        tasks.spawn(runner.run());
        Running { replay, connection: config, stop }
    }

    /// Writes down where a new connection begins.
    async fn begin(&self, connection: &Connection) -> Known {
        let start = match connection.start {
            Start::Now => *self.parts.feed.subscribe().borrow(),
            Start::At(end) => end,
        };
        let record = Record { connection: connection.id, entry: Entry::Started(start) };
        let from = append(&*self.parts.ledger, &record).await;
        let mut known = Known::begin(start, from);
        known.is_new = true;
        known
    }
}

/// Logs an error with its causes.
pub(crate) fn log_chain(error: &(dyn std::error::Error + 'static), message: &'static str) {
    let mut chain = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        chain.push_str(": ");
        chain.push_str(&error.to_string());
        cause = error.source();
    }
    error!(error = %chain, "{message}");
}
