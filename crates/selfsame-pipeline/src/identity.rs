//! A change of who is who that somebody asked for: the record, and its step.
//!
//! The record names identifiers by their keys: it says nothing personal, and a key means the same as
//! long as the workspace's secret does. What it does is decided by its step, from the evidence: see
//! [`selfsame_identity::plan`]. Sections stay where they are, with their anchors; those whose profile is
//! of another partition afterwards are sent there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_event::{IdentifierKey, Position, ProfileId, Time};
use selfsame_identity::{Change, Pair, Plan, PlanError, Rules, RulesLog, apply, plan};
use selfsame_log::Record;
use selfsame_store::{RowKey, StoreError, Table};
use serde::{Deserialize, Serialize};

use crate::ahead::Published;
use crate::graph::Graph;
use crate::key::{InSpace, LedgerKey};
use crate::meta::SpaceMeta;
use crate::partition::{PartitionRecord, partition_of};
use crate::state::{State, StateError};
use crate::workspace::ChangeError;

/// Most pairs that one record changes.
pub const PAIRS: usize = 10_000;

/// The head of an identity record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityChange {
    /// The id of the space.
    pub space: String,
    /// Pairs of identifier keys that may not share a profile, in hex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<[String; 2]>,
    /// Pairs that may again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lift: Vec<[String; 2]>,
    /// Who asked, in their own words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Whether more may be resolved again than in a step without a draft: see [`crate::Drafting`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub large: bool,
}

impl IdentityChange {
    /// The record of a change.
    pub fn new(space: &str, change: &Change) -> Self {
        let pairs =
            |pairs: &BTreeSet<Pair>| pairs.iter().map(|pair| pair.keys().map(hex)).collect();
        Self {
            space: space.to_owned(),
            apart: pairs(&change.apart),
            lift: pairs(&change.lift),
            by: change.by.to_string(),
            large: false,
        }
    }

    /// Whether it names pairs of a space, and not more than a record may.
    pub(crate) fn is_sound_in(&self, space: &str) -> bool {
        self.space == space && self.change(Time::default()).is_some()
    }

    /// The change that the record says; none where it names something else than pairs.
    pub fn change(&self, at: Time) -> Option<Change> {
        let pair = |[one, other]: &[String; 2]| Pair::new(key_of(one)?, key_of(other)?);
        let pairs = |pairs: &[[String; 2]]| pairs.iter().map(pair).collect::<Option<_>>();
        if self.apart.len() + self.lift.len() > PAIRS {
            return None;
        }
        Some(Change {
            apart: pairs(&self.apart)?,
            lift: pairs(&self.lift)?,
            by: self.by.as_str().into(),
            at,
        })
    }
}

/// A key in hex, which sorts as the key does.
pub(crate) fn hex(key: IdentifierKey) -> String {
    key.0.iter().fold(String::with_capacity(32), |text, byte| format!("{text}{byte:02x}"))
}

/// The key of that hex.
pub(crate) fn key_of(hex: &str) -> Option<IdentifierKey> {
    let mut key = [0; 16];
    if hex.len() != 2 * key.len() {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(IdentifierKey(key))
}

/// The rules of a space by position.
pub(crate) fn rules_log(counts: &SpaceMeta) -> Result<RulesLog, selfsame_identity::RuleError> {
    let mut numbers = counts.numbers.clone();
    let compile = |since: &crate::meta::RulesSince| {
        let rules = Rules::compile(&since.rules, &mut numbers)?;
        Ok(rules.in_force_since(Position::embedded(since.offset)))
    };
    counts.rules.iter().map(compile).collect::<Result<_, _>>().map(RulesLog::new)
}

impl State {
    /// Sets identifiers apart or lifts that, as if it had been so from the first record on. Before a record
    /// that publishes rules it is so already: see [`crate::apart`].
    pub(crate) fn identity(
        &mut self,
        record: &Record,
    ) -> Result<Result<(), ChangeError>, StateError> {
        let damaged = || StateError::Record { position: record.position };
        let change: IdentityChange = serde_json::from_slice(&record.head).map_err(|_| damaged())?;
        let holds = |one: &Published| record.position.offset < one.offset;
        if self.published.get(&change.space).is_some_and(holds) {
            return Ok(Ok(()));
        }
        let Some(space) = self.meta.workspace.space(&change.space) else {
            return Ok(Err(ChangeError::Unknown { kind: "space", id: change.space }));
        };
        let space = space.number;
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let counts = self.meta.spaces.get(slot).ok_or_else(damaged)?;
        let is_large = change.large;
        let Some(change) = change.change(record.time) else {
            let reason = "it does not name pairs of identifiers".to_owned();
            return Ok(Err(ChangeError::Identity { reason }));
        };
        let tables = Arc::clone(&self.tables);
        let mut graph = Graph { tables: &tables, space, has_apart: counts.apart > 0 };
        let draft = if is_large { tables.drafts.take(space, &change, counts) } else { None };
        let planned = match draft {
            Some(draft) => Ok(draft.at(&change)),
            None => {
                let sizes = tables.drafts.sizes();
                let sizes = if is_large { sizes.whole() } else { sizes };
                plan(&change, &rules_log(counts)?, sizes, &mut graph, &mut |_| true)
            }
        };
        let plan = match planned {
            Ok(plan) => plan,
            Err(PlanError::Resolve(error)) => return Err(error.into()),
            Err(error) => return Ok(Err(ChangeError::Identity { reason: error.to_string() })),
        };
        apply(&plan, &mut graph)?;
        self.replace_ledger(space, &plan)?;
        self.count_again(slot, &plan);
        let moves = plan.moved.iter().filter(|one| one.has_events);
        let moves = moves.filter_map(|one| Some((one.name.key, one.from?, one.to?)));
        let moves: Vec<_> = moves.collect();
        self.move_sections(space, moves.iter().copied())?;
        let profiles: BTreeSet<ProfileId> =
            moves.iter().flat_map(|(_, from, to)| [*from, *to]).collect();
        for profile in profiles {
            self.mark_stale(slot, profile, record.time)?;
        }
        Ok(Ok(()))
    }

    /// The merges made and refused by what was resolved again stand in for those of before.
    fn replace_ledger(&self, space: u32, plan: &Plan) -> Result<(), StateError> {
        let prefixes = plan.replaced.iter().map(|id| LedgerKey::prefix(space, *id)).collect();
        let (mut old, mut is_damaged) = (Vec::new(), false);
        self.tables.ledger.scan_prefixes(&prefixes, |key, _| {
            let key = LedgerKey::from_bytes(key);
            is_damaged |= key.is_none();
            old.extend(key);
            !is_damaged
        })?;
        if is_damaged {
            return Err(StoreError::Row { table: Table::Ledger.name() }.into());
        }
        let mut new = BTreeMap::new();
        for row in &plan.ledger {
            let (component, event) = (row.component(), row.stamp.position);
            let number = (0..=u8::MAX).find(|number| {
                !new.contains_key(&LedgerKey { space, component, event, number: *number })
            });
            let key = LedgerKey { space, component, event, number: number.unwrap_or(u8::MAX) };
            new.insert(key, row.encode());
        }
        old.into_iter()
            .filter(|key| !new.contains_key(key))
            .for_each(|key| self.tables.ledger.remove(key));
        new.into_iter().for_each(|(key, row)| self.tables.ledger.put(key, &row));
        Ok(())
    }

    fn count_again(&mut self, slot: usize, plan: &Plan) {
        let counts = &mut self.meta.spaces[slot];
        let [before, after] = plan.counts();
        let again = |count: &mut u64, before: u64, after: u64| {
            *count = count.saturating_sub(before).saturating_add(after);
        };
        again(&mut counts.profiles, before.profiles, after.profiles);
        again(&mut counts.merges, before.merges, after.merges);
        again(&mut counts.apart, before.apart, after.apart);
    }

    /// Sections of identifiers whose profile is of another partition now move there. Each with the id that
    /// its profile had and the one that it has.
    pub(crate) fn move_sections(
        &mut self,
        space: u32,
        moved: impl Iterator<Item = (IdentifierKey, ProfileId, ProfileId)>,
    ) -> Result<(), StateError> {
        let count = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
        let mut moves: BTreeMap<(u32, u32), Vec<_>> = BTreeMap::new();
        for (key, from, to) in moved {
            let (from, to) = (partition_of(from, count), partition_of(to, count));
            if from != to {
                moves.entry((from, to)).or_default().push(InSpace { space, key });
            }
        }
        for ((from, to), anchors) in moves {
            self.exchange.send(to, PartitionRecord::Expect { anchors: anchors.clone() });
            self.exchange.send(from, PartitionRecord::Release { anchors, to });
        }
        Ok(self.exchange.settle(&mut self.partitions)?)
    }
}
