//! A collector over a log in memory, and what came of a request.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, Response};
use selfsame_collect::{
    BrowserSdk, CollectConfig, Collector, Intake, IntakeError, Lookup, Peer, Problem, Receipt,
    Scripts, SourceKind, SourceSettings, Sources, TokenKey, TokenKeys,
};
use selfsame_event::{Clock, EventsHead, Position, RecordKind, SourceNumber, Time};

/// A record as it was appended.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) kind: RecordKind,
    pub(crate) head: EventsHead,
    pub(crate) items: Vec<Bytes>,
}

/// A log in memory that takes everything, or nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) records: Arc<Mutex<Vec<Record>>>,
    pub(crate) refuses: Arc<Mutex<Option<IntakeError>>>,
}

impl Intake for Memory {
    async fn append(
        &self,
        kind: RecordKind,
        head: Vec<u8>,
        items: Vec<Bytes>,
    ) -> Result<Receipt, IntakeError> {
        if let Some(error) = *self.refuses.lock().unwrap() {
            return Err(error);
        }
        tokio::task::yield_now().await;
        let head = EventsHead::decode(&head).unwrap();
        let mut records = self.records.lock().unwrap();
        records.push(Record { kind, head, items });
        Ok(Receipt { position: Position::embedded(records.len() as u64 - 1) })
    }
}

/// Six sources; that of `server` does not say who sends to it, and that of `browser` has a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys;

impl Sources for Keys {
    fn by_key(&self, key: &str) -> Lookup {
        let (number, strict, kind) = match key {
            "server" => (1, false, SourceKind::ByRoute),
            "browser" => (2, false, SourceKind::Browser),
            "strict" => (3, true, SourceKind::ByRoute),
            "mobile" => (4, false, SourceKind::Mobile),
            "backend" => (5, false, SourceKind::Server),
            "guarded" => (6, false, SourceKind::Server),
            "revoked" => return Lookup::Revoked,
            _ => return Lookup::Unknown,
        };
        let oauth = key == "guarded";
        let browser_sdk =
            if key == "browser" { BrowserSdk::Selfsame } else { BrowserSdk::Official };
        let number = SourceNumber(number);
        Lookup::Active(SourceSettings { number, strict, kind, browser_sdk, oauth })
    }

    fn authorize(&self, source: SourceNumber, token: &str, _: Time) -> Result<(), Problem> {
        match (source.0, token) {
            (6, "good") => Ok(()),
            (6, "old") => Err(Problem::AccessExpired),
            _ => Err(Problem::AccessInvalid),
        }
    }

    fn token_keys(&self, source: SourceNumber) -> Arc<TokenKeys> {
        let keys = match source.0 {
            2 => vec![TokenKey::hs256("k1", SECRET).unwrap()],
            _ => Vec::new(),
        };
        Arc::new(TokenKeys(keys))
    }
}

/// The secret of the browsers' source.
pub(crate) const SECRET: &str = "a secret that is long enough for HS256";

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct Noon;

impl Clock for Noon {
    fn wall(&self) -> Time {
        Time::from_millis(1_800_000_000_000)
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

pub(crate) struct World {
    pub(crate) collector: Collector<Memory, Keys>,
    pub(crate) memory: Memory,
    pub(crate) peer: Peer,
}

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn of(response: Response<Full<Bytes>>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new(CollectConfig::default())
    }
}

impl World {
    pub(crate) fn new(config: CollectConfig) -> Self {
        Self::with_scripts(config, Scripts::default())
    }

    pub(crate) fn with_scripts(config: CollectConfig, scripts: Scripts) -> Self {
        let memory = Memory::default();
        let collector = Collector::new(config, Keys, memory.clone(), Arc::new(Noon), scripts);
        let peer = Peer { address: "203.0.113.7:4711".parse().unwrap(), secure: false };
        Self { collector, memory, peer }
    }

    pub(crate) fn refusing(error: IntakeError) -> Self {
        let world = Self::default();
        *world.memory.refuses.lock().unwrap() = Some(error);
        world
    }

    /// The answer to a request, which must be for us.
    pub(crate) async fn send<B>(&self, request: Request<B>) -> Answer
    where
        B: hyper::body::Body<Data = Bytes>,
    {
        let route = self.collector.route(request.method(), request.uri().path());
        let route = route.unwrap_or_else(|| panic!("{} is not ours", request.uri()));
        Answer::of(self.collector.answer(route, request, self.peer).await).await
    }

    /// A POST with a body and headers.
    pub(crate) async fn post(
        &self,
        path: &str,
        body: impl Into<Bytes>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(request("POST", path, headers, body)).await
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(request("GET", path, headers, "")).await
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.memory.records.lock().unwrap().clone()
    }

    pub(crate) fn of_kind(&self, kind: RecordKind) -> Vec<Record> {
        self.records().into_iter().filter(|record| record.kind == kind).collect()
    }
}

pub(crate) fn request(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn owned(headers: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

pub(crate) const BACKLOG: IntakeError =
    IntakeError::Backlog { retry_after: Duration::from_millis(2_500) };
