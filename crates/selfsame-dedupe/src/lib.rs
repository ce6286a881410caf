//! Exact deduplication: which message ids were seen, in the window.
//!
//! The caller hashes scope and `messageId` with a keyed hash into 16 bytes; this crate takes those
//! as the identity. Every event of the log is shown to [`Dedupe::admit`] in log order, with its
//! log time, and gets a [`Verdict`].
//!
//! ```text
//!            admit                                   another thread
//!              |
//!   +----------v-----------+   freeze   +---------+   write   +------------------+
//!   | fresh: full ids      | ---------> | Frozen  | --------> | run file, sorted |
//!   +----------------------+            +---------+           +------------------+
//!   | tags: 32 bits an id, |                 installed(RunInfo)   |   Merge::run
//!   | two generations      |            <-------------------------+   k-way, streaming
//!   +----------------------+
//!   | window: places where hours and generations begin |  -> manifest(), for the checkpoint batch
//!   +--------------------------------------------------+
//! ```
//!
//! **The rule.** An id was seen if an entry of it is *visible*; the newest visible entry is named.
//! Entries are in log order, so each of these is a place in the log from which entries count:
//!
//! * `floor`: the window. Entries leave by whole hours of log time: an entry of hour `h` counts
//!   while `hour(now) - h <= window`, so for at least the window and less than an hour longer.
//!   Where more ids are in the window than the disk budget allows, the oldest hour (or 1/64 of the
//!   budget, if an hour is larger) leaves early, with a warning and in [`Stats`].
//! * `tags`: the start of the older tag generation. Entries from here on are found whatever the
//!   event says of itself.
//! * Entries between the two count from the hour of `original - 1 h` on; all of them for an event
//!   without an original time. So past the tags exactness is by (id, original time): a retry
//!   repeats its original time, and was first received at most an hour before it by its own clock.
//!
//! **Invariants:** verdicts, counters and [`Dedupe::canonical_hash`] are functions of what was
//! admitted and of the [`Config`] alone, never of when checkpoints, merges and restarts happened. A
//! tag or a filter only says where to look: a verdict is always confirmed by the 16 bytes. A file
//! is never changed after it has its name, and not deleted while a kept manifest names it. Nothing
//! here reads a clock or a random number, and the thread that admits does no I/O but the reads that
//! confirm an id.

mod bits;
mod config;
mod dedupe;
mod entry;
mod error;
mod filter;
mod fresh;
mod frozen;
mod hash;
mod manifest;
mod merge;
mod run;
mod stats;
mod tags;
mod window;

pub use config::Config;
pub use dedupe::{Dedupe, Verdict};
pub use error::{AdmitError, OpenError, RunError};
pub use frozen::{Frozen, RunInfo};
pub use merge::Merge;
pub use run::VERSION;
pub use stats::{Discard, Stats};
