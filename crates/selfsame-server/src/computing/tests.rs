use std::time::Duration;

use selfsame_pipeline::{ComputeStage, ComputeStatus};

use super::{LONGEST_REST, Running, rest_after};

fn status(stage: ComputeStage, done: u64) -> ComputeStatus {
    ComputeStatus { space: "s".to_owned(), definitions: vec![1], stage, done, total: 1_000 }
}

#[test]
fn rest_is_in_proportion_to_work() {
    assert_eq!(rest_after(30_000, 30), Duration::from_millis(70));
    assert_eq!(rest_after(30_000, 100), Duration::ZERO);
    assert_eq!(rest_after(30_000, 50), Duration::from_millis(30));
    assert_eq!(rest_after(u64::MAX, 0), LONGEST_REST);
}

#[test]
fn the_rate_is_that_of_the_stage() {
    let at = |second: u64| second * 1_000_000;
    let first = Running::of(&status(ComputeStage::History, 100), None, at(10));
    assert_eq!((first.per_second(), first.seconds_left()), (0.0, None));
    let second = Running::of(&status(ComputeStage::History, 300), Some(first), at(12));
    assert!((second.per_second() - 100.0).abs() < 1e-9);
    assert_eq!(second.seconds_left(), Some(7));
    let next = Running::of(&status(ComputeStage::Profiles, 500), Some(second), at(13));
    assert_eq!((next.per_second(), next.seconds_left()), (0.0, None));
}

#[test]
fn a_stage_that_begins_again_has_a_rate_of_its_own() {
    let first = Running::of(&status(ComputeStage::History, 900), None, 0);
    let again = Running::of(&status(ComputeStage::History, 10), Some(first), 5_000_000);
    assert_eq!(again.per_second(), 0.0);
}
