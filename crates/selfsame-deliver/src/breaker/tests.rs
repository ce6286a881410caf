use selfsame_event::Position;

use super::*;

const NOW: Time = Time::from_millis(1_000);

fn at(offset: u64) -> ItemPosition {
    Position::embedded(offset).item(0)
}

#[test]
fn failures_of_different_effects_in_a_row_mean_down() {
    let mut breaker = Breaker::default();
    for offset in 0..7 {
        breaker.failed(at(offset), NOW, u64::MAX);
        assert!(!breaker.is_down());
    }
    breaker.failed(at(7), NOW, u64::MAX);
    assert!(breaker.probe_at().is_some_and(|probe| probe > NOW));
    breaker.succeeded();
    assert!(!breaker.is_down());
}

#[test]
fn one_effect_that_fails_again_and_again_does_not_mean_down() {
    let mut breaker = Breaker::default();
    for _ in 0..1_000 {
        breaker.failed(at(1), NOW, u64::MAX);
    }
    assert!(!breaker.is_down());
}

#[test]
fn probes_go_further_apart_up_to_five_minutes() {
    let mut breaker = Breaker::default();
    (0..7).for_each(|offset| breaker.failed(at(offset), NOW, u64::MAX));
    let mut waits = Vec::new();
    for _ in 0..12 {
        breaker.failed(at(9), NOW, u64::MAX);
        let probe = breaker.probe_at().expect("down");
        waits.push((probe.micros() - NOW.micros() + 500_000) / 1_000_000);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
}
