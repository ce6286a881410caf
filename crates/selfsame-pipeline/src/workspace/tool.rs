//! What a destination of the catalogue is told, as the configuration has it.

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
