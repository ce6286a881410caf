//! A small world: a log in memory, an engine over it, and the API over that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use selfsame_event::{Clock, EventsHead, RecordId, RecordKind, SourceNumber, Time};
use selfsame_identity::RuleSet;
use selfsame_log::{Item, Log, LogConfig, LogRead, MemoryLog, NewRecord, RealFs, RegenerableLog};
use selfsame_pipeline::workspace::{
    BrowserSdk, Change, DedupeScope, Definition, DefinitionKind, Identity, Source, SourceKind,
    WriteKey,
};
use selfsame_pipeline::{Compute, ComputeStatus, Engine, EngineConfig, EngineParts, Reader};
use selfsame_profile_api::{Entry, ProfileApi, Tokens, router};
use tower::ServiceExt;

/// A clock that stands at the 1st of August 2026, one second later at each look.
#[derive(Debug, Default)]
struct StepClock(AtomicI64);

impl Clock for StepClock {
    fn wall(&self) -> Time {
        let seconds = self.0.fetch_add(1, Ordering::Relaxed);
        Time::from_micros((1_785_542_400 + seconds) * 1_000_000)
    }

    fn monotonic_micros(&self) -> u64 {
        0
    }
}

struct OneToken;

impl Tokens for OneToken {
    fn entry(&self, _: &Parts, token: Option<&str>, space: Option<&str>) -> Entry {
        match token {
            Some("secret") if space != Some("forbidden") => Entry::Granted,
            Some("blind") => Entry::Refused,
            _ => Entry::Unknown,
        }
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    pub(crate) fn pretty(&self) -> String {
        let text = serde_json::to_string_pretty(&self.json()).expect("JSON");
        format!("{}\n{text}\n", self.status.as_u16())
    }

    pub(crate) fn next(&self) -> Option<String> {
        let cursor = &self.json()["cursor"];
        let next = cursor["next"].as_str().expect("a cursor").to_owned();
        assert_eq!(cursor["has_more"].as_bool(), Some(!next.is_empty()));
        Some(next).filter(|next| !next.is_empty())
    }
}

pub(crate) struct World {
    pub(crate) log: Arc<MemoryLog>,
    outbox: Arc<RegenerableLog>,
    engine: Engine,
    router: Router,
    next_id: u64,
    folder: tempfile::TempDir,
}

impl World {
    /// A world with one space, `default`, one source, `web`, and the trait `email` declared.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = Arc::new(MemoryLog::new(Arc::new(StepClock::default())));
        let outbox = LogConfig::new(folder.path().join("outbox"), [3; 16]);
        let clock = Arc::new(StepClock::default());
        let outbox = RegenerableLog::open(&outbox, clock, Arc::new(RealFs), 0).expect("opens");
        let outbox = Arc::new(outbox);
        let parts = EngineParts {
            log: Arc::<MemoryLog>::clone(&log),
            outbox: Arc::clone(&outbox),
            clock: Arc::new(StepClock::default()),
        };
        let engine = Engine::open(EngineConfig::new(folder.path().join("state")), parts);
        let engine = engine.expect("opens");
        let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
        let router = router::<()>(ProfileApi::new(
            reader,
            Arc::new(OneToken),
            Arc::new(StepClock::default()),
        ))
        .with_state(());
        let mut world = Self { log, outbox, engine, router, next_id: 0, folder };
        world.set_up();
        world
    }

    fn set_up(&mut self) {
        let changes = [
            Change::Create { name: "test".to_owned(), secret: "5a".repeat(32) },
            Change::SetSpace {
                id: "default".to_owned(),
                name: "Default".to_owned(),
                rules: RuleSet::default(),
                indexed_traits: vec!["email".to_owned()],
            },
            Change::SetSource(Source {
                number: 0,
                id: "web".to_owned(),
                name: "Web".to_owned(),
                space: "default".to_owned(),
                write_keys: vec![WriteKey { key: "key".to_owned(), revoked: false }],
                strict: false,
                dedupe: DedupeScope::Source,
                kind: SourceKind::Any,
                browser_sdk: BrowserSdk::Official,
                identity: Identity::default(),
            }),
        ];
        for change in &changes {
            let head = serde_json::to_vec(change).expect("JSON");
            self.append(RecordKind::Config, head, &[]);
        }
        self.fold();
    }

    fn append(&mut self, kind: RecordKind, head: Vec<u8>, items: &[&str]) -> String {
        self.next_id += 1;
        let mut id = [7; 16];
        // The first three bytes break ties in timelines; here they agree for many records.
        id[2..10].copy_from_slice(&self.next_id.to_be_bytes());
        let items = items.iter().map(|item| Item::Body(Bytes::copy_from_slice(item.as_bytes())));
        let record = NewRecord {
            id: RecordId(id),
            kind: kind as u8,
            head: head.into(),
            items: items.collect(),
        };
        self.log.append_wait(record).expect("appends").position.to_string()
    }

    /// Appends events without folding them. Answers with their position.
    pub(crate) fn receive(&mut self, events: &[&str]) -> String {
        let head = EventsHead {
            source: SourceNumber(0),
            context: Some(r#"{"library":{"name":"test"}}"#.to_owned()),
            ip: Some("203.0.113.9".to_owned()),
            ..EventsHead::default()
        };
        self.append(RecordKind::Events, head.encode(), events)
    }

    /// Makes a definition, and computes it over what there is.
    pub(crate) fn define(&mut self, id: &str, kind: DefinitionKind, query: &str) {
        let change = Change::SetDefinition(Definition {
            number: 0,
            id: id.to_owned(),
            space: "default".to_owned(),
            kind,
            collection: selfsame_event::Collection::Users,
            name: id.to_owned(),
            description: String::new(),
            query: query.to_owned(),
            filter_by_external_ids: Vec::new(),
            public: false,
            destinations: Vec::new(),
        });
        self.append(RecordKind::Config, serde_json::to_vec(&change).expect("JSON"), &[]);
        self.fold();
        let next = AtomicI64::new(0);
        let prefix = u8::try_from(self.next_id).expect("a small world");
        let compute = Compute {
            shared: self.engine.shared(),
            log: Arc::<MemoryLog>::clone(&self.log),
            outbox: Arc::<RegenerableLog>::clone(&self.outbox),
            folder: self.folder.path().join("history"),
            draw: Box::new(move || {
                let mut id = [prefix; 16];
                id[..8].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_be_bytes());
                RecordId(id)
            }),
        };
        let is_done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            let done = &is_done;
            threads.spawn(move || {
                let compute = compute;
                while compute.step(&mut |_: &ComputeStatus| true).expect("computes") {}
                done.store(true, Ordering::Release);
            });
            while !is_done.load(Ordering::Acquire) {
                self.engine.turns(1).expect("folds");
            }
        });
        self.fold();
    }

    pub(crate) fn fold(&mut self) {
        while self.engine.state().next() < self.log.end() {
            self.engine.turns(1).expect("folds");
        }
    }

    /// Appends events and folds them.
    pub(crate) fn send(&mut self, events: &[&str]) -> String {
        let position = self.receive(events);
        self.fold();
        position
    }

    /// Writes the state to disk and takes what is hot out of memory, as far as it goes.
    pub(crate) fn checkpoint(&mut self) {
        self.engine.catch_up().expect("checkpoints");
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        ask(self.router(), "GET", &format!("/v1/spaces/default/collections{path}"), "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        ask(self.router(), "POST", &format!("/v1/spaces/default/collections{path}"), body).await
    }

    /// Every page of a resource, put together.
    pub(crate) async fn walk(&self, path: &str, root: &str) -> Vec<serde_json::Value> {
        let (mut all, mut next) = (Vec::new(), None::<String>);
        let join = if path.contains('?') { '&' } else { '?' };
        for _ in 0..10_000 {
            let more = next
                .map(|next| format!("{join}next={}", next.replace('+', "%2B").replace('=', "%3D")));
            let answer = self.get(&format!("{path}{}", more.unwrap_or_default())).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            match &answer.json()[root] {
                serde_json::Value::Array(page) => all.extend(page.iter().cloned()),
                serde_json::Value::Object(page) => {
                    all.extend(page.iter().map(|(key, value)| serde_json::json!([key, value])));
                }
                _ => panic!("no {root}"),
            }
            next = answer.next();
            if next.is_none() {
                return all;
            }
        }
        panic!("the pages do not end");
    }
}

pub(crate) async fn ask(router: Router, method: &str, uri: &str, body: &str) -> Answer {
    // `secret:` in base 64.
    let request = Request::builder().method(method).uri(uri);
    let request = request.header(header::AUTHORIZATION, "Basic c2VjcmV0Og==");
    send(router, request.body(Body::from(body.to_owned())).expect("a request")).await
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.expect("never fails");
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.expect("a body").to_bytes();
    let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let is_json =
        parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    assert!(is_json, "every answer is JSON: {} {text}", parts.status);
    assert_eq!(parts.headers["request-id"].len(), 32);
    Answer { status: parts.status, headers: parts.headers, text }
}
