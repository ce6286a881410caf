//! The retry budget: retries are a share of the first attempts, so that a receiver that fails is not
//! sent much more than one that does not.
//!
//! Both are counted over a sliding window of ten seconds. Retries may be so many hundredths of the
//! first attempts, and always a small number more, without which what waits would wait for new events.
//! A retry that the budget holds back keeps its turn and goes as soon as there is room.

use std::time::Duration;

use selfsame_event::Time;

use crate::retry::plus;

/// How many retries there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// In hundredths of the first attempts.
    pub percent: u32,
    /// So many a second more.
    pub floor_per_second: u32,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { percent: 20, floor_per_second: 10 }
    }
}

const SECONDS: usize = 10;
const WINDOW: i64 = 10;
const SECOND: i64 = 1_000_000;

#[derive(Debug, Clone, Copy, Default)]
struct Second {
    number: i64,
    first: u64,
    again: u64,
}

/// The attempts of the last seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    budget: RetryBudget,
    seconds: [Second; SECONDS],
}

impl Spent {
    pub(crate) fn new(budget: RetryBudget) -> Self {
        Self { budget, seconds: [Second::default(); SECONDS] }
    }

    pub(crate) fn set_budget(&mut self, budget: RetryBudget) {
        self.budget = budget;
    }

    /// Notes an attempt.
    pub(crate) fn note(&mut self, now: Time, is_retry: bool) {
        let number = number(now);
        let second = &mut self.seconds[slot(number)];
        if second.number != number {
            *second = Second { number, ..Second::default() };
        }
        if is_retry {
            second.again += 1;
        } else {
            second.first += 1;
        }
    }

    fn recent(&self, now: Time) -> impl Iterator<Item = &Second> {
        let (newest, length) = (number(now), WINDOW);
        self.seconds.iter().filter(move |second| {
            // Behind a clock that was set back nothing is held against the future.
            second.number > newest.saturating_sub(length) && second.number <= newest
        })
    }

    /// Whether a retry may go out now.
    pub(crate) fn allows(&self, now: Time) -> bool {
        let (first, again) = self
            .recent(now)
            .fold((0, 0), |(first, again), one| (first + one.first, again + one.again));
        let floor = u64::from(self.budget.floor_per_second) * SECONDS as u64;
        again < floor + first * u64::from(self.budget.percent) / 100
    }

    /// When it is worth asking again: the oldest second that counts stops to do so then.
    pub(crate) fn ask_at(&self, now: Time) -> Time {
        let oldest = self.recent(now).map(|second| second.number).min();
        let ends = oldest.map(|number| Time::from_micros((number + WINDOW) * SECOND));
        ends.filter(|at| *at > now).unwrap_or_else(|| plus(now, Duration::from_secs(1)))
    }
}

fn number(now: Time) -> i64 {
    now.micros().div_euclid(SECOND)
}

fn slot(number: i64) -> usize {
    usize::try_from(number.rem_euclid(WINDOW)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
