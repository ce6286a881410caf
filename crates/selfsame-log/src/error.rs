//! What can go wrong, one enum for each operation.

use std::io;
use std::sync::Arc;

use selfsame_event::{Class, Position};

/// Where stored bytes are wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("segment {segment}, block {block}: {what}")]
pub struct Damage {
    /// The first offset of the segment, which is its file's name.
    pub segment: u64,
    /// The number of the block in the segment, from 0.
    pub block: u64,
    /// What was expected there.
    pub what: &'static str,
}

/// A record was not appended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The record can never be appended.
    #[error("record of {size} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The largest size allowed.
        limit: usize,
    },
    /// Too many appends are waiting.
    #[error("{records} records of {bytes} bytes are waiting to be written")]
    Backlog {
        /// How many wait.
        records: usize,
        /// Their size.
        bytes: usize,
    },
    /// The disk is full. Nothing was written; later appends may succeed.
    #[error("no room on the disk")]
    Full(#[source] Arc<io::Error>),
    /// A write or a sync failed. This log never acknowledges again; open it anew.
    #[error("the log failed to write and takes no more appends until it is opened again")]
    Failed(#[source] Arc<io::Error>),
    /// The log is closed.
    #[error("the log is closed")]
    Closed,
}

impl AppendError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::TooLarge { .. } => Class::Invalid,
            Self::Backlog { .. } | Self::Full(_) => Class::Limited,
            Self::Failed(_) | Self::Closed => Class::Unavailable,
        }
    }
}

/// Records were not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log has no such partition.
    #[error("the log has no partition {0}")]
    Partition(u32),
    /// Retention removed the records.
    #[error("{position} was removed, the log begins at {first}")]
    Trimmed {
        /// What was asked for.
        position: Position,
        /// The first record that there is.
        first: Position,
    },
    /// The position is behind the end.
    #[error("{position} is behind the end of the log, {end}")]
    Beyond {
        /// What was asked for.
        position: Position,
        /// The end.
        end: Position,
    },
    /// Stored bytes are wrong.
    #[error("the log is damaged")]
    Corrupt(#[source] Damage),
    /// The file could not be read.
    #[error("failed to read segment {segment}")]
    Io {
        /// The segment's first offset.
        segment: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ReadError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Partition(_) | Self::Trimmed { .. } => Class::Missing,
            Self::Beyond { .. } => Class::Invalid,
            Self::Corrupt(_) => Class::Corrupt,
            Self::Io { .. } => Class::Unavailable,
        }
    }
}

/// A log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file operation failed.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Another process has the folder open.
    #[error("another process has the log open")]
    Busy,
    /// Stored bytes are wrong where no crash can have made them so.
    #[error("the log is damaged, and not by a crash")]
    Corrupt(#[source] Damage),
    /// Records that were durable are not there.
    #[error("records {from} to {to} are missing")]
    Missing {
        /// The first missing offset.
        from: u64,
        /// The offset behind the last missing one.
        to: u64,
    },
    /// A newer program wrote the log.
    #[error("format version {found} is newer than {known}, the newest that this program knows")]
    Newer {
        /// The version found.
        found: u16,
        /// The version known.
        known: u16,
    },
    /// The folder holds another partition.
    #[error("the folder holds partition {found}, not {expected}")]
    Partition {
        /// What the file says.
        found: u32,
        /// What was asked for.
        expected: u32,
    },
}

impl OpenError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Io { .. } => Class::Unavailable,
            Self::Corrupt(_) | Self::Missing { .. } => Class::Corrupt,
            Self::Busy | Self::Newer { .. } => Class::Conflict,
            Self::Partition { .. } => Class::Invalid,
        }
    }

    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}

/// Erasing, trimming, sealing or truncating failed. What it began is undone or finished when it is
/// asked for again, or at the next open.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Reading what should be rewritten failed.
    #[error("failed to read what is to be rewritten")]
    Read(#[from] ReadError),
    /// Rolling to a new segment failed.
    #[error("failed to roll to a new segment")]
    Roll(#[from] AppendError),
    /// A file operation failed.
    #[error("failed to {action}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl KeepError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Read(error) => error.class(),
            Self::Roll(error) => error.class(),
            Self::Io { .. } => Class::Unavailable,
        }
    }

    pub(crate) fn io(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, source }
    }
}
