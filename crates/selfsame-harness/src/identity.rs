//! `identity`: what it costs to undo a merge, to try rules out and to publish them, with live events
//! meanwhile.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
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
    /// For how many seconds live events are measured, each time.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
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
        let mut asked = Control::new(server.address);
        let mut connection = Connection::new(server.address);
        let sink = Sink::start()?;
        asked.connect_sink(sink.address).await?;
        let watch = Watch::start(server.address);
        let mut rows = vec![vec!["measure".to_owned(), "time".to_owned(), "memory".to_owned()]];
        for events in &self.undo {
            self.undo(&server, (&mut asked, &mut connection), *events, &mut rows).await?;
        }
        self.load(&server, None, Some(self.events), 7).await?;
        Scrape::new(server.address).drained(PATIENCE).await?;
        rows.push(row("before rules are tried", "", &server)?);
        // Devices are trusted less than they were: every person who had two is looked at anew.
        let mut rules = asked.get(RULES).await?;
        for rule in rules["types"].as_array_mut().context("rules without types")? {
            if rule["name"] == "anonymous_id" {
                rule["limit"] = json!({ "count": 1, "window": "weekly" });
            }
        }
        let alone = self.live(&server, 11).await?;
        asked.post(&format!("{RULES}/try"), &rules).await?;
        let beside = self.live(&server, 12).await?;
        let state = asked.get(&format!("{RULES}/job")).await?["state"].clone();
        rows.push(share("live events beside a trial", beside, alone, &state));
        asked.delete(&format!("{RULES}/job")).await?;
        ended(&mut asked).await?;

        let events = Scrape::new(server.address).drained(PATIENCE).await?.events;
        let (took, report) = job(&mut asked, "try", &rules).await?;
        let what = format!("rules tried over {} events", print::count(events));
        rows.push(row(&what, &print::duration(took), &server)?);
        let (took, done) = job(&mut asked, "publish", &rules).await?;
        rows.push(row("rules published over them", &print::duration(took), &server)?);
        watch.stop().await?;
        accounting::settled(server.address, PATIENCE).await?;
        print::columns(&rows);
        let is_same = report["report"]["users"]["after"]
            .as_u64()
            .zip(report["report"]["accounts"]["after"].as_u64());
        let predicted = is_same.map(|(users, accounts)| users + accounts);
        let outcome = done["profiles_after"].as_u64();
        print::line(format!(
            "profiles before, predicted, published: {}, {predicted:?}, {outcome:?}",
            done["profiles_before"]
        ));
        let is_well = predicted == outcome && print::ratio(beside as f64, alone as f64) >= 0.8;
        print::line(if is_well { "all is well" } else { "FAILED" });
        Ok(is_well)
    }

    /// Makes a profile of so many events, half of them a device's, and takes the device from it.
    async fn undo(
        &self,
        server: &Server,
        (asked, connection): (&mut Control, &mut Connection),
        events: u64,
        rows: &mut Vec<Vec<String>>,
    ) -> Result<()> {
        let (user, device) = (format!("heavy-{events}"), format!("device-{events}"));
        let (head, mut request) = (post_head("/v1/batch"), Vec::new());
        let mut sent = 0;
        while sent < events {
            let batch = (events - sent).min(1_000);
            let event = |number: u64| match number % 2 {
                _ if sent == 0 && number == 0 => {
                    json!({ "type": "identify", "userId": user, "anonymousId": device })
                }
                0 => json!({ "type": "track", "event": "Seen", "userId": user }),
                _ => json!({ "type": "track", "event": "Seen", "anonymousId": device }),
            };
            let batch: Vec<_> = (0..batch).map(event).collect();
            sent += u64::try_from(batch.len())?;
            finish(&mut request, &head, &serde_json::to_vec(&json!({ "batch": batch }))?);
            while connection.send(&request).await?.is_refused_for_now() {
                sleep(Duration::from_millis(10)).await;
            }
        }
        Scrape::new(server.address).drained(PATIENCE).await?;
        let pair = [format!("user_id:{user}"), format!("anonymous_id:{device}")];
        for (deed, name) in [("apart", "undone"), ("lift", "lifted again")] {
            let started = Instant::now();
            let wish = json!({ (deed): pair, "apply": true });
            asked.post("/api/spaces/dev/identity/undo", &wish).await?;
            let what = format!("a merge of {} events {name}", print::count(events));
            rows.push(row(&what, &print::duration(started.elapsed()), server)?);
        }
        Ok(())
    }

    async fn load(
        &self,
        server: &Server,
        time: Option<Duration>,
        events: Option<u64>,
        seed: u64,
    ) -> Result<u64> {
        let before = Scrape::new(server.address).state().await?.events;
        let follower = Follower::start_behind(server.address, before);
        let backlog = Some(Backlog { folded: follower.folded(), limit: BACKLOG });
        let plan = Plan {
            address: server.address,
            mix: Mix { profiles: self.profiles, batch: BATCH, seed },
            connections: CONNECTIONS,
            rate: None,
            time,
            events,
            backlog,
        };
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
    async fn live(&self, server: &Server, seed: u64) -> Result<u64> {
        self.load(server, Some(Duration::from_secs(self.seconds)), None, seed).await
    }
}

fn row(what: &str, took: &str, server: &Server) -> Result<Vec<String>> {
    let memory = server.memory()?;
    let memory =
        format!("{}, at most {}", print::mebibytes(memory.now), print::mebibytes(memory.peak));
    Ok(vec![what.to_owned(), took.to_owned(), memory])
}

fn share(what: &str, beside: u64, alone: u64, job: &Value) -> Vec<String> {
    let ratio = print::ratio(beside as f64, alone as f64);
    let rates = format!("{}/s of {}/s: {ratio:.2}", print::count(beside), print::count(alone));
    vec![what.to_owned(), rates, format!("the trial was {} then", job.as_str().unwrap_or("gone"))]
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
