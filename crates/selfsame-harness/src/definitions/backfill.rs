//! New definitions over the history: how long that takes, by stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::measure::Subject;
use crate::print;

/// How long all of them may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(3_600);
/// How often it is said how far they are.
const SAY: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// How definitions were computed over the history.
#[derive(Debug, Clone, Default)]
pub(super) struct Backfill {
    /// Events of the history.
    pub(super) events: u64,
    /// From the moment at which it began to the moment at which they were live.
    pub(super) took: Duration,
    /// What was done meanwhile.
    pub(super) stages: Vec<(String, Duration)>,
    /// Whether it was not waited for the end: then the last stage says how far it came.
    pub(super) is_cut: bool,
}

impl Backfill {
    /// Events of the history a second, in all stages together; of one that was cut, as far as it is known
    /// how many were done.
    pub(super) fn rate(&self) -> u64 {
        print::per_second(self.events, self.took)
    }
}

/// What a definition is doing, and how much of that is done, in per mille.
fn stage(known: &Value) -> Result<(String, u64)> {
    let progress = &known["progress"];
    if let Some(trouble) = progress["trouble"].as_str() {
        bail!("it cannot be computed: {trouble}");
    }
    let (done, total) = (progress["done"].as_u64(), progress["total"].as_u64());
    let share = done.unwrap_or(0) * 1_000 / total.unwrap_or(0).max(1);
    let stage = match known["state"].as_str().context("a definition without state")? {
        "live" => "live",
        // What others wait for is not its own.
        _ => progress["stage"].as_str().unwrap_or("waiting"),
    };
    Ok((stage.to_owned(), share.min(1_000)))
}

/// Waits until a definition is live, but not longer than that.
pub(super) async fn wait(subject: &mut Subject, id: &str, patience: Duration) -> Result<Backfill> {
    let mut backfill = Backfill::default();
    let (asked, mut since, mut said) = (Instant::now(), Instant::now(), Instant::now());
    let mut doing = String::new();
    loop {
        let known = subject.control.definition(id).await?;
        let (now, share) = stage(&known).with_context(|| format!("`{id}`"))?;
        let is_cut = asked.elapsed() > patience && now != "live";
        if now != doing || is_cut {
            let took = since.elapsed();
            if !matches!(doing.as_str(), "" | "waiting") {
                print::line(format!("  {id}: {doing} {}", print::duration(took)));
                backfill.took += took;
                backfill.stages.push((doing.clone(), took));
            }
            (doing, since) = (now, Instant::now());
        }
        let events = subject.scrape.state().await?.events;
        if doing == "live" {
            return Ok(Backfill { events, ..backfill });
        }
        if is_cut {
            let part = if doing == "history" { events * share / 1_000 } else { events };
            if let Some((stage, _)) = backfill.stages.last_mut() {
                *stage = format!("{stage} (cut at {} %)", share / 10);
            }
            return Ok(Backfill { events: part, is_cut, ..backfill });
        }
        if said.elapsed() > SAY {
            said = Instant::now();
            print::line(format!("  {id}: {doing}, {} % of it", share / 10));
        }
        sleep(POLL).await;
    }
}

/// One more definition, with so many live events a second; how many there were.
pub(super) async fn beside(
    subject: &mut Subject,
    rate: u64,
    patience: Duration,
) -> Result<(Backfill, u64)> {
    const QUERY: &str = "event('Order Completed').where(property('total') >= 100)\
         .within(60 days).sum(property('total')) > 250";
    let stop = Arc::new(AtomicBool::new(false));
    let (live, started) = (subject.live(rate, None, &stop), Instant::now());
    subject.control.define("later", true, QUERY, false).await?;
    let backfill = wait(subject, "later", patience).await;
    let took = started.elapsed();
    stop.store(true, Ordering::Relaxed);
    let outcome = live.await??;
    Ok((backfill?, print::per_second(outcome.acknowledged, took)))
}
