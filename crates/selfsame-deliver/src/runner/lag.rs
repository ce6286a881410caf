//! Looking at how far the connection is behind, now and then.

use std::sync::Arc;

use selfsame_event::Time;
use tokio::task::JoinError;
use tracing::{error, info, warn};

use super::{Runner, log_chain};
use crate::feed::FeedError;
use crate::lag::{Lag, Measured, NOTICE_PERCENT, PROBLEM_PERCENT};
use crate::range::Beyond;
use crate::retry::plus;

impl Runner {
    /// Whether anything of the feed is held or missing.
    fn is_open(&self) -> bool {
        let image = self.lane.image();
        if self.replaying.is_some() {
            return !self.is_over() || !image.dead.is_empty();
        }
        let is_behind = image.cursor < self.feed_end.borrow().at;
        is_behind || !image.aside.is_empty() || !image.dead.is_empty()
    }

    /// When to look again.
    pub(super) fn measure_wake(&self) -> Option<Time> {
        (self.measuring.is_none() && self.is_open()).then_some(self.measure_at)
    }

    /// Asks the feed, if it is time.
    pub(super) fn measure(&mut self, now: Time) {
        if self.measuring.is_some() || now < self.measure_at {
            return;
        }
        self.measure_at = plus(now, self.config.lag_interval);
        if !self.is_open() {
            self.lag = Lag::default();
            return;
        }
        let question = self.config.lag_limit.question(self.lane.image().cursor, now);
        let feed = Arc::clone(&self.parts.feed);
        self.measuring = Some(tokio::task::spawn_blocking(move || feed.measure(question)));
    }

    /// Takes what the feed answered.
    pub(super) fn measured(&mut self, done: Result<Result<Measured, FeedError>, JoinError>) {
        let measured = match done {
            Ok(Ok(measured)) => measured,
            Ok(Err(error)) => {
                return log_chain(&error, "how far a connection is behind cannot be seen");
            }
            Err(error) => return log_chain(&error, "looking how far a connection is behind ended"),
        };
        let now = self.parts.clock.wall();
        let end = *self.feed_end.borrow();
        let cursor = self.lane.image().cursor;
        self.measured = measured;
        if self.replaying.is_some() {
            // It is as far behind as somebody wants it to be.
            return;
        }
        let before = self.lag.percent;
        self.lag = match cursor < end.at {
            true => Lag::of(&measured, self.config.lag_limit, now),
            false => Lag::default(),
        };
        let is_early = now < plus(self.started, self.config.lag_grace);
        let is_passed = self.lane.has_passed(end.at);
        let beyond = measured.beyond(cursor).filter(|_| !is_passed);
        if let Some(reason) = beyond.filter(|reason| *reason != Beyond::Age || !is_early) {
            let filter = self.filter();
            let reason_word = reason.label();
            if self.lane.fall_behind(reason, end.at, now, filter) {
                warn!(connection_id = %self.id, reason = reason_word,
                    "a connection is too far behind: it is paused, and what it missed is a dead range");
            } else {
                error!(connection_id = %self.id, reason = reason_word,
                    "a connection is too far behind and has too many dead ranges: its cursor stays");
            }
            self.is_changed = true;
            return;
        }
        let percent = self.lag.percent;
        for limit in [PROBLEM_PERCENT, NOTICE_PERCENT] {
            if percent >= limit && before < limit {
                warn!(connection_id = %self.id, percent, limit,
                    "a connection falls behind: at 100 percent it is paused");
                return;
            }
        }
        if percent < NOTICE_PERCENT && before >= NOTICE_PERCENT {
            info!(connection_id = %self.id, percent, "a connection catches up");
        }
    }
}
