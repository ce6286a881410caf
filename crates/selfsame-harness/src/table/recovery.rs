//! How soon a small server is ready again after it was killed under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::{Bench, Row, clear};
use crate::child::Server;
use crate::generate::Mix;
use crate::load::{self, Plan};
use crate::print;

const KILLS: u64 = 5;

pub(super) async fn small(bench: &Bench) -> Result<Vec<Row>> {
    let data = bench.fresh("recovery");
    let mut server = Server::start(&bench.real, &data).await?;
    let mut times = Vec::new();
    for seed in 0..KILLS {
        let stop = Arc::new(AtomicBool::new(false));
        let plan = Plan {
            address: server.address,
            mix: Mix { profiles: 1_000, batch: 10, seed },
            connections: 16,
            rate: None,
            time: None,
            events: None,
            backlog: None,
        };
        let load = tokio::spawn(load::run(plan, Arc::clone(&stop)));
        sleep(Duration::from_millis(700)).await;
        server.kill()?;
        stop.store(true, Ordering::Relaxed);
        load.await??;
        server = Server::start(&bench.real, &data).await?;
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
