//! What can be asked of deliveries.

use std::time::Duration;

use selfsame_event::{ItemPosition, Time};

use crate::connection::ConnectionId;
use crate::outcome::Failure;
use crate::record::{Attempt, DeadLetter};

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// It sends.
    Running,
    /// It is switched off.
    Disabled,
    /// The receiver answered 410; it sends again when somebody resumes it.
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

/// A connection's numbers. `accepted = delivered + filtered + dead + pending`, at any moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// Whose numbers.
    pub id: ConnectionId,
    /// What it is doing.
    pub state: ConnectionState,
    /// How far its cursor is, durably or about to be.
    pub cursor: ItemPosition,
    /// The earliest effect that it may still read.
    pub needed_from: ItemPosition,
    /// Effects of the feed since it began.
    pub accepted: u64,
    /// Effects that the receiver took.
    pub delivered: u64,
    /// Effects that it does not want, and those withheld.
    pub filtered: u64,
    /// The part of `filtered` that consent, suppression or erasure withheld.
    pub withheld: u64,
    /// Dead letters.
    pub dead: u64,
    /// The rest: not yet looked at, in flight, waiting.
    pub pending: u64,
    /// The part of `pending` that is in flight.
    pub in_flight: u64,
    /// The part of `pending` that the cursor has passed: it waits for a retry, or behind one.
    pub waiting: u64,
    /// Why the last attempt failed; `None` after a success.
    pub last_failure: Option<Failure>,
    /// How old the oldest effect is that was read and has not ended.
    pub lag: Duration,
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

/// One attempt, as the trace of an effect shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// Who tried.
    pub connection: ConnectionId,
    /// What came of it.
    pub attempt: Attempt,
}

/// The age of something at a time, zero if it is later.
pub(crate) fn age(of: Option<Time>, now: Time) -> Duration {
    let micros = of.map_or(0, |of| now.micros().saturating_sub(of.micros()));
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
