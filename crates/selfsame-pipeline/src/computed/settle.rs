//! Definitions under rules that are published: these hold from the first record on, and so does what is
//! kept for definitions.
//!
//! ```text
//! first record                        B                 P: rules are published        the last profile
//! | what the definitions at B need is kept under the new anchors |  every profile is evaluated  |
//! |          nobody is evaluated, nothing is told                |  and told how it is          |
//! ```
//!
//! Before P the outbox has what the rules of then made of events, and so have records that carry something on:
//! neither says anything of these people. Definitions that change between B and P are kept from their
//! record on, and get their history behind P as new ones do.

use std::collections::BTreeSet;
use std::sync::Arc;

use selfsame_event::{ProfileId, Time};

use super::evaluation::known_text;
use super::facts::{Computing, Progress, Settled, Version};
use super::plans::{LivePlan, SpacePlans};
use super::row::Held;
use super::step::At;
use super::whose;
use crate::effect::What;
use crate::key::InSpace;
use crate::state::{State, StateError};

impl State {
    /// The definitions that are in place of those that are configured in a space, up to some record.
    pub(super) fn settled(&self, space: &str) -> Option<&Arc<Settled>> {
        self.meta.settled.get(space).filter(|settled| self.meta.next < settled.until)
    }

    /// Whether what is kept for the definitions of a space is not evaluated yet.
    pub(crate) fn is_dormant(&self, slot: usize) -> bool {
        let Some(space) = self.meta.workspace.spaces.get(slot) else { return false };
        let is_before = |published: &u64| self.meta.next < *published;
        self.meta.published.get(&space.id).is_some_and(is_before)
            || self.settled(&space.id).is_some()
    }

    /// The definitions that are kept in a space, compiled as they are when they are evaluated.
    pub(crate) fn plans_awake(&self, slot: usize) -> SpacePlans {
        let (workspace, space) = (&self.meta.workspace, self.meta.workspace.spaces.get(slot));
        let definitions = space.map(|space| workspace.definitions_of(&space.id).collect());
        let definitions: Vec<_> = definitions.unwrap_or_default();
        let Some(counts) = self.meta.spaces.get(slot) else { return SpacePlans::default() };
        let mut computing = Computing::clone(&counts.computing);
        SpacePlans::compile(&definitions, &mut computing, &counts.numbers, true)
    }

    /// In a space that was made just now, begins to keep what definitions need that are made later.
    pub(crate) fn settle(&mut self, space: &str) {
        let (Some(slot), Some(settled)) = (self.slot_of(space), self.settled(space).cloned())
        else {
            return;
        };
        let version = |query: &String| {
            let query = query.clone();
            Version { query, streams: Vec::new(), since: 0, is_announced: false }
        };
        let new = |query| Progress { next: Some(version(query)), ..Progress::default() };
        let all = settled.definitions.iter().map(|one| (one.number, new(&one.query)));
        Arc::make_mut(&mut self.meta.spaces[slot].computing).definitions = all.collect();
        self.plan(slot, Some(0));
        let computing = Arc::make_mut(&mut self.meta.spaces[slot].computing);
        for progress in computing.definitions.values_mut() {
            progress.live = progress.next.take();
        }
    }

    /// The slot of a space, if a record that carries on what its definitions need is of a state that was
    /// folded by the rules that hold.
    pub(super) fn carries(&self, space: &str, under: Option<u64>) -> Option<usize> {
        let slot = self.slot_of(space).filter(|slot| !self.is_dormant(*slot))?;
        let published = self.meta.published.get(space).copied().unwrap_or(0);
        under.is_none_or(|under| under == published).then_some(slot)
    }

    /// Rules were published: what definitions come to by them is found for every profile.
    pub(crate) fn reassess(&mut self, space: &str, offset: u64, effects: u64) {
        self.meta.settled.remove(space);
        let Some(slot) = self.slot_of(space) else { return };
        self.meta.spaces[slot].effects = effects;
        let computing = Arc::make_mut(&mut self.meta.spaces[slot].computing);
        for progress in computing.definitions.values_mut() {
            progress.announcing = None;
            if let Some(live) = &mut progress.live {
                (live.since, live.is_announced) = (offset, false);
            }
        }
        computing.reassessing = true;
        self.plan(slot, None);
    }

    /// Says of definitions that destinations are told of what a profile comes to where that is what it
    /// comes to where nothing happened, or out of an audience: by the rules of before it may have been
    /// another one, and somebody may have been told so.
    pub(super) fn say_who_is_out(
        &mut self,
        key: InSpace<ProfileId>,
        plans: &SpacePlans,
        definitions: &BTreeSet<u32>,
        at: Time,
    ) -> Result<(), StateError> {
        let of = self.collection_of(key)?;
        if whose::profile(&self.tables, of, key)?.is_none() {
            return Ok(());
        }
        let written = self.written(key)?;
        let values = written.read();
        let is_asked = |plan: &&LivePlan| {
            plan.is_told && plan.collection == of && definitions.contains(&plan.number)
        };
        for plan in plans.live.iter().filter(is_asked) {
            let row = values.get(plan.number);
            if matches!(row.map(|row| row.held), Some(Held::In(_) | Held::Json(_))) {
                continue;
            }
            let what = What::Announced(known_text(row, plan).into());
            self.emit(key, plan.number, At::moment(at), what);
        }
        Ok(())
    }
}
