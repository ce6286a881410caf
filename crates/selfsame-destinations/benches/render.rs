//! What one event costs from its JSON to the bytes of its requests: mapping, fields, values, requests, answers.
//!
//! The events, mappings, settings and answers are those of recorded cases. `make bench-render` times Segment's package
//! with the same.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use divan::{Bencher, black_box};
use selfsame_destinations::{Catalogue, Connection, Next, Reply};
use selfsame_mapping::Item;
use serde_json::Value;

/// A destination, and the case that is rendered.
const CASES: &[&str] = &[
    "webhook/send/582",
    "mixpanel/trackEvent/1664",
    "braze/trackEvent2",
    "google-analytics-4/purchase",
    "iterable/trackEvent/565",
    "salesforce/lead2/2529",
];

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The first single case whose id begins so, and that sends something.
fn case(name: &str) -> Value {
    let file = File::open(root().join("fixtures/destinations/cases.jsonl.gz")).expect("the cases");
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).expect("text");
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a case"));
    let mut fits = cases.filter(|case| {
        let id = case["id"].as_str().unwrap_or_default();
        let sends = case["expected"]["requests"].as_array().is_some_and(|sent| !sent.is_empty());
        id.starts_with(name) && case["mode"] == "single" && sends
    });
    fits.next().unwrap_or_else(|| panic!("no case {name}"))
}

#[divan::bench(args = CASES)]
fn request(bencher: Bencher<'_, '_>, name: &str) {
    let catalogue = Catalogue::load(&root().join("destinations")).expect("manifests");
    let case = case(name);
    let slug = case["slug"].as_str().expect("a slug");
    let manifest = catalogue.iter().find(|one| one.cases.as_deref() == Some(slug)).expect("it");
    let action = case["action"].as_str().expect("an action");
    let subscription = manifest.subscription(action, Some(&case["mapping"])).expect("a mapping");
    let mut settings = case["settings"].as_object().cloned().unwrap_or_default();
    for (name, value) in manifest.default_settings() {
        settings.entry(name).or_insert_with(|| value.clone());
    }
    let settings = Value::Object(settings);
    let text = case["events"][0].to_string();
    let connection = Connection {
        settings: &settings,
        auth: &Value::Null,
        audience: &Value::Null,
        now_ms: case["now_ms"].as_i64().expect("a time"),
    };
    let replies = case["expected"]["requests"].as_array().expect("requests");
    let replies: Vec<Reply> =
        replies.iter().map(|one| Reply::from_json(one.get("reply")).expect("a status")).collect();
    bencher.bench_local(|| {
        let event = Item::read(black_box(&text)).expect("JSON");
        let mut exchange = manifest.exchange(&subscription, event, connection).expect("it renders");
        let (mut replies, mut reply, mut bytes) = (replies.iter(), None, 0);
        loop {
            match exchange.next(reply) {
                Next::Send(request) => bytes += request.body.text().len(),
                Next::Done(done) => break (bytes, done),
            }
            reply = replies.next();
        }
    });
}

/// The part of that which reads the event.
#[divan::bench(args = CASES)]
fn read(bencher: Bencher<'_, '_>, name: &str) {
    let text = case(name)["events"][0].to_string();
    bencher.bench_local(|| Item::read(black_box(&text)).is_some());
}
