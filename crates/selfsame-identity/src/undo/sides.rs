//! Which pairs a wish is: to undo a merge, or to split identifiers off.

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::IdentifierKey;

use super::{Change, GoesOn, Plan, PlanError, RulesLog, Sizes, plan};
use crate::apart::Pair;
use crate::compile::Rules;
use crate::find::find_root;
use crate::resolution::{LedgerEntry, LedgerRow};
use crate::row::{ComponentId, IdentifierRow, Member, WholeRows};

/// How often pairs are added until those that are split off are alone.
const ROUNDS: usize = 8;

/// A split, found.
#[derive(Debug)]
pub struct Split {
    /// The pairs.
    pub change: Change,
    /// What they do.
    pub plan: Plan,
    /// Whether an identifier that was to be split off still shares a profile with one that was not.
    pub is_partial: bool,
}

/// The most trusted identifiers of the two sides of a merge: `merges` are the merges made so far of
/// the profile, in order, up to the one to be undone.
pub fn sides_of<R: WholeRows>(
    merges: &[LedgerRow],
    rules: &Rules,
    rows: &mut R,
) -> Result<Option<Pair>, PlanError<R::Error>> {
    let merged = |row: &LedgerRow| match row.entry {
        LedgerEntry::Merged(merge) => Some((merge, row.stamp.position)),
        LedgerEntry::Refused(_) | LedgerEntry::Handed(_) => None,
    };
    let Some((undone, at)) = merges.last().and_then(merged) else { return Ok(None) };
    let mut of: BTreeMap<ComponentId, ComponentId> = BTreeMap::new();
    let root_of = |of: &BTreeMap<ComponentId, ComponentId>, mut id: ComponentId| {
        while let Some(parent) = of.get(&id).filter(|parent| **parent < id) {
            id = *parent;
        }
        id
    };
    let before = merges.iter().take(merges.len().saturating_sub(1)).filter_map(merged);
    of.extend(before.map(|(merge, _)| (merge.child, merge.parent)));
    let (_, row) = find_root(rows, undone.parent)?;
    let mut sides: [Option<&Member>; 2] = [None, None];
    for member in row.members.iter().filter(|member| member.position <= at) {
        let Some(IdentifierRow { component, .. }) =
            rows.identifier(member.key).map_err(super::closure::failed)?
        else {
            continue;
        };
        let root = root_of(&of, component);
        // What the event itself mapped was on neither side.
        let is_new = member.position == at;
        let side = match root {
            _ if is_new => continue,
            root if root == undone.parent => &mut sides[0],
            root if root == undone.child => &mut sides[1],
            _ => continue,
        };
        if side.is_none_or(|most| trust(member, rules) < trust(most, rules)) {
            *side = Some(member);
        }
    }
    let [Some(one), Some(other)] = sides else { return Ok(None) };
    Ok(Pair::new(one.key, other.key))
}

/// Smaller is trusted more.
pub(super) fn trust<'m>(member: &'m Member, rules: &Rules) -> (u16, &'m str) {
    (rules.of(member.number).map_or(u16::MAX, |one| one.priority), &*member.value)
}

/// Splits identifiers off the profile that holds them. Each is set apart from the most trusted of the
/// others; where one still shares a profile with any of these, another pair is added.
pub fn plan_split<R: WholeRows>(
    chosen: &BTreeSet<IdentifierKey>,
    wish: &Change,
    rules: &RulesLog,
    sizes: Sizes,
    rows: &mut R,
    goes_on: GoesOn<'_>,
) -> Result<Split, PlanError<R::Error>> {
    let now = rules.last().ok_or(PlanError::NoRules { position: Default::default() })?;
    let first = chosen.first().ok_or(PlanError::Same)?;
    let mapped = rows.identifier(*first).map_err(super::closure::failed)?;
    let (_, profile) = find_root(rows, mapped.ok_or(PlanError::Unknown)?.component)?;
    let mut members: Vec<&Member> = profile.members.iter().collect();
    members.sort_by_key(|member| trust(member, now));
    if chosen.iter().any(|key| !members.iter().any(|member| member.key == *key)) {
        return Err(PlanError::Unknown);
    }
    let rest: BTreeSet<_> =
        members.iter().map(|member| member.key).filter(|key| !chosen.contains(key)).collect();
    let most = members.iter().find(|member| rest.contains(&member.key)).ok_or(PlanError::Same)?;
    let mut change = wish.clone();
    change.apart.extend(chosen.iter().filter_map(|key| Pair::new(*key, most.key)));
    for round in 1..=ROUNDS {
        let plan = plan(&change, rules, sizes, rows, goes_on)?;
        let mut more = Vec::new();
        for cluster in &plan.after {
            // Members in the order of trust.
            let in_order = || members.iter().map(|member| member.key);
            let held = |key: &IdentifierKey| cluster.members.iter().any(|one| one.key == *key);
            let other = in_order().find(|key| rest.contains(key) && held(key));
            let Some(other) = other else { continue };
            let own = in_order().filter(|key| chosen.contains(key) && held(key));
            more.extend(own.filter_map(|key| Pair::new(key, other)));
        }
        if more.is_empty() || round == ROUNDS {
            return Ok(Split { change, plan, is_partial: !more.is_empty() });
        }
        change.apart.extend(more);
    }
    Err(PlanError::Same)
}
