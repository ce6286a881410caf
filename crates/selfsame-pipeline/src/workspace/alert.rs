//! Alerts and the channels that are told of them, as the configuration has them. What they say is for who
//! looks: the fold takes them as they are.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ChangeError, Workspace};

/// An alert that is not, or not only, one of those by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The id that APIs show. That of an alert by default stands in for it.
    pub id: String,
    /// The rule.
    pub rule: Map<String, Value>,
}

/// Somebody who is told of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertChannel {
    /// The id that APIs show.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// What kind of channel it is.
    pub kind: String,
    /// What it is told with, but what is secret.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Its secrets, as a JSON object, sealed by whoever writes them here. Empty where there are none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sealed: String,
    /// Whether it is told.
    pub enabled: bool,
}

impl Workspace {
    /// The channel of that id.
    pub fn alert_channel(&self, id: &str) -> Option<&AlertChannel> {
        self.alert_channels.iter().find(|channel| channel.id == id)
    }

    pub(super) fn remove_alert(&mut self, id: String) -> Result<(), ChangeError> {
        let before = self.alerts.len();
        self.alerts.retain(|alert| alert.id != id);
        let is_removed = self.alerts.len() < before;
        is_removed.then_some(()).ok_or(ChangeError::Unknown { kind: "alert", id })
    }

    pub(super) fn remove_alert_channel(&mut self, id: String) -> Result<(), ChangeError> {
        let before = self.alert_channels.len();
        self.alert_channels.retain(|channel| channel.id != id);
        let is_removed = self.alert_channels.len() < before;
        is_removed.then_some(()).ok_or(ChangeError::Unknown { kind: "alert channel", id })
    }
}
