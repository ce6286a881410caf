//! Reading while folding: what a reader says is what the fold made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use selfsame_event::{Collection, EventsHead, RecordKind, Time};
use selfsame_log::{LogConfig, LogRead, MemoryLog, RealFs, RegenerableLog};
use selfsame_pipeline::event_json::EventJson;
use selfsame_pipeline::{
    Engine, EngineConfig, EngineParts, EventQuery, ProfileRef, Reader, SearchBudget, StateConfig,
    TraitQuery,
};
use selfsame_profile::Query;

use crate::world::{TestClock, history};

pub(crate) fn engine(folder: &std::path::Path, log: &Arc<MemoryLog>, partitions: u32) -> Engine {
    engine_of(folder, log, StateConfig { partitions, ..StateConfig::default() })
}

pub(crate) fn engine_of(
    folder: &std::path::Path,
    log: &Arc<MemoryLog>,
    state: StateConfig,
) -> Engine {
    let outbox = LogConfig::new(folder.join("outbox"), [3; 16]);
    let clock = Arc::new(TestClock::default());
    let outbox = RegenerableLog::open(&outbox, clock, Arc::new(RealFs), 0).expect("opens");
    let mut config = EngineConfig::new(folder.join("state"));
    config.state = state;
    config.batch_bytes = 2_000;
    config.checkpoint_interval = Duration::from_secs(3600);
    let parts = EngineParts {
        log: Arc::<MemoryLog>::clone(log),
        outbox: Arc::new(outbox),
        clock: Arc::new(TestClock::default()),
    };
    Engine::open(config, parts).expect("opens")
}

fn user(number: usize) -> ProfileRef {
    ProfileRef::Identifier { kind: "USER_ID".to_owned(), value: format!("u{number}") }
}

/// Everything that is read of every profile, as text.
fn all(reader: &Reader) -> Vec<String> {
    let read = reader.space("default").expect("a space");
    let mut texts = Vec::new();
    for number in 0..40 {
        let Some(found) = read.find(Collection::Users, &user(number)).expect("reads") else {
            continue;
        };
        let view = found.view();
        let range = Query { limit: 50, ..Query::default() };
        let page = found.events(&EventQuery { range, ..EventQuery::default() }).expect("reads");
        let events: Vec<_> = page.events.iter().map(|event| event.key).collect();
        let links: Vec<_> =
            found.links().expect("reads").iter().map(|link| link.profile.id()).collect();
        let merges = found.merges().expect("reads");
        let ids: Vec<_> = found.external_ids().map(|id| (id.kind, id.value)).collect();
        texts.push(format!("{:?} {view:?} {events:?} {links:?} {merges:?} {ids:?}", found.id()));
    }
    texts
}

#[test]
fn reads_are_the_same_in_memory_on_disk_and_for_any_number_of_partitions() {
    let log = history(21, 1_500);
    let mut expected = None;
    for partitions in [1, 2, 7] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut engine = engine(folder.path(), &log, partitions);
        let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
        while engine.state().next() < log.end() {
            engine.turns(1).expect("folds");
        }
        let hot = all(&reader);
        assert_eq!(hot.len(), 40);
        engine.catch_up().expect("checkpoints");
        assert_eq!(all(&reader), hot, "after a checkpoint");
        drop((engine, reader));
        let engine = self::engine(folder.path(), &log, partitions);
        let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
        assert_eq!(all(&reader), hot, "from the store alone");
        assert_eq!(*expected.get_or_insert_with(|| hot.clone()), hot, "{partitions} partitions");
    }
}

#[test]
fn the_present_is_the_past_of_a_later_time() {
    let log = history(4, 1_500);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine(folder.path(), &log, 1);
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    engine.catch_up().expect("folds");
    let read = reader.space("default").expect("a space");
    for number in 0..40 {
        let found = read.find(Collection::Users, &user(number)).expect("reads").expect("there");
        let (now, then) = (found.view(), found.as_of(Time::MAX).expect("reads"));
        assert_eq!(then.missing, 0);
        assert_eq!(then.view(), now, "user {number}");
        for link in found.links().expect("reads") {
            let then = link.profile.as_of(Time::MAX).expect("reads");
            assert_eq!(then.view(), link.profile.view(), "an account of user {number}");
        }
        let never = found.as_of(Time::EPOCH).expect("reads");
        assert_eq!((never.events, never.view().traits().count()), (0, 0));
    }
}

/// A reader in another thread never sees a profile that has fewer events than it had.
#[test]
fn what_shows_keeps_showing_while_the_engine_folds() {
    let log = history(8, 1_000);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine(folder.path(), &log, 1);
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    engine.turns(1).expect("folds");
    let done = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut reads, mut events, mut position) = (0_u64, [0; 40], None);
            while !done.load(Ordering::Acquire) {
                let read = reader.space("default").expect("a space");
                assert!(read.position() >= position, "positions never go back");
                position = read.position();
                for (number, before) in events.iter_mut().enumerate() {
                    let found = read.find(Collection::Users, &user(number)).expect("reads");
                    let now = found.map_or(0, |found| found.view().events);
                    assert!(now >= *before, "user {number} had {before} events and has {now}");
                    *before = now;
                    reads += 1;
                }
            }
            reads
        });
        while engine.state().next() < log.end() {
            engine.turns(1).expect("folds");
        }
        done.store(true, Ordering::Release);
        watcher.join().expect("no panic")
    });
    assert!(reads > 0);
    assert!(reader.shows(reader.position().expect("a position")));
}

#[test]
fn an_event_is_rendered_with_what_the_log_adds_and_its_numbers_as_they_came() {
    let log = history(2, 50);
    let mut record =
        log.get(selfsame_event::Position::embedded(log.end().offset - 1)).expect("a record");
    let head = EventsHead {
        context: Some(r#"{"library":{"name":"js"},"locale":"de"}"#.to_owned()),
        ip: Some("203.0.113.9".to_owned()),
        sent_at: Time::parse("2026-01-01T00:00:10Z"),
        ..EventsHead::default()
    };
    record.kind = RecordKind::Events as u8;
    record.time = Time::parse("2026-01-01T00:01:00Z").expect("a time");
    let render = |body: &'static str| {
        EventJson::of(&record, &head, 0, body.as_bytes()).expect("is one").with(&[])
    };
    let track = render(
        r#"{"type":"track","event":"Buy","userId":"u","messageId":"m","timestamp":"2026-01-01T00:00:05Z","properties":{"total":1.10,"big":123456789012345678901},"context":{"locale":"fr"},"extra":1}"#,
    );
    assert_eq!(
        track,
        r#"{"type":"track","messageId":"m","userId":"u","event":"Buy","properties":{"total":1.10,"big":123456789012345678901},"context":{"locale":"fr","library":{"name":"js"},"ip":"203.0.113.9"},"originalTimestamp":"2026-01-01T00:00:05.000Z","sentAt":"2026-01-01T00:00:10.000Z","receivedAt":"2026-01-01T00:01:00.000Z","timestamp":"2026-01-01T00:00:55.000Z"}"#
    );
    let own_ip = render(r#"{"type":"page","name":"Home","anonymousId":"a","context":{"ip":null}}"#);
    assert!(own_ip.contains(r#""ip":null"#) && !own_ip.contains("203.0.113.9"), "{own_ip}");
    assert!(own_ip.contains(r#""messageId":"selfsame-"#));
}

#[test]
fn a_search_that_stops_early_goes_on_where_it_stopped() {
    let log = history(3, 1_500);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine(folder.path(), &log, 2);
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    engine.catch_up().expect("folds");
    let read = reader.space("default").expect("a space");
    let walk = |name: &str, value: &str, limit: usize, budget: SearchBudget| {
        let (mut ids, mut behind, mut searches) = (Vec::new(), None, 0);
        loop {
            let query = TraitQuery { name, value, behind, limit, budget };
            let matches = read.search_trait(Collection::Users, &query).expect("searches");
            assert!(
                matches.found.len() <= limit && matches.next > behind || matches.next.is_none()
            );
            ids.extend(matches.found.iter().map(|found| found.id()));
            (behind, searches) = (matches.next, searches + 1);
            if behind.is_none() {
                ids.sort();
                return (ids, searches);
            }
        }
    };
    let whole = SearchBudget::default();
    let sparing = [(1, 1, 1), (2, 3, 7), (5, 10, 256)].map(|(candidates, sections, parts)| {
        SearchBudget { candidates, sections, parts, small_space: 0 }
    });
    let emails = (0..40).map(|number| ("email", format!("e{number}@x.y")));
    let numbers = (0..5).map(|number| ("n", number.to_string()));
    let mut found = 0;
    for (name, value) in emails.chain(numbers) {
        let (expected, searches) = walk(name, &value, 10_000, whole);
        assert_eq!(searches, 1);
        let mut once = expected.clone();
        once.dedup();
        assert_eq!(once, expected, "each profile once");
        found += expected.len();
        for budget in sparing {
            for limit in [1, 3, 100] {
                assert_eq!(walk(name, &value, limit, budget).0, expected, "{name} {budget:?}");
            }
        }
    }
    assert!(found > 30, "{found} profiles were found");
}
