//! `destinations/*.yaml`: a webhook, or a destination of the catalogue.

use std::collections::BTreeMap;

use anyhow::ensure;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Change, Field, FunctionUseFile, Resource};
use crate::client::part;
use crate::control::{DestinationShown, MappingShown};

/// `destinations/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct DestinationFile {
    pub(in crate::command) id: String,
    pub(in crate::command) name: String,
    pub(in crate::command) space: String,
    #[serde(default = "webhook")]
    pub(in crate::command) kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::command) url: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(in crate::command) settings: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::command) mappings: Vec<MappingFile>,
    #[serde(default)]
    pub(in crate::command) events: Vec<String>,
    #[serde(default = "strict")]
    pub(in crate::command) order: String,
    #[serde(default = "yes")]
    pub(in crate::command) enabled: bool,
    /// The function that it is, where its kind is `function`. Where it is left out, it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::command) function: Option<FunctionUseFile>,
    /// The function in front of it. Where it is left out, it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::command) insert_function: Option<FunctionUseFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::command) secret_env: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::command) settings_env: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::command) auth_env: BTreeMap<String, String>,
}

/// A mapping of a destination of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::command) struct MappingFile {
    pub(in crate::command) name: String,
    pub(in crate::command) action: String,
    pub(in crate::command) trigger: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::command) mapping: Option<Value>,
    #[serde(default = "yes")]
    pub(in crate::command) enabled: bool,
}

impl From<MappingShown> for MappingFile {
    fn from(shown: MappingShown) -> Self {
        let MappingShown { name, action, trigger, mapping, enabled } = shown;
        Self { name, action, trigger, mapping, enabled }
    }
}

fn webhook() -> String {
    "webhook".to_owned()
}

fn strict() -> String {
    "strict".to_owned()
}

fn yes() -> bool {
    true
}

impl Resource for DestinationFile {
    const FOLDER: &'static str = "destinations";
    const WORD: &'static str = "destination";
    const HEAD: &'static str = "\
# A destination: where the events of a space go.
# events: the types it gets (identify, track, page, screen, group, alias); [] means all.
# order: strict, or relaxed: after five minutes later events of a profile do not wait for one that fails.
# kind: webhook, or the id of a destination of the catalogue.
# A webhook has a url. The secret that signs is not in this file: one is drawn when the destination is made
# and printed once, unless secret_env names an environment variable that has it (whsec_...).
# One of the catalogue has settings and mappings (name, action, trigger, mapping, enabled); without mappings
# it is made with those that it proposes. Secret settings are not in this file: settings_env names the
# environment variable of each, and auth_env those of tokens such as refresh_token. They are read when the
# destination is made, and when its settings change.
# function: what it does, where its kind is function. insert_function: the function in front of it. Each has
# function, settings, and secrets_env, which names the environment variable of each secret setting.
";
    const REMOVABLE: bool = true;

    fn id(&self) -> &str {
        &self.id
    }

    fn over(&self, live: &Self) -> Self {
        let mappings = match self.mappings.is_empty() {
            true => live.mappings.clone(),
            false => self.mappings.clone(),
        };
        let function = self.function.clone().or_else(|| live.function.clone());
        let insert_function = self.insert_function.clone().or_else(|| live.insert_function.clone());
        Self { mappings, function, insert_function, ..self.clone() }
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let is_told = !self.settings.is_empty() || !self.mappings.is_empty();
        ensure!(self.kind != webhook() || !self.url.is_empty() || is_told, "a webhook needs a url");
        Ok(())
    }

    fn change(&self, wanted: &Value, fields: &[Field]) -> Change {
        let mut body = Map::new();
        for (key, value) in wanted.as_object().into_iter().flatten() {
            if fields.iter().any(|field| field.is_of(key)) {
                body.insert(key.clone(), value.clone());
            }
        }
        // What is not in the file any more is taken away; secret ones are named by their variables.
        let gone = fields.iter().filter(|field| field.new == "none");
        let gone: Vec<String> = gone
            .filter_map(|field| field.path.strip_prefix("settings."))
            .map(|name| name.split(['.', '[']).next().unwrap_or(name).to_owned())
            .collect();
        if body.contains_key("settings") || !gone.is_empty() {
            let settings = body.entry("settings").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(settings) = settings {
                for name in gone {
                    settings.entry(name).or_insert(Value::Null);
                }
            }
            body.insert("settings_env".to_owned(), serde_json::json!(self.settings_env));
            body.insert("auth_env".to_owned(), serde_json::json!(self.auth_env));
        }
        let path = format!("/api/{}/{}", Self::FOLDER, part(self.id()));
        Change { method: Method::PATCH, path, body: Value::Object(body) }
    }
}

impl From<DestinationShown> for DestinationFile {
    fn from(shown: DestinationShown) -> Self {
        let DestinationShown { id, name, space, kind, url, events, order, enabled, .. } = shown;
        let settings = shown.settings.as_object().cloned().unwrap_or_default();
        let mappings = shown.mappings.into_iter().map(Into::into).collect();
        let (settings_env, auth_env) = (BTreeMap::new(), BTreeMap::new());
        Self {
            id,
            name,
            space,
            kind,
            url,
            settings,
            mappings,
            events,
            order,
            enabled,
            function: shown.function.map(Into::into),
            insert_function: shown.insert_function.map(Into::into),
            secret_env: None,
            settings_env,
            auth_env,
        }
    }
}
