//! Delivery: what was decided reaches the tools that want it.
//!
//! Each connection reads the same feed of effects at its own pace: one cursor, one task, a number of
//! requests at once. An event is delivered at least once, with one idempotency key for ever; events
//! of one profile arrive in order; what fails is retried for 72 hours and then listed as a dead
//! letter, which can be sent again. A destination that hangs or fails holds up nobody else. A part of
//! the feed can be replayed (replay.rs).
//!
//! **Invariants:**
//! - for every connection, at any moment: accepted = delivered + filtered + dead + pending, where an
//!   effect counts once for each action of the connection that wants it (share.rs);
//! - what the outside told us counts once it is in the ledger; a crash repeats at most what was in
//!   flight (see [`DeliverConfig::in_flight_limit`]);
//! - nothing is dropped: at a limit the cursor stops; a connection that is too far behind is paused,
//!   and what it missed is counted in a dead range, which can be sent again;
//! - a derived event tells each recipient only what it does not know yet (told.rs), and a newer one
//!   replaces an older one that was not sent;
//! - nothing leaves but through [`Outbound`].

mod address;
mod attempts;
mod breaker;
mod budget;
mod cause;
mod connection;
mod deliverer;
mod feed;
mod flights;
mod handle;
mod http_date;
mod image;
mod integrations;
mod lag;
mod lane;
mod ledger;
pub mod metrics;
mod outbound;
mod outcome;
mod pace;
mod pages;
mod random;
mod range;
mod reasons;
mod record;
mod replay;
mod retry;
mod runner;
mod segment_ledger;
mod share;
mod shared;
mod standing;
mod status;
mod told;
mod tool;
pub mod webhook;
mod wire;

pub use address::{is_loopback, is_public};
pub use attempts::{
    AttemptLimits, AttemptLog, AttemptPage, AttemptPlace, AttemptQuery, AttemptsError,
    FoundAttempt, ProfileMark, Wanted,
};
pub use budget::RetryBudget;
pub use cause::{Cause, OfCause};
pub use connection::{Connection, ConnectionId, Filter, Order, Secret, SecretError, Start};
pub use deliverer::{DeliverConfig, DeliverError, Deliverer, Parts};
pub use feed::{BodyError, Call, Effect, EffectKind, Feed, FeedEnd, FeedError, FeedPage, Topic};
pub use handle::{CausesError, CommandError, DelivererHandle, StandingError};
pub use integrations::allows;
pub use lag::{Lag, LagLimit, Measured, NOTICE_PERCENT, PROBLEM_PERCENT, Question};
pub use ledger::{Appending, Ledger, LedgerError, LedgerPage, MemoryLedger, Releasing};
pub use outbound::{
    ANSWER_BYTES, Answer, Outbound, OutboundConfig, OutboundError, Request, Resolver, Resolving,
    SystemResolver, UrlError,
};
pub use outcome::{Failure, Outcome, Withheld};
pub use pages::Name;
pub use random::{Random, SeededRandom, SystemRandom};
pub use range::{Beyond, DeadRange};
pub use reasons::Reasons;
pub use record::{Attempt, DeadLetter};
pub use replay::{MAX_REPLAYS, Replay, ReplayError, ReplayState, ReplayStatus, ReplayWish, Tally};
pub use retry::{Decision, Failed, RetryPolicy};
pub use segment_ledger::SegmentLedger;
pub use share::{MOST_ACTIONS, Share};
pub use standing::{Fate, Standing, Unit};
pub use status::{
    ConnectionState, ConnectionStatus, DeadLetterPage, PageRequest, Pause, RangeSelection,
    Selection, TraceRow,
};
pub use told::{Heard, Recipient, Telling};
pub use tool::{
    Before, Body, Carried, Carrying, CarryingAll, Change, Changing, Company, Interest, Job, Letter,
    Rider, Spoken, Tool,
};

/// No record of the ledger is larger.
pub const LEDGER_RECORD_BYTES: usize = 4 * 1024 * 1024;
