//! What the server tells of itself: its state, its metrics.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::http::Connection;

/// What `GET /api/state` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    /// Events folded, duplicates left out.
    pub(crate) events: u64,
    pub(crate) profiles: u64,
    pub(crate) duplicates: u64,
    /// What is in the log and not folded.
    pub(crate) lag: u64,
}

impl State {
    fn parse(body: &[u8]) -> Result<Self> {
        let state: Value = serde_json::from_slice(body).context("the state is not JSON")?;
        let field = |name: &str| {
            state
                .get(name)
                .and_then(Value::as_u64)
                .with_context(|| format!("the state has no {name}"))
        };
        Ok(Self {
            events: field("events")?,
            profiles: field("profiles")?,
            duplicates: field("duplicates")?,
            lag: field("lag")?,
        })
    }
}

/// Asks one server about itself.
#[derive(Debug)]
pub(crate) struct Scrape(Connection);

impl Scrape {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(Connection::new(address))
    }

    pub(crate) async fn state(&mut self) -> Result<State> {
        let request =
            b"GET /api/state HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer dev\r\n\r\n";
        self.get(request).await.context("asking for the state").and_then(State::parse)
    }

    /// Waits until all that is in the log is folded.
    pub(crate) async fn drained(&mut self, patience: Duration) -> Result<State> {
        let started = Instant::now();
        loop {
            let state = self.state().await?;
            if state.lag == 0 {
                return Ok(state);
            }
            if started.elapsed() > patience {
                bail!("{} records are still not folded after {patience:?}", state.lag);
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Memory by part, most first.
    pub(crate) async fn memory_parts(&mut self) -> Result<Vec<(String, u64)>> {
        let request =
            b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer dev\r\n\r\n";
        let body = self.get(request).await.context("asking for the metrics")?;
        Ok(memory_parts(&String::from_utf8_lossy(body)))
    }

    async fn get(&mut self, request: &[u8]) -> Result<&[u8]> {
        let answer = self.0.ask(request).await?;
        if answer.status != 200 {
            bail!("the server answered {}", answer.status);
        }
        Ok(self.0.body())
    }
}

fn memory_parts(metrics: &str) -> Vec<(String, u64)> {
    let part = |line: &str| {
        let labels = line.strip_prefix("selfsame_memory_bytes{")?;
        let (labels, value) = labels.split_once('}')?;
        let name = labels.split(',').find_map(|label| label.strip_prefix("part=\""))?;
        let bytes: f64 = value.trim().parse().ok()?;
        Some((name.trim_end_matches('"').to_owned(), whole(bytes)))
    };
    let mut parts: Vec<_> = metrics.lines().filter_map(part).collect();
    parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    parts
}

/// A metric as a whole number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to the range first"
)]
fn whole(value: f64) -> u64 {
    value.clamp(0.0, 9e15) as u64
}
