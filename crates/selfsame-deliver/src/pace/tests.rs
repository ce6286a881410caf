use super::*;

const START: Time = Time::from_millis(1_800_000_000_000);

fn after(millis: u64) -> Time {
    plus(START, Duration::from_millis(millis))
}

/// How many go in ten seconds if as many go as may, and it is looked every so many milliseconds.
fn in_ten_seconds(rate: u32, every: u64) -> usize {
    let mut pace = Pace::new(Some(rate), START);
    let mut all = 0;
    for millis in (0..10_000).step_by(usize::try_from(every).expect("small")) {
        let count = pace.allows(after(millis));
        pace.spend(count);
        all += count;
    }
    all
}

#[test]
fn no_more_than_the_rate_goes_in_a_second() {
    assert_eq!(in_ten_seconds(1, 10), 10, "one at once, and nine more");
    assert_eq!(in_ten_seconds(100, 10), 1_000);
    assert!(in_ten_seconds(1_000, 250) <= 4_100, "what was not used is not saved up");
}

#[test]
fn it_is_looked_again_when_one_may_go() {
    let mut pace = Pace::new(Some(2), START);
    assert_eq!(pace.allows(START), 1);
    assert_eq!(pace.next_at(), None);
    pace.spend(1);
    let next = pace.next_at().expect("later");
    assert_eq!(pace.allows(next), 1, "at {next}");
    assert!(next >= after(500) && next < after(501));
    assert_eq!(
        Pace::new(None, START).next_at(),
        None,
        "without a rate there is nothing to wait for"
    );
}

#[test]
fn a_clock_that_is_set_back_lets_nothing_more_through() {
    let mut pace = Pace::new(Some(1), after(60_000));
    pace.spend(1);
    assert_eq!(pace.allows(START), 0);
    assert_eq!(pace.allows(after(999)), 0);
    assert_eq!(pace.allows(after(1_000)), 1);
}

#[test]
fn the_speed_is_that_of_the_last_ten_seconds() {
    let mut speed = Speed::default();
    assert_eq!(speed.per_second(), [0.0; 2]);
    for second in 0..100 {
        speed.note(after(second * 1_000), [second * 50, if second < 95 { 0 } else { 7 }]);
        speed.note(after(second * 1_000 + 1), [u64::MAX; 2]);
    }
    assert_eq!(speed.per_second(), [50.0, 0.7]);
}
