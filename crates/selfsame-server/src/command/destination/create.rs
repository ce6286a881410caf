//! `selfsame destination create`: a destination of the catalogue, or a webhook, on a server.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::super::plan::send;
use super::super::say;
use crate::client::{Remote, block_on};
use crate::control::{NewDestination, NewMapping, NewSecret};
use crate::printable::printable;

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The name for people, which an event's `integrations` names.
    #[arg(long)]
    name: String,
    /// The id; made from the name where it is not given.
    #[arg(long)]
    id: Option<String>,
    /// The space whose events it gets; may be left out while there is one only.
    #[arg(long)]
    space: Option<String>,
    /// What kind of destination it is: `webhook`, or the id of one of the catalogue.
    #[arg(long = "type", value_name = "ID", default_value = "webhook")]
    kind: String,
    /// Where a webhook sends to.
    #[arg(long)]
    url: Option<String>,
    /// What one of the catalogue is told, JSON or YAML: names of its settings with values.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Tokens that OAuth has left, JSON or YAML, such as `refresh_token`.
    #[arg(long, value_name = "FILE")]
    auth: Option<PathBuf>,
    /// Which events become what there, JSON or YAML: a list of `{name, action, trigger, mapping, enabled}`.
    /// Default: what its manifest proposes.
    #[arg(long, value_name = "FILE")]
    mappings: Option<PathBuf>,
    /// After five minutes later events of a profile do not wait any more for one that fails.
    #[arg(long)]
    relaxed: bool,
    /// Make it switched off.
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Create {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let file = |path: &Option<PathBuf>| path.as_deref().map(document).transpose();
        let (settings, auth) = (file(&self.settings)?, file(&self.auth)?);
        let mappings: Option<Vec<NewMapping>> = file(&self.mappings)?
            .map(serde_json::from_value)
            .transpose()
            .context("mappings are a list of {name, action, trigger, mapping, enabled}")?;
        let is_webhook = self.url.is_some();
        let new = NewDestination {
            id: self.id,
            name: self.name,
            space: self.space,
            kind: Some(self.kind),
            url: self.url,
            // Without settings it is one of the catalogue that needs none.
            settings: settings
                .or_else(|| (!is_webhook).then(|| Value::Object(serde_json::Map::new()))),
            auth,
            mappings,
            events: None,
            order: self.relaxed.then(|| "relaxed".to_owned()),
            enabled: Some(!self.disabled),
            secret: None,
        };
        let client = self.remote.client()?;
        let made: NewSecret =
            block_on(async { send(&client, Method::POST, "/api/destinations", &new).await })?;
        let shown = &made.destination;
        say(&format!("Made `{}` ({}).", printable(&shown.id), printable(&shown.kind)))?;
        for mapping in &shown.mappings {
            let (name, trigger) = (printable(&mapping.name), printable(&mapping.trigger));
            let off = if mapping.enabled { "" } else { "  (off)" };
            say(&format!(
                "  {name}: {} of events with {trigger}{off}",
                printable(&mapping.action)
            ))?;
        }
        if let Some(secret) = &made.secret {
            say(&format!("Its secret, shown this once: {}", printable(secret)))?;
        }
        Ok(())
    }
}

/// A file of JSON or YAML.
pub(super) fn document(path: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_yaml_ng::from_str(&text)
        .with_context(|| format!("{} is neither JSON nor YAML", path.display()))
}
