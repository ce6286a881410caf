//! The settings of a log.

use std::path::PathBuf;

/// The settings of a log in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The folder that the log has for itself. Created if it is missing.
    pub folder: PathBuf,
    /// The partition that the folder holds. 0 in the embedded mode.
    pub partition: u32,
    /// How large a segment becomes before the next begins.
    pub segment_bytes: u32,
    /// The largest record taken.
    pub record_limit_bytes: usize,
    /// How many bytes of records one commit takes at most; one record is always taken.
    pub group_limit_bytes: usize,
    /// How many bytes of records may wait for a commit.
    pub backlog_limit_bytes: usize,
    /// How many records may wait for a commit.
    pub backlog_limit_records: usize,
    /// How many bytes of the newest records are kept in memory for followers.
    pub tail_bytes: usize,
    /// How many bytes of blocks read from sealed segments are kept in memory.
    pub cache_bytes: usize,
    /// 16 random bytes, drawn anew for each open: the salts of the segments come from them.
    pub random: [u8; 16],
}

impl LogConfig {
    /// The defaults, for a folder, with 16 freshly drawn random bytes.
    pub fn new(folder: impl Into<PathBuf>, random: [u8; 16]) -> Self {
        Self {
            folder: folder.into(),
            partition: 0,
            segment_bytes: 64 << 20,
            record_limit_bytes: 16 << 20,
            group_limit_bytes: 4 << 20,
            backlog_limit_bytes: 64 << 20,
            backlog_limit_records: 100_000,
            tail_bytes: 16 << 20,
            cache_bytes: 8 << 20,
            random,
        }
    }
}

/// What a log found when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovery {
    /// The log's first offset.
    pub first: u64,
    /// The offset that the next record gets.
    pub end: u64,
    /// How many bytes of an unfinished write were cut off the end.
    pub torn_bytes: u64,
    /// How many whole segments were dropped behind damage (only in a regenerable log).
    pub dropped_segments: u64,
}

/// Figures of a log, cheap to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogStats {
    /// How many segment files there are.
    pub segments: u64,
    /// How many of them are sealed.
    pub sealed_segments: u64,
    /// The bytes that their records take on disk.
    pub disk_bytes: u64,
    /// The bytes that files take which are kept for the segments to come.
    pub spare_bytes: u64,
    /// The first offset.
    pub first: u64,
    /// The offset of the next record.
    pub end: u64,
    /// How long the last sync took.
    pub last_sync_micros: u64,
    /// How many groups were committed since the open.
    pub groups: u64,
    /// How many records were committed since the open.
    pub records: u64,
    /// How many times sealing a segment failed since the open; it is tried again.
    pub seal_failures: u64,
    /// By how much the wall clock is ahead of what is believed.
    pub held_micros: i64,
}
