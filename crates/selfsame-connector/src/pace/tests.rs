use super::*;

/// How many requests go out within a second that begins then, if all are wanted at once.
fn within(pace: &Pace, now: u64, wanted: usize) -> usize {
    (0..wanted).filter(|_| pace.place(now) < Duration::from_secs(1)).count()
}

#[test]
fn the_rate_of_the_manifest_holds() {
    let pace = Pace::new(Some(10.0));
    let sent = within(&pace, 5 * SECOND, 100);
    assert!((10..=12).contains(&sent), "{sent}");
    let pace = Pace::new(None);
    assert_eq!(within(&pace, 5 * SECOND, 1_000), 1_000);
}

#[test]
fn a_throttled_answer_halves_it_once_a_second_and_it_grows_back() {
    let pace = Pace::new(Some(100.0));
    for _ in 0..5 {
        pace.throttled(10 * SECOND);
    }
    assert_eq!(pace.rate(), Some(50.0));
    pace.throttled(11 * SECOND);
    assert_eq!(pace.rate(), Some(25.0));
    pace.place(12 * SECOND);
    assert_eq!(pace.rate(), Some(30.0));
    pace.place(60 * SECOND);
    assert_eq!(pace.rate(), Some(100.0), "never above what the manifest says");
}

#[test]
fn without_a_rate_there_is_one_from_the_first_throttled_answer_on() {
    let pace = Pace::new(None);
    for _ in 0..40 {
        pace.place(7 * SECOND);
    }
    pace.throttled(7 * SECOND + 5);
    assert_eq!(pace.rate(), Some(20.0));
    pace.place(60 * SECOND);
    assert_eq!(pace.rate(), None, "when it is what it was, there is none");
    for _ in 0..20 {
        pace.throttled(70 * SECOND);
        pace.throttled(72 * SECOND);
    }
    assert!(pace.rate().is_some_and(|rate| rate >= LEAST));
}
