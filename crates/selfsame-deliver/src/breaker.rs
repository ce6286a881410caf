//! Whether a destination is down as a whole.
//!
//! After enough failures in a row, of different effects, its cursor stops and one probe at a time
//! goes out, further and further apart; the first success ends it. Without this an outage would set
//! every event aside, one by one, and send each of them on a schedule of its own.

use std::time::Duration;

use selfsame_event::{ItemPosition, Time};

use crate::retry::{RetryPolicy, plus};

/// Failures in a row, of different effects, after which a destination counts as down.
const THRESHOLD: u32 = 8;
/// The longest wait between probes. What waits behind one is everything, so it is short.
const PROBE_CAP: Duration = Duration::from_secs(300);

/// How a destination is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Breaker {
    failures: u32,
    last: Option<ItemPosition>,
    probe_at: Option<Time>,
}

impl Breaker {
    /// When the next probe may go out; `None` while the destination is up.
    pub(crate) fn probe_at(&self) -> Option<Time> {
        self.probe_at
    }

    pub(crate) fn is_down(&self) -> bool {
        self.probe_at.is_some()
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Counts a failure. A failure of the same effect again says nothing new while it is up.
    pub(crate) fn failed(&mut self, at: ItemPosition, now: Time, random: u64) {
        if !self.is_down() && self.last == Some(at) {
            return;
        }
        self.last = Some(at);
        self.failures = self.failures.saturating_add(1);
        if let Some(probes) = self.failures.checked_sub(THRESHOLD) {
            let policy = RetryPolicy { cap: PROBE_CAP, ..RetryPolicy::default() };
            self.probe_at = Some(plus(now, policy.backoff(probes + 1, random)));
        }
    }

    /// The next probe may not go out before then.
    pub(crate) fn postpone(&mut self, until: Time) {
        self.probe_at = self.probe_at.map(|at| at.max(until));
    }
}

#[cfg(test)]
mod tests;
