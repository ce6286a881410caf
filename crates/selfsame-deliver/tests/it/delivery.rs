use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use selfsame_deliver::{
    Beyond, BodyError, Connection, ConnectionId, ConnectionState, ConnectionStatus, DeliverConfig,
    EffectKind, Failure, Filter, LagLimit, Outcome, PageRequest, Pause, RangeSelection,
    RetryPolicy, Secret, SegmentLedger, Selection, SystemRandom, webhook,
};
use selfsame_event::{EventType, SystemClock};
use selfsame_log::{LogConfig, RealFs, SegmentLog};

use crate::feed::{MemoryFeed, at};
use crate::receiver::{Got, Receiver, answer};
use crate::world::{SECRET, World, connection, ledger};

fn feed(profiles: impl IntoIterator<Item = u8>) -> Arc<MemoryFeed> {
    let feed = MemoryFeed::new();
    feed.add(EventType::Track, profiles);
    Arc::new(feed)
}

fn ok(_: &Got) -> Option<String> {
    Some(answer(200, "ok"))
}

/// Retries at once, gives up soon.
fn impatient(span: Duration) -> DeliverConfig {
    let short = Duration::from_millis(20);
    let retry = RetryPolicy { base: short, cap: short, span, ..RetryPolicy::default() };
    DeliverConfig { retry, ..DeliverConfig::default() }
}

const ALL: PageRequest = PageRequest { after: None, limit: 100 };

#[tokio::test]
async fn what_is_wanted_arrives_signed_and_the_rest_is_filtered() {
    let receiver = Receiver::start(ok).await;
    let feed = feed([1, 2]);
    feed.add(EventType::Page, [1]);
    let world = World::start(&feed, ledger());
    let previous = Secret::from_bytes([9; 32]);
    let filter = Filter::only([EffectKind::from(EventType::Track)]);
    let previous_secret = Some(previous.clone());
    let connection = Connection { previous_secret, filter, ..connection(1, receiver.url()) };
    world.handle.set_connections(vec![connection]);
    let status = world.until(1, |status| status.pending == 0 && status.accepted == 3).await;
    assert_eq!((status.delivered, status.filtered, status.dead), (2, 1, 0));
    let first = receiver.got().into_iter().find(|got| got.offset() == 0).expect("it came");
    let id = &first.headers["webhook-id"];
    let mut effect = [0; 16];
    effect[..8].copy_from_slice(&0_u64.to_le_bytes());
    assert_eq!(*id, webhook::key(&effect, ConnectionId([1; 16])));
    let timestamp = first.headers["webhook-timestamp"].parse().expect("seconds");
    let secret = Secret::parse(SECRET).expect("valid");
    let signatures =
        [&secret, &previous].map(|secret| webhook::sign(secret, id, timestamp, &first.body));
    assert_eq!(first.headers["webhook-signature"], signatures.join(" "));
    assert_eq!(first.headers["content-type"], "application/json");
    assert!(first.headers["user-agent"].starts_with("Selfsame/"));
    let rows = world.handle.attempts(at(0)).await.expect("a trace");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].attempt.outcome, Outcome::Delivered { status: 200 });
    world.stop().await;
}

#[tokio::test]
async fn a_destination_that_hangs_or_fails_slows_no_other() {
    let hanging = Receiver::start(|_| None).await;
    let failing = Receiver::start(|_| Some(answer(500, "broken"))).await;
    let good = Receiver::start(ok).await;
    let feed = feed((0..2_000_u32).map(|index| u8::try_from(index % 200).expect("small")));
    let world = World::start(&feed, ledger());
    world.handle.set_connections(vec![
        connection(1, hanging.url()),
        connection(2, failing.url()),
        connection(3, good.url()),
    ]);
    // The hanging one takes 30 seconds for each of its requests, which is longer than this takes.
    let status = world.until(3, |status| status.pending == 0 && status.accepted == 2_000).await;
    assert_eq!(status.delivered, 2_000);
    assert_eq!(hanging.got().len(), 16, "it is still at its first requests");
    let failing = world.until(2, |status| status.state == ConnectionState::Down).await;
    assert_eq!((failing.delivered, failing.last_failure), (0, Some(Failure::Server)));
    assert_eq!(world.handle.needed_from(), Some(at(0)));
    let mut newest = BTreeMap::new();
    for got in good.got() {
        let before = newest.insert(got.offset() % 200, got.offset());
        assert!(before.is_none_or(|before| before < got.offset()), "order within a profile");
    }
}

#[tokio::test]
async fn a_restart_goes_on_where_it_stopped_and_repeats_nothing() {
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_up);
    let receiver = Receiver::start(move |got| {
        let fails = got.offset() == 1 && !seen.load(Ordering::Relaxed);
        Some(if fails { answer(503, "later") } else { answer(204, "") })
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    let feed = feed([1, 2, 2, 3]);
    let open = || {
        let config = LogConfig::new(folder.path(), [7; 16]);
        let clock = Arc::new(SystemClock::default());
        let log = SegmentLog::open(&config, clock, Arc::new(RealFs)).expect("a log");
        Arc::new(SegmentLedger::new(Arc::new(log), Arc::new(SystemRandom)))
    };
    let config = || {
        let hour = Duration::from_secs(3_600);
        let retry = RetryPolicy { base: hour, cap: hour, ..RetryPolicy::default() };
        DeliverConfig { retry, snapshot_records: 1, ..DeliverConfig::default() }
    };
    let world = World::with(&feed, open(), config());
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    let status = world.until(1, |status| status.delivered == 2 && status.waiting == 2).await;
    assert_eq!((status.cursor, status.needed_from), (at(4), at(1)));
    world.stop().await;
    let before = receiver.got().len();
    is_up.store(true, Ordering::Relaxed);
    let again = World::with(&feed, open(), impatient(Duration::from_secs(60)));
    again.handle.set_connections(vec![connection(1, receiver.url())]);
    let status = again.until(1, |status| status.accepted == 4 && status.waiting == 2).await;
    assert_eq!((status.delivered, status.pending), (2, 2));
    let rows = again.handle.attempts(at(1)).await.expect("a trace");
    assert_eq!(rows[0].attempt.note, "later");
    assert_eq!(
        receiver.got().len(),
        before,
        "its retry is due in an hour, and nothing else is open"
    );
    again.stop().await;
}

#[tokio::test]
async fn a_dead_letter_is_listed_and_sent_again_with_its_key() {
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_up);
    let receiver = Receiver::start(move |_| {
        Some(if seen.load(Ordering::Relaxed) { answer(200, "") } else { answer(400, "no\u{1b}") })
    })
    .await;
    let feed = feed([1, 1, 2]);
    feed.lose(2, || BodyError::Erased);
    let world = World::with(&feed, ledger(), impatient(Duration::from_millis(100)));
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    let status = world.until(1, |status| status.dead == 2).await;
    assert_eq!((status.withheld, status.filtered, status.pending), (1, 1, 0));
    let id = ConnectionId([1; 16]);
    let page = world.handle.dead_letters(id, ALL).await.expect("a page");
    assert_eq!((page.total, page.after), (2, None));
    assert_eq!((page.letters[0].failure, page.letters[0].status), (Failure::Refused, Some(400)));
    let first =
        world.handle.dead_letters(id, PageRequest { limit: 1, ..ALL }).await.expect("a page");
    assert_eq!((first.letters.len(), first.after), (1, Some(at(0))));
    let rows = world.handle.attempts(at(0)).await.expect("a trace");
    assert!(rows.len() > 1);
    assert_eq!(rows[0].attempt.note, "no\\u{1b}");
    is_up.store(true, Ordering::Relaxed);
    let selection = Selection::These(vec![at(0), at(7)]);
    assert_eq!(world.handle.resend(id, selection).await, Ok(1));
    world.until(1, |status| status.dead == 1 && status.delivered == 1).await;
    assert_eq!(world.handle.resend(id, Selection::All).await, Ok(1));
    world.until(1, |status| status.dead == 0 && status.delivered == 2).await;
    let keys: Vec<_> = receiver
        .got()
        .iter()
        .filter(|got| got.offset() == 0)
        .map(|got| got.headers["webhook-id"].clone())
        .collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "one key for ever");
    world.stop().await;
}

#[tokio::test]
async fn gone_pauses_and_resume_goes_on() {
    let is_back = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_back);
    let receiver = Receiver::start(move |_| {
        Some(answer(if seen.load(Ordering::Relaxed) { 200 } else { 410 }, ""))
    })
    .await;
    let feed = feed([1]);
    let world = World::with(&feed, ledger(), impatient(Duration::from_secs(60)));
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    world.until(1, |status| status.state == ConnectionState::Paused).await;
    is_back.store(true, Ordering::Relaxed);
    world.handle.resume(ConnectionId([1; 16])).await.expect("it runs");
    world.until(1, |status| status.delivered == 1).await;
    world.stop().await;
}

#[tokio::test]
async fn connections_come_change_and_go_while_running() {
    let receiver = Receiver::start(ok).await;
    let feed = feed([1]);
    let ledger = ledger();
    let world = World::start(&feed, Arc::clone(&ledger) as Arc<dyn selfsame_deliver::Ledger>);
    assert_eq!(world.handle.needed_from(), None);
    let off = Connection { enabled: false, ..connection(1, receiver.url()) };
    world.handle.set_connections(vec![off]);
    world.until(1, |status| status.state == ConnectionState::Disabled && status.pending == 1).await;
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    world.until(1, |status| status.delivered == 1).await;
    world.handle.set_connections(vec![connection(2, receiver.url())]);
    world.until(2, |status| status.delivered == 1).await;
    assert!(world.status(1).is_none(), "it was removed before the other began");
    world
        .handle
        .set_connections(vec![connection(1, receiver.url()), connection(2, receiver.url())]);
    world.until(1, |status| status.delivered == 1).await;
    receiver.wait_for(3).await;
    world.stop().await;
}

#[tokio::test]
async fn a_destination_too_far_behind_is_paused_and_what_it_missed_can_be_sent_again() {
    let is_up = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_up);
    let receiver = Receiver::start(move |_| {
        let status = if seen.load(Ordering::Relaxed) { 200 } else { 503 };
        Some(answer(status, ""))
    })
    .await;
    let people = (0..9_000_u32).map(|index| u8::try_from(index % 200).expect("small"));
    let (feed, ledger) = (feed(people), ledger());
    feed.add(EventType::Page, [1, 2, 3]);
    let config = || DeliverConfig {
        lag_interval: Duration::from_millis(20),
        lag_limit: LagLimit { age: None, bytes: Some(12_000) },
        ..impatient(Duration::from_secs(60))
    };
    let track = || Filter::only([EffectKind::from(EventType::Track)]);
    let hook = || Connection { filter: track(), ..connection(1, receiver.url()) };
    let world =
        World::with(&feed, Arc::clone(&ledger) as Arc<dyn selfsame_deliver::Ledger>, config());
    world.handle.set_connections(vec![hook()]);
    let status = world.until(1, |status| status.state == ConnectionState::Down).await;
    assert_eq!((status.dead, status.pause), (0, None));
    let status = world.until(1, |status| status.behind.percent >= 70).await;
    assert_eq!((status.dead, status.needed_from), (0, at(0)), "{status:?}");

    feed.leave_behind(5);
    let holds_nothing = |status: &ConnectionStatus| status.needed_from == at(9_003);
    let status = world.until(1, holds_nothing).await;
    assert_eq!((status.state, status.pause), (ConnectionState::Paused, Some(Pause::Behind)));
    assert_eq!((status.accepted, status.dead, status.filtered), (9_003, 9_000, 3));
    assert_eq!((status.dead_in_ranges, status.pending), (9_000, 0));
    let id = ConnectionId([1; 16]);
    let ranges = world.handle.dead_ranges(id).await.expect("it runs");
    assert_eq!(ranges.len(), 1);
    assert_eq!(
        (ranges[0].to, ranges[0].events, ranges[0].reason),
        (at(9_003), 9_000, Beyond::Bytes)
    );
    world.stop().await;

    // What is known of it outlives the process.
    is_up.store(true, Ordering::Relaxed);
    let before = receiver.got().len();
    feed.add(EventType::Track, [7]);
    let world = World::with(&feed, ledger, config());
    world.handle.set_connections(vec![hook()]);
    let status = world.until(1, |status| status.accepted == 9_004).await;
    assert_eq!((status.pause, status.dead, status.pending), (Some(Pause::Behind), 9_000, 1));
    world.handle.resume(id).await.expect("it runs");
    world.until(1, |status| status.delivered == 1).await;
    assert_eq!(receiver.got().len(), before + 1, "what was missed is not sent by itself");
    feed.trim(1_000);
    let resent = world.handle.resend_ranges(id, RangeSelection::From(ranges[0].from)).await;
    assert_eq!(resent, Ok(9_000));
    let status = world.until(1, |status| status.delivered == 8_001 && status.pending == 0).await;
    assert_eq!((status.dead, status.dead_in_ranges), (1_000, 1_000), "what was removed stays dead");
    let mut keys = BTreeMap::new();
    for got in receiver.got().into_iter().skip(before) {
        let twice = keys.insert(got.offset(), got.headers["webhook-id"].clone());
        assert_eq!(twice, None, "{} came twice", got.offset());
    }
    assert_eq!(keys.len(), 8_001);
    world.stop().await;
}

#[tokio::test]
async fn time_in_which_nothing_ran_is_not_held_against_a_destination() {
    let receiver = Receiver::start(ok).await;
    let feed = feed([1, 2, 3]);
    feed.age(3);
    let soon = |lag_grace| DeliverConfig {
        lag_interval: Duration::from_millis(10),
        lag_grace,
        ..DeliverConfig::default()
    };
    let ledger = ledger();
    let off = Connection { enabled: false, ..connection(1, receiver.url()) };
    let world = World::with(
        &feed,
        Arc::clone(&ledger) as Arc<dyn selfsame_deliver::Ledger>,
        soon(Duration::from_secs(3_600)),
    );
    world.handle.set_connections(vec![off.clone()]);
    world.until(1, |status| status.pending == 3 && status.behind.bytes == 3).await;
    world.handle.set_connections(vec![connection(1, receiver.url())]);
    let status = world.until(1, |status| status.delivered == 3).await;
    assert_eq!((status.pause, status.dead), (None, 0));
    world.stop().await;

    feed.add(EventType::Track, [4]);
    feed.age(4);
    let world = World::with(&feed, ledger, soon(Duration::ZERO));
    world.handle.set_connections(vec![off]);
    let status = world.until(1, |status| status.dead == 1).await;
    assert_eq!(status.pause, Some(Pause::Behind));
    let ranges = world.handle.dead_ranges(ConnectionId([1; 16])).await.expect("it runs");
    assert_eq!(ranges[0].reason, Beyond::Age);
    world.stop().await;
}
