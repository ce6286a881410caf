//! `selfsame destination choices`: what a field of a mapping may be, as the tool says.

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::plan::send;
use super::super::say;
use crate::client::{Remote, block_on, part};
use crate::control::ChoicesFound;
use crate::printable::printable;

/// The choices of a field, as the tool itself says: one a line, the value first.
#[derive(Debug, Args)]
pub(super) struct Choices {
    /// The destination.
    destination: String,
    /// The field, such as `list_id`.
    field: String,
    #[command(flatten)]
    remote: Remote,
}

impl Choices {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        let path = format!("/api/destinations/{}/choices", part(&self.destination));
        let body = json!({ "field": self.field });
        let found: ChoicesFound =
            block_on(async { send(&client, Method::POST, &path, &body).await })?;
        for one in &found.data {
            let value = match &one.value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            say(&format!("{}  {}", printable(&value), printable(&one.label)))?;
        }
        say(&format!("{} choices", found.data.len()))
    }
}
