//! How healthy the identity graph of a space is: how large its profiles are, and which identifiers
//! many profiles want.
//!
//! It is a look at rows, not a count that is kept: what it looks at is bounded, and it says whether
//! that was everything.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::{Collection, Identifier, IdentifierKey, ProfileId};
use selfsame_identity::LedgerEntry;
use selfsame_store::{StoreError, Table};

use super::{LookupError, SpaceRead};
use crate::row::{self, Owner};

/// How much one report reads and shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthBudget {
    /// Components.
    pub components: usize,
    /// Rows of the merge ledger.
    pub ledger: usize,
    /// How many profiles and identifiers are shown.
    pub shown: usize,
}

impl Default for HealthBudget {
    fn default() -> Self {
        Self { components: 500_000, ledger: 200_000, shown: 10 }
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
    /// Identifiers that were left out for others' events, those that most profiles wanted first.
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

/// An identifier of one profile that came on events of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedIdentifier {
    /// The identifier.
    pub identifier: Identifier,
    /// The profile that holds it.
    pub profile: ProfileId,
    /// How many profiles it was left out of.
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
        self.count_sizes(collection, budget, &mut health)?;
        self.count_wanted(collection, budget, &mut health)?;
        Ok(health)
    }

    fn count_sizes(
        &self,
        collection: Collection,
        budget: &HealthBudget,
        health: &mut IdentityHealth,
    ) -> Result<(), LookupError> {
        let mut largest = BTreeSet::new();
        let mut is_damaged = false;
        self.view.tables.components.scan(&self.space().number.to_be_bytes(), |_, packed| {
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
        Ok(())
    }

    fn count_wanted(
        &self,
        collection: Collection,
        budget: &HealthBudget,
        health: &mut IdentityHealth,
    ) -> Result<(), LookupError> {
        let mut wanted: BTreeMap<IdentifierKey, (u64, BTreeSet<ProfileId>)> = BTreeMap::new();
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
