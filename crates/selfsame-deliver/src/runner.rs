//! One connection's task: reads, sends and appends what its lane decides.
//!
//! Nothing here waits for another connection. Of reads, appends, snapshots, looks at the lag and at what is in
//! doubt at most one each is under way; requests run beside them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use selfsame_event::{ItemPosition, Time};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::connection::{Connection, ConnectionId, Filter};
use crate::deliverer::{DeliverConfig, Parts, log_chain};
use crate::feed::{FeedEnd, FeedError};
use crate::flights::Flight;
use crate::image::Known;
use crate::lag::{Lag, Measured};
use crate::lane::{Lane, Limits};
use crate::ledger::Ledger;
use crate::metrics;
use crate::outcome::{Outcome, Withheld};
use crate::record::{Attempt, Entry, Record, Step};
use crate::replay::Replay;
use crate::retry::plus;
use crate::shared::{Command, Shared};
use crate::told::Told;
use crate::tool::Spoken;

mod actions;
mod attempt;
mod doubt;
mod keeping;
mod lag;
mod reading;
mod replaying;
mod saying;
mod sending;
mod showing;
mod together;

use attempt::Around;
use replaying::Replaying;
use showing::dead_letters;
use together::{Early, Reports};

/// Commands that may wait for a connection's task. Beyond, whoever asks waits.
const MAILBOX: usize = 16;
/// A task looks around at least this often: the wall clock may have jumped.
const LOOK_AROUND: Duration = Duration::from_secs(30);
/// Reports of tasks that may wait. Beyond, the tasks wait.
const EARLY: usize = 64;
/// How long a read that failed waits.
const READ_AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Runner {
    config: Arc<DeliverConfig>,
    parts: Parts,
    shared: Arc<Shared>,
    id: ConnectionId,
    connection: watch::Receiver<Arc<Connection>>,
    /// What it is spoken to with, as of the last look.
    tool: Option<Spoken>,
    stop: watch::Receiver<bool>,
    feed_end: watch::Receiver<FeedEnd>,
    /// Something came that it may want.
    news: Arc<Notify>,
    commands: mpsc::Receiver<Command>,
    lane: Lane,
    /// What it replays, if it is the task of a replay.
    replaying: Option<Replaying>,
    around: Arc<Around>,
    requests: JoinSet<Reports>,
    /// What each of them is of that it has not told of.
    places: HashMap<Id, (Vec<ItemPosition>, Flight)>,
    /// What is told before a task ends.
    early: (Early, mpsc::Receiver<(Id, Reports)>),
    reading: Option<JoinHandle<reading::Read>>,
    /// Reads a page of those that are read together.
    loading: Option<JoinHandle<reading::Loaded>>,
    /// Whether there are more pages to take.
    has_more: bool,
    read_again_at: Time,
    doubting: Option<JoinHandle<doubt::Noted>>,
    doubt_again_at: Time,
    measuring: Option<JoinHandle<Result<Measured, FeedError>>>,
    measure_at: Time,
    started: Time,
    measured: Measured,
    lag: Lag,
    appending: Option<JoinHandle<u64>>,
    /// Bytes of answers that wait to be kept.
    answered_bytes: usize,
    expire_at: Time,
    /// Whether the lane may have something to append.
    is_changed: bool,
    flush_at: Time,
    idle_at: Time,
    /// When its numbers may be said again, and whether there are others.
    publish_at: Instant,
    is_unsaid: bool,
}

/// Appends a record, for as long as it takes. Returns its offset.
pub(crate) async fn append(ledger: &dyn Ledger, record: &Record) -> u64 {
    let bytes = record.encode();
    assert!(bytes.len() <= crate::LEDGER_RECORD_BYTES, "records are cut before they grow so large");
    ::metrics::counter!(metrics::LEDGER_RECORDS).increment(1);
    ::metrics::counter!(metrics::LEDGER_BYTES).increment(bytes.len() as u64);
    let mut wait = Duration::from_millis(100);
    loop {
        match ledger.append(bytes.clone()).await {
            Ok(offset) => return offset,
            Err(error) => log_chain(&error, "the ledger did not take a record, trying again"),
        }
        ::metrics::counter!(metrics::LEDGER_FAILURES).increment(1);
        sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(10));
    }
}

/// The end of a task that may not be there.
async fn ended<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(running) => {
            let result = running.await;
            *task = None;
            result
        }
        None => std::future::pending().await,
    }
}

impl Runner {
    pub(crate) fn new(
        config: Arc<DeliverConfig>,
        parts: Parts,
        shared: Arc<Shared>,
        (connection, stop): (watch::Receiver<Arc<Connection>>, watch::Receiver<bool>),
        known: Known,
    ) -> Self {
        let first = Arc::clone(&connection.borrow());
        let (mailbox, commands) = mpsc::channel(MAILBOX);
        let id = known.replay.as_ref().map_or(first.id, Replay::id);
        shared.set_mailbox(id, mailbox);
        shared.keep_from(id, known.from);
        let limits = limits(&config, &first, known.replay.is_some());
        let mut lane = Lane::new(limits, config.retry, known.image);
        // What just began has nothing that was sent before, and a replay has no changes.
        if !known.is_new && known.replay.is_none() {
            lane.doubt(parts.feed.unsent(lane.read_to()));
        }
        let started = parts.clock.wall();
        let replaying = known.replay.map(|replay| Replaying::new(replay, started));
        if replaying.as_ref().is_some_and(|replaying| replaying.replay.is_cancelled) {
            lane.withhold();
        }
        let told = lane.image().told.clone();
        let around = around(&parts, &shared, &first, told);
        let mut runner = Self {
            id,
            around,
            early: mpsc::channel(EARLY),
            tool: first.tool.clone(),
            feed_end: parts.feed.subscribe(),
            news: shared.pages.news(id),
            config,
            parts,
            shared,
            connection,
            stop,
            commands,
            lane,
            replaying,
            requests: JoinSet::new(),
            places: HashMap::new(),
            reading: None,
            loading: None,
            has_more: false,
            read_again_at: Time::EPOCH,
            doubting: None,
            doubt_again_at: Time::EPOCH,
            measuring: None,
            measure_at: Time::EPOCH,
            started,
            measured: Measured::default(),
            lag: Lag::default(),
            appending: None,
            answered_bytes: 0,
            expire_at: Time::EPOCH,
            is_changed: true,
            flush_at: Time::EPOCH,
            idle_at: Time::EPOCH,
            publish_at: Instant::now(),
            is_unsaid: false,
        };
        runner.publish();
        runner
    }

    pub(crate) async fn run(mut self) {
        while !*self.stop.borrow_and_update() {
            let now = self.parts.clock.wall();
            self.send(now);
            self.read(now);
            self.lane.folded(self.feed_end.borrow().at);
            self.doubt(now);
            self.measure(now);
            self.flush(now);
            self.expire(now);
            self.publish_in_turn();
            let wait = self.wait(now);
            tokio::select! {
                biased;
                _ = self.stop.changed() => {}
                Some(done) = self.requests.join_next_with_id() => {
                    self.finished(done);
                    while let Some(done) = self.requests.try_join_next_with_id() {
                        self.finished(done);
                    }
                }
                Some((task, reports)) = self.early.1.recv() => self.told_of(task, reports),
                done = ended(&mut self.appending) => self.appended(done).await,
                page = ended(&mut self.loading) => self.loaded(page),
                page = ended(&mut self.reading) => self.offered(page),
                noted = ended(&mut self.doubting) => self.doubted(noted),
                done = ended(&mut self.measuring) => self.measured(done),
                Some(command) = self.commands.recv() => {
                    if self.connection.has_changed().unwrap_or(false) {
                        self.reconfigured();
                    }
                    self.answer(command).await;
                    self.publish_at = Instant::now();
                }
                Ok(()) = self.connection.changed() => self.reconfigured(),
                () = self.news.notified() => {}
                // The end of the feed is followed by one task for all but those that replay a part of it.
                Ok(()) = self.feed_end.changed(), if self.replaying.is_some() && !self.is_over() => {}
                () = sleep(wait) => {
                    if self.appending.is_none() {
                        self.snapshot().await;
                    }
                }
            }
        }
        self.stop().await;
    }

    fn settings(&self) -> Arc<Connection> {
        Arc::clone(&self.connection.borrow())
    }

    /// What the connection wants as of now.
    fn filter(&self) -> Filter {
        self.settings().filter.with_derived(self.parts.feed.wanted(self.id))
    }

    fn flush(&mut self, now: Time) {
        if self.appending.is_some() {
            return;
        }
        let is_idle = now >= self.idle_at;
        let is_due = self.is_changed && (now >= self.flush_at || self.lane.is_urgent());
        if !is_due && !is_idle {
            return;
        }
        self.is_changed = false;
        self.flush_at = plus(now, self.config.flush_interval);
        if is_idle {
            self.idle_at = plus(now, LOOK_AROUND);
        }
        let Some(step) = self.lane.take_step(now, is_idle) else { return };
        count(&step);
        let rows = self.kept(&step);
        self.answered_bytes = 0;
        let record = Record { connection: self.id, entry: Entry::Step(step) };
        let (ledger, shared) = (Arc::clone(&self.parts.ledger), Arc::clone(&self.shared));
        let whose = self.whose();
        self.appending = Some(tokio::spawn(async move {
            let offset = append(&*ledger, &record).await;
            let keep = move || shared.keep(whose, offset, &rows);
            if let Err(error) = tokio::task::spawn_blocking(keep).await {
                log_chain(&error, "keeping attempts ended");
            }
            offset
        }));
    }

    async fn appended(&mut self, done: Result<u64, JoinError>) {
        let offset = done.expect("appending does not panic and is not cancelled");
        self.lane.durable();
        self.is_changed = true;
        self.shared.appended(offset);
        self.snapshot().await;
    }

    /// Writes all that is known once that lets go of many records.
    async fn snapshot(&self) {
        if self.shared.records_since(self.id) < self.config.snapshot_records {
            return;
        }
        let mut first = None;
        if let Some(Replaying { replay, .. }) = &self.replaying {
            let record = Record { connection: self.id, entry: Entry::Replay(replay.clone()) };
            first = Some(append(&*self.parts.ledger, &record).await);
        }
        for part in self.lane.image().snapshot() {
            let record = Record { connection: self.id, entry: Entry::Snapshot(part) };
            let offset = append(&*self.parts.ledger, &record).await;
            first.get_or_insert(offset);
        }
        if let Some(first) = first {
            self.shared.keep_from(self.id, first);
            self.shared.appended(first);
        }
        self.shared.release(self.config.kept_records).await;
    }

    fn reconfigured(&mut self) {
        let connection = Arc::clone(&self.connection.borrow_and_update());
        let limits = limits(&self.config, &connection, self.replaying.is_some());
        self.lane.set_limits(limits);
        self.around = around(&self.parts, &self.shared, &connection, self.around.told.clone());
        if self.tool != connection.tool {
            self.tool.clone_from(&connection.tool);
            // Its credentials may be others now.
            if self.lane.is_denied() {
                info!(connection_id = %self.id, "a connection that was refused is tried again");
                self.lane.resume();
                self.is_changed = true;
            }
        }
    }

    async fn answer(&mut self, command: Command) {
        // A reply that nobody waits for any more is no loss.
        match command {
            Command::DeadLetters(page, reply) => {
                reply.send(dead_letters(self.lane.image(), page)).ok();
            }
            Command::Resend(selection, reply) => {
                let resent = self.lane.resend(&selection, self.parts.clock.wall());
                info!(connection_id = %self.id, resent, "dead letters are sent again");
                ::metrics::counter!(metrics::RESENT).increment(resent as u64);
                self.is_changed = true;
                reply.send(resent).ok();
            }
            Command::DeadRanges(reply) => {
                reply.send(self.lane.ranges()).ok();
            }
            Command::ResendRanges(selection, reply) => {
                let resent = self.lane.resend_ranges(selection);
                info!(connection_id = %self.id, resent, "dead ranges are sent again");
                ::metrics::counter!(metrics::RESENT).increment(resent);
                self.is_changed = true;
                reply.send(resent).ok();
            }
            Command::Resume(reply) => {
                self.lane.resume();
                self.is_changed = true;
                reply.send(()).ok();
            }
            Command::Ledgered(between, reply) => {
                reply.send(self.ledgered(between).await).ok();
            }
            Command::Cancel(reply) => {
                self.cancel().await;
                reply.send(()).ok();
            }
        }
    }

    /// How long there is nothing to do, unless something happens.
    fn wait(&self, now: Time) -> Duration {
        let flush = (self.is_changed && self.appending.is_none()).then_some(self.flush_at);
        let read = (self.read_again_at > now).then_some(self.read_again_at);
        let wake = self.lane.wake_at(now).filter(|_| self.may_send());
        let replay = self.replay_wake(now);
        let measure = self.measure_wake();
        let reread = self.lane.reread_wake().filter(|at| *at > now);
        let doubt = (self.doubt_again_at > now).then_some(self.doubt_again_at);
        let next = [flush, read, wake, replay, measure, reread, doubt].into_iter().flatten().min();
        let wait = next.map_or(LOOK_AROUND, |at| {
            let micros = at.micros().saturating_sub(now.micros());
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        });
        let wait = if self.has_more { Duration::ZERO } else { wait };
        let publish = self.is_unsaid.then(|| self.publish_at.duration_since(Instant::now()));
        wait.min(publish.unwrap_or(LOOK_AROUND)).clamp(Duration::from_millis(1), LOOK_AROUND)
    }

    /// Lets requests end, and appends what they told.
    async fn stop(mut self) {
        let stop_timeout = self.config.stop_timeout;
        let last = async {
            while !self.requests.is_empty() {
                tokio::select! {
                    Some(done) = self.requests.join_next_with_id() => self.finished(done),
                    Some((task, reports)) = self.early.1.recv() => self.told_of(task, reports),
                }
            }
        };
        if tokio::time::timeout(stop_timeout, last).await.is_err() {
            warn!(connection_id = %self.id, "requests were cut off at the stop");
            self.requests.abort_all();
        }
        loop {
            if self.appending.is_some() {
                let done = ended(&mut self.appending).await;
                self.appended(done).await;
            }
            let now = self.parts.clock.wall();
            (self.is_changed, self.flush_at, self.idle_at) = (true, now, now);
            self.flush(now);
            if self.appending.is_none() {
                break;
            }
        }
        self.publish();
    }
}

/// How much the lane of a connection holds, or that of a replay of it.
fn limits(config: &DeliverConfig, connection: &Connection, is_replay: bool) -> Limits {
    let limits = config.limits(connection);
    match is_replay {
        true => Limits { concurrency: Replay::concurrency(limits.concurrency), ..limits },
        false => limits,
    }
}

fn around(parts: &Parts, shared: &Shared, connection: &Arc<Connection>, told: Told) -> Arc<Around> {
    let (parts, pages) = (parts.clone(), Arc::clone(&shared.pages));
    Arc::new(Around { parts, connection: Arc::clone(connection), pages, told })
}

fn count(step: &Step) {
    ::metrics::counter!(metrics::DEAD).increment(step.dead.len() as u64);
    let delivered = step
        .attempts
        .iter()
        .filter(|attempt| matches!(attempt.outcome, Outcome::Delivered { .. }))
        .count();
    ::metrics::counter!(metrics::DELIVERED).increment(delivered as u64);
    let is_superseded =
        |attempt: &&Attempt| matches!(attempt.outcome, Outcome::Withheld(Withheld::Superseded));
    let superseded = step.attempts.iter().filter(is_superseded).count();
    ::metrics::counter!(metrics::SUPERSEDED).increment(superseded as u64);
}
