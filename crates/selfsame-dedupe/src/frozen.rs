//! What a checkpoint hands to another thread, and what comes back.

use std::path::Path;
use std::sync::Arc;

use crate::entry::Entry;
use crate::error::RunError;
use crate::filter::Filter;
use crate::fresh::Fresh;
use crate::run::{Run, Writer};
use crate::window::Window;

/// The ids that were admitted since the freeze before, and the state at this one.
///
/// Until its [`RunInfo`] is installed the ids stay in memory and no later freeze reaches a manifest;
/// so after a failed write, write again.
#[derive(Debug)]
pub struct Frozen {
    pub(crate) number: u64,
    pub(crate) fresh: Arc<Fresh>,
    pub(crate) window: Window,
}

impl Frozen {
    /// How many ids there are to write.
    pub fn ids(&self) -> u64 {
        self.fresh.count()
    }

    /// Writes the run, durably. For a thread that may wait; takes about 0.3 s for a million ids.
    pub fn write(&self, dir: &Path) -> Result<RunInfo, RunError> {
        let run = match self.fresh.first() {
            None => None,
            Some(first) => {
                let mut entries: Vec<Entry> = self.fresh.entries().copied().collect();
                entries.sort_unstable_by_key(Entry::key);
                let mut writer = Writer::create(dir, self.number, self.ids(), first.offset)?;
                for entry in &entries {
                    writer.push(entry)?;
                }
                writer.finish()?
            }
        };
        let run = run.map(|(run, filter)| (Arc::new(run), filter));
        Ok(RunInfo {
            origin: Origin::Frozen { number: self.number, window: self.window.clone() },
            run,
        })
    }
}

/// Where a written run comes from.
#[derive(Debug)]
pub(crate) enum Origin {
    Frozen { number: u64, window: Window },
    Merged { inputs: Vec<u64> },
}

/// A written run, or the news that there was nothing to write. For [`crate::Dedupe::installed`].
#[derive(Debug)]
pub struct RunInfo {
    pub(crate) origin: Origin,
    pub(crate) run: Option<(Arc<Run>, Filter)>,
}

impl RunInfo {
    /// How many ids the run has.
    pub fn ids(&self) -> u64 {
        self.run.as_ref().map_or(0, |(run, _)| run.meta.ids)
    }

    /// The size of its file.
    pub fn bytes(&self) -> u64 {
        self.run.as_ref().map_or(0, |(run, _)| run.meta.bytes)
    }

    /// Whether it comes from a merge, so that no checkpoint waits for it.
    pub fn is_merge(&self) -> bool {
        matches!(self.origin, Origin::Merged { .. })
    }
}
