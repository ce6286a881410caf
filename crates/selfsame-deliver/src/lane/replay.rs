//! Dead ranges that are sent again.
//!
//! A range is read once more, a page at a time. What is dead with it is opened like a dead letter that
//! is sent again: aside, with the key that it had, before later effects of its profile. It goes beside
//! live traffic, in turns.

use std::time::Duration;

use selfsame_event::{ItemPosition, Time};

use super::{Item, Lane, State};
use crate::feed::FeedPage;
use crate::range::DeadRange;
use crate::retry::plus;
use crate::status::RangeSelection;

/// How long a range waits whose next effect does not fit.
const FULL: Duration = Duration::from_secs(1);

/// A part of a range to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reread {
    /// The range's beginning.
    pub(crate) range: ItemPosition,
    /// Where to read.
    pub(crate) from: ItemPosition,
    /// How many effects.
    pub(crate) max: usize,
}

impl Lane {
    /// Begins to send ranges again. Returns how many effects of them are dead.
    pub(crate) fn resend_ranges(&mut self, selection: RangeSelection) -> u64 {
        let mut events = 0;
        for range in self.ranges.values_mut().filter(|range| !range.is_spent()) {
            let is_meant = match selection {
                RangeSelection::All => true,
                RangeSelection::From(from) => range.from == from,
            };
            if !is_meant {
                continue;
            }
            events += range.events;
            if !range.is_resending {
                range.is_resending = true;
                self.changed_ranges.insert(range.from);
            }
        }
        // What is being given up does not go into a range that is sent again.
        if let Some(giving_up) = self.giving_up.as_mut() {
            giving_up.forget_range();
        }
        events
    }

    /// What to read of the ranges that are sent again. `first` is the first place that can be read.
    pub(crate) fn reread(&mut self, first: ItemPosition, now: Time) -> Option<Reread> {
        if self.paused.is_some() || self.breaker.is_down() || now < self.reread_at {
            return None;
        }
        let half = self.limits.exceptions / 2;
        let room = half.max(1).saturating_sub(self.aside);
        let max = room.min(self.limits.in_flight.saturating_sub(self.unsent.len()));
        if max == 0 || !self.replayed.is_empty() {
            return None;
        }
        let resending = self.ranges.values().filter(|range| range.is_resending);
        let all: Vec<_> = resending.map(|range| range.from).collect();
        for from in all {
            let range = self.ranges.get_mut(&from).expect("just seen");
            if range.at < first {
                range.at = first.min(range.to);
                range.is_partly_gone = true;
                self.changed_ranges.insert(from);
            }
            if !range.is_spent() {
                return Some(Reread { range: from, from: range.at, max });
            }
            self.finish_range(from);
        }
        None
    }

    /// The dead ranges as they are now.
    pub(crate) fn ranges(&self) -> Vec<DeadRange> {
        self.ranges.values().cloned().collect()
    }

    /// Whether some range is being sent again.
    pub(crate) fn is_resending(&self) -> bool {
        self.ranges.values().any(|range| range.is_resending)
    }

    /// When a range may be read on that had to wait.
    pub(crate) fn reread_wake(&self) -> Option<Time> {
        self.is_resending().then_some(self.reread_at)
    }

    /// Whether a step has something to say of ranges.
    pub(crate) fn has_news_of_ranges(&self) -> bool {
        !self.changed_ranges.is_empty() || !self.dropped.is_empty()
    }

    /// Takes effects that were read as [`Lane::reread`] said.
    pub(crate) fn offer_again(&mut self, reread: Reread, page: FeedPage, now: Time) {
        let Some(range) = self.ranges.get(&reread.range) else { return };
        if !range.is_resending || range.at != reread.from || !self.replayed.is_empty() {
            return;
        }
        let (to, mut next, mut events) = (range.to, page.next.min(range.to), range.events);
        let mut again = Vec::new();
        for effect in page.effects {
            if effect.at >= to {
                break;
            }
            if events == 0
                || !range.holds(effect.at, effect.topic())
                || self.items.contains_key(&effect.at)
            {
                continue;
            }
            let of_profile =
                again.iter().filter(|one: &&Item| one.effect.profile == effect.profile);
            let line = self.lines.get(&effect.profile).map_or(0, |line| line.aside);
            if line + of_profile.count() >= self.limits.profile_exceptions
                || again.len() >= reread.max
            {
                next = effect.at;
                self.reread_at = plus(now, FULL);
                break;
            }
            events -= 1;
            let state = State::Idle { due: Some(now) };
            again.push(Item { state, aside: true, ..Item::new(effect, false) });
        }
        if again.is_empty() && next == reread.from {
            return;
        }
        let range = self.ranges.get_mut(&reread.range).expect("looked up before");
        (range.at, range.events) = (next, events);
        let is_spent = range.is_spent();
        self.changed_ranges.insert(reread.range);
        for item in again {
            let at = item.effect.at;
            self.aside += 1;
            self.replayed.push(at);
            self.unsent.insert(at);
            self.open(item);
            self.count_aside(at);
        }
        if is_spent {
            self.finish_range(reread.range);
        }
    }

    /// All that could be sent again of a range was opened.
    fn finish_range(&mut self, from: ItemPosition) {
        let Some(range) = self.ranges.get_mut(&from) else { return };
        range.is_resending = false;
        if range.events > 0 && range.is_partly_gone {
            self.changed_ranges.insert(from);
            return;
        }
        // Not there any more, by rules that were published since.
        self.counts.filtered += range.events;
        self.ranges.remove(&from);
        self.changed_ranges.remove(&from);
        self.dropped.push(from);
    }
}
