//! What a destination of the catalogue is told, as the configuration has it.

use std::collections::BTreeMap;

use selfsame_event::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a destination of the catalogue is set up with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tool {
    /// Its settings, but the secret ones.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Its secret settings and its tokens, `{settings, auth}` as JSON, sealed by whoever writes them here.
    /// Empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sealed: String,
    /// Which events become what there.
    #[serde(default)]
    pub mappings: Vec<ToolMapping>,
    /// The ids of the lists that audiences are there, by the ids of their definitions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub audiences: BTreeMap<String, String>,
    /// The records that changed what events become there, as far as they are remembered, the newest last. Set
    /// by the fold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<ToolVersion>,
}

/// Versions that are remembered.
const VERSIONS: usize = 50;

/// Since when a destination was set up so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolVersion {
    /// The offset of the record that said so.
    pub offset: u64,
    /// Its log time, in microseconds.
    pub at: i64,
}

impl Tool {
    /// Notes that this is written at a place of the log, behind the one before. Only other settings or mappings
    /// make another version: tokens come and go.
    pub(crate) fn follow(&mut self, before: Option<&Self>, (offset, at): (u64, Time)) {
        self.versions = before.map(|before| before.versions.clone()).unwrap_or_default();
        let is_same = before.is_some_and(|before| {
            before.settings == self.settings && before.mappings == self.mappings
        });
        if !is_same || self.versions.is_empty() {
            self.versions.push(ToolVersion { offset, at: at.micros() });
            let surplus = self.versions.len().saturating_sub(VERSIONS);
            self.versions.drain(..surplus);
        }
    }

    /// The version that was in force at a time; none where that is not remembered.
    pub fn version_at(&self, at: Time) -> Option<ToolVersion> {
        self.versions.iter().rev().find(|version| version.at <= at.micros()).copied()
    }
}

/// Which events an action of a destination is given, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolMapping {
    /// Its number in the destination: what deliveries know it by. It stays the same while it has its name.
    pub number: u8,
    /// The name for people.
    pub name: String,
    /// The action.
    pub action: String,
    /// The events, as a trigger of Segment's.
    pub trigger: String,
    /// What the action is given of them; what it proposes where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Value>,
    /// Whether it is in use.
    pub enabled: bool,
}
