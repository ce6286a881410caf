//! How fast something goes: how much may go now, and how much went of late.

use std::collections::VecDeque;
use std::time::Duration;

use selfsame_event::Time;

use crate::retry::plus;

const MICROS: i64 = 1_000_000;

/// A limit of so many a second. A tenth of a second's worth may go at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    rate: Option<u32>,
    /// What may go now, in millionths.
    saved: i64,
    at: Time,
}

impl Pace {
    pub(crate) fn new(rate: Option<u32>, now: Time) -> Self {
        Self { rate, saved: MICROS, at: now }
    }

    fn most(rate: u32) -> i64 {
        (i64::from(rate) * MICROS / 10).max(MICROS)
    }

    /// How many may go now.
    pub(crate) fn allows(&mut self, now: Time) -> usize {
        let Some(rate) = self.rate else { return usize::MAX };
        // A clock that was set back saves nothing, and takes nothing away.
        let passed = now.micros().saturating_sub(self.at.micros()).clamp(0, MICROS);
        self.saved = (self.saved + passed * i64::from(rate)).min(Self::most(rate));
        self.at = now;
        usize::try_from(self.saved / MICROS).unwrap_or(0)
    }

    /// Says how many went, which may be no more than were allowed.
    pub(crate) fn spend(&mut self, count: usize) {
        if self.rate.is_some() {
            self.saved -= i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(MICROS);
        }
    }

    /// When the next may go, if none may now.
    pub(crate) fn next_at(&self) -> Option<Time> {
        let rate = i64::from(self.rate?);
        let missing = (MICROS - self.saved).max(0);
        let wait = u64::try_from(missing / rate + 1).unwrap_or(0);
        (missing > 0).then(|| plus(self.at, Duration::from_micros(wait)))
    }
}

/// Totals of the last seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Speed {
    seen: VecDeque<(Time, [u64; 2])>,
}

const KEPT: usize = 11;

impl Speed {
    /// Notes two totals as they are now.
    pub(crate) fn note(&mut self, now: Time, totals: [u64; 2]) {
        let is_soon = |last: &(Time, [u64; 2])| {
            (0..MICROS).contains(&now.micros().saturating_sub(last.0.micros()))
        };
        if self.seen.back().is_some_and(is_soon) {
            return;
        }
        self.seen.push_back((now, totals));
        if self.seen.len() > KEPT {
            self.seen.pop_front();
        }
    }

    /// How much of each went in a second.
    pub(crate) fn per_second(&self) -> [f64; 2] {
        let (Some((first, before)), Some((last, after))) = (self.seen.front(), self.seen.back())
        else {
            return [0.0; 2];
        };
        let micros = last.micros().saturating_sub(first.micros());
        let Ok(micros @ 1..) = u32::try_from(micros) else { return [0.0; 2] };
        let rate = |before: u64, after: u64| {
            let count = u32::try_from(after.saturating_sub(before)).unwrap_or(u32::MAX);
            f64::from(count) * 1e6 / f64::from(micros)
        };
        [rate(before[0], after[0]), rate(before[1], after[1])]
    }
}

#[cfg(test)]
mod tests;
