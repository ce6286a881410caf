//! Everything that a pair is connected to: the part of the graph that is resolved again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_event::{IdentifierKey, ItemPosition, RecordId};

use super::{GoesOn, Hub, Named, PlanError, Progress, Reads, Sizes};
use crate::apart::Pair;
use crate::find::find_root;
use crate::number::TypeNumber;
use crate::row::{
    ComponentId, ComponentRow, EvidenceRow, IdentifierRow, Member, Seen, SetKey, Sighting, Stamp,
    WholeRows,
};
use crate::skeleton::PreviousSeen;

/// How many hubs a refusal names.
const HUBS: usize = 5;

/// A set of identifiers, and the events that are kept of it.
#[derive(Debug, Clone)]
pub(super) struct Set {
    /// As events claim them.
    pub(super) claimed: Vec<IdentifierKey>,
    pub(super) previous: Option<PreviousSeen>,
    pub(super) stamps: BTreeMap<ItemPosition, Stamp>,
    /// Whether there were more events that mattered.
    pub(super) is_cut: bool,
}

/// The rows of the part as they are.
#[derive(Debug, Default)]
pub(super) struct Closure {
    pub(super) identifiers: BTreeMap<IdentifierKey, IdentifierRow>,
    pub(super) components: BTreeMap<ComponentId, Arc<ComponentRow>>,
    pub(super) evidence: BTreeMap<(ComponentId, SetKey), EvidenceRow>,
    pub(super) sightings: BTreeSet<Sighting>,
    /// Every identifier, with its type and value.
    pub(super) names: BTreeMap<IdentifierKey, (TypeNumber, Box<str>)>,
    pub(super) reads: Reads,
}

impl Closure {
    /// Reads the part that these identifiers are connected to.
    pub(super) fn read<R: WholeRows>(
        pairs: impl IntoIterator<Item = Pair>,
        sizes: Sizes,
        rows: &mut R,
        goes_on: GoesOn<'_>,
    ) -> Result<Self, PlanError<R::Error>> {
        let mut closure = Self::default();
        let mut keys: BTreeSet<IdentifierKey> = pairs.into_iter().flat_map(Pair::keys).collect();
        let mut under = BTreeSet::new();
        loop {
            keys.retain(|key| closure.reads.keys.insert(*key));
            let known = closure.components.keys().copied();
            let mut components: BTreeSet<_> = known.filter(|id| under.insert(*id)).collect();
            if keys.is_empty() && components.is_empty() {
                return Ok(closure);
            }
            let mut next = BTreeSet::new();
            for key in &keys {
                if let Some(row) = rows.identifier(*key).map_err(failed)? {
                    closure.add_profile(row.component, rows, &mut next)?;
                }
            }
            let sightings = rows.sightings(&keys, sizes.most).map_err(failed)?;
            closure.sightings.extend(sightings);
            let known = closure.sightings.iter().map(|sighting| sighting.component);
            let unknown: Vec<_> = known.filter(|id| !closure.components.contains_key(id)).collect();
            for component in unknown {
                closure.add_profile(component, rows, &mut next)?;
            }
            components.extend(closure.components.keys().copied().filter(|id| under.insert(*id)));
            for (component, set, row) in
                rows.evidence_under(&components, sizes.most).map_err(failed)?
            {
                if row.is_in_doubt(set) {
                    return Err(PlanError::Verified);
                }
                closure.add_evidence(component, set, row, &mut next);
            }
            if closure.evidence.len() > sizes.most || closure.sightings.len() > sizes.most {
                return Err(closure.too_large(sizes));
            }
            if !goes_on(Progress { found: closure.evidence.len(), resolved: 0 }) {
                return Err(PlanError::Stopped);
            }
            keys = next;
        }
    }

    /// Adds the profile of a component: its row, and those of all that were merged into it.
    fn add_profile<R: WholeRows>(
        &mut self,
        component: ComponentId,
        rows: &mut R,
        next: &mut BTreeSet<IdentifierKey>,
    ) -> Result<(), PlanError<R::Error>> {
        if self.components.contains_key(&component) {
            return Ok(());
        }
        let (root, row) = find_root(rows, component)?;
        self.reads.components.extend([component, root]);
        let corrupt = |component| crate::resolve::ResolveError::Corrupt { component };
        for member in &row.members {
            let mapped = rows.identifier(member.key).map_err(failed)?;
            let mapped = mapped.ok_or_else(|| corrupt(root))?;
            if mapped.verified {
                return Err(PlanError::Verified);
            }
            self.reads.components.insert(mapped.component);
            self.identifiers.insert(member.key, mapped);
            self.names.insert(member.key, (member.number, member.value.clone()));
            next.insert(member.key);
            if mapped.component != root && !self.components.contains_key(&mapped.component) {
                let home = rows.component(mapped.component).map_err(failed)?;
                let home = home.ok_or_else(|| corrupt(mapped.component))?;
                self.components.insert(mapped.component, home);
            }
        }
        self.components.insert(root, row);
        Ok(())
    }

    fn add_evidence(
        &mut self,
        component: ComponentId,
        set: SetKey,
        row: EvidenceRow,
        next: &mut BTreeSet<IdentifierKey>,
    ) {
        next.extend(row.identifiers.iter().map(|seen| seen.key));
        for (seen, value) in row.left_out() {
            self.names.insert(seen.key, (seen.number, value.into()));
        }
        for reading in row.previous.iter().flat_map(|previous| previous.readings()) {
            next.insert(reading.key);
            self.names.insert(reading.key, (reading.number, reading.value.clone()));
        }
        self.evidence.insert((component, set), row);
    }

    /// The sets, each with the events that are kept of it. What a component began with is a set too,
    /// unless its event is told in full by another row.
    pub(super) fn sets(&self) -> BTreeMap<SetKey, Set> {
        let mut sets = BTreeMap::<SetKey, Set>::new();
        let mut told = BTreeSet::new();
        for ((_, key), row) in &self.evidence {
            let set = sets.entry(*key).or_insert_with(|| Set {
                claimed: row.claimed().map(|seen: &Seen| seen.key).collect(),
                previous: row.previous.as_deref().cloned(),
                stamps: BTreeMap::new(),
                is_cut: false,
            });
            let stamps = std::iter::once(&row.first).chain(&row.again);
            set.stamps.extend(stamps.map(|stamp| (stamp.position, *stamp)));
            set.is_cut |= row.is_cut;
            told.extend(set.stamps.keys().copied());
        }
        for row in self.components.values() {
            let Some(first) = row.members.first() else { continue };
            if told.contains(&first.position) {
                continue;
            }
            let claimed: Vec<_> = row.birth().map(|member| member.key).collect();
            let key = SetKey::of(claimed.iter().copied());
            let set = sets.entry(key).or_insert_with(|| Set {
                claimed,
                previous: None,
                stamps: BTreeMap::new(),
                is_cut: false,
            });
            set.stamps.insert(first.position, mapped_by(first));
        }
        sets
    }

    /// The message ids of events, where a mapping says them.
    pub(super) fn message_ids(&self) -> BTreeMap<ItemPosition, Box<str>> {
        let members = self.components.values().flat_map(|row| &row.members);
        let id = |member: &Member| Some((member.position, member.message_id.clone()?));
        members.filter_map(id).collect()
    }

    /// The profile's root component of an identifier.
    pub(super) fn root_of(&self, key: IdentifierKey) -> Option<ComponentId> {
        let mut id = self.identifiers.get(&key)?.component;
        while let Some(parent) = self.components.get(&id)?.parent {
            id = parent;
        }
        Some(id)
    }

    fn too_large<E>(&self, sizes: Sizes) -> PlanError<E> {
        let mut counts = BTreeMap::<IdentifierKey, usize>::new();
        let sets = self.evidence.values().flat_map(|row| &row.identifiers);
        sets.for_each(|seen| *counts.entry(seen.key).or_default() += 1);
        self.sightings.iter().for_each(|one| *counts.entry(one.key).or_default() += 1);
        let mut counts: Vec<_> = counts.into_iter().map(|(key, sets)| (sets, key)).collect();
        counts.sort_unstable_by(|one, other| other.cmp(one));
        let hub = |(sets, key): (usize, IdentifierKey)| {
            let (number, value) = self.names.get(&key)?.clone();
            Some(Hub { name: Named { number, value, key }, sets })
        };
        let hubs = counts.into_iter().filter_map(hub).take(HUBS).collect();
        PlanError::TooLarge { most: sizes.most, hubs }
    }
}

/// The event that mapped a member. The id of its record is not kept.
pub(crate) fn mapped_by(member: &Member) -> Stamp {
    Stamp {
        position: member.position,
        record: RecordId::default(),
        source: member.source,
        event_time: member.event_time,
        log_time: member.mapped_at,
    }
}

pub(super) fn failed<E>(error: E) -> PlanError<E> {
    PlanError::Resolve(crate::resolve::ResolveError::Rows(error))
}
