//! Folding again what was folded before a crash.
//!
//! Sections are written at any time behind the outbox, so in a state that was opened some may be ahead of the
//! checkpoint, and what definitions came to at a record before that cannot be evaluated from them. It need not
//! be: the outbox says what changed at each record that is folded again. So memberships are taken from there;
//! what only follows from the sections as they are in the end (values of traits, moments) is evaluated
//! once the last record of the outbox is folded, when no section is ahead any more.
//!
//! Of a definition that came into force and of which not every profile was evaluated yet (the walk is on its way)
//! that holds only for the profiles that were evaluated for it: those that an event, a change or a moment concerned
//! since. The others stay as they are: evaluating them too would leave the walk nothing to say of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use selfsame_event::{Collection, Position, ProfileId, Time};

use super::evaluation::evaluate_by;
use super::plans::LivePlan;
use super::ranks::Ranks;
use super::row::{Held, ValueRow};
use super::timers::Due;
use super::wanted::Wanted;
use crate::effect::{Effect, What};
use crate::key::InSpace;
use crate::state::{State, StateError};
use crate::workspace::DefinitionKind;

/// What is known while records are folded again.
#[derive(Debug, Default)]
pub(crate) struct Recall {
    /// Where the outbox ends.
    until: Position,
    is_on: bool,
    /// What changed at the record that is being folded, as far as it is not taken yet.
    effects: VecDeque<Effect>,
    /// Profiles that something may have changed for, and when it did last.
    touched: BTreeMap<InSpace<ProfileId>, Time>,
    /// The definitions that these were evaluated for, of those that not every profile was evaluated for.
    evaluated: BTreeMap<InSpace<ProfileId>, BTreeSet<u32>>,
    /// The last moment that a tick let come.
    through: Option<Due>,
}

impl Recall {
    /// Whether records are folded again.
    pub(crate) fn is_on(&self) -> bool {
        self.is_on
    }

    /// A profile is none any more.
    pub(super) fn forget(&mut self, key: &InSpace<ProfileId>) {
        self.touched.remove(key);
        self.evaluated.remove(key);
    }

    /// Another version of a definition is in force: nobody was evaluated for it yet.
    pub(super) fn put_in_force(&mut self, space: u32, number: u32) {
        for (_, numbers) in self.evaluated.iter_mut().filter(|(key, _)| key.space == space) {
            numbers.remove(&number);
        }
    }

    pub(super) fn touch(&mut self, key: InSpace<ProfileId>, now: Time) {
        let last = self.touched.entry(key).or_insert(now);
        *last = now.max(*last);
    }

    fn take(&mut self, is_next: impl Fn(&Effect) -> bool) -> Option<Effect> {
        self.effects.front().is_some_and(is_next).then(|| self.effects.pop_front()).flatten()
    }
}

impl State {
    /// Folds again up to where the outbox ends.
    pub(crate) fn begin_recall(&mut self, until: Position) {
        self.recall = Recall { until, is_on: self.next() < until, ..Recall::default() };
    }

    /// Says what the outbox has of the next record. What it has of a space before rules were published in it
    /// is of other people.
    pub(crate) fn recall_effects(&mut self, effects: impl Iterator<Item = Effect>) {
        let is_dormant =
            |effect: &Effect| usize::try_from(effect.space).is_ok_and(|slot| self.is_dormant(slot));
        self.recall.effects = effects.filter(|effect| !is_dormant(effect)).collect();
    }

    /// Ends folding again, if the last record of the outbox is folded.
    pub(crate) fn tend_recall(&mut self) -> Result<(), StateError> {
        if !self.recall.is_on || self.next() < self.recall.until {
            return Ok(());
        }
        let recall = std::mem::take(&mut self.recall);
        let nothing = BTreeSet::new();
        for (key, at) in recall.touched {
            let evaluated = recall.evaluated.get(&key).unwrap_or(&nothing);
            self.evaluate_touched(key, at, recall.through, evaluated)?;
        }
        Ok(())
    }

    pub(super) fn recall_event(
        &mut self,
        slot: usize,
        profile: ProfileId,
        item: u32,
        wanted: Wanted<'_>,
        now: Time,
    ) -> Result<(), StateError> {
        let key = self.values_key(slot, profile);
        self.recall.touch(key, now);
        self.recall_wanted(slot, key, Wanted::Due, now)?;
        self.recall_wanted(slot, key, wanted, now)?;
        self.refresh(slot, key, matches!(wanted, Wanted::All))?;
        let is_of = |effect: &Effect| {
            (effect.space, effect.profile) == (key.space, profile)
                && effect.cause.is_none_or(|cause| cause == item)
        };
        while let Some(effect) = self.recall.take(is_of) {
            self.recall_effect(&effect)?;
        }
        Ok(())
    }

    pub(super) fn recall_tick(&mut self, through: Due, now: Time) -> Result<(), StateError> {
        while let Some((due, key)) = self.timers.first(through) {
            let slot = usize::try_from(key.space).unwrap_or(usize::MAX);
            self.timers.turn(key, Some(due), None);
            let at = if due == Time::EPOCH { now } else { due };
            let is_stale = due == Time::EPOCH;
            self.recall.touch(key, at);
            let wanted = if is_stale { Wanted::All } else { Wanted::Due };
            self.recall_wanted(slot, key, wanted, at)?;
            self.recall_root(slot, key, is_stale, at)?;
        }
        self.recall.through = self.recall.through.max(Some(through));
        self.recall_rest()
    }

    pub(super) fn recall_walked(
        &mut self,
        slot: usize,
        profile: ProfileId,
        wanted: Ranks,
        now: Time,
    ) -> Result<(), StateError> {
        let key = self.values_key(slot, profile);
        self.recall.touch(key, now);
        self.recall_wanted(slot, key, Wanted::Due, now)?;
        self.recall_wanted(slot, key, Wanted::Some(wanted), now)?;
        self.recall_root(slot, key, false, now)
    }

    /// Those in force of which not every profile was evaluated yet.
    fn unwalked(&self, slot: usize) -> Ranks {
        let (Some(plans), Some(counts)) = (self.plans.get(slot), self.meta.spaces.get(slot)) else {
            return Ranks::default();
        };
        let is_announced = |number| {
            let progress = counts.computing.definitions.get(&number);
            progress.and_then(|one| one.live.as_ref()).is_some_and(|live| live.is_announced)
        };
        let live = plans.live.iter().enumerate();
        let open = live.filter(|(_, plan)| !is_announced(plan.number));
        open.map(|(rank, _)| rank).collect::<Ranks>().and(plans.stored)
    }

    /// Notes which definitions a profile was evaluated for, where not every profile was.
    fn recall_wanted(
        &mut self,
        slot: usize,
        key: InSpace<ProfileId>,
        wanted: Wanted<'_>,
        now: Time,
    ) -> Result<(), StateError> {
        let open = self.unwalked(slot);
        if open.is_empty() {
            return Ok(());
        }
        let plans = Arc::clone(&self.plans[slot]);
        let mut wanted = match wanted {
            Wanted::All => open,
            Wanted::Some(wanted) => open.and(wanted),
            Wanted::By(event) => open.and(event.wanted(&plans, &self.written(key)?.read())),
            Wanted::Due => {
                let written = self.written(key)?;
                let due = written.read();
                due.due(now).filter_map(|number| plans.rank_of(number)).collect::<Ranks>().and(open)
            }
        };
        while let Some(rank) = wanted.pop_first() {
            let number = plans.live[rank].number;
            self.recall.evaluated.entry(key).or_default().insert(number);
        }
        Ok(())
    }

    /// A profile that is none any more is forgotten, as evaluating it would have done.
    fn recall_root(
        &mut self,
        slot: usize,
        key: InSpace<ProfileId>,
        is_all: bool,
        at: Time,
    ) -> Result<(), StateError> {
        let root = self.root(key.space, key.key.key())?;
        if root.is_none_or(|root| root.profile != key.key) {
            return self.forget_values(slot, key.key, at, &mut BTreeSet::new());
        }
        self.refresh(slot, key, is_all)
    }

    /// What is evaluated as a whole is stale no more, and has only what is in force.
    fn refresh(
        &mut self,
        slot: usize,
        key: InSpace<ProfileId>,
        is_all: bool,
    ) -> Result<(), StateError> {
        let before = self.written(key)?;
        let mut values = before.read();
        if is_all || values.is_stale {
            let plans = Arc::clone(&self.plans[slot]);
            values.is_stale = false;
            values.retain(|number| plans.is_stored(number));
            self.put_values(&before, &values);
        }
        Ok(())
    }

    /// Takes what an event changed of accounts that it made one.
    pub(super) fn recall_accounts(&mut self, item: u32) -> Result<(), StateError> {
        loop {
            let Self { recall, plans, .. } = self;
            let taken = recall.take(|effect| {
                let slot = usize::try_from(effect.space).unwrap_or(usize::MAX);
                let collection = plans.get(slot).map(|one| one.collection_of(effect.definition));
                effect.cause == Some(item) && collection == Some(Some(Collection::Accounts))
            });
            let Some(effect) = taken else { return Ok(()) };
            self.recall_effect(&effect)?;
        }
    }

    /// Takes what is left of the effects of a record.
    pub(super) fn recall_rest(&mut self) -> Result<(), StateError> {
        while let Some(effect) = self.recall.take(|_| true) {
            self.recall_effect(&effect)?;
        }
        Ok(())
    }

    fn recall_effect(&mut self, effect: &Effect) -> Result<(), StateError> {
        self.effects.push(effect.clone());
        let (space, profile, number) = (effect.space, effect.profile, effect.definition);
        let key = InSpace { space, key: profile };
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let of = self.plans[slot].collection_of(number).unwrap_or(Collection::Users);
        if of == Collection::Accounts {
            self.recall.touch(key, effect.at);
            self.recall_account_value(effect)?;
        }
        if of == Collection::Users && !matches!(effect.what, What::Announced(_)) {
            // It was evaluated, and who reads it then.
            let plans = &self.plans[slot];
            let changed = plans.rank_of(number).into_iter();
            let ranks = changed.flat_map(|rank| plans.readers_of(rank).chain([rank])).collect();
            self.recall_wanted(slot, key, Wanted::Some(ranks), effect.at)?;
        }
        let before = self.written_of(of, key)?;
        let mut values = before.read();
        let row = values.get(number);
        let is_in = matches!(row.map(|row| row.held), Some(Held::In(_)));
        let held = match effect.what {
            What::Entered => Held::In(effect.at),
            What::Exited if is_in => Held::Out(effect.at),
            // Only told: a part of the profile had been in it.
            What::Exited | What::Value(_) | What::Announced(_) => return Ok(()),
        };
        let until = row.and_then(|row| row.until);
        let is_approximate = row.is_some_and(|row| row.is_approximate);
        values.set(&ValueRow { number, held, until, is_approximate });
        self.put_values(&before, &values);
        let members = self.meta.spaces.get_mut(slot).map(|counts| &mut counts.members);
        if let Some(members) = members {
            let enters = effect.what == What::Entered;
            members.entry(number).or_default().note(effect.at.day(), enters);
        }
        Ok(())
    }

    /// What follows from the sections as they are: values of traits, and moments.
    fn evaluate_touched(
        &mut self,
        key: InSpace<ProfileId>,
        mut at: Time,
        through: Option<Due>,
        evaluated: &BTreeSet<u32>,
    ) -> Result<(), StateError> {
        let slot = usize::try_from(key.space).unwrap_or(usize::MAX);
        let Some(plans) = self.plans.get(slot).map(Arc::clone) else { return Ok(()) };
        if self.collection_of(key)? == Collection::Accounts {
            return self.mark_account(key, at);
        }
        self.mark_accounts_of(slot, key.key, at)?;
        let before = self.written(key)?;
        let mut values = before.read();
        let root = self.root(key.space, key.key.key())?;
        let Some(root) = root.filter(|root| root.profile == key.key) else {
            return Ok(());
        };
        // What is stale is evaluated by the next tick.
        if values.is_stale || plans.live.is_empty() {
            return Ok(());
        }
        values.kinds.clone_from(&root.kinds);
        let mut wanted = plans.stored;
        let mut open = self.unwalked(slot);
        while let Some(rank) = open.pop_first() {
            if !evaluated.contains(&plans.live[rank].number) {
                wanted.remove(rank);
            }
        }
        let is_of_users = |plan: &&LivePlan| {
            plan.kind == DefinitionKind::Audience && plan.collection == Collection::Users
        };
        self.look_at(key.space, &root, |sections| {
            loop {
                let known = values.clone();
                evaluate_by(&plans, wanted, &mut values, sections, (at, None));
                for plan in plans.live.iter().filter(is_of_users) {
                    let was = known.get(plan.number);
                    if let Some(row) = values.get(plan.number).or(was) {
                        let held = was.map_or(Held::Default, |row| row.held);
                        values.set(&ValueRow { held, ..row });
                    }
                }
                let next = values.until().filter(|until| Some((*until, key)) <= through);
                let Some(next) = next else { break };
                at = next;
                wanted = values.due(at).filter_map(|number| plans.rank_of(number)).collect();
            }
        })?;
        self.put_values(&before, &values);
        // A tick that was folded again has taken the timer away.
        self.timers.turn(key, None, values.until());
        Ok(())
    }
}
