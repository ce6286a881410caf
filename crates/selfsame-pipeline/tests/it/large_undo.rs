//! Undo of more than one step does by itself: planned beside the fold, and the state is the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use selfsame_event::{Collection, EventsHead, Identifier, RecordKind, SourceNumber};
use selfsame_identity::{PlanError, Sizes};
use selfsame_log::{Log, LogRead, MemoryLog, NewRecord, Record};
use selfsame_pipeline::workspace::ChangeError;
use selfsame_pipeline::{
    Drafting, Engine, IdentityChange, ProfileRef, Reader, ReplayConfig, StateConfig, UndoError,
    UndoWish, Wanted, replay,
};

use crate::reader::engine_of;
use crate::undo::told;
use crate::world::{Dice, TestClock, history, history_with_undo_every, key, record};

/// One step resolves almost nothing again by itself.
const LOWERED: Sizes = Sizes { in_step: 2, most: 100_000 };

fn lowered(partitions: u32) -> StateConfig {
    StateConfig { partitions, undo: LOWERED, ..StateConfig::default() }
}

fn records(log: &MemoryLog) -> Vec<Record> {
    let mut records = Vec::new();
    while let Ok(more) = log.read(selfsame_event::Position::embedded(records.len() as u64), 1 << 20)
        && !more.is_empty()
    {
        records.extend(more);
    }
    records
}

fn again(record: &Record) -> NewRecord {
    let Record { id, kind, head, items, .. } = record.clone();
    NewRecord { id, kind, head, items: items.to_vec() }
}

/// Everybody in these logs, by key.
fn names() -> BTreeMap<String, Identifier> {
    let names = (0..60).flat_map(|number| {
        let email = format!("e{number}@x.y");
        [
            ("user_id", format!("u{number}")),
            ("anonymous_id", format!("a{number}")),
            ("email", email),
        ]
    });
    names
        .map(|(kind, value)| (key(Collection::Users, kind, &value), Identifier::new(kind, &*value)))
        .collect()
}

/// What the head of an identity record wishes.
fn wish(record: &Record, names: &BTreeMap<String, Identifier>) -> (UndoWish, String) {
    let change: IdentityChange = serde_json::from_slice(&record.head).expect("a change");
    let name = |key: &String| names[key].clone();
    let wish = match (change.apart.as_slice(), change.lift.as_slice()) {
        ([[one, other]], []) => UndoWish::Apart(name(one), name(other)),
        ([], [[one, other]]) => UndoWish::Lift(name(one), name(other)),
        _ => panic!("one pair"),
    };
    (wish, change.by)
}

/// A plan of what a later record will say, left for it.
fn draft(engine: &mut Engine, log: &Arc<MemoryLog>, of: &(UndoWish, String)) -> Option<Drafting> {
    let view = engine.shared().view().expect("open");
    let drafting = Drafting::start(view.tables);
    assert!(!drafting.is_noting());
    engine.turns(1).expect("turns");
    assert!(drafting.is_noting());
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(log));
    let read = reader.space("default").expect("a space");
    let wanted = Wanted { collection: Collection::Users, wish: &of.0, by: &of.1 };
    read.draft_undo(&wanted, &drafting, &mut |_| true).ok().map(|_| drafting)
}

fn catch_up(engine: &mut Engine, log: &MemoryLog) {
    while engine.state().next() < log.end() {
        engine.turns(1).expect("folds");
    }
}

/// Folds a log record by record, and drafts what its identity records say some records before them.
fn fold_with_drafts(of: &MemoryLog, partitions: u32, before: u64) -> [u64; 2] {
    let (records, names) = (records(of), names());
    let log = Arc::new(MemoryLog::new(Arc::new(TestClock::default())));
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine_of(folder.path(), &log, lowered(partitions));
    let (mut drafting, mut drafted) = (None, 0);
    let mut dice = Dice::new(before + 1);
    for (index, record) in records.iter().enumerate() {
        let ahead = usize::try_from(dice.roll(before + 1)).expect("small");
        let next =
            records.get(index + ahead).filter(|next| next.kind == RecordKind::Identity as u8);
        if let Some(next) = next.filter(|_| drafting.is_none()) {
            drafting = draft(&mut engine, &log, &wish(next, &names));
            drafted += u64::from(drafting.is_some());
        }
        log.append_wait(again(record)).expect("appends");
        catch_up(&mut engine, &log);
        if record.kind == RecordKind::Identity as u8 {
            drafting = None;
            engine.turns(1).expect("turns");
        }
    }
    let taken = engine.state().tables().drafts.taken();
    let found = engine.hash().expect("hashes");
    for state in [lowered(1), StateConfig::default()] {
        let folder = tempfile::tempdir().expect("a folder");
        let config = ReplayConfig { state, ..ReplayConfig::default() };
        let replayed = replay(&*log, log.end(), folder.path(), &config, |_| ()).expect("replays");
        assert_eq!(found.differences(&replayed), Vec::<&str>::new());
    }
    let spaces = &engine.state().meta().spaces;
    assert!(spaces[0].apart > 5, "{} pairs", spaces[0].apart);
    [drafted, taken]
}

#[test]
fn a_state_that_took_drafts_is_that_of_a_replay() {
    for (seed, partitions) in [(31, 1), (32, 3)] {
        let log = history_with_undo_every(seed, 600, 19, true);
        let [drafted, taken] = fold_with_drafts(&log, partitions, 0);
        assert_eq!(drafted, taken, "nothing came between");
        assert!(taken > 20, "{taken}");
        // Events come between a draft and its record, and some of them overtake it.
        let [drafted, taken] = fold_with_drafts(&log, partitions, 4);
        assert!(taken > 0 && taken < drafted, "{taken} of {drafted}");
    }
}

/// Sets a pair apart behind so many records.
fn with_change(of: &MemoryLog, behind: usize, change: &IdentityChange) -> Arc<MemoryLog> {
    let log = MemoryLog::new(Arc::new(TestClock::default()));
    for (index, one) in records(of).iter().enumerate() {
        log.append_wait(again(one)).expect("appends");
        if index + 1 == behind {
            let head = serde_json::to_vec(change).expect("JSON");
            let change = record(777_000, RecordKind::Identity, head, vec![]);
            log.append_wait(change).expect("appends");
        }
    }
    Arc::new(log)
}

/// Two identifiers, by key, that are of one profile once so many records are folded.
fn of_one_profile(of: &MemoryLog, until: usize, skip: usize) -> [String; 2] {
    let log = Arc::new(MemoryLog::new(Arc::new(TestClock::default())));
    records(of)
        .iter()
        .take(until)
        .for_each(|one| _ = log.append_wait(again(one)).expect("appends"));
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine_of(folder.path(), &log, lowered(1));
    catch_up(&mut engine, &log);
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    let read = reader.space("default").expect("a space");
    let mut pairs = (0..40).filter_map(|number| {
        let wanted =
            ProfileRef::Identifier { kind: "user_id".to_owned(), value: format!("u{number}") };
        let found = read.find(Collection::Users, &wanted).expect("reads")?;
        let ids: Vec<_> = found.external_ids().collect();
        let [one, .., other] = ids.as_slice() else { return None };
        Some([one, other].map(|id| key(Collection::Users, id.kind, id.value)))
    });
    pairs.nth(skip).expect("somebody of several identifiers")
}

/// The meaning of an undo, whichever way it is done: as if the two had been apart from the beginning.
#[test]
fn a_large_undo_is_the_history_with_the_pair_apart() {
    let mut changed = 0;
    for seed in 0..6 {
        let plain = history(40 + seed, 250);
        let end = records(&plain).len();
        let pair = of_one_profile(&plain, 150, usize::try_from(seed).expect("small"));
        let change = IdentityChange {
            space: "default".to_owned(),
            apart: vec![pair],
            large: true,
            ..IdentityChange::default()
        };
        let people: Vec<_> = names().into_values().collect();
        let people: Vec<_> = people.iter().map(|id| (&*id.kind, &*id.value)).collect();
        let logs = [
            Arc::clone(&plain),
            with_change(&plain, 150, &change),
            with_change(&plain, end, &change),
        ];
        let [untouched, early, late] = logs.map(|log| {
            let folder = tempfile::tempdir().expect("a folder");
            let mut engine = engine_of(folder.path(), &log, lowered(1));
            catch_up(&mut engine, &log);
            let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
            let refused = engine
                .shared()
                .take_change(record(777_000, RecordKind::Identity, vec![], vec![]).id);
            assert!(!matches!(refused, Some(Err(_))), "{refused:?}");
            told(&reader.space("default").expect("a space"), &people)
        });
        assert_eq!(early, late, "seed {seed}");
        changed += u32::from(untouched != late);
    }
    assert!(changed > 3, "{changed}");
}

/// A shop's till with which so many people came, each of whom has a device of their own, too.
fn till(people: u64) -> Arc<MemoryLog> {
    let log = MemoryLog::new(Arc::new(TestClock::default()));
    let append = |record| _ = log.append_wait(record).expect("appends");
    crate::world::set_up(selfsame_identity::RuleSet::default()).into_iter().for_each(append);
    for first in (0..people).step_by(40) {
        let events = (first..people.min(first + 40)).flat_map(|person| {
            let event = |device: &str, id: &str| {
                let who = format!(r#""userId":"u{person}","anonymousId":"{device}""#);
                format!(r#"{{"type":"page",{who},"messageId":"{id}{person}"}}"#)
            };
            [event(&format!("d{person}"), "own"), event("a0", "till")]
        });
        append(visits(1_000 + first, events));
    }
    Arc::new(log)
}

/// A record of events.
fn visits(id: u64, events: impl Iterator<Item = String>) -> NewRecord {
    let head = EventsHead { source: SourceNumber(0), ..EventsHead::default() }.encode();
    record(id, RecordKind::Events, head, events.map(Bytes::from).collect())
}

/// Sets the first customer and the till apart.
const TILL: [(&str, &str); 2] = [("user_id", "u0"), ("anonymous_id", "a0")];

#[test]
fn a_small_record_does_not_do_what_is_large_and_a_plan_can_be_stopped() {
    let log = till(50);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine_of(folder.path(), &log, lowered(1));
    catch_up(&mut engine, &log);
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    let read = reader.space("default").expect("a space");
    let [one, other] = TILL.map(|(kind, value)| Identifier::new(kind, value));
    let apart = UndoWish::Apart(one, other);
    let planned = |sizes| read.plan_undo(Collection::Users, &apart, "", sizes, &mut |_| true);
    let refused = planned(read.undo_sizes()).expect_err("too much for a step");
    assert!(matches!(refused, UndoError::Plan(PlanError::JobNeeded { sets: 100, most: 2 })));
    let plan = planned(read.undo_sizes().whole()).expect("a plan");
    let wanted = Wanted { collection: Collection::Users, wish: &apart, by: "" };
    let drafting = Drafting::start(engine.shared().view().expect("open").tables);
    let stopped = read.draft_undo(&wanted, &drafting, &mut |_| false);
    assert!(matches!(stopped, Err(UndoError::Plan(PlanError::Stopped))));
    let small = IdentityChange::new("default", &plan.change);
    let large = IdentityChange { large: true, ..small.clone() };
    let mut outcomes = Vec::new();
    for (number, change) in (0..).zip([small, large]) {
        let head = serde_json::to_vec(&change).expect("JSON");
        let record = record(88_000 + number, RecordKind::Identity, head, vec![]);
        let id = record.id;
        log.append_wait(record).expect("appends");
        engine.turns(1).expect("folds");
        outcomes.push(engine.shared().take_change(id).expect("an answer"));
    }
    assert!(matches!(&outcomes[..], [Err(ChangeError::Identity { .. }), Ok(())]), "{outcomes:?}");
    let people: Vec<_> = (0..3).map(|person| ("user_id", format!("u{person}"))).collect();
    let people: Vec<_> = people.iter().map(|(kind, value)| (*kind, &**value)).collect();
    let read = reader.space("default").expect("a space");
    let profiles: Vec<_> = told(&read, &people).into_keys().collect();
    assert_eq!(profiles, ["a0 d1 u1", "d0 u0", "d2 u2"]);
}

/// What a large undo costs, and what live events notice of it:
/// `cargo test --release -p selfsame-pipeline --test it costs -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn what_a_large_undo_costs() {
    for people in [6_000, 45_000] {
        for drafted in [false, true] {
            measure(people, drafted);
        }
    }
}

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures")]
fn measure(people: u64, drafted: bool) {
    let log = till(people);
    let folder = tempfile::tempdir().expect("a folder");
    let mut engine = engine_of(folder.path(), &log, StateConfig::default());
    engine.catch_up().expect("folds");
    let reader = Reader::new(engine.shared(), Arc::<MemoryLog>::clone(&log));
    let shared = engine.shared();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let folding = scope.spawn(|| engine.run(&stop));
        // Live events of other people, and how long each record waits until it shows.
        let live = scope.spawn(|| {
            let mut waits = Vec::new();
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return waits;
                }
                let events = (0..100).map(|event| {
                    let who = format!(r#""userId":"live{}""#, number * 100 + event);
                    format!(r#"{{"type":"page",{who},"messageId":"live{number}-{event}"}}"#)
                });
                let began = Instant::now();
                let at = log.append_wait(visits(9_000_000 + number, events)).expect("appends");
                while shared.folded() <= at.position {
                    std::thread::sleep(Duration::from_millis(1));
                }
                waits.push(began.elapsed());
                std::thread::sleep(Duration::from_millis(5));
            }
            waits
        });
        let [one, other] = TILL.map(|(kind, value)| Identifier::new(kind, value));
        let wish = UndoWish::Apart(one, other);
        let wanted = Wanted { collection: Collection::Users, wish: &wish, by: "" };
        let drafting = drafted.then(|| Drafting::start(shared.view().expect("open").tables));
        while drafting.as_ref().is_some_and(|drafting| !drafting.is_noting()) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let began = Instant::now();
        let read = reader.space("default").expect("a space");
        let plan = match &drafting {
            Some(drafting) => read.draft_undo(&wanted, drafting, &mut |_| true),
            None => {
                read.plan_undo(Collection::Users, &wish, "", read.undo_sizes().whole(), &mut |_| {
                    true
                })
            }
        };
        let plan = plan.expect("a plan");
        drop(read);
        let planned = began.elapsed();
        let change = IdentityChange { large: true, ..IdentityChange::new("default", &plan.change) };
        let head = serde_json::to_vec(&change).expect("JSON");
        let began = Instant::now();
        let at = log.append_wait(record(777_000, RecordKind::Identity, head, vec![]));
        let at = at.expect("appends").position;
        while shared.folded() <= at {
            std::thread::sleep(Duration::from_millis(1));
        }
        let applied = began.elapsed();
        let taken = shared.view().expect("open").tables.drafts.taken();
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Release);
        folding.join().expect("folds").expect("folds");
        let mut waits = live.join().expect("appends");
        waits.sort_unstable();
        println!(
            "{} sets, drafts taken {taken}: planned beside in {planned:?}, the record folded in \
             {applied:?}; live records show after {:?} (median), {:?} (longest of {})",
            plan.plan.sets,
            waits[waits.len() / 2],
            waits[waits.len() - 1],
            waits.len(),
        );
    });
}
