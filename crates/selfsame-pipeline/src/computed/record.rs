//! Records that carry on what takes longer than a step. What they do is decided by their step; who
//! appends them decides only when.

use std::collections::BTreeSet;

use selfsame_event::{ProfileId, Time};
use serde::{Deserialize, Serialize};

/// The head of a record about computed traits and audiences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "computed", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ComputedRecord {
    /// Moments have come: those up to the last one that is named.
    Tick {
        /// When it is, in microseconds.
        due: i64,
        /// The number of the space.
        space: u32,
        /// Whose it is.
        profile: String,
    },
    /// Accounts are to be evaluated: each item names one.
    Accounts {
        /// The id of the space.
        space: String,
    },
    /// The history of streams, of some anchors: each item is 16 bytes of the anchor, then what is kept.
    Rows {
        /// The id of the space.
        space: String,
        /// The record that published the rules by which its sender's state was folded, 0 if none did: where
        /// others were published since, the record says nothing. Early ones do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<u64>,
        /// The streams.
        streams: BTreeSet<u32>,
    },
    /// Streams are kept whole now, and versions of definitions are in force.
    Live {
        /// The id of the space.
        space: String,
        /// The record that published the rules by which its sender's state was folded, 0 if none did: where
        /// others were published since, the record says nothing. Early ones do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<u64>,
        /// The streams.
        streams: BTreeSet<u32>,
        /// The numbers of the definitions, each with the record that asked for the version.
        versions: Vec<(u32, u64)>,
    },
    /// Profiles are to be evaluated by versions that came into force: the item names them.
    Walk {
        /// The id of the space.
        space: String,
        /// The record that published the rules by which its sender's state was folded, 0 if none did: where
        /// others were published since, the record says nothing. Early ones do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<u64>,
        /// The numbers of the definitions.
        definitions: BTreeSet<u32>,
        /// Whether these are the last profiles.
        is_last: bool,
    },
    /// It is to be said again what a definition comes to for profiles: the item names them.
    Announce {
        /// The id of the space.
        space: String,
        /// The record that published the rules by which its sender's state was folded, 0 if none did: where
        /// others were published since, the record says nothing. Early ones do not have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        under: Option<u64>,
        /// The number of the definition.
        definition: u32,
        /// Whether these are the last profiles.
        is_last: bool,
    },
}

impl ComputedRecord {
    /// The bytes of the head.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("numbers and texts are JSON")
    }

    /// Of a tick: the last moment.
    pub(crate) fn tick(due: Time, space: u32, profile: ProfileId) -> Self {
        Self::Tick { due: due.micros(), space, profile: profile.to_string() }
    }
}
