//! How fast requests of a connection go out: as the vendor allows, and slower where it says too much.
//!
//! A throttled answer halves the rate, at most once a second; each second without one adds a twentieth of
//! what the rate was before, until it is what it was. Without a rate of the manifest's there is one only from
//! the first throttled answer on, which begins at half of what went out in the second before.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const SECOND: u64 = 1_000_000;
/// The least rate, in requests a second.
const LEAST: f64 = 0.2;
/// By which part of itself a rate grows back in a second.
const GROWTH: f64 = 0.05;

/// The pace of a connection. Times are those of a monotonic clock, in microseconds.
#[derive(Debug)]
pub(crate) struct Pace(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    /// What the manifest says.
    most: Option<f64>,
    /// What it is now; none: as fast as may be.
    rate: Option<f64>,
    /// What it was before it was lowered first.
    goal: f64,
    /// When the next request may go out.
    next: f64,
    /// When it was lowered, and since when it has not grown.
    lowered_at: Option<u64>,
    changed_at: u64,
    /// The second that is counted, and the one before.
    second: u64,
    counted: [f64; 2],
}

impl Pace {
    /// The pace of a vendor who allows that many requests a second.
    pub(crate) fn new(most: Option<f64>) -> Self {
        let most = most.filter(|most| *most > 0.0);
        Self(Mutex::new(Inner {
            most,
            rate: most,
            goal: most.unwrap_or(f64::INFINITY),
            next: 0.0,
            lowered_at: None,
            changed_at: 0,
            second: 0,
            counted: [0.0; 2],
        }))
    }

    /// Takes a place in the order of requests, and says how long to wait for it.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of centuries")]
    pub(crate) fn place(&self, now: u64) -> Duration {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.count(now);
        inner.grow(now);
        let Some(rate) = inner.rate else { return Duration::ZERO };
        let now = now as f64;
        // What was not used for a while is not made up for but for a tenth of a second.
        let at = inner.next.max(now - 100_000.0);
        inner.next = at + 1e6 / rate;
        Duration::from_secs_f64(((at - now) / 1e6).max(0.0))
    }

    /// It was too much.
    pub(crate) fn throttled(&self, now: u64) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.lowered_at.is_some_and(|at| now < at + SECOND) {
            return;
        }
        let before = inner.rate.unwrap_or_else(|| inner.counted[0].max(inner.counted[1]).max(1.0));
        if inner.rate.is_none() {
            inner.goal = before;
        }
        inner.rate = Some((before / 2.0).max(LEAST));
        (inner.lowered_at, inner.changed_at) = (Some(now), now);
    }

    /// Requests a second, where there is a rate now.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).rate
    }
}

impl Inner {
    fn count(&mut self, now: u64) {
        let second = now / SECOND;
        if second != self.second {
            let before = if second == self.second + 1 { self.counted[1] } else { 0.0 };
            self.counted = [before, 0.0];
            self.second = second;
        }
        self.counted[1] += 1.0;
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
    fn grow(&mut self, now: u64) {
        let Some(rate) = self.rate.filter(|rate| *rate < self.goal) else { return };
        let seconds = now.saturating_sub(self.changed_at) / SECOND;
        if seconds == 0 {
            return;
        }
        let grown = rate + self.goal * GROWTH * seconds as f64;
        self.changed_at += seconds * SECOND;
        self.rate = if grown < self.goal { Some(grown) } else { self.most };
        if self.rate.is_none() {
            self.next = 0.0;
        }
    }
}

#[cfg(test)]
mod tests;
