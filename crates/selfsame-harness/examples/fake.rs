//! A server that answers as the real one does and keeps just enough to be tortured: for the tests of
//! the harness itself. Called by the name `fake-losing` it forgets some acknowledged events, as
//! `fake-doubling` it counts some of those sent again, as `fake-splitting` it does not merge, as
//! `fake-miscounting` a delivery of it is neither done nor pending nor dead, as
//! `fake-early` it answers before anything is on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    Losing,
    Doubling,
    Splitting,
    Miscounting,
    Early,
}

/// What it knows, all of it in one file of lines and in memory.
#[derive(Debug)]
struct Fake {
    fault: Fault,
    file: File,
    seen: BTreeSet<String>,
    duplicates: u64,
    /// The profile of an id.
    profiles: BTreeMap<String, usize>,
    /// The message ids of each profile's tracks.
    tracks: Vec<Vec<String>>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [program, command, _, data, rest @ ..] = arguments.as_slice() else {
        anyhow::bail!("dev --data DIR --listen ADDRESS, or verify --data DIR")
    };
    if command == "verify" {
        std::fs::metadata(data)?;
        return Ok(());
    }
    let fault = match program.rsplit_once('-').map(|(_, fault)| fault) {
        Some("losing") => Fault::Losing,
        Some("doubling") => Fault::Doubling,
        Some("splitting") => Fault::Splitting,
        Some("miscounting") => Fault::Miscounting,
        Some("early") => Fault::Early,
        _ => Fault::None,
    };
    let listener = TcpListener::bind(rest.last().context("no address")?).await?;
    let fake = Arc::new(Mutex::new(Fake::open(Path::new(data), fault)?));
    let mut asked_to_stop = signal(SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = asked_to_stop.recv() => return Ok(()),
            accepted = listener.accept() => {
                let (stream, fake) = (accepted?.0, Arc::clone(&fake));
                let service = service_fn(move |request| answer(request, Arc::clone(&fake)));
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    fake: Arc<Mutex<Fake>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let mut fake = fake.lock().unwrap_or_else(PoisonError::into_inner);
    let found = if head.method == Method::POST {
        fake.post(head.uri.path(), &body).ok()
    } else {
        fake.get(head.uri.path(), head.uri.query().unwrap_or_default())
    };
    let text = found.as_ref().map(Value::to_string).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(text)));
    if found.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    Ok(response)
}

impl Fake {
    fn open(data: &Path, fault: Fault) -> Result<Self> {
        let path = data.join("events");
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let file = File::options().create(true).append(true).open(&path)?;
        let (seen, profiles) = (BTreeSet::new(), BTreeMap::new());
        let mut fake = Self { fault, file, seen, duplicates: 0, profiles, tracks: Vec::new() };
        for line in kept.lines() {
            // A torn last line was not acknowledged.
            if let Ok(event) = serde_json::from_str(line) {
                fake.fold(&event);
            }
        }
        Ok(fake)
    }

    fn post(&mut self, path: &str, body: &[u8]) -> Result<Value> {
        let mut body: Value = serde_json::from_slice(body)?;
        let events = match body.get_mut("batch").map(Value::take) {
            Some(Value::Array(events)) => events,
            _ => vec![body],
        };
        let mut lines = String::from("\n");
        for mut event in events {
            if let Some(kind) = path.strip_prefix("/v1/").filter(|kind| *kind != "batch") {
                event["type"] = json!(kind);
            }
            let is_unlucky = field(&event, "messageId").ends_with("77");
            if self.fault == Fault::Losing && is_unlucky {
                self.seen.insert(field(&event, "messageId").to_owned());
                continue;
            }
            lines.push_str(&event.to_string());
            lines.push('\n');
            self.fold(&event);
        }
        self.file.write_all(lines.as_bytes())?;
        if self.fault != Fault::Early {
            self.file.sync_data()?;
        }
        Ok(json!({ "success": true }))
    }

    fn fold(&mut self, event: &Value) {
        let message_id = field(event, "messageId").to_owned();
        let is_new = self.seen.insert(message_id.clone());
        self.duplicates += u64::from(!is_new);
        let counts_again = self.fault == Fault::Doubling && message_id.ends_with('7');
        if !is_new && !counts_again {
            return;
        }
        let ids = [("user_id", "userId"), ("anonymous_id", "anonymousId")]
            .map(|(kind, key)| (kind, field(event, key)))
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(kind, value)| format!("{kind}:{value}"));
        let mut profile: Option<usize> = None;
        for id in ids {
            let fresh = self.tracks.len();
            let own = *self.profiles.entry(id).or_insert(fresh);
            if own == fresh {
                self.tracks.push(Vec::new());
            }
            match profile {
                Some(first) if first != own && self.fault != Fault::Splitting => {
                    let moved = std::mem::take(&mut self.tracks[own]);
                    self.tracks[first].extend(moved);
                    self.profiles.values_mut().filter(|p| **p == own).for_each(|p| *p = first);
                }
                Some(_) => {}
                None => profile = Some(own),
            }
        }
        if let Some(profile) = profile.filter(|_| field(event, "type") == "track") {
            self.tracks[profile].push(message_id);
        }
    }

    fn accounting(&self) -> Value {
        let (accepted, duplicates) = (self.seen.len(), self.duplicates);
        let forgotten = usize::from(self.fault == Fault::Miscounting && accepted > 0);
        json!({
            "received": {
                "received": accepted as u64 + duplicates, "accepted": accepted, "duplicates": duplicates,
                "changed": 0, "rejected": 0, "unattached": 0, "calls": 0,
            },
            "destinations": [{
                "offered": accepted, "before": 0, "actions": 0, "replayed": 0, "accepted": accepted,
                "delivered": accepted - forgotten, "filtered": 0, "filtered_by": {}, "pending": 0, "dead": 0,
            }],
        })
    }

    fn get(&self, path: &str, query: &str) -> Option<Value> {
        match path {
            "/readyz" => return Some(json!("ready")),
            "/metrics" => return Some(json!("")),
            "/api/state" => {
                return Some(json!({
                    "position": "0:0", "events": self.seen.len(), "duplicates": self.duplicates,
                    "profiles": self.profiles.values().collect::<BTreeSet<_>>().len(), "lag": 0,
                }));
            }
            "/api/spaces/dev/accounting" => return Some(self.accounting()),
            _ => {}
        }
        let rest = path.strip_prefix("/v1/spaces/dev/collections/users/profiles/")?;
        let (id, part) = rest.split_once('/')?;
        let tracks = &self.tracks[*self.profiles.get(id)?];
        if part != "events" {
            return Some(json!({}));
        }
        let parameter = |name: &str| {
            let found =
                query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.and_then(|value| value.parse::<usize>().ok())
        };
        let (from, limit) = (parameter("next").unwrap_or(0), parameter("limit").unwrap_or(10));
        let page = tracks.iter().skip(from).take(limit);
        let page: Vec<Value> = page.map(|id| json!({ "message_id": id })).collect();
        let next = from + page.len();
        let cursor = json!({ "has_more": next < tracks.len(), "next": next.to_string() });
        Some(json!({ "data": page, "cursor": cursor }))
    }
}

fn field<'a>(event: &'a Value, name: &str) -> &'a str {
    event.get(name).and_then(Value::as_str).unwrap_or_default()
}
