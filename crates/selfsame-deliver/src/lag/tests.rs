use selfsame_event::Position;

use super::*;

const NOW: Time = Time::from_millis(1_800_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn at(offset: u64) -> ItemPosition {
    Position::embedded(offset).item(0)
}

fn measured(age: Duration, bytes: u64) -> Measured {
    let time = NOW.plus_micros(-i64::try_from(age.as_micros()).expect("short"));
    Measured { time: Some(time), bytes, ..Measured::default() }
}

#[test]
fn the_larger_of_both_shares_counts() {
    let limit = LagLimit::default();
    let percent = |age, bytes| Lag::of(&measured(age, bytes), limit, NOW).percent;
    assert_eq!(percent(36 * HOUR, 0), 50);
    assert_eq!(percent(36 * HOUR, 8_000_000_000), 80);
    assert_eq!(percent(144 * HOUR, 8_000_000_000), 200);
    assert_eq!(percent(Duration::ZERO, 99_999_999), 0);
}

#[test]
fn a_limit_that_is_not_set_is_never_reached() {
    let limit = LagLimit { age: None, bytes: None };
    assert_eq!(Lag::of(&measured(1_000 * HOUR, u64::MAX), limit, NOW).percent, 0);
    let question = limit.question(at(3), NOW);
    assert_eq!((question.oldest, question.bytes), (None, None));
    let zero = LagLimit { age: Some(Duration::ZERO), bytes: Some(0) };
    assert_eq!(Lag::of(&measured(HOUR, 9), zero, NOW).percent, 0, "nothing is divided by zero");
}

#[test]
fn a_cursor_before_what_is_near_is_beyond() {
    let near = Measured { young: at(3), near: at(5), ..Measured::default() };
    assert_eq!(near.beyond(at(4)), Some(Beyond::Bytes));
    assert_eq!(near.beyond(at(5)), None);
    let young = Measured { young: at(3), ..Measured::default() };
    assert_eq!(young.beyond(at(2)), Some(Beyond::Age));
    assert_eq!(young.beyond(at(3)), None);
    let both = Measured { young: at(3), near: at(3), ..Measured::default() };
    assert_eq!(both.beyond(at(2)), Some(Beyond::Bytes), "which holds whenever the server began");
}
