//! Log time: the wall clock, made monotone and slow to believe.
//!
//! One forward jump of the wall clock (a machine that resumes, a bad time server) would end every
//! window at once, so while the log runs its time may advance by at most the monotonic time since
//! the last append, a tenth more, and a second. A larger jump is *held*: time runs at the monotonic
//! rate until the wall clock comes back or an operator accepts it. When the wall clock goes back,
//! time crawls at a tenth of the monotonic rate until it is caught up with.

use selfsame_event::{Clock, Time};

/// How far beyond the monotonic rate one append may go.
const SLACK_MICROS: i64 = 1_000_000;

/// What the log knew at its last append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The log time given then.
    pub time: Time,
    /// The monotonic clock then; `None` if that append was before the log was opened.
    pub monotonic_micros: Option<u64>,
}

/// What the clocks say now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock.
    pub wall: Time,
    /// The monotonic clock.
    pub monotonic_micros: u64,
}

/// The time of an append, and by how much the wall clock is ahead of it because it is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advance {
    /// The time to stamp.
    pub time: Time,
    /// How far the wall clock is ahead of what is believed; 0 if it is believed.
    pub held_micros: i64,
}

/// Decides the time of an append.
pub fn advance(last: Stamp, now: Reading) -> Advance {
    let believed = |time| Advance { time, held_micros: 0 };
    let Some(since) = last.monotonic_micros else {
        return believed(now.wall.max(last.time));
    };
    let elapsed = now.monotonic_micros.saturating_sub(since);
    let elapsed = i64::try_from(elapsed).unwrap_or(i64::MAX);
    if now.wall <= last.time {
        return believed(last.time.plus_micros(elapsed / 10));
    }
    let most = elapsed.saturating_add(elapsed / 10).saturating_add(SLACK_MICROS);
    if now.wall <= last.time.plus_micros(most) {
        return believed(now.wall);
    }
    let time = last.time.plus_micros(elapsed);
    Advance { time, held_micros: now.wall.micros().saturating_sub(time.micros()) }
}

/// Applies the rule from append to append.
#[derive(Debug)]
pub(crate) struct Stamper {
    last: Stamp,
}

impl Stamper {
    /// Goes on from the time of the last record, if there is one.
    pub(crate) fn new(last: Option<Time>) -> Self {
        Self { last: Stamp { time: last.unwrap_or_default(), monotonic_micros: None } }
    }

    /// The time of the next append. `accept` believes the wall clock, unless it went back.
    pub(crate) fn stamp(&mut self, clock: &dyn Clock, accept: bool) -> Advance {
        let monotonic_micros = clock.monotonic_micros();
        let now = Reading { wall: clock.wall(), monotonic_micros };
        let mut advance = advance(self.last, now);
        if accept && advance.held_micros > 0 {
            advance = Advance { time: now.wall, held_micros: 0 };
        }
        self.last = Stamp { time: advance.time, monotonic_micros: Some(monotonic_micros) };
        advance
    }
}

#[cfg(test)]
mod tests;
