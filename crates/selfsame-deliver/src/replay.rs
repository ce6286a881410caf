//! Replays: a part of the feed that a connection is sent because somebody asked, once more or for the
//! first time.
//!
//! ```text
//!   from                  cursor              to <= the connection's cursor when it was asked for
//!   |---------------------|-------------------|
//!    read, and sent        to be read
//! ```
//!
//! To the ledger a replay is what a connection is: it has a cursor, retries, dead letters and counts of
//! its own, under an id of its own. So it waits for no live event and none waits for it; events of one
//! profile arrive in order within it. What is sent is what the connection would send now, with the keys
//! that it has for ever, so that a receiver that remembers keys takes nothing twice.
//!
//! Only events are replayed. What a receiver was told of audiences and traits is as it is now, and
//! would be wrong as it was then.

use std::sync::Arc;
use std::time::Duration;

use selfsame_event::{Class, ItemPosition, Time};
use sha2::{Digest, Sha256};

use crate::connection::{ConnectionId, Filter};
use crate::feed::{Effect, Feed, FeedError, FeedPage};
use crate::outcome::Failure;
use crate::reasons::Reasons;
use crate::wire::{Reader, WireError, Writer};

/// Replays that are kept of a connection. The oldest that ended, without dead letters, makes room.
pub const MAX_REPLAYS: usize = 20;
/// A replay has one of so many requests at a time that its connection has.
const CONCURRENCY_PART: usize = 4;
/// Effects that are looked at in one read.
const LOOK: usize = 1_024;

/// A replay, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The connection that it is sent by.
    pub connection: ConnectionId,
    /// Its number among those of the connection, from 1 on.
    pub number: u32,
    /// What is replayed.
    pub wish: ReplayWish,
    /// When it was asked for.
    pub begun: Time,
    /// Whether somebody ended it before it was through.
    pub is_cancelled: bool,
}

/// What to replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayWish {
    /// The first place.
    pub from: ItemPosition,
    /// The place behind the last.
    pub to: ItemPosition,
    /// The time that was asked for, of which `from` is the place.
    pub since: Time,
    /// The time of which `to` is the place.
    pub until: Time,
    /// Which events, in the language of the feed; all where it is empty.
    pub matching: Arc<str>,
    /// How many a second at most.
    pub rate: Option<u32>,
}

impl Replay {
    /// The id by which the ledger knows it, and its attempts.
    pub fn id(&self) -> ConnectionId {
        let mut hash = Sha256::new();
        hash.update(b"replay");
        hash.update(self.connection.0);
        hash.update(self.number.to_le_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        ConnectionId(id)
    }

    /// How many requests it has at a time, of a connection with so many.
    pub(crate) fn concurrency(of: usize) -> usize {
        (of / CONCURRENCY_PART).max(1)
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        let Self { connection, number, wish, begun, is_cancelled } = self;
        out.raw(&connection.0);
        out.uint(u64::from(*number));
        out.position(wish.from);
        out.position(wish.to);
        [wish.since, wish.until, *begun].into_iter().for_each(|time| out.time(time));
        out.uint(u64::from(wish.rate.unwrap_or(0)));
        out.byte((*is_cancelled).into());
        out.bytes(wish.matching.as_bytes());
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Result<Self, WireError> {
        let (connection, number) = (ConnectionId(from.raw()?), from.u32()?);
        let (begin, to) = (from.position()?, from.position()?);
        let (since, until, begun) = (from.time()?, from.time()?, from.time()?);
        let rate = Some(from.u32()?).filter(|rate| *rate > 0);
        let is_cancelled = from.byte()? != 0;
        let matching = std::str::from_utf8(from.bytes()?).map_err(|_| WireError)?.into();
        let wish = ReplayWish { from: begin, to, since, until, matching, rate };
        Ok(Self { connection, number, wish, begun, is_cancelled })
    }
}

/// Which effects to look for.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// What the connection wants.
    pub(crate) filter: Filter,
    /// Which events, in the language of the feed; all where it is empty.
    pub(crate) matching: Arc<str>,
    /// The place behind the last.
    pub(crate) to: ItemPosition,
}

impl Sought {
    /// At most `max` of them from this place on. What is looked at is bounded: there may be more behind
    /// `next` though none was found. Called only when the feed is known to reach up to `to`.
    pub(crate) fn read(
        &self,
        feed: &dyn Feed,
        from: ItemPosition,
        max: usize,
    ) -> Result<FeedPage, FeedError> {
        let page = feed.read(from, LOOK)?;
        let next = if page.next == from { self.to } else { page.next.min(self.to) };
        let is_meant = |effect: &Effect| {
            effect.subject.is_none() && effect.at < self.to && self.filter.accepts(effect.topic())
        };
        let mut effects = page.effects;
        effects.retain(is_meant);
        if !self.matching.is_empty() {
            let matching = feed.matches(&effects, &self.matching)?;
            let mut matching = matching.into_iter();
            effects.retain(|_| matching.next().unwrap_or(false));
        }
        let next = effects.get(max).map_or(next, |beyond| beyond.at);
        effects.truncate(max);
        Ok(FeedPage { effects, next })
    }
}

/// What a replay is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplayState {
    /// It reads and sends.
    Running,
    /// Its connection is off, down or paused; or its own requests fail.
    Waiting,
    /// The receiver answered one of its requests with 410; it goes on when the connection is resumed.
    Paused,
    /// It is through.
    Finished,
    /// Somebody ended it.
    Cancelled,
}

impl ReplayState {
    /// The word that JSON uses.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Numbers of replays: `accepted = delivered + filtered + dead + pending`, at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Events that were found to be replayed.
    pub accepted: u64,
    /// Those that the receiver took.
    pub delivered: u64,
    /// Those that were not to be sent any more: erased, or the replay was ended before.
    pub filtered: u64,
    /// Dead letters.
    pub dead: u64,
    /// The rest.
    pub pending: u64,
    /// The reasons of those that were filtered.
    pub reasons: Reasons,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.delivered += other.delivered;
        self.filtered += other.filtered;
        self.dead += other.dead;
        self.pending += other.pending;
        self.reasons.add(other.reasons);
    }
}

/// How far a replay is.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayStatus {
    /// What was asked for.
    pub replay: Replay,
    /// What it is doing.
    pub state: ReplayState,
    /// How far it has read.
    pub read_to: ItemPosition,
    /// How much of the records of its part it has read, in hundredths.
    pub percent: u32,
    /// Its numbers.
    pub tally: Tally,
    /// Events that ended in a second, of late.
    pub per_second: f64,
    /// How long the rest takes at the pace of late; `None` while there is none.
    pub left: Option<Duration>,
    /// Why its last attempt failed; `None` after a success.
    pub last_failure: Option<Failure>,
    /// The earliest place that it needs the log to keep.
    pub(crate) needed_from: Option<ItemPosition>,
}

impl ReplayStatus {
    /// Whether it sends nothing any more, but for dead letters that somebody sends again.
    pub fn is_over(&self) -> bool {
        matches!(self.state, ReplayState::Finished | ReplayState::Cancelled)
    }
}

/// Why no replay was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There is no such connection, or it has not begun.
    #[error("there is no such connection")]
    Unknown,
    /// Deliveries have stopped, or have not begun.
    #[error("deliveries are not running")]
    Stopped,
    /// Nothing of the part is behind the connection's cursor: it is sent anyway.
    #[error(
        "the connection has not passed anything of that part yet, so it sends all of it anyway"
    )]
    Ahead,
    /// There are too many that go on, or have dead letters.
    #[error("the connection has {MAX_REPLAYS} replays that go on or have dead letters")]
    TooMany,
}

impl ReplayError {
    /// What the caller can do about it.
    pub fn class(self) -> Class {
        match self {
            Self::Unknown => Class::Missing,
            Self::Stopped => Class::Unavailable,
            Self::Ahead => Class::Invalid,
            Self::TooMany => Class::Conflict,
        }
    }
}

#[cfg(test)]
mod tests;
