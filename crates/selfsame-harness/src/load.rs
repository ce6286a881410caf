//! Load: many connections, each sending its next request when it may, and what came of it.
//!
//! A closed loop sends when the last answer came: it finds the highest rate. A constant rate sends
//! by the clock and measures from the moment a request should have left, so a server that stalls is
//! charged for all it held up. The timer's own tick is left out where a connection was idle. A request is sent until it is acknowledged, with the same bytes.

pub(crate) mod command;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep, sleep_until};

use crate::generate::{Mix, Numbers, Requests, Supply};
use crate::histogram::Histogram;
use crate::http::Connection;

/// How far the timer may wake an idle connection after its time. So much is the generator's own and
/// not charged to the server; what is beyond it is.
pub(crate) const TICK: Duration = Duration::from_millis(2);
/// How long a connection waits after it broke.
const BREATH: Duration = Duration::from_millis(10);

/// What to send, how fast, and when to stop.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) mix: Mix,
    pub(crate) connections: u64,
    /// Events a second; as many as the server takes if `None`.
    pub(crate) rate: Option<u64>,
    pub(crate) time: Option<Duration>,
    /// Events to send; ends at `time` too.
    pub(crate) events: Option<u64>,
    /// Most events acknowledged ahead of those folded.
    pub(crate) backlog: Option<Backlog>,
}

/// A limit to how far folding may be behind.
#[derive(Debug, Clone)]
pub(crate) struct Backlog {
    pub(crate) folded: Arc<AtomicU64>,
    pub(crate) limit: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outcome {
    /// Events acknowledged.
    pub(crate) acknowledged: u64,
    /// Answers `429`, and `503`.
    pub(crate) refused: u64,
    /// Answers that were neither 200 nor a refusal for now.
    pub(crate) other: u64,
    /// The status of the last of those.
    pub(crate) other_status: u16,
    /// Connections that broke.
    pub(crate) broken: u64,
    pub(crate) took: Duration,
    /// From the moment it left, or should have, to its acknowledgement.
    pub(crate) latency: Histogram,
    /// How late idle connections woke up at a constant rate: the generator's own part.
    pub(crate) late: Histogram,
}

impl Outcome {
    /// Events acknowledged a second.
    pub(crate) fn rate(&self) -> u64 {
        crate::print::per_second(self.acknowledged, self.took)
    }

    fn add(&mut self, other: &Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.other += other.other;
        self.other_status = self.other_status.max(other.other_status);
        self.broken += other.broken;
        self.latency.merge(&other.latency);
        self.late.merge(&other.late);
    }
}

#[derive(Debug)]
struct Shared {
    plan: Plan,
    started: Instant,
    /// When a constant rate sends its next request is decided by this number.
    slots: AtomicU64,
    acknowledged: AtomicU64,
    stop: Arc<AtomicBool>,
}

/// Sends until the plan is done, or `stop` is set.
pub(crate) async fn run(plan: Plan, stop: Arc<AtomicBool>) -> Result<Outcome> {
    let numbers = Arc::new(Numbers::default());
    let of = |index| Requests::new(&plan.mix, &numbers, index);
    let supplies: Vec<Requests> = (0..plan.connections).map(of).collect();
    run_with(plan, supplies, stop).await
}

/// The same, with other requests: one supply for each connection, each request with as many events
/// as the mix says.
pub(crate) async fn run_with(
    plan: Plan,
    supplies: Vec<impl Supply>,
    stop: Arc<AtomicBool>,
) -> Result<Outcome> {
    let mut connections = Vec::new();
    for _ in &supplies {
        let mut connection = Connection::new(plan.address);
        // Connecting is not what is measured; one that fails here is made again when it is needed.
        connection.connect().await.ok();
        connections.push(connection);
    }
    let started = Instant::now();
    let (slots, acknowledged) = (AtomicU64::new(0), AtomicU64::new(0));
    let shared = Arc::new(Shared { plan, started, slots, acknowledged, stop });
    let mut tasks = Vec::new();
    for (supply, connection) in supplies.into_iter().zip(connections) {
        tasks.push(tokio::spawn(send_all(Arc::clone(&shared), supply, connection)));
    }
    let mut all = Outcome::default();
    for task in tasks {
        all.add(&task.await?);
    }
    all.took = started.elapsed();
    Ok(all)
}

async fn send_all(
    shared: Arc<Shared>,
    mut supply: impl Supply,
    mut connection: Connection,
) -> Outcome {
    let mut outcome = Outcome::default();
    while let Some(intended) = shared.turn(&mut outcome).await {
        let request = supply.next();
        let intended = intended.unwrap_or_else(Instant::now);
        if shared.deliver(&mut connection, request, &mut outcome).await {
            outcome.latency.record(intended.elapsed());
            outcome.acknowledged += shared.plan.mix.batch;
            shared.acknowledged.fetch_add(shared.plan.mix.batch, Ordering::Relaxed);
        }
    }
    outcome
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
            || self.plan.time.is_some_and(|time| self.started.elapsed() >= time)
    }

    /// Waits for the turn of the next request: when it should leave, if a rate says so.
    async fn turn(&self, outcome: &mut Outcome) -> Option<Option<Instant>> {
        let slot = self.slots.fetch_add(1, Ordering::Relaxed);
        if self.plan.events.is_some_and(|events| slot * self.plan.mix.batch >= events) {
            return None;
        }
        if let Some(backlog) = &self.plan.backlog {
            let ahead = || {
                let acknowledged = self.acknowledged.load(Ordering::Relaxed);
                acknowledged.saturating_sub(backlog.folded.load(Ordering::Relaxed))
            };
            while ahead() > backlog.limit && !self.is_over() {
                sleep(Duration::from_millis(5)).await;
            }
        }
        let intended = self.plan.rate.map(|rate| {
            let nanos =
                u128::from(slot * self.plan.mix.batch) * 1_000_000_000 / u128::from(rate.max(1));
            self.started + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        });
        if let Some(mut intended) = intended {
            if self.plan.time.is_some_and(|time| intended - self.started >= time) {
                return None;
            }
            if intended > Instant::now() {
                sleep_until(intended).await;
                outcome.late.record(intended.elapsed());
                intended += intended.elapsed().min(TICK);
            }
            return (!self.stop.load(Ordering::Relaxed)).then_some(Some(intended));
        }
        (!self.is_over()).then_some(None)
    }

    /// Sends one request until it is acknowledged; whether it was before the time was over.
    async fn deliver(
        &self,
        connection: &mut Connection,
        request: &[u8],
        outcome: &mut Outcome,
    ) -> bool {
        loop {
            let wait = match connection.send(request).await {
                Ok(answer) if answer.status == 200 => return true,
                Ok(answer) if answer.is_refused_for_now() => {
                    outcome.refused += 1;
                    answer.retry_after.unwrap_or(Duration::from_secs(1))
                }
                Ok(answer) => {
                    outcome.other += 1;
                    outcome.other_status = answer.status;
                    return false;
                }
                Err(_) => {
                    outcome.broken += 1;
                    BREATH
                }
            };
            if self.is_over() {
                return false;
            }
            sleep(wait).await;
        }
    }
}
