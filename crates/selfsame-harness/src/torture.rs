//! `torture`: kills the server at random moments under load, many times on one folder, and checks
//! that every acknowledged event is counted exactly once.
//!
//! The oracle is outside: this process keeps its own list of what was acknowledged, in a file it
//! syncs. First it hurts the server, then it lets it heal, and only then it judges: once before and
//! once after everything that was not acknowledged is sent again under the same message ids.

mod check;
mod ledger;
mod model;
mod traffic;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use selfsame_event::{Clock as _, SystemClock};
use tokio::time::{Instant, sleep_until};

use self::ledger::Ledger;
use self::model::Findings;
use self::traffic::{Client, Met, lock};
use crate::child::{Program, Server};
use crate::print;
use crate::random::Random;
use crate::scrape::{Scrape, State};

const CLIENTS: u64 = 8;
/// Milliseconds a round lasts, from the moment the server is ready.
const ROUND: (u64, u64) = (50, 1_500);
/// How long before a kill the clients stop pausing, so that it meets requests on their way.
const RUSH: Duration = Duration::from_millis(30);
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, clap::Args)]
pub(crate) struct Torture {
    /// The binary under test.
    #[arg(long)]
    binary: PathBuf,
    /// Kills.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    rounds: u64,
    /// Events to have acknowledged at least; rounds are added if needed.
    #[arg(long, default_value_t = 100_000)]
    events: u64,
    /// Check the totals and the state's hash only, and read no profile.
    #[arg(long)]
    totals_only: bool,
    /// Decides the traffic and the moments of the kills.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the temporary folder is made.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
}

/// What a whole run found.
struct Report {
    is_totals_only: bool,
    rounds: u64,
    restarts: Vec<Duration>,
    acknowledged_before: u64,
    sent: u64,
    acknowledged: u64,
    users: u64,
    met: Met,
    before: Findings,
    after: Findings,
    state: State,
    verify: (bool, String),
}

impl Torture {
    pub(crate) async fn run(&self) -> Result<bool> {
        let seed =
            self.seed.unwrap_or_else(|| SystemClock::default().wall().micros().unsigned_abs());
        let folder =
            tempfile::Builder::new().prefix("selfsame-torture-").tempdir_in(&self.folder)?;
        // Kept until all is well.
        let folder = folder.keep();
        print::line(format!(
            "seed {seed} (again: torture --binary {} --rounds {} --events {} --seed {seed})",
            self.binary.display(),
            self.rounds,
            self.events
        ));
        let started = Instant::now();
        let outcome = self.hurt_and_judge(seed, &folder).await;
        let is_well = match &outcome {
            Ok(report) => report.print(started.elapsed()),
            Err(_) => false,
        };
        if is_well {
            std::fs::remove_dir_all(&folder)?;
        } else {
            print::line(format!("the data is kept in {}", folder.display()));
        }
        outcome.map(|_| is_well)
    }

    async fn hurt_and_judge(&self, seed: u64, folder: &Path) -> Result<Report> {
        let program = Program::real(&std::path::absolute(&self.binary)?);
        let data = folder.join("data");
        let ledger = Arc::new(Mutex::new(Ledger::create(&folder.join("acknowledged"), seed)?));
        let mut clients: Vec<_> = (0..CLIENTS).map(|i| Client::new(seed, i, &ledger)).collect();
        let (rounds, restarts) = self.hurt(seed, &program, &data, &mut clients, &ledger).await?;

        let server = Server::start(&program, &data).await?;
        let mut scrape = Scrape::new(server.address);
        scrape.drained(PATIENCE).await?;
        let acknowledged_before = lock(&ledger).model.acknowledged();
        let before = self.check(&server, &ledger, false).await?;
        let mut tasks = Vec::new();
        for mut client in clients {
            let address = server.address;
            tasks.push(tokio::spawn(async move {
                let is_settled = client.settle(address, PATIENCE).await;
                (is_settled, client.met)
            }));
        }
        let mut met = Met::default();
        for task in tasks {
            let (is_settled, one) = task.await?;
            if !is_settled {
                bail!(
                    "events stayed unacknowledged after the last restart (answer {:?})",
                    one.wrong
                );
            }
            met.resent += one.resent;
            met.refused += one.refused;
            met.broken += one.broken;
        }
        lock(&ledger).sync()?;
        let state = scrape.drained(PATIENCE).await?;
        let after = self.check(&server, &ledger, true).await?;
        let status = server.stop().await?;
        if !status.success() {
            bail!("the server ended with {status} when asked to stop");
        }
        let verify = verify(&program, &data)?;
        let model = &lock(&ledger).model;
        let (sent, acknowledged, users) = (model.sent(), model.acknowledged(), model.users());
        Ok(Report {
            is_totals_only: self.totals_only,
            rounds,
            restarts,
            acknowledged_before,
            sent,
            acknowledged,
            users,
            met,
            before,
            after,
            state,
            verify,
        })
    }

    async fn check(
        &self,
        server: &Server,
        ledger: &Arc<Mutex<Ledger>>,
        is_final: bool,
    ) -> Result<Findings> {
        if self.totals_only {
            return Ok(Findings::default());
        }
        check::all(server.address, ledger, is_final).await
    }

    /// Round after round: start, load, kill.
    async fn hurt(
        &self,
        seed: u64,
        program: &Program,
        data: &Path,
        clients: &mut Vec<Client>,
        ledger: &Arc<Mutex<Ledger>>,
    ) -> Result<(u64, Vec<Duration>)> {
        let mut random = Random::part(seed, 0x0DEA_D000);
        let (mut rounds, mut restarts) = (0, Vec::new());
        // Of ten events three are sent again, and rounds may be short: twice as many as asked for.
        let load_millis = self.rounds * ROUND.0.midpoint(ROUND.1);
        let rate = (self.events * 2 * 1_000 / load_millis / CLIENTS).max(10);
        while rounds < self.rounds || lock(ledger).model.acknowledged() < self.events {
            if rounds >= self.rounds * 3 {
                bail!("only {} events were acknowledged", lock(ledger).model.acknowledged());
            }
            let server = Server::start(program, data)
                .await
                .with_context(|| format!("starting round {rounds}"))?;
            if rounds > 0 {
                restarts.push(server.ready_after);
            }
            let over = Arc::new(AtomicBool::new(false));
            let kill_at = Instant::now() + Duration::from_millis(random.between(ROUND.0, ROUND.1));
            let mut tasks = Vec::new();
            for mut client in clients.drain(..) {
                let (over, address) = (Arc::clone(&over), server.address);
                tasks.push(tokio::spawn(async move {
                    client.send_until(&over, address, rate, kill_at - RUSH).await;
                    client
                }));
            }
            sleep_until(kill_at).await;
            server.kill()?;
            over.store(true, Ordering::Relaxed);
            for task in tasks {
                let client = task.await?;
                if let Some(status) = client.met.wrong {
                    bail!("a valid request was answered {status} in round {rounds}");
                }
                clients.push(client);
            }
            lock(ledger).sync()?;
            rounds += 1;
        }
        Ok((rounds, restarts))
    }
}

fn verify(program: &Program, data: &Path) -> Result<(bool, String)> {
    let data = data.to_str().context("the folder's name is not text")?;
    let (status, text) = program.call(&["verify", "--data", data])?;
    Ok((status.success(), text.trim().to_owned()))
}

impl Report {
    /// Prints the table; whether all is well.
    fn print(&self, took: Duration) -> bool {
        let mut restarts = self.restarts.clone();
        restarts.sort_unstable();
        let middle = restarts.get(restarts.len() / 2).copied().unwrap_or_default();
        let longest = restarts.last().copied().unwrap_or_default();
        let count = |list: fn(&Findings) -> &Vec<String>| {
            if self.is_totals_only {
                return "not read".to_owned();
            }
            format!("{} + {}", list(&self.before).len(), list(&self.after).len())
        };
        let row = |name: &str, text: String| vec![name.to_owned(), text];
        print::columns(&[
            row("rounds (kills)", format!("{} in {}", self.rounds, print::duration(took))),
            row(
                "users, events sent",
                format!("{}, {}", print::count(self.users), print::count(self.sent)),
            ),
            row("acknowledged before retries", print::count(self.acknowledged_before)),
            row("acknowledged after retries", print::count(self.acknowledged)),
            row("counted by the server", print::count(self.state.events)),
            row("profiles of the server", print::count(self.state.profiles)),
            row("requests sent again", print::count(self.met.resent)),
            row("duplicates left out", print::count(self.state.duplicates)),
            row("refused for now, broken", format!("{}, {}", self.met.refused, self.met.broken)),
            row("lost (before + after)", count(|f| &f.lost)),
            row("counted twice", count(|f| &f.doubled)),
            row("of nobody", count(|f| &f.foreign)),
            row("users in several profiles", count(|f| &f.split)),
            row("ready after a kill, p50", print::duration(middle)),
            row("ready after a kill, max", print::duration(longest)),
            row("verify", if self.verify.0 { "equal".to_owned() } else { "NOT EQUAL".to_owned() }),
        ]);
        for line in self.verify.1.lines() {
            print::line(format!("  {line}"));
        }
        for findings in [&self.before, &self.after] {
            let lists = [&findings.lost, &findings.doubled, &findings.foreign, &findings.split];
            for (name, list) in ["lost", "twice", "of nobody", "split"].iter().zip(lists) {
                for id in list.iter().take(5) {
                    print::line(format!("  {name}: {id}"));
                }
            }
        }
        let is_exact = self.sent == self.acknowledged
            && self.state.events == self.sent
            && self.state.profiles == self.users;
        let is_well = self.before.is_clean() && self.after.is_clean() && is_exact && self.verify.0;
        print::line(if is_well { "all is well" } else { "FAILED" });
        is_well
    }
}
