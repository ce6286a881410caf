//! One record: admit, resolve, fold, emit. No clock, no chance, no input or output but the tables.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_audience::When;
use selfsame_dedupe::Verdict as Seen;
use selfsame_event::{
    EventsHead, IdentifierKey, ImportOrigin, RecordId, RecordKind, Time, TokenVerdict,
};
use selfsame_identity::{Claims, Occurrence, Outcome, Resolution, Verdict as Met, Violation};
use selfsame_log::{Item, Record};
use selfsame_profile::{Limits, Role, Rules};

use crate::computed::seen;
use crate::decision::{Accepted, Decision, Note, NoteKind, Verdict};
use crate::effect::Effect;
use crate::graph::Graph;
use crate::key::{InSpace, LedgerKey, ListKey, TraitIndexKey};
use crate::partition::{self, partition_of};
use crate::prepare::{AT_ONCE, Arrival, Origin, Prepared, warm};
use crate::row::{Keeping, Listed, Present};
use crate::state::{State, StateError};
use crate::trend::{DayCounts, of_day};
use crate::workspace::ChangeError;

/// How many entries the lists of insights and of a day's rejected events keep: the newest.
pub const LIST_LENGTH: u64 = 10_000;
/// For how many days the lists of rejected events are kept.
pub const REJECTED_DAYS_KEPT: u32 = 30;

/// How many streams an event seldom belongs to more of.
const TOUCHED: usize = 32;

/// What folding a record decided.
#[derive(Debug, Default)]
pub struct Emitted {
    /// One decision for each item.
    pub decisions: Vec<Decision>,
    /// What changed for profiles besides, in the order in which it did.
    pub effects: Vec<Effect>,
    /// What became of a change of the configuration, or of who is who.
    pub change: Option<Result<(), ChangeError>>,
}

/// Whose an event is, and what is to be said of that.
pub(crate) struct Resolved {
    pub(crate) outcome: Outcome,
    pub(crate) notes: Vec<Note>,
}

impl State {
    /// Folds the next record. After an error the state is to be opened anew.
    pub fn step(&mut self, record: &Record) -> Result<Emitted, StateError> {
        debug_assert_eq!(record.position, self.next(), "records are folded in order, each once");
        let mut emitted = Emitted::default();
        if self.skipped.contains(&record.position.offset) {
            let skip = |_| Decision { kind: None, verdict: Verdict::Skipped };
            emitted.decisions = record.items.iter().map(skip).collect();
        } else {
            match RecordKind::from_code(record.kind) {
                Some(RecordKind::Events) => emitted.decisions = self.events(record)?,
                Some(RecordKind::Rejected) => emitted.decisions = self.rejected(record)?,
                Some(RecordKind::Config) => emitted.change = Some(self.change(record)?),
                Some(RecordKind::Identity) => emitted.change = Some(self.identity(record)?),
                Some(RecordKind::Computed) => emitted.change = Some(self.computed(record)?),
                Some(RecordKind::Skip) => {}
                None => return Err(StateError::Record { position: record.position }),
            }
        }
        emitted.effects = std::mem::take(&mut self.effects);
        for effect in emitted.effects.iter().filter(|effect| effect.is_told) {
            let slot = usize::try_from(effect.space).unwrap_or(usize::MAX);
            if let Some(counts) = self.meta.spaces.get_mut(slot) {
                counts.effects += 1;
            }
        }
        self.meta.next = record.position.next().offset;
        self.meta.log_time = record.time.micros();
        Ok(emitted)
    }

    fn events(&mut self, record: &Record) -> Result<Vec<Decision>, StateError> {
        let head = read_head(record)?;
        let origin = self.origin(record, &head)?;
        let mut decisions = Vec::with_capacity(record.items.len());
        for (items, first) in record.items.chunks(AT_ONCE).zip((0_u32..).step_by(AT_ONCE)) {
            let bodies = items.iter().map(Item::body);
            let events: Vec<_> = bodies.map(|body| Some(head.event(body?))).collect();
            let prepare = |(index, event)| self.prepare(origin, index, Option::as_ref(event));
            let prepared: Vec<_> = (first..).zip(&events).map(prepare).collect();
            let has_definitions = !self.plans[origin.slot].is_empty();
            warm(&self.tables, &self.dedupe, (origin.space, has_definitions), &prepared);
            for prepared in prepared {
                decisions.push(match prepared {
                    Prepared::Erased => Decision { kind: None, verdict: Verdict::Erased },
                    // It was checked before it was appended, by rules that have changed since.
                    Prepared::Refused(refusal) => {
                        Decision { kind: None, verdict: Verdict::Refused(refusal) }
                    }
                    Prepared::Event(arrival) => self.event(&arrival)?,
                });
            }
        }
        Ok(decisions)
    }

    fn event(&mut self, arrival: &Arrival<'_>) -> Result<Decision, StateError> {
        let verdict = match self.admit(arrival)? {
            Some(verdict) => verdict,
            None => self.resolve_and_fold(arrival)?,
        };
        Ok(Decision { kind: Some(arrival.event.kind), verdict })
    }

    /// Admit: has this event been there before?
    fn admit(&mut self, arrival: &Arrival<'_>) -> Result<Option<Verdict>, StateError> {
        if let Some(import) = arrival.origin.head.import
            && !is_next_line(&mut self.meta.imports, import, arrival.at.index)
        {
            self.count_duplicate(arrival, false);
            return Ok(Some(Verdict::Duplicate { first: arrival.at }));
        }
        let content = arrival.event.fingerprint;
        let original = arrival.event.original_timestamp;
        let now = arrival.origin.time;
        let seen = self.dedupe.admit(arrival.id, content, arrival.at, now, original)?;
        let verdict = match seen {
            Seen::New => return Ok(None),
            Seen::Duplicate { first } => Verdict::Duplicate { first },
            Seen::DifferentContent { first } => Verdict::Changed { first },
        };
        self.count_duplicate(arrival, matches!(verdict, Verdict::Changed { .. }));
        Ok(Some(verdict))
    }

    fn count_duplicate(&mut self, arrival: &Arrival<'_>, changed: bool) {
        let source = arrival.source();
        let index = usize::try_from(source.0).unwrap_or(usize::MAX);
        if let Some(counts) = self.meta.sources.get_mut(index) {
            *(if changed { &mut counts.changed } else { &mut counts.duplicates }) += 1;
        }
        self.list_insight(arrival.origin.space, arrival, if changed { CHANGED } else { DUPLICATE });
    }

    /// Resolve and fold: whose is it, and what does it change?
    pub(crate) fn resolve_and_fold(
        &mut self,
        arrival: &Arrival<'_>,
    ) -> Result<Verdict, StateError> {
        let Origin { space, slot, .. } = arrival.origin;
        let Resolved { outcome, mut notes } = self.resolve(arrival)?;
        let Some(user) = &outcome.user else {
            return Ok(Verdict::Unattached { space, notes });
        };
        let now = arrival.origin.time;
        self.compute_due(slot, user.profile, now)?;
        let absorbed = self.absorb(slot, user, now)?;
        let links = self.links_before(slot, arrival, &outcome)?;
        let touched = self.fold(space, slot, arrival, &outcome, &mut notes)?;
        self.compute_event(slot, arrival, user, &touched, &absorbed)?;
        self.mark_named(slot, arrival, &outcome, &links)?;
        self.list_notes(space, slot, arrival, &notes);
        Ok(Verdict::Accepted(Accepted {
            space,
            anchor: user.anchor,
            profile: user.profile,
            account: outcome.account.as_ref().map(|account| account.profile),
            notes,
        }))
    }

    /// Resolve: whose is it?
    pub(crate) fn resolve(&mut self, arrival: &Arrival<'_>) -> Result<Resolved, StateError> {
        let Origin { space, slot, .. } = arrival.origin;
        let source_slot = usize::try_from(arrival.source().0).unwrap_or(usize::MAX);
        if let Some(counts) = self.meta.sources.get_mut(source_slot) {
            counts.events += 1;
        }
        let claims = &arrival.claims;
        let occurrence =
            Occurrence { stamp: arrival.stamp(), message_id: Some(&arrival.message_id) };
        let tables = Arc::clone(&self.tables);
        let has_apart = self.meta.spaces[slot].apart > 0;
        let mut graph = Graph { tables: &tables, space, has_apart };
        let outcome =
            selfsame_identity::resolve(claims, &occurrence, &self.rules[slot], &mut graph)?;
        let mut notes = Vec::new();
        self.note_claims(slot, claims, &mut notes);
        if let Some(verdict) = arrival.token.filter(|verdict| *verdict != TokenVerdict::Valid) {
            notes.push(Note::new(NoteKind::TokenRefused, "", verdict.code()));
        }
        self.note_violations(slot, &outcome.left_out, claims, &mut notes);
        let Some(user) = &outcome.user else {
            self.meta.spaces[slot].unattached += 1;
            self.day(slot, arrival.origin.time).unattached += 1;
            notes.push(Note::new(NoteKind::NoIdentifier, "", ""));
            self.list_notes(space, slot, arrival, &notes);
            return Ok(Resolved { outcome, notes });
        };
        for resolution in [Some(user), outcome.account.as_ref()].into_iter().flatten() {
            self.note_resolution(space, arrival, resolution, claims, &mut notes);
            let moves = resolution.relocated.iter().map(|one| (one.key, one.from, one.to));
            self.move_sections(space, moves)?;
        }
        self.meta.spaces[slot].events += 1;
        self.day(slot, arrival.origin.time).events += 1;
        Ok(Resolved { outcome, notes })
    }

    fn fold(
        &mut self,
        space: u32,
        slot: usize,
        arrival: &Arrival<'_>,
        outcome: &Outcome,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<u32>, StateError> {
        let plans = Arc::clone(&self.plans[slot]);
        let mut touched = Vec::with_capacity(if plans.is_empty() { 0 } else { TOUCHED });
        let source = self.meta.workspace.source(arrival.source());
        let source = source.map_or("", |source| &source.id);
        let when = When::new(arrival.happened_at, arrival.origin.record, arrival.at.index);
        let seen = seen(arrival.event, when, source);
        let count = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
        let space_id = self.meta.workspace.spaces[slot].id.as_str();
        let rules = Rules { space_id, limits: Limits::default() };
        let link = outcome.link;
        let sides = [
            (outcome.user.as_ref(), Role::User, link.map(|link| link.account_anchor)),
            (
                outcome.account.as_ref().filter(|_| link.is_some()),
                Role::Account,
                link.map(|link| link.user_anchor),
            ),
        ];
        for (resolution, role, link) in sides {
            let Some(resolution) = resolution else { continue };
            let partition = usize::try_from(partition_of(resolution.profile, count)).unwrap_or(0);
            let resolved = partition::Resolved {
                anchor: InSpace { space, key: resolution.anchor },
                role,
                event: arrival.event,
                message_id: &arrival.message_id,
                record: arrival.origin.record,
                position: arrival.origin.position,
                item: arrival.at.index,
                source: arrival.source(),
                happened_at: arrival.happened_at,
                received_at: arrival.origin.time,
                link,
            };
            let keep = |keeping: Keeping<'_, '_>| {
                let (now, wants) = (arrival.origin.time, (|_| true, &mut touched));
                match keeping {
                    Keeping::Row(row, out) => plans.plans.fold_into(row, &seen, now, wants, out),
                    Keeping::Loose(kept) => plans.plans.fold_loose(kept, &seen, now, wants),
                }
            };
            let keep = (role == Role::User && !plans.is_empty()).then_some(keep);
            let met = self.partitions[partition].fold(&resolved, &rules, keep)?;
            if met.traits_refused > 0 {
                let count = met.traits_refused.to_string();
                notes.push(Note::new(NoteKind::TraitLimit, "", &count));
            }
            if met.traits_too_large > 0 {
                let count = met.traits_too_large.to_string();
                notes.push(Note::new(NoteKind::TraitTooLarge, "", &count));
            }
            if met.link_refused {
                notes.push(Note::new(NoteKind::LinkLimit, "", ""));
            }
            self.index_traits(slot, &resolved);
            self.index_household(slot, &resolved);
        }
        Ok(touched)
    }

    /// Adds the values of declared traits to the index.
    fn index_traits(&self, slot: usize, resolved: &partition::Resolved<'_>) {
        let space = &self.meta.workspace.spaces[slot];
        let Some(traits) = resolved.event.traits.filter(|_| !space.indexed_traits.is_empty())
        else {
            return;
        };
        traits.each_field(|name, value| {
            if space.indexed_traits.iter().any(|indexed| indexed == name) {
                let value = crate::search::trait_digest(&self.hasher, name, value);
                let anchor = resolved.anchor.key;
                let key = TraitIndexKey { space: space.number, value, anchor };
                self.tables.trait_index.put(key, &Present);
            }
        });
    }

    fn note_claims(&self, slot: usize, claims: &Claims<'_>, notes: &mut Vec<Note>) {
        let numbers = &self.meta.spaces[slot].numbers;
        let unfit =
            [(&claims.blocked, NoteKind::ValueBlocked), (&claims.too_long, NoteKind::ValueTooLong)];
        for (values, kind) in unfit {
            notes.extend(values.iter().map(|unfit| {
                let name = numbers.name(unfit.number).map_or("", |(_, name)| name);
                Note::new(kind, name, &unfit.value)
            }));
        }
    }

    fn note_resolution(
        &mut self,
        space: u32,
        arrival: &Arrival<'_>,
        resolution: &Resolution,
        claims: &Claims<'_>,
        notes: &mut Vec<Note>,
    ) {
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let rows = resolution.ledger(arrival.stamp());
        for (row, number) in rows.zip(0_u8..=u8::MAX) {
            // The event may be of a profile that has no part in it: one that a cap kept out.
            let component = row.component();
            let key = LedgerKey { space, component, event: arrival.at, number };
            self.tables.ledger.put(key, &row.encode());
        }
        let counts = &mut self.meta.spaces[slot];
        let merges = u64::try_from(resolution.merges.len()).unwrap_or(u64::MAX);
        counts.merges += merges;
        let alone = resolution.moved.iter().filter(|moved| moved.is_alone).count();
        let created = u64::from(resolution.created) + u64::try_from(alone).unwrap_or(u64::MAX);
        counts.profiles += created;
        counts.profiles = counts.profiles.saturating_sub(merges);
        if created > 0 || merges > 0 {
            let today = of_day(&mut counts.days, arrival.origin.time.day());
            today.profiles += created;
            today.merges += merges;
        }
        let name = |number| counts.numbers.name(number).map_or("", |(_, name)| name);
        let value = |key| value_of(claims, key);
        if resolution.created {
            notes.push(Note::new(NoteKind::ProfileCreated, "", ""));
        }
        notes.extend(resolution.mapped.iter().map(|mapped| {
            Note::new(NoteKind::IdentifierMapped, name(mapped.number), value(mapped.key))
        }));
        notes.extend(resolution.merges.iter().map(|merge| {
            Note::new(NoteKind::ProfilesMerged, "", &merge.child_profile.to_string())
        }));
        notes.extend(
            resolution.moved.iter().map(|moved| {
                Note::new(NoteKind::DeviceMoved, name(moved.number), value(moved.key))
            }),
        );
        notes.extend(resolution.verified.iter().map(|verified| {
            Note::new(NoteKind::IdentifierVerified, name(verified.number), value(verified.key))
        }));
        self.note_violations(slot, &resolution.violations, claims, notes);
    }

    fn note_violations(
        &self,
        slot: usize,
        violations: &[Violation],
        claims: &Claims<'_>,
        notes: &mut Vec<Note>,
    ) {
        let numbers = &self.meta.spaces[slot].numbers;
        let name = |number| numbers.name(number).map_or("", |(_, name)| name);
        for Violation { verdict, number, key, limit } in violations {
            notes.push(Note::new(note_kind(*verdict), name(*number), value_of(claims, *key)));
            notes.extend(limit.map(|met| Note::limit(name(met.number), met.limit)));
        }
    }

    fn day(&mut self, slot: usize, time: Time) -> &mut DayCounts {
        of_day(&mut self.meta.spaces[slot].days, time.day())
    }

    pub(crate) fn list_notes(
        &mut self,
        space: u32,
        slot: usize,
        arrival: &Arrival<'_>,
        notes: &[Note],
    ) {
        for note in notes.iter().filter(|note| note.kind.is_violation()) {
            let why = note.kind as u8;
            *self.meta.spaces[slot].violations.entry(why).or_default() += 1;
            self.day(slot, arrival.origin.time).violations += 1;
            self.list_insight(space, arrival, why);
        }
    }

    fn list_insight(&mut self, space: u32, arrival: &Arrival<'_>, why: u8) {
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let Some(counts) = self.meta.spaces.get_mut(slot) else { return };
        let number = u32::try_from(counts.insights % LIST_LENGTH).unwrap_or(0);
        counts.insights += 1;
        let key = ListKey { owner: space, day: 0, number };
        let row = Listed { event: arrival.at, at: arrival.origin.time, why };
        self.tables.insights.put(key, &row);
    }

    fn rejected(&mut self, record: &Record) -> Result<Vec<Decision>, StateError> {
        let head = read_head(record)?;
        let slot = usize::try_from(head.source.0).unwrap_or(usize::MAX);
        let Some(counts) = self.meta.sources.get_mut(slot) else {
            return Err(StateError::Record { position: record.position });
        };
        let day = record.time.day();
        let mut decisions = Vec::with_capacity(head.refusals.len());
        for (index, refusal) in (0_u32..).zip(&head.refusals) {
            if let Some(import) = head.import
                && !is_next_line(&mut self.meta.imports, import, index)
            {
                let first = record.position.item(index);
                decisions.push(Decision { kind: None, verdict: Verdict::Duplicate { first } });
                continue;
            }
            *counts.rejected.entry(refusal.number()).or_default() += 1;
            let listed = counts.rejected_days.entry(day).or_default();
            let number = u32::try_from(*listed % LIST_LENGTH).unwrap_or(0);
            *listed += 1;
            let key = ListKey { owner: head.source.0, day: day % REJECTED_DAYS_KEPT, number };
            let event = record.position.item(index);
            let row = Listed { event, at: record.time, why: refusal.number() };
            self.tables.rejected.put(key, &row);
            decisions.push(Decision { kind: None, verdict: Verdict::Refused(*refusal) });
        }
        while counts
            .rejected_days
            .first_key_value()
            .is_some_and(|(first, _)| first + REJECTED_DAYS_KEPT <= day)
        {
            counts.rejected_days.pop_first();
        }
        Ok(decisions)
    }
}

/// What lists of insights say of duplicates, besides the numbers of notes.
pub const DUPLICATE: u8 = 100;
/// What lists of insights say of an id that came again with other content.
pub const CHANGED: u8 = 101;

/// The message id of an event that came without one.
pub fn derived_message_id(record: RecordId, index: u32) -> String {
    format!("selfsame-{record}-{index}")
}

/// Whether a line of an imported file is beyond those that were there, of which it is then one.
fn is_next_line(imports: &mut BTreeMap<String, u64>, import: ImportOrigin, index: u32) -> bool {
    let line = import.first_line + u64::from(index);
    let file = import.file.iter().map(|byte| format!("{byte:02x}")).collect();
    let next = imports.entry(file).or_default();
    let is_next = line >= *next;
    if is_next {
        *next = line + 1;
    }
    is_next
}

/// The value of an identifier on an event.
fn value_of<'c>(claims: &'c Claims<'_>, key: IdentifierKey) -> &'c str {
    let previous = claims.previous.iter();
    let previous = previous.flat_map(|one| one.anonymous.iter().chain(&one.user));
    let mut claimed = claims.users.iter().chain(&claims.accounts).chain(previous);
    claimed.find(|claim| claim.key == key).map_or("", |claim| &claim.value)
}

/// The kind of note that a verdict is.
pub(crate) fn note_kind(verdict: Met) -> NoteKind {
    match verdict {
        Met::NoIdentifiers => NoteKind::NoIdentifier,
        Met::ValueLimit => NoteKind::ValueLimit,
        Met::ValueTimeLimit => NoteKind::ValueTimeLimit,
        Met::ValueBlocked => NoteKind::ValueBlocked,
        Met::ValueTooLong => NoteKind::ValueTooLong,
        Met::MergeLimit => NoteKind::MergeLimit,
        Met::MappingLimit => NoteKind::MappingLimit,
        Met::CannotLink => NoteKind::CannotLink,
        Met::Unverified => NoteKind::Unverified,
        Met::KnownPeople => NoteKind::KnownPeople,
        Met::SharedDevice => NoteKind::SharedDevice,
    }
}

pub(crate) fn read_head(record: &Record) -> Result<EventsHead, StateError> {
    EventsHead::decode(&record.head).map_err(|_| StateError::Record { position: record.position })
}
