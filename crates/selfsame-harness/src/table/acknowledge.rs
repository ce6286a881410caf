//! How many events are acknowledged a second, and how long it takes at half of that.

use std::time::Duration;

use anyhow::{Result, bail};

use super::{Bench, Row, clear};
use crate::child::Server;
use crate::generate::Mix;
use crate::load::command::describe;
use crate::load::{self, Outcome, Plan};
use crate::print;
use crate::scrape::Scrape;

/// Connections of batches, and of single events.
const CONNECTIONS: [(u64, u64); 2] = [(100, 32), (1, 256)];
/// How long the backlog of a run may take to be folded.
const PATIENCE: Duration = Duration::from_secs(900);

/// One run, and what it left.
struct Run {
    outcome: Outcome,
    /// Events acknowledged and not folded at the end, and how long they took.
    backlog: Option<(u64, Duration)>,
}

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (batch, connections) in CONNECTIONS {
        let name =
            if batch == 1 { "single events".to_owned() } else { format!("batches of {batch}") };
        let mut peaks = Vec::new();
        for is_bare in [true, false] {
            peaks.push(run(bench, is_bare, batch, connections, None).await?);
        }
        let [bare, real] = peaks.as_slice() else { bail!("a run is missing") };
        let ratio = print::ratio(real.outcome.rate() as f64, bare.outcome.rate() as f64);
        let text = |outcome: &Outcome| format!("{}/s", print::count(outcome.rate()));
        rows.push(
            Row::plain(&format!("{name} acknowledged"), text(&real.outcome))
                .beside(text(&bare.outcome), ratio)
                .target("0.50 or more", ratio >= 0.5),
        );
        if let Some((events, took)) = real.backlog {
            rows.push(Row::plain("  backlog left", format!("{} events", print::count(events))));
            rows.push(Row::plain("  folded after", print::duration(took)));
        }
        let rate = real.outcome.rate() / 2;
        let real = run(bench, false, batch, connections, Some(rate)).await?.outcome;
        let bare = run(bench, true, batch, connections, Some(rate)).await?.outcome;
        rows.extend(half_load(&name, rate, &real, &bare));
    }
    Ok(rows)
}

fn half_load(name: &str, rate: u64, real: &Outcome, bare: &Outcome) -> [Row; 2] {
    let row = |word: &str, per_mille| {
        let (ours, theirs) = (real.latency.quantile(per_mille), bare.latency.quantile(per_mille));
        let ratio = print::ratio(ours.as_secs_f64(), theirs.as_secs_f64());
        let measure = format!("  {word} at {}/s", print::count(rate));
        let row = Row::plain(&measure, print::duration(ours));
        (row.beside(print::duration(theirs), ratio), ratio)
    };
    let (half, (slow, ratio)) = (row("p50", 500).0, row("p99", 990));
    let half = Row { measure: format!("{}, {name}", half.measure), ..half };
    let slow = Row { measure: format!("{}, {name}", slow.measure), ..slow };
    [half, slow.target("3.00 or less", ratio <= 3.0)]
}

async fn run(
    bench: &Bench,
    is_bare: bool,
    batch: u64,
    connections: u64,
    rate: Option<u64>,
) -> Result<Run> {
    let data = bench.fresh("acknowledge");
    let server = Server::start(bench.program(is_bare), &data).await?;
    let plan = Plan {
        address: server.address,
        mix: Mix { profiles: bench.profiles, batch, seed: 1 },
        connections,
        rate,
        time: Some(bench.time),
        events: None,
        backlog: None,
    };
    let outcome = load::run(plan, std::sync::Arc::default()).await?;
    let who = if is_bare { "bare" } else { "real" };
    print::line(format!("{who}, {batch} a request: {}", describe(&outcome)));
    if outcome.other > 0 {
        bail!("{} requests were answered {}", outcome.other, outcome.other_status);
    }
    let mut backlog = None;
    if !is_bare && rate.is_none() {
        let mut scrape = Scrape::new(server.address);
        let left = outcome.acknowledged.saturating_sub(scrape.state().await?.events);
        let started = tokio::time::Instant::now();
        scrape.drained(PATIENCE).await?;
        backlog = Some((left, started.elapsed()));
    }
    drop(server);
    clear(&data)?;
    Ok(Run { outcome, backlog })
}
