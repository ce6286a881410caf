use super::{DAY, HOUR, Rhythm, Series};

#[test]
fn a_series_has_what_was_an_hour_and_a_day_ago_and_stays_small() {
    let mut series = Series::default();
    let start = 1_000_000 * HOUR;
    for second in (0..10 * DAY).step_by(60) {
        series.note(start + second, u64::try_from(second).expect("positive"));
    }
    let now = start + 10 * DAY;
    assert!(series.points.len() < 70, "{} points", series.points.len());
    let value = |ago: i64| {
        let value = series.at(now - ago).expect("known");
        10 * DAY - i64::try_from(value).expect("small")
    };
    assert!((HOUR..HOUR + 400).contains(&value(HOUR)), "{}", value(HOUR));
    assert!((DAY..DAY + 2 * HOUR).contains(&value(DAY)), "{}", value(DAY));
    assert!((2 * DAY..2 * DAY + 2 * HOUR).contains(&value(2 * DAY)), "{}", value(2 * DAY));
    assert_eq!(series.at(now - 3 * DAY), None);
}

#[test]
fn growth_of_a_young_series_is_since_it_was_first_looked_at() {
    let mut series = Series::default();
    assert_eq!(series.grown(0, 500), 0);
    series.note(1_000, 500);
    assert_eq!(series.grown(1_000 - HOUR, 520), 20);
    assert_eq!(series.grown(1_000 - HOUR, 400), 0);
}

#[test]
fn a_rhythm_learns_nights_and_forgets_time_without_a_watcher() {
    let mut rhythm = Rhythm::default();
    let (mut now, mut count) = (0, 0);
    rhythm.note(now, count);
    assert_eq!(rhythm.silence(now), None);
    // Ten days of fourteen hours with events and ten without.
    for _ in 0..10 {
        for minute in 0..24 * 60 {
            now += 60;
            count += u64::from(minute < 14 * 60);
            rhythm.note(now, count);
        }
    }
    assert_eq!(rhythm.silence(now), Some(10 * HOUR));
    let usual = rhythm.usual(now);
    assert!((20 * HOUR..=20 * HOUR + 120).contains(&usual), "{usual}");
    rhythm.skip(5 * HOUR);
    assert_eq!(rhythm.silence(now + 5 * HOUR), Some(10 * HOUR));
}

#[test]
fn what_was_there_before_anybody_looked_came_then() {
    let mut rhythm = Rhythm::default();
    rhythm.note(100, 7);
    rhythm.note(400, 7);
    assert_eq!(rhythm.silence(400), Some(300));
    assert_eq!(rhythm.usual(400), DAY);
    rhythm.note(500, 8);
    assert_eq!(rhythm.silence(500), Some(0));
}
