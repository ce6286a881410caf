//! Many people whose window ends in the same seconds, with no event: when that is written down, when
//! the webhook hears of it, and what reads say meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use selfsame_event::{Clock as _, SystemClock, Time};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::measure::{Size, Subject, until};
use crate::generate::{finish, post_head};
use crate::histogram::Histogram;
use crate::http::Connection;
use crate::print;
use crate::profile_api::request;

pub(super) const AUDIENCE: &str = "flash";
/// How many leave in a second.
const RATE: u64 = 20_000;
const CONNECTIONS: u64 = 8;
const BATCH: usize = 100;
/// How many of them are read at the moment at which they leave.
const READS: usize = 500;
/// How long behind its moment a read is made: the two clocks are read one after the other.
const GRACE: i64 = 5_000;
/// How long the last exit is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Who stays for so many seconds.
pub(super) fn query(window: u64) -> String {
    format!(
        "event('Product Viewed').where(property('campaign') = 'flash')\
         .within({window} seconds).count() >= 1"
    )
}

/// What became of them.
#[derive(Debug, Clone)]
pub(super) struct Exits {
    /// People who were in, and of whom the webhook had heard that before the first left.
    pub(super) members: u64,
    pub(super) told: u64,
    /// How long it took until nobody was in any more, from the moment of the first.
    pub(super) emptied: Duration,
    /// Exits that the webhook heard of.
    pub(super) heard: u64,
    /// From the moment of an exit to the record that says so, and to the webhook.
    pub(super) written: Histogram,
    pub(super) arrived: Histogram,
    /// From the first that was heard to the last.
    pub(super) hearing: Duration,
    /// Reads behind their moment, and those that still said in.
    pub(super) reads: u64,
    pub(super) stale: u64,
}

impl Exits {
    /// People who left a second, as the audience shrank.
    pub(super) fn rate(&self) -> u64 {
        print::per_second(self.members, self.emptied)
    }
}

pub(super) async fn measure(subject: &mut Subject, size: &Size) -> Result<Exits> {
    let people = subject.shop.customers(subject.shop.people() / 2, size.exits);
    let people: Arc<Vec<String>> = Arc::new(people.iter().map(|one| one.user_id()).collect());
    let clock = SystemClock::default();
    let offset = |index: usize| i64::try_from(index as u64 * 1_000_000 / RATE).unwrap_or(0);
    let spread = offset(people.len());
    // All of it lies in the past, so that no event is held to the time at which it came.
    let first = clock.wall().plus_micros(-spread - 1_000_000);
    drop(subject.sink.take()?);
    let started = Instant::now();
    enter(subject.server.address, &people, first).await?;
    subject.scrape.drained(PATIENCE).await?;
    let window = i64::try_from(size.window).unwrap_or(0) * 1_000_000;
    let leaves = first.plus_micros(window);
    let members = members(subject).await?;
    print::line(format!(
        "flash sale: {} people entered in {}",
        print::count(members),
        print::duration(started.elapsed())
    ));
    if members == 0 || clock.wall() >= leaves {
        bail!("the window of {} s ended before everybody was in: make it longer", size.window);
    }
    while subject.sink.count() < members && clock.wall() < leaves {
        sleep(Duration::from_millis(20)).await;
    }
    let told = subject.sink.take()?.iter().filter(|one| one.is_in).count() as u64;

    sleep(until(&clock, leaves)).await;
    let reader = read_all(subject.server.address, &people, leaves);
    let started = Instant::now();
    while self::members(subject).await? > 0 {
        if started.elapsed() > PATIENCE + Duration::from_micros(spread.unsigned_abs()) {
            bail!("people are still in {PATIENCE:?} after the window ended");
        }
        sleep(Duration::from_millis(10)).await;
    }
    let emptied = started.elapsed();
    let (reads, stale) = reader.await??;
    while subject.sink.count() < told && started.elapsed() < PATIENCE {
        sleep(Duration::from_millis(20)).await;
    }
    let mut exits = Exits {
        members,
        told,
        emptied,
        heard: 0,
        written: Histogram::default(),
        arrived: Histogram::default(),
        hearing: Duration::ZERO,
        reads,
        stale,
    };
    let all = subject.sink.take()?;
    if let (Some(first), Some(last)) = (all.first(), all.last()) {
        exits.hearing = last.at.saturating_duration_since(first.at);
    }
    for one in all.iter().filter(|one| one.audience == AUDIENCE && !one.is_in) {
        exits.heard += 1;
        exits.written.record(between(one.since, one.written));
        exits.arrived.record(between(one.since, one.wall));
    }
    print::line(format!(
        "flash sale: {} of {} were heard to leave; {stale} of {reads} reads were late",
        print::count(exits.heard),
        print::count(told),
    ));
    Ok(exits)
}

fn between(from: Time, to: Time) -> Duration {
    Duration::from_micros(u64::try_from(to.micros() - from.micros()).unwrap_or(0))
}

async fn members(subject: &mut Subject) -> Result<u64> {
    let known = subject.control.definition(AUDIENCE).await?;
    Ok(known["members"].as_u64().unwrap_or(0))
}

/// Sends the event by which each of them is in, each at its own moment.
async fn enter(address: SocketAddr, people: &Arc<Vec<String>>, first: Time) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks: Vec<JoinHandle<Result<()>>> = Vec::new();
    for _ in 0..CONNECTIONS {
        let (people, next) = (Arc::clone(people), Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            let (mut connection, head) = (Connection::new(address), post_head("/v1/batch"));
            let mut request = Vec::new();
            loop {
                let from = next.fetch_add(BATCH as u64, Ordering::Relaxed);
                let from = usize::try_from(from)?;
                let Some(some) = people.get(from..people.len().min(from + BATCH)) else { break };
                if some.is_empty() {
                    break;
                }
                let event = |(index, person): (u64, &String)| {
                    let offset = i64::try_from(index * 1_000_000 / RATE).unwrap_or(0);
                    format!(
                        "{{\"type\":\"track\",\"event\":\"Product Viewed\",\"messageId\":\
                         \"flash-{index}\",\"userId\":\"{person}\",\"timestamp\":\"{}\",\
                         \"properties\":{{\"price\":9.50,\"category\":\"shoes\",\
                         \"campaign\":\"flash\"}}}}",
                        first.plus_micros(offset)
                    )
                };
                let events: Vec<_> = (from as u64..).zip(some).map(event).collect();
                let body = format!("{{\"batch\":[{}]}}", events.join(","));
                finish(&mut request, &head, body.as_bytes());
                loop {
                    let answer = connection.send(&request).await?;
                    match answer.status {
                        200 => break,
                        _ if answer.is_refused_for_now() => {
                            sleep(Duration::from_millis(50)).await;
                        }
                        status => bail!("the flash sale was answered {status}"),
                    }
                }
            }
            Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// Reads some of them just behind the moment at which each leaves; how many, and who was still in.
fn read_all(
    address: SocketAddr,
    people: &Arc<Vec<String>>,
    leaves: Time,
) -> JoinHandle<Result<(u64, u64)>> {
    let people = Arc::clone(people);
    tokio::spawn(async move {
        let (mut connection, clock) = (Connection::new(address), SystemClock::default());
        let (mut reads, mut stale) = (0, 0);
        for (index, person) in (0_u64..).zip(people.iter()).step_by(people.len().div_ceil(READS)) {
            let offset = i64::try_from(index * 1_000_000 / RATE).unwrap_or(0);
            sleep(until(&clock, leaves.plus_micros(offset + GRACE))).await;
            let part = format!("traits?include={AUDIENCE}");
            let answer = connection.ask(&request(&format!("user_id:{person}"), &part)).await?;
            if answer.status != 200 {
                bail!("reading who left was answered {}", answer.status);
            }
            let said: Value = serde_json::from_slice(connection.body())?;
            reads += 1;
            stale += u64::from(said["traits"][AUDIENCE] != false);
        }
        Ok((reads, stale))
    })
}
