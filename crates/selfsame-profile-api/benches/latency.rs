//! How long a read of traits takes while the engine folds as fast as it can.
//!
//! Not a micro benchmark: it prints percentiles of reads through the router, and how many events a
//! second were folded meanwhile.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use selfsame_event::{EventsHead, RecordId, RecordKind, SourceNumber, SystemClock};
use selfsame_identity::RuleSet;
use selfsame_log::{Item, Log, LogConfig, LogRead, MemoryLog, NewRecord, RealFs, RegenerableLog};
use selfsame_pipeline::workspace::{BrowserSdk, Change, DedupeScope, Identity, Source, SourceKind};
use selfsame_pipeline::{Engine, EngineConfig, EngineParts, Reader};
use selfsame_profile_api::{Entry, ProfileApi, Tokens, router};
use tokio::time::Instant;
use tower::ServiceExt;

const REQUESTS: u64 = 30_000;
const EVENTS_EACH: u64 = 50;
const USERS: u64 = 200_000;

struct Everybody;

impl Tokens for Everybody {
    fn entry(&self, _: &Parts, token: Option<&str>, _: Option<&str>) -> Entry {
        token.map_or(Entry::Unknown, |_| Entry::Granted)
    }
}

fn append(log: &MemoryLog, number: u64, kind: RecordKind, head: Vec<u8>, items: Vec<Item>) {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&number.to_le_bytes());
    let record = NewRecord { id: RecordId(id), kind: kind as u8, head: head.into(), items };
    log.append_wait(record).expect("appends");
}

fn fill(log: &MemoryLog, requests: u64) {
    let changes = [
        Change::Create { name: "bench".to_owned(), secret: "5a".repeat(32) },
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
            write_keys: Vec::new(),
            strict: false,
            dedupe: DedupeScope::Source,
            kind: SourceKind::Any,
            browser_sdk: BrowserSdk::Official,
            identity: Identity::default(),
        }),
    ];
    for (number, change) in (0..).zip(&changes) {
        let head = serde_json::to_vec(change).expect("JSON");
        append(log, number, RecordKind::Config, head, Vec::new());
    }
    let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() }.encode();
    for request in 0..requests {
        let items = (0..EVENTS_EACH).map(|index| {
            let number = request * EVENTS_EACH + index;
            let user = number.wrapping_mul(2_654_435_761) % USERS;
            let event = if number.is_multiple_of(10) {
                format!(
                    r#"{{"type":"identify","userId":"u{user}","messageId":"m{number}","traits":{{"email":"u{user}@x.y","n":{number},"plan":"gold","city":"Ulm"}}}}"#
                )
            } else {
                format!(
                    r#"{{"type":"track","event":"E{}","userId":"u{user}","anonymousId":"a{user}","messageId":"m{number}","properties":{{"n":{number}}}}}"#,
                    number % 20
                )
            };
            Item::Body(Bytes::from(event))
        });
        append(log, 1_000 + request, RecordKind::Events, head.clone(), items.collect());
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Arc::new(MemoryLog::new(Arc::new(SystemClock::default())));
    // Without `--bench`, as tests are run, it only shows that it works.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    fill(&log, if is_bench { REQUESTS } else { 20 });
    let outbox = LogConfig::new(folder.path().join("outbox"), [3; 16]);
    let clock = Arc::new(SystemClock::default());
    let outbox = RegenerableLog::open(&outbox, clock, Arc::new(RealFs), 0).expect("opens");
    let parts = EngineParts {
        log: Arc::<MemoryLog>::clone(&log),
        outbox: Arc::new(outbox),
        clock: Arc::new(SystemClock::default()),
    };
    let engine = Engine::open(EngineConfig::new(folder.path().join("state")), parts);
    let mut engine = engine.expect("opens");
    engine.turns(2).expect("folds");
    let shared = engine.shared();
    let reader = Reader::new(Arc::clone(&shared), Arc::<MemoryLog>::clone(&log));
    let router = router::<()>(ProfileApi::new(
        reader,
        Arc::new(Everybody),
        Arc::new(SystemClock::default()),
    ))
    .with_state(());
    let stop = Arc::new(AtomicBool::new(false));
    let folding = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || engine.run(&stop)
    });
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (began, from) = (Instant::now(), shared.folded().offset);
        let (mut times, mut found, mut number) = (Vec::new(), 0_u64, 1_u64);
        loop {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let user = (number >> 33) % USERS;
            let uri = format!(
                "/v1/spaces/default/collections/users/profiles/user_id:u{user}/traits?limit=50"
            );
            let request = Request::get(uri).header(header::AUTHORIZATION, "Basic eDo=");
            let request = request.body(Body::empty()).expect("a request");
            let start = Instant::now();
            let response = router.clone().oneshot(request).await.expect("never fails");
            found += u64::from(response.status().is_success());
            response.into_body().collect().await.expect("a body");
            times.push(start.elapsed());
            if shared.folded() >= log.end() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let seconds = began.elapsed().as_secs_f64();
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 1_000];
        let events = (shared.folded().offset - from) * EVENTS_EACH;
        println!(
            "folded {events} events in {seconds:.1} s; {} reads, {found} found; p50 {:?}, p99 {:?}, p99.9 {:?}, most {:?}",
            times.len(),
            at(500),
            at(990),
            at(999),
            at(1_000),
        );
    });
    stop.store(true, Ordering::Release);
    folding.join().expect("no panic").expect("no error");
}
