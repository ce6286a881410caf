//! What can be asked of deliveries.

use std::time::Duration;

use selfsame_event::{ItemPosition, Time};

use crate::connection::ConnectionId;
use crate::lag::Lag;
use crate::outcome::{Failure, Withheld};
use crate::reasons::Reasons;
use crate::record::{Attempt, DeadLetter};
use crate::replay::Tally;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// It sends.
    Running,
    /// It is switched off.
    Disabled,
    /// The receiver answered 410 or does not take its credentials, or it was too far behind; it sends again
    /// when somebody resumes it, or its credentials change.
    Paused,
    /// The receiver fails; one probe at a time goes out.
    Down,
}

impl ConnectionState {
    /// The word that JSON uses.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
            Self::Down => "down",
        }
    }
}

/// Why a connection is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Pause {
    /// The receiver answered 410.
    Gone = 1,
    /// It was too far behind; what it missed is a dead range.
    Behind = 2,
    /// The receiver does not take its credentials.
    Denied = 3,
}

impl Pause {
    /// The word that JSON uses.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Behind => "behind",
            Self::Denied => "denied",
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Gone, Self::Behind, Self::Denied].into_iter().find(|pause| *pause as u8 == code)
    }
}

/// Why most of what is filtered is: the connection does not want events of that type, or none of that type
/// and name, or is not told of that change.
const OF_TOPIC: &str = "type";
/// What was withheld when reasons were not counted yet.
const EARLIER: &str = "earlier";

/// A connection's numbers. `accepted = delivered + filtered + dead + pending`, at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// Whose numbers.
    pub id: ConnectionId,
    /// What it is doing.
    pub state: ConnectionState,
    /// How far its cursor is, durably or about to be.
    pub cursor: ItemPosition,
    /// Why it is paused, if it is.
    pub pause: Option<Pause>,
    /// The earliest place that it needs the log to keep: of its cursor, of what waits and of its dead
    /// letters, as far as they are within the lag limit, and of ranges that are sent again.
    pub needed_from: ItemPosition,
    /// Effects of the feed before it began.
    pub before: u64,
    /// By how many its units are more than effects of the feed, because several actions want one.
    pub parts: u64,
    /// Effects of the feed since it began, and those of its replays; one that several actions want counts for each.
    pub accepted: u64,
    /// Effects that the receiver took.
    pub delivered: u64,
    /// Effects that it does not want, those withheld, and those superseded.
    pub filtered: u64,
    /// The part of `filtered` that was not to be sent any more, or had nothing new to tell.
    pub withheld: u64,
    /// The reasons of what was withheld, that of its replays included.
    pub reasons: Reasons,
    /// The part of `filtered` that a newer change replaced before it was sent.
    pub superseded: u64,
    /// Dead letters, and effects in dead ranges.
    pub dead: u64,
    /// The part of `dead` that is in dead ranges.
    pub dead_in_ranges: u64,
    /// The rest: not yet looked at, in flight, waiting.
    pub pending: u64,
    /// The part of `pending` that is in flight.
    pub in_flight: u64,
    /// The part of `pending` that the cursor has passed: it waits for a retry, or behind one.
    pub waiting: u64,
    /// The part of all of these that is of its replays.
    pub replayed: Tally,
    /// Why the last attempt failed; `None` after a success.
    pub last_failure: Option<Failure>,
    /// Retries whose time has come and which the retry budget holds back.
    pub held_retries: u64,
    /// How old the oldest effect is that was read and has not ended.
    pub lag: Duration,
    /// How far its cursor is behind, of what it may be; measured now and then.
    pub behind: Lag,
}

impl ConnectionStatus {
    /// Counts the numbers of a replay with those of its connection.
    pub(crate) fn add_replay(&mut self, tally: Tally) {
        self.accepted += tally.accepted;
        self.delivered += tally.delivered;
        self.filtered += tally.filtered;
        self.dead += tally.dead;
        self.pending += tally.pending;
        self.reasons.add(tally.reasons);
        self.replayed.add(tally);
    }

    /// What its units came to: they are as many as were accepted, or there is a bug.
    pub fn accounted(&self) -> u64 {
        self.delivered + self.filtered + self.dead + self.pending
    }

    /// Why what is filtered was: together they are all of it.
    pub fn filtered_by(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let withheld = self.withheld + self.replayed.filtered;
        let topic = self.filtered.saturating_sub(withheld).saturating_sub(self.superseded);
        let earlier = withheld.saturating_sub(self.reasons.total());
        let superseded = self.superseded;
        let by_reason = self.reasons.iter().map(move |(reason, units)| match reason {
            Withheld::Superseded => (reason.label(), superseded),
            _ => (reason.label(), units),
        });
        [(OF_TOPIC, topic), (EARLIER, earlier)].into_iter().chain(by_reason)
    }
}

/// Which part of a list to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Show what comes behind this place.
    pub after: Option<ItemPosition>,
    /// At most so many.
    pub limit: usize,
}

/// Some dead letters, in order of place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterPage {
    /// The letters.
    pub letters: Vec<DeadLetter>,
    /// How many there are in all.
    pub total: usize,
    /// What to ask for next; `None` at the end.
    pub after: Option<ItemPosition>,
}

/// Which dead letters to send again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Every one.
    All,
    /// Those at these places.
    These(Vec<ItemPosition>),
    /// Those whose last attempt failed for this reason.
    Failed(Failure),
}

/// Which dead ranges to send again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeSelection {
    /// Every one.
    All,
    /// The one that begins here.
    From(ItemPosition),
}

/// One attempt, as the trace of an effect shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// Who tried.
    pub connection: ConnectionId,
    /// The number of the replay that it was made for; 0 where it was for the live event.
    pub replay: u32,
    /// What came of it.
    pub attempt: Attempt,
}

/// The age of something at a time, zero if it is later.
pub(crate) fn age(of: Option<Time>, now: Time) -> Duration {
    let micros = of.map_or(0, |of| now.micros().saturating_sub(of.micros()));
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
