//! Neighbouring runs become one: those of an hour that has passed, and small ones when they are
//! many. Never changes a verdict.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Limits;
use crate::entry::{Entry, OFFSET_REACH, Place};
use crate::error::RunError;
use crate::frozen::{Origin, RunInfo};
use crate::run::{Reader, Run, Writer};
use crate::window::{Window, hour};

/// So many neighbours of a size are merged before their hour has passed.
const MANY: usize = 8;
/// Runs of several hours are only made up to this size.
const SMALL_IDS: u64 = 1 << 20;

/// A merge to do. For a thread that may wait; one at a time.
#[derive(Debug)]
pub struct Merge {
    pub(crate) dir: PathBuf,
    pub(crate) number: u64,
    pub(crate) inputs: Vec<Arc<Run>>,
    /// Entries before it have left for good.
    pub(crate) floor: Place,
}

impl Merge {
    /// How many ids there are to read.
    pub fn ids(&self) -> u64 {
        self.inputs.iter().map(|run| run.meta.ids).sum()
    }

    /// Reads the runs side by side and writes one, durably: a million ids in about a second.
    pub fn run(&self) -> Result<RunInfo, RunError> {
        let base = self.inputs[0].meta.first.offset;
        let mut writer = Writer::create(&self.dir, self.number, self.ids(), base)?;
        let mut readers: Vec<(Entry, Reader)> = Vec::with_capacity(self.inputs.len());
        for run in &self.inputs {
            let mut reader = Reader::new(Arc::clone(run));
            if let Some(entry) = reader.next()? {
                readers.push((entry, reader));
            }
        }
        while !readers.is_empty() {
            let least = (1..readers.len()).fold(0, |best, at| {
                if readers[at].0.key() < readers[best].0.key() { at } else { best }
            });
            let (entry, reader) = &mut readers[least];
            if entry.place() >= self.floor {
                writer.push(entry)?;
            }
            match reader.next()? {
                Some(next) => *entry = next,
                None => drop(readers.swap_remove(least)),
            }
        }
        let run = writer.finish()?.map(|(run, filter)| (Arc::new(run), filter));
        let inputs = self.inputs.iter().map(|run| run.meta.number).collect();
        Ok(RunInfo { origin: Origin::Merged { inputs }, run })
    }
}

/// Chooses neighbours to merge, oldest first. `window` is the state up to which runs reach.
pub(crate) fn choose<'r>(
    runs: &'r [Arc<Run>],
    window: &Window,
    limits: &Limits,
) -> Option<&'r [Arc<Run>]> {
    let hours = |run: &Run| (window.hour_of(run.meta.first), window.hour_of(run.meta.last));
    let passed = |run: &Run, other: &Run| {
        let (first, last) = hours(run);
        last < Some(hour(window.now)) && first == last && hours(other) == (first, last)
    };
    let alike = |run: &Run, other: &Run| size(run) == size(other);
    (0..runs.len()).find_map(|start| {
        let group = neighbours(&runs[start..], limits.run_ids, passed);
        if group.len() > 1 {
            return Some(group);
        }
        let most = if hours(&runs[start]).0 == Some(hour(window.now)) {
            limits.run_ids
        } else {
            SMALL_IDS
        };
        let group = neighbours(&runs[start..], most.min(limits.run_ids), alike);
        (group.len() >= MANY).then_some(group)
    })
}

/// Runs are alike if their sizes are within a factor of eight.
fn size(run: &Run) -> u32 {
    run.meta.ids.max(1).ilog2() / 3
}

/// The longest group from the front in which all belong to the first, within a size.
fn neighbours(runs: &[Arc<Run>], most: u64, belongs: impl Fn(&Run, &Run) -> bool) -> &[Arc<Run>] {
    let mut ids = 0;
    let count = runs.iter().take_while(|run| {
        ids += run.meta.ids;
        let reach = run.meta.last.offset - runs[0].meta.first.offset;
        ids <= most && reach < OFFSET_REACH && belongs(&runs[0], run)
    });
    &runs[..count.count()]
}
