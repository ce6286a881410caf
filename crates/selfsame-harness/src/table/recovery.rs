//! How soon a server is ready again after it was killed under load: with little data, and with a log
//! of a given size.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep};

use super::{Bench, Row, clear};
use crate::child::{Server, folder_bytes};
use crate::generate::Mix;
use crate::load::{self, Plan};
use crate::print;
use crate::scrape::Scrape;

mod fill;

pub(super) use fill::check_room;

const KILLS: u64 = 5;
/// How long a large log may take to be folded.
const PATIENCE: Duration = Duration::from_secs(900);

pub(super) async fn small(bench: &Bench) -> Result<Vec<Row>> {
    let data = bench.fresh("recovery");
    let mut server = Server::start(&bench.real, &data).await?;
    let mut times = Vec::new();
    for seed in 0..KILLS {
        let mix = Mix { profiles: 1_000, batch: 10, seed };
        server = killed(bench, server, &data, mix, Duration::from_millis(700)).await?;
        times.push(server.ready_after);
    }
    drop(server);
    clear(&data)?;
    times.sort_unstable();
    let (middle, longest) = (times[times.len() / 2], times[times.len() - 1]);
    Ok(vec![
        Row::plain("ready after a kill under load, median of 5", print::duration(middle)),
        Row::plain("ready after a kill under load, longest", print::duration(longest))
            .target("2 s", longest < Duration::from_secs(2)),
    ])
}

/// Fills a log with so many gibibytes of large events, waits until they are folded, and kills it.
pub(super) async fn large(bench: &Bench, gibibytes: u64) -> Result<Vec<Row>> {
    let data = bench.fresh("large");
    let server = Server::start(&bench.real, &data).await?;
    let started = Instant::now();
    let events = fill::fill(server.address, gibibytes << 30).await.context("filling the log")?;
    let filled = started.elapsed();
    let state = Scrape::new(server.address).drained(PATIENCE).await?;
    print::line(format!(
        "large log: {} events of {} profiles sent in {}, folded after {}",
        print::count(events),
        print::count(state.profiles),
        print::duration(filled),
        print::duration(started.elapsed()),
    ));
    let mix = Mix { profiles: 1_000, batch: 100, seed: 1 };
    let server = killed(bench, server, &data, mix, Duration::from_secs(1)).await?;
    let row = after_kill(&server, folder_bytes(&data)?);
    drop(server);
    clear(&data)?;
    Ok(vec![row])
}

/// Loads a server for a while, kills it meanwhile, and starts it again.
pub(super) async fn killed(
    bench: &Bench,
    server: Server,
    data: &Path,
    mix: Mix,
    after: Duration,
) -> Result<Server> {
    let stop = Arc::new(AtomicBool::new(false));
    let plan = Plan {
        address: server.address,
        mix,
        connections: 16,
        rate: None,
        time: None,
        events: None,
        backlog: None,
    };
    let load = tokio::spawn(load::run(plan, Arc::clone(&stop)));
    sleep(after).await;
    server.kill()?;
    stop.store(true, Ordering::Relaxed);
    load.await??;
    Server::start(&bench.real, data).await.context("starting after the kill")
}

/// The row of a server that was killed with that much data.
pub(super) fn after_kill(server: &Server, bytes: u64) -> Row {
    let took = server.ready_after;
    let measure = format!("ready after a kill, {} of data", print::mebibytes(bytes));
    Row::plain(&measure, print::duration(took))
        .target("10 s (10 GB log)", took < Duration::from_secs(10))
}
