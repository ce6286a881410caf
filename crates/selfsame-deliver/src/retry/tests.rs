use super::*;

const FIRST: Time = Time::from_millis(1_000_000);
const HALF: u64 = 1 << 63;

fn after(attempts: u32, elapsed: Duration, retry_after: Option<u64>, random: u64) -> Decision {
    let now = plus(FIRST, elapsed);
    let retry_after = retry_after.map(Duration::from_secs);
    let failed = Failed { attempts, first_attempt_at: FIRST, now, retry_after };
    RetryPolicy::default().next_attempt_at(failed, random)
}

fn check(attempts: u32, elapsed_s: u64, retry_after: Option<u64>, random: u64, waits_ms: u64) {
    let elapsed = Duration::from_secs(elapsed_s);
    let due = plus(plus(FIRST, elapsed), Duration::from_millis(waits_ms));
    assert_eq!(
        after(attempts, elapsed, retry_after, random),
        Decision::Retry(due),
        "attempt {attempts} at {elapsed_s} s, retry-after {retry_after:?}"
    );
}

#[test]
fn waits_double_up_to_an_hour_and_are_jittered() {
    check(1, 0, None, HALF, 500);
    check(2, 0, None, HALF, 1_000);
    check(3, 0, None, HALF, 2_000);
    check(12, 0, None, HALF, 1_024_000);
    check(13, 0, None, HALF, 1_800_000);
    check(60, 0, None, HALF, 1_800_000);
    check(u32::MAX, 0, None, HALF, 1_800_000);
    check(1, 0, None, 0, 100);
    check(2, 0, None, HALF / 2, 500);
}

#[test]
fn retry_after_is_the_least_wait_and_is_believed_for_a_day() {
    check(1, 0, Some(0), HALF, 500);
    check(1, 0, Some(120), HALF, 120_000);
    check(13, 0, Some(10), HALF, 1_800_000);
    check(1, 0, Some(86_400), HALF, 86_400_000);
    check(1, 0, Some(1_000_000), HALF, 86_400_000);
    check(1, 0, Some(u64::MAX), HALF, 86_400_000);
}

#[test]
fn the_last_attempt_is_at_the_end_of_the_span() {
    let hours_72 = 72 * 3_600;
    check(100, hours_72 - 10, None, HALF, 10_000);
    check(100, hours_72 - 10, Some(60), HALF, 60_000);
    let end = Duration::from_secs(hours_72);
    assert_eq!(after(100, end, None, HALF), Decision::GiveUp);
    assert_eq!(after(100, end, Some(10), HALF), Decision::GiveUp);
    assert_eq!(after(1, end + HOUR, None, HALF), Decision::GiveUp);
}

proptest::proptest! {
    /// No retry is later than the policy allows, and none comes at once.
    #[test]
    fn every_retry_is_within_bounds(attempts in 1_u32.., elapsed in 0_u64..259_200, random: u64) {
        let elapsed = Duration::from_secs(elapsed);
        let now = plus(FIRST, elapsed);
        let Decision::Retry(at) = after(attempts, elapsed, None, random) else {
            panic!("given up before the span ended");
        };
        proptest::prop_assert!(at > now && at <= plus(now, HOUR));
        proptest::prop_assert!(at <= plus(FIRST, RetryPolicy::default().span));
    }
}
