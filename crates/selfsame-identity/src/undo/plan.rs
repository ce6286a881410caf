//! The plan: what a change would do, and doing it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_event::{IdentifierKey, ProfileId};

use super::again::{Again, roots};
use super::closure::{Closure, Set, failed};
use super::{Change, Cluster, Counts, GoesOn, Moved, Named, Plan, PlanError, RulesLog, Sizes};
use crate::apart::{ApartFrom, ApartRow, Pair};
use crate::compile::Rules;
use crate::row::{
    ComponentId, ComponentRow, EvidenceRow, IdentifierRow, SetKey, Sighting, WholeRows,
};
use crate::skeleton::PreviousSeen;

/// What is to be written. A row of none is removed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writes {
    identifiers: BTreeMap<IdentifierKey, Option<IdentifierRow>>,
    components: BTreeMap<ComponentId, Option<Arc<ComponentRow>>>,
    evidence: BTreeMap<(ComponentId, SetKey), Option<EvidenceRow>>,
    sightings: BTreeMap<Sighting, bool>,
    apart: BTreeMap<IdentifierKey, Option<ApartRow>>,
}

impl Writes {
    /// The row of a component that is written.
    pub(super) fn component(&self, id: ComponentId) -> Option<&ComponentRow> {
        self.components.get(&id)?.as_deref()
    }

    /// Gives the pairs that a change sets apart its time, where they were not apart before.
    pub(super) fn set_time(&mut self, change: &Change) {
        for pair in &change.apart {
            let [one, other] = pair.keys();
            for (key, across) in [(one, other), (other, one)] {
                if let Some(Some(row)) = self.apart.get_mut(&key) {
                    row.set_since(across, change.at);
                }
            }
        }
    }
}

/// What a change would do. Writes nothing.
pub fn plan<R: WholeRows>(
    change: &Change,
    rules: &RulesLog,
    sizes: Sizes,
    rows: &mut R,
    goes_on: GoesOn<'_>,
) -> Result<Plan, PlanError<R::Error>> {
    let mut closure = Closure::read(pairs_of(change), sizes, rows, goes_on)?;
    for [one, other] in pairs_of(change).map(Pair::keys) {
        let number = |key| closure.names.get(&key).map(|(number, _)| *number);
        let (Some(one), Some(other)) = (number(one), number(other)) else {
            return Err(PlanError::Unknown);
        };
        let collection = |number| rules.last().and_then(|rules| Some(rules.of(number)?.collection));
        if let (Some(one), Some(other)) = (collection(one), collection(other))
            && one != other
        {
            return Err(PlanError::Collections);
        }
    }
    let sets = closure.sets();
    if sets.len() > sizes.in_step {
        return Err(PlanError::JobNeeded { sets: sets.len(), most: sizes.in_step });
    }
    if moves_devices(&closure, &sets, rules) {
        return Err(PlanError::Moves);
    }
    let (was, standing) = standing(change, &closure, rows)?;
    let mut again = Again::run(&closure, &sets, fresh(&standing), rules, goes_on)?;
    let apart = counted(standing, &was, &again.rows.apart);
    let rewritten = std::mem::take(&mut again.rows);
    let (before, after) = (clusters(&closure.components), clusters(&rewritten.components));
    let keys: BTreeSet<_> = pairs_of(change).flat_map(Pair::keys).collect();
    let named = |key: IdentifierKey| {
        let (number, value) = closure.names.get(&key)?.clone();
        Some(Named { number, value, key })
    };
    let mut plan = Plan {
        names: keys.iter().copied().filter_map(named).collect(),
        sets: sets.len(),
        uncertain: again.uncertain,
        left_over: again.left_over,
        met: again.met,
        reads: std::mem::take(&mut closure.reads),
        replaced: closure.components.keys().copied().collect(),
        ledger: again.ledger,
        counts: [count(&before, &was), count(&after, &apart)],
        moved: moved(&closure, &before, &after, &rewritten.identifiers),
        ..Plan::default()
    };
    let has_pair =
        |cluster: &&Cluster| cluster.members.iter().any(|member| keys.contains(&member.key));
    let is_in = |list: &[Cluster], one: &Cluster| {
        let at = list.binary_search_by_key(&one.component, |it| it.component);
        at.is_ok_and(|at| list[at] == *one)
    };
    plan.before = before.iter().filter(|one| !is_in(&after, one)).cloned().collect();
    plan.after = after.iter().filter(|one| !is_in(&before, one)).cloned().collect();
    plan.others = plan.before.iter().filter(|one| !has_pair(one)).map(|one| one.profile).collect();
    plan.rows = Writes {
        identifiers: changed(&closure.identifiers, rewritten.identifiers),
        components: changed(&closure.components, rewritten.components),
        evidence: changed(&closure.evidence, rewritten.evidence),
        sightings: {
            let removed = closure.sightings.difference(&rewritten.sightings);
            let added = rewritten.sightings.difference(&closure.sightings);
            removed.map(|one| (*one, false)).chain(added.map(|one| (*one, true))).collect()
        },
        apart: changed(&was, apart),
    };
    Ok(plan)
}

/// Whether a set has a device that may have moved: one of its events was judged by rules that let it.
fn moves_devices(closure: &Closure, sets: &BTreeMap<SetKey, Set>, rules: &RulesLog) -> bool {
    let is_device =
        |key: &IdentifierKey| closure.names.get(key).is_some_and(|(number, _)| number.is_device());
    sets.values().any(|set| {
        let mut by = set.stamps.keys().filter_map(|at| rules.at(at.record));
        let readings = set.previous.iter().flat_map(PreviousSeen::readings);
        let mut keys = set.claimed.iter().chain(readings.map(|reading| &reading.key));
        keys.any(is_device) && by.any(Rules::moves_devices)
    })
}

fn pairs_of(change: &Change) -> impl Iterator<Item = Pair> {
    change.apart.iter().chain(&change.lift).copied()
}

/// Writes what a plan says. The merge ledger and the sections are the caller's.
pub fn apply<R: WholeRows>(plan: &Plan, rows: &mut R) -> Result<(), R::Error> {
    let writes = &plan.rows;
    // Whoever reads meanwhile finds the component of each identifier.
    for (id, row) in &writes.components {
        if let Some(row) = row {
            rows.set_component(*id, ComponentRow::clone(row))?;
        }
    }
    for (key, row) in &writes.identifiers {
        match row {
            Some(row) => rows.set_identifier(*key, *row)?,
            None => rows.remove_identifier(*key)?,
        }
    }
    for (id, _) in writes.components.iter().filter(|(_, row)| row.is_none()) {
        rows.remove_component(*id)?;
    }
    for ((id, set), row) in &writes.evidence {
        match row {
            Some(row) => rows.set_evidence(*id, *set, row.clone())?,
            None => rows.remove_evidence(*id, *set)?,
        }
    }
    for (sighting, is_there) in &writes.sightings {
        match is_there {
            true => rows.set_sighting(*sighting)?,
            false => rows.remove_sighting(*sighting)?,
        }
    }
    for (key, row) in &writes.apart {
        match row {
            Some(row) => rows.set_apart(*key, row.clone())?,
            None => rows.remove_apart(*key)?,
        }
    }
    Ok(())
}

type ApartRows = BTreeMap<IdentifierKey, ApartRow>;

/// What is set apart in the part: before the change, and with it.
fn standing<R: WholeRows>(
    change: &Change,
    closure: &Closure,
    rows: &mut R,
) -> Result<(ApartRows, ApartRows), PlanError<R::Error>> {
    let mut was = ApartRows::new();
    if rows.has_apart() {
        for key in closure.names.keys() {
            if let Some(row) = rows.apart(*key).map_err(failed)? {
                was.insert(*key, row);
            }
        }
    }
    let mut standing = was.clone();
    let both = |pair: &Pair| {
        let [one, other] = pair.keys();
        [(one, other), (other, one)]
    };
    for (key, other) in change.lift.iter().flat_map(both) {
        if let Some(row) = standing.get_mut(&key) {
            row.remove(other);
        }
    }
    standing.retain(|_, row| !row.others.is_empty());
    for (key, other) in change.apart.iter().flat_map(both) {
        let Some((number, value)) = closure.names.get(&key) else { continue };
        let new = || ApartRow { number: *number, value: value.clone(), others: Vec::new() };
        let (since, by) = (change.at, change.by.clone());
        let from = ApartFrom { key: other, since, by, times: 0, last: None };
        standing.entry(key).or_insert_with(new).add(from);
    }
    Ok((was, standing))
}

/// The same, with nothing met yet.
fn fresh(standing: &ApartRows) -> ApartRows {
    let mut fresh = standing.clone();
    for other in fresh.values_mut().flat_map(|row| &mut row.others) {
        (other.times, other.last) = (0, None);
    }
    fresh
}

/// A pair that stood before keeps what met it; for a new one it is what the skeleton says.
fn counted(mut standing: ApartRows, was: &ApartRows, again: &ApartRows) -> ApartRows {
    for (key, row) in &mut standing {
        for other in &mut row.others {
            let stood = was.get(key).is_some_and(|row| row.from(other.key).is_some());
            let met = again.get(key).and_then(|row| row.from(other.key));
            if let Some(met) = met.filter(|_| !stood) {
                (other.times, other.last) = (met.times, met.last);
            }
        }
    }
    standing
}

fn changed<K: Ord + Copy, V: PartialEq>(
    was: &BTreeMap<K, V>,
    now: BTreeMap<K, V>,
) -> BTreeMap<K, Option<V>> {
    let gone: Vec<K> = was.keys().filter(|key| !now.contains_key(key)).copied().collect();
    let kept = now.into_iter().filter(|(key, row)| was.get(key) != Some(row));
    let kept = kept.map(|(key, row)| (key, Some(row)));
    kept.chain(gone.into_iter().map(|key| (key, None))).collect()
}

fn clusters(components: &BTreeMap<ComponentId, Arc<ComponentRow>>) -> Vec<Cluster> {
    let cluster = |(component, row): (ComponentId, &ComponentRow)| {
        let anchors = row.members.iter().filter(|member| member.anchored);
        let named = row.members.iter().map(|member| Named {
            number: member.number,
            value: member.value.clone(),
            key: member.key,
        });
        Some(Cluster {
            profile: row.profile()?,
            component,
            merges: row.merges,
            members: named.collect(),
            anchors: anchors.map(|member| member.key).collect(),
        })
    };
    roots(components).filter_map(cluster).collect()
}

fn count(clusters: &[Cluster], apart: &ApartRows) -> Counts {
    let pairs: usize = apart.values().map(|row| row.others.len()).sum();
    Counts {
        // Each says it of the other.
        apart: u64::try_from(pairs / 2).unwrap_or(u64::MAX),
        profiles: u64::try_from(clusters.len()).unwrap_or(u64::MAX),
        merges: clusters.iter().map(|cluster| u64::from(cluster.merges)).sum(),
    }
}

/// The identifiers whose profile is another one afterwards.
fn moved(
    closure: &Closure,
    before: &[Cluster],
    after: &[Cluster],
    identifiers: &BTreeMap<IdentifierKey, IdentifierRow>,
) -> Vec<Moved> {
    let holders = |clusters: &[Cluster]| {
        let held = |one: &Cluster| {
            let profile = one.profile;
            one.members.iter().map(move |member| (member.key, profile)).collect::<Vec<_>>()
        };
        clusters.iter().flat_map(held).collect::<BTreeMap<IdentifierKey, ProfileId>>()
    };
    let (from, to) = (holders(before), holders(after));
    let keys: BTreeSet<_> = from.keys().chain(to.keys()).copied().collect();
    let mut moved = Vec::new();
    for key in keys {
        let (from, to) = (from.get(&key).copied(), to.get(&key).copied());
        if from == to {
            continue;
        }
        let Some((number, value)) = closure.names.get(&key).cloned() else { continue };
        let has_events = identifiers.get(&key).is_some_and(|row| row.anchored);
        moved.push(Moved { name: Named { number, value, key }, from, to, has_events });
    }
    moved
}
