//! `load`: a load from the command line.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;

use super::{Outcome, Plan, run};
use crate::accounting::{self, Watch};
use crate::generate::Mix;
use crate::print;

#[derive(Debug, clap::Args)]
pub(crate) struct Load {
    /// The server, on a loopback address.
    #[arg(long, value_parser = crate::http::loopback)]
    address: SocketAddr,
    /// Stop after so many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Stop after so many events.
    #[arg(long)]
    events: Option<u64>,
    /// Events a second; as many as the server takes if not given.
    #[arg(long)]
    rate: Option<u64>,
    /// Events of a request; 1 uses the single-event routes.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=900))]
    batch: u64,
    /// Profiles the events are drawn from.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    profiles: u64,
    /// Connections.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=4_096))]
    connections: u64,
    /// Decides what is drawn; message ids repeat with it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Load {
    pub(crate) async fn run(&self) -> Result<bool> {
        // The bare server has none.
        let is_accounted = accounting::look(self.address).await?.is_some();
        let watch = is_accounted.then(|| Watch::start(self.address));
        let plan = Plan {
            address: self.address,
            mix: Mix { profiles: self.profiles, batch: self.batch, seed: self.seed },
            connections: self.connections,
            rate: self.rate,
            time: Some(Duration::from_secs(self.seconds)),
            events: self.events,
            backlog: None,
        };
        let outcome = run(plan, std::sync::Arc::default()).await?;
        print::line(describe(&outcome));
        if let Some(watch) = watch {
            let looks = watch.stop().await?;
            print::line(format!("accounting: right at each of {looks} looks"));
        }
        Ok(true)
    }
}

/// An outcome in one line.
pub(crate) fn describe(outcome: &Outcome) -> String {
    format!(
        "{} events acknowledged in {}: {}/s, p50 {} p99 {} p99.9 {} max {}; 429/503 {}, other {}, broken {}; generator late p99 {}",
        print::count(outcome.acknowledged),
        print::duration(outcome.took),
        print::count(outcome.rate()),
        print::duration(outcome.latency.quantile(500)),
        print::duration(outcome.latency.quantile(990)),
        print::duration(outcome.latency.quantile(999)),
        print::duration(outcome.latency.max()),
        outcome.refused,
        outcome.other,
        outcome.broken,
        print::duration(outcome.late.quantile(990)),
    )
}
