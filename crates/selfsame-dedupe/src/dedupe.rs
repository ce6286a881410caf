//! The set and its owner's side of checkpoints and merges.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use selfsame_event::{ItemPosition, Time};

use crate::config::Limits;
use crate::entry::{Entry, INDEX_END, Id, OFFSET_REACH, Place};
use crate::error::{AdmitError, RunError};
use crate::filter::Filter;
use crate::fresh::Fresh;
use crate::frozen::{Frozen, Origin, RunInfo};
use crate::hash::Sum;
use crate::manifest::{Manifest, write_window};
use crate::merge::{Merge, choose};
use crate::run::{Reader, Run};
use crate::stats::{Discard, Stats};
use crate::tags::Tags;
use crate::window::Window;

mod grave;
mod open;
#[cfg(test)]
mod tests;

use grave::Grave;

/// What an id turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was not seen. Now it is.
    New,
    /// It was seen with the same content.
    Duplicate {
        /// Where.
        first: ItemPosition,
    },
    /// It was seen with other content. What was seen first stays what is remembered.
    DifferentContent {
        /// Where.
        first: ItemPosition,
    },
}

/// An installed run and, while there is memory for it, its filter.
#[derive(Debug)]
struct Slot {
    run: Arc<Run>,
    filter: Option<Filter>,
}

/// The exact set of ids seen in the window. See the crate's description.
#[derive(Debug)]
pub struct Dedupe {
    dir: PathBuf,
    limits: Limits,
    window: Window,
    tags: Tags,
    fresh: Fresh,
    /// Frozen, not installed; oldest first.
    pending: VecDeque<(u64, Arc<Fresh>)>,
    /// Written before an older one was; waits for it.
    early: Vec<RunInfo>,
    /// Oldest first. All reach at most to the state in `durable`.
    slots: Vec<Slot>,
    /// The window at the newest freeze that is installed.
    durable: Window,
    next_number: u64,
    /// Files that no later manifest will name, and their sizes.
    retired: Vec<(PathBuf, u64)>,
    grave: Grave,
    blocks_read: u64,
}

impl Dedupe {
    /// Says whether the id was seen, and remembers it if not. To be called once for each event, in
    /// log order. `now` is the record's log time; `original` the event's original time, exactly as
    /// it will come again with a retry.
    ///
    /// After an error nothing has changed.
    pub fn admit(
        &mut self,
        id: [u8; 16],
        content: u32,
        at: ItemPosition,
        now: Time,
        original: Option<Time>,
    ) -> Result<Verdict, AdmitError> {
        let id = Id::from(id);
        let place = self.check(at)?;
        self.window.advance(now, place, &self.limits);
        let from = self.window.visible_from(original);
        let seen = if self.tags.contains(id) {
            self.find(id, from, Place::END)?
        } else if from < self.window.generations[0] {
            self.find(id, from, self.window.generations[0])?
        } else {
            None
        };
        self.window.partition = Some(at.record.partition);
        self.window.last = Some(place);
        self.grave.bury_some();
        let Some(entry) = seen else {
            self.add(Entry { id, content, offset: place.offset, index: place.index });
            return Ok(Verdict::New);
        };
        let first = entry.place().in_partition(at.record.partition);
        if entry.content == content {
            self.window.duplicates += 1;
            Ok(Verdict::Duplicate { first })
        } else {
            self.window.different_content += 1;
            Ok(Verdict::DifferentContent { first })
        }
    }

    /// Brings what tells whether these ids were seen near, for the [`Self::admit`] of each. Says how
    /// many of them may have been.
    pub fn warm(&self, ids: impl Iterator<Item = [u8; 16]>) -> usize {
        ids.filter(|id| self.tags.contains(Id::from(*id))).count()
    }

    fn check(&self, at: ItemPosition) -> Result<Place, AdmitError> {
        let place = Place::of(at);
        if let (Some(partition), Some(last)) = (self.window.partition, self.window.last) {
            if partition != at.record.partition {
                return Err(AdmitError::Partition { at, partition });
            }
            if place <= last {
                return Err(AdmitError::Order { at, last: last.in_partition(partition) });
            }
        }
        let base = self.fresh.first().map_or(place.offset, |first| first.offset);
        let full = self.fresh.count() >= u64::from(u32::MAX) - 1;
        if place.index >= INDEX_END || place.offset - base >= OFFSET_REACH || full {
            return Err(AdmitError::Reach { at });
        }
        Ok(place)
    }

    /// The newest entry of the id at `from` or behind. Looks only where entries before `until` are.
    fn find(&mut self, id: Id, from: Place, until: Place) -> Result<Option<Entry>, RunError> {
        let pending = self.pending.iter().rev().map(|(_, fresh)| &**fresh);
        for fresh in std::iter::once(&self.fresh).chain(pending) {
            if fresh.first().is_some_and(|first| first < until) && fresh.last() >= from {
                let found = fresh.find(id, from);
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        for slot in self.slots.iter().rev() {
            let meta = &slot.run.meta;
            if meta.last < from {
                break;
            }
            if meta.first >= until {
                continue;
            }
            let may_have = match &slot.filter {
                Some(filter) => filter.may_have(id),
                None => slot.run.may_have(id)?,
            };
            if may_have {
                self.blocks_read += 1;
                let found = slot.run.find(id, from)?;
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    fn add(&mut self, entry: Entry) {
        let added = self.window.add(entry.place(), &self.limits);
        if added.rotated {
            self.grave.put_tables(self.tags.rotate());
        }
        self.tags.insert(entry.id);
        self.fresh.push(entry);
        if added.left_early > 0 {
            tracing::warn!(
                ids = added.left_early,
                window_seconds = self.window.shrunk_to().map(|window| window.as_secs()),
                "dedupe disk budget is full, the oldest ids leave before the window ends"
            );
        }
    }

    /// Whether fresh ids have used up their share of the memory: time for a checkpoint.
    pub fn wants_freeze(&self) -> bool {
        self.fresh.bytes() >= self.limits.fresh_bytes
    }

    /// Begins a checkpoint at the newest admitted event. Costs microseconds.
    pub fn freeze(&mut self) -> Frozen {
        let number = self.take_number();
        let fresh = Arc::new(std::mem::replace(&mut self.fresh, Fresh::new()));
        self.pending.push_back((number, Arc::clone(&fresh)));
        Frozen { number, fresh, window: self.window.clone() }
    }

    /// The next merge that is worth doing, for another thread; one at a time. Dropping it is
    /// harmless, it is offered again.
    pub fn plan_merge(&mut self) -> Option<Merge> {
        let retired: u64 = self.retired.iter().map(|(_, bytes)| bytes).sum();
        if retired > self.limits.retired_bytes {
            return None;
        }
        let runs: Vec<Arc<Run>> = self.slots.iter().map(|slot| Arc::clone(&slot.run)).collect();
        let inputs = choose(&runs, &self.durable, &self.limits)?.to_vec();
        let number = self.take_number();
        Some(Merge { dir: self.dir.clone(), number, inputs, floor: self.durable.floor })
    }

    /// Takes a run that was written. Runs of freezes count in the order of their freezes.
    pub fn installed(&mut self, info: RunInfo) {
        match &info.origin {
            Origin::Merged { inputs } => {
                let inputs = inputs.clone();
                self.replace(&inputs, info);
            }
            Origin::Frozen { .. } => {
                self.early.push(info);
                self.settle();
            }
        }
        self.balance_filters();
    }

    /// Takes runs of freezes as long as the oldest pending one is there.
    fn settle(&mut self) {
        while let Some((oldest, _)) = self.pending.front() {
            let is_oldest = |info: &RunInfo| matches!(&info.origin, Origin::Frozen { number, .. } if number == oldest);
            let Some(at) = self.early.iter().position(is_oldest) else { break };
            let RunInfo { origin: Origin::Frozen { window, .. }, run } = self.early.swap_remove(at)
            else {
                unreachable!("only runs of freezes wait");
            };
            if let Some((_, fresh)) = self.pending.pop_front() {
                self.grave.put_fresh(fresh);
            }
            self.slots.extend(run.map(|(run, filter)| Slot { run, filter: Some(filter) }));
            self.durable = window;
        }
        let floor = self.durable.floor;
        let left = self.slots.iter().take_while(|slot| slot.run.meta.last < floor).count();
        self.retire(0, left);
    }

    /// Puts a merged run in the place of its inputs.
    fn replace(&mut self, inputs: &[u64], info: RunInfo) {
        let start =
            self.slots.iter().position(|slot| inputs.first() == Some(&slot.run.meta.number));
        let whole = start.filter(|start| {
            let there = self.slots[*start..].iter().map(|slot| slot.run.meta.number);
            there.take(inputs.len()).eq(inputs.iter().copied())
        });
        match whole {
            Some(start) => {
                self.retire(start, inputs.len());
                if let Some((run, filter)) = info.run {
                    self.slots.insert(start, Slot { run, filter: Some(filter) });
                }
            }
            None => {
                let orphan = info.run.map(|(run, _)| (run.path().to_owned(), run.meta.bytes));
                self.retired.extend(orphan);
            }
        }
    }

    fn retire(&mut self, start: usize, count: usize) {
        for slot in self.slots.drain(start..start + count) {
            self.retired.push((slot.run.path().to_owned(), slot.run.meta.bytes));
        }
    }

    /// Keeps the filters of the newest runs in memory, as far as it reaches.
    fn balance_filters(&mut self) {
        let mut left = self.limits.filter_bytes;
        for slot in self.slots.iter_mut().rev() {
            match left.checked_sub(slot.run.filter_bytes()) {
                Some(rest) => left = rest,
                None => slot.filter = None,
            }
        }
    }

    /// The state at the newest freeze whose run is installed, for the checkpoint of that position.
    pub fn manifest(&self) -> Vec<u8> {
        let runs = self.slots.iter().map(|slot| slot.run.meta).collect();
        Manifest { window: self.durable.clone(), next_number: self.next_number, runs }.write()
    }

    /// To be called when a checkpoint is durable, with the manifests of all checkpoints that are
    /// kept. Gives the files that none of them names. A manifest that cannot be read keeps all.
    /// Not to be called while a manifest that was taken is not yet stored, unless it is among them.
    pub fn stored(&mut self, kept: &[&[u8]]) -> Discard {
        let mut named: Vec<u64> = Vec::new();
        for manifest in kept {
            match Manifest::read(manifest) {
                Ok(manifest) => named.extend(manifest.runs.iter().map(|run| run.number)),
                Err(_) => return Discard::default(),
            }
        }
        let named: Vec<PathBuf> =
            named.into_iter().map(|number| self.dir.join(crate::run::file_name(number))).collect();
        let (keep, discard) = std::mem::take(&mut self.retired)
            .into_iter()
            .partition(|(path, _)| named.contains(path));
        self.retired = keep;
        Discard { paths: discard.into_iter().map(|(path, _): (PathBuf, u64)| path).collect() }
    }

    fn take_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number - 1
    }

    /// A hash of all that verdicts depend on: equal for equal logs, however they were processed.
    /// Reads and checks every run.
    pub fn canonical_hash(&self) -> Result<[u8; 32], RunError> {
        let mut sum = Sum::default();
        let floor = self.window.floor;
        let pending = self.pending.iter().flat_map(|(_, fresh)| fresh.entries());
        for entry in self.fresh.entries().chain(pending).filter(|entry| entry.place() >= floor) {
            sum.add(entry);
        }
        for slot in &self.slots {
            let mut reader = Reader::new(Arc::clone(&slot.run));
            while let Some(entry) = reader.next()? {
                if entry.place() >= floor {
                    sum.add(&entry);
                }
            }
        }
        debug_assert_eq!(sum.count, self.window.ids, "every id in the window has an entry");
        let mut other = Vec::new();
        write_window(&self.window, &mut other);
        Ok(sum.finish(&other))
    }

    /// Numbers about the set.
    pub fn stats(&self) -> Stats {
        let window = &self.window;
        let pending = self.pending.iter().map(|(_, fresh)| &**fresh);
        let unwritten = || std::iter::once(&self.fresh).chain(pending.clone());
        let filters = self.slots.iter().filter_map(|slot| slot.filter.as_ref());
        let runs: u64 = self.slots.iter().map(|slot| slot.run.memory()).sum();
        let files = self.slots.iter().map(|slot| slot.run.meta.bytes);
        Stats {
            ids: window.ids,
            admitted: window.admitted,
            duplicates: window.duplicates,
            different_content: window.different_content,
            left_early: window.left_early,
            oldest: window.oldest(),
            window_shrunk_to: window.shrunk_to(),
            fresh_ids: unwritten().map(Fresh::count).sum(),
            runs: crate::bits::wide(self.slots.len()),
            disk_bytes: files.chain(self.retired.iter().map(|(_, bytes)| *bytes)).sum(),
            memory_bytes: crate::bits::wide(self.tags.bytes())
                + unwritten().map(Fresh::bytes).sum::<u64>()
                + filters.map(Filter::bytes).sum::<u64>()
                + runs,
            blocks_read: self.blocks_read,
        }
    }

    /// The folder that [`Frozen::write`] is to write into.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}
