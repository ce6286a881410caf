//! What a number was at earlier moments, and how somebody's rhythm usually is.

use serde::{Deserialize, Serialize};

const STEP: i64 = 300;
const FINE: i64 = 4_200;
const HOUR: i64 = 3_600;
const KEPT: i64 = 49 * HOUR;
const DAY: i64 = 86_400;

/// A number at moments of the last two days: every five minutes of the last hour, every hour before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Series {
    points: Vec<(i64, u64)>,
}

impl Series {
    /// Notes what the number is.
    pub(crate) fn note(&mut self, now: i64, value: u64) {
        if self.points.last().is_some_and(|(at, _)| now < at + STEP) {
            return;
        }
        self.points.push((now, value));
        let mut hour = i64::MIN;
        self.points.retain(|(at, _)| {
            let first_of_hour = at.div_euclid(HOUR) != hour;
            hour = at.div_euclid(HOUR);
            *at >= now - KEPT && (first_of_hour || *at >= now - FINE)
        });
    }

    /// What it was then, or the last time before that somebody looked. None before anybody did.
    pub(crate) fn at(&self, then: i64) -> Option<u64> {
        let before = self.points.iter().rev().find(|(at, _)| *at <= then);
        before.map(|(_, value)| *value)
    }

    /// By how much it grew since then, or since it was first looked at.
    pub(crate) fn grown(&self, then: i64, now: u64) -> u64 {
        let first = self.points.first().map(|(_, value)| *value);
        now.saturating_sub(self.at(then).or(first).unwrap_or(now))
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.points.clear();
    }
}

/// For how many days the longest pauses are remembered.
const DAYS: usize = 8;

/// How somebody sends: when they last did, and how long their pauses are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Rhythm {
    /// How much there was.
    count: u64,
    /// When that last grew; none while it never did.
    grew: Option<i64>,
    /// Since when it sends, without the time during which nobody looked.
    since: Option<i64>,
    /// The longest pause that ended on each of the last days.
    pauses: Vec<(i64, i64)>,
}

impl Rhythm {
    /// Notes how much there is now.
    pub(crate) fn note(&mut self, now: i64, count: u64) {
        if count > self.count {
            match self.grew {
                Some(before) => self.pause(now, now - before),
                // What was there before anybody looked is taken as having come now.
                None => self.since = Some(now),
            }
            self.grew = Some(now);
        }
        self.count = count;
    }

    fn pause(&mut self, now: i64, seconds: i64) {
        let day = now.div_euclid(DAY);
        match self.pauses.last_mut().filter(|(at, _)| *at == day) {
            Some((_, longest)) => *longest = seconds.max(*longest),
            None => self.pauses.push((day, seconds)),
        }
        let surplus = self.pauses.len().saturating_sub(DAYS);
        self.pauses.drain(..surplus);
    }

    /// For how long there was nothing; none where there never was anything.
    pub(crate) fn silence(&self, now: i64) -> Option<i64> {
        self.grew.map(|grew| now - grew)
    }

    /// From how long on a silence is not usual: twice the longest pause of the last days, and at least an
    /// hour; a day, while it sends for less than one.
    pub(crate) fn usual(&self, now: i64) -> i64 {
        let longest = self.pauses.iter().map(|(_, longest)| *longest).max().unwrap_or(0);
        let is_known = self.since.is_some_and(|since| now - since >= DAY);
        (2 * longest).max(if is_known { HOUR } else { DAY })
    }

    /// Nobody looked for so long: that was no silence.
    pub(crate) fn skip(&mut self, seconds: i64) {
        for at in [&mut self.grew, &mut self.since].into_iter().flatten() {
            *at += seconds;
        }
    }
}

#[cfg(test)]
mod tests;
