//! From the request to the readable profile: millions of events over a million profiles, with reads
//! beside them, then what it holds in memory and how soon it is back after a kill.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

use super::{Bench, Row, clear, recovery};
use crate::backlog::{Follower, Point, crossing};
use crate::child::{Server, folder_bytes};
use crate::generate::Mix;
use crate::histogram::Histogram;
use crate::load::command::describe;
use crate::load::{self, Backlog, Outcome, Plan};
use crate::print;
use crate::read::{Reader, Reads};
use crate::scrape::Scrape;

const BATCH: u64 = 100;
const CONNECTIONS: u64 = 32;
const PATIENCE: Duration = Duration::from_secs(900);
const GIBIBYTE: u64 = 1 << 30;

pub(super) async fn measure(bench: &Bench) -> Result<Vec<Row>> {
    let data = bench.fresh("end-to-end");
    let server = Server::start(&bench.real, &data).await?;
    let reader = Reader::start(server.address, bench.reads, bench.profiles)?;
    let follower = Follower::start(server.address);
    let started = Instant::now();
    let backlog = Backlog { folded: follower.folded(), limit: bench.backlog };
    let plan = Plan { backlog: Some(backlog), ..plan(bench, &server, 2) };
    let outcome = load::run(plan.clone(), Arc::default()).await?;
    print::line(format!("end to end: {}", describe(&outcome)));
    if outcome.other > 0 {
        bail!("{} requests were answered {}", outcome.other, outcome.other_status);
    }
    let mut scrape = Scrape::new(server.address);
    let state = scrape.drained(PATIENCE).await?;
    let took = started.elapsed();
    let reads = reader.stop()?;
    let points = follower.stop().await;

    let mut rows = rates(&points, started, took, &outcome);
    rows.push(Row::plain(
        "  profiles, duplicates",
        format!("{}, {}", print::count(state.profiles), print::count(state.duplicates)),
    ));
    rows.extend(read_rows(&reads, bench.reads));
    let memory = server.memory()?;
    let measure = format!("memory with {} profiles", print::count(state.profiles));
    let row = Row::plain(&measure, print::mebibytes(memory.now));
    rows.push(row.target("under 1024 MiB", memory.now < GIBIBYTE));
    let row = Row::plain("  highest during the run", print::mebibytes(memory.peak));
    rows.push(row.target("under 1024 MiB", memory.peak < GIBIBYTE));
    for (part, bytes) in scrape.memory_parts().await? {
        rows.push(Row::plain(&format!("  of it {part}"), print::mebibytes(bytes)));
    }
    let mix = Mix { seed: 3, ..plan.mix };
    let server = recovery::killed(bench, server, &data, mix, Duration::from_secs(1)).await?;
    rows.push(recovery::after_kill(&server, folder_bytes(&data)?));
    drop(server);
    clear(&data)?;
    Ok(rows)
}

fn plan(bench: &Bench, server: &Server, seed: u64) -> Plan {
    Plan {
        address: server.address,
        mix: Mix { profiles: bench.profiles, batch: BATCH, seed },
        connections: CONNECTIONS,
        rate: None,
        time: None,
        events: Some(bench.events),
        backlog: None,
    }
}

/// The rate over all, and of the first, middle and last tenth: each a million of ten.
fn rates(points: &[Point], started: Instant, took: Duration, outcome: &Outcome) -> Vec<Row> {
    let (events, tenth) = (outcome.acknowledged, outcome.acknowledged / 10);
    let at = |count| if count == 0 { Some(started) } else { crossing(points, count) };
    let rate = |from: u64| {
        let (start, end) = (at(from)?, at(from + tenth)?);
        Some(print::per_second(tenth, end - start))
    };
    let overall = print::per_second(events, took);
    let text = format!("{}/s", print::count(overall));
    let measure = format!("end to end over {} events", print::count(events));
    let mut rows = vec![Row::plain(&measure, text).target("100,000/s or more", overall >= 100_000)];
    let parts = [("first", 0), ("middle", events / 2 - tenth / 2), ("last", events - tenth)];
    let measured: Vec<_> = parts.iter().map(|(_, from)| rate(*from)).collect();
    for ((name, _), rate) in parts.iter().zip(&measured) {
        let text = rate.map_or("unknown".to_owned(), |rate| format!("{}/s", print::count(rate)));
        rows.push(Row::plain(&format!("  {name} {}", print::count(tenth)), text));
    }
    if let (Some(Some(first)), Some(Some(last))) = (measured.first(), measured.last()) {
        let ratio = print::ratio(*last as f64, *first as f64);
        let row = Row::plain("  last as a share of the first", format!("{ratio:.2}"));
        rows.push(row.target("0.90 or more", ratio >= 0.9));
    }
    rows
}

fn read_rows(reads: &Reads, rate: u64) -> Vec<Row> {
    print::line(format!(
        "profile reads: {} found, {} not there yet, {} failed; generator late p99 {}",
        print::count(reads.found.count()),
        print::count(reads.missing),
        reads.failed,
        print::duration(reads.late.quantile(990)),
    ));
    let took = |histogram: &Histogram, per_mille| match histogram.count() {
        0 => "none".to_owned(),
        _ => print::duration(histogram.quantile(per_mille)),
    };
    let is_fast = reads.found.count() > 0
        && reads.failed == 0
        && reads.found.quantile(990) < Duration::from_millis(5);
    let fresh = format!("{}, {}", took(&reads.fresh, 500), took(&reads.fresh, 990));
    vec![
        Row::plain(&format!("profile read p50 at {rate}/s meanwhile"), took(&reads.found, 500)),
        Row::plain("profile read p99 meanwhile", took(&reads.found, 990))
            .target("under 5 ms", is_fast),
        Row::plain("  acknowledged to readable, p50, p99", fresh),
        Row::plain("  new profiles not readable in a minute", reads.stale.to_string()),
    ]
}
