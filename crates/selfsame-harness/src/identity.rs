//! `identity`: what it costs to undo a merge, to try rules out and to publish them, and what is left of the
//! rate of live events meanwhile.
//!
//! A share is of two rates that are measured in turns, so that a machine that slows down slows both. Beside an
//! undo means that it is undone and lifted again all the time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::accounting::{self, Watch};
use crate::backlog::Follower;
use crate::child::{Program, Server};
use crate::control::Control;
use crate::generate::{Mix, finish, post_head};
use crate::http::Connection;
use crate::load::command::describe;
use crate::load::{self, Backlog, Plan};
use crate::print;
use crate::scrape::Scrape;
use crate::sink::Sink;

const PATIENCE: Duration = Duration::from_secs(3_600);
const CONNECTIONS: u64 = 32;
const BATCH: u64 = 100;
const BACKLOG: u64 = 200_000;
const RULES: &str = "/api/spaces/dev/rules";
const UNDO: &str = "/api/spaces/dev/identity/undo";
/// The least share of the rate of live events that is to be left.
const SHARE: f64 = 0.8;

#[derive(Debug, clap::Args)]
pub(crate) struct Identity {
    /// The binary under test.
    #[arg(long)]
    binary: PathBuf,
    /// Events of the history that rules are tried on.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Its profiles.
    #[arg(long, default_value_t = 1_000_000)]
    profiles: u64,
    /// Events of the two profiles whose merge is undone.
    #[arg(long, value_delimiter = ',', default_value = "10000,1000000")]
    undo: Vec<u64>,
    /// Sets of identifiers that an undo resolves again, by a job; 0 leaves it out.
    #[arg(long, default_value_t = 90_000)]
    sets: u64,
    /// Computed traits and audiences with which rules are tried and published too; 0 leaves it out.
    #[arg(long, default_value_t = 10)]
    definitions: u64,
    /// For how many seconds live events are measured, each time.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How often they are measured, alone and beside it in turns.
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// Where the temporary folder is made.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
}

impl Identity {
    pub(crate) async fn run(&self) -> Result<bool> {
        let folder =
            tempfile::Builder::new().prefix("selfsame-identity-").tempdir_in(&self.folder)?;
        let program = Program::real(&std::path::absolute(&self.binary)?);
        let server = Server::start(&program, &folder.path().join("data")).await?;
        let mut control = Control::new(server.address);
        let sink = Sink::start()?;
        control.connect_sink(sink.address).await?;
        let watch = Watch::start(server.address);
        let head = ["measure", "time, or rates", "memory of the server"].map(str::to_owned);
        let mut run = Run {
            plan: self,
            server: &server,
            control,
            rows: vec![head.into()],
            seed: 7,
            shares: Vec::new(),
        };
        for events in &self.undo {
            let pair = run.profile(*events).await?;
            run.undo(&format!("of {} events", print::count(*events)), &pair).await?;
        }
        if self.sets > 0 {
            let pair = run.hub(self.sets).await?;
            run.undo(&format!("among {} sets", print::count(self.sets)), &pair).await?;
        }
        let is_equal = run.rules().await?;
        watch.stop().await?;
        accounting::settled(server.address, PATIENCE).await?;
        print::columns(&run.rows);
        let is_well = is_equal && run.shares.iter().all(|share| *share >= SHARE);
        print::line(if is_well { "all is well" } else { "FAILED" });
        Ok(is_well)
    }
}

/// What is measured on one server.
struct Run<'r> {
    plan: &'r Identity,
    server: &'r Server,
    control: Control,
    rows: Vec<Vec<String>>,
    /// Of the next load.
    seed: u64,
    /// What was left of the rate of live events.
    shares: Vec<f64>,
}

impl Run<'_> {
    fn row(&mut self, what: &str, took: &str) -> Result<()> {
        let memory = self.server.memory()?;
        let memory =
            format!("{}, at most {}", print::mebibytes(memory.now), print::mebibytes(memory.peak));
        self.rows.push(vec![what.to_owned(), took.to_owned(), memory]);
        Ok(())
    }

    /// Sends events, a thousand at a time, and waits until they are folded.
    async fn send(&self, count: u64, event: impl Fn(u64) -> Value) -> Result<()> {
        let mut connection = Connection::new(self.server.address);
        let (head, mut request) = (post_head("/v1/batch"), Vec::new());
        let mut sent = 0;
        while sent < count {
            let until = count.min(sent + 1_000);
            let batch: Vec<_> = (sent..until).map(&event).collect();
            sent = until;
            finish(&mut request, &head, &serde_json::to_vec(&json!({ "batch": batch }))?);
            while connection.send(&request).await?.is_refused_for_now() {
                sleep(Duration::from_millis(10)).await;
            }
        }
        Scrape::new(self.server.address).drained(PATIENCE).await?;
        Ok(())
    }

    /// Makes a profile of so many events, half of them a device's; the device, and who has it.
    async fn profile(&self, events: u64) -> Result<[String; 2]> {
        let (user, device) = (format!("heavy-{events}"), format!("device-{events}"));
        let event = |number: u64| match number {
            0 => json!({ "type": "identify", "userId": user, "anonymousId": device }),
            _ if number.is_multiple_of(2) => {
                json!({ "type": "track", "event": "Seen", "userId": user })
            }
            _ => json!({ "type": "track", "event": "Seen", "anonymousId": device }),
        };
        self.send(events, event).await?;
        Ok([format!("user_id:{user}"), format!("anonymous_id:{device}")])
    }

    /// Makes a till with which so many people came: each is a set of its own.
    async fn hub(&self, sets: u64) -> Result<[String; 2]> {
        let event = |number| {
            let user = format!("customer-{number}");
            json!({ "type": "identify", "userId": user, "anonymousId": "till" })
        };
        self.send(sets, event).await?;
        Ok(["user_id:customer-0".to_owned(), "anonymous_id:till".to_owned()])
    }

    /// Undoes a merge and lifts that again, by itself and beside live events.
    async fn undo(&mut self, what: &str, pair: &[String; 2]) -> Result<()> {
        for (deed, name) in [("apart", "undone"), ("lift", "lifted again")] {
            let took = change(&mut self.control, deed, pair).await?;
            self.row(&format!("a merge {what} {name}"), &print::duration(took))?;
        }
        let mut rates = [0, 0];
        let (mut undone, mut longest) = (0, Duration::ZERO);
        for _ in 0..self.plan.rounds {
            rates[0] += self.live().await?;
            let (stop, slowest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
            let (stopped, found, pair) = (Arc::clone(&stop), Arc::clone(&slowest), pair.clone());
            let mut control = Control::new(self.server.address);
            let undoing = tokio::spawn(async move {
                let mut times = 0;
                while !stopped.load(Ordering::Acquire) {
                    for deed in ["apart", "lift"] {
                        let took = change(&mut control, deed, &pair).await?;
                        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                        found.fetch_max(took, Ordering::Relaxed);
                        times += 1;
                    }
                }
                anyhow::Ok(times)
            });
            rates[1] += self.live().await?;
            stop.store(true, Ordering::Release);
            undone += undoing.await??;
            longest = longest.max(Duration::from_micros(slowest.load(Ordering::Relaxed)));
        }
        let times =
            format!("{undone} undone or lifted, the longest in {}", print::duration(longest));
        self.share(&format!("live events beside an undo {what}, again and again"), rates, &times);
        Ok(())
    }

    /// Tries rules out and publishes them, by itself and beside live events. Says whether that came out as it was
    /// predicted.
    async fn rules(&mut self) -> Result<bool> {
        self.load(None, Some(self.plan.events)).await?;
        Scrape::new(self.server.address).drained(PATIENCE).await?;
        self.row("before rules are tried", "")?;
        let mut is_equal = true;
        let mut rates = [0, 0];
        for _ in 0..self.plan.rounds {
            rates[0] += self.live().await?;
            let rules = with_limit(&mut self.control, 1).await?;
            self.control.post(&format!("{RULES}/try"), &rules).await?;
            rates[1] += self.live().await?;
            let state = self.control.get(&format!("{RULES}/job")).await?["state"].clone();
            if state != "running" {
                bail!(
                    "the trial was {state} before live events were measured: there are too few events"
                );
            }
            self.control.delete(&format!("{RULES}/job")).await?;
            ended(&mut self.control).await?;
        }
        self.share("live events beside a trial", rates, "");
        is_equal &= self.try_and_publish("", 1).await?;
        if self.plan.definitions > 0 {
            let took = self.define().await?;
            let what = format!("{} definitions computed", self.plan.definitions);
            self.row(&what, &print::duration(took))?;
            let with = format!(" with {} definitions", self.plan.definitions);
            is_equal &= self.try_and_publish(&with, 2).await?;
        }
        Ok(is_equal)
    }

    async fn try_and_publish(&mut self, with: &str, limit: u64) -> Result<bool> {
        let rules = with_limit(&mut self.control, limit).await?;
        let events = Scrape::new(self.server.address).drained(PATIENCE).await?.events;
        let (took, report) = job(&mut self.control, "try", &rules).await?;
        let what = format!("rules tried over {} events{with}", print::count(events));
        self.row(&what, &print::duration(took))?;
        let (took, done) = job(&mut self.control, "publish", &rules).await?;
        self.row(&format!("rules published over them{with}"), &print::duration(took))?;
        let after = |of: &str| report["report"][of]["after"].as_u64();
        let predicted =
            after("users").zip(after("accounts")).map(|(users, accounts)| users + accounts);
        let outcome = done["profiles_after"].as_u64();
        print::line(format!(
            "profiles before, predicted, published{with}: {}, {predicted:?}, {outcome:?}",
            done["profiles_before"]
        ));
        Ok(predicted.is_some() && predicted == outcome)
    }

    /// Makes definitions, and waits until they are computed over the history.
    async fn define(&mut self) -> Result<Duration> {
        let started = Instant::now();
        let ids: Vec<_> = (0..self.plan.definitions).map(|number| format!("d{number}")).collect();
        for (id, number) in ids.iter().zip(0_u64..) {
            let query = match number % 2 {
                0 => format!("event('Product Viewed').count() >= {}", number + 1),
                _ => "event('Product Viewed').count()".to_owned(),
            };
            self.control.define(id, number % 2 == 0, &query, false).await?;
        }
        for id in &ids {
            while !is_live(&self.control.definition(id).await?) {
                if started.elapsed() > PATIENCE {
                    bail!("`{id}` was not computed in time");
                }
                sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(started.elapsed())
    }

    fn share(&mut self, what: &str, [alone, beside]: [u64; 2], more: &str) {
        let share = print::ratio(beside as f64, alone as f64);
        self.shares.push(share);
        let of = |rate: u64| print::count(rate / self.plan.rounds.max(1));
        let rates = format!("{}/s of {}/s: {share:.2}", of(beside), of(alone));
        self.rows.push(vec![what.to_owned(), rates, more.to_owned()]);
    }

    async fn load(&mut self, time: Option<Duration>, events: Option<u64>) -> Result<u64> {
        let address = self.server.address;
        let before = Scrape::new(address).state().await?.events;
        let follower = Follower::start_behind(address, before);
        let backlog = Some(Backlog { folded: follower.folded(), limit: BACKLOG });
        let plan = Plan {
            address,
            mix: Mix { profiles: self.plan.profiles, batch: BATCH, seed: self.seed },
            connections: CONNECTIONS,
            rate: None,
            time,
            events,
            backlog,
        };
        self.seed += 1;
        let started = Instant::now();
        let outcome = load::run(plan, Arc::new(AtomicBool::new(false))).await?;
        print::line(describe(&outcome));
        follower.stop().await;
        if outcome.other > 0 {
            bail!("{} requests were answered {}", outcome.other, outcome.other_status);
        }
        Ok(print::per_second(outcome.acknowledged, started.elapsed()))
    }

    /// Events a second at full load, with folding at most so far behind.
    async fn live(&mut self) -> Result<u64> {
        self.load(Some(Duration::from_secs(self.plan.seconds)), None).await
    }
}

/// Sets a pair apart or lifts that, and waits until it is done.
async fn change(control: &mut Control, deed: &str, pair: &[String; 2]) -> Result<Duration> {
    let started = Instant::now();
    let answer = control.post(UNDO, &json!({ (deed): pair, "apply": true })).await?;
    if answer["job"] != true {
        return Ok(started.elapsed());
    }
    loop {
        let job = control.get(&format!("{UNDO}/job")).await?;
        match job["state"].as_str() {
            Some("running") => sleep(Duration::from_millis(5)).await,
            Some("done") => return Ok(started.elapsed()),
            _ => bail!("it was not undone: {job}"),
        }
    }
}

/// The rules in force, but that a profile has so many devices in a week: everybody who had more is looked at anew.
async fn with_limit(control: &mut Control, count: u64) -> Result<Value> {
    let mut rules = control.get(RULES).await?;
    for rule in rules["types"].as_array_mut().context("rules without types")? {
        if rule["name"] == "anonymous_id" {
            rule["limit"] = json!({ "count": count, "window": "weekly" });
        }
    }
    Ok(rules)
}

/// Waits for the end of a job.
async fn ended(control: &mut Control) -> Result<Value> {
    loop {
        let job = control.get(&format!("{RULES}/job")).await?;
        if job["state"] != "running" {
            return Ok(job);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Does a job to its end; how long that took.
async fn job(control: &mut Control, deed: &str, rules: &Value) -> Result<(Duration, Value)> {
    let started = Instant::now();
    control.post(&format!("{RULES}/{deed}"), rules).await?;
    let job = ended(control).await?;
    if job["state"] != "done" {
        bail!("rules could not be {deed}: {job}");
    }
    Ok((started.elapsed(), job))
}

fn is_live(definition: &Value) -> bool {
    definition["state"] == "live"
}
