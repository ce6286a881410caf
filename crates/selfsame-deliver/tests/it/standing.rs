//! What became of each effect, beside the numbers of its connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use selfsame_deliver::{
    BodyError, Connection, ConnectionId, ConnectionStatus, DeliverConfig, EffectKind, Fate, Filter,
    ReplayWish, RetryPolicy, Standing,
};
use selfsame_event::{EventType, Time};

use crate::feed::{MemoryFeed, at};
use crate::receiver::{Receiver, answer};
use crate::world::{World, connection, ledger};

const ID: ConnectionId = ConnectionId([1; 16]);
const TRACKS: u64 = 600;

/// Of every fifth the body is gone, every eleventh was erased.
fn word(offset: u64) -> &'static str {
    match offset {
        TRACKS.. => "unasked",
        _ if offset.is_multiple_of(11) => "filtered",
        _ if offset.is_multiple_of(5) => "dead",
        _ => "delivered",
    }
}

fn world(receiver: &Receiver) -> World {
    let feed = MemoryFeed::new();
    // Each of its own profile, as far as there are bytes: what fails holds up those of the same.
    feed.add(EventType::Track, (0..TRACKS).map(|one| u8::try_from(one % 35).expect("small")));
    feed.add(EventType::Page, [1, 2, 3]);
    for offset in 0..TRACKS {
        match word(offset) {
            "filtered" => feed.lose(offset, || BodyError::Erased),
            "dead" => feed.lose(offset, || BodyError::Gone),
            _ => {}
        }
    }
    let feed = Arc::new(feed);
    let world = World::start(&feed, ledger());
    let filter = Filter::only([EffectKind::from(EventType::Track)]);
    world.handle.set_connections(vec![Connection { filter, ..connection(1, receiver.url()) }]);
    world
}

/// What became of everything, by place.
async fn standings(world: &World) -> BTreeMap<u64, Standing> {
    let (mut all, mut from) = (BTreeMap::new(), at(0));
    loop {
        let page = world.handle.effects((from, at(9_999)), "".into(), 100).await;
        let page = page.expect("the feed is read");
        if page.next == from {
            return all;
        }
        from = page.next;
        let of = world.handle.standings(ID, page.effects.clone().into()).await.expect("told");
        all.extend(page.effects.iter().map(|effect| effect.at.record.offset).zip(of));
    }
}

fn fate_word(standing: &Standing) -> &'static str {
    match standing.units.first().expect("a unit").fate {
        Fate::Delivered => "delivered",
        Fate::Filtered(_) => "filtered",
        Fate::Unasked => "unasked",
        Fate::Dead(_) => "dead",
        Fate::Pending => "pending",
        Fate::Before | Fate::Missed | Fate::Unknown => "other",
    }
}

/// The standings add up to the numbers of the connection.
fn agree(standings: &BTreeMap<u64, Standing>, status: &ConnectionStatus) {
    let count = |words: &[&str]| {
        standings.values().filter(|one| words.contains(&fate_word(one))).count() as u64
    };
    let live = |of: u64, replayed: u64| of - replayed;
    assert_eq!(count(&["delivered"]), live(status.delivered, status.replayed.delivered));
    assert_eq!(count(&["filtered", "unasked"]), live(status.filtered, status.replayed.filtered));
    assert_eq!(count(&["dead"]), live(status.dead, status.replayed.dead));
    assert_eq!(count(&["pending"]), live(status.pending, status.replayed.pending));
}

#[tokio::test]
async fn what_became_of_each_effect_is_told_and_adds_up() {
    let receiver = Receiver::start(|_| Some(answer(200, "ok"))).await;
    let world = world(&receiver);
    let status = world.until(1, |status| status.accepted > TRACKS && status.pending == 0).await;
    let all = standings(&world).await;
    agree(&all, &status);
    for (offset, standing) in &all {
        let wanted = word(*offset);
        assert_eq!(fate_word(standing), wanted, "{offset}: {standing:?}");
        assert_eq!(standing.units.iter().any(|unit| unit.is_derived), wanted == "unasked");
        assert_eq!(standing.replayed, None);
    }

    let part = ReplayWish {
        from: at(0),
        to: at(50),
        since: Time::EPOCH,
        until: Time::EPOCH,
        matching: "3".into(),
        rate: None,
    };
    world.handle.replay(ID, part).await.expect("it begins");
    let status =
        world.until(1, |status| status.replayed.accepted >= 17 && status.replayed.pending == 0);
    let status = status.await;
    let again = standings(&world).await;
    agree(&again, &status);
    let replayed: Vec<u64> =
        again.iter().filter(|(_, one)| one.replayed.is_some()).map(|(offset, _)| *offset).collect();
    assert_eq!(replayed, (0..50).step_by(3).collect::<Vec<_>>());
    let units = |all: &BTreeMap<u64, Standing>| -> Vec<_> {
        all.values().map(|one| one.units.clone()).collect()
    };
    assert_eq!(units(&all), units(&again), "a replay changes nothing of what became of the event");
    world.stop().await;
}

#[tokio::test]
async fn what_waits_is_told_while_it_waits_and_what_a_text_means_is_looked_at_alone() {
    let receiver = Receiver::start(|got| {
        Some(if got.offset() % 7 == 0 { answer(503, "later") } else { answer(200, "ok") })
    })
    .await;
    let feed = MemoryFeed::new();
    feed.add(EventType::Track, (0..70).map(|one| u8::try_from(one).expect("small")));
    let feed = Arc::new(feed);
    let config = DeliverConfig {
        retry: RetryPolicy { base: Duration::from_secs(600), ..RetryPolicy::default() },
        ..DeliverConfig::default()
    };
    let world = World::with(&feed, ledger(), config);
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    let status = world.until(1, |status| status.delivered == 60).await;
    let all = standings(&world).await;
    agree(&all, &status);
    let pending: Vec<u64> =
        all.iter().filter(|(_, one)| fate_word(one) == "pending").map(|(at, _)| *at).collect();
    assert_eq!(pending, (0..70).step_by(7).collect::<Vec<_>>());
    let sevenths = world.handle.effects((at(0), at(70)), "7".into(), 1_000).await.expect("read");
    assert_eq!(sevenths.effects.len(), 10);
    assert_eq!(sevenths.next, at(70));
    world.stop().await;
}
