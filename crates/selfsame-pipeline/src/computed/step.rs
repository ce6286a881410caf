//! Computed traits and audiences in the step of a record.

use std::collections::BTreeSet;
use std::sync::Arc;

use selfsame_audience::{Event, When};
use selfsame_event::{Collection, EventType, ProfileId, Time};
use selfsame_identity::{ComponentId, Resolution};
use selfsame_store::CachedTable;

use super::evaluation::{Changed, evaluate_by};
use super::facts::{StreamSince, Version};
use super::plans::SpacePlans;
use super::ranks::Ranks;
use super::row::{Held, Values, first_moment};
use super::wanted::{ByEvent, Wanted};
use crate::effect::{Effect, What};
use crate::key::InSpace;
use crate::prepare::Arrival;
use crate::state::{State, StateError};
use crate::workspace::DefinitionKind;

/// Of profiles that became part of another one: the audiences that they were in.
#[derive(Debug, Default)]
pub(crate) struct Absorbed(BTreeSet<u32>);

/// When something is evaluated, and because of what.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) time: Time,
    /// The number of the event in its record, if it is one.
    pub(super) cause: Option<u32>,
    /// A component of the profile, where it is known.
    pub(super) component: Option<ComponentId>,
    /// Whether every account is evaluated behind it anyway.
    pub(super) is_before_accounts: bool,
}

impl At {
    /// At a moment, because of nothing.
    pub(super) fn moment(time: Time) -> Self {
        Self { time, cause: None, component: None, is_before_accounts: false }
    }
}

/// What is written of the values of a profile.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) key: InSpace<ProfileId>,
    /// Whose they are.
    of: Collection,
    bytes: WrittenBytes,
}

/// Its bytes. Their memory is used for one profile after the other.
#[derive(Debug, Default)]
pub(crate) struct WrittenBytes {
    values: Vec<u8>,
    moments: Vec<u8>,
}

impl Written {
    /// The values.
    pub(super) fn read(&self) -> Values<'_> {
        let WrittenBytes { values, moments } = &self.bytes;
        Values::read(values, moments).unwrap_or_default()
    }
}

fn put(
    table: &CachedTable<InSpace<ProfileId>, [u8]>,
    key: InSpace<ProfileId>,
    before: &[u8],
    after: &[u8],
) {
    if after.is_empty() && !before.is_empty() {
        table.remove(key);
    } else if after != before {
        table.put(key, after);
    }
}

/// An event as definitions see it.
pub(crate) fn seen<'a>(
    event: &'a selfsame_event::Event<'a>,
    when: When,
    source: &'a str,
) -> Event<'a> {
    let name = match event.kind {
        EventType::Track => event.event.as_deref(),
        EventType::Page | EventType::Screen => event.name.as_deref(),
        EventType::Identify | EventType::Group | EventType::Alias => None,
    };
    let (properties, context) = (event.properties, event.context);
    Event { kind: event.kind, name, when, source, properties, context }
}

impl State {
    /// Takes up what a change of the configuration says of definitions: those whose text is another one
    /// get a version that is to be computed.
    pub(crate) fn define(&mut self, space: &str, offset: u64) {
        let Some(slot) = self.slot_of(space) else { return };
        if self.settled(space).is_some() {
            return;
        }
        let workspace = &self.meta.workspace;
        let counts = &mut self.meta.spaces[slot];
        let computing = Arc::make_mut(&mut counts.computing);
        let numbers: BTreeSet<u32> =
            workspace.definitions_of(space).map(|one| one.number).collect();
        computing.definitions.retain(|number, _| numbers.contains(number));
        counts.members.retain(|number, _| numbers.contains(number));
        for definition in workspace.definitions_of(space) {
            let progress = computing.definitions.entry(definition.number).or_default();
            let is_same = |version: &Version| version.query == definition.query;
            if progress.live.as_ref().is_some_and(is_same) {
                progress.next = None;
            } else if !progress.next.as_ref().is_some_and(is_same) {
                progress.next = Some(Version {
                    query: definition.query.clone(),
                    streams: Vec::new(),
                    since: offset,
                    is_announced: false,
                });
            }
        }
        self.plan(slot, Some(offset));
    }

    /// Compiles the definitions of a space. Streams that are new are kept from that record on.
    pub(crate) fn plan(&mut self, slot: usize, since: Option<u64>) {
        let are_evaluated = !self.is_dormant(slot);
        let Some(space) = self.meta.workspace.spaces.get(slot) else { return };
        let settled = self.settled(&space.id).cloned();
        let Some(counts) = self.meta.spaces.get_mut(slot) else { return };
        if counts.computing.definitions.is_empty() && counts.computing.streams.is_empty() {
            self.plans[slot] = Arc::default();
            return;
        }
        let computing = Arc::make_mut(&mut counts.computing);
        let definitions: Vec<_> = match &settled {
            Some(settled) => settled.definitions.iter().collect(),
            None => self.meta.workspace.definitions_of(&space.id).collect(),
        };
        let mut plans =
            SpacePlans::compile(&definitions, computing, &counts.numbers, are_evaluated);
        if let Some(since) = since {
            for (number, progress) in &mut computing.definitions {
                let (Some(next), Some(streams)) = (&mut progress.next, plans.next_streams(*number))
                else {
                    continue;
                };
                next.streams = streams.to_vec();
                for stream in streams {
                    let new = StreamSince { since, is_whole: since == 0 };
                    computing.streams.entry(*stream).or_insert(new);
                }
            }
            computing.drop_unread();
        }
        let (is_awaited, is_stored) =
            (|number| plans.is_awaited(number), |number| plans.is_stored(number));
        computing.note_stored(is_awaited, is_stored);
        computing.reassessing &= computing.is_anybody_waiting();
        plans.note_walked(computing);
        self.plans[slot] = Arc::new(plans);
    }

    pub(crate) fn slot_of(&self, space: &str) -> Option<usize> {
        let space = self.meta.workspace.space(space)?;
        let slot = usize::try_from(space.number).ok()?;
        (slot < self.meta.spaces.len()).then_some(slot)
    }

    /// Values of profiles that an event made part of another one, or took a device from, give way.
    pub(crate) fn absorb(
        &mut self,
        slot: usize,
        user: &Resolution,
        now: Time,
    ) -> Result<Absorbed, StateError> {
        let mut absorbed = Absorbed::default();
        if self.plans[slot].live.is_empty() {
            return Ok(absorbed);
        }
        for merge in &user.merges {
            self.forget_values(slot, merge.child_profile, now, &mut absorbed.0)?;
        }
        for moved in &user.moved {
            if moved.from != user.profile {
                self.mark_stale(slot, moved.from, now)?;
            }
            if moved.to != user.profile {
                self.mark_stale(slot, moved.to, now)?;
            }
        }
        Ok(absorbed)
    }

    /// Evaluates what an event may have changed, behind what its section keeps of it.
    pub(crate) fn compute_event(
        &mut self,
        slot: usize,
        arrival: &Arrival<'_>,
        user: &Resolution,
        touched: &[u32],
        absorbed: &Absorbed,
    ) -> Result<(), StateError> {
        let plans = Arc::clone(&self.plans[slot]);
        if plans.live.is_empty() {
            return Ok(());
        }
        let is_known = !self.meta.spaces[slot].computing.reassessing;
        let by = ByEvent::new(arrival.happened_at, &plans, touched);
        let wanted = if is_known && user.merges.is_empty() && user.moved.is_empty() {
            let of_kinds = user.mapped.iter().flat_map(|mapped| plans.of_kind(mapped.number));
            let of_kinds: Ranks = of_kinds.collect();
            if user.created || arrival.event.traits.is_some() || !of_kinds.is_empty() {
                let mut wanted = by.ranks.or(of_kinds);
                if user.created {
                    wanted = wanted.or(plans.at_creation());
                }
                if arrival.event.kind == EventType::Identify
                    && let Some(traits) = arrival.event.traits
                {
                    traits.each_field(|key, _| wanted.extend(plans.of_trait(key)));
                }
                Wanted::Some(wanted)
            } else {
                Wanted::By(&by)
            }
        } else {
            Wanted::All
        };
        let (now, cause) = (arrival.origin.time, arrival.at.index);
        if self.recall.is_on() {
            return self.recall_event(slot, user.profile, cause, wanted, now);
        }
        self.mark_for_event(slot, arrival, user, touched)?;
        let key = self.values_key(slot, user.profile);
        let (cause, component) = (Some(cause), Some(user.component));
        let at = At { cause, component, ..At::moment(now) };
        self.compute(key, wanted, at, absorbed)
    }

    /// Evaluates what may have changed of a profile by then though nothing happened, each at its moment.
    pub(crate) fn compute_due(
        &mut self,
        slot: usize,
        profile: ProfileId,
        now: Time,
    ) -> Result<(), StateError> {
        if self.timers.len() == 0 {
            return Ok(());
        }
        let key = self.values_key(slot, profile);
        if self.recall.is_on() {
            return Ok(());
        }
        while let Some(due) = self.until(&key)?.filter(|due| *due <= now) {
            self.compute_at(key, due, now)?;
        }
        Ok(())
    }

    /// The first moment of a profile.
    fn until(&self, key: &InSpace<ProfileId>) -> Result<Option<Time>, StateError> {
        Ok(self.tables.moments.read(key, first_moment)?.flatten())
    }

    pub(super) fn compute_at(
        &mut self,
        key: InSpace<ProfileId>,
        due: Time,
        now: Time,
    ) -> Result<(), StateError> {
        // What is stale is evaluated as of now.
        let (wanted, time) =
            if due == Time::EPOCH { (Wanted::All, now) } else { (Wanted::Due, due) };
        self.compute(key, wanted, At::moment(time), &Absorbed::default())
    }

    /// What is written of the values of a profile.
    pub(super) fn written(&self, key: InSpace<ProfileId>) -> Result<Written, StateError> {
        self.written_of(Collection::Users, key)
    }

    /// What is written of the values of a user or an account.
    pub(super) fn written_of(
        &self,
        of: Collection,
        key: InSpace<ProfileId>,
    ) -> Result<Written, StateError> {
        self.written_in(WrittenBytes::default(), of, key)
    }

    /// The same in memory that was used before.
    fn written_in(
        &self,
        mut bytes: WrittenBytes,
        of: Collection,
        key: InSpace<ProfileId>,
    ) -> Result<Written, StateError> {
        let WrittenBytes { values, moments } = &mut bytes;
        values.clear();
        moments.clear();
        self.tables.computed.view(&key, |row| values.extend_from_slice(row))?;
        self.tables.moments.view(&key, |row| moments.extend_from_slice(row))?;
        Ok(Written { key, of, bytes })
    }

    /// Writes what changed of the values of a profile, and sets its timer.
    pub(super) fn put_values(&mut self, before: &Written, after: &Values<'_>) {
        let (key, WrittenBytes { values, moments }) = (before.key, &before.bytes);
        let mut bytes = Vec::with_capacity(values.len().max(moments.len()) + 64);
        after.encode(&mut bytes);
        put(&self.tables.computed, key, values, &bytes);
        bytes.clear();
        after.encode_moments(&mut bytes);
        put(&self.tables.moments, key, moments, &bytes);
        let timers = match before.of {
            Collection::Users => &mut self.timers,
            Collection::Accounts => &mut self.account_timers,
        };
        timers.turn(key, first_moment(moments), first_moment(&bytes));
    }

    pub(super) fn compute(
        &mut self,
        key: InSpace<ProfileId>,
        asked: Wanted<'_>,
        at: At,
        absorbed: &Absorbed,
    ) -> Result<(), StateError> {
        let InSpace { space, key: profile } = key;
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let now = at.time;
        let plans = Arc::clone(&self.plans[slot]);
        let ranks = match &asked {
            Wanted::Some(ranks) | Wanted::By(ByEvent { ranks, .. }) => Some(ranks),
            Wanted::All | Wanted::Due => None,
        };
        if ranks.is_some_and(Ranks::is_empty) {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.value_bytes);
        let before = self.written_in(bytes, Collection::Users, key)?;
        let mut values = before.read();
        let mut by = None;
        let wanted = match asked {
            Wanted::All => {
                values.is_stale = false;
                values.retain(|number| plans.is_stored(number));
                plans.stored
            }
            Wanted::Due => {
                values.retain_moments(|number| plans.is_stored(number));
                values.due(now).filter_map(|number| plans.rank_of(number)).collect()
            }
            Wanted::Some(wanted) => wanted.and(plans.stored),
            Wanted::By(event) => {
                by = Some(event);
                event.wanted(&plans, &values)
            }
        };
        let is_by_event = matches!(asked, Wanted::Some(_) | Wanted::By(_));
        if is_by_event && wanted.is_empty() && absorbed.0.is_empty() {
            self.value_bytes = before.bytes;
            return Ok(());
        }
        let root = match at.component {
            Some(component) => self.root_of(key.space, component)?,
            None => self.root(key.space, profile.key())?,
        };
        let Some(anchors) = root.filter(|root| root.profile == profile) else {
            // Nobody has that id any more.
            return self.forget_values(slot, profile, now, &mut BTreeSet::new());
        };
        values.kinds.clone_from(&anchors.kinds);
        let changes = self.look_at(key.space, &anchors, |sections| {
            evaluate_by(&plans, wanted, &mut values, sections, (now, by))
        })?;
        self.put_values(&before, &values);
        self.announce(key, &plans, &changes, at);
        let is_asked = |one: &Changed| plans.accounts.reads_of_users(&plans.live[one.rank].id);
        if !at.is_before_accounts && changes.iter().any(is_asked) {
            self.mark_accounts_of(slot, profile, now)?;
        }
        // Who was told that a part of the profile is in an audience is told when the whole is not.
        for number in &absorbed.0 {
            let is_told = plans.rank_of(*number).filter(|rank| plans.live[*rank].is_told);
            let is_in = values.get(*number).is_some_and(|row| matches!(row.held, Held::In(_)));
            let is_said = changes.iter().any(|one| plans.live[one.rank].number == *number);
            if is_told.is_some() && !is_in && !is_said {
                self.emit(key, *number, at, What::Exited);
            }
        }
        self.value_bytes = before.bytes;
        Ok(())
    }

    pub(super) fn announce(
        &mut self,
        key: InSpace<ProfileId>,
        plans: &SpacePlans,
        changes: &[Changed],
        at: At,
    ) {
        let slot = usize::try_from(key.space).unwrap_or(usize::MAX);
        for Changed { rank, value } in changes {
            let Some(plan) = plans.live.get(*rank) else { continue };
            let what = match plan.kind {
                DefinitionKind::Audience => {
                    let enters = &**value == "true";
                    let members = &mut self.meta.spaces[slot].members;
                    members.entry(plan.number).or_default().note(at.time.day(), enters);
                    if enters { What::Entered } else { What::Exited }
                }
                // What an account came to is always said: what is folded again takes it from there.
                DefinitionKind::ComputedTrait
                    if !plan.is_told && plan.collection == Collection::Users =>
                {
                    continue;
                }
                DefinitionKind::ComputedTrait => What::Value(value.clone()),
            };
            self.emit(key, plan.number, at, what);
        }
    }

    pub(super) fn emit(&mut self, key: InSpace<ProfileId>, definition: u32, at: At, what: What) {
        let InSpace { space, key: profile } = key;
        let At { time: at, cause, .. } = at;
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let is_told = self.plans[slot].is_told(definition);
        self.effects.push(Effect { space, profile, definition, at, cause, is_told, what });
    }

    /// A profile is no profile of its own any more. Notes the audiences that it was in.
    pub(super) fn forget_values(
        &mut self,
        slot: usize,
        profile: ProfileId,
        now: Time,
        was_in: &mut BTreeSet<u32>,
    ) -> Result<(), StateError> {
        let key = self.values_key(slot, profile);
        let before = self.written_of(self.collection_of(key)?, key)?;
        let values = before.read();
        for row in values.iter().filter(|row| matches!(row.held, Held::In(_))) {
            if let Some(members) = self.meta.spaces[slot].members.get_mut(&row.number) {
                members.merged(now.day());
            }
            was_in.insert(row.number);
        }
        self.recall.forget(&key);
        self.put_values(&before, &Values::default());
        Ok(())
    }

    /// Has a profile evaluated anew by the next tick.
    pub(crate) fn mark_stale(
        &mut self,
        slot: usize,
        profile: ProfileId,
        now: Time,
    ) -> Result<(), StateError> {
        if self.plans[slot].live.is_empty() {
            return Ok(());
        }
        let key = self.values_key(slot, profile);
        if self.collection_of(key)? == Collection::Accounts {
            return self.mark_or_forget(key, now);
        }
        let root = self.root(key.space, profile.key())?;
        if root.is_none_or(|root| root.profile != profile) {
            return self.forget_values(slot, profile, now, &mut BTreeSet::new());
        }
        let before = self.written(key)?;
        let mut values = before.read();
        values.is_stale = true;
        self.put_values(&before, &values);
        self.mark_accounts_of(slot, profile, now)
    }
}
