//! How far a connection may be behind, and how far it is.

use std::time::Duration;

use selfsame_event::{ItemPosition, Time};

use crate::range::Beyond;
use crate::status::age;

/// How far a cursor may be behind. Beyond either limit the connection is paused and what it missed
/// becomes a dead range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LagLimit {
    /// How old the record at the cursor may be; `None`: as old as it likes.
    pub age: Option<Duration>,
    /// How many bytes of log there may be behind the cursor; `None`: any number.
    pub bytes: Option<u64>,
}

impl Default for LagLimit {
    fn default() -> Self {
        Self { age: Some(Duration::from_secs(72 * 3_600)), bytes: Some(10_000_000_000) }
    }
}

impl LagLimit {
    /// What has to be known of the feed to judge a cursor.
    pub(crate) fn question(self, cursor: ItemPosition, now: Time) -> Question {
        let back = |age: Duration| i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        let oldest = self.age.map(|age| now.plus_micros(back(age).saturating_neg()));
        Question { cursor, oldest, bytes: self.bytes }
    }
}

/// What is asked of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// A place.
    pub cursor: ItemPosition,
    /// A time.
    pub oldest: Option<Time>,
    /// A number of bytes.
    pub bytes: Option<u64>,
}

/// What a feed answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measured {
    /// The log time of the first record at or behind the place; `None` if there is none.
    pub time: Option<Time>,
    /// The bytes of log at or behind the place.
    pub bytes: u64,
    /// The first place whose record is not older than the time; the beginning where none was given.
    pub young: ItemPosition,
    /// The first place with no more than so many bytes of log at or behind it, rounded towards the
    /// beginning; the beginning where none was given.
    pub near: ItemPosition,
}

/// How far a connection is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lag {
    /// How old the record at its cursor is.
    pub age: Duration,
    /// How many bytes of log there are behind its cursor.
    pub bytes: u64,
    /// How much of what it may be behind that is, in hundredths; of both limits the larger one.
    pub percent: u32,
}

/// At so many hundredths of its limit a connection's lag is worth a notice.
pub const NOTICE_PERCENT: u32 = 50;
/// At so many it is a problem.
pub const PROBLEM_PERCENT: u32 = 80;

impl Lag {
    pub(crate) fn of(measured: &Measured, limit: LagLimit, now: Time) -> Self {
        let (age, bytes) = (age(measured.time, now), measured.bytes);
        let share = |part: u128, of: u128| {
            let hundredths = (part * 100).checked_div(of).unwrap_or(0);
            u32::try_from(hundredths).unwrap_or(u32::MAX)
        };
        let of_age = limit.age.map_or(0, |limit| share(age.as_micros(), limit.as_micros()));
        let of_bytes = limit.bytes.map_or(0, |limit| share(bytes.into(), limit.into()));
        Self { age, bytes, percent: of_age.max(of_bytes) }
    }
}

impl Measured {
    /// Which limit a cursor is beyond.
    pub(crate) fn beyond(&self, cursor: ItemPosition) -> Option<Beyond> {
        if cursor < self.near {
            Some(Beyond::Bytes)
        } else if cursor < self.young {
            Some(Beyond::Age)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
