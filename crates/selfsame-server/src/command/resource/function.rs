//! Functions as files, and where a source's file uses one.

use std::collections::BTreeMap;

use anyhow::Context as _;
use selfsame_pipeline::workspace::{FunctionKind, FunctionSetting};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Resource;
use crate::control::{FunctionSettingShown, FunctionShown, FunctionUseShown, NewFunction};
use crate::function;

/// `functions/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionFile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: FunctionKind,
    #[serde(default)]
    pub(crate) settings: Vec<FunctionSetting>,
    pub(crate) code: String,
}

/// The function of a source, in its file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FunctionUseFile {
    pub(crate) function: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) settings: BTreeMap<String, Value>,
    /// The environment variables that have the secret settings, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) secrets_env: BTreeMap<String, String>,
}

fn setting(shown: FunctionSettingShown) -> FunctionSetting {
    FunctionSetting {
        name: shown.name,
        kind: shown.kind.unwrap_or_default(),
        description: shown.description.unwrap_or_default(),
        required: shown.required.unwrap_or(false),
        secret: shown.secret.unwrap_or(false),
    }
}

impl FunctionFile {
    /// The function as the server takes it.
    pub(crate) fn new_function(&self) -> NewFunction {
        NewFunction {
            id: Some(self.id.clone()),
            name: self.name.clone(),
            kind: self.kind,
            code: self.code.clone(),
            settings: Some(self.settings.iter().map(Into::into).collect()),
        }
    }
}

impl From<FunctionShown> for FunctionFile {
    fn from(shown: FunctionShown) -> Self {
        let FunctionShown { id, name, kind, code, settings, .. } = shown;
        Self { id, name, kind, settings: settings.into_iter().map(setting).collect(), code }
    }
}

impl From<FunctionUseShown> for FunctionUseFile {
    fn from(shown: FunctionUseShown) -> Self {
        let FunctionUseShown { function, settings, .. } = shown;
        Self { function, settings, secrets_env: BTreeMap::new() }
    }
}

impl Resource for FunctionFile {
    const FOLDER: &'static str = "functions";
    const WORD: &'static str = "function";
    const HEAD: &'static str = "\
# A function: JavaScript (docs/reference/functions.md). kind: source, insert or destination.
# settings: what it is told wherever it is used: name, kind (text, boolean, array, map), required, secret.
# Other code or settings make another version, which runs at once. `selfsame function test` tries it out.
";
    const REMOVABLE: bool = true;

    fn id(&self) -> &str {
        &self.id
    }

    fn check(&mut self) -> anyhow::Result<()> {
        let checked = function::check(function::kind(self.kind), &self.code);
        checked.map_err(anyhow::Error::msg).context("the code is no such function")
    }
}
