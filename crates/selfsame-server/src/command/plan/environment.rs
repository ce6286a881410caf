//! Values that files name by environment variables: secrets, which are in no file.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::command::resource::{DestinationFile, MappingFile};
use crate::control::{NewDestination, NewMapping};

/// The value of the environment variable that a file names.
#[expect(clippy::disallowed_methods, reason = "a file names the variable; it is no setting")]
pub(in crate::command) fn from_environment(name: Option<&str>) -> anyhow::Result<Option<String>> {
    let read = |name: &str| {
        let value = std::env::var(name);
        value.with_context(|| {
            format!("the environment variable {name}, which the file names, is not set")
        })
    };
    name.map(read).transpose()
}

/// The values of variables, by the names that a file gives them.
pub(super) fn named(variables: &BTreeMap<String, String>) -> anyhow::Result<Map<String, Value>> {
    let mut values = Map::new();
    for (name, variable) in variables {
        if let Some(value) = from_environment(Some(variable))? {
            values.insert(name.clone(), Value::String(value));
        }
    }
    Ok(values)
}

/// A destination to be made of its file.
pub(super) fn new_destination(file: &DestinationFile) -> anyhow::Result<NewDestination> {
    let mut settings = file.settings.clone();
    settings.extend(named(&file.settings_env)?);
    let auth = named(&file.auth_env)?;
    let is_webhook = !file.url.is_empty();
    let mapping = |one: &MappingFile| NewMapping {
        name: Some(one.name.clone()),
        action: one.action.clone(),
        trigger: Some(one.trigger.clone()),
        mapping: one.mapping.clone(),
        enabled: Some(one.enabled),
    };
    let mappings: Vec<NewMapping> = file.mappings.iter().map(mapping).collect();
    Ok(NewDestination {
        id: Some(file.id.clone()),
        name: file.name.clone(),
        space: Some(file.space.clone()),
        kind: Some(file.kind.clone()),
        url: is_webhook.then(|| file.url.clone()),
        settings: (!is_webhook).then_some(Value::Object(settings)),
        auth: (!auth.is_empty()).then_some(Value::Object(auth)),
        mappings: (!mappings.is_empty()).then_some(mappings),
        events: Some(file.events.clone()),
        order: Some(file.order.clone()),
        enabled: Some(file.enabled),
        secret: from_environment(file.secret_env.as_deref())?,
    })
}

/// Puts into a change of a destination or an alert channel what its file names by variables.
pub(super) fn put_in(body: &mut Value) -> anyhow::Result<()> {
    let Some(body) = body.as_object_mut() else { return Ok(()) };
    for (from, to) in
        [("settings_env", "settings"), ("auth_env", "auth"), ("secrets_env", "secrets")]
    {
        let Some(variables) = body.remove(from) else { continue };
        let values = named(&serde_json::from_value(variables)?)?;
        if values.is_empty() {
            continue;
        }
        let there = body.entry(to).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(there) = there {
            there.extend(values);
        }
    }
    Ok(())
}
