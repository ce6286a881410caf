//! A connection's numbers, as others see them.

use std::time::Duration;

use tokio::time::Instant;

use super::Runner;
use crate::lane::Numbers;
use crate::replay::Tally;
use crate::status::{ConnectionState, ConnectionStatus, age};

/// How often the numbers are said at most.
const PUBLISH_EVERY: Duration = Duration::from_millis(5);

impl Runner {
    /// Says its numbers, but not for each of many that change at once.
    pub(super) fn publish_in_turn(&mut self) {
        let now = Instant::now();
        self.is_unsaid = now < self.publish_at;
        if !self.is_unsaid {
            self.publish_at = now + PUBLISH_EVERY;
            self.publish();
        }
    }

    pub(super) fn publish(&mut self) {
        let numbers: Numbers = self.lane.numbers();
        let now = self.parts.clock.wall();
        if self.replaying.is_some() {
            return self.publish_replay(&numbers, now);
        }
        let image = self.lane.image();
        let end = *self.feed_end.borrow();
        let read = numbers.looked + numbers.window;
        // At the end there is nothing left, whatever rules that were published since say was before it.
        let unread = match self.lane.read_to() < end.at {
            true => end.effects.saturating_sub(image.started).saturating_sub(read),
            false => 0,
        };
        let accepted = read + unread + numbers.extra;
        let state = match () {
            () if !self.settings().enabled => ConnectionState::Disabled,
            () if numbers.paused.is_some() => ConnectionState::Paused,
            () if numbers.is_down => ConnectionState::Down,
            () => ConnectionState::Running,
        };
        let question = self.config.lag_limit.question(image.cursor, now);
        self.shared.publish(&ConnectionStatus {
            id: self.id,
            state,
            cursor: image.cursor,
            pause: numbers.paused,
            needed_from: image.needed_from(&self.measured, question.oldest),
            before: image.started,
            parts: numbers.extra,
            accepted,
            delivered: numbers.delivered,
            filtered: numbers.filtered,
            withheld: numbers.withheld,
            reasons: numbers.reasons,
            superseded: numbers.superseded,
            dead: numbers.dead,
            dead_in_ranges: numbers.dead_in_ranges,
            pending: unread + numbers.window + numbers.aside,
            in_flight: numbers.in_flight,
            waiting: numbers.aside,
            replayed: Tally::default(),
            last_failure: numbers.last_failure,
            held_retries: numbers.held,
            lag: age(numbers.oldest, now),
            behind: self.lag,
        });
    }
}
