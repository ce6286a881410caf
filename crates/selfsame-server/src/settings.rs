//! Settings: defaults, then one TOML file, then the environment, then flags. Read once, here.
//!
//! Every value remembers where it came from, which `selfsame config` prints. A key that does not
//! exist is refused, with the nearest one that does.

mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use selfsame_collect::{CollectConfig, Network};
use selfsame_deliver::{AttemptLimits, DeliverConfig, LagLimit, RetryBudget};
use selfsame_log::LogConfig;
use selfsame_pipeline::EngineConfig;
use toml::{Table, Value};

#[cfg(test)]
pub(crate) use self::table::SECTIONS;
pub(crate) use self::table::{
    CollectSettings, DeliverSettings, EngineSettings, LogSettings, Settings,
};

impl CollectSettings {
    pub(crate) fn config(&self) -> Result<CollectConfig, SettingsError> {
        let proxy = |text: &String| {
            text.parse::<Network>().map_err(|error| SettingsError::Value {
                key: "collect.trusted_proxies".to_owned(),
                reason: error.to_string(),
            })
        };
        Ok(CollectConfig {
            event_bytes: self.event_bytes,
            batch_bytes: self.batch_bytes,
            in_flight_bytes: self.in_flight_bytes,
            body_seconds: self.body_seconds,
            trusted_proxies: self.trusted_proxies.iter().map(proxy).collect::<Result<_, _>>()?,
            collect_ipv6: self.collect_ipv6,
            credential_origins: self.credential_origins.clone(),
            ..CollectConfig::default()
        })
    }
}

impl LogSettings {
    pub(crate) fn apply(&self, config: LogConfig) -> LogConfig {
        LogConfig { segment_bytes: self.segment_bytes, ..config }
    }
}

impl DeliverSettings {
    pub(crate) fn attempts(&self) -> AttemptLimits {
        let age = Duration::from_secs(self.attempt_days.saturating_mul(24 * 3_600));
        AttemptLimits { bytes: self.attempt_bytes, age }
    }

    pub(crate) fn config(&self) -> DeliverConfig {
        let hours = self.lag_limit_hours;
        DeliverConfig {
            exception_limit: self.failed_events.max(1),
            profile_exception_limit: self.failed_events_per_profile.max(1),
            dead_letter_limit: self.dead_letters,
            requests: self.requests.max(1),
            lag_limit: LagLimit {
                age: (hours > 0).then(|| Duration::from_secs(hours.saturating_mul(3_600))),
                bytes: (self.lag_limit_bytes > 0).then_some(self.lag_limit_bytes),
            },
            retry_budget: RetryBudget {
                percent: self.retry_percent,
                floor_per_second: self.retries_per_second,
            },
            ..DeliverConfig::default()
        }
    }
}

impl EngineSettings {
    pub(crate) fn apply(&self, mut config: EngineConfig) -> EngineConfig {
        let share = |parts: usize| self.memory_bytes / 62 * parts;
        config.state.memory = selfsame_pipeline::MemoryBudget {
            sections: share(34),
            identifiers: share(10),
            components: share(16),
            other: share(2),
        };
        config.checkpoint_events = self.checkpoint_events;
        config.checkpoint_interval = Duration::from_secs(self.checkpoint_seconds);
        config.state.dedupe.window = Duration::from_secs(self.dedupe_hours * 3600);
        config.state.dedupe.disk_budget_bytes = self.dedupe_disk_bytes;
        config.state.dedupe.memory_budget_bytes = self.dedupe_memory_bytes;
        config
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("the settings file {} cannot be read", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the settings file {} is not valid TOML: {reason}", .path.display())]
    Syntax { path: PathBuf, reason: String },
    #[error("there is no setting `{key}` (from {origin}){hint}")]
    Unknown { key: String, origin: String, hint: String },
    #[error("the setting `{key}` has a value that cannot be used: {reason}")]
    Value { key: String, reason: String },
}

/// Settings and where each came from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    pub(crate) settings: Settings,
    merged: Table,
    origins: BTreeMap<String, String>,
}

/// The layers above the defaults, lowest first.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// The settings file, and whether it has to be there.
    pub(crate) file: Option<(PathBuf, bool)>,
    /// `SELFSAME__SECTION__KEY` and values.
    pub(crate) environment: Vec<(String, String)>,
    /// Keys and values that flags gave.
    pub(crate) flags: Vec<(&'static str, Value)>,
}

impl Layers {
    /// Merges the layers.
    pub(crate) fn load(self) -> Result<Loaded, SettingsError> {
        let defaults = Table::try_from(Settings::default()).map_err(|error| {
            SettingsError::Value { key: "defaults".to_owned(), reason: error.to_string() }
        })?;
        let mut loaded =
            Loaded { settings: Settings::default(), merged: defaults, origins: BTreeMap::new() };
        if let Some((path, required)) = self.file {
            loaded.add_file(&path, required)?;
        }
        for (name, text) in self.environment {
            let Some(key) = name.strip_prefix("SELFSAME__") else { continue };
            let key = key.to_lowercase().replace("__", ".");
            let value = parse_text(&loaded.merged, &key, &text);
            loaded.set(&key, value, &name)?;
        }
        for (key, value) in self.flags {
            loaded.set(key, value, "command line")?;
        }
        loaded.settings = loaded.merged.clone().try_into().map_err(|error: toml::de::Error| {
            SettingsError::Value { key: String::new(), reason: error.message().to_owned() }
        })?;
        loaded.settings.collect.config()?;
        Ok(loaded)
    }
}

impl Loaded {
    /// Every key with its value and origin.
    pub(crate) fn rows(&self) -> Vec<(String, String, String)> {
        let mut rows = Vec::new();
        for (section, values) in &self.merged {
            let Value::Table(values) = values else { continue };
            for (key, value) in values {
                let path = format!("{section}.{key}");
                let origin = self.origins.get(&path).map_or("default", String::as_str).to_owned();
                rows.push((path, value.to_string(), origin));
            }
        }
        rows
    }

    fn add_file(&mut self, path: &Path, required: bool) -> Result<(), SettingsError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => {
                return Ok(());
            }
            Err(source) => return Err(SettingsError::Read { path: path.to_owned(), source }),
        };
        let table: Table = text.parse().map_err(|error: toml::de::Error| {
            SettingsError::Syntax { path: path.to_owned(), reason: error.to_string() }
        })?;
        let origin = path.display().to_string();
        for (section, values) in table {
            let Value::Table(values) = values else {
                return Err(self.unknown(&section, &origin));
            };
            for (key, value) in values {
                self.set(&format!("{section}.{key}"), value, &origin)?;
            }
        }
        Ok(())
    }

    fn set(&mut self, path: &str, value: Value, origin: &str) -> Result<(), SettingsError> {
        let slot = path
            .split_once('.')
            .and_then(|(section, key)| self.merged.get_mut(section)?.as_table_mut()?.get_mut(key));
        let Some(slot) = slot else { return Err(self.unknown(path, origin)) };
        if slot.type_str() != value.type_str() {
            let reason =
                format!("{} wanted, {} given (from {origin})", slot.type_str(), value.type_str());
            return Err(SettingsError::Value { key: path.to_owned(), reason });
        }
        *slot = value;
        self.origins.insert(path.to_owned(), origin.to_owned());
        Ok(())
    }

    fn unknown(&self, path: &str, origin: &str) -> SettingsError {
        let known = self.rows().into_iter().map(|(path, ..)| path);
        let nearest = known.min_by_key(|known| distance(known, path));
        let hint = nearest.filter(|known| distance(known, path) <= 4);
        let hint = hint.map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
        SettingsError::Unknown { key: path.to_owned(), origin: origin.to_owned(), hint }
    }
}

/// The value of an environment variable, read as the kind of value that the key has.
fn parse_text(known: &Table, path: &str, text: &str) -> Value {
    let wanted = path.split_once('.').and_then(|(section, key)| known.get(section)?.get(key));
    let parsed = match wanted {
        Some(Value::Integer(_)) => text.parse().ok().map(Value::Integer),
        Some(Value::Boolean(_)) => text.parse().ok().map(Value::Boolean),
        Some(Value::Array(_)) => Some(Value::Array(
            text.split(',').map(|one| Value::String(one.trim().to_owned())).collect(),
        )),
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// How many single changes make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests;
