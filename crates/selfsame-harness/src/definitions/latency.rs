//! From the acknowledgement of an event to the webhook that hears who entered an audience by it, while
//! other events flow.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use tokio::time::{Instant, sleep, sleep_until};

use super::measure::Subject;
use crate::generate::{finish, post_head};
use crate::histogram::Histogram;
use crate::http::Connection;
use crate::print;

pub(super) const AUDIENCE: &str = "probed";
pub(super) const QUERY: &str =
    "event('Order Completed').where(property('coupon') = 'PROBE').count() >= 1";
/// Orders a second that make somebody enter.
const RATE: u64 = 50;
const CONNECTIONS: usize = 4;
/// How long the load flows before the first of them.
const WARM_UP: Duration = Duration::from_secs(2);
/// How long the last one is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was heard.
#[derive(Debug, Clone)]
pub(super) struct Latency {
    /// Other events a second meanwhile: wanted, and acknowledged.
    pub(super) wanted: u64,
    pub(super) rate: u64,
    /// People who entered, and of whom nothing was heard.
    pub(super) sent: u64,
    pub(super) missing: u64,
    pub(super) took: Histogram,
    /// Records not folded at the end.
    pub(super) lag: u64,
}

pub(super) async fn measure(subject: &mut Subject, rate: u64, time: Duration) -> Result<Latency> {
    let probes = RATE * time.as_secs() + RATE;
    let people = subject.shop.customers(0, probes);
    let people: Vec<String> = people.into_iter().map(|person| person.user_id()).collect();
    if people.is_empty() {
        bail!("nobody has signed up: the shop needs more events");
    }
    drop(subject.sink.take()?);
    let stop = Arc::new(AtomicBool::new(false));
    let live = subject.live(rate, Some(time), &stop);
    sleep(WARM_UP).await;
    let prober = Prober::start(subject.server.address, people)?;
    let outcome = live.await??;
    let acknowledged = prober.stop()?;
    let lag = subject.scrape.state().await?.lag;

    let (sent, waited) = (acknowledged.len() as u64, Instant::now());
    while subject.sink.count() < sent && waited.elapsed() < PATIENCE {
        sleep(Duration::from_millis(20)).await;
    }
    let mut heard: BTreeMap<String, Instant> = BTreeMap::new();
    for told in subject.sink.take()? {
        if told.audience == AUDIENCE && told.is_in {
            heard.entry(told.to).or_insert(told.at);
        }
    }
    let (mut took, mut missing) = (Histogram::default(), 0);
    for (person, at) in &acknowledged {
        match heard.get(person) {
            Some(heard) => took.record(heard.saturating_duration_since(*at)),
            None => missing += 1,
        }
    }
    print::line(format!(
        "entered: {} people, {missing} not heard of, p50 {} p99 {} max {}",
        print::count(sent),
        print::duration(took.quantile(500)),
        print::duration(took.quantile(990)),
        print::duration(took.max()),
    ));
    Ok(Latency { wanted: rate, rate: outcome.rate(), sent, missing, took, lag })
}

/// Orders at a constant rate, from a thread of their own.
struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<BTreeMap<String, Instant>>>,
}

impl Prober {
    fn start(address: SocketAddr, people: Vec<String>) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("prober".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(probe(address, people, ended))
        })?;
        Ok(Self { stop, thread })
    }

    /// When the order of each person was acknowledged.
    fn stop(self) -> Result<BTreeMap<String, Instant>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the prober ended early"))?
    }
}

async fn probe(
    address: SocketAddr,
    people: Vec<String>,
    stop: Arc<AtomicBool>,
) -> Result<BTreeMap<String, Instant>> {
    let (people, started) = (Arc::new(people), Instant::now());
    let mut tasks = Vec::new();
    for first in 0..CONNECTIONS {
        let (people, stop) = (Arc::clone(&people), Arc::clone(&stop));
        tasks.push(tokio::spawn(async move {
            let (mut connection, mut acknowledged) = (Connection::new(address), BTreeMap::new());
            let (head, mut request) = (post_head("/v1/track"), Vec::new());
            for (index, person) in (0_u64..).zip(people.iter()).skip(first).step_by(CONNECTIONS) {
                sleep_until(started + Duration::from_millis(index * 1_000 / RATE)).await;
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let body = format!(
                    "{{\"messageId\":\"probe-{index}\",\"userId\":\"{person}\",\"event\":\
                     \"Order Completed\",\"properties\":{{\"total\":20.50,\"coupon\":\"PROBE\",\
                     \"product_id\":\"P-00001\"}}}}"
                );
                finish(&mut request, &head, body.as_bytes());
                let answer = connection.send(&request).await.context("an order")?;
                match answer.status {
                    200 => drop(acknowledged.insert(person.clone(), Instant::now())),
                    _ if answer.is_refused_for_now() => {}
                    status => bail!("an order was answered {status}"),
                }
            }
            Ok(acknowledged)
        }));
    }
    let mut all = BTreeMap::new();
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(all)
}
