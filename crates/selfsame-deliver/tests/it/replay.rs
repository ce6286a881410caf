use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use selfsame_deliver::{
    Connection, ConnectionId, ConnectionStatus, DeliverConfig, EffectKind, Filter, MAX_REPLAYS,
    PageRequest, Replay, ReplayError, ReplayState, ReplayStatus, ReplayWish, RetryPolicy,
    Selection,
};
use selfsame_event::{EventType, Time};

use crate::feed::{MemoryFeed, at};
use crate::receiver::{Receiver, answer};
use crate::world::{World, connection, ledger};

const ID: ConnectionId = ConnectionId([1; 16]);

fn wish(from: u64, to: u64) -> ReplayWish {
    let (since, until) = (Time::EPOCH, Time::EPOCH);
    ReplayWish { from: at(from), to: at(to), since, until, matching: "".into(), rate: None }
}

fn feed(count: u32, profiles: u32) -> Arc<MemoryFeed> {
    let feed = MemoryFeed::new();
    feed.add(EventType::Track, (0..count).map(|one| u8::try_from(one % profiles).expect("small")));
    Arc::new(feed)
}

/// Retries at once, gives up soon.
fn impatient(span: Duration) -> DeliverConfig {
    let short = Duration::from_millis(20);
    let retry = RetryPolicy { base: short, cap: short, span, ..RetryPolicy::default() };
    DeliverConfig { retry, ..DeliverConfig::default() }
}

/// Waits until everything was delivered live.
async fn all_live(world: &World, count: u64) {
    world.until(1, |status| status.accepted >= count && status.pending == 0).await;
}

async fn until(
    world: &World,
    replay: &Replay,
    condition: impl Fn(&ReplayStatus) -> bool,
) -> ReplayStatus {
    let find =
        || world.handle.replays(ID).into_iter().find(|one| one.replay.number == replay.number);
    world.until(1, |_| find().is_some_and(|one| condition(&one))).await;
    find().expect("just seen")
}

async fn finished(world: &World, replay: &Replay) -> ReplayStatus {
    until(world, replay, |one| one.state == ReplayState::Finished).await
}

#[tokio::test]
async fn a_part_is_sent_again_with_the_keys_that_it_had_and_counted_apart() {
    let receiver = Receiver::start(|_| Some(answer(200, "ok"))).await;
    let feed = feed(2_000, 7);
    feed.add(EventType::Page, [1, 2]);
    let world = World::start(&feed, ledger());
    let filter = Filter::only([EffectKind::from(EventType::Track)]);
    world.handle.set_connections(vec![Connection { filter, ..connection(1, receiver.url()) }]);
    all_live(&world, 2_002).await;
    let before = receiver.got();
    let wish = ReplayWish { matching: "3".into(), ..wish(600, 9_999) };
    let replay = world.handle.replay(ID, wish).await.expect("it begins");
    assert_eq!((replay.number, replay.wish.to), (1, at(2_002)), "not beyond the cursor");
    let status = finished(&world, &replay).await;
    assert_eq!(status.tally.accepted, (600..2_000).filter(|offset| offset % 3 == 0).count() as u64);
    assert_eq!((status.tally.delivered, status.percent), (status.tally.accepted, 100));
    let all = world.status(1).expect("it runs");
    assert_eq!((all.replayed, all.accepted), (status.tally, 2_002 + status.tally.accepted));
    assert_eq!(all.filtered, 2, "what the connection does not want is not replayed");
    let got = receiver.got();
    let ids: BTreeMap<u64, &String> =
        before.iter().map(|got| (got.offset(), &got.headers["webhook-id"])).collect();
    let again = &got[before.len()..];
    assert_eq!(again.len() as u64, status.tally.accepted);
    for got in again {
        assert_eq!(ids[&got.offset()], &got.headers["webhook-id"], "the same key");
    }
    for profile in 0..7 {
        let of: Vec<u64> =
            again.iter().map(|got| got.offset()).filter(|one| one % 7 == profile).collect();
        assert!(of.is_sorted(), "{of:?}");
    }
    let rows = world.handle.attempts(at(600)).await.expect("a trace");
    let whose: Vec<_> = rows.iter().map(|row| (row.connection, row.replay)).collect();
    assert_eq!(whose, [(ID, 0), (ID, 1)], "the trace says which attempt was the replay's");
    world.stop().await;
}

#[tokio::test]
async fn a_replay_that_hangs_holds_up_no_live_event_and_keeps_the_log() {
    let is_replay = Arc::new(AtomicBool::new(false));
    let hang = Arc::clone(&is_replay);
    let receiver = Receiver::start(move |got| {
        let is_old = got.offset() < 100 && hang.load(Ordering::Relaxed);
        (!is_old).then(|| answer(200, "ok"))
    })
    .await;
    let feed = feed(100, 5);
    let world = World::start(&feed, ledger());
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    all_live(&world, 100).await;
    is_replay.store(true, Ordering::Relaxed);
    let replay = world.handle.replay(ID, wish(10, 100)).await.expect("it begins");
    receiver.wait_for(101).await;
    // The same profiles, of which something old is on its way that is never answered.
    feed.add(EventType::Track, (0..200).map(|one| one % 5));
    let live = |status: &ConnectionStatus| status.delivered == 300;
    let status = world.until(1, live).await;
    assert_eq!((status.replayed.delivered, status.replayed.accepted), (0, 90));
    assert_eq!(status.pending, 90);
    assert_eq!(world.handle.needed_from(), Some(at(10)), "what is not replayed is kept");
    let one = until(&world, &replay, |one| one.tally.accepted == 90).await;
    assert_eq!(one.state, ReplayState::Running);
    let in_flight = receiver.got().iter().filter(|got| got.offset() < 100).count() - 100;
    assert!(in_flight <= 4, "{in_flight}: a quarter of the connection's requests");
    world.handle.cancel(&replay).await.expect("it ends");
    until(&world, &replay, |one| one.state == ReplayState::Cancelled).await;
}

#[tokio::test]
async fn a_replay_goes_on_behind_a_restart_and_sends_nothing_twice_that_it_wrote_down() {
    let receiver = Receiver::start(|_| Some(answer(200, "ok"))).await;
    let feed = feed(600, 10);
    let ledger = ledger();
    let world = World::start(&feed, ledger.clone());
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    all_live(&world, 600).await;
    let wish = ReplayWish { rate: Some(500), ..wish(0, 600) };
    let replay = world.handle.replay(ID, wish).await.expect("it begins");
    let status = until(&world, &replay, |one| one.tally.delivered >= 60).await;
    assert!(status.tally.delivered < 600, "it keeps to its rate");
    world.stop().await;

    // What it is stands in a snapshot by now.
    let config = DeliverConfig { snapshot_records: 1, ..DeliverConfig::default() };
    let world = World::with(&feed, ledger.clone(), config.clone());
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    let status = finished(&world, &replay).await;
    assert_eq!(status.replay, replay);
    assert_eq!((status.tally.accepted, status.tally.delivered), (600, 600));
    let got = receiver.got();
    assert_eq!(got.len(), 1_200, "nothing was in flight at the stop");
    world.stop().await;

    let world = World::with(&feed, ledger.clone(), config.clone());
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    let again = finished(&world, &replay).await;
    assert_eq!((again.tally, again.percent), (status.tally, 100));
    assert_eq!(world.status(1).expect("it runs").accepted, 1_200);
    world.handle.set_connections(Vec::new());
    while !world.handle.status().is_empty() || !world.handle.replays(ID).is_empty() {
        tokio::task::yield_now().await;
    }
    world.stop().await;

    let world = World::with(&feed, ledger, config);
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    all_live(&world, 600).await;
    assert_eq!(world.handle.replays(ID), [], "gone with its connection");
    world.stop().await;
}

#[tokio::test]
async fn what_was_ended_is_ended_behind_a_restart() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&is_broken);
    let receiver = Receiver::start(move |_| {
        Some(if broken.load(Ordering::Relaxed) { answer(400, "no") } else { answer(200, "ok") })
    })
    .await;
    let (feed, ledger) = (feed(50, 10), ledger());
    let world = World::start(&feed, ledger.clone());
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    all_live(&world, 50).await;
    is_broken.store(true, Ordering::Relaxed);
    let replay = world.handle.replay(ID, wish(0, 50)).await.expect("it begins");
    until(&world, &replay, |one| one.last_failure.is_some()).await;
    world.handle.cancel(&replay).await.expect("it ends");
    let ended = |one: &ReplayStatus| one.tally.pending == 0;
    let status = until(&world, &replay, ended).await;
    assert_eq!(status.state, ReplayState::Cancelled);
    assert_eq!((status.tally.delivered, status.tally.dead), (0, 0));
    assert_eq!(status.tally.filtered, status.tally.accepted);
    let count = receiver.got().len();
    world.stop().await;
    let world = World::start(&feed, ledger);
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    let again = until(&world, &replay, ended).await;
    assert_eq!((again.state, again.tally), (ReplayState::Cancelled, status.tally));
    assert_eq!(receiver.got().len(), count);
    world.stop().await;
}

#[tokio::test]
async fn dead_letters_of_a_replay_are_its_own_and_can_be_sent_again() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&is_broken);
    let receiver = Receiver::start(move |got| {
        let is_refused = broken.load(Ordering::Relaxed) && got.offset() == 3;
        Some(if is_refused { answer(400, "no") } else { answer(200, "ok") })
    })
    .await;
    let feed = feed(10, 1);
    let world = World::with(&feed, ledger(), impatient(Duration::from_millis(100)));
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    all_live(&world, 10).await;
    is_broken.store(true, Ordering::Relaxed);
    let replay = world.handle.replay(ID, wish(0, 10)).await.expect("it begins");
    let status = finished(&world, &replay).await;
    assert_eq!((status.tally.delivered, status.tally.dead), (9, 1));
    let got: Vec<u64> = receiver.got()[10..].iter().map(|got| got.offset()).collect();
    assert!(got.is_sorted(), "what follows waited for it: {got:?}");
    let page = PageRequest { after: None, limit: 10 };
    let live = world.handle.dead_letters(ID, page).await.expect("a page");
    let own = world.handle.dead_letters(replay.id(), page).await.expect("a page");
    assert_eq!((live.total, own.total), (0, 1));
    is_broken.store(false, Ordering::Relaxed);
    let resent = world.handle.resend(replay.id(), Selection::All).await.expect("it is there");
    assert_eq!(resent, 1);
    let is_through =
        |one: &ReplayStatus| one.tally.delivered == 10 && one.state == ReplayState::Finished;
    let status = until(&world, &replay, is_through).await;
    assert_eq!(status.tally.dead, 0);
    world.stop().await;
}

#[tokio::test]
async fn the_oldest_that_is_over_makes_room_and_what_is_to_come_is_not_replayed() {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let receiver = Receiver::start(move |_| {
        seen.fetch_add(1, Ordering::Relaxed);
        Some(answer(200, "ok"))
    })
    .await;
    let feed = feed(3, 1);
    let world = World::start(&feed, ledger());
    let unknown = world.handle.replay(ID, wish(0, 1)).await;
    assert_eq!(unknown, Err(ReplayError::Unknown));
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    all_live(&world, 3).await;
    assert_eq!(world.handle.replay(ID, wish(3, 9)).await, Err(ReplayError::Ahead));
    for number in 1..=MAX_REPLAYS + 2 {
        let replay = world.handle.replay(ID, wish(0, 3)).await.expect("there is room");
        assert_eq!(replay.number as usize, number);
        finished(&world, &replay).await;
    }
    let kept = world.handle.replays(ID);
    assert_eq!((kept.len(), kept[0].replay.number), (MAX_REPLAYS, 3));
    assert_eq!(count.load(Ordering::Relaxed), 3 * (MAX_REPLAYS + 3));
    let status = world.status(1).expect("it runs");
    assert_eq!(usize::try_from(status.replayed.delivered), Ok(3 * MAX_REPLAYS));
    world.stop().await;
}
