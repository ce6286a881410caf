//! Alerts and who is told of them, as files.

use std::collections::BTreeMap;

use anyhow::Context as _;
use reqwest::Method;
use selfsame_alert::{Condition, Rule, Severity, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Change, Field, Resource};
use crate::client::part;
use crate::control::{AlertChannelShown, AlertChannelWanted, AlertShown, AlertWanted};

/// `alerts/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct AlertFile {
    pub(in crate::command) id: String,
    pub(in crate::command) name: String,
    pub(in crate::command) when: Condition,
    #[serde(default)]
    pub(in crate::command) raise_after: Span,
    #[serde(default = "five_minutes")]
    pub(in crate::command) clear_after: Span,
    #[serde(default)]
    pub(in crate::command) severity: Severity,
    #[serde(default)]
    pub(in crate::command) channels: Vec<String>,
    #[serde(default = "yes")]
    pub(in crate::command) enabled: bool,
}

/// `alert-channels/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct AlertChannelFile {
    pub(in crate::command) id: String,
    pub(in crate::command) name: String,
    pub(in crate::command) kind: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(in crate::command) settings: Map<String, Value>,
    #[serde(default = "yes")]
    pub(in crate::command) enabled: bool,
    /// The environment variables that have the secrets, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::command) secrets_env: BTreeMap<String, String>,
}

fn yes() -> bool {
    true
}

fn five_minutes() -> Span {
    Span::minutes(5)
}

impl Resource for AlertFile {
    const FOLDER: &'static str = "alerts";
    const WORD: &'static str = "alert";
    const HEAD: &'static str = "\
# An alert (docs/reference/alerts.md). when: its kind, and what that kind is told.
# raise_after: for how long it has to hold before it is raised; clear_after: for how long it has to be over.
# severity: warning or critical. channels: who is told; [] means everybody. enabled: false switches it off.
";
    const REMOVABLE: bool = true;

    fn id(&self) -> &str {
        &self.id
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let rule = Rule {
            name: self.name.clone(),
            when: self.when.clone(),
            raise_after: self.raise_after,
            clear_after: self.clear_after,
            severity: self.severity,
            channels: self.channels.clone(),
            enabled: self.enabled,
        };
        let checked = rule.check();
        checked.map_err(|wrong| anyhow::anyhow!("{}: {}", wrong.field, wrong.reason))
    }

    /// An alert is set whole.
    fn change(&self, wanted: &Value, _: &[Field]) -> Change {
        let mut body = wanted.as_object().cloned().unwrap_or_default();
        body.remove("id");
        Change { method: Method::PUT, path: self.path(), body: Value::Object(body) }
    }
}

impl AlertFile {
    pub(in crate::command) fn path(&self) -> String {
        format!("/api/alerts/{}", part(&self.id))
    }

    /// The alert as the server takes it.
    pub(in crate::command) fn wanted(&self) -> anyhow::Result<AlertWanted> {
        Ok(AlertWanted {
            name: Some(self.name.clone()),
            when: serde_json::to_value(&self.when)?,
            raise_after: Some(self.raise_after.to_string()),
            clear_after: Some(self.clear_after.to_string()),
            severity: Some(self.severity.word().to_owned()),
            channels: Some(self.channels.clone()),
            enabled: Some(self.enabled),
        })
    }
}

impl TryFrom<AlertShown> for AlertFile {
    type Error = anyhow::Error;

    fn try_from(shown: AlertShown) -> anyhow::Result<Self> {
        let AlertShown { id, name, when, channels, enabled, .. } = shown;
        let unread =
            || format!("the alert {id} cannot be read: this program may be older than the server");
        let span = |text: &str| text.parse::<Span>().map_err(|error| anyhow::anyhow!("{error}"));
        let severity = serde_json::from_value(Value::String(shown.severity));
        Ok(Self {
            when: serde_json::from_value(when).with_context(unread)?,
            raise_after: span(&shown.raise_after).with_context(unread)?,
            clear_after: span(&shown.clear_after).with_context(unread)?,
            severity: severity.with_context(unread)?,
            id,
            name,
            channels,
            enabled,
        })
    }
}

impl Resource for AlertChannelFile {
    const FOLDER: &'static str = "alert-channels";
    const WORD: &'static str = "alert channel";
    const HEAD: &'static str = "\
# Who is told of alerts (docs/reference/alerts.md). kind: webhook (settings: url), slack, or email (settings:
# host, port, security, user, from, to).
# Its secret is not in this file: secrets_env names the environment variable that has it (secret of a
# webhook, url of Slack, password of email); it is read when the channel is made or changed. What signs for a
# webhook is drawn where it is not named, and printed once.
";
    const REMOVABLE: bool = true;

    fn id(&self) -> &str {
        &self.id
    }

    /// A channel is set whole.
    fn change(&self, wanted: &Value, _: &[Field]) -> Change {
        let mut body = wanted.as_object().cloned().unwrap_or_default();
        body.remove("id");
        Change { method: Method::PUT, path: self.path(), body: Value::Object(body) }
    }
}

impl AlertChannelFile {
    pub(in crate::command) fn path(&self) -> String {
        format!("/api/alert-channels/{}", part(&self.id))
    }

    /// The channel as the server takes it, with these secrets.
    pub(in crate::command) fn wanted(&self, secrets: Map<String, Value>) -> AlertChannelWanted {
        AlertChannelWanted {
            name: Some(self.name.clone()),
            kind: self.kind.clone(),
            settings: Some(Value::Object(self.settings.clone())),
            secrets: (!secrets.is_empty()).then_some(Value::Object(secrets)),
            enabled: Some(self.enabled),
        }
    }
}

impl From<AlertChannelShown> for AlertChannelFile {
    fn from(shown: AlertChannelShown) -> Self {
        let AlertChannelShown { id, name, kind, settings, enabled, .. } = shown;
        let settings = settings.as_object().cloned().unwrap_or_default();
        Self { id, name, kind, settings, enabled, secrets_env: BTreeMap::new() }
    }
}
