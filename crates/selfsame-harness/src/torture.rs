//! `torture`: kills the server at random moments under load, many times on one folder, and checks
//! that every acknowledged event is counted exactly once.
//!
//! The oracle is outside: this process keeps its own list of what was acknowledged, in a file it
//! syncs. First it hurts the server, then it lets it heal, and only then it judges: once before and
//! once after everything that was not acknowledged is sent again under the same message ids.

mod carried;
mod check;
mod computed;
mod ledger;
mod model;
mod report;
mod traffic;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use selfsame_event::{Clock as _, SystemClock};
use tokio::time::{Instant, sleep_until};

use self::ledger::Ledger;
use self::model::Findings;
use self::report::Report;
use self::traffic::{Client, Met, lock};
use crate::accounting::{self, Watch};
use crate::child::{Program, Server};
use crate::print;
use crate::random::Random;
use crate::scrape::Scrape;
use crate::sink::Sink;

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
    /// After so many of the kills, evenly, a copy of what they left is compared with a clean replay.
    #[arg(long, default_value_t = 50)]
    replays: u64,
    /// Without definitions, the webhook that hears of them, and destinations that are a function and one of
    /// the catalogue.
    #[arg(long)]
    no_definitions: bool,
    /// Decides the traffic and the moments of the kills.
    #[arg(long)]
    seed: Option<u64>,
    /// Where the temporary folder is made.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
}

/// What the rounds left.
#[derive(Default)]
struct Hurt {
    rounds: u64,
    kills: Vec<Instant>,
    restarts: Vec<Duration>,
    /// Copies that were compared with a clean replay.
    replays: u64,
    /// Times at which the accounting was looked at.
    looks: u64,
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
        let sink = if self.no_definitions { None } else { Some(Sink::start()?) };
        let receiver = if self.no_definitions { None } else { Some(carried::Receiver::start()?) };
        let world = World {
            program: &program,
            data: &data,
            ledger: &ledger,
            sink: sink.as_ref(),
            receiver: receiver.as_ref(),
        };
        let hurt = self.hurt(seed, &world, &mut clients).await?;

        let server = Server::start(&program, &data).await?;
        let mut scrape = Scrape::new(server.address);
        scrape.drained(PATIENCE).await?;
        let acknowledged_before = lock(&ledger).model.acknowledged();
        let before = self.check(&server, &ledger, false).await?;
        let met = settle(clients, server.address).await?;
        lock(&ledger).sync()?;
        let state = scrape.drained(PATIENCE).await?;
        let after = self.check(&server, &ledger, true).await?;
        let computed = match &sink {
            None => None,
            Some(sink) => Some(self.check_computed(&server, &ledger, (sink, &hurt.kills)).await?),
        };
        let introduced = lock(&ledger).model.introduced();
        let carried = match &receiver {
            None => None,
            Some(receiver) => Some(receiver.judge(server.address, &introduced).await?),
        };
        let accounted = accounting::settled(server.address, PATIENCE).await?;
        let status = server.stop().await?;
        if !status.success() {
            bail!("the server ended with {status} when asked to stop");
        }
        let verify = verify(&program, &data)?;
        let model = &lock(&ledger).model;
        let (sent, acknowledged, users) = (model.sent(), model.acknowledged(), model.users());
        Ok(Report {
            is_totals_only: self.totals_only,
            rounds: hurt.rounds,
            restarts: hurt.restarts,
            acknowledged_before,
            sent,
            acknowledged,
            users,
            met,
            before,
            after,
            state,
            computed,
            carried,
            replays: hurt.replays,
            looks: hurt.looks,
            accounted,
            verify,
        })
    }

    /// Judges what was computed and told, once no window is open any more.
    async fn check_computed(
        &self,
        server: &Server,
        ledger: &Arc<Mutex<Ledger>>,
        (sink, kills): (&Sink, &[Instant]),
    ) -> Result<computed::Findings> {
        computed::settle(server.address).await.context("waiting for what is computed")?;
        let steps = Arc::new(computed::steps(ledger));
        let mut findings = computed::judge(&sink.take()?, &steps, kills);
        if !self.totals_only {
            findings.wrong = computed::values(server.address, &steps).await?;
        }
        Ok(findings)
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
    async fn hurt(&self, seed: u64, world: &World<'_>, clients: &mut Vec<Client>) -> Result<Hurt> {
        let mut random = Random::part(seed, 0x0DEA_D000);
        let mut hurt = Hurt::default();
        // Of ten events three are sent again, and rounds may be short: twice as many as asked for.
        let load_millis = self.rounds * ROUND.0.midpoint(ROUND.1);
        let rate = (self.events * 2 * 1_000 / load_millis / CLIENTS).max(10);
        let acknowledged = || lock(world.ledger).model.acknowledged();
        while hurt.rounds < self.rounds || acknowledged() < self.events {
            let round = hurt.rounds;
            if round >= self.rounds * 3 {
                bail!("only {} events were acknowledged", acknowledged());
            }
            let server = Server::start(world.program, world.data)
                .await
                .with_context(|| format!("starting round {round}"))?;
            if let Some(sink) = world.sink.filter(|_| round == 0) {
                computed::define(server.address, sink).await?;
            }
            if let Some(receiver) = world.receiver.filter(|_| round == 0) {
                receiver.connect(server.address).await?;
            }
            if world.sink.is_some() && round == self.rounds / 2 {
                computed::define_later(server.address).await?;
            }
            if round > 0 {
                hurt.restarts.push(server.ready_after);
            }
            let kill_at = Instant::now() + Duration::from_millis(random.between(ROUND.0, ROUND.1));
            let watch = Watch::start(server.address);
            hurt.kills.push(world.round(server, clients, rate, kill_at).await?);
            hurt.looks += watch.stop().await.with_context(|| format!("in round {round}"))?;
            lock(world.ledger).sync()?;
            hurt.rounds += 1;
            let every = self.rounds.checked_div(self.replays).unwrap_or(u64::MAX).max(1);
            if world.sink.is_some() && hurt.rounds.is_multiple_of(every) {
                world.replay().with_context(|| format!("after the kill of round {round}"))?;
                hurt.replays += 1;
            }
        }
        Ok(hurt)
    }
}

/// Has everything acknowledged that was not.
async fn settle(clients: Vec<Client>, address: SocketAddr) -> Result<Met> {
    let mut tasks = Vec::new();
    for mut client in clients {
        tasks.push(tokio::spawn(async move {
            let is_settled = client.settle(address, PATIENCE).await;
            (is_settled, client.met)
        }));
    }
    let mut met = Met::default();
    for task in tasks {
        let (is_settled, one) = task.await?;
        if !is_settled {
            bail!("events stayed unacknowledged after the last restart (answer {:?})", one.wrong);
        }
        met.resent += one.resent;
        met.refused += one.refused;
        met.broken += one.broken;
    }
    Ok(met)
}

/// What is hurt, and who watches.
struct World<'a> {
    program: &'a Program,
    data: &'a Path,
    ledger: &'a Mutex<Ledger>,
    sink: Option<&'a Sink>,
    receiver: Option<&'a carried::Receiver>,
}

impl World<'_> {
    /// Load from all clients until the server is killed; when that was.
    async fn round(
        &self,
        server: Server,
        clients: &mut Vec<Client>,
        rate: u64,
        kill_at: Instant,
    ) -> Result<Instant> {
        let over = Arc::new(AtomicBool::new(false));
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
        let killed = Instant::now();
        over.store(true, Ordering::Relaxed);
        for task in tasks {
            let client = task.await?;
            if let Some(status) = client.met.wrong {
                bail!("a valid request was answered {status}");
            }
            clients.push(client);
        }
        Ok(killed)
    }

    /// Compares a copy of what a kill left with a clean replay of its log. The original is
    /// recovered by the server alone.
    fn replay(&self) -> Result<()> {
        let copy = self.data.with_extension("copy");
        copy_folder(self.data, &copy)?;
        let (is_equal, text) = verify(self.program, &copy)?;
        if !is_equal {
            bail!("the state, or what was emitted, is not that of a clean replay:\n{text}");
        }
        std::fs::remove_dir_all(&copy)?;
        Ok(())
    }
}

/// Copies a folder that nobody writes to; the parts of files that were never written stay so.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let mut copy = std::process::Command::new("cp");
    let status = copy.args(["-a", "--reflink=auto"]).arg(from).arg(to).status()?;
    if !status.success() {
        bail!("copying {} ended with {status}", from.display());
    }
    Ok(())
}

fn verify(program: &Program, data: &Path) -> Result<(bool, String)> {
    let data = data.to_str().context("the folder's name is not text")?;
    let (status, text) = program.call(&["verify", "--data", data])?;
    Ok((status.success(), text.trim().to_owned()))
}
