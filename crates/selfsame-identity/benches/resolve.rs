//! Extraction and resolving. Expected on one core: a typical event well under 1 us each, and nothing
//! allocated for known identifiers.

use divan::{AllocProfiler, Bencher, black_box};
use selfsame_event::{Event, KeyHasher, Position, Raw, Shared, Time};
use selfsame_identity::{
    Claims, Keys, MemoryRows, Occurrence, RuleSet, Rules, Stamp, TypeNumbers, extract, resolve,
};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const TRACK: &str = r#"{"type":"track","event":"Order Completed","userId":"user-4711","anonymousId":"0b7e6e0a-7f1a-4b3e-9a51-1f0d3c2b4a59","messageId":"ajs-next-1700000000000-0b7e6e0a","timestamp":"2026-01-02T03:04:05.678Z","properties":{"orderId":"o-1","total":49.9,"currency":"EUR","products":[{"sku":"a","price":19.9},{"sku":"b","price":30}]},"context":{"ip":"203.0.113.9","locale":"de-DE","library":{"name":"analytics.js","version":"next-1.70.0"},"page":{"path":"/checkout","referrer":"","search":"?a=1","title":"Checkout","url":"https://shop.example/checkout?a=1"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"}}"#;

fn main() {
    divan::main();
}

fn rules() -> Rules {
    Rules::compile(&RuleSet::default(), &mut TypeNumbers::default()).expect("valid")
}

fn event(text: &str) -> Event<'_> {
    Event::read(Raw::trusted(text), &Shared::default()).expect("accepted")
}

fn at(offset: u64) -> Occurrence<'static> {
    let time = Time::from_micros(1_800_000_000_000_000);
    let position = Position::embedded(offset).item(0);
    let stamp = Stamp { position, event_time: time, log_time: time, ..Stamp::default() };
    Occurrence { stamp, message_id: None }
}

fn claims_of<'e>(event: &'e Event<'_>, rules: &Rules) -> Claims<'e> {
    let hasher = KeyHasher::new([7; 32]);
    extract(event, rules, &Keys { hasher: &hasher, space: 1 })
}

/// A typical track event: two identifiers, keys included. Nothing should be allocated.
#[divan::bench(sample_size = 100)]
fn extract_track(bencher: Bencher<'_, '_>) {
    let (rules, hasher, event) = (rules(), KeyHasher::new([7; 32]), event(TRACK));
    let keys = Keys { hasher: &hasher, space: 1 };
    bencher.bench_local(|| extract(black_box(&event), &rules, &keys));
}

/// The common case: everything on the event is known. Nothing should be allocated.
#[divan::bench]
fn resolve_known(bencher: Bencher<'_, '_>) {
    let (rules, mut rows, event) = (rules(), MemoryRows::default(), event(TRACK));
    let claims = claims_of(&event, &rules);
    resolve(&claims, &at(0), &rules, &mut rows).expect("memory");
    bencher.bench_local(|| resolve(black_box(&claims), &at(1), &rules, &mut rows));
}

/// A new profile with two identifiers.
#[divan::bench]
fn resolve_new(bencher: Bencher<'_, '_>) {
    let (rules, event) = (rules(), event(TRACK));
    let claims = claims_of(&event, &rules);
    bencher.with_inputs(MemoryRows::default).bench_local_values(|mut rows| {
        let outcome = resolve(black_box(&claims), &at(0), &rules, &mut rows);
        (outcome, rows)
    });
}

/// A known user signs in on a device with a history of its own.
#[divan::bench]
fn resolve_merge(bencher: Bencher<'_, '_>) {
    let rules = rules();
    let user = event(r#"{"type":"identify","userId":"user-4711"}"#);
    let device = event(r#"{"type":"page","anonymousId":"0b7e6e0a-7f1a-4b3e-9a51-1f0d3c2b4a59"}"#);
    let both = event(TRACK);
    let mut rows = MemoryRows::default();
    for (offset, known) in [(0, &user), (1, &device)] {
        resolve(&claims_of(known, &rules), &at(offset), &rules, &mut rows).expect("memory");
    }
    let claims = claims_of(&both, &rules);
    bencher.with_inputs(|| rows.clone()).bench_local_values(|mut rows| {
        let outcome = resolve(black_box(&claims), &at(2), &rules, &mut rows);
        (outcome, rows)
    });
}
