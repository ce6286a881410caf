//! Resolves the skeleton again, in the order of the log, by the code that resolves events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use selfsame_event::{Collection, IdentifierKey, ItemPosition};
use smallvec::SmallVec;

use super::closure::{Closure, Set};
use super::{GoesOn, PlanError, Progress, RulesLog};
use crate::apart::{ApartRow, Pair};
use crate::claim::{Claim, Previous, Trust};
use crate::compile::Rules;
use crate::find::find_root;
use crate::memory::MemoryRows;
use crate::resolution::LedgerRow;
use crate::resolve::{Occurrence, ResolveError, Side, resolve_side};
use crate::row::{
    ComponentId, ComponentRow, EvidenceRow, Fate, IdentifierRow, Seen, SetKey, Sighting, Stamp,
};
use crate::skeleton::{AGAIN, PreviousSeen, Reading};
use crate::verdict::Verdict;

/// After how many events it is asked whether to go on.
const ASK_EVERY: usize = 512;

/// The graph as it is when the skeleton is resolved again.
#[derive(Debug, Default)]
pub(super) struct Again {
    pub(super) rows: MemoryRows,
    pub(super) ledger: Vec<LedgerRow>,
    pub(super) met: BTreeMap<Pair, u64>,
    /// Sets of which it is not sure that the whole history would give the same.
    pub(super) uncertain: usize,
    pub(super) left_over: usize,
    outcomes: BTreeMap<SetKey, Told>,
}

/// What resolving a set again gave.
#[derive(Debug)]
struct Told {
    anchor: IdentifierKey,
    identifiers: SmallVec<[Seen; 4]>,
    chosen: Option<IdentifierKey>,
    /// What the last event of it met.
    verdicts: SmallVec<[Verdict; 2]>,
}

/// What one event gave.
struct One<'s> {
    key: SetKey,
    set: &'s Set,
    stamp: &'s Stamp,
}

impl Again {
    /// Resolves the sets again with these pairs set apart.
    pub(super) fn run<E>(
        closure: &Closure,
        sets: &BTreeMap<SetKey, Set>,
        apart: BTreeMap<IdentifierKey, ApartRow>,
        rules: &RulesLog,
        goes_on: GoesOn<'_>,
    ) -> Result<Self, PlanError<E>> {
        let mut again = Self::default();
        again.rows.apart = apart;
        let mut events: BTreeMap<ItemPosition, One<'_>> = BTreeMap::new();
        for (key, set) in sets {
            let ones = set.stamps.iter().map(|(at, stamp)| (*at, One { key: *key, set, stamp }));
            events.extend(ones);
        }
        let message_ids = closure.message_ids();
        for ((at, one), resolved) in events.iter().zip(0..) {
            let found = events.len();
            if resolved % ASK_EVERY == 0 && !goes_on(Progress { found, resolved }) {
                return Err(PlanError::Stopped);
            }
            let in_force = rules.at(at.record);
            let in_force = in_force.ok_or(PlanError::NoRules { position: at.record })?;
            let message_id = message_ids.get(at).map(|id| &**id);
            again.resolve(closure, one, message_id, in_force)?;
        }
        again.count_uncertain(closure, sets, rules);
        again.keep_sections(closure)?;
        again.rebuild_evidence(closure, sets)?;
        Ok(again)
    }

    fn resolve<E>(
        &mut self,
        closure: &Closure,
        one: &One<'_>,
        message_id: Option<&str>,
        rules: &Rules,
    ) -> Result<(), PlanError<E>> {
        let claims = claims_of(closure, one.set, rules);
        let previous = one.set.previous.as_ref().map(|previous| Previous {
            anonymous: previous.anonymous.as_ref().map(|reading| claim(reading, rules)),
            user: previous.user.as_ref().map(|reading| claim(reading, rules)),
        });
        let at = Occurrence { stamp: *one.stamp, message_id };
        // Nothing of the closure was ever verified or in doubt, or it would have been refused.
        let (previous, trust) = (previous.as_ref(), Trust::Unguarded);
        let side = Side { claims: &claims, previous, trust };
        let resolved = resolve_side(&side, &at, rules, &mut self.rows);
        let Some(resolution) = resolved.map_err(without_rows)?.0 else { return Ok(()) };
        self.ledger.extend(resolution.ledger(*one.stamp));
        resolution.met.iter().for_each(|pair| *self.met.entry(*pair).or_default() += 1);
        let verdicts = resolution.violations.iter().map(|one| one.verdict).collect();
        let chosen = one.set.previous.as_ref().and_then(|previous| {
            let mut readings = previous.readings().map(|reading| reading.key);
            let is_new = |key: &IdentifierKey| !one.set.claimed.contains(key);
            let is_there = |key| resolution.identifiers.iter().any(|seen| seen.key == key);
            readings.find(|key| is_new(key) && is_there(*key))
        });
        let told = Told {
            anchor: resolution.anchor,
            identifiers: resolution.identifiers,
            chosen,
            verdicts,
        };
        match self.outcomes.entry(one.key) {
            std::collections::btree_map::Entry::Vacant(place) => _ = place.insert(told),
            std::collections::btree_map::Entry::Occupied(mut known) => {
                known.get_mut().verdicts = told.verdicts;
            }
        }
        Ok(())
    }

    /// Counts sets of which events are not kept that might have changed something.
    fn count_uncertain(
        &mut self,
        closure: &Closure,
        sets: &BTreeMap<SetKey, Set>,
        rules: &RulesLog,
    ) {
        let overflowed = closure.components.values().filter(|row| row.sets_overflowed);
        self.uncertain += overflowed.count();
        let newest = rules.last().map(Rules::since).unwrap_or_default();
        for (key, set) in sets {
            let Some(told) = self.outcomes.get(key) else { continue };
            let root = closure.root_of(told.anchor);
            let is_own = |key: &IdentifierKey| root.is_some() && closure.root_of(*key) == root;
            // Later events with it bring nothing new as it is, and leave nothing.
            let was_joined = set.claimed.iter().all(is_own);
            let meets = |verdict| told.verdicts.contains(&verdict);
            let last = set.stamps.keys().next_back();
            let is_older = last.is_none_or(|last| last.record < newest);
            let is_uncertain = set.is_cut
                || meets(Verdict::MappingLimit)
                || was_joined && meets(Verdict::ValueTimeLimit)
                || was_joined && is_older && !told.verdicts.is_empty();
            self.uncertain += usize::from(is_uncertain);
        }
    }

    /// Events stay folded under what they were folded under: marks these, and makes a profile of each
    /// that no set maps any longer.
    fn keep_sections<E>(&mut self, closure: &Closure) -> Result<(), PlanError<E>> {
        for row in self.rows.components.values_mut() {
            for member in &mut std::sync::Arc::make_mut(row).members {
                let known = closure.identifiers.get(&member.key);
                member.anchored &= known.is_some_and(|row| row.anchored);
            }
        }
        for (key, known) in &closure.identifiers {
            let Some(row) = self.rows.identifiers.get_mut(key) else {
                if known.anchored {
                    self.left_over += 1;
                    self.leave_over(closure, *key, known)?;
                }
                continue;
            };
            row.anchored = known.anchored;
            if known.anchored {
                let home = row.component;
                let root = find_root(&mut self.rows, home).map_err(without_rows)?.0;
                let corrupt = ResolveError::Corrupt { component: root };
                let component = self.rows.components.get_mut(&root).ok_or(corrupt)?;
                let component = std::sync::Arc::make_mut(component);
                let member = component.members.iter_mut().find(|member| member.key == *key);
                member.ok_or(ResolveError::Corrupt { component: root })?.anchored = true;
            }
        }
        Ok(())
    }

    fn leave_over<E>(
        &mut self,
        closure: &Closure,
        key: IdentifierKey,
        known: &IdentifierRow,
    ) -> Result<(), PlanError<E>> {
        let corrupt = || ResolveError::Corrupt { component: known.component };
        let home = closure.components.get(&known.component).ok_or_else(corrupt)?;
        let rows = std::iter::once(home).chain(closure.components.values());
        let mut members = rows.flat_map(|row| &row.members);
        let member = members.find(|member| member.key == key).ok_or_else(corrupt)?.clone();
        let collection = match known.component.0 & 1 {
            0 => Collection::Users,
            _ => Collection::Accounts,
        };
        let id = ComponentId::left_over(member.position, collection, member.rank);
        self.rows.identifiers.insert(key, IdentifierRow { component: id, ..*known });
        let row = self.rows.components.entry(id).or_default();
        let row = std::sync::Arc::make_mut(row);
        let is_apart = self.rows.apart.contains_key(&key);
        row.members.push(crate::row::Member { anchored: true, is_apart, ..member });
        row.members.sort_by_key(|member| (member.position, member.rank));
        Ok(())
    }

    /// Writes the evidence anew: all that was known, under the components of now.
    fn rebuild_evidence<E>(
        &mut self,
        closure: &Closure,
        sets: &BTreeMap<SetKey, Set>,
    ) -> Result<(), PlanError<E>> {
        self.rows.evidence.clear();
        self.rows.sightings.clear();
        for row in self.rows.components.values_mut() {
            let row = std::sync::Arc::make_mut(row);
            row.prints.clear();
            (row.sets, row.sets_overflowed) = (0, false);
        }
        let mut order: Vec<_> = sets.iter().collect();
        order.sort_by_key(|(_, set)| set.stamps.keys().next().copied());
        for (key, set) in order {
            self.rebuild_set(closure, *key, set)?;
        }
        for (id, row) in &closure.components {
            if row.sets_overflowed
                && let Some(row) = self.rows.components.get_mut(id)
            {
                std::sync::Arc::make_mut(row).sets_overflowed = true;
            }
        }
        Ok(())
    }

    fn rebuild_set<E>(
        &mut self,
        closure: &Closure,
        key: SetKey,
        set: &Set,
    ) -> Result<(), PlanError<E>> {
        let Some(told) = self.outcomes.get(&key) else { return Ok(()) };
        let Some(anchor) = self.rows.identifiers.get(&told.anchor) else { return Ok(()) };
        let home = anchor.component;
        let row = self.rows.components.get_mut(&home);
        let row = row.ok_or(ResolveError::Corrupt { component: home })?;
        let mut stamps = set.stamps.values();
        let Some(first) = stamps.next() else { return Ok(()) };
        let again: Vec<Stamp> = stamps.copied().collect();
        let is_birth = row.members.first().is_some_and(|born| born.position == first.position)
            && row.is_born_with(key);
        if is_birth && again.is_empty() && set.previous.is_none() {
            return Ok(());
        }
        std::sync::Arc::make_mut(row).add_set(key);
        let value = |key: IdentifierKey| closure.names.get(&key).map(|(_, value)| value.clone());
        let left_out = told.identifiers.iter().filter(|seen| seen.fate != Fate::Kept);
        let unmapped = left_out.map(|seen| value(seen.key).unwrap_or_default()).collect();
        let previous =
            set.previous.clone().map(|previous| PreviousSeen { chosen: told.chosen, ..previous });
        let evidence = EvidenceRow {
            first: *first,
            is_cut: set.is_cut || again.len() > AGAIN,
            again,
            identifiers: told.identifiers.clone(),
            unmapped,
            previous: previous.map(Box::new),
        };
        let root = find_root(&mut self.rows, home).map_err(without_rows)?.0;
        let readings = evidence.previous.iter().flat_map(|previous| previous.readings());
        let keys = evidence.identifiers.iter().map(|seen| seen.key);
        for seen in keys.chain(readings.map(|reading| reading.key)) {
            let is_own = match self.rows.identifiers.get(&seen).copied() {
                Some(row) => {
                    find_root(&mut self.rows, row.component).map_err(without_rows)?.0 == root
                }
                None => false,
            };
            if !is_own {
                self.rows.sightings.insert(Sighting { key: seen, component: home, set: key });
            }
        }
        self.rows.evidence.insert((home, key), evidence);
        Ok(())
    }
}

/// The claims of an event with that set, in the order in which extraction gives them.
fn claims_of<'c>(closure: &'c Closure, set: &Set, rules: &Rules) -> SmallVec<[Claim<'c>; 4]> {
    let mut claims = SmallVec::new();
    for key in &set.claimed {
        let Some((number, value)) = closure.names.get(key) else { continue };
        let (number, value) = (*number, Cow::Borrowed(&**value));
        let priority = rules.of(number).map_or(u16::MAX, |one| one.priority);
        claims.push(Claim { number, priority, key: *key, value });
    }
    claims.sort_by(|one: &Claim<'_>, other| {
        one.priority.cmp(&other.priority).then_with(|| one.value.cmp(&other.value))
    });
    claims
}

fn claim<'c>(reading: &'c Reading, rules: &Rules) -> Claim<'c> {
    let priority = rules.of(reading.number).map_or(u16::MAX, |one| one.priority);
    let value = Cow::Borrowed(&*reading.value);
    Claim { number: reading.number, priority, key: reading.key, value }
}

/// Rows in memory do not fail.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it")]
pub(super) fn without_rows<E>(error: ResolveError<std::convert::Infallible>) -> ResolveError<E> {
    let ResolveError::Corrupt { component } = error;
    ResolveError::Corrupt { component }
}

/// The rows of roots.
pub(super) fn roots(
    components: &BTreeMap<ComponentId, std::sync::Arc<ComponentRow>>,
) -> impl Iterator<Item = (ComponentId, &ComponentRow)> {
    let all = components.iter().map(|(id, row)| (*id, &**row));
    all.filter(|(_, row)| row.parent.is_none())
}
