//! The durable log: an ordered record of everything collected.
//!
//! Appending is the moment an event becomes ours to lose: [`Log::append`] is acknowledged once the
//! record is on disk, so a caller answers `200` after it and not before. The log knows nothing about
//! events: a record is a head and items, all bytes.
//!
//! **Invariants:**
//! - offsets of a partition start at 0, have no gaps, and name the same record for ever;
//! - log time never goes back;
//! - what was read once never changes, except that an item may be erased;
//! - only retention removes records, oldest first;
//! - after a failed write or sync nothing is acknowledged until the log is opened again;
//! - damage that no crash can have made is refused, never passed over.
//!
//! [`SegmentLog`] keeps them in files, [`MemoryLog`] in memory, for tests. [`RegenerableLog`] is for
//! an owner who can write the end of the log again after a crash. The bytes on disk are drawn in
//! `docs/formats/log.md`.

#![warn(missing_docs)]

mod appender;
mod chain;
mod config;
pub mod conformance;
mod error;
pub mod fault;
mod format;
mod frame;
pub mod fs;
mod log;
pub mod log_time;
mod manifest;
mod memory;
mod progress;
mod record;
mod recover;
mod regenerable;
mod sealer;
mod segment;
mod segment_log;
mod tail;

pub use config::{LogConfig, LogStats, Recovery};
pub use error::{AppendError, Damage, KeepError, OpenError, ReadError};
pub use fs::{File, Fs, RealFs};
pub use log::{Append, Appended, Log, LogRead};
pub use memory::MemoryLog;
pub use record::{Item, NewRecord, Record};
pub use regenerable::RegenerableLog;
pub use segment_log::SegmentLog;
