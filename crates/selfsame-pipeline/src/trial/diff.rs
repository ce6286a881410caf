//! Compares two graphs over the same events.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use selfsame_event::{Collection, Identifier, ProfileId};
use selfsame_identity::{ComponentId, ComponentRow, find_profile, find_root};
use selfsame_store::{RowKey, StoreError, Table};

use crate::graph::Graph;
use crate::key::InSpace;
use crate::row;
use crate::state::{State, StateError};

/// How many examples there are of each kind.
const SAMPLES: usize = 10;
/// How many profiles and identifiers of an example are named.
const NAMED: usize = 5;

/// How one graph would become the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphDiff {
    /// Profiles as it is.
    pub before: u64,
    /// Profiles as it would be.
    pub after: u64,
    /// Profiles that would have the identifiers that they have.
    pub unchanged: u64,
    /// Of these, those whose id would be another one of their own.
    pub renamed: u64,
    /// Profiles of identifiers that are nobody's.
    pub created: u64,
    /// Profiles none of whose identifiers would be anybody's.
    pub gone: u64,
    /// Profiles that would have identifiers of several others.
    pub merged: u64,
    /// Of how many these would be made.
    pub merged_of: u64,
    /// Profiles whose identifiers would be in several others.
    pub split: u64,
    /// In how many these would be.
    pub split_into: u64,
    /// Examples: those of the most profiles, then those of the most identifiers.
    pub samples: Vec<Sample>,
}

/// What would become of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Regrouped {
    /// Several would be one.
    Merged,
    /// One would be several.
    Split,
    /// It would be new.
    Created,
    /// It would be no more.
    Gone,
}

/// An example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Of what.
    pub what: Regrouped,
    /// The profile that would be made of others, or become others.
    pub profile: SampleProfile,
    /// These.
    pub others: Vec<SampleProfile>,
    /// How many there are of them.
    pub other_count: u64,
}

/// A profile of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleProfile {
    /// Its id.
    pub profile: ProfileId,
    /// Some of its identifiers, the earliest first.
    pub identifiers: Vec<Identifier>,
    /// How many it has.
    pub identifier_count: u64,
}

/// The graph of a space in a state.
pub(super) fn graph_of(state: &State, space: u32) -> Graph<'_> {
    Graph { tables: state.tables(), space, has_apart: false }
}

/// Visits every profile of a collection.
pub(super) fn each_profile(
    state: &State,
    (space, of): (u32, Collection),
    mut visit: impl FnMut(ComponentId, &ComponentRow) -> Result<(), StateError>,
) -> Result<(), StateError> {
    let mut failed = None;
    state.tables.components.scan(&space.to_be_bytes(), |key, packed| {
        let key = InSpace::<ComponentId>::from_bytes(key);
        let (Some(key), Some(row)) = (key, row::component(packed)) else {
            failed = Some(StoreError::Row { table: Table::Components.name() }.into());
            return false;
        };
        if row.parent.is_some() || key.key.collection() != of {
            return true;
        }
        failed = visit(key.key, &row).err();
        failed.is_none()
    })?;
    failed.map_or(Ok(()), Err)
}

/// The profiles of a graph that hold the members of a row.
pub(super) fn holders(
    graph: &mut Graph<'_>,
    row: &ComponentRow,
) -> Result<BTreeSet<ComponentId>, StateError> {
    let mut holders = BTreeSet::new();
    for member in &row.members {
        holders.extend(find_profile(graph, member.key)?.map(|(id, _)| id));
    }
    Ok(holders)
}

/// Compares the graphs of users and of accounts.
pub(super) fn compare(
    before: &State,
    after: &State,
    space: u32,
) -> Result<[GraphDiff; 2], StateError> {
    let collections = [Collection::Users, Collection::Accounts];
    let [users, accounts] = collections.map(|of| Comparison { before, after, space, of }.run());
    Ok([users?, accounts?])
}

/// The largest, each by the profiles and identifiers that it is about.
type Largest = BTreeSet<(Reverse<(usize, usize)>, ComponentId)>;

struct Comparison<'s> {
    before: &'s State,
    after: &'s State,
    space: u32,
    of: Collection,
}

impl Comparison<'_> {
    fn run(&self) -> Result<GraphDiff, StateError> {
        let mut diff = GraphDiff::default();
        let [mut merged, mut split, mut created, mut gone] = [const { Largest::new() }; 4];
        self.each_profile(self.after, |id, row| {
            diff.after += 1;
            match self.others(self.before, row)?.len() {
                0 => {
                    diff.created += 1;
                    keep(&mut created, (0, row), id);
                }
                1 => {}
                others => {
                    diff.merged += 1;
                    diff.merged_of += u64::try_from(others).unwrap_or(u64::MAX);
                    keep(&mut merged, (others, row), id);
                }
            }
            Ok(())
        })?;
        self.each_profile(self.before, |id, row| {
            diff.before += 1;
            let others = self.others(self.after, row)?;
            match others.len() {
                0 => {
                    diff.gone += 1;
                    keep(&mut gone, (0, row), id);
                }
                1 => {
                    if let Some(same) = self.same(row, &others)? {
                        diff.unchanged += 1;
                        diff.renamed += u64::from(same.profile() != row.profile());
                    }
                }
                count => {
                    diff.split += 1;
                    diff.split_into += u64::try_from(count).unwrap_or(u64::MAX);
                    keep(&mut split, (count, row), id);
                }
            }
            Ok(())
        })?;
        let (before, after) = (self.before, self.after);
        let kinds = [
            (Regrouped::Merged, merged, after, before),
            (Regrouped::Split, split, before, after),
            (Regrouped::Created, created, after, before),
            (Regrouped::Gone, gone, before, after),
        ];
        for (what, largest, own, other) in kinds {
            for (_, id) in largest {
                diff.samples.push(self.sample(what, id, own, other)?);
            }
        }
        Ok(diff)
    }

    fn each_profile(
        &self,
        state: &State,
        visit: impl FnMut(ComponentId, &ComponentRow) -> Result<(), StateError>,
    ) -> Result<(), StateError> {
        each_profile(state, (self.space, self.of), visit)
    }

    fn others(
        &self,
        state: &State,
        row: &ComponentRow,
    ) -> Result<BTreeSet<ComponentId>, StateError> {
        holders(&mut graph_of(state, self.space), row)
    }

    /// The only profile that is left of another one, if it has the same members.
    fn same(
        &self,
        row: &ComponentRow,
        others: &BTreeSet<ComponentId>,
    ) -> Result<Option<ComponentRow>, StateError> {
        let Some(only) = others.first() else { return Ok(None) };
        let (_, other) = find_root(&mut graph_of(self.after, self.space), *only)?;
        let keys = |row: &ComponentRow| {
            row.members.iter().map(|member| member.key).collect::<BTreeSet<_>>()
        };
        let is_same = row.members.len() == other.members.len() && keys(row) == keys(&other);
        Ok(is_same.then(|| ComponentRow::clone(&other)))
    }

    fn sample(
        &self,
        what: Regrouped,
        id: ComponentId,
        own: &State,
        other: &State,
    ) -> Result<Sample, StateError> {
        let (_, row) = find_root(&mut graph_of(own, self.space), id)?;
        let others = self.others(other, &row)?;
        let mut named = Vec::new();
        for other_id in others.iter().take(NAMED) {
            let (_, row) = find_root(&mut graph_of(other, self.space), *other_id)?;
            named.extend(self.named(other, &row));
        }
        let profile = self.named(own, &row);
        let corrupt = || StoreError::Row { table: Table::Components.name() };
        Ok(Sample {
            what,
            profile: profile.ok_or_else(corrupt)?,
            others: named,
            other_count: u64::try_from(others.len()).unwrap_or(u64::MAX),
        })
    }

    fn named(&self, state: &State, row: &ComponentRow) -> Option<SampleProfile> {
        let slot = usize::try_from(self.space).ok()?;
        let numbers = &state.meta.spaces.get(slot)?.numbers;
        let identifiers = row.members.iter().take(NAMED).map(|member| {
            let kind = numbers.name(member.number).map_or("", |(_, name)| name);
            Identifier::new(kind, &*member.value)
        });
        Some(SampleProfile {
            profile: row.profile()?,
            identifiers: identifiers.collect(),
            identifier_count: u64::try_from(row.members.len()).unwrap_or(u64::MAX),
        })
    }
}

fn keep(largest: &mut Largest, (others, row): (usize, &ComponentRow), id: ComponentId) {
    largest.insert((Reverse((others, row.members.len())), id));
    if largest.len() > SAMPLES {
        largest.pop_last();
    }
}
