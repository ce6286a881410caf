//! One run of a fleet.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, sleep};

use super::connections::{Kind, Numbers, make, numbers, resume, switch_on};
use super::mock::{Fleet, Manner};
use super::traffic::{Doings, Made, names};
use crate::accounting;
use crate::child::{Program, Server};
use crate::control::Control;
use crate::generate::Mix;
use crate::histogram::Histogram;
use crate::load;
use crate::print;
use crate::scrape::Scrape;

/// Connections of the load.
const SENDERS: u64 = 16;
const BATCH: u64 = 100;
/// How much slower the slow ones are.
const SLOWER: u32 = 100;
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(3_600);
const POLL: Duration = Duration::from_millis(50);
/// How often the numbers of all connections are looked at.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Plan<'p> {
    pub(super) program: &'p Program,
    pub(super) data: PathBuf,
    /// Whether nobody is ill.
    pub(super) is_well: bool,
    pub(super) connections: usize,
    pub(super) backlog: u64,
    pub(super) names: usize,
    pub(super) people: u64,
    pub(super) rate: u64,
    pub(super) time: Duration,
    pub(super) answer: Duration,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Of the backlog, what the healthy have taken, and how long that took.
    drained: u64,
    took: Duration,
    /// Of the healthy, at the constant rate.
    pub(super) latency: Histogram,
    pub(super) memory: u64,
    pub(super) delivered: u64,
    pub(super) to_ill: u64,
    pub(super) filtered: u64,
    pub(super) pending: u64,
    pub(super) dead: u64,
    pub(super) looks: u64,
    pub(super) unbalanced: u64,
    pub(super) lost: u64,
    pub(super) uncounted: u64,
    pub(super) disordered: u64,
    pub(super) repeated: u64,
}

impl Outcome {
    pub(super) fn per_second(&self) -> u64 {
        print::per_second(self.drained, self.took)
    }
}

impl Plan<'_> {
    fn kind(&self, index: usize) -> Kind {
        let wanted = [index, index * 7 + 1, index * 13 + 5];
        let wanted = wanted.map(|name| name % self.names).to_vec();
        match index / 10 % 5 {
            4 => Kind::Batched(wanted),
            _ => Kind::Single(wanted),
        }
    }

    /// How a receiver does, and whether that is ill.
    fn manner(&self, index: usize) -> (Manner, bool) {
        let answer = self.answer;
        match index % 10 {
            3 => (Manner::Dead, true),
            6 => (Manner::Takes(answer * SLOWER), true),
            9 => (Manner::FailsHalf(answer), true),
            _ => (Manner::Takes(answer), false),
        }
    }

    fn is_ill(&self, index: usize) -> bool {
        self.manner(index).1
    }

    /// How many events of those made a connection wants.
    fn wanted(&self, index: usize, made: &Made) -> u64 {
        let kind = self.kind(index);
        let of = (0..).zip(made.iter()).filter(|(name, _)| kind.wants(*name));
        of.map(|(_, count)| count.load(Ordering::Relaxed)).sum()
    }
}

pub(super) async fn run(plan: &Plan<'_>) -> Result<Outcome> {
    let began = Instant::now();
    let manner =
        |index| if plan.is_well { Manner::Takes(plan.answer) } else { plan.manner(index).0 };
    let manners: Vec<_> = (0..plan.connections).map(manner).collect();
    let fleet = Fleet::start(&manners, began)?;
    let server = Server::start(plan.program, &plan.data).await?;
    let mut control = Control::new(server.address);
    for (index, address) in fleet.addresses.iter().enumerate() {
        make(&mut control, index, &plan.kind(index), *address).await?;
    }
    let made = names(plan.names);
    let backlog = Doings::of(&made, (SENDERS, BATCH), (0, plan.people), began);
    send(server.address, backlog, Some(plan.backlog), None).await.context("the backlog")?;
    Scrape::new(server.address).drained(PATIENCE).await?;

    let mut seen = Outcome::default();
    let started = Instant::now();
    switch_on(&mut control, plan.connections).await?;
    let healthy: Vec<_> = (0..plan.connections).filter(|index| !plan.is_ill(*index)).collect();
    seen.drained = healthy.iter().map(|index| plan.wanted(*index, &made)).sum();
    let mut looked = Instant::now();
    loop {
        let taken: u64 = healthy.iter().map(|index| fleet.taken(*index, |one| one.events)).sum();
        if taken >= seen.drained {
            break;
        }
        if started.elapsed() > PATIENCE {
            bail!("the healthy have {taken} of {} after {PATIENCE:?}", seen.drained);
        }
        if looked.elapsed() > LOOK {
            look(&mut control, plan, &mut seen).await?;
            looked = Instant::now();
        }
        sleep(POLL).await;
    }
    let last = healthy.iter().filter_map(|index| fleet.taken(*index, |one| one.last)).max();
    seen.took = last.map_or(Duration::ZERO, |last| last - started);
    print::line(format!(
        "{}: {} taken by the healthy in {}",
        if plan.is_well { "all well" } else { "a tenth each ill" },
        print::count(seen.drained),
        print::duration(seen.took)
    ));

    fleet.forget_latencies();
    let people = (plan.people.next_multiple_of(SENDERS), plan.people);
    let live = Doings::of(&made, (SENDERS, 1), people, began);
    let load = send(server.address, live, None, Some((plan.rate, plan.time)));
    tokio::pin!(load);
    loop {
        tokio::select! {
            sent = &mut load => break sent.context("the constant rate")?,
            () = sleep(LOOK) => look(&mut control, plan, &mut seen).await?,
        }
    }
    seen.memory = server.memory()?.peak;
    for index in (0..plan.connections).filter(|index| plan.is_ill(*index)) {
        fleet.set(index, Manner::Takes(plan.answer));
        resume(&mut control, index).await?;
    }
    let all = settled(&mut control, plan, &fleet, &mut seen).await?;
    for index in &healthy {
        fleet.taken(*index, |one| seen.latency.merge(&one.latency));
    }
    account(plan, &fleet, &all, &made, &mut seen);
    accounting::settled(server.address, PATIENCE).await?;
    server.stop().await?;
    std::fs::remove_dir_all(&plan.data)?;
    Ok(seen)
}

/// Sends events: so many, or at a rate for a time. Returns when the last one is acknowledged.
async fn send(
    address: SocketAddr,
    supplies: Vec<Doings>,
    events: Option<u64>,
    rate: Option<(u64, Duration)>,
) -> Result<()> {
    let batch = if rate.is_some() { 1 } else { BATCH };
    let plan = load::Plan {
        address,
        mix: Mix { profiles: 1, batch, seed: 1 },
        connections: SENDERS,
        rate: rate.map(|(rate, _)| rate),
        time: None,
        events: events.or_else(|| rate.map(|(rate, time)| rate * time.as_secs())),
        backlog: None,
    };
    let outcome = load::run_with(plan, supplies, Arc::default()).await?;
    match outcome.other {
        0 => Ok(()),
        other => bail!("{other} requests were answered {}", outcome.other_status),
    }
}

/// Looks at the numbers of all connections.
async fn look(control: &mut Control, plan: &Plan<'_>, seen: &mut Outcome) -> Result<()> {
    let all = numbers(control, plan.connections).await?;
    seen.looks += all.len() as u64;
    seen.unbalanced += all.iter().filter(|one| !one.is_balanced()).count() as u64;
    Ok(())
}

/// Waits until nothing is pending but what waits for its time: then nothing has moved for a while.
async fn settled(
    control: &mut Control,
    plan: &Plan<'_>,
    fleet: &Fleet,
    seen: &mut Outcome,
) -> Result<Vec<Numbers>> {
    let (started, mut before, mut moved) = (Instant::now(), Vec::new(), Instant::now());
    loop {
        look(control, plan, seen).await?;
        let all = numbers(control, plan.connections).await?;
        let is_through = all.iter().all(|one| one.pending == 0);
        if all != before {
            (before, moved) = (all, Instant::now());
        }
        // What failed is tried again after up to twice as long as the time before: not all of it is waited for.
        let is_still = moved.elapsed() > Duration::from_secs(5);
        let delivered: u64 = before.iter().map(|one| one.delivered).sum();
        if (is_through || is_still) && delivered == fleet.events() {
            return Ok(before);
        }
        if is_still && moved.elapsed() > Duration::from_secs(30) {
            return Ok(before);
        }
        if started.elapsed() > PATIENCE {
            bail!("deliveries go on after {PATIENCE:?}");
        }
        sleep(LOOK).await;
    }
}

/// Holds what the server says against what was made and taken.
fn account(plan: &Plan<'_>, fleet: &Fleet, all: &[Numbers], made: &Made, seen: &mut Outcome) {
    let events: u64 = made.iter().map(|count| count.load(Ordering::Relaxed)).sum();
    for (index, one) in all.iter().enumerate() {
        let wanted = plan.wanted(index, made);
        seen.delivered += one.delivered;
        seen.to_ill += if plan.is_ill(index) { one.delivered } else { 0 };
        seen.filtered += one.filtered;
        seen.pending += one.pending;
        seen.dead += one.dead;
        // Each event is one unit here, and those that it does not want are the filtered ones.
        seen.lost += one.accepted.abs_diff(events);
        seen.lost += (one.delivered + one.pending + one.dead).abs_diff(wanted);
        fleet.taken(index, |taken| {
            seen.uncounted += taken.events.abs_diff(one.delivered);
            seen.disordered += taken.disordered;
            seen.repeated += taken.repeated;
        });
    }
}
