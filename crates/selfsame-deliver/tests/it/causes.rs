use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use selfsame_deliver::{ConnectionId, DeliverConfig, RetryPolicy};
use selfsame_event::EventType;

use crate::feed::{MemoryFeed, at};
use crate::receiver::{Receiver, answer};
use crate::world::{World, connection, ledger};

const ID: ConnectionId = ConnectionId([1; 16]);

#[tokio::test]
async fn dead_letters_are_grouped_by_what_was_answered_and_sent_again_by_cause() {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let receiver = Receiver::start(move |got| {
        let offset = got.offset();
        // Few, so that the destination does not count as down.
        Some(match offset {
            _ if mended.load(Ordering::Relaxed) => answer(200, "ok"),
            0 | 8 => answer(400, &format!(r#"{{"error":"unknown user {offset}"}}"#)),
            4 => answer(400, r#"{"error":"no such list"}"#),
            _ => answer(200, "ok"),
        })
    })
    .await;
    let feed = MemoryFeed::new();
    feed.add(EventType::Track, 1..=40);
    let short = Duration::from_millis(10);
    let retry = RetryPolicy { base: short, cap: short, span: short, ..RetryPolicy::default() };
    let config = DeliverConfig { retry, ..DeliverConfig::default() };
    let world = World::with(&Arc::new(feed), ledger(), config);
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    world.until(1, |status| status.dead == 3 && status.pending == 0).await;
    let causes = world.handle.dead_causes(ID, None).await.expect("causes");
    let told: Vec<_> = causes
        .iter()
        .map(|of| (of.cause.error.as_str(), of.cause.status, of.count, of.samples[0]))
        .collect();
    let (users, lists) = (r##"{"error":"unknown user #"}"##, r#"{"error":"no such list"}"#);
    assert_eq!(told, [(users, Some(400), 2, at(0)), (lists, Some(400), 1, at(4))]);

    is_mended.store(true, Ordering::Relaxed);
    let id = causes[0].cause.id();
    let none = world.handle.resend_cause(ID, None, "0123456789", usize::MAX).await;
    assert_eq!(none.expect("it is there"), 0);
    assert_eq!(world.handle.resend_cause(ID, None, &id, 1).await.expect("it is there"), 1);
    world.until(1, |status| status.dead == 2 && status.pending == 0).await;
    let causes = world.handle.dead_causes(ID, None).await.expect("causes");
    assert_eq!(causes.iter().map(|of| of.count).collect::<Vec<_>>(), [1, 1]);
    let rest = world.handle.resend_cause(ID, None, &id, usize::MAX).await;
    assert_eq!(rest.expect("it is there"), 1);
    let status = world.until(1, |status| status.dead == 1 && status.pending == 0).await;
    assert_eq!(status.delivered, 39);
    let causes = world.handle.dead_causes(ID, None).await.expect("causes");
    assert_eq!((causes.len(), causes[0].cause.error.as_str()), (1, lists));
    world.stop().await;
}
