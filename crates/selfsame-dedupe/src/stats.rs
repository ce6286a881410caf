//! Numbers about a set, and files that are no longer needed.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use selfsame_event::Time;

/// Numbers about a set. The first group is a function of the log, the second of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Ids in the window.
    pub ids: u64,
    /// New ids since the beginning of the log.
    pub admitted: u64,
    /// Duplicates since the beginning of the log.
    pub duplicates: u64,
    /// Ids seen again with other content, since the beginning of the log.
    pub different_content: u64,
    /// Ids that left before their time because the disk budget was full.
    pub left_early: u64,
    /// The log time from which every id is remembered.
    pub oldest: Option<Time>,
    /// How far back the window reaches, if the budget has shortened it; none if it is whole.
    pub window_shrunk_to: Option<Duration>,

    /// Ids that are in no installed run yet.
    pub fresh_ids: u64,
    /// Installed runs.
    pub runs: u64,
    /// Bytes of files, those that wait for a manifest included.
    pub disk_bytes: u64,
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Blocks read from runs to confirm an id.
    pub blocks_read: u64,
}

/// Files that no kept manifest names. Unlinking large files takes time, so another thread may.
#[derive(Debug, Default)]
#[must_use = "the files stay until they are removed"]
pub struct Discard {
    pub(crate) paths: Vec<PathBuf>,
}

impl Discard {
    /// How many files there are.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Unlinks the files. One that is already gone is no error; what remains after an error is
    /// found and offered again when the set is opened next.
    pub fn remove(self) -> io::Result<()> {
        for path in self.paths {
            match std::fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
