//! What is set apart from the first record on, where rules are published.
//!
//! A pair means that it had been in force since the first record. A fold that reads ahead for rules has all
//! of the log before it, so it can do just that: what is apart by the record that publishes is apart before any
//! event is resolved. So it holds whatever else the rules do: where devices move, and where people are verified,
//! which a plan from the evidence cannot resolve again (see [`crate::identity`]). Records before that one that
//! set apart or lift are then not carried out a second time.

use std::collections::BTreeMap;

use selfsame_event::Time;
use selfsame_identity::{ApartRow, Pair, Rows as _, Said};
use selfsame_store::StoreError;
use serde::{Deserialize, Serialize};

use crate::graph::Graph;
use crate::identity::{IdentityChange, hex, key_of};
use crate::state::State;

/// The pairs of a space, with since when, and who said so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<AheadPair>", into = "Vec<AheadPair>")]
pub struct ApartAhead(BTreeMap<Pair, Said>);

/// One of them, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct AheadPair {
    pair: [String; 2],
    since: i64,
    by: String,
}

impl ApartAhead {
    /// Takes what a record sets apart and lifts.
    pub(crate) fn take(&mut self, change: &IdentityChange, at: Time) {
        let Some(change) = change.change(at) else { return };
        for pair in &change.lift {
            self.0.remove(pair);
        }
        for pair in change.apart {
            self.0.entry(pair).or_insert_with(|| (at, change.by.clone()));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<ApartAhead> for Vec<AheadPair> {
    fn from(apart: ApartAhead) -> Self {
        let stored = |(pair, (since, by)): (Pair, Said)| AheadPair {
            pair: pair.keys().map(hex),
            since: since.micros(),
            by: by.to_string(),
        };
        apart.0.into_iter().map(stored).collect()
    }
}

impl TryFrom<Vec<AheadPair>> for ApartAhead {
    type Error = &'static str;

    fn try_from(stored: Vec<AheadPair>) -> Result<Self, Self::Error> {
        let pair = |AheadPair { pair: [one, other], since, by }: AheadPair| {
            let pair = Pair::new(key_of(&one)?, key_of(&other)?)?;
            Some((pair, (Time::from_micros(since), by.into())))
        };
        let pairs: Option<_> = stored.into_iter().map(pair).collect();
        pairs.map(Self).ok_or("a pair is not two keys")
    }
}

impl State {
    /// In a space that was made just now, sets apart what is apart from the first record on.
    pub(crate) fn begin_apart(&mut self, space: &str) -> Result<(), StoreError> {
        let (Some(slot), Some(apart)) = (self.slot_of(space), self.meta.apart.get(space)) else {
            return Ok(());
        };
        let (rows, pairs) = (ApartRow::of_pairs(&apart.0), apart.0.len());
        let counts = &mut self.meta.spaces[slot];
        counts.apart = u64::try_from(pairs).unwrap_or(u64::MAX);
        let space = self.meta.workspace.spaces[slot].number;
        let mut graph = Graph { tables: &self.tables, space, has_apart: true };
        rows.into_iter().try_for_each(|(key, row)| graph.set_apart(key, row))
    }

    /// At the record that published rules, says of what it set apart itself since when that is so.
    pub(crate) fn end_apart(
        &mut self,
        space: &str,
        own: Option<&IdentityChange>,
        at: Time,
    ) -> Result<(), StoreError> {
        self.meta.apart.remove(space);
        let (Some(slot), Some(change)) = (self.slot_of(space), own.and_then(|own| own.change(at)))
        else {
            return Ok(());
        };
        let space = self.meta.workspace.spaces[slot].number;
        let mut graph = Graph { tables: &self.tables, space, has_apart: true };
        for pair in change.apart {
            let [one, other] = pair.keys();
            for (key, across) in [(one, other), (other, one)] {
                if let Some(mut row) = graph.apart(key)? {
                    row.set_since(across, at);
                    graph.set_apart(key, row)?;
                }
            }
        }
        Ok(())
    }
}
