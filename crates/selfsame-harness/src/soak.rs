//! `soak`: half of the highest load for minutes, with reads, on a fixed set of profiles, while the
//! memory is sampled. It fails when memory still grows after the warm-up, or when the accounting of a
//! destination does not add up at some look.

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

use crate::accounting::{self, Watch};
use crate::child::{Program, Server, folder_bytes};
use crate::control::Control;
use crate::generate::Mix;
use crate::load::command::describe;
use crate::load::{self, Outcome, Plan};
use crate::print;
use crate::read::Reader;
use crate::scrape::Scrape;
use crate::sink::Sink;

const BATCH: u64 = 10;
const CONNECTIONS: u64 = 32;
const SAMPLES: u32 = 60;
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, clap::Args)]
pub(crate) struct Soak {
    /// The binary under test.
    #[arg(long)]
    binary: PathBuf,
    /// How long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// Events a second; half of what ten seconds at full load end to end show if not given.
    #[arg(long)]
    rate: Option<u64>,
    /// Profiles.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    profiles: u64,
    /// Profile reads a second.
    #[arg(long, default_value_t = 50)]
    reads: u64,
    /// How many percent the last third may hold more than the middle third.
    #[arg(long, default_value_t = 5)]
    growth: u64,
    /// Where the temporary folder is made.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
}

/// One look at the server.
#[derive(Debug, Clone, Copy)]
struct Sample {
    after: Duration,
    memory: u64,
    disk: u64,
    events: u64,
    lag: u64,
}

impl Soak {
    pub(crate) async fn run(&self) -> Result<bool> {
        let folder = tempfile::Builder::new().prefix("selfsame-soak-").tempdir_in(&self.folder)?;
        let program = Program::real(&std::path::absolute(&self.binary)?);
        let data = folder.path().join("data");
        let server = Server::start(&program, &data).await?;
        let rate = match self.rate {
            Some(rate) => rate,
            None => self.half_load(&server).await?,
        };
        print::line(format!("{} events/s for {} minutes", print::count(rate), self.minutes));
        let sink = Sink::start()?;
        Control::new(server.address).connect_sink(sink.address).await?;
        let watch = Watch::start(server.address);
        let reader = Reader::start(server.address, self.reads, self.profiles)?;
        let time = Duration::from_secs(self.minutes * 60);
        let plan = self.plan(&server, Some(rate), time, 2);
        let load = tokio::spawn(load::run(plan, Arc::new(AtomicBool::new(false))));
        let (mut scrape, started) = (Scrape::new(server.address), Instant::now());
        let mut samples = Vec::new();
        while !load.is_finished() {
            sleep(time / SAMPLES).await;
            let state = scrape.state().await?;
            let (memory, disk) = (server.memory()?.now, folder_bytes(&data)?);
            let (after, events, lag) = (started.elapsed(), state.events, state.lag);
            samples.push(Sample { after, memory, disk, events, lag });
        }
        let outcome = load.await??;
        let reads = reader.stop()?;
        watch.stop().await?;
        accounting::settled(server.address, PATIENCE).await?;
        print_samples(&samples);
        print::line(describe(&outcome));
        print::line(format!(
            "profile reads: {} found, p50 {} p99 {}, {} failed",
            print::count(reads.found.count()),
            print::duration(reads.found.quantile(500)),
            print::duration(reads.found.quantile(990)),
            reads.failed
        ));
        let memory: Vec<u64> = samples.iter().map(|sample| sample.memory).collect();
        Ok(self.judge(&memory, &outcome))
    }

    fn judge(&self, memory: &[u64], outcome: &Outcome) -> bool {
        let Some((middle, last)) = thirds(memory) else {
            print::line("FAILED: too few samples");
            return false;
        };
        let is_well = last * 100 <= middle * (100 + self.growth) && outcome.other == 0;
        print::line(format!(
            "memory: {} in the middle third, {} in the last ({:+.1} %, up to {} % allowed): {}",
            print::mebibytes(middle),
            print::mebibytes(last),
            (print::ratio(last as f64, middle as f64) - 1.0) * 100.0,
            self.growth,
            if is_well { "all is well" } else { "FAILED" }
        ));
        is_well
    }

    /// Half of what is folded a second when as much is sent as the server takes.
    async fn half_load(&self, server: &Server) -> Result<u64> {
        let started = Instant::now();
        let plan = self.plan(server, None, Duration::from_secs(10), 1);
        let outcome = load::run(plan, Arc::default()).await?;
        if outcome.other > 0 {
            bail!("requests were answered {}", outcome.other_status);
        }
        Scrape::new(server.address).drained(PATIENCE).await?;
        Ok(print::per_second(outcome.acknowledged, started.elapsed()) / 2)
    }

    fn plan(&self, server: &Server, rate: Option<u64>, time: Duration, seed: u64) -> Plan {
        Plan {
            address: server.address,
            mix: Mix { profiles: self.profiles, batch: BATCH, seed },
            connections: CONNECTIONS,
            rate,
            time: Some(time),
            events: None,
            backlog: None,
        }
    }
}

/// The median of the middle third and of the last.
fn thirds(samples: &[u64]) -> Option<(u64, u64)> {
    let third = samples.len() / 3;
    let median = |part: &[u64]| {
        let mut part = part.to_vec();
        part.sort_unstable();
        part.get(part.len() / 2).copied()
    };
    Some((median(samples.get(third..2 * third)?)?, median(samples.get(2 * third..)?)?))
}

fn print_samples(samples: &[Sample]) {
    let head = ["after", "memory", "data", "events", "not folded"].map(str::to_owned).to_vec();
    let mut rows = vec![head];
    for sample in samples.iter().step_by(samples.len().div_ceil(20).max(1)) {
        rows.push(vec![
            format!("{:.0} s", sample.after.as_secs_f64()),
            print::mebibytes(sample.memory),
            print::mebibytes(sample.disk),
            print::count(sample.events),
            print::count(sample.lag),
        ]);
    }
    print::columns(&rows);
}
