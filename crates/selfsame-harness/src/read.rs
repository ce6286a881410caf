//! Profile reads at a constant rate beside a load, from a thread of their own so that the load's
//! requests do not queue before them in this process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::time::{Instant, sleep, sleep_until};

use crate::generate::{finish, is_known, post_head, user_id};
use crate::histogram::Histogram;
use crate::http::Connection;
use crate::load::TICK;
use crate::profile_api::request;
use crate::random::Random;

const CONNECTIONS: u64 = 4;
const PARTS: [&str; 4] = ["traits", "events", "metadata", "external_ids"];
/// How often a new profile is made, to see when it can be read.
const PROBE_EVERY: Duration = Duration::from_millis(500);
/// How long a new profile is waited for.
const PROBE_PATIENCE: Duration = Duration::from_secs(60);

/// What the reads took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reads {
    /// Of profiles that were there.
    pub(crate) found: Histogram,
    /// How late idle connections woke up: the generator's own part.
    pub(crate) late: Histogram,
    /// Profiles that were not there yet.
    pub(crate) missing: u64,
    /// Answers other than 200 and 404, and broken connections.
    pub(crate) failed: u64,
    /// From the acknowledgement of a new profile's first event to its first successful read.
    pub(crate) fresh: Histogram,
    /// New profiles that could not be read within a minute, or by the end.
    pub(crate) stale: u64,
}

/// Reads going on.
#[derive(Debug)]
pub(crate) struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Reads>>,
}

impl Reader {
    /// Starts so many reads a second, of profiles below `profiles`.
    pub(crate) fn start(address: SocketAddr, rate: u64, profiles: u64) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("reader".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(read_all(address, rate, profiles, ended))
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the reads; what they took.
    pub(crate) fn stop(self) -> Result<Reads> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the reader ended early"))?
    }
}

async fn read_all(
    address: SocketAddr,
    rate: u64,
    profiles: u64,
    stop: Arc<AtomicBool>,
) -> Result<Reads> {
    let started = Instant::now();
    let slots = Arc::new(AtomicU64::new(0));
    let mut tasks = vec![tokio::spawn(probe(address, Arc::clone(&stop)))];
    for index in 0..CONNECTIONS {
        let (slots, stop) = (Arc::clone(&slots), Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            let (mut reads, mut connection) = (Reads::default(), Connection::new(address));
            let mut random = Random::part(0x0EAD, index);
            while !stop.load(Ordering::Relaxed) {
                let slot = slots.fetch_add(1, Ordering::Relaxed);
                let nanos = slot.saturating_mul(1_000_000_000) / rate.max(1);
                let mut intended = started + Duration::from_nanos(nanos);
                if intended > Instant::now() {
                    sleep_until(intended).await;
                    reads.late.record(intended.elapsed());
                    intended += intended.elapsed().min(TICK);
                }
                let part = PARTS[usize::from(random.next().to_le_bytes()[0]) % PARTS.len()];
                let id = format!("user_id:{}", user_id(known(&mut random, profiles)));
                match connection.send(&request(&id, part)).await {
                    Ok(answer) if answer.status == 200 => reads.found.record(intended.elapsed()),
                    Ok(answer) if answer.status == 404 => reads.missing += 1,
                    _ => reads.failed += 1,
                }
            }
            reads
        }));
    }
    let mut all = Reads::default();
    for task in tasks {
        let reads = task.await?;
        all.found.merge(&reads.found);
        all.late.merge(&reads.late);
        all.fresh.merge(&reads.fresh);
        all.missing += reads.missing;
        all.failed += reads.failed;
        all.stale += reads.stale;
    }
    Ok(all)
}

fn known(random: &mut Random, profiles: u64) -> u64 {
    let profile = random.below(profiles);
    if is_known(profile) { profile } else { profile - profile % 5 }
}

/// Makes new profiles and times when each can be read.
async fn probe(address: SocketAddr, stop: Arc<AtomicBool>) -> Reads {
    let (mut reads, mut connection) = (Reads::default(), Connection::new(address));
    let (head, mut post) = (post_head("/v1/identify"), Vec::new());
    let over = || stop.load(Ordering::Relaxed);
    for number in 0_u64.. {
        sleep(PROBE_EVERY).await;
        if over() {
            break;
        }
        let body = format!(
            "{{\"type\":\"identify\",\"messageId\":\"probe-{number}\",\"userId\":\"probe-{number}\",\"traits\":{{\"n\":1}}}}"
        );
        finish(&mut post, &head, body.as_bytes());
        if !matches!(connection.send(&post).await, Ok(answer) if answer.status == 200) {
            reads.failed += 1;
            continue;
        }
        let acknowledged = Instant::now();
        let read = request(&format!("user_id:probe-{number}"), "traits");
        loop {
            match connection.send(&read).await {
                Ok(answer) if answer.status == 200 => {
                    reads.fresh.record(acknowledged.elapsed());
                    break;
                }
                _ if over() || acknowledged.elapsed() > PROBE_PATIENCE => {
                    reads.stale += 1;
                    break;
                }
                _ => sleep(Duration::from_millis(5)).await,
            }
        }
    }
    reads
}
