//! The same log gives the same state, however it is folded.

use selfsame_log::LogRead;
use selfsame_pipeline::{ReplayConfig, StateConfig, replay};
use selfsame_store::StateHash;

use crate::world::{history, history_with_undo};

fn hash(log: &dyn LogRead, config: &ReplayConfig) -> StateHash {
    let folder = tempfile::tempdir().expect("a folder");
    replay(log, log.end(), folder.path(), config, |_| ()).expect("replays")
}

fn partitions(partitions: u32) -> ReplayConfig {
    let state = StateConfig { partitions, ..StateConfig::default() };
    ReplayConfig { state, ..ReplayConfig::default() }
}

fn check(config: &ReplayConfig) {
    for seed in 1..4 {
        let log = history_with_undo(seed, 1_300);
        let expected = hash(&*log, &ReplayConfig::default());
        assert!(expected.parts().iter().all(|(name, hash)| hash.rows() > 0 || *name == "chunks"));
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

#[test]
fn another_log_gives_another_state() {
    let config = ReplayConfig::default();
    let (one, two) = (history(1, 300), history(2, 300));
    assert_ne!(hash(&*one, &config).to_string(), hash(&*two, &config).to_string());
}
