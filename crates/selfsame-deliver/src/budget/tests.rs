use super::*;

const START: Time = Time::from_millis(1_800_000_000_000);

fn at(millis: u64) -> Time {
    plus(START, Duration::from_millis(millis))
}

/// Retries that go out when one is asked for at every moment of so many seconds.
fn greedy(spent: &mut Spent, seconds: std::ops::Range<u64>, first_per_second: u64) -> u64 {
    let mut retries = 0;
    for millis in (seconds.start * 1_000..seconds.end * 1_000).step_by(10) {
        let now = at(millis);
        if first_per_second > 0 && millis.is_multiple_of(1_000 / first_per_second) {
            spent.note(now, false);
        }
        if spent.allows(now) {
            spent.note(now, true);
            retries += 1;
        }
    }
    retries
}

#[test]
fn retries_are_a_share_of_the_first_attempts() {
    let mut spent = Spent::new(RetryBudget { percent: 20, floor_per_second: 0 });
    let retries = greedy(&mut spent, 0..100, 50);
    assert!((960..=1_000).contains(&retries), "{retries} of 5,000 first attempts");
}

#[test]
fn without_first_attempts_the_floor_is_left() {
    let mut spent = Spent::new(RetryBudget { percent: 20, floor_per_second: 3 });
    let retries = greedy(&mut spent, 0..100, 0);
    assert_eq!(retries, 300);
}

#[test]
fn what_is_held_back_may_go_when_the_window_has_moved_on() {
    let mut spent = Spent::new(RetryBudget { percent: 0, floor_per_second: 1 });
    for _ in 0..10 {
        assert!(spent.allows(at(500)));
        spent.note(at(500), true);
    }
    assert!(!spent.allows(at(500)));
    let then = spent.ask_at(at(500));
    assert_eq!(then, at(10_000));
    assert!(!spent.allows(then.plus_micros(-1)));
    assert!(spent.allows(then));
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_back() {
    let mut spent = Spent::new(RetryBudget { percent: 0, floor_per_second: 1 });
    for _ in 0..10 {
        spent.note(at(3_600_000), true);
    }
    assert!(!spent.allows(at(3_600_000)));
    assert!(spent.allows(at(0)));
    assert!(spent.ask_at(at(0)) > at(0));
}
