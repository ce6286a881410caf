//! A manifest, read: what a destination can do and how it is spoken to.

mod read;

use std::sync::Arc;

use jiff::tz::TimeZone;
use selfsame_mapping::{Expression, Item, Mapping, Scope, Template, Tree, Trigger};
use serde_json::{Map, Value};
use url::Url;

use crate::answer::{Outcome, Response};
use crate::auth::{Auth, Code, Consent, Hmac};
use crate::field::Fields;
use crate::problem::{ManifestError, Problems};
use crate::request::{Defaults, Form, Request, RequestError};

/// A destination as its manifest describes it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The name of its folder.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What kind of tool it is.
    pub category: String,
    /// The pages of the vendor that it was written from.
    pub docs: Vec<String>,
    /// The version of the manifest.
    pub version: String,
    /// How far it is: `native`, `beta`, or `community`.
    pub status: String,
    /// The name of the recorded cases that it is checked against.
    pub cases: Option<String>,
    /// What the `integrations` of events call it: its name, and others.
    pub called: Vec<String>,
    /// The code that makes its requests, where that is not the manifest.
    pub program: Option<Program>,
    settings: Fields,
    /// What settings are where they are not given.
    setting_defaults: Map<String, Value>,
    secrets: Vec<String>,
    pub(crate) auth: Auth,
    pub(crate) sign: Vec<Hmac>,
    pub(crate) defaults: Defaults,
    pub(crate) responses: Vec<Response>,
    actions: Vec<Action>,
    presets: Vec<Preset>,
    delete: Option<Vec<Step>>,
    pub(crate) audience: Option<Audience>,
    pub(crate) dynamic_fields: Vec<(String, Dynamic)>,
    /// What the vendor allows.
    pub limits: Limits,
}

/// Code of the actions pack, as far as it is known without it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// What the pack calls it.
    pub name: String,
    /// The destination that does the same without code.
    pub instead_of: Option<String>,
    /// Whether it speaks to an address that the vendor made for the publisher of the pack.
    pub is_partner: bool,
    /// Whether it can fetch another access token.
    pub refreshes: bool,
    /// Whether it can say that settings are good.
    pub checks: bool,
}

/// What a vendor allows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Limits {
    /// Requests a second of a connection.
    pub requests_per_second: Option<f64>,
    /// Requests at a time.
    pub concurrency: Option<u64>,
    /// Most bytes of a body.
    pub max_body_bytes: Option<u64>,
    /// How long an answer is waited for.
    pub timeout_seconds: Option<u64>,
    /// Requests a day.
    pub daily_requests: Option<u64>,
    /// Whether each event of a batch counts as one of them.
    pub daily_counts_events: bool,
    /// The zone whose midnight begins a day of the vendor; where there is none, a day is any 24 hours.
    pub daily_zone: Option<TimeZone>,
}

/// Values with names, in order.
pub(crate) type Lets = Vec<(String, Arc<Tree>)>;

/// One thing that can be done with an event.
#[derive(Debug, Clone)]
pub struct Action {
    /// Its name in the manifest.
    pub key: String,
    /// What people call it.
    pub title: String,
    trigger: Option<Trigger>,
    /// The text of the trigger that it proposes.
    pub proposed_trigger: Option<String>,
    pub(crate) fields: Fields,
    /// The mapping that its fields propose.
    default_mapping: Value,
    /// The values that it needs, those of the manifest first.
    pub(crate) lets: Lets,
    /// Those of them that an event of a batch needs, whose requests have their own.
    pub(crate) lets_of_event: Lets,
    pub(crate) require: Vec<Requirement>,
    pub(crate) skip: Option<Expression>,
    pub(crate) item: Option<Tree>,
    pub(crate) steps: Vec<Step>,
    pub(crate) batch: Option<Batch>,
    /// Whether the program makes its requests.
    pub(crate) is_program: bool,
}

/// What has to hold for an event to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub(crate) that: Expression,
    pub(crate) message: Template,
}

/// One request of several, or one for each item of a list.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) id: String,
    pub(crate) when: Option<Expression>,
    pub(crate) each: Option<Expression>,
    pub(crate) lets: Lets,
    pub(crate) require: Vec<Requirement>,
    pub(crate) request: Form,
    pub(crate) ok: Option<Expression>,
    pub(crate) fail: Option<Expression>,
    pub(crate) stop: Option<Expression>,
}

impl Step {
    /// Whether it is one request, and says nothing of the answer to it.
    pub(crate) fn is_plain(&self) -> bool {
        let says = [&self.ok, &self.fail, &self.stop];
        self.each.is_none() && says.iter().all(|one| one.is_none())
    }
}

/// How several events are sent together.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) max_events: u64,
    /// Most bytes of a body, and how long the first event waits.
    pub(crate) max_bytes: Option<u64>,
    pub(crate) max_wait_seconds: Option<u64>,
    /// Whether its events are taken in order, all or none.
    pub(crate) ordered: bool,
    /// Events for which these differ go into another batch.
    pub(crate) key: Vec<Template>,
    /// The values that its requests need, those of the manifest first.
    pub(crate) lets: Lets,
    pub(crate) require: Vec<Requirement>,
    pub(crate) steps: Vec<Step>,
}

/// A trigger and a mapping to begin with.
#[derive(Debug, Clone)]
pub struct Preset {
    /// What people call it.
    pub name: String,
    /// The action.
    pub action: String,
    /// The text of its trigger.
    pub trigger: String,
    mapping: Map<String, Value>,
}

/// How an audience is kept at a destination.
#[derive(Debug, Clone)]
pub(crate) struct Audience {
    pub(crate) create: Option<Vec<Step>>,
    pub(crate) get: Option<Vec<Step>>,
    /// What it is called there, of the answer.
    pub(crate) external_id: Option<Expression>,
    pub(crate) add: String,
    pub(crate) remove: String,
}

/// Choices that are asked for while a mapping is written.
#[derive(Debug, Clone)]
pub(crate) struct Dynamic {
    pub(crate) steps: Vec<Step>,
    pub(crate) choices: Expression,
}

/// Which events are given to an action, and as what.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// The action.
    pub action: String,
    pub(crate) mapping: Mapping,
    /// The mapping as it was written, for a program.
    pub(crate) written: Option<Arc<str>>,
    /// `mode` and `key` of what Segment calls its sync mode and its matching key.
    pub(crate) sync: Value,
}

impl Manifest {
    /// Reads a manifest; the file is what problems are said to be in.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn read(file: &str, text: &str) -> Result<Self, ManifestError> {
        read::manifest(file, text)
    }

    /// The text of a manifest as a document, with its anchors resolved; null where it cannot be read.
    pub fn document(text: &str) -> Value {
        read::document(text, &mut Problems::default())
    }

    /// Whether it has access tokens that are fetched anew.
    pub fn renews_tokens(&self) -> bool {
        let by_program = self.program.as_ref().is_some_and(|program| program.refreshes);
        by_program || matches!(self.auth, Auth::OAuth2(_))
    }

    /// Its actions, in the order of the manifest.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// One of its actions.
    pub fn action(&self, key: &str) -> Option<&Action> {
        self.actions.iter().find(|action| action.key == key)
    }

    /// Whether an action sends batches that are taken in order, all or none.
    pub fn is_ordered(&self, action: &str) -> bool {
        let batch = self.action(action).and_then(|action| action.batch.as_ref());
        let each = self.responses.iter().any(|response| response.outcome == Outcome::PerItem);
        batch.is_some_and(|batch| batch.ordered) && !each
    }

    /// Its presets.
    pub fn presets(&self) -> &[Preset] {
        &self.presets
    }

    /// The names of its settings that are kept secret.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// What settings are where they are not given.
    pub fn default_settings(&self) -> &Map<String, Value> {
        &self.setting_defaults
    }

    /// The settings of a connection as its requests see them, with defaults where there are none.
    ///
    /// # Errors
    ///
    /// What is missing or is not what it has to be.
    pub fn check_settings(&self, settings: Value) -> Result<Value, Vec<String>> {
        let Value::Object(mut given) = settings else {
            return Err(vec!["settings are names with values".to_owned()]);
        };
        let known = |name: &str| self.settings.fields.iter().any(|(one, _)| one == name);
        let there = self.settings.fields.iter().map(|(name, _)| format!("`{name}`"));
        let there = there.collect::<Vec<_>>().join(", ");
        let unknown: Vec<String> = given
            .keys()
            .filter(|name| !known(name))
            .map(|name| format!("{} has no setting `{name}`; it has {there}", self.name))
            .collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        for (name, value) in &self.setting_defaults {
            given.entry(name).or_insert_with(|| value.clone());
        }
        let accepted = self.settings.settings(Item::owned(Value::Object(given)))?;
        Ok(accepted.into_json())
    }

    /// What an action is given: this mapping, or the one that its fields propose.
    ///
    /// # Errors
    ///
    /// There is no such action, or the mapping is none.
    pub fn subscription(
        &self,
        action: &str,
        mapping: Option<&Value>,
    ) -> Result<Subscription, SubscriptionError> {
        let found = self.action(action).ok_or_else(|| SubscriptionError::Action {
            destination: self.id.clone(),
            action: action.to_owned(),
            there: self.actions.iter().map(|action| action.key.clone()).collect(),
        })?;
        let written = mapping.unwrap_or(&found.default_mapping);
        let mapping = Mapping::compile(written).map_err(SubscriptionError::Mapping)?;
        let mut sync = Map::new();
        for (name, key) in
            [("mode", "__segment_internal_sync_mode"), ("key", "__segment_internal_matching_key")]
        {
            if let Some(value) = written.get(key) {
                sync.insert(name.to_owned(), value.clone());
            }
        }
        let written = found.is_program.then(|| written.to_string().into());
        let action = action.to_owned();
        Ok(Subscription { action, mapping, written, sync: Value::Object(sync) })
    }

    /// The first preset whose trigger holds for an event, or the first action whose does.
    pub fn choose<'e>(&self, event: impl Into<Item<'e>>) -> Option<(String, Value)> {
        let event = event.into();
        let held = |preset: &&Preset| Trigger::closed(&preset.trigger).holds(event.clone());
        if let Some(preset) = self.presets.iter().find(held) {
            return Some((preset.action.clone(), self.preset_mapping(preset)));
        }
        let fits =
            |action: &&Action| action.trigger.as_ref().is_some_and(|one| one.holds(event.clone()));
        let action = self.actions.iter().find(fits)?;
        Some((action.key.clone(), action.default_mapping.clone()))
    }

    /// The whole mapping of a preset: its own, over what the action's fields propose.
    pub fn preset_mapping(&self, preset: &Preset) -> Value {
        let proposed = self.action(&preset.action).map(|action| action.default_mapping.clone());
        let mut mapping = match proposed {
            Some(Value::Object(mapping)) => mapping,
            _ => Map::new(),
        };
        mapping.extend(preset.mapping.iter().map(|(name, value)| (name.clone(), value.clone())));
        Value::Object(mapping)
    }

    /// The steps that delete a person, if the destination can.
    pub(crate) fn deletion(&self) -> Option<&[Step]> {
        self.delete.as_deref()
    }

    /// The actions that add a person to an audience and take one out, where there are audiences.
    pub fn audience_actions(&self) -> Option<(&str, &str)> {
        self.audience.as_ref().map(|one| (one.add.as_str(), one.remove.as_str()))
    }

    /// Whether it says how an audience's list is looked for or made.
    pub fn keeps_lists(&self) -> bool {
        self.audience.as_ref().is_some_and(|one| {
            one.external_id.is_some() && (one.create.is_some() || one.get.is_some())
        })
    }

    /// The fields whose choices are asked for.
    pub fn dynamic_fields(&self) -> impl Iterator<Item = &str> {
        self.dynamic_fields.iter().map(|(name, _)| name.as_str())
    }

    /// The address at which a person agrees that a connection acts for them, where there is one.
    ///
    /// # Errors
    ///
    /// The settings give no address.
    pub fn authorize(
        &self,
        settings: &Value,
        consent: Consent<'_>,
    ) -> Option<Result<Url, RequestError>> {
        let Auth::OAuth2(oauth) = &self.auth else { return None };
        oauth.authorize(consent, &Scope::at(0).with("settings", settings))
    }

    /// The request that fetches the tokens for a code that a person came back with, where there are such
    /// tokens.
    ///
    /// # Errors
    ///
    /// The settings give no address.
    pub fn redeem(
        &self,
        settings: &Value,
        code: Code<'_>,
    ) -> Option<Result<Request, RequestError>> {
        let Auth::OAuth2(oauth) = &self.auth else { return None };
        Some(oauth.redeem(code, &Scope::at(0).with("settings", settings)))
    }

    /// The request that fetches another access token, where there are such tokens.
    ///
    /// # Errors
    ///
    /// The settings give no address.
    pub fn refresh(&self, settings: &Value, auth: &Value) -> Option<Result<Request, RequestError>> {
        let Auth::OAuth2(oauth) = &self.auth else { return None };
        let scope = Scope::at(0).with("settings", settings).with("auth", auth);
        Some(oauth.refresh(&scope))
    }
}

impl Action {
    /// Whether the program of the manifest makes its requests.
    pub fn is_program(&self) -> bool {
        self.is_program
    }

    /// The mapping that its fields propose.
    pub fn default_mapping(&self) -> &Value {
        &self.default_mapping
    }

    /// The names of its fields.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.fields.iter().map(|(name, _)| name.as_str())
    }

    /// Whether it keeps what no field is for.
    pub fn takes_others(&self) -> bool {
        self.fields.additional
    }

    /// Whether an event becomes one request at most.
    pub fn is_one_request(&self) -> bool {
        matches!(self.steps.as_slice(), [only] if only.each.is_none())
    }

    /// Most events of a batch, where it sends batches.
    pub fn max_events(&self) -> Option<u64> {
        self.batch.as_ref().map(|batch| batch.max_events)
    }

    /// Most bytes of a batch, where that is said.
    pub fn max_batch_bytes(&self) -> Option<u64> {
        self.batch.as_ref()?.max_bytes
    }

    /// How long the first event of a batch waits, where that is said.
    pub fn max_wait_seconds(&self) -> Option<u64> {
        self.batch.as_ref()?.max_wait_seconds
    }
}

/// Why events cannot be given to an action.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The manifest has no such action.
    #[error("{destination} has no action `{action}`; there are `{}`", .there.join("`, `"))]
    Action {
        /// The destination.
        destination: String,
        /// The action.
        action: String,
        /// Those that there are.
        there: Vec<String>,
    },
    /// The mapping is none.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mapping(Vec<selfsame_mapping::Problem>),
}
