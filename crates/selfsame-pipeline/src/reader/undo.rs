//! What undoing would do, before it is done; and what is set apart.

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::{Class, Collection, Identifier, IdentifierKey, ProfileId, Time};
use selfsame_identity::{
    ApartFrom, Change, GoesOn, LedgerEntry, LedgerRow, Named, Pair, Plan, PlanError, Sizes, Split,
    Stamp, plan, plan_split, plan_within, sides_of,
};
use selfsame_store::{RowKey, StoreError, Table};

use super::{Found, LookupError, ProfileRef, SpaceRead};
use crate::draft::{Draft, Drafting};
use crate::graph::Graph;
use crate::identity::{PAIRS, rules_log};
use crate::key::{InSpace, LedgerKey};
use crate::row;

mod ahead;

/// How often a plan is made anew because the graph changed meanwhile.
const ATTEMPTS: usize = 3;

/// What somebody wants of who is who.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoWish {
    /// Undo the merge in which the profile of that id became part of another.
    Unmerge(ProfileId),
    /// Two identifiers may not share a profile.
    Apart(Identifier, Identifier),
    /// These leave the profile that holds them.
    Split {
        /// Those that leave.
        chosen: Vec<Identifier>,
        /// The profile: any identifier that stays.
        from: Identifier,
    },
    /// The profile of an identifier is taken apart until it keeps the rules in force.
    WithinRules(Identifier),
    /// Two identifiers may share a profile again.
    Lift(Identifier, Identifier),
}

/// What somebody wants, and who it is.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// Of users or of accounts.
    pub collection: Collection,
    /// What.
    pub wish: &'w UndoWish,
    /// Who asks, in their own words.
    pub by: &'w str,
}

/// What a wish would do.
#[derive(Debug, Clone)]
pub struct UndoPlan {
    /// The pairs that it sets apart or lifts.
    pub change: Change,
    /// These, by name.
    pub pairs: Vec<(Identifier, Identifier)>,
    /// What that does.
    pub plan: Plan,
    /// Whether an identifier that was to leave still shares a profile with one that stays.
    pub is_partial: bool,
}

/// Why a wish cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// The state cannot be read.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// There is no plan for it.
    #[error(transparent)]
    Plan(PlanError<StoreError>),
    /// No event had that identifier.
    #[error("no event had `{kind}:{value}`", kind = .0.kind, value = .0.value)]
    Unseen(Identifier),
    /// The profile is not part of another.
    #[error("no profile took in {0}")]
    NoMerge(ProfileId),
    /// The event added an identifier to a profile, and merged nothing else.
    #[error("the identifiers that made this merge are no longer on its two sides")]
    NoSides,
    /// Two profiles.
    #[error("they are not of the profile that they are to leave")]
    OtherProfile,
    /// Nothing to lift.
    #[error("the two are not set apart")]
    NotApart,
    /// Too much for one record.
    #[error("{0} pairs are over the {PAIRS} of one change")]
    TooMany(usize),
}

impl UndoError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Lookup(error) => error.class(),
            Self::Plan(error) => error.class(),
            Self::Unseen(_) | Self::NoMerge(_) | Self::NotApart => Class::Missing,
            Self::NoSides | Self::OtherProfile => Class::Conflict,
            Self::TooMany(_) => Class::Limited,
        }
    }
}

impl From<StoreError> for UndoError {
    fn from(error: StoreError) -> Self {
        Self::Lookup(error.into())
    }
}

/// Two identifiers that are set apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApartPair {
    /// One.
    pub one: Identifier,
    /// The other.
    pub other: Identifier,
    /// Since when.
    pub since: Time,
    /// Who said so.
    pub by: String,
    /// How many events would have brought them together.
    pub times: u64,
    /// The last of these.
    pub last: Option<Stamp>,
}

impl SpaceRead {
    /// How many sets of identifiers are resolved again in one step, and how many at all.
    pub fn undo_sizes(&self) -> Sizes {
        self.view.tables.drafts.sizes()
    }

    /// What a wish would do, if that is no more than those sizes say.
    pub fn plan_undo(
        &self,
        collection: Collection,
        wish: &UndoWish,
        by: &str,
        sizes: Sizes,
        goes_on: GoesOn<'_>,
    ) -> Result<UndoPlan, UndoError> {
        self.plan_wish(&Wanted { collection, wish, by }, sizes, goes_on)
    }

    /// The same for a large change, and leaves the plan for the step of its record. A plan that rows
    /// have overtaken meanwhile is made anew, some times; then the step has to plan by itself.
    pub fn draft_undo(
        &self,
        wanted: &Wanted<'_>,
        drafting: &Drafting,
        goes_on: GoesOn<'_>,
    ) -> Result<UndoPlan, UndoError> {
        let mut attempt = 1;
        loop {
            if drafting.is_of(&self.view.tables) {
                drafting.forget();
            }
            let planned = self.plan_wish(wanted, self.undo_sizes().whole(), goes_on)?;
            let draft = Draft {
                space: self.space().number,
                change: planned.change.clone(),
                plan: planned.plan.clone(),
                rules: std::sync::Arc::clone(&self.counts().rules),
                has_apart: self.counts().apart > 0,
            };
            let is_left = drafting.is_of(&self.view.tables) && drafting.leave(draft);
            if is_left || attempt == ATTEMPTS {
                return Ok(planned);
            }
            attempt += 1;
        }
    }

    pub(super) fn plan_wish(
        &self,
        wanted: &Wanted<'_>,
        sizes: Sizes,
        goes_on: GoesOn<'_>,
    ) -> Result<UndoPlan, UndoError> {
        let mut attempt = 1;
        loop {
            match self.try_undo(wanted, sizes, goes_on) {
                Err(error) if error.class() == Class::Corrupt && attempt < ATTEMPTS => attempt += 1,
                planned => return planned,
            }
        }
    }

    fn try_undo(
        &self,
        &Wanted { collection, wish, by }: &Wanted<'_>,
        sizes: Sizes,
        goes_on: GoesOn<'_>,
    ) -> Result<UndoPlan, UndoError> {
        let rules = rules_log(self.counts()).map_err(LookupError::from)?;
        let mut graph = Graph {
            tables: &self.view.tables,
            space: self.space().number,
            has_apart: self.counts().apart > 0,
        };
        let mut change = Change { by: by.into(), ..Change::default() };
        let split = match wish {
            UndoWish::Split { chosen, from } => {
                let chosen = self.leaving(collection, chosen, from)?;
                plan_split(&chosen, &change, &rules, sizes, &mut graph, goes_on)
                    .map_err(UndoError::Plan)?
            }
            UndoWish::WithinRules(of) => {
                let key = self.key_of(collection, of)?;
                plan_within(key, &change, &rules, sizes, &mut graph, goes_on).map_err(|error| {
                    match error {
                        PlanError::Unknown => UndoError::Unseen(of.clone()),
                        error => UndoError::Plan(error),
                    }
                })?
            }
            _ => {
                self.add_pair(collection, wish, &mut change, &mut graph)?;
                let planned = plan(&change, &rules, sizes, &mut graph, goes_on);
                let is_held = |id: &Identifier| {
                    self.held(collection, &id.kind, &id.value).is_ok_and(|key| key.is_some())
                };
                let plan = planned.map_err(|error| match (error, wish) {
                    (PlanError::Unknown, UndoWish::Apart(one, other)) => {
                        UndoError::Unseen(if is_held(one) { other } else { one }.clone())
                    }
                    (error, _) => UndoError::Plan(error),
                })?;
                Split { change, plan, is_partial: false }
            }
        };
        let Split { change, plan, is_partial } = split;
        let count = change.apart.len() + change.lift.len();
        if count > PAIRS {
            return Err(UndoError::TooMany(count));
        }
        let names: BTreeMap<_, _> = plan.names().map(|named| (named.key, named)).collect();
        let name = |key: IdentifierKey| names.get(&key).map(|named| self.named(named));
        let pairs = change.apart.iter().chain(&change.lift).filter_map(|pair| {
            let [one, other] = pair.keys();
            Some((name(one)?, name(other)?))
        });
        Ok(UndoPlan { pairs: pairs.collect(), change, plan, is_partial })
    }

    /// The pair of a wish that is about one.
    fn add_pair(
        &self,
        collection: Collection,
        wish: &UndoWish,
        change: &mut Change,
        graph: &mut Graph<'_>,
    ) -> Result<(), UndoError> {
        let pair = |one: &Identifier, other: &Identifier| {
            let (one, other) = (self.key_of(collection, one)?, self.key_of(collection, other)?);
            Pair::new(one, other).ok_or(UndoError::Plan(PlanError::Same))
        };
        match wish {
            UndoWish::Unmerge(profile) => {
                change.apart.insert(self.merged(collection, *profile, graph)?);
            }
            UndoWish::Apart(one, other) => _ = change.apart.insert(pair(one, other)?),
            UndoWish::Lift(one, other) => {
                let pair = pair(one, other)?;
                let [one, other] = pair.keys();
                let row = self.view.tables.apart.read(&self.in_space(one), row::apart)?;
                let is_apart = row.flatten().is_some_and(|row| row.from(other).is_some());
                if !is_apart {
                    return Err(UndoError::NotApart);
                }
                change.lift.insert(pair);
            }
            UndoWish::Split { .. } | UndoWish::WithinRules(_) => {}
        }
        Ok(())
    }

    /// The two sides of the merge in which a profile became part of another.
    fn merged(
        &self,
        collection: Collection,
        profile: ProfileId,
        graph: &mut Graph<'_>,
    ) -> Result<Pair, UndoError> {
        let found = self.find(collection, &ProfileRef::Id(profile))?;
        let found = found.ok_or(UndoError::NoMerge(profile))?;
        let mut merges = found.ledger_rows()?;
        let is_it = |row: &LedgerRow| matches!(row.entry, LedgerEntry::Merged(merge) if merge.child_profile == profile);
        let last = merges.iter().rposition(is_it).ok_or(UndoError::NoMerge(profile))?;
        merges.truncate(last + 1);
        let sides = sides_of(&merges, &self.compiled.rules, graph).map_err(UndoError::Plan)?;
        sides.ok_or(UndoError::NoSides)
    }

    /// The keys of those that leave a profile.
    fn leaving(
        &self,
        collection: Collection,
        chosen: &[Identifier],
        from: &Identifier,
    ) -> Result<BTreeSet<IdentifierKey>, UndoError> {
        let stays = self.key_of(collection, from)?;
        let found = self.find_key(collection, stays)?;
        let found = found.ok_or_else(|| UndoError::Unseen(from.clone()))?;
        let mut keys = BTreeSet::new();
        for id in chosen {
            let key = self.key_of(collection, id)?;
            if key == stays || !found.holds(key) {
                return Err(UndoError::OtherProfile);
            }
            keys.insert(key);
        }
        Ok(keys)
    }

    /// The key of an identifier, on a profile or not.
    fn key_of(&self, collection: Collection, id: &Identifier) -> Result<IdentifierKey, UndoError> {
        if let Some(key) = self.held(collection, &id.kind, &id.value)? {
            return Ok(key);
        }
        let kind = id.kind.to_ascii_lowercase();
        let number = self.numbers().number(collection, &kind);
        let number = number.ok_or_else(|| UndoError::Unseen(id.clone()))?;
        let value = self.compiled.rules.folded(number, &id.value);
        Ok(self.view.hasher.identifier(self.space().number, collection, &kind, &value))
    }

    /// An identifier by its type's name.
    pub fn named(&self, named: &Named) -> Identifier {
        let kind = self.type_name(named.number).map_or("", |(_, name)| name);
        Identifier::new(kind, &*named.value)
    }

    /// The pairs of a collection that are set apart, at most so many; and whether there are more.
    pub fn apart_pairs(
        &self,
        collection: Collection,
        limit: usize,
    ) -> Result<(Vec<ApartPair>, bool), LookupError> {
        let (mut found, mut is_damaged) = (BTreeMap::new(), false);
        let prefix = self.space().number.to_be_bytes();
        self.view.tables.apart.scan(&prefix, |key, packed| {
            match (InSpace::<IdentifierKey>::from_bytes(key), row::apart(packed)) {
                (Some(key), Some(row)) => found.extend([(key.key, row)]),
                _ => is_damaged = true,
            }
            !is_damaged
        })?;
        if is_damaged {
            return Err(StoreError::Row { table: Table::Apart.name() }.into());
        }
        // A key whose rules find it on no event has no name.
        let name = |key: IdentifierKey| {
            let row = found.get(&key).filter(|row| !row.value.is_empty())?;
            let (of, kind) = self.type_name(row.number)?;
            (of == collection).then(|| Identifier::new(kind, &*row.value))
        };
        let mut pairs = Vec::new();
        for (key, row) in &found {
            for from in row.others.iter().filter(|from| from.key > *key) {
                if let (Some(one), Some(other)) = (name(*key), name(from.key)) {
                    pairs.push(pair_of(one, other, from));
                }
            }
        }
        pairs.sort_by(|one, other| {
            let key = |pair: &ApartPair| (pair.since, pair.one.value.clone());
            key(one).cmp(&key(other))
        });
        let is_cut = pairs.len() > limit;
        pairs.truncate(limit);
        Ok((pairs, is_cut))
    }
}

impl Found<'_> {
    /// The pairs that keep this profile and another one apart.
    pub(super) fn apart_from(&self, other: &Self) -> Result<Vec<ApartPair>, LookupError> {
        let read = self.read;
        let mut pairs = Vec::new();
        if read.counts().apart == 0 {
            return Ok(pairs);
        }
        for id in self.external_ids() {
            let row = read.view.tables.apart.read(&read.in_space(id.key), row::apart)?;
            let Some(row) = row.flatten() else { continue };
            for from in &row.others {
                if let Some(across) = other.identifier(from.key) {
                    pairs.push(pair_of(Identifier::new(id.kind, id.value), across, from));
                }
            }
        }
        Ok(pairs)
    }

    /// Its rows of the merge ledger, in the order of the log.
    fn ledger_rows(&self) -> Result<Vec<LedgerRow>, LookupError> {
        let space = self.read.space().number;
        let prefixes = self.components()?.into_iter().map(|id| LedgerKey::prefix(space, id));
        let (mut rows, mut is_damaged) = (BTreeMap::new(), false);
        self.read.view.tables.ledger.scan_prefixes(&prefixes.collect(), |key, packed| {
            match (LedgerKey::from_bytes(key), row::ledger(packed)) {
                (Some(key), Some(row)) => rows.extend([((key.event, key.number), row)]),
                _ => is_damaged = true,
            }
            !is_damaged
        })?;
        match is_damaged {
            true => Err(StoreError::Row { table: Table::Ledger.name() }.into()),
            false => Ok(rows.into_values().collect()),
        }
    }
}

fn pair_of(one: Identifier, other: Identifier, from: &ApartFrom) -> ApartPair {
    let ApartFrom { since, by, times, last, .. } = from;
    ApartPair { one, other, since: *since, by: by.to_string(), times: *times, last: *last }
}
