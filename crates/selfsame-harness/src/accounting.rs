//! The accounting of a server, judged from outside by every harness: at any moment, under load, behind kills
//! and at rest, what was given to a destination is what came of it. The sums are made here, not taken from
//! the server's word that they are right.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::print;
use crate::scrape::Scrape;

const PATH: &str = "/api/spaces/dev/accounting";
/// How often the server is asked.
const EVERY: Duration = Duration::from_millis(100);
const RECEIVED: [&str; 5] = ["accepted", "duplicates", "changed", "rejected", "unattached"];
const ENDED: [&str; 4] = ["delivered", "filtered", "pending", "dead"];

/// What a look found, of which every sum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    pub(crate) destinations: usize,
    /// Events that profiles have.
    pub(crate) accepted: u64,
    /// Events and calls that destinations are offered.
    pub(crate) offered: u64,
    pub(crate) pending: u64,
    /// Whether every destination accounts for all that the engine has counted.
    pub(crate) is_whole: bool,
}

fn term(of: &Value, name: &str) -> Result<u64> {
    of[name].as_u64().with_context(|| format!("the accounting has no {name}"))
}

fn sum(of: &Value, names: &[&str]) -> Result<u64> {
    names.iter().map(|name| term(of, name)).sum()
}

/// Judges an answer; an error has the terms that do not add up.
fn judge(answer: &Value) -> Result<Look> {
    let received = &answer["received"];
    if term(received, "received")? != sum(received, &RECEIVED)? {
        bail!("the accounting is broken: received is not {}: {received}", RECEIVED.join(" + "));
    }
    let offered = sum(received, &["accepted", "calls"])?;
    let all = answer["destinations"].as_array().context("an accounting without destinations")?;
    let (destinations, accepted) = (all.len(), term(received, "accepted")?);
    let mut look = Look { destinations, accepted, offered, pending: 0, is_whole: true };
    for one in all {
        let accepted = term(one, "accepted")?;
        if accepted != sum(one, &ENDED)? {
            bail!("the accounting is broken: accepted is not {}: {one}", ENDED.join(" + "));
        }
        let reasons = one["filtered_by"].as_object().context("an accounting without reasons")?;
        let by_reason: u64 = reasons.values().filter_map(Value::as_u64).sum();
        if by_reason != term(one, "filtered")? {
            bail!("the accounting is broken: the reasons are not all that is filtered: {one}");
        }
        look.pending += term(one, "pending")?;
        let given = sum(one, &["offered", "actions", "replayed"])?;
        look.is_whole &= accepted + term(one, "before")? == given;
    }
    Ok(look)
}

/// Looks once. `None` where the server has no accounting to show.
pub(crate) async fn look(address: SocketAddr) -> Result<Option<Look>> {
    let answer = Control::new(address).find(PATH).await?;
    answer.as_ref().map(judge).transpose()
}

/// Waits until all that was received is folded and nothing waits: then each destination has to account for all of it.
pub(crate) async fn settled(address: SocketAddr, patience: Duration) -> Result<Look> {
    Scrape::new(address).drained(patience).await?;
    let (mut control, started) = (Control::new(address), Instant::now());
    loop {
        let answer = control.get(PATH).await?;
        let look = judge(&answer)?;
        if look.is_whole && look.pending == 0 {
            print::line(format!(
                "accounting: {} offered to each of {} destinations, all of it accounted for",
                print::count(look.offered),
                look.destinations
            ));
            return Ok(look);
        }
        if started.elapsed() > patience {
            bail!("the accounting is not of all that was received after {patience:?}: {answer}");
        }
        sleep(EVERY).await;
    }
}

/// Looks again and again while a server is under load.
#[derive(Debug)]
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<u64>>,
}

impl Watch {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let (mut control, mut looks) = (Control::new(address), 0);
            while !over.load(Ordering::Relaxed) {
                // A server that is killed, or too busy, does not answer.
                if let Ok(answer) = control.get(PATH).await {
                    judge(&answer)?;
                    looks += 1;
                }
                sleep(EVERY).await;
            }
            Ok(looks)
        });
        Self { stop, task }
    }

    /// How often it looked; an error where a sum was wrong.
    pub(crate) async fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}
