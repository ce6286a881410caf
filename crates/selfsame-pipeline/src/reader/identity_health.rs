//! How healthy the identity graph of a space is: how large its profiles are, and which identifiers
//! many profiles want.
//!
//! It is a look at rows, not a count that is kept: what it looks at is bounded, and it says whether
//! that was everything.
//!
//! An identifier that is hardly one person's shows in two ways. It is left out, again and again, of the events of
//! others: the merge ledger says so. Or it is what others are left out for, as an address that stands for none does,
//! if it is trusted more than the devices that it comes with: then its component has very many sets, and those that
//! were left out of these are other people's.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::{Collection, Identifier, IdentifierKey, ProfileId};
use selfsame_identity::{ComponentId, Fate, LedgerEntry, WholeRows as _};
use selfsame_store::{RowKey as _, StoreError, Table};

use super::{LookupError, SpaceRead};
use crate::graph::Graph;
use crate::key::InSpace;
use crate::row::{self, Owner};
use crate::trend::is_shared;

/// How much one report reads and shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthBudget {
    /// Components.
    pub components: usize,
    /// Rows of the merge ledger.
    pub ledger: usize,
    /// Components with the most sets of identifiers, and how many sets of each.
    pub hubs: [usize; 2],
    /// How many profiles and identifiers are shown.
    pub shown: usize,
}

impl Default for HealthBudget {
    fn default() -> Self {
        Self { components: 500_000, ledger: 200_000, hubs: [50, 1_000], shown: 10 }
    }
}

/// The sizes by which profiles are counted: up to so many identifiers.
pub const SIZES: [u32; 6] = [1, 2, 5, 10, 100, u32::MAX];

/// How healthy the graph of a collection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityHealth {
    /// How many profiles have up to as many identifiers as [`SIZES`] says, and more than the size
    /// before.
    pub sizes: [u64; SIZES.len()],
    /// The largest profiles, the largest first.
    pub largest: Vec<LargeProfile>,
    /// How many profiles have more than the rules in force would let them.
    pub over_rules: u64,
    /// How many components were looked at.
    pub components: usize,
    /// Whether there are more.
    pub is_cut: bool,
    /// Identifiers that came with those of other profiles, those that came with most first.
    pub wanted: Vec<WantedIdentifier>,
    /// How many rows of the merge ledger were looked at.
    pub ledger: usize,
    /// Whether there are more.
    pub is_ledger_cut: bool,
}

/// A profile with many identifiers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LargeProfile {
    /// How many it has.
    pub identifiers: u32,
    /// How many merges it consists of.
    pub merges: u32,
    /// The profile.
    pub profile: ProfileId,
}

/// Of identifiers, in how many sets they were, and with which other profiles.
type Wanted = BTreeMap<IdentifierKey, (u64, BTreeSet<ProfileId>)>;

/// An identifier of one profile that came on events of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedIdentifier {
    /// The identifier.
    pub identifier: Identifier,
    /// The profile that holds it.
    pub profile: ProfileId,
    /// How many other profiles it came with identifiers of.
    pub profiles: u64,
    /// In how many sets of identifiers that came together.
    pub sets: u64,
}

impl SpaceRead {
    /// How healthy the graph of a collection is.
    pub fn identity_health(
        &self,
        collection: Collection,
        budget: &HealthBudget,
    ) -> Result<IdentityHealth, LookupError> {
        let mut health = IdentityHealth {
            sizes: [0; SIZES.len()],
            largest: Vec::new(),
            over_rules: 0,
            components: 0,
            is_cut: false,
            wanted: Vec::new(),
            ledger: 0,
            is_ledger_cut: false,
        };
        let hubs = self.count_sizes(collection, budget, &mut health)?;
        let mut wanted = Wanted::new();
        self.count_left_out(budget, &mut health, &mut wanted)?;
        self.count_met(hubs, budget, &mut wanted)?;
        self.show_wanted(collection, budget, &wanted, &mut health)?;
        Ok(health)
    }

    fn count_sizes(
        &self,
        collection: Collection,
        budget: &HealthBudget,
        health: &mut IdentityHealth,
    ) -> Result<BTreeSet<(u32, ComponentId)>, LookupError> {
        let (mut largest, mut hubs) = (BTreeSet::new(), BTreeSet::new());
        let mut is_damaged = false;
        self.view.tables.components.scan(&self.space().number.to_be_bytes(), |key, packed| {
            if health.components >= budget.components {
                health.is_cut = true;
                return false;
            }
            health.components += 1;
            let row = row::component(packed);
            let Some((profile, row)) = row.and_then(|row| Some((row.profile()?, row))) else {
                is_damaged = true;
                return false;
            };
            let first = row.members.first().and_then(|member| self.type_name(member.number));
            let id = InSpace::<ComponentId>::from_bytes(key).map(|key| key.key);
            hubs.extend(id.filter(|_| is_shared(row.sets.into())).map(|id| (row.sets, id)));
            if hubs.len() > budget.hubs[0] {
                hubs.pop_first();
            }
            if row.parent.is_some() || first.is_none_or(|(of, _)| of != collection) {
                return true;
            }
            let identifiers = u32::try_from(row.members.len()).unwrap_or(u32::MAX);
            let size = SIZES.iter().position(|most| identifiers <= *most).unwrap_or(0);
            health.sizes[size] += 1;
            let excess = self.compiled.rules.excess(&row.members);
            health.over_rules += u64::from(!excess.is_empty());
            let merges = row.merges;
            largest.insert(LargeProfile { identifiers, merges, profile });
            if largest.len() > budget.shown {
                largest.pop_first();
            }
            true
        })?;
        if is_damaged {
            return Err(StoreError::Row { table: Table::Components.name() }.into());
        }
        health.largest = largest.into_iter().rev().collect();
        Ok(hubs)
    }

    /// Identifiers that were left out of the events of others.
    fn count_left_out(
        &self,
        budget: &HealthBudget,
        health: &mut IdentityHealth,
        wanted: &mut Wanted,
    ) -> Result<(), LookupError> {
        let mut is_damaged = false;
        self.view.tables.ledger.scan(&self.space().number.to_be_bytes(), |_, packed| {
            if health.ledger >= budget.ledger {
                health.is_ledger_cut = true;
                return false;
            }
            health.ledger += 1;
            match row::ledger(packed).map(|row| row.entry) {
                Some(LedgerEntry::Refused(refused)) => {
                    let (sets, profiles) = wanted.entry(refused.by).or_default();
                    *sets += 1;
                    profiles.insert(refused.profile);
                }
                Some(LedgerEntry::Merged(_) | LedgerEntry::Handed(_)) => {}
                None => is_damaged = true,
            }
            !is_damaged
        })?;
        if is_damaged {
            return Err(StoreError::Row { table: Table::Ledger.name() }.into());
        }
        Ok(())
    }

    /// Of each of these components, the identifier that most other people's were left out for.
    fn count_met(
        &self,
        hubs: BTreeSet<(u32, ComponentId)>,
        budget: &HealthBudget,
        wanted: &mut Wanted,
    ) -> Result<(), LookupError> {
        let (tables, space) = (&self.view.tables, self.space().number);
        let mut graph = Graph { tables, space, has_apart: false };
        let mut holders = BTreeMap::new();
        for (_, component) in hubs {
            let mut met: BTreeMap<IdentifierKey, (usize, u64, BTreeSet<ProfileId>)> =
                BTreeMap::new();
            let only = BTreeSet::from([component]);
            for (_, _, row) in graph.evidence_under(&only, budget.hubs[1])? {
                let mut others = Vec::new();
                for seen in row.identifiers.iter().filter(|seen| seen.fate == Fate::Demoted) {
                    let holder = match holders.get(&seen.key) {
                        Some(known) => *known,
                        None => *holders.entry(seen.key).or_insert(self.somebody(seen.key)?),
                    };
                    others.extend(holder);
                }
                if others.is_empty() {
                    continue;
                }
                let kept = row.identifiers.iter().enumerate();
                for (place, seen) in kept.filter(|(_, seen)| seen.fate == Fate::Kept) {
                    let (last, sets, profiles) = met.entry(seen.key).or_default();
                    *last = place.max(*last);
                    *sets += 1;
                    profiles.extend(&others);
                }
            }
            // Of several that come together, the one that is trusted least.
            let most = met.iter().max_by_key(|(key, (place, _, all))| (all.len(), *place, **key));
            if let Some((key, (_, sets, profiles))) = most {
                let (known, all) = wanted.entry(*key).or_default();
                *known += sets;
                all.extend(profiles);
            }
        }
        Ok(())
    }

    /// The profile that holds an identifier, if it is somebody's: more than devices.
    fn somebody(&self, key: IdentifierKey) -> Result<Option<ProfileId>, LookupError> {
        let owner = self.view.tables.identifiers.read(&self.in_space(key), Owner::row)?;
        let Some(owner) = owner else { return Ok(None) };
        let (_, _, row) = self.root(owner.component)?;
        Ok(row.profile().filter(|_| row.is_known()))
    }

    fn show_wanted(
        &self,
        collection: Collection,
        budget: &HealthBudget,
        wanted: &Wanted,
        health: &mut IdentityHealth,
    ) -> Result<(), LookupError> {
        let mut order: Vec<_> = wanted
            .iter()
            .map(|(key, (sets, profiles))| (Reverse((profiles.len(), *sets)), *key))
            .collect();
        order.sort_unstable();
        for (Reverse((profiles, sets)), key) in order {
            if health.wanted.len() >= budget.shown {
                break;
            }
            let owner = self.view.tables.identifiers.read(&self.in_space(key), Owner::row)?;
            let Some(owner) = owner else { continue };
            if self.type_name(owner.number).is_none_or(|(of, _)| of != collection) {
                continue;
            }
            let (_, _, row) = self.root(owner.component)?;
            let member = row.members.iter().find(|member| member.key == key);
            let (Some(member), Some(profile)) = (member, row.profile()) else { continue };
            let kind = self.type_name(member.number).map_or("", |(_, name)| name);
            let profiles = u64::try_from(profiles).unwrap_or(u64::MAX);
            let identifier = Identifier::new(kind, &*member.value);
            health.wanted.push(WantedIdentifier { identifier, profile, profiles, sets });
        }
        Ok(())
    }
}
