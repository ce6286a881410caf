//! What a connection was set up with, checked against its manifest.

use std::sync::Arc;

use selfsame_deliver::MOST_ACTIONS;
use selfsame_destinations::{Action, Manifest, Preset, Subscription, SubscriptionError};
use selfsame_mapping::Trigger;
use serde_json::Value;

use crate::batch::Room;
use crate::program::Program;

/// Which events an action is given, and as what, as somebody wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    /// Its number, of which no other one of the connection has the same; below 64.
    pub number: u8,
    /// The action.
    pub action: String,
    /// The events, as a trigger of Segment's.
    pub trigger: String,
    /// What it is given of them; what the action proposes where there is none.
    pub mapping: Option<Value>,
    /// Whether it is in use.
    pub enabled: bool,
}

/// A connection's configuration, as it was checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// What it speaks.
    pub(crate) manifest: Arc<Manifest>,
    /// Its settings, secrets and defaults included.
    pub(crate) settings: Value,
    /// The tokens that it was set up with; null without.
    pub(crate) auth: Value,
    pub(crate) lines: Vec<Line>,
    /// The code that makes its requests, where that is not the manifest.
    pub(crate) program: Option<Arc<dyn Program>>,
}

impl Config {
    /// With the program that its manifest names.
    #[must_use]
    pub fn with_program(mut self, program: Arc<dyn Program>) -> Self {
        self.program = Some(program);
        self
    }
}

/// One mapping, compiled.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) number: u8,
    pub(crate) trigger: Trigger,
    pub(crate) subscription: Arc<Subscription>,
    /// Whether a program makes its requests.
    pub(crate) is_program: bool,
    pub(crate) enabled: bool,
    /// What a batch of its events may hold, where they go together.
    pub(crate) room: Option<Room>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: `settings`, `auth` or `mappings`, and further into it.
    pub pointer: String,
    /// What.
    pub message: String,
}

/// Why a connection cannot be set up so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(|fault| format!("`{}`: {}", fault.pointer, fault.message)).collect::<Vec<_>>().join("; "))]
pub struct ConfigError(pub Vec<Fault>);

/// Checks what a connection is to be set up with. Settings have their secrets in them.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn check(
    manifest: &Arc<Manifest>,
    settings: Value,
    auth: Value,
    mappings: &[Mapped],
) -> Result<Config, ConfigError> {
    let mut faults = Vec::new();
    let fault = |pointer: &str, message: String| Fault { pointer: pointer.to_owned(), message };
    let settings = match manifest.check_settings(settings) {
        Ok(settings) => settings,
        Err(found) => {
            faults.extend(found.into_iter().map(|message| fault("settings", message)));
            Value::Null
        }
    };
    if !auth.is_null() && !auth.is_object() {
        faults.push(fault("auth", "expected names with values, such as refresh_token".to_owned()));
    }
    if mappings.len() > usize::from(MOST_ACTIONS) {
        faults.push(fault("mappings", format!("a destination has at most {MOST_ACTIONS}")));
    }
    let mut lines = Vec::with_capacity(mappings.len());
    for (index, one) in mappings.iter().enumerate() {
        match line(manifest, one) {
            Ok(line) => lines.push(line),
            Err(found) => faults.extend(
                found.into_iter().map(|(at, text)| fault(&format!("mappings[{index}]{at}"), text)),
            ),
        }
    }
    lines.sort_by_key(|line| line.number);
    if faults.is_empty() {
        let program = None;
        Ok(Config { manifest: Arc::clone(manifest), settings, auth, lines, program })
    } else {
        Err(ConfigError(faults))
    }
}

fn line(manifest: &Manifest, one: &Mapped) -> Result<Line, Vec<(String, String)>> {
    let mut faults = Vec::new();
    let trigger = Trigger::compile(&one.trigger)
        .map_err(|problem| faults.push((".trigger".to_owned(), problem.to_string())));
    let subscription = manifest.subscription(&one.action, one.mapping.as_ref());
    let subscription = subscription.map_err(|error| match error {
        SubscriptionError::Action { .. } => {
            faults.push((".action".to_owned(), error.to_string()));
        }
        SubscriptionError::Mapping(problems) => {
            let places =
                problems.into_iter().map(|problem| (".mapping".to_owned(), problem.to_string()));
            faults.extend(places);
        }
    });
    let unknown = unknown_fields(manifest, one);
    faults.extend(unknown.into_iter().map(|text| (".mapping".to_owned(), text)));
    match (trigger, subscription) {
        (Ok(trigger), Ok(subscription)) if faults.is_empty() => Ok(Line {
            number: one.number,
            trigger,
            subscription: Arc::new(subscription),
            is_program: manifest.action(&one.action).is_some_and(Action::is_program),
            enabled: one.enabled,
            room: Room::of(manifest, &one.action).filter(|_| goes_together(manifest, one)),
        }),
        _ => Err(faults),
    }
}

/// Whether a mapping lets its events go together: as Segment has it, unless `enable_batching` says no.
fn goes_together(manifest: &Manifest, one: &Mapped) -> bool {
    let proposed = || manifest.action(&one.action).map(|action| action.default_mapping());
    let mapping = one.mapping.as_ref().or_else(proposed);
    let switch = mapping.and_then(|mapping| mapping.get("enable_batching"));
    switch.and_then(Value::as_bool) != Some(false)
}

/// Fields of a mapping that the action does not have: they would never reach the destination. What Segment
/// keeps there for its own batches is passed over.
fn unknown_fields(manifest: &Manifest, one: &Mapped) -> Vec<String> {
    let (Some(action), Some(Value::Object(mapping))) =
        (manifest.action(&one.action), one.mapping.as_ref())
    else {
        return Vec::new();
    };
    if action.takes_others() {
        return Vec::new();
    }
    let known: Vec<&str> = action.fields().collect();
    let is_passed_over = |name: &str| {
        let kept =
            ["@", "__segment_internal", "enable_batching", "batch_", "onMappingSave", "retlOn"];
        kept.iter().any(|kept| name.starts_with(kept))
    };
    let unknown = mapping.keys().map(String::as_str);
    let unknown = unknown.filter(|name| !is_passed_over(name) && !known.contains(name));
    let fault = |name: &str| {
        let fields = known.join("`, `");
        format!("/{name}: the action `{}` has no such field; it has `{fields}`", one.action)
    };
    unknown.map(fault).collect()
}

/// What a manifest proposes, with numbers from 0 on.
pub fn proposed(manifest: &Manifest) -> Vec<(String, Mapped)> {
    let of = |(number, preset): (u8, &Preset)| {
        let mapped = Mapped {
            number,
            action: preset.action.clone(),
            trigger: preset.trigger.clone(),
            mapping: Some(manifest.preset_mapping(preset)),
            enabled: true,
        };
        (preset.name.clone(), mapped)
    };
    (0..MOST_ACTIONS).zip(manifest.presets()).map(of).collect()
}
