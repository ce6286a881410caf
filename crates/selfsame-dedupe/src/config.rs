//! Settings, and the limits that follow from them.

use std::time::Duration;

/// Bytes of disk that one id may need: 29.4 in its run, and for an eighth of all ids each: the copy
/// that a merge writes, its inputs until a manifest is stored, what waited for that before, and the
/// part of the oldest run that has left the window.
const DISK_BYTES_PER_ID: u64 = 48;
/// Bytes of memory for one tag, at the load that a full generation has.
const MEMORY_BYTES_PER_TAG: u64 = 5;
/// More tags than this do not pay.
const MOST_TAGS: u64 = 20_000_000;
/// Into how many parts the id budget is cut where hours are larger.
const PARTS: u64 = 64;

/// How long ids are remembered, and what that may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long an id is remembered, in log time. Rounded up to whole hours.
    pub window: Duration,
    /// Disk for run files. Says how many ids are remembered: 48 bytes each.
    pub disk_budget_bytes: u64,
    /// Memory. At most half is for tags (5 bytes each, at most 20 million), a quarter for ids that
    /// are not in a run yet, the rest for filters; filters that do not fit are read from disk.
    pub memory_budget_bytes: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(7 * 24 * 3_600),
            disk_budget_bytes: 4 << 30,
            memory_budget_bytes: 256 << 20,
        }
    }
}

impl Config {
    /// How many ids the window may hold (89 million by default).
    pub fn most_ids(&self) -> u64 {
        (self.disk_budget_bytes / DISK_BYTES_PER_ID).max(PARTS)
    }

    /// How many of the newest ids are found whatever their original time says: never less than
    /// half of this (20 million by default).
    pub fn tag_ids(&self) -> u64 {
        (self.memory_budget_bytes / 2 / MEMORY_BYTES_PER_TAG).clamp(2, MOST_TAGS)
    }
}

/// What the code works with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) window_hours: i64,
    pub(crate) most_ids: u64,
    /// A bucket of the window is closed at so many ids.
    pub(crate) bucket_ids: u64,
    pub(crate) generation_ids: u64,
    /// No merge makes a run of more ids.
    pub(crate) run_ids: u64,
    /// No merge starts while so many bytes wait for a manifest.
    pub(crate) retired_bytes: u64,
    pub(crate) fresh_bytes: u64,
    pub(crate) filter_bytes: u64,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        let hours = config.window.as_secs().div_ceil(3_600).clamp(1, 1 << 20);
        let memory = config.memory_budget_bytes;
        Self {
            window_hours: i64::try_from(hours).expect("clamped"),
            most_ids: config.most_ids(),
            bucket_ids: config.most_ids() / PARTS,
            generation_ids: config.tag_ids() / 2,
            run_ids: config.most_ids() / 8,
            retired_bytes: config.disk_budget_bytes / 8,
            fresh_bytes: memory / 4,
            filter_bytes: memory / 4 + (memory / 2).saturating_sub(config.tag_ids() * 5),
        }
    }
}
