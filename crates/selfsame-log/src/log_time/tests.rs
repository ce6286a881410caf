use super::*;

const S: i64 = 1_000_000;

/// Last time, monotonic micros since then, wall clock now; the time given, what is held.
fn check(last: i64, elapsed: u64, wall: i64, time: i64, held: i64) {
    let stamp = Stamp { time: Time::from_micros(last), monotonic_micros: Some(7) };
    let now = Reading { wall: Time::from_micros(wall), monotonic_micros: 7 + elapsed };
    let expected = Advance { time: Time::from_micros(time), held_micros: held };
    assert_eq!(advance(stamp, now), expected, "last {last} elapsed {elapsed} wall {wall}");
}

#[test]
fn the_wall_clock_is_believed_within_a_tenth_and_a_second() {
    check(100 * S, 0, 100 * S + 5, 100 * S + 5, 0);
    check(100 * S, 1_000_000, 101 * S, 101 * S, 0);
    check(100 * S, 10_000_000, 112 * S, 112 * S, 0);
    check(100 * S, 0, 101 * S, 101 * S, 0);
}

#[test]
fn a_jump_is_held_and_time_goes_on_at_the_monotonic_rate() {
    check(100 * S, 0, 101 * S + 1, 100 * S, S + 1);
    check(100 * S, 10_000_000, 112 * S + 1, 110 * S, 2 * S + 1);
    check(100 * S, 5_000, 3_700 * S, 100 * S + 5_000, 3_600 * S - 5_000);
}

#[test]
fn backwards_time_crawls() {
    check(100 * S, 0, 100 * S, 100 * S, 0);
    check(100 * S, 0, 40 * S, 100 * S, 0);
    check(100 * S, 10_000_000, 40 * S, 101 * S, 0);
}

#[test]
fn after_a_stop_the_wall_clock_is_taken_if_it_is_later() {
    let last = Stamp { time: Time::from_micros(100 * S), monotonic_micros: None };
    for (wall, time) in [(90, 100), (100, 100), (1_000_000, 1_000_000)] {
        let now = Reading { wall: Time::from_micros(wall * S), monotonic_micros: 3 };
        let expected = Advance { time: Time::from_micros(time * S), held_micros: 0 };
        assert_eq!(advance(last, now), expected);
    }
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let now = Reading { wall: Time::MAX, monotonic_micros: u64::MAX };
    let last = Stamp { time: Time::EPOCH, monotonic_micros: Some(0) };
    assert_eq!(advance(last, now).time, Time::MAX);
    assert_eq!(advance(Stamp { time: Time::MAX, ..last }, now).time, Time::MAX);
}
