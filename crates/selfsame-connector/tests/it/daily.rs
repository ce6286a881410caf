//! What a vendor allows for a day.

use std::sync::Arc;

use selfsame_deliver::MemoryLedger;
use serde_json::{Value, json};

use crate::batches::TOGETHER;
use crate::receiver::{Receiver, ok};
use crate::world::{World, config, manifest, mapped, track};

async fn world(
    receiver: &Receiver,
    limits: &str,
    events: u64,
    journal: &Arc<MemoryLedger>,
) -> World {
    let text = format!("{TOGETHER}limits: {limits}\n");
    let is_together = limits.contains("events");
    let mapping = json!({"name": {"@path": "$.event"}, "enable_batching": is_together});
    let mappings = [mapped(0, "send", "type = \"track\"", mapping)];
    let settings = json!({"base": receiver.url()});
    let events = (0..events).map(|number| track(&format!("user-{number}"), "Hi"));
    let config = config(&manifest(&text), settings, Value::Null, &mappings);
    World::with(config, events.collect(), journal)
}

#[tokio::test]
async fn what_has_no_room_in_the_day_waits_and_is_neither_tried_nor_lost() {
    let receiver = Receiver::start(|_| ok("")).await;
    let journal = Arc::<MemoryLedger>::default();
    let world = world(&receiver, "{daily_requests: 5}", 12, &journal).await;
    let status = world.until(|status| status.delivered == 5 && status.in_flight == 0).await;
    assert_eq!((status.accepted, status.pending, status.dead), (12, 7, 0));
    assert_eq!(status.last_failure, None);
    let daily = world.daily();
    assert_eq!((daily.most, daily.used), (5, 5));
    assert!(daily.free_at.is_some());
    assert_eq!(receiver.lines().len(), 5);
}

/// A process that ended suddenly leaves what it had reserved, and never less than what it had sent.
#[tokio::test]
async fn the_next_process_counts_on() {
    let receiver = Receiver::start(|_| ok("")).await;
    let journal = Arc::<MemoryLedger>::default();
    let first = world(&receiver, "{daily_requests: 150}", 20, &journal).await;
    first.done(20).await;
    assert_eq!(first.daily().used, 20);
    let journal = Arc::new(MemoryLedger::with(journal.records()));
    let second = world(&receiver, "{daily_requests: 150}", 80, &journal).await;
    second.until(|status| status.pending > 0 && status.delivered == 49).await;
    assert_eq!(second.daily().used, 150);
    assert!(receiver.lines().len() <= 150);
}

#[tokio::test]
async fn events_of_a_batch_count_where_the_vendor_counts_them() {
    let receiver = Receiver::start(|_| ok("")).await;
    let journal = Arc::<MemoryLedger>::default();
    let limits = "{daily_requests: 11, daily_counts: events}";
    let world = world(&receiver, limits, 20, &journal).await;
    let status = world.until(|status| status.delivered == 11).await;
    assert_eq!((status.pending, status.dead), (9, 0));
    assert!(receiver.lines().len() < 11, "some went together");
}
