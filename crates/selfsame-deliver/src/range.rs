//! Dead ranges: parts of the feed that a connection gave up because it was too far behind.
//!
//! ```text
//!   from          at                 to
//!   |-------------|------------------|
//!    sent again,   can be sent again,
//!    or gone       while bodies exist
//! ```
//!
//! A range holds no log, so that a destination that is away for long cannot fill the disk; only the
//! part of a range that is being sent again does.

use selfsame_event::{ItemPosition, Time};

use crate::connection::Filter;
use crate::feed::Topic;

/// Ranges of a connection. With so many its cursor stops in place of leaving another one.
pub(crate) const MAX_RANGES: usize = 100;
/// Effects that a range may name which ended before it was given up. Then another range begins.
const MAX_ENDED: usize = 1_024;

/// Which limit a connection was beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Beyond {
    /// Its cursor was at a record that is too old.
    Age = 1,
    /// There were too many bytes of log behind its cursor.
    Bytes = 2,
}

impl Beyond {
    /// The word that JSON uses.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Bytes => "bytes",
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Age, Self::Bytes].into_iter().find(|reason| *reason as u8 == code)
    }
}

/// A part of the feed that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadRange {
    /// Where it begins. No two ranges of a connection begin at one place.
    pub from: ItemPosition,
    /// The place behind it.
    pub to: ItemPosition,
    /// Where the part begins that can be sent again.
    pub at: ItemPosition,
    /// Which limit the connection was beyond.
    pub reason: Beyond,
    /// When it began.
    pub since: Time,
    /// Effects in it that are dead. Those that are sent again are not counted any more.
    pub events: u64,
    /// Whether it is being sent again.
    pub is_resending: bool,
    /// Whether records of it were removed before they could be sent again.
    pub is_partly_gone: bool,
    /// What the connection wanted then.
    pub(crate) filter: Filter,
    /// Effects in it that ended before it was given up.
    pub(crate) ended: Vec<ItemPosition>,
}

impl DeadRange {
    /// Whether nothing of it can be sent again.
    pub fn is_spent(&self) -> bool {
        self.at >= self.to
    }

    /// Whether an effect about this at this place is dead with it, and can be sent again.
    pub fn holds(&self, at: ItemPosition, topic: impl Into<Topic>) -> bool {
        (self.at..self.to).contains(&at)
            && self.filter.accepts(topic)
            && self.ended.binary_search(&at).is_err()
    }

    /// Whether the part of the feed that begins here can be added to it.
    pub(crate) fn goes_on(&self, here: ItemPosition, filter: &Filter) -> bool {
        self.to == here
            && self.filter == *filter
            && !self.is_resending
            && !self.is_spent()
            && self.ended.len() < MAX_ENDED
    }
}
