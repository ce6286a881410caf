//! Large changes of who is who: their plans are made beside the fold.
//!
//! To resolve tens of thousands of sets of identifiers again takes seconds, and the events that wait behind
//! the record would wait for so long. So whoever asks makes the plan first, on a thread of its own, and
//! leaves it here. From before the plan is begun, the engine notes which rows of identity it writes.
//!
//! ```text
//! asks, is noted ---- plans over the rows as they are ---- leaves the draft ---- appends the record
//! engine:        . . . folds, notes what it writes . . . . . . . . . . . . . . . . . . step: takes it
//! ```
//!
//! **Invariant:** a draft is taken only where none of the rows that it was made from was written since.
//! Then it is what the step would plan itself; otherwise the step does. So a draft shows in how long the
//! step takes, and in nothing else: a replay, which has none, gives the same state.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use selfsame_event::IdentifierKey;
use selfsame_identity::{Change, ComponentId, Plan, Reads, Sizes};

use crate::key::InSpace;
use crate::meta::{RulesSince, SpaceMeta};
use crate::tables::Tables;

/// How many rows are noted. Where more are written, a draft is of no use.
const NOTED: usize = 1_000_000;

/// What is noted of a state for drafts, and the draft that waits for its record.
#[derive(Debug, Default)]
pub struct Drafts {
    /// How much is resolved again in one step without a draft, and at all.
    pub(crate) sizes: Sizes,
    is_wanted: AtomicBool,
    /// Written by the engine's thread alone, between two batches.
    is_noting: AtomicBool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    written: Written,
    draft: Option<Draft>,
    /// How many drafts their steps took.
    taken: u64,
}

/// What was written since it was last asked.
#[derive(Debug, Default)]
struct Written {
    keys: BTreeSet<InSpace<IdentifierKey>>,
    components: BTreeSet<InSpace<ComponentId>>,
    is_cut: bool,
}

/// A plan that waits for the record of its change.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) space: u32,
    pub(crate) change: Change,
    pub(crate) plan: Plan,
    pub(crate) rules: Arc<Vec<RulesSince>>,
    pub(crate) has_apart: bool,
}

impl Written {
    fn note(&mut self, key: Option<InSpace<IdentifierKey>>, under: Option<InSpace<ComponentId>>) {
        self.is_cut |= self.keys.len() + self.components.len() >= NOTED;
        if !self.is_cut {
            self.keys.extend(key);
            self.components.extend(under);
        }
    }

    fn leaves(&self, space: u32, reads: &Reads) -> bool {
        let is_own = |of: u32| of == space;
        let mut keys = self.keys.iter().filter(|key| is_own(key.space));
        let mut components = self.components.iter().filter(|id| is_own(id.space));
        !self.is_cut
            && !keys.any(|key| reads.keys.contains(&key.key))
            && !components.any(|id| reads.components.contains(&id.key))
    }
}

impl Drafts {
    pub(crate) fn new(sizes: Sizes) -> Self {
        Self { sizes, ..Self::default() }
    }

    /// How many sets one step resolves again without a draft, and how many are resolved at all.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// How many drafts their steps took.
    pub fn taken(&self) -> u64 {
        self.kept().taken
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins or ends noting, as it is wanted. Of the engine's thread, between two batches.
    pub(crate) fn tend(&self) {
        let is_wanted = self.is_wanted.load(Ordering::Acquire);
        if is_wanted != self.is_noting.load(Ordering::Relaxed) {
            let mut kept = self.kept();
            *kept = Kept { taken: kept.taken, ..Kept::default() };
            drop(kept);
            // What was written before shows to whoever sees this.
            self.is_noting.store(is_wanted, Ordering::Release);
        }
    }

    /// Notes that a row of an identifier, or one of a component or under it, was written: behind the
    /// write, so that whoever has rows forgotten and then reads finds them written or noted.
    pub(crate) fn note(
        &self,
        key: Option<InSpace<IdentifierKey>>,
        under: Option<InSpace<ComponentId>>,
    ) {
        if self.is_noting.load(Ordering::Relaxed) {
            self.kept().written.note(key, under);
        }
    }

    /// The plan of the change, if one was left and what it was made from is as it was.
    pub(crate) fn take(&self, space: u32, change: &Change, counts: &SpaceMeta) -> Option<Plan> {
        if !self.is_noting.load(Ordering::Relaxed) {
            return None;
        }
        let mut kept = self.kept();
        let draft = kept.draft.take()?;
        let is_of_it = draft.space == space
            && (&draft.change.apart, &draft.change.lift) == (&change.apart, &change.lift)
            && draft.change.by == change.by
            && draft.has_apart == (counts.apart > 0)
            && draft.rules == counts.rules
            && kept.written.leaves(space, &draft.plan.reads);
        kept.taken += u64::from(is_of_it);
        is_of_it.then_some(draft.plan)
    }
}

/// Has the engine note what it writes, for as long as this lives.
#[derive(Debug)]
pub struct Drafting {
    tables: Arc<Tables>,
}

impl Drafting {
    /// Asks the engine of these tables. One at a time.
    pub fn start(tables: Arc<Tables>) -> Self {
        tables.drafts.is_wanted.store(true, Ordering::Release);
        Self { tables }
    }

    /// Whether the engine does so now.
    pub fn is_noting(&self) -> bool {
        self.tables.drafts.is_noting.load(Ordering::Acquire)
    }

    /// Whether these are its tables.
    pub(crate) fn is_of(&self, tables: &Arc<Tables>) -> bool {
        Arc::ptr_eq(&self.tables, tables)
    }

    /// What was written up to now is seen by whoever reads from now on.
    pub(crate) fn forget(&self) {
        self.tables.drafts.kept().written = Written::default();
    }

    /// Leaves a draft for the step of its record. Says whether it holds up to now.
    pub(crate) fn leave(&self, draft: Draft) -> bool {
        let mut kept = self.tables.drafts.kept();
        let holds = kept.written.leaves(draft.space, &draft.plan.reads);
        kept.draft = holds.then_some(draft);
        holds
    }
}

impl Drop for Drafting {
    fn drop(&mut self) {
        self.tables.drafts.is_wanted.store(false, Ordering::Release);
    }
}
