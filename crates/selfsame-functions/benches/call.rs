//! What a call of a function costs, on one thread: `cargo bench -p selfsame-functions --bench call`.

use std::sync::{Arc, mpsc};

use divan::Bencher;
use divan::counter::ItemsCount;
use selfsame_event::SystemClock;
use selfsame_functions::{
    Call, Code, Fetch, FetchReply, FetchRequest, FetchResponse, Input, Instance, Kind, Limits,
    Pool, PoolConfig,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// Answers at once.
#[derive(Debug)]
struct Here;

impl Fetch for Here {
    fn fetch(&self, _: FetchRequest, reply: FetchReply) {
        reply.answer(Ok(FetchResponse { status: 200, ..FetchResponse::default() }));
    }
}

const EVENT: &str = r#"{"type":"track","event":"Order Completed","userId":"u-123","messageId":"m-1","timestamp":"2026-11-29T12:00:00.000Z","context":{"ip":"192.0.2.7","locale":"de-DE","page":{"url":"https://shop.example/checkout","title":"Checkout"},"userAgent":"Mozilla/5.0"},"properties":{"order_id":"o-77","email":"Ada@Example.com","total":129.9,"currency":"EUR","products":[{"sku":"a","price":29.9,"quantity":1},{"sku":"b","price":50,"quantity":2}]}}"#;

const ENRICH: &str = "async function onTrack(event, settings) {
  if (event.properties.internal) throw new DropEvent('internal');
  event.properties.email = crypto.createHash('sha256').update(event.properties.email.trim().toLowerCase()).digest('hex');
  event.properties.value = _.sumBy(event.properties.products, (one) => one.price * one.quantity);
  event.context = _.omit(event.context, ['ip']);
  return event;
}";

const SEND: &str = "async function onTrack(event, settings) {
  const response = await fetch('https://tool.example/v1/events', {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(settings.apiKey + ':')}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: event.event, user: event.userId, at: event.timestamp, properties: event.properties }),
  });
  if (response.status >= 500 || response.status === 429) throw new RetryError(`Failed with ${response.status}`);
}";

/// `COUNT` calls that are handed over at once, and all of them ended.
fn calls(bencher: Bencher<'_, '_>, kind: Kind, code: &str) {
    const COUNT: usize = 500;
    let config = PoolConfig { threads: 1, ..PoolConfig::default() };
    let pool = Pool::start(config, Arc::new(Here), Arc::new(SystemClock::default()));
    let pool = pool.expect("threads");
    let instance = Instance {
        connection: "bench".into(),
        code: Code::new(kind, code),
        settings: r#"{"apiKey":"key"}"#.into(),
    };
    let (tell, told) = mpsc::sync_channel(COUNT);
    bencher.counter(ItemsCount::new(COUNT)).bench_local(|| {
        for _ in 0..COUNT {
            let tell = tell.clone();
            let input = Input::Event(EVENT.to_owned());
            let call = Call { instance: instance.clone(), input, measure: false, fetch: None };
            pool.call(call, move |report| tell.send(report.result.is_ok()).expect("a listener"));
        }
        for _ in 0..COUNT {
            assert!(told.recv().expect("a report"));
        }
    });
}

/// An insert function: the event is hashed, summed, stripped and returned.
#[divan::bench]
fn insert(bencher: Bencher<'_, '_>) {
    calls(bencher, Kind::Insert, ENRICH);
}

/// A destination function: one request, which is answered at once.
#[divan::bench]
fn destination(bencher: Bencher<'_, '_>) {
    calls(bencher, Kind::Destination, SEND);
}

/// The least that a call can be.
#[divan::bench]
fn nothing(bencher: Bencher<'_, '_>) {
    calls(bencher, Kind::Destination, "function onTrack() {}");
}

/// A new sandbox with a function in it.
#[divan::bench]
fn sandbox(bencher: Bencher<'_, '_>) {
    let (code, limits) = (Code::new(Kind::Insert, ENRICH), Limits::default());
    bencher.bench(|| code.check(&limits).expect("a function"));
}
