//! The settings of a function where it is used: checked, sealed, opened.

use std::collections::BTreeMap;

use selfsame_pipeline::workspace::{FunctionPlace, FunctionSetting, FunctionUse, SettingKind};
use serde_json::{Map, Value};

use crate::vault::{Locked, Purpose, Vault, VaultError};

/// Most bytes of a setting.
const SETTING_BYTES: usize = 16 << 10;

/// Why settings are not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("the function has no setting `{name}`; it has {known}")]
    Unknown { name: String, known: String },
    #[error("the setting `{0}` is needed")]
    Missing(String),
    #[error("the setting `{name}` is {wanted}")]
    Wrong { name: String, wanted: &'static str },
    #[error("the setting `{0}` has more than {SETTING_BYTES} bytes")]
    TooLong(String),
    #[error("the setting cannot be sealed")]
    Seal(#[from] VaultError),
}

impl SettingError {
    /// The setting that it is about.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Unknown { name, .. }
            | Self::Missing(name)
            | Self::Wrong { name, .. }
            | Self::TooLong(name) => Some(name),
            Self::Seal(_) => None,
        }
    }
}

/// The settings as they are kept: secret ones sealed for their place. A secret that is not given stays as it
/// was before.
pub(crate) fn seal(
    vault: &Vault,
    place: &FunctionPlace,
    fields: &[FunctionSetting],
    given: BTreeMap<String, Value>,
    before: Option<&FunctionUse>,
) -> Result<BTreeMap<String, Value>, SettingError> {
    let mut kept = BTreeMap::new();
    for (name, value) in given {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let known: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(SettingError::Unknown { name, known });
        };
        if value.is_null() {
            continue;
        }
        check(field, &value)?;
        let value = match value.as_str().filter(|_| field.secret) {
            Some(text) => {
                let whose = place.to_string();
                vault.seal(Purpose::Setting(&whose, &field.name), text)?.into()
            }
            None => value,
        };
        kept.insert(name, value);
    }
    for field in fields {
        if kept.contains_key(&field.name) {
            continue;
        }
        let before = before.and_then(|before| before.settings.get(&field.name));
        match before.filter(|_| field.secret) {
            Some(sealed) => drop(kept.insert(field.name.clone(), sealed.clone())),
            None if field.required => return Err(SettingError::Missing(field.name.clone())),
            None => {}
        }
    }
    Ok(kept)
}

fn check(field: &FunctionSetting, value: &Value) -> Result<(), SettingError> {
    let (fits, wanted) = match field.kind {
        SettingKind::Text => (value.is_string(), "a text"),
        SettingKind::Boolean => (value.is_boolean() && !field.secret, "true or false"),
        SettingKind::Array => {
            let list = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
            (list && !field.secret, "a list of texts")
        }
        SettingKind::Map => {
            let map = value.as_object().is_some_and(|map| map.values().all(Value::is_string));
            (map && !field.secret, "an object of texts")
        }
    };
    if !fits {
        return Err(SettingError::Wrong { name: field.name.clone(), wanted });
    }
    if value.to_string().len() > SETTING_BYTES {
        return Err(SettingError::TooLong(field.name.clone()));
    }
    Ok(())
}

/// The settings as the function gets them, as JSON.
pub(crate) fn open(
    vault: &Vault,
    place: &FunctionPlace,
    fields: &[FunctionSetting],
    used: &FunctionUse,
) -> Result<String, Locked> {
    let whose = place.to_string();
    let mut opened = Map::new();
    for (name, value) in &used.settings {
        // What the function has no setting for any more is kept, for a roll back, and not told.
        let Some(field) = fields.iter().find(|field| field.name == *name) else { continue };
        let value = match value.as_str().filter(|_| field.secret) {
            Some(text) => vault.unseal(Purpose::Setting(&whose, name), text)?.into(),
            None => value.clone(),
        };
        opened.insert(name.clone(), value);
    }
    Ok(Value::Object(opened).to_string())
}

#[cfg(test)]
mod tests;
