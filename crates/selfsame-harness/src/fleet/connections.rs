//! The connections of a fleet at the server: made, switched, and asked for their numbers.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use std::net::SocketAddr;

use super::traffic::name;
use crate::control::Control;

/// What a connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A signed webhook, which gets everything.
    Webhook,
    /// One of the catalogue, one request for each event.
    Single(Vec<usize>),
    /// One of the catalogue, with the events in batches.
    Batched(Vec<usize>),
}

impl Kind {
    /// Whether it gets events of a name.
    pub(crate) fn wants(&self, name: usize) -> bool {
        match self {
            Self::Webhook => true,
            Self::Single(names) | Self::Batched(names) => names.is_empty() || names.contains(&name),
        }
    }
}

/// A connection's numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) filtered: u64,
    pub(crate) pending: u64,
    pub(crate) dead: u64,
}

impl Numbers {
    fn of(status: &Value) -> Result<Self> {
        let field = |name: &str| status[name].as_u64().with_context(|| format!("no {name}"));
        Ok(Self {
            accepted: field("accepted")?,
            delivered: field("delivered")?,
            filtered: field("filtered")?,
            pending: field("pending")?,
            dead: field("dead")?,
        })
    }

    /// Whether each is accounted for once.
    pub(crate) fn is_balanced(&self) -> bool {
        self.accepted == self.delivered + self.filtered + self.pending + self.dead
    }
}

/// What the server calls a connection.
pub(crate) fn id(index: usize) -> String {
    format!("fleet-{index:03}")
}

/// Makes a connection that does not send yet.
pub(crate) async fn make(
    control: &mut Control,
    index: usize,
    kind: &Kind,
    address: SocketAddr,
) -> Result<()> {
    let url = format!("http://{address}/");
    let id = id(index);
    let destination = match kind {
        Kind::Webhook => json!({
            "id": id, "name": id, "kind": "webhook", "url": url, "enabled": false,
        }),
        Kind::Single(names) => {
            let mapping = json!({
                "url": url, "method": "POST", "data": { "@path": "$." }, "enable_batching": false,
            });
            let one = json!({ "action": "send", "trigger": trigger(names), "mapping": mapping });
            json!({
                "id": id, "name": id, "kind": "generic-http", "mappings": [one], "enabled": false,
            })
        }
        Kind::Batched(names) => {
            let one = json!({ "action": "sendTrack", "trigger": trigger(names) });
            json!({
                "id": id, "name": id, "kind": "segment", "mappings": [one], "enabled": false,
                "settings": { "writeKey": "fleet", "endpoint": format!("http://{address}/v1") },
            })
        }
    };
    control.post("/api/destinations", &destination).await.map(drop)
}

fn trigger(names: &[usize]) -> String {
    let each = names.iter().map(|number| format!("event = \"{}\"", name(*number)));
    let each: Vec<_> = each.collect();
    match each.is_empty() {
        true => "type = \"track\"".to_owned(),
        false => format!("type = \"track\" and ({})", each.join(" or ")),
    }
}

/// Has all of them send from now on.
pub(crate) async fn switch_on(control: &mut Control, count: usize) -> Result<()> {
    for index in 0..count {
        let path = format!("/api/destinations/{}", id(index));
        control.patch(&path, &json!({ "enabled": true })).await?;
    }
    Ok(())
}

/// Ends whatever pauses a connection, or holds it back.
pub(crate) async fn resume(control: &mut Control, index: usize) -> Result<()> {
    let path = format!("/api/destinations/{}/resume", id(index));
    control.post(&path, &json!({})).await.map(drop)
}

/// The numbers of so many connections, in order.
pub(crate) async fn numbers(control: &mut Control, count: usize) -> Result<Vec<Numbers>> {
    let mut found: Vec<Option<Numbers>> = vec![None; count];
    let listed = control.get("/api/destinations").await?;
    for one in listed["data"].as_array().context("no list of destinations")? {
        let index = one["id"].as_str().and_then(|id| id.strip_prefix("fleet-"));
        let index = index.and_then(|index| index.parse::<usize>().ok());
        if let Some(place) = index.and_then(|index| found.get_mut(index))
            && one["status"].is_object()
        {
            *place = Some(Numbers::of(&one["status"])?);
        }
    }
    let found: Option<Vec<_>> = found.into_iter().collect();
    let Some(found) = found else { bail!("a connection has not begun yet") };
    Ok(found)
}
