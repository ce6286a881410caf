//! Crashes between the outbox, the sections and the checkpoint.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use selfsame_event::RecordKind;
use selfsame_log::{LogConfig, LogRead, MemoryLog, RealFs, RegenerableLog};
use selfsame_pipeline::decision::{Decision, Verdict};
use selfsame_pipeline::{Engine, EngineConfig, EngineParts, Probe, ReplayConfig, replay};

use crate::world::{TestClock, history, history_with_undo};

fn outbox(folder: &Path) -> Arc<RegenerableLog> {
    let config = LogConfig::new(folder.join("outbox"), [3; 16]);
    let clock = Arc::new(TestClock::default());
    Arc::new(RegenerableLog::open(&config, clock, Arc::new(RealFs), 0).expect("opens"))
}

fn engine(folder: &Path, log: &Arc<MemoryLog>, outbox: &Arc<RegenerableLog>) -> Engine {
    let mut config = EngineConfig::new(folder.join("state"));
    config.batch_bytes = 3_000;
    config.checkpoint_events = 400;
    config.checkpoint_interval = Duration::from_secs(3600);
    let parts = EngineParts {
        log: Arc::<MemoryLog>::clone(log),
        outbox: Arc::clone(outbox),
        clock: Arc::new(TestClock::default()),
    };
    Engine::open(config, parts).expect("opens")
}

fn decisions(outbox: &dyn LogRead) -> Vec<Vec<Decision>> {
    let (mut next, mut all) = (outbox.first(), Vec::new());
    while next < outbox.end() {
        for record in outbox.read(next, 1 << 20).expect("reads") {
            let decode = |item: &selfsame_log::Item| {
                Decision::decode(item.body().expect("not erased")).expect("decodes")
            };
            all.push(record.items.iter().map(decode).collect());
            next = record.position.next();
        }
    }
    all
}

/// An engine that is dropped in the middle leaves what it had written so far, as a crash does. The
/// next one goes on from there: same state, and every effect once.
#[test]
fn an_engine_that_dies_again_and_again_ends_where_one_that_lives_does() {
    let log = history_with_undo(11, 2_000);
    let reference = tempfile::tempdir().expect("a folder");
    let reference_outbox = outbox(reference.path());
    let expected = engine(reference.path(), &log, &reference_outbox).hash().expect("hashes");

    let folder = tempfile::tempdir().expect("a folder");
    for turns in [1, 3, 40, 90, 7, 200, 55] {
        let outbox = outbox(folder.path());
        let mut engine = engine(folder.path(), &log, &outbox);
        engine.turns(turns).expect("folds");
    }
    let outbox = outbox(folder.path());
    let hash = engine(folder.path(), &log, &outbox).hash().expect("hashes");
    assert_eq!(hash.differences(&expected), Vec::<&str>::new());
    assert_eq!(decisions(&*outbox), decisions(&*reference_outbox));
    assert_eq!(outbox.end(), log.end());

    let clean = tempfile::tempdir().expect("a folder");
    let replayed = replay(&*log, log.end(), clean.path(), &ReplayConfig::default(), |_| ());
    assert_eq!(replayed.expect("replays").differences(&expected), Vec::<&str>::new());
}

#[test]
fn stopping_checkpoints_all_that_was_folded() {
    let log = history(5, 300);
    let folder = tempfile::tempdir().expect("a folder");
    let outbox = outbox(folder.path());
    let engine_one = engine(folder.path(), &log, &outbox);
    let shared = engine_one.shared();
    let stop = Arc::new(AtomicBool::new(false));
    let thread = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || engine_one.run(&stop)
    });
    let mut folded = shared.subscribe();
    while *folded.borrow_and_update() < log.end().offset {
        std::thread::yield_now();
    }
    stop.store(true, Ordering::Release);
    thread.join().expect("no panic").expect("no error");
    drop(shared);
    assert_eq!(engine(folder.path(), &log, &outbox).state().next(), log.end());
}

/// A record that stops the fold is tried twice, then set aside by a record of the log; everything
/// else is folded, and a replay that knows nothing of it passes over the record too.
#[test]
fn a_record_that_stops_the_fold_is_set_aside() {
    const POISON: u64 = 77;
    let log = history(21, 200);
    let folder = tempfile::tempdir().expect("a folder");
    let outbox = outbox(folder.path());
    let tries = Arc::new(AtomicU32::new(0));
    let probe = Probe({
        let tries = Arc::clone(&tries);
        Arc::new(move |record| {
            if record.position.offset == POISON {
                let before = tries.fetch_add(1, Ordering::Relaxed);
                // Once it is to be skipped the defect must not be met again.
                assert!(before >= 2, "a defect");
            }
        })
    });
    let mut engine = engine(folder.path(), &log, &outbox);
    engine.set_probe(probe);
    let hash = engine.hash().expect("goes on");
    assert_eq!(tries.load(Ordering::Relaxed), 3, "two failures, then the step that skips");
    assert_eq!(log.get(log.first()).map(|_| ()).ok(), Some(()));
    let last = log.read(log.first(), usize::MAX).expect("reads").pop().expect("a record");
    assert_eq!(last.kind, RecordKind::Skip as u8);
    let skipped = &decisions(&*outbox)[usize::try_from(POISON).expect("small")];
    assert!(skipped.iter().all(|decision| decision.verdict == Verdict::Skipped));

    let clean = tempfile::tempdir().expect("a folder");
    let replayed = replay(&*log, log.end(), clean.path(), &ReplayConfig::default(), |_| ());
    assert_eq!(replayed.expect("replays").differences(&hash), Vec::<&str>::new());
}
