//! Profiles that have more than the rules in force would let them, and how each could be taken apart.
//!
//! Rules that are changed do not judge older events again. So after a limit was lowered, or a value
//! blocked, there are profiles that these rules would not have made. They are looked for in the order in
//! which they came to be, part by part, and each is planned as an undo is: what is proposed is what would
//! be done. Nothing is done here.
//!
//! ```text
//! components, by the record that made them
//!   blocks of 256 records:  1 | 2 | 4 | …      until there are enough, or enough was looked at
//!                                       `next` says behind which component to go on
//! ```

use std::collections::BTreeSet;

use selfsame_event::{Collection, Identifier, IdentifierKey, ProfileId};
use selfsame_identity::rule::Limit;
use selfsame_identity::{ComponentId, Excess, Sizes};
use selfsame_store::{RowKey, StoreError, Table};

use super::events::Bodies;
use super::undo::{UndoError, UndoPlan, UndoWish, Wanted};
use super::{Found, LinkPath, LookupError, SpaceRead, WhyBudget};
use crate::key::InSpace;
use crate::row;

/// How many blocks of records one pass over the rows looks at, at most.
const MOST_BLOCKS: u64 = 1 << 16;
/// The records of a block have all but the last bits of their offsets in common: what is left of a
/// component's number without these is the block's.
const BLOCK_BITS: u32 = 32;

/// How much one page of proposals looks at and shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposalBudget {
    /// After about how many components the search stops. It may look at twice as many.
    pub components: usize,
    /// How many profiles are shown.
    pub shown: usize,
    /// How many sets of identifiers the plan for one of them resolves again.
    pub sets: usize,
    /// For how many pairs of each the events are shown that link the two.
    pub linked: usize,
    /// How much is read to find these.
    pub why: WhyBudget,
}

impl Default for ProposalBudget {
    fn default() -> Self {
        let why = WhyBudget { sets: 2_000, events: 100, ledger: 10_000, insights: 0, refusals: 0 };
        Self { components: 200_000, shown: 20, sets: 2_000, linked: 3, why }
    }
}

/// Some proposals.
#[derive(Debug)]
pub struct ProposalPage {
    /// They, in the order in which their profiles came to be.
    pub proposals: Vec<Proposal>,
    /// How many components were looked at.
    pub components: usize,
    /// Behind which component to go on; none where everything was looked at.
    pub next: Option<ComponentId>,
}

/// A profile that has more than the rules in force would let it, and how to take it apart.
#[derive(Debug)]
pub struct Proposal {
    /// The profile.
    pub profile: ProfileId,
    /// Its most trusted identifier of those that it may keep: who is asked to be taken apart.
    pub of: Identifier,
    /// All that it holds, in the order in which they were mapped.
    pub identifiers: Vec<Identifier>,
    /// What it has too much.
    pub excess: Vec<TooMuch>,
    /// The events that link the first pairs.
    pub links: Vec<(Identifier, Identifier, LinkPath)>,
    /// What taking it apart would do; or why that cannot be said here.
    pub plan: Result<Box<UndoPlan>, UndoError>,
}

/// Identifiers that a rule in force would not let a profile have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooMuch {
    /// Their type.
    pub kind: String,
    /// The limit that they exceed; none where they are blocked.
    pub limit: Option<Limit>,
    /// How many of the type the profile has that are not blocked.
    pub held: usize,
    /// Those over the limit, or those that are blocked.
    pub over: Vec<Identifier>,
}

impl Proposal {
    /// In how many profiles its identifiers would be, and how many of them in none.
    pub fn becomes(&self) -> Option<(usize, usize)> {
        let plan = &self.plan.as_ref().ok()?.plan;
        let before = plan.before.iter().find(|one| one.profile == self.profile)?;
        let keys: BTreeSet<IdentifierKey> = before.members.iter().map(|one| one.key).collect();
        let has_one = |cluster: &&selfsame_identity::Cluster| {
            cluster.members.iter().any(|member| keys.contains(&member.key))
        };
        let nowhere =
            plan.moved.iter().filter(|one| one.to.is_none() && keys.contains(&one.name.key));
        Some((plan.after.iter().filter(has_one).count(), nowhere.count()))
    }
}

impl SpaceRead {
    /// Profiles of a collection that have more than the rules in force would let them, behind that
    /// component.
    pub fn proposals(
        &self,
        collection: Collection,
        behind: Option<ComponentId>,
        budget: &ProposalBudget,
    ) -> Result<ProposalPage, LookupError> {
        let (found, components, next) = self.with_excess(collection, behind, budget)?;
        let mut bodies = Bodies::new(&*self.log);
        let mut proposals = Vec::with_capacity(found.len());
        for component in found {
            proposals.extend(self.proposal(collection, component, budget, &mut bodies)?);
        }
        Ok(ProposalPage { proposals, components, next })
    }

    /// The first components with too much, how many were looked at, and behind which to go on.
    fn with_excess(
        &self,
        collection: Collection,
        behind: Option<ComponentId>,
        budget: &ProposalBudget,
    ) -> Result<(BTreeSet<ComponentId>, usize, Option<ComponentId>), LookupError> {
        let block_of = |id: ComponentId| id.0 >> BLOCK_BITS;
        let last = self.position.map_or(0, |position| position.offset);
        let end = block_of(ComponentId::created_at(
            selfsame_event::Position::embedded(last).item(0),
            collection,
        ));
        let mut found = BTreeSet::new();
        let start = behind.map_or(0, |behind| behind.0.saturating_add(1));
        let (mut looked_at, mut first, mut count) = (0, block_of(ComponentId(start)), 1);
        while first <= end {
            let behind_them = end.min(first + count - 1) + 1;
            let (mut is_damaged, mut is_full) = (false, false);
            let prefixes = (first..behind_them).map(|block| self.prefix_of(block)).collect();
            self.view.tables.components.scan_prefixes(&prefixes, |key, packed| {
                let id = InSpace::<ComponentId>::from_bytes(key);
                let (Some(id), Some(row)) = (id, row::component(packed)) else {
                    is_damaged = true;
                    return false;
                };
                let id = id.key;
                if behind.is_some_and(|behind| id <= behind) {
                    return true;
                }
                looked_at += 1;
                let is_root = row.parent.is_none() && id.collection() == collection;
                if is_root && !self.compiled.rules.excess(&row.members).is_empty() {
                    found.insert(id);
                    if found.len() > budget.shown {
                        found.pop_last();
                        is_full = true;
                    }
                }
                true
            })?;
            if is_damaged {
                return Err(StoreError::Row { table: Table::Components.name() }.into());
            }
            if is_full {
                let next = found.last().copied();
                return Ok((found, looked_at, next));
            }
            let is_enough = found.len() >= budget.shown || looked_at >= budget.components;
            if is_enough && behind_them <= end {
                let next = ComponentId((behind_them << BLOCK_BITS) - 1);
                return Ok((found, looked_at, Some(next)));
            }
            (first, count) = (behind_them, MOST_BLOCKS.min(count * 2));
        }
        Ok((found, looked_at, None))
    }

    /// What the keys of the components of a block of records start with.
    fn prefix_of(&self, block: u64) -> Vec<u8> {
        let mut key = self.in_space(ComponentId(block << BLOCK_BITS)).to_bytes();
        key.truncate(key.len() - size_of::<u32>());
        key
    }

    /// What is proposed for a component; none where it has nothing too much any more.
    fn proposal(
        &self,
        collection: Collection,
        component: ComponentId,
        budget: &ProposalBudget,
        bodies: &mut Bodies<'_>,
    ) -> Result<Option<Proposal>, LookupError> {
        let key = self.in_space(component);
        let found = match Found::read(self, collection, component) {
            // An undo took it away meanwhile.
            Err(LookupError::Store(_))
                if self.view.tables.components.read(&key, |_| ())?.is_none() =>
            {
                return Ok(None);
            }
            found => found?,
        };
        let excess = self.compiled.rules.excess(&found.row.members);
        if found.component != component || excess.is_empty() {
            return Ok(None);
        }
        let over: BTreeSet<_> = excess.iter().flat_map(|one| &one.over).copied().collect();
        let trust = |id: &super::ExternalId<'_>| {
            (self.priority(collection, id.kind).unwrap_or(u16::MAX), id.value.to_owned())
        };
        let stays = found.external_ids().filter(|id| !over.contains(&id.key)).min_by_key(trust);
        let Some(stays) = stays else { return Ok(None) };
        let of = Identifier::new(stays.kind, stays.value);
        let sizes = Sizes { in_step: budget.sets, ..self.undo_sizes() };
        let wish = UndoWish::WithinRules(of.clone());
        let wanted = Wanted { collection, wish: &wish, by: "" };
        let plan = self.plan_wish(&wanted, sizes, &mut |_| true);
        let ends: Vec<(IdentifierKey, IdentifierKey)> = match &plan {
            Ok(planned) => {
                let pairs = planned.change.apart.iter().map(|pair| pair.keys());
                let in_order = pairs.map(|[one, other]| match over.contains(&one) {
                    true => (other, one),
                    false => (one, other),
                });
                in_order.filter(|(one, other)| found.holds(*one) && found.holds(*other)).collect()
            }
            Err(_) => over.iter().map(|key| (stays.key, *key)).collect(),
        };
        let mut links = Vec::new();
        for (one, other) in ends.into_iter().take(budget.linked) {
            let path = found.path(one, other, &budget.why, bodies)?;
            let (one, other) = (found.identifier(one), found.identifier(other));
            links.extend(one.zip(other).map(|(one, other)| (one, other, path)));
        }
        Ok(Some(Proposal {
            profile: found.id(),
            of,
            identifiers: found
                .external_ids()
                .map(|id| Identifier::new(id.kind, id.value))
                .collect(),
            excess: excess.iter().map(|one| found.too_much(one)).collect(),
            links,
            plan: plan.map(Box::new),
        }))
    }
}

impl Found<'_> {
    fn too_much(&self, excess: &Excess) -> TooMuch {
        let Excess { number, limit, held, over } = excess;
        TooMuch {
            kind: self.read.type_name(*number).map_or("", |(_, name)| name).to_owned(),
            limit: *limit,
            held: *held,
            over: over.iter().filter_map(|key| self.identifier(*key)).collect(),
        }
    }
}
