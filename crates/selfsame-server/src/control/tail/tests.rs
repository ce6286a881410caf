use super::{BEHIND, behind};

#[test]
fn a_client_that_keeps_up_misses_nothing() {
    assert_eq!(behind(0, 0, 0), 0);
    assert_eq!(behind(5, 6, 0), 0);
    assert_eq!(behind(0, BEHIND, 0), 0);
}

#[test]
fn a_client_that_is_too_far_behind_is_told_what_it_missed() {
    assert_eq!(behind(0, BEHIND + 1, 0), 1);
    assert_eq!(behind(10, BEHIND + 100, 0), 90);
}

#[test]
fn records_that_retention_removed_are_missed_too() {
    assert_eq!(behind(10, 60, 50), 40);
}
