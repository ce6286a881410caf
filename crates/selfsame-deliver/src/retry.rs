//! When a failed delivery is tried again: full-jitter exponential backoff over 72 hours.
//!
//! The n-th retry comes after a uniformly random part of `min(cap, base * 2^(n-1))`, never before
//! what `Retry-After` asked for (believed up to 24 h). The last attempt is made when the span ends,
//! or later where `Retry-After` says so; after it the delivery is given up.

use std::time::Duration;

use selfsame_event::Time;

/// The numbers of the backoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most that the first retry waits.
    pub base: Duration,
    /// The most that any retry waits, `Retry-After` apart.
    pub cap: Duration,
    /// How long after the first attempt the last one is made.
    pub span: Duration,
    /// The most that is believed of a `Retry-After`, for its event and for the whole connection.
    pub retry_after_cap: Duration,
}

const HOUR: Duration = Duration::from_secs(3_600);
/// A retry never follows sooner, whatever chance says.
const LEAST: Duration = Duration::from_millis(100);

impl Default for RetryPolicy {
    fn default() -> Self {
        let (base, cap) = (Duration::from_secs(1), HOUR);
        Self { base, cap, span: 72 * HOUR, retry_after_cap: 24 * HOUR }
    }
}

/// What is known when an attempt has failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed {
    /// How many attempts were made, this one included.
    pub attempts: u32,
    /// When the first one was made.
    pub first_attempt_at: Time,
    /// Now.
    pub now: Time,
    /// What the receiver asked for.
    pub retry_after: Option<Duration>,
}

/// What follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Try again then.
    Retry(Time),
    /// Do not try again.
    GiveUp,
}

impl RetryPolicy {
    /// Decides when to try again. `random` is uniform over all of `u64`.
    pub fn next_attempt_at(&self, failed: Failed, random: u64) -> Decision {
        let end = plus(failed.first_attempt_at, self.span);
        if failed.now >= end {
            return Decision::GiveUp;
        }
        let asked = failed.retry_after.unwrap_or_default().min(self.retry_after_cap);
        let jittered = plus(failed.now, self.backoff(failed.attempts, random));
        Decision::Retry(jittered.min(end).max(plus(failed.now, asked)))
    }

    /// The jittered wait after so many failures in a row.
    pub fn backoff(&self, failures: u32, random: u64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let most = self.base.saturating_mul(1 << doublings).min(self.cap);
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        let part = (u128::from(micros) * u128::from(random)) >> 64;
        Duration::from_micros(u64::try_from(part).unwrap_or(u64::MAX)).max(LEAST.min(most))
    }
}

/// A time moved forward.
pub(crate) fn plus(time: Time, by: Duration) -> Time {
    time.plus_micros(i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
