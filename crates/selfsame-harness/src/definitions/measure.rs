//! One shop on one server, from its first event on.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, bail};
use selfsame_event::{Clock as _, SystemClock, Time};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::backfill::{self, Backfill};
use super::exits::{self, Exits};
use super::latency::{self, Latency};
use crate::accounting::{self, Watch};
use crate::backlog::Follower;
use crate::child::{Memory, Program, Server, folder_bytes};
use crate::control::Control;
use crate::generate::Mix;
use crate::load::command::describe;
use crate::load::{self, Backlog, Outcome, Plan};
use crate::print;
use crate::scrape::Scrape;
use crate::shop::defined::{Defined, definitions};
use crate::shop::touched::{self, Touched};
use crate::shop::{Shop, Times, Visits};
use crate::sink::Sink;

const SEED: u64 = 4;
const CONNECTIONS: u64 = 32;
const BATCH: u64 = 100;
/// Most events acknowledged ahead of those folded: a steady state, not a burst.
const BACKLOG: u64 = 100_000;
const PATIENCE: Duration = Duration::from_secs(3_600);
/// How far the history goes back.
const HISTORY: i64 = 180 * 86_400_000_000;
/// Events over which it is counted how many definitions they touch.
const COUNTED: u64 = 50_000;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) people: u64,
    pub(super) events: u64,
    pub(super) definitions: u64,
    pub(super) measured: u64,
    pub(super) half_load: Duration,
    pub(super) exits: u64,
    /// The window of those who leave, in seconds.
    pub(super) window: u64,
    /// How long one more definition may take beside live events.
    pub(super) beside: Duration,
}

/// All that was measured.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) size: Size,
    pub(super) touched: Touched,
    pub(super) traits: u64,
    pub(super) profiles: u64,
    /// Events a second of the history, of full load without definitions, and with them.
    pub(super) history: u64,
    pub(super) without: u64,
    pub(super) with: u64,
    /// All definitions over the history; one more, with so many live events a second beside it.
    pub(super) all: Backfill,
    pub(super) one: Backfill,
    pub(super) beside: u64,
    pub(super) latency: Latency,
    pub(super) exits: Exits,
    pub(super) before: Footprint,
    pub(super) after: Footprint,
}

/// What the server takes.
#[derive(Debug, Clone)]
pub(super) struct Footprint {
    pub(super) memory: Memory,
    /// Memory by kind of row.
    pub(super) parts: Vec<(String, u64)>,
    /// The folder of the state.
    pub(super) state: u64,
}

/// The server, and who speaks to it.
pub(super) struct Subject {
    pub(super) server: Server,
    pub(super) shop: Arc<Shop>,
    pub(super) control: Control,
    pub(super) scrape: Scrape,
    pub(super) sink: Sink,
    /// How many parts of the shop's life there were.
    part: u64,
}

pub(super) async fn measure(program: &Program, folder: &Path, size: &Size) -> Result<Measured> {
    let data = folder.join("shop");
    let server = Server::start(program, &data).await?;
    let mut subject = Subject {
        shop: Arc::new(Shop::new(size.people, SEED)),
        control: Control::new(server.address),
        scrape: Scrape::new(server.address),
        sink: Sink::start()?,
        part: 0,
        server,
    };
    let watch = Watch::start(subject.server.address);
    let defined = definitions(size.definitions);
    let touched = touched::count(&defined, &subject.shop, COUNTED)?;

    let now = SystemClock::default().wall();
    let past = Times::Past { from: now.plus_micros(-HISTORY), to: now, events: size.events };
    let history = subject.full(&past, size.events, "history").await?;
    let without = subject.full(&Times::Now, size.measured, "without definitions").await?;
    let before = subject.footprint(&data).await?;
    let all = subject.define(&defined, size.window).await?;
    let with = subject.full(&Times::Now, size.measured, "with definitions").await?;
    let latency = latency::measure(&mut subject, with / 2, size.half_load).await?;
    let exits = exits::measure(&mut subject, size).await?;
    let (one, beside) = backfill::beside(&mut subject, with / 2, size.beside).await?;
    let after = subject.footprint(&data).await?;
    let profiles = subject.scrape.state().await?.profiles;
    watch.stop().await?;
    accounting::settled(subject.server.address, PATIENCE).await?;
    drop(subject);
    std::fs::remove_dir_all(&data)?;
    let traits = defined.iter().filter(|one| !one.is_audience).count() as u64;
    Ok(Measured {
        size: *size,
        touched,
        traits,
        profiles,
        history,
        without,
        with,
        all,
        one,
        beside,
        latency,
        exits,
        before,
        after,
    })
}

impl Subject {
    /// Requests of the next part of the shop's life.
    fn visits(&mut self, times: &Times, batch: u64) -> Vec<Visits> {
        self.part += 1;
        Visits::of(&self.shop, self.part, times, (CONNECTIONS, batch))
    }

    fn plan(&self, batch: u64) -> Plan {
        Plan {
            address: self.server.address,
            mix: Mix { profiles: self.shop.people(), batch, seed: SEED },
            connections: CONNECTIONS,
            rate: None,
            time: None,
            events: None,
            backlog: None,
        }
    }

    /// Sends so many events as fast as they are folded. Gives how many were folded in a second.
    async fn full(&mut self, times: &Times, events: u64, what: &str) -> Result<u64> {
        let folded = self.scrape.drained(PATIENCE).await?.events;
        let follower = Follower::start_behind(self.server.address, folded);
        let backlog = Some(Backlog { folded: follower.folded(), limit: BACKLOG });
        let plan = Plan { events: Some(events), backlog, ..self.plan(BATCH) };
        let (visits, started) = (self.visits(times, BATCH), Instant::now());
        let outcome = load::run_with(plan, visits, Arc::default()).await?;
        check(&outcome)?;
        self.scrape.drained(PATIENCE).await?;
        let rate = print::per_second(outcome.acknowledged, started.elapsed());
        follower.stop().await;
        print::line(format!(
            "{what}: {} events, {} folded a second",
            print::count(outcome.acknowledged),
            print::count(rate)
        ));
        Ok(rate)
    }

    /// Sends so many events a second for a time, or until it is told to stop.
    pub(super) fn live(
        &mut self,
        rate: u64,
        time: Option<Duration>,
        stop: &Arc<AtomicBool>,
    ) -> JoinHandle<Result<Outcome>> {
        // Small requests: most of a shop's events come one by one.
        const FEW: u64 = 10;
        let plan = Plan { rate: Some(rate.max(1)), time, ..self.plan(FEW) };
        let (visits, stop) = (self.visits(&Times::Now, FEW), Arc::clone(stop));
        tokio::spawn(async move {
            let outcome = load::run_with(plan, visits, stop).await?;
            print::line(format!("live events: {}", describe(&outcome)));
            check(&outcome)?;
            Ok(outcome)
        })
    }

    /// Makes all definitions, and those that the webhook is told of.
    async fn define(&mut self, defined: &[Defined], window: u64) -> Result<Backfill> {
        self.control.connect_sink(self.sink.address).await?;
        // It needs no history. While all people are looked at for it, the others are made: so they
        // go over the history together.
        self.control.define("opening", true, "trait('plan') = 'gold'", false).await?;
        for (index, one) in defined.iter().enumerate() {
            self.control.define(&one.id, one.is_audience, &one.query, false).await?;
            if index == 0 {
                print::line(format!("defining, such as {}: {}", one.id, one.query));
            }
        }
        self.control.define(exits::AUDIENCE, true, &exits::query(window), true).await?;
        self.control.define(latency::AUDIENCE, true, latency::QUERY, true).await?;
        let backfill = backfill::wait(self, latency::AUDIENCE, backfill::PATIENCE).await?;
        if backfill.is_cut {
            bail!("the definitions are not live after {:?}", backfill::PATIENCE);
        }
        for one in self.control.get("/api/spaces/dev/definitions").await?["data"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if one["state"] != "live" {
                bail!("`{}` is {} though the last one is live", one["id"], one["state"]);
            }
        }
        Ok(backfill)
    }

    async fn footprint(&mut self, data: &Path) -> Result<Footprint> {
        let memory = self.server.memory()?;
        let parts = self.scrape.memory_parts().await?;
        Ok(Footprint { memory, parts, state: folder_bytes(&data.join("state"))? })
    }
}

fn check(outcome: &Outcome) -> Result<()> {
    if outcome.other > 0 {
        bail!("{} requests were answered {}", outcome.other, outcome.other_status);
    }
    Ok(())
}

/// How long it is until a time.
pub(super) fn until(clock: &SystemClock, time: Time) -> Duration {
    let micros = time.micros() - clock.wall().micros();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
