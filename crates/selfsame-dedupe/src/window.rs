//! Which entries count: the part of the state that is a function of the log alone.
//!
//! Entries are in log order, so all that has to be known is at which places hours and generations
//! begin.

use std::collections::VecDeque;
use std::time::Duration;

use selfsame_event::Time;

use crate::config::Limits;
use crate::entry::Place;

const HOUR_MICROS: i64 = 3_600_000_000;

/// The whole hours since the epoch.
pub(crate) fn hour(time: Time) -> i64 {
    time.micros().div_euclid(HOUR_MICROS)
}

/// Neighbouring ids that leave the window together: those of an hour, or a part of a large hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) started: Time,
    pub(crate) first: Place,
    pub(crate) ids: u64,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Window {
    pub(crate) partition: Option<u32>,
    /// The newest place that was shown.
    pub(crate) last: Option<Place>,
    /// The newest log time that was shown.
    pub(crate) now: Time,
    /// Oldest first.
    pub(crate) buckets: VecDeque<Bucket>,
    pub(crate) ids: u64,
    /// Entries before it have left.
    pub(crate) floor: Place,
    /// Where the older and the current tag generation begin.
    pub(crate) generations: [Place; 2],
    pub(crate) generation_ids: u64,
    /// The hour of the newest ids that left early.
    pub(crate) shrunk_hour: Option<i64>,
    pub(crate) left_early: u64,
    pub(crate) admitted: u64,
    pub(crate) duplicates: u64,
    pub(crate) different_content: u64,
}

/// What adding an id led to.
#[derive(Debug, Default)]
pub(crate) struct Added {
    /// The id is the first of a tag generation.
    pub(crate) rotated: bool,
    /// So many ids left before their time.
    pub(crate) left_early: u64,
}

impl Window {
    /// Moves log time on: whole hours leave. Log time never goes back.
    pub(crate) fn advance(&mut self, now: Time, place: Place, limits: &Limits) {
        if now <= self.now {
            return;
        }
        self.now = now;
        let oldest_hour = hour(now) - limits.window_hours;
        while self.buckets.front().is_some_and(|bucket| hour(bucket.started) < oldest_hour) {
            self.leave(place);
        }
        if self.shrunk_hour.is_some_and(|shrunk| shrunk < oldest_hour) {
            self.shrunk_hour = None;
        }
    }

    /// Drops the oldest bucket. `next` is the place to come, if there is no other bucket.
    fn leave(&mut self, next: Place) -> u64 {
        let Some(bucket) = self.buckets.pop_front() else { return 0 };
        self.ids -= bucket.ids;
        self.floor = self.buckets.front().map_or(next, |bucket| bucket.first);
        bucket.ids
    }

    /// From which place entries are visible to an event with this original time.
    pub(crate) fn visible_from(&self, original: Option<Time>) -> Place {
        let tags = self.generations[0];
        if tags <= self.floor {
            return self.floor;
        }
        let Some(original) = original else { return self.floor };
        let earliest = original.micros().div_euclid(HOUR_MICROS) - 1;
        let first = self.buckets.partition_point(|bucket| hour(bucket.started) < earliest);
        let by_time = self.buckets.get(first).map_or(Place::END, |bucket| bucket.first);
        by_time.min(tags).max(self.floor)
    }

    /// Counts a new id.
    pub(crate) fn add(&mut self, place: Place, limits: &Limits) -> Added {
        let now = self.now;
        match self.buckets.back_mut() {
            Some(bucket) if hour(bucket.started) == hour(now) && bucket.ids < limits.bucket_ids => {
                bucket.ids += 1;
            }
            _ => self.buckets.push_back(Bucket { started: now, first: place, ids: 1 }),
        }
        self.ids += 1;
        self.admitted += 1;
        let mut added = Added::default();
        if self.generation_ids >= limits.generation_ids {
            self.generations = [self.generations[1], place];
            self.generation_ids = 0;
            added.rotated = true;
        }
        self.generation_ids += 1;
        while self.ids > limits.most_ids && self.buckets.len() > 1 {
            self.shrunk_hour = self.buckets.front().map(|bucket| hour(bucket.started));
            added.left_early += self.leave(place);
        }
        self.left_early += added.left_early;
        added
    }

    /// The hour in which an entry was admitted.
    pub(crate) fn hour_of(&self, place: Place) -> Option<i64> {
        let behind = self.buckets.partition_point(|bucket| bucket.first <= place);
        self.buckets.get(behind.checked_sub(1)?).map(|bucket| hour(bucket.started))
    }

    /// The first log time from which every id is remembered.
    pub(crate) fn oldest(&self) -> Option<Time> {
        self.buckets.front().map(|bucket| bucket.started)
    }

    /// How far back the window reaches, where the budget has shortened it.
    pub(crate) fn shrunk_to(&self) -> Option<Duration> {
        self.shrunk_hour?;
        let micros = self.now.micros() - self.oldest()?.micros();
        Some(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
    }
}
