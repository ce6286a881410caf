//! Which function is used at a place, and what it is told there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::super::plan::send;
use super::super::say;
use super::json;
use crate::client::{Remote, block_on};
use crate::control::{Done, FunctionUseAsked, FunctionUseShown};
use crate::printable::printable;

/// What is to be used at a place.
#[derive(Debug, Args)]
pub(in crate::command) struct Used {
    /// The function. Default: show the one that is used.
    #[arg(long, value_name = "ID", conflicts_with = "none")]
    function: Option<String>,
    /// What it is told, as a JSON object. Secret settings that are left out stay.
    #[arg(long, value_name = "FILE", requires = "function")]
    settings: Option<PathBuf>,
    /// Use no function any more.
    #[arg(long)]
    none: bool,
    #[command(flatten)]
    remote: Remote,
}

impl Used {
    /// Does it at a path of the Control API.
    pub(in crate::command) fn run(self, path: &str) -> anyhow::Result<()> {
        let client = self.remote.client()?;
        if self.none {
            let _done: Done = block_on(async {
                let request = client.request(Method::DELETE, path);
                Ok(client.send(request).await?.json().await?)
            })?;
            return say("There is no function there any more.");
        }
        let used: FunctionUseShown = match self.function {
            Some(function) => {
                let settings: Option<BTreeMap<String, Value>> =
                    self.settings.as_deref().map(json).transpose()?;
                let asked = FunctionUseAsked { function, settings };
                block_on(async { send(&client, Method::PUT, path, &asked).await })?
            }
            None => block_on(async { client.get(path).await })?,
        };
        say(&format!("function  {}", printable(&used.function)))?;
        for (name, value) in &used.settings {
            say(&format!("          {} = {}", printable(name), printable(&value.to_string())))?;
        }
        for name in &used.secrets {
            say(&format!("          {} = (secret)", printable(name)))?;
        }
        if let Some(path) = &used.path {
            say(&format!("requests  POST {path}, with a write key of the source in place of KEY"))?;
        }
        Ok(())
    }
}
