//! How many events a second a connection delivers, to a receiver in this process.
//!
//! ```sh
//! cargo test --release -p selfsame-connector --test it rates -- --ignored --nocapture
//! ```

use std::time::SystemTime;

use serde_json::{Value, json};

use crate::batches::TOGETHER;
use crate::receiver::{Receiver, ok};
use crate::world::{World, config, manifest, mapped, track};

const EVENTS: u64 = 50_000;

async fn rate(of: &str, manifest_text: &str, mapping: Value) {
    let receiver = Receiver::start(|_| ok("")).await;
    let events = (0..EVENTS).map(|number| track(&format!("user-{}", number % 5_000), "Hi"));
    let mappings = [mapped(0, "send", "type = \"track\"", mapping)];
    let settings = json!({"base": receiver.url()});
    let config = config(&manifest(manifest_text), settings, Value::Null, &mappings);
    #[expect(clippy::disallowed_methods, reason = "how long it really takes is what is measured")]
    let started = SystemTime::now();
    let world = World::start(config, events.collect());
    let status = world.done(EVENTS).await;
    let seconds = started.elapsed().expect("time goes on").as_secs_f64();
    assert_eq!(status.delivered, EVENTS);
    let requests = receiver.lines().len();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = EVENTS as f64 / seconds;
    say(&format!(
        "{of}: {EVENTS} events in {requests} requests, {seconds:.2} s, {rate:.0} events/s"
    ));
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn say(line: &str) {
    println!("{line}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn events_a_second() {
    let alone = json!({"name": {"@path": "$.event"}, "enable_batching": false});
    rate("one by one", TOGETHER, alone).await;
    let hundred = TOGETHER.replace("max_events: 8", "max_events: 100");
    rate("by batches of 100", &hundred, Value::Null).await;
}
