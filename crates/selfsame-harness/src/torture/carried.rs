//! Destinations that are no webhooks, while the server is killed: a function, and one of the catalogue.
//! Both get every `identify` and send its message id to a receiver on this machine.
//!
//! What must be true follows from what was acknowledged: each was carried by both, once or again, and
//! nothing else was.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::control::Control;
use crate::listen::Listening;

const PATIENCE: Duration = Duration::from_secs(300);
/// The destinations, which are also the paths that they send to.
const CARRIERS: [&str; 2] = ["function", "tool"];
const CODE: &str = "async function onIdentify(event, settings) {
  const body = JSON.stringify({ id: event.messageId });
  const answer = await fetch(settings.url, { method: 'POST', body });
  if (answer.status >= 300) throw new RetryError(`status ${answer.status}`);
}";

/// How often each message id came, by path.
type Heard = BTreeMap<String, BTreeMap<String, u64>>;

/// A receiver that listens until it is dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    _listening: Listening,
}

/// What was carried that should not have been, and the other way round.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Findings {
    /// Events that were carried, and requests that carried one again.
    pub(super) carried: u64,
    pub(super) again: u64,
    /// Acknowledged, and not carried.
    pub(super) missing: Vec<String>,
    /// Carried, and never sent.
    pub(super) foreign: Vec<String>,
    /// Destinations whose counts are not those of what was acknowledged.
    pub(super) miscounted: Vec<String>,
}

impl Findings {
    pub(super) fn is_clean(&self) -> bool {
        let lists = [&self.missing, &self.foreign, &self.miscounted];
        self.carried > 0 && lists.into_iter().all(Vec::is_empty)
    }
}

impl Receiver {
    pub(super) fn start() -> Result<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let all = Arc::clone(&heard);
        let answer = move |request| answer(request, Arc::clone(&all));
        let listening = Listening::start("receiver", answer)?;
        Ok(Self { address: listening.address, heard, _listening: listening })
    }

    /// Makes the destinations.
    pub(super) async fn connect(&self, server: SocketAddr) -> Result<()> {
        let mut control = Control::new(server);
        let url = |path: &str| format!("http://{}/{path}", self.address);
        let function = json!({
            "id": "carry", "name": "Carry", "kind": "destination", "code": CODE,
            "settings": [{ "name": "url", "required": true }],
        });
        control.post("/api/functions", &function).await?;
        let own = json!({ "id": "function", "name": "Function", "kind": "function", "events": ["identify"] });
        control.post("/api/destinations", &own).await?;
        let used = json!({ "function": "carry", "settings": { "url": url("function") } });
        control.put("/api/destinations/function/function", &used).await?;
        let tool = json!({
            "id": "tool", "name": "Tool", "kind": "generic-http", "events": ["identify"],
            "mappings": [{
                "name": "carry", "action": "send", "trigger": "type = \"identify\"",
                "mapping": {
                    "url": url("tool"), "method": "POST",
                    "data": { "id": { "@path": "$.messageId" } },
                },
            }],
        });
        control.post("/api/destinations", &tool).await.map(drop)
    }

    /// Waits until nothing waits any more, and judges what was carried by what was acknowledged.
    pub(super) async fn judge(
        &self,
        server: SocketAddr,
        acknowledged: &BTreeSet<String>,
    ) -> Result<Findings> {
        let (mut control, started) = (Control::new(server), Instant::now());
        let mut findings = Findings::default();
        for carrier in CARRIERS {
            let status = loop {
                let path = format!("/api/destinations/{carrier}");
                let status = control.get(&path).await?["status"].clone();
                let count = |name: &str| status[name].as_u64().unwrap_or(0);
                let ended = count("delivered") + count("filtered") + count("dead");
                if count("pending") == 0 && count("accepted") == ended {
                    break status;
                }
                if started.elapsed() > PATIENCE {
                    bail!("after {PATIENCE:?} the destination `{carrier}` has {status}");
                }
                sleep(Duration::from_millis(50)).await;
            };
            let wanted = acknowledged.len() as u64;
            if status["delivered"] != wanted || status["dead"] != 0 {
                findings.miscounted.push(format!("{carrier}: {wanted} wanted, {status}"));
            }
            let heard = lock(&self.heard).get(carrier).cloned().unwrap_or_default();
            let missing = acknowledged.iter().filter(|id| !heard.contains_key(*id));
            findings.missing.extend(missing.map(|id| format!("{carrier}: {id}")));
            let foreign = heard.keys().filter(|id| !acknowledged.contains(*id));
            findings.foreign.extend(foreign.map(|id| format!("{carrier}: {id}")));
            findings.carried += heard.len() as u64;
            findings.again += heard.values().map(|times| times - 1).sum::<u64>();
        }
        let unread = lock(&self.heard).get("unread").map_or(0, BTreeMap::len);
        ensure!(unread == 0, "{unread} requests of the destinations could not be read");
        Ok(findings)
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(request: Request<Incoming>, heard: Arc<Mutex<Heard>>) -> Response<Full<Bytes>> {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let mut response = Response::new(Full::default());
    // What did not come whole is sent again.
    let Ok(body) = request.into_body().collect().await else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let ids = ids(&body.to_bytes());
    let mut heard = lock(&heard);
    match ids {
        Some(ids) => {
            let of_path = heard.entry(path).or_default();
            ids.into_iter().for_each(|id| *of_path.entry(id).or_default() += 1);
        }
        None => *heard.entry("unread".to_owned()).or_default().entry(path).or_default() += 1,
    }
    drop(heard);
    response
}

/// The message ids of a request: one event, or a list of them.
fn ids(body: &[u8]) -> Option<Vec<String>> {
    let id = |value: &Value| value["id"].as_str().map(str::to_owned);
    match serde_json::from_slice(body).ok()? {
        Value::Array(all) => all.iter().map(id).collect(),
        one => id(&one).map(|id| vec![id]),
    }
}
