use super::*;

fn at(seconds: i64) -> Time {
    Time::from_micros(seconds * 1_000_000)
}

#[test]
fn an_assertion_is_taken_once_for_each_client() {
    let mut used = Used::default();
    assert_eq!(used.take("a", [1; 32], at(60), at(0)), Taken::Now);
    assert_eq!(used.take("a", [1; 32], at(60), at(59)), Taken::Before);
    assert_eq!(used.take("a", [2; 32], at(60), at(0)), Taken::Now);
    assert_eq!(used.take("b", [1; 32], at(60), at(0)), Taken::Now);
}

#[test]
fn what_is_remembered_is_bounded_and_forgotten_when_it_has_expired() {
    let mut used = Used::default();
    for number in 0..REMEMBERED as u64 {
        let mut once = [0; 32];
        once[..8].copy_from_slice(&number.to_le_bytes());
        assert_eq!(used.take("a", once, at(60), at(0)), Taken::Now);
    }
    assert_eq!(used.take("a", [9; 32], at(60), at(59)), Taken::TooMany);
    assert_eq!(used.take("a", [9; 32], at(120), at(60)), Taken::Now);
    assert_eq!(used.0.len(), 1);
}
