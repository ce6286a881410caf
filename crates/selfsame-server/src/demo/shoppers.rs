//! Sends what made-up shoppers do to the collector, over HTTP, as SDKs would.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use selfsame_event::Time;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use super::NAME;
use super::story::Story;
use crate::node::Node;
use crate::tasks::Tasks;

const TICK: Duration = Duration::from_millis(50);
const TICKS_A_SECOND: u32 = 20;
/// Most events of one batch.
const BATCH: usize = 200;

/// A connection to the collector of this server.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    client: reqwest::Client,
    base: String,
}

impl Sender {
    pub(super) fn new(address: SocketAddr) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
        Ok(Self { client: client.build()?, base: format!("http://{address}") })
    }

    /// Sends events and waits until they are accepted.
    pub(super) async fn send(&self, events: &[Value], now: Time) -> anyhow::Result<()> {
        let sent_at = now.to_string();
        for batch in events.chunks(BATCH) {
            let (route, body) = match batch {
                [event] => {
                    let mut event = event.clone();
                    event["sentAt"] = json!(sent_at);
                    (event["type"].as_str().unwrap_or("batch").to_owned(), event)
                }
                batch => ("batch".to_owned(), json!({ "batch": batch, "sentAt": sent_at })),
            };
            let request = self.client.post(format!("{}/v1/{route}", self.base));
            let answer = request.basic_auth(NAME, Some("")).json(&body).send().await?;
            answer.error_for_status().context("the collector did not accept an event")?;
        }
        Ok(())
    }
}

/// Sends so many events a second until the server stops.
pub(super) async fn shop(
    sender: &Sender,
    mut story: Story,
    rate: u32,
    node: &Node,
    tasks: &Tasks,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut due = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => due += rate,
            () = tasks.stopping() => return Ok(()),
        }
        let now = node.clock.wall();
        let events: Vec<Value> = (0..due / TICKS_A_SECOND).map(|_| story.next(now)).collect();
        due %= TICKS_A_SECOND;
        tokio::select! {
            sent = sender.send(&events, now) => if let Err(error) = sent {
                tracing::warn!(error = %format!("{error:#}"), "shoppers could not send");
                tokio::time::sleep(Duration::from_secs(1)).await;
            },
            () = tasks.stopping() => return Ok(()),
        }
    }
}
