//! Taking a profile apart until the rules in force hold: what an operator may want after rules became
//! stricter, since these do not judge older events again.
//!
//! ```text
//! profile -> what is over a limit, or blocked now        (`excess`)
//!         -> set apart from the most trusted of what stays
//!         -> plan; where a profile that it changes still has too much, more pairs, and again
//! ```

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::IdentifierKey;

use super::sides::{Split, trust};
use super::{Change, GoesOn, PlanError, RulesLog, Sizes, plan};
use crate::apart::Pair;
use crate::compile::Rules;
use crate::excess::Excess;
use crate::find::find_root;
use crate::number::TypeNumber;
use crate::row::{Member, WholeRows};

/// How often pairs are added until the rules hold.
const ROUNDS: usize = 32;
/// From this round on, those of a type of which a profile may have one are all kept apart from each other:
/// each pair so far only had others join whom they were kept from.
const ALL_APART: usize = 4;
/// But only so many, as their pairs are as many as half the square of that.
const MOST_APART: usize = 128;

/// Takes the profile of an identifier apart, so that it keeps the rules in force, and with it every
/// profile that this changes.
pub fn plan_within<R: WholeRows>(
    of: IdentifierKey,
    wish: &Change,
    rules: &RulesLog,
    sizes: Sizes,
    rows: &mut R,
    goes_on: GoesOn<'_>,
) -> Result<Split, PlanError<R::Error>> {
    let now = rules.last().ok_or(PlanError::NoRules { position: Default::default() })?;
    let mapped = rows.identifier(of).map_err(super::closure::failed)?;
    let (_, profile) = find_root(rows, mapped.ok_or(PlanError::Unknown)?.component)?;
    let mut change = wish.clone();
    let mut pairs = Pairs { rules: now, one_each: BTreeMap::new(), round: 1 };
    let mut more = pairs.of(&profile.members);
    if more.is_empty() {
        return Err(PlanError::Within);
    }
    loop {
        pairs.round += 1;
        change.apart.append(&mut more);
        let plan = plan(&change, rules, sizes, rows, goes_on)?;
        for cluster in &plan.after {
            let Some(row) = plan.rows.component(cluster.component) else { continue };
            more.extend(pairs.of(&row.members));
        }
        let is_partial = !more.is_empty();
        let is_stuck = more.is_subset(&change.apart);
        if is_stuck || pairs.round > ROUNDS {
            return Ok(Split { change, plan, is_partial });
        }
    }
}

/// Finds pairs, round after round.
struct Pairs<'r> {
    rules: &'r Rules,
    /// Of types of which a profile may have one: all that shared a profile so far.
    one_each: BTreeMap<TypeNumber, BTreeSet<IdentifierKey>>,
    round: usize,
}

impl Pairs<'_> {
    /// The pairs that take off a profile what it has too much.
    fn of(&mut self, members: &[Member]) -> BTreeSet<Pair> {
        let excess = self.rules.excess(members);
        let over: BTreeSet<_> = excess.iter().flat_map(|one| &one.over).copied().collect();
        let stays = members.iter().filter(|member| !over.contains(&member.key));
        let is_before =
            |one: &&Member, other: &&Member| trust(one, self.rules).cmp(&trust(other, self.rules));
        let Some(stays) = stays.min_by(is_before) else {
            return BTreeSet::new();
        };
        let mut pairs: BTreeSet<Pair> =
            over.iter().filter_map(|key| Pair::new(*key, stays.key)).collect();
        for one in &excess {
            match one.limit {
                Some(limit) if limit.count == 1 => pairs.extend(self.all_apart(one, members)),
                Some(_) => {}
                None => {
                    // Whoever came with a blocked value is joined by it to whoever else did.
                    let others = members.iter().filter(|member| !over.contains(&member.key));
                    let anchors = others.filter(|one| one.anchored || self.round >= ALL_APART);
                    let all =
                        anchors.flat_map(|member| one.over.iter().map(|key| (*key, member.key)));
                    pairs.extend(all.filter_map(|(key, other)| Pair::new(key, other)));
                }
            }
        }
        pairs
    }

    /// All that ever shared a profile of a type of which it may have one, once it does not settle.
    fn all_apart(&mut self, excess: &Excess, members: &[Member]) -> Vec<Pair> {
        let known = self.one_each.entry(excess.number).or_default();
        let of_type = members.iter().filter(|member| member.number == excess.number);
        known.extend(of_type.map(|member| member.key));
        if self.round < ALL_APART || known.len() > MOST_APART {
            return Vec::new();
        }
        let pairs = |one: &IdentifierKey| {
            let others = known.range(*one..).copied();
            others.filter_map(|other| Pair::new(*one, other)).collect::<Vec<_>>()
        };
        known.iter().flat_map(pairs).collect()
    }
}
