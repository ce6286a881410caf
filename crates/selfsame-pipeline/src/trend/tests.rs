use super::*;

fn days(merges: &[u64]) -> BTreeMap<u32, DayCounts> {
    let day = |merges: &u64| DayCounts { events: 2_000, merges: *merges, ..DayCounts::default() };
    (100..).zip(merges.iter().map(day)).collect()
}

#[test]
fn three_times_the_mean_is_unusual_and_less_is_not() {
    let found = unusual(&days(&[100, 100, 100, 300]));
    let expected = Unusual { rate: Rate::Merges, day: 103, per_thousand: 150, before: 50 };
    assert_eq!(found, [expected]);
    assert!(unusual(&days(&[100, 100, 100, 299])).is_empty());
}

#[test]
fn a_busy_day_alone_is_nothing() {
    let mut days = days(&[100, 100, 100, 400]);
    days.get_mut(&103).expect("there").events = 8_000;
    assert!(unusual(&days).is_empty());
}

#[test]
fn few_days_few_events_and_few_merges_say_nothing() {
    assert!(unusual(&days(&[100, 100, 900])).is_empty(), "two days before");
    assert!(unusual(&days(&[1, 1, 1, 49])).is_empty());
    assert_eq!(unusual(&days(&[0, 0, 0, 50])).len(), 1, "from nothing to something");
    let mut quiet = days(&[100, 100, 100, 100, 500]);
    quiet.get_mut(&104).expect("there").events = 999;
    assert!(unusual(&quiet).is_empty(), "the day has only begun: the one before is looked at");
}

#[test]
fn only_the_newest_days_are_kept() {
    let mut days = BTreeMap::new();
    for day in 0..100 {
        of_day(&mut days, day).events += 1;
        of_day(&mut days, day).events += 1;
    }
    assert_eq!(days.len(), DAYS_KEPT);
    assert!(days.keys().copied().eq(70..100) && days.values().all(|counts| counts.events == 2));
}

#[test]
fn giants_and_shared_identifiers_begin_where_the_documentation_says() {
    assert!(is_giant(500, 1_000) && !is_giant(499, 1_000));
    assert!(is_giant(100, 10) && !is_giant(99, 10));
    assert!(is_shared(10) && !is_shared(9));
}
