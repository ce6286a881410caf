use std::sync::Arc;
use std::time::Duration;

use selfsame_deliver::{
    AttemptQuery, ConnectionId, DeliverConfig, Failure, FoundAttempt, Outcome, ProfileMark,
    RetryPolicy, Wanted,
};
use selfsame_event::{EventType, ProfileId};

use crate::feed::{MemoryFeed, at};
use crate::receiver::{Receiver, answer};
use crate::world::{World, connection, ledger};

const ID: ConnectionId = ConnectionId([1; 16]);

fn failed() -> AttemptQuery {
    AttemptQuery { wanted: Some(Wanted::Failed), limit: 100, ..AttemptQuery::default() }
}

async fn found(world: &World, query: AttemptQuery) -> Vec<FoundAttempt> {
    world.handle.search_attempts(ID, query).await.expect("a page").rows
}

/// Gives up at once.
fn impatient() -> DeliverConfig {
    let short = Duration::from_millis(10);
    let retry = RetryPolicy { base: short, cap: short, span: short, ..RetryPolicy::default() };
    DeliverConfig { retry, ..DeliverConfig::default() }
}

#[tokio::test]
async fn what_a_receiver_answered_is_kept_whole_and_its_beginning_survives_a_crash() {
    let long = format!("no\n{}", "x".repeat(50_000));
    let told = long.clone();
    let receiver = Receiver::start(move |got| {
        Some(if got.offset() == 3 { answer(422, &told) } else { answer(200, "fine") })
    })
    .await;
    let feed = MemoryFeed::new();
    feed.add(EventType::Track, [1, 2, 3, 4, 1, 2, 3, 4]);
    let (feed, ledger) = (Arc::new(feed), ledger());
    let world = World::with(&feed, ledger.clone(), impatient());
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    world.until(1, |status| status.delivered == 7 && status.dead == 1).await;
    let rows = found(&world, failed()).await;
    let whole = long.replace('\n', "\\u{a}");
    let outcome =
        Outcome::Failed { failure: Failure::Refused, status: Some(422), retry_after: None };
    assert!(!rows.is_empty());
    for row in &rows {
        assert_eq!((row.attempt.at, row.attempt.outcome), (at(3), outcome));
        assert_eq!(row.attempt.note, whole);
    }
    let any = AttemptQuery { limit: 100, ..AttemptQuery::default() };
    assert_eq!(found(&world, any.clone()).await.len(), 7 + rows.len());
    let of_two = Some(vec![ProfileMark::of(ProfileId::from_bytes([2; 20]))]);
    let mine = found(&world, AttemptQuery { profiles: of_two, ..any.clone() }).await;
    let offsets: Vec<_> = mine.iter().map(|row| row.attempt.at.record.offset).collect();
    assert_eq!(offsets, [5, 1], "newest first");
    assert!(mine.iter().all(|row| row.attempt.note.is_empty()), "nothing is kept of a success");
    world.stop().await;

    // What is kept in memory is gone, as the newest of what is kept in files may be after a power cut.
    let world = World::start(&feed, ledger);
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    world.until(1, |status| status.delivered == 7).await;
    let again = found(&world, failed()).await;
    assert_eq!(again.len(), rows.len());
    assert_eq!(Some(&*again[0].attempt.note), whole.get(..1_024), "the ledger has its beginning");
    assert_eq!(found(&world, any).await.len(), 7 + rows.len());
    assert_eq!(world.handle.attempts(at(3)).await.expect("a trace").len(), rows.len());
    world.stop().await;
}
