use std::cmp::Ordering;

use selfsame_event::{Raw, Time};

use super::{Answer, after_next, before_last, equals, order, within_last, within_next};
use crate::Value;

fn value(json: &str) -> Value<'_> {
    Value::of(Raw::check(json.as_bytes()).expect("it is JSON"))
}

#[test]
fn what_is_equal() {
    let cases = [
        ("1", "1.0", true),
        ("1", r#""1.0""#, true),
        (r#""1""#, r#""1.0""#, false),
        (r#""0100""#, r#""100""#, false),
        ("true", r#""true""#, true),
        ("true", "true", true),
        ("true", "1", false),
        (r#""a""#, r#""A""#, false),
        ("null", "null", false),
        ("[1, 2]", r#""[1,2]""#, true),
        (r#"["a"]"#, r#"[ "a" ]"#, true),
        ("1e40", r#""1e40""#, true),
    ];
    for (one, other, expected) in cases {
        assert_eq!(equals(&value(one), &value(other)), expected, "{one} = {other}");
        assert_eq!(equals(&value(other), &value(one)), expected, "{other} = {one}");
    }
}

#[test]
fn what_is_ordered() {
    let cases = [
        ("1", "2", Some(Ordering::Less)),
        (r#""10""#, "9", Some(Ordering::Greater)),
        (r#""10""#, r#""9""#, Some(Ordering::Greater)),
        (r#""2026-01-02""#, r#""2026-01-01T23:59:59Z""#, Some(Ordering::Greater)),
        (r#""a""#, r#""b""#, None),
        ("1", r#""b""#, None),
        ("1", "null", None),
        ("true", "1", None),
    ];
    for (one, other, expected) in cases {
        assert_eq!(order(&value(one), &value(other)), expected, "{one} <> {other}");
    }
}

/// Walking from one moment that it names to the next, an answer is the one that each moment in
/// between has.
#[test]
fn answers_hold_until_they_say() {
    type Test = fn(i64, i64, Time) -> Answer;
    type Truth = fn(i64) -> bool;
    let tests: [(&str, Test, Truth); 4] = [
        ("within_last", within_last, |ago| (0..=5).contains(&ago)),
        ("within_next", within_next, |ago| (-5..=0).contains(&ago)),
        ("before_last", before_last, |ago| ago >= 5),
        ("after_next", after_next, |ago| ago <= -5),
    ];
    let value = 20;
    for (name, test, truth) in tests {
        let mut changes = 0;
        let mut held = test(value, 5, Time::from_micros(0));
        for now in 0..40 {
            let answer = test(value, 5, Time::from_micros(now));
            assert_eq!(answer.holds, truth(now - 20), "{name} at {now}");
            if held.until.is_some_and(|until| until.micros() == now) {
                assert_ne!(held.holds, answer.holds, "{name} changes at {now}");
                changes += 1;
                held = answer;
            }
            assert_eq!((held.holds, held.until), (answer.holds, answer.until), "{name} at {now}");
        }
        assert_eq!(held.until, None, "{name}");
        assert!(changes > 0, "{name}");
    }
}
