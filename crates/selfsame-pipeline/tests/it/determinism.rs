//! The same log gives the same state, however it is folded.

use selfsame_log::LogRead;
use selfsame_pipeline::decision::{NoteKind, Verdict};
use selfsame_pipeline::{ReplayConfig, State, StateConfig, replay};
use selfsame_store::StateHash;

use crate::world::{guarded_history, history, history_with_undo, linked_history};

fn hash(log: &dyn LogRead, config: &ReplayConfig) -> StateHash {
    let folder = tempfile::tempdir().expect("a folder");
    replay(log, log.end(), folder.path(), config, |_| ()).expect("replays")
}

fn partitions(partitions: u32) -> ReplayConfig {
    let state = StateConfig { partitions, ..StateConfig::default() };
    ReplayConfig { state, ..ReplayConfig::default() }
}

fn check(config: &ReplayConfig) {
    let logs = [
        history_with_undo(1, 1_300),
        history_with_undo(2, 1_300),
        guarded_history(3, 1_300),
        linked_history(4, 1_300),
    ];
    for (seed, log) in (1..).zip(logs) {
        let expected = hash(&*log, &ReplayConfig::default());
        let may_be_empty = |name: &str| match name {
            "chunks" | "computed" => true,
            "people" => seed < 4,
            "apart" => seed == 4,
            _ => false,
        };
        assert!(expected.parts().iter().all(|(name, hash)| hash.rows() > 0 || may_be_empty(name)));
        let differences = hash(&*log, config).differences(&expected);
        assert!(differences.is_empty(), "seed {seed}: {differences:?}");
    }
}

#[test]
fn batches_of_any_size_give_the_same_state() {
    // One record, about seven, and about ten thousand.
    for batch_bytes in [1, 2_000, 4 << 20] {
        check(&ReplayConfig { batch_bytes, ..ReplayConfig::default() });
    }
}

#[test]
fn two_partitions_give_the_same_state_as_one() {
    check(&partitions(2));
}

#[test]
fn seven_partitions_give_the_same_state_as_one() {
    check(&partitions(7));
}

#[test]
fn opening_anew_in_between_gives_the_same_state() {
    check(&ReplayConfig { reopen_every: Some(200), ..ReplayConfig::default() });
    check(&ReplayConfig { reopen_every: Some(333), ..partitions(7) });
}

#[test]
fn rows_that_leave_memory_give_the_same_state() {
    let mut config = ReplayConfig { batch_bytes: 1, reopen_every: Some(100), ..partitions(2) };
    config.state.memory = selfsame_pipeline::MemoryBudget {
        sections: 2_000,
        identifiers: 1_000,
        components: 1_000,
        other: 600,
    };
    check(&config);
}

/// The guard is met, or the histories above would say nothing of it.
#[test]
fn people_are_guarded_where_the_history_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = guarded_history(3, 1_500);
    replay(&*log, log.end(), folder.path(), &ReplayConfig::default(), |_| ()).expect("replays");
    let state = State::open(folder.path(), &StateConfig::default()).expect("a state");
    let count = |kind: NoteKind| state.meta().spaces[0].violations.get(&(kind as u8)).copied();
    assert!(count(NoteKind::Unverified) > Some(100), "{:?}", count(NoteKind::Unverified));
    assert!(count(NoteKind::TokenRefused) > Some(100));
}

/// Devices move, and are shared, or the history above would say nothing of it.
#[test]
fn devices_move_where_the_history_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = linked_history(4, 1_300);
    let mut state = State::open(folder.path(), &StateConfig::default()).expect("a state");
    let mut moved = 0;
    while state.next() < log.end() {
        for record in log.read(state.next(), 1 << 20).expect("reads") {
            for decision in state.step(&record).expect("folds").decisions {
                let Verdict::Accepted(accepted) = decision.verdict else { continue };
                let notes = accepted.notes.iter();
                moved += notes.filter(|note| note.kind == NoteKind::DeviceMoved).count();
            }
        }
    }
    assert!(moved > 100, "{moved}");
    let shared = state.meta().spaces[0].violations.get(&(NoteKind::SharedDevice as u8)).copied();
    assert!(shared > Some(100), "{shared:?}");
}

#[test]
fn another_log_gives_another_state() {
    let config = ReplayConfig::default();
    let (one, two) = (history(1, 300), history(2, 300));
    assert_ne!(hash(&*one, &config).to_string(), hash(&*two, &config).to_string());
}
