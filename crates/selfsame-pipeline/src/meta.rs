//! What the state knows besides its tables: one row, written by the batch that ends a checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_identity::{HouseholdBy, RuleSet, TypeNumbers};
use serde::{Deserialize, Serialize};

use crate::apart::ApartAhead;
use crate::computed::{Computing, Members, Settled};
use crate::trend::DayCounts;
use crate::workspace::Workspace;

/// The version of everything that decides. A change of it holds from its position on.
pub const LOGIC_VERSION: u32 = 6;

/// The format of the tables' rows. An older one is rebuilt from the log.
pub(crate) const STATE_FORMAT: u32 = 12;

/// The row of the whole state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// The format of the rows.
    pub format: u32,
    /// The logic that wrote them.
    pub logic: u32,
    /// The offset of the next record to fold.
    pub next: u64,
    /// Log time of the last record, in microseconds.
    pub log_time: i64,
    /// The configuration.
    pub workspace: Workspace,
    /// What each space counts, by its number.
    pub spaces: Vec<SpaceMeta>,
    /// What each source counts, by its number.
    pub sources: Vec<SourceMeta>,
    /// Up to which line files were imported, by their digest in hex.
    pub imports: BTreeMap<String, u64>,
    /// Of each space whose rules hold from the first record on, the offset of the record that published
    /// them; of rules that are not published yet, [`PENDING`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub published: BTreeMap<String, u64>,
    /// Of some of these, before that record: the definitions that are kept from the first record on too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<String, Arc<Settled>>,
    /// Of some of these, before that record: what is set apart from the first record on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub apart: BTreeMap<String, Arc<ApartAhead>>,
}

/// The offset of a record that is not appended yet: behind all others.
pub(crate) const PENDING: u64 = u64::MAX;

/// What a space counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpaceMeta {
    /// The numbers of its identifier types.
    pub numbers: TypeNumbers,
    /// Pairs of identifiers that are set apart.
    pub apart: u64,
    /// The rules so far, in the order in which they came into force. Shared: every batch shows readers
    /// a copy of these facts.
    #[serde(with = "shared_rules")]
    pub rules: Arc<Vec<RulesSince>>,
    /// Profiles that are not merged into another one.
    pub profiles: u64,
    /// Merges made.
    pub merges: u64,
    /// Events folded.
    pub events: u64,
    /// Changes of computed traits and audiences that the outbox has and some destination is told of.
    #[serde(default)]
    pub effects: u64,
    /// Events that identified nobody.
    pub unattached: u64,
    /// Entries that the list of insights ever had.
    pub insights: u64,
    /// Indexed traits, and how many events had been folded when each was declared: the index has all
    /// of a trait's values only if there were none.
    pub indexed: BTreeMap<String, u64>,
    /// The rules of households by which profiles can be found, and how many events had been folded
    /// when each came into force: those before it can be found only if there were none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub households: BTreeMap<String, u64>,
    /// How often each limit or block was met, by its number.
    pub violations: BTreeMap<u8, u64>,
    /// What is known of its definitions. Shared: every batch shows readers a copy of these facts.
    #[serde(default)]
    pub computing: Arc<Computing>,
    /// Who is in its audiences, in numbers, by the number of the definition.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<u32, Members>,
    /// What happened on each of the newest days, counted from 1970-01-01 in log time.
    pub days: BTreeMap<u32, DayCounts>,
}

/// Rules, and the record that put them in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RulesSince {
    /// The offset of the record.
    pub offset: u64,
    /// The rules.
    pub rules: RuleSet,
}

mod shared_rules {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::RulesSince;

    pub(super) fn serialize<S: Serializer>(
        rules: &Arc<Vec<RulesSince>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        rules.as_slice().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Arc<Vec<RulesSince>>, D::Error> {
        Vec::deserialize(from).map(Arc::new)
    }
}

/// What a source counts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceMeta {
    /// Events accepted, duplicates not counted.
    pub events: u64,
    /// Duplicates.
    pub duplicates: u64,
    /// Events whose id was there before with other content.
    pub changed: u64,
    /// Events set aside, by refusal number.
    pub rejected: BTreeMap<u8, u64>,
    /// Entries of the list of rejected events, by day. The newest thirty days are kept.
    pub rejected_days: BTreeMap<u32, u64>,
}

impl SpaceMeta {
    /// How many deliveries destinations were offered: each event, and each change of what some are told of as two calls.
    pub fn deliveries(&self) -> u64 {
        self.events + 2 * self.effects
    }

    /// Whether the index has every value of that trait.
    pub fn indexes_all_of(&self, name: &str) -> bool {
        self.indexed.get(name) == Some(&0)
    }

    /// How many events had been folded when a rule of households came into force. Of those, none is
    /// looked at by that rule.
    pub fn events_before(&self, by: HouseholdBy) -> u64 {
        let mut rules = self.households.iter();
        let since = rules.find(|(name, _)| name.split(' ').next() == Some(by.word()));
        since.map_or(self.events, |(_, events)| *events)
    }

    fn note_households(&mut self, rules: &RuleSet) {
        let address = rules.households.address.then(|| HouseholdBy::Address.word().to_owned());
        let card = rules.households.card.as_ref();
        // Another trait is another rule: the values of the first one say nothing.
        let card = card.map(|name| format!("{} {name}", HouseholdBy::Card.word()));
        let names: Vec<String> = address.into_iter().chain(card).collect();
        self.households.retain(|name, _| names.contains(name));
        for name in names {
            self.households.entry(name).or_insert(self.events);
        }
    }
}

impl Meta {
    /// Notes rules that a record changed.
    pub(crate) fn note_rules(&mut self, offset: u64) {
        self.spaces.resize_with(self.workspace.spaces.len(), SpaceMeta::default);
        for (space, counts) in self.workspace.spaces.iter().zip(&mut self.spaces) {
            if counts.rules.last().is_none_or(|last| last.rules != space.rules) {
                let rules = space.rules.clone();
                Arc::make_mut(&mut counts.rules).push(RulesSince { offset, rules });
            }
            counts.note_households(&space.rules);
        }
    }
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            format: STATE_FORMAT,
            logic: LOGIC_VERSION,
            next: 0,
            log_time: 0,
            workspace: Workspace::default(),
            spaces: Vec::new(),
            sources: Vec::new(),
            imports: BTreeMap::new(),
            published: BTreeMap::new(),
            settled: BTreeMap::new(),
            apart: BTreeMap::new(),
        }
    }
}
