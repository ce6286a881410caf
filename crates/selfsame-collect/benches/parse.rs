//! What a batch of 100 events of 500 bytes costs before it is appended, in its steps.
#![allow(missing_docs, reason = "benches are not a library")]

use std::sync::Arc;

use bytes::Bytes;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use http_body_util::Full;
use hyper::Request;
use selfsame_collect::{
    BrowserSdk, CollectConfig, Collector, Intake, IntakeError, Lookup, Peer, Problem, Receipt,
    Scripts, Shape, SourceKind, SourceSettings, Sources, TokenKeys,
};
use selfsame_event::{Position, RecordKind, SourceNumber, SystemClock, Time};

fn main() {
    divan::main();
}

const EVENTS: u32 = 100;

fn event(number: u32) -> String {
    let start = format!(
        r#"{{"type":"track","event":"Product Viewed","messageId":"ajs-next-{number:013}-2f5bd8f4-0a11-4b0e-9f0e-1c2d3e4f5a6b","anonymousId":"5b1e6a30-9a2d-4e5c-8c55-{number:012}","userId":"user-{number}","timestamp":"2026-01-02T03:04:05.678Z","properties":{{"sku":"A-{number}","price":19.99,"currency":"EUR","in_stock":true}},"context":{{"locale":"de-DE","page":{{"path":"/shoes","url":"https://shop.example/shoes"}},"library":{{"name":"analytics.js","version":"1.84.1"}}"#
    );
    let padding = 500_usize.saturating_sub(start.len() + r#","pad":""}}"#.len());
    format!(r#"{start},"pad":"{}"}}}}"#, "x".repeat(padding))
}

fn batch() -> Vec<u8> {
    let events: Vec<_> = (0..EVENTS).map(event).collect();
    let batch = events.join(",");
    format!(r#"{{"writeKey":"key","sentAt":"2026-01-02T03:04:06.000Z","batch":[{batch}]}}"#).into()
}

#[divan::bench]
fn envelope(bencher: Bencher<'_, '_>) {
    let body = batch();
    bencher
        .counter(ItemsCount::new(EVENTS))
        .counter(BytesCount::new(body.len()))
        .with_inputs(|| body.clone())
        .bench_values(|body| selfsame_collect::Envelope::read(body, Shape::Batch));
}

#[divan::bench]
fn events(bencher: Bencher<'_, '_>) {
    let body = batch();
    let envelope = selfsame_collect::Envelope::read(body, Shape::Batch).expect("readable");
    bencher
        .counter(ItemsCount::new(EVENTS))
        .bench(|| black_box(&envelope).events(black_box(false)));
}

struct Nowhere;

impl Intake for Nowhere {
    async fn append(
        &self,
        _: RecordKind,
        head: Vec<u8>,
        items: Vec<Bytes>,
    ) -> Result<Receipt, IntakeError> {
        black_box((head, items));
        Ok(Receipt { position: Position::default() })
    }
}

impl Sources for Nowhere {
    fn by_key(&self, _: &str) -> Lookup {
        let number = SourceNumber(1);
        Lookup::Active(SourceSettings {
            number,
            strict: false,
            kind: SourceKind::Server,
            browser_sdk: BrowserSdk::Selfsame,
            oauth: false,
        })
    }

    fn token_keys(&self, _: SourceNumber) -> Arc<TokenKeys> {
        Arc::default()
    }

    fn authorize(&self, _: SourceNumber, _: &str, _: Time) -> Result<(), Problem> {
        Ok(())
    }
}

/// The whole answer, but for the socket and the disk.
#[divan::bench(args = ["batch", "event"])]
fn answer(bencher: Bencher<'_, '_>, what: &str) {
    let (path, body, count) = match what {
        "batch" => ("/v1/batch", batch(), EVENTS),
        _ => ("/v1/track", event(1).into_bytes(), 1),
    };
    let body = Bytes::from(body);
    let (config, clock) = (CollectConfig::default(), Arc::new(SystemClock::default()));
    let collector = Collector::new(config, Nowhere, Nowhere, clock, Scripts::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.expect("a runtime");
    let peer = Peer { address: ([127, 0, 0, 1], 1).into(), secure: false };
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut request = Request::post(path);
        if count == 1 {
            request = request.header("authorization", "Basic a2V5Og==");
        }
        let request = request.body(Full::new(body.clone())).expect("a request");
        let route = collector.route(request.method(), path).expect("ours");
        let answer = runtime.block_on(collector.answer(route, request, peer));
        assert_eq!(answer.status(), 200);
    });
}
