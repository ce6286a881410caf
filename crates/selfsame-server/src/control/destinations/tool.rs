//! Destinations of the catalogue: what they are told, checked against their manifests.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_connector::{ConfigError, proposed};
use selfsame_deliver::MOST_ACTIONS;
use selfsame_destinations::Manifest;
use selfsame_pipeline::workspace::{Tool, ToolMapping};
use serde_json::{Map, Value};

use super::super::Control;
use super::super::problem::{Code, Problem};
use super::super::shape::shape;
use crate::connectors::{Opened, config, opened};
use crate::vault::Purpose;

/// The longest id of a list.
const MOST_LIST_BYTES: usize = 512;

shape! {
    /// Which events an action of a destination is given, and as what.
    pub(crate) struct MappingShown {
        /// The name for people.
        name: String,
        /// The action.
        action: String,
        /// The events.
        trigger: String,
        /// What the action is given of them, with Segment's directives; null: what it proposes.
        mapping: Option<Value>,
        /// Whether it is in use.
        enabled: bool,
    }

    /// A mapping of a destination. One keeps what waits for it as long as it keeps its name.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewMapping {
        /// The name for people; that of the action where it is not given.
        name: Option<String>,
        /// The action.
        action: String,
        /// The events, such as `type = "track" and event = "Order Completed"`; what the manifest proposes where
        /// it is not given.
        trigger: Option<String>,
        /// What the action is given of them, with Segment's directives; what it proposes where it is not given.
        mapping: Option<Value>,
        /// Whether it is in use; yes where not given.
        enabled: Option<bool>,
    }
}

impl From<&ToolMapping> for MappingShown {
    fn from(one: &ToolMapping) -> Self {
        let ToolMapping { name, action, trigger, mapping, enabled, .. } = one.clone();
        Self { name, action, trigger, mapping, enabled }
    }
}

/// What is to be set up, or changed of what is there.
pub(super) struct Wish {
    pub(super) settings: Option<Value>,
    pub(super) auth: Option<Value>,
    pub(super) mappings: Option<Vec<NewMapping>>,
    pub(super) audiences: Option<BTreeMap<String, Option<String>>>,
}

impl Wish {
    /// Whether anything is wished for.
    pub(super) fn is_something(&self) -> bool {
        let Self { settings, auth, mappings, audiences } = self;
        settings.is_some() || auth.is_some() || mappings.is_some() || audiences.is_some()
    }
}

/// What a destination is told by a wish, over what it was told before.
pub(super) fn tool(
    control: &Control,
    (id, kind): (&str, &str),
    wish: Wish,
    before: Option<&Tool>,
) -> Result<Tool, Problem> {
    let manifest = manifest(control, kind)?;
    let vault = &control.node.vault;
    // What cannot be opened any more has to be given anew.
    let secrets = before.map(|tool| opened(vault, id, tool).unwrap_or_default());
    let mut secrets = secrets.unwrap_or_default();
    let mut settings = before.map(|tool| tool.settings.clone()).unwrap_or_default();
    settings.append(&mut secrets.settings);
    patch(&mut settings, wish.settings, "settings")?;
    patch(&mut secrets.auth, wish.auth, "auth")?;
    let mappings = match (wish.mappings, before) {
        (Some(list), _) => numbered(&manifest, list, before)?,
        (None, Some(before)) => before.mappings.clone(),
        (None, None) => proposals(&manifest)?,
    };
    for (name, value) in std::mem::take(&mut settings) {
        match manifest.secrets().contains(&name) {
            true => drop(secrets.settings.insert(name, value)),
            false => drop(settings.insert(name, value)),
        }
    }
    let mut audiences = before.map(|tool| tool.audiences.clone()).unwrap_or_default();
    lists(&mut audiences, wish.audiences)?;
    let mut tool =
        Tool { settings, sealed: String::new(), mappings, audiences, versions: Vec::new() };
    config(&manifest, &tool, &secrets).map_err(|wrong| faults(&wrong))?;
    if !secrets.is_empty() {
        let is_same = before.is_some_and(|before| {
            opened(vault, id, before).is_ok_and(|known: Opened| known == secrets)
        });
        tool.sealed = match before.filter(|_| is_same) {
            Some(before) => before.sealed.clone(),
            None => vault.seal(Purpose::Tool(id), &secrets.text())?,
        };
    }
    Ok(tool)
}

/// The manifest of a kind.
pub(in crate::control) fn manifest(
    control: &Control,
    kind: &str,
) -> Result<Arc<Manifest>, Problem> {
    let manifests = &control.node.connectors.manifests;
    manifests
        .get(kind)
        .ok_or_else(|| Problem::field("kind", format!("`kind`: {}", manifests.without(kind))))
}

/// Puts in what is given, and takes away what is null.
fn patch(of: &mut Map<String, Value>, given: Option<Value>, name: &str) -> Result<(), Problem> {
    let given = match given {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(given)) => given,
        Some(_) => {
            let message = format!("`{name}` has names with values.");
            return Err(Problem::field(name.to_owned(), message));
        }
    };
    for (name, value) in given {
        if value.is_null() {
            of.remove(&name);
        } else {
            of.insert(name, value);
        }
    }
    Ok(())
}

/// Takes other lists for audiences; null has one looked for and made anew.
fn lists(
    of: &mut BTreeMap<String, String>,
    given: Option<BTreeMap<String, Option<String>>>,
) -> Result<(), Problem> {
    for (audience, list) in given.into_iter().flatten() {
        match list {
            None => drop(of.remove(&audience)),
            Some(list) if (1..=MOST_LIST_BYTES).contains(&list.len()) => {
                of.insert(audience, list);
            }
            Some(_) => {
                let message = format!(
                    "`audiences.{audience}` is the id of a list there, or null to have one made."
                );
                return Err(Problem::field(format!("audiences.{audience}"), message));
            }
        }
    }
    Ok(())
}

fn proposals(manifest: &Manifest) -> Result<Vec<ToolMapping>, Problem> {
    let all: Vec<ToolMapping> = proposed(manifest)
        .into_iter()
        .map(|(name, one)| ToolMapping {
            number: one.number,
            name,
            action: one.action,
            trigger: one.trigger,
            mapping: one.mapping,
            enabled: one.enabled,
        })
        .collect();
    if all.is_empty() {
        let actions: Vec<&str> =
            manifest.actions().iter().map(|action| action.key.as_str()).collect();
        let message = format!(
            "`mappings` is needed: {} proposes none. Its actions are `{}`.",
            manifest.name,
            actions.join("`, `")
        );
        return Err(Problem::field("mappings", message));
    }
    Ok(all)
}

/// Gives mappings their numbers: those that they had, by their names.
fn numbered(
    manifest: &Manifest,
    list: Vec<NewMapping>,
    before: Option<&Tool>,
) -> Result<Vec<ToolMapping>, Problem> {
    let known = before.map_or(&[][..], |before| &before.mappings);
    let mut used: Vec<u8> = known.iter().map(|one| one.number).collect();
    let mut made: Vec<ToolMapping> = Vec::with_capacity(list.len());
    for (index, one) in list.into_iter().enumerate() {
        let at = |rest: &str| format!("mappings[{index}]{rest}");
        let name = one.name.unwrap_or_else(|| one.action.clone());
        if made.iter().any(|other| other.name == name) {
            let message = format!("`{}`: another mapping is called `{name}`.", at(".name"));
            return Err(Problem::field(at(".name"), message));
        }
        let number = match known.iter().find(|known| known.name == name) {
            Some(known) => known.number,
            None => next_number(&used).ok_or_else(|| {
                let message = format!("A destination has at most {MOST_ACTIONS} mappings.");
                Problem::field("mappings", message)
            })?,
        };
        used.push(number);
        let trigger = match one.trigger.or_else(|| trigger_of(manifest, &one.action)) {
            Some(trigger) => trigger,
            // What is wrong with the action is said with everything else.
            None if manifest.action(&one.action).is_none() => "type = \"track\"".to_owned(),
            None => {
                let at = at(".trigger");
                let message =
                    format!("`{at}` is needed: the action `{}` proposes none.", one.action);
                return Err(Problem::field(at, message));
            }
        };
        made.push(ToolMapping {
            number,
            name,
            action: one.action,
            trigger,
            mapping: one.mapping,
            enabled: one.enabled.unwrap_or(true),
        });
    }
    Ok(made)
}

/// A number that none has: behind all of them as long as there is one, so that what waits for a mapping
/// that was removed is not given to another one.
fn next_number(used: &[u8]) -> Option<u8> {
    let behind = used.iter().max().map_or(0, |last| last + 1);
    let free = |number: &u8| !used.contains(number);
    Some(behind).filter(|number| *number < MOST_ACTIONS).or_else(|| (0..MOST_ACTIONS).find(free))
}

fn trigger_of(manifest: &Manifest, action: &str) -> Option<String> {
    let preset = manifest.presets().iter().find(|preset| preset.action == action);
    let own = || manifest.action(action)?.proposed_trigger.clone();
    preset.map(|preset| preset.trigger.clone()).or_else(own)
}

fn faults(wrong: &ConfigError) -> Problem {
    let first = wrong.0.first().map_or_else(String::new, |fault| fault.pointer.clone());
    Problem::new(Code::Invalid, format!("{wrong}.")).at(first)
}
