//! The configuration: a fold over the configuration records of the log.
//!
//! Every change is a record, in force from its position on, so an event is always judged by the
//! configuration of its own position and a replay sees the same one.

use std::sync::Arc;

use selfsame_event::SourceNumber;
use selfsame_identity::{RuleSet, Rules, TypeNumbers};
use serde::{Deserialize, Serialize};

use crate::identity::IdentityChange;

mod alert;
mod definition;
mod error;
mod function;
mod identity;
mod oauth;
mod results;
mod source;
mod token;
mod tool;

pub use self::alert::{Alert, AlertChannel};
pub use self::definition::{
    Activation, Announce, Definition, DefinitionKind, NAME_BYTES, Naming, Strategy,
};
pub(crate) use self::definition::{definition_query, holder, reads_among, references};
pub use self::error::ChangeError;
pub use self::function::{
    Function, FunctionKind, FunctionPlace, FunctionSetting, FunctionUse, FunctionVersion,
    SettingKind,
};
pub use self::identity::{Identity, IdentityKey, KeyText, TokenAlgorithm};
pub use self::oauth::{OAuth, OAuthClient, OAuthKey};
pub use self::results::ChangeResults;
pub use self::source::{BrowserSdk, SourceKind};
pub use self::token::{Role, Token};
pub use self::tool::{Tool, ToolMapping, ToolVersion};

/// Everything that is configured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Workspace {
    /// The workspace's name. Empty until the first record made it.
    pub name: String,
    /// The secret that identifier keys are made with, in hex.
    pub secret: String,
    /// The spaces, by number.
    pub spaces: Vec<Space>,
    /// The sources, by number.
    pub sources: Vec<Source>,
    /// The destinations, in the order in which they were made.
    pub destinations: Vec<Destination>,
    /// The tokens of the APIs.
    pub tokens: Vec<Token>,
    /// Computed traits and audiences, in the order in which they were made. Shared with readers.
    #[serde(default)]
    pub definitions: Arc<Vec<Definition>>,
    /// The number of the next definition.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub next_definition: u32,
    /// The functions, in the order in which they were made. Shared with readers.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub functions: Arc<Vec<Function>>,
    /// Where functions are used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub function_uses: Vec<(FunctionPlace, FunctionUse)>,
    /// The alerts that somebody made or changed, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Who is told of alerts, in the order in which they were made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alert_channels: Vec<AlertChannel>,
}

/// An identity graph of its own, with its rules and profiles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// The number that keys use.
    pub number: u32,
    /// The name in URLs.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// How identifiers are found and matched.
    pub rules: RuleSet,
    /// Traits that can be searched without a scan.
    #[serde(default)]
    pub indexed_traits: Vec<String>,
}

/// Where events come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The number that records use.
    pub number: u32,
    /// The id that APIs show.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The space that its events feed.
    pub space: String,
    /// The keys that its senders use. A key that was revoked stays, so that it is told apart from
    /// one that never was.
    pub write_keys: Vec<WriteKey>,
    /// Whether one invalid event on its own is answered `400`.
    #[serde(default)]
    pub strict: bool,
    /// Among which events a `messageId` is unique.
    #[serde(default)]
    pub dedupe: DedupeScope,
    /// Who sends to it. Left out where it is not said, as in records from before there were kinds.
    #[serde(default, skip_serializing_if = "SourceKind::is_any")]
    pub kind: SourceKind,
    /// Which script browsers get. Left out where it is Segment's, as in records from before there was ours.
    #[serde(default, skip_serializing_if = "BrowserSdk::is_official")]
    pub browser_sdk: BrowserSdk,
    /// How its senders prove who they are.
    #[serde(default, skip_serializing_if = "Identity::is_default")]
    pub identity: Identity,
}

/// A key that may write to a source. Keys of browsers are public, so they are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteKey {
    /// The key.
    pub key: String,
    /// Whether it is no longer accepted.
    #[serde(default)]
    pub revoked: bool,
}

/// Among which events a `messageId` is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DedupeScope {
    /// Those of the same source.
    #[default]
    Source,
    /// Those of all sources with this scope.
    Workspace,
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The id that APIs show.
    pub id: String,
    /// The name for people, which an event's `integrations` names.
    pub name: String,
    /// The space whose events it gets.
    pub space: String,
    /// What kind of destination it is: `webhook`, or the id of one of the catalogue.
    pub kind: String,
    /// Where a webhook sends to.
    pub url: String,
    /// What one of the catalogue is told; a webhook has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<Tool>,
    /// The secrets that sign, newest first; the second one during a rotation. Sealed by whoever writes
    /// them here; those of early logs are not.
    pub secrets: Vec<String>,
    /// The event types it gets; all where empty.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether later events of a profile wait only for a while for one that fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relaxed: bool,
    /// Whether it is in use.
    pub enabled: bool,
    /// From where it gets events: the record that made it. Set by the fold, not by the sender.
    #[serde(default)]
    pub since: Since,
}

/// A place in a space's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Since {
    /// The offset of the record.
    pub offset: u64,
    /// How many events the space had had by then, and deliveries of changes.
    pub events: u64,
}

/// A change of the configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The first record of a log.
    Create {
        /// The workspace's name.
        name: String,
        /// The secret for keys, 32 bytes in hex.
        secret: String,
    },
    /// Makes a space or changes one, found by its id.
    SetSpace {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
        /// Its rules.
        rules: RuleSet,
        /// Its indexed traits.
        #[serde(default)]
        indexed_traits: Vec<String>,
    },
    /// Puts rules in force as if they had been so from the first record on, whatever rules the space had
    /// before.
    PublishRules {
        /// The id of the space.
        space: String,
        /// Its rules.
        rules: RuleSet,
        /// The computed traits and audiences as they were before the record at that offset are kept from the
        /// first record on too, so that they are in force with the rules.
        #[serde(default, skip_serializing_if = "is_zero")]
        definitions: u64,
        /// How many changes of definitions destinations had been offered by then, about: they are counted on.
        #[serde(default, skip_serializing_if = "is_zero")]
        effects: u64,
        /// Pairs of the space that are set apart or lifted with it, from the first record on as well. Those that
        /// other records set apart stay so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<IdentityChange>,
    },
    /// Makes a source or changes one, found by its id. Its number is given here, not by the sender.
    SetSource(Source),
    /// Makes a destination or changes one, found by its id.
    SetDestination(Destination),
    /// Removes a destination.
    RemoveDestination {
        /// Its id.
        id: String,
    },
    /// Makes a token.
    AddToken(Token),
    /// Stops a token.
    RevokeToken {
        /// Its id.
        id: String,
    },
    /// Makes a computed trait or an audience or changes one, found by its space and id.
    SetDefinition(Definition),
    /// Removes a computed trait or an audience.
    RemoveDefinition {
        /// The id of its space.
        space: String,
        /// Its id.
        id: String,
    },
    /// Makes a function or changes one, found by its id. Its version is given by the fold.
    SetFunction(Function),
    /// Removes a function that is used nowhere.
    RemoveFunction {
        /// Its id.
        id: String,
    },
    /// Uses a function at a place, in place of the one there, or none.
    UseFunction {
        /// Where.
        at: FunctionPlace,
        /// Which, with which settings.
        function: Option<FunctionUse>,
    },
    /// Makes an alert or changes one, found by its id.
    SetAlert(Alert),
    /// Removes an alert; one by default is as it was.
    RemoveAlert {
        /// Its id.
        id: String,
    },
    /// Makes a channel or changes one, found by its id.
    SetAlertChannel(AlertChannel),
    /// Removes a channel.
    RemoveAlertChannel {
        /// Its id.
        id: String,
    },
}

impl Workspace {
    /// The space of that id.
    pub fn space(&self, id: &str) -> Option<&Space> {
        self.spaces.iter().find(|space| space.id == id)
    }

    /// The source of that number.
    pub fn source(&self, number: SourceNumber) -> Option<&Source> {
        self.sources.get(usize::try_from(number.0).ok()?)
    }

    /// The source of that id.
    pub fn source_named(&self, id: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// The source of that write key, and whether the key is still accepted.
    pub fn by_key(&self, key: &str) -> Option<(&Source, bool)> {
        self.sources.iter().find_map(|source| {
            let found = source.write_keys.iter().find(|known| known.key == key)?;
            Some((source, !found.revoked))
        })
    }

    /// Whether a space guards its people: while a source of it has a key for identity tokens.
    pub fn guards(&self, space: &str) -> bool {
        self.sources.iter().any(|source| source.space == space && !source.identity.keys.is_empty())
    }

    /// The bytes of the secret for keys.
    pub fn secret_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(self.secret.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).unwrap_or("00");
            *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
        }
        bytes
    }

    /// Applies a change. One that cannot be applied changes nothing.
    pub fn apply(&mut self, change: Change) -> Result<(), ChangeError> {
        match change {
            Change::Create { name, secret } => {
                if !self.secret.is_empty() {
                    return Err(ChangeError::Taken { what: "the workspace" });
                }
                self.name = name;
                self.secret = secret;
            }
            Change::SetSpace { id, name, rules, indexed_traits } => {
                check(&rules)?;
                let number = u32::try_from(self.spaces.len()).unwrap_or(u32::MAX);
                let space = Space { number, id, name, rules, indexed_traits };
                set(&mut self.spaces, space, |space| &space.id, |new, old| new.number = old.number);
            }
            Change::PublishRules { space, rules, identity, .. } => {
                check(&rules)?;
                if identity.is_some_and(|identity| !identity.is_sound_in(&space)) {
                    let reason = "it does not name pairs of identifiers".to_owned();
                    return Err(ChangeError::Identity { reason });
                }
                let known = self.spaces.iter_mut().find(|known| known.id == space);
                known.ok_or(ChangeError::Unknown { kind: "space", id: space })?.rules = rules;
            }
            Change::SetSource(source) => self.set_source(source)?,
            Change::SetDestination(destination) => {
                self.need_space(&destination.space)?;
                let keep = |new: &mut Destination, old: &Destination| new.since = old.since;
                set(&mut self.destinations, destination, |one| &one.id, keep);
            }
            Change::RemoveDestination { id } => {
                let before = self.destinations.len();
                self.destinations.retain(|destination| destination.id != id);
                self.function_uses.retain(|(at, _)| !at.is_of_destination(&id));
                if self.destinations.len() == before {
                    return Err(ChangeError::Unknown { kind: "destination", id });
                }
            }
            Change::AddToken(token) => set(&mut self.tokens, token, |one| &one.id, |_, _| ()),
            Change::RevokeToken { id } => {
                let token = self.tokens.iter_mut().find(|token| token.id == id);
                token.ok_or(ChangeError::Unknown { kind: "token", id })?.revoked = true;
            }
            Change::SetDefinition(definition) => self.set_definition(definition)?,
            Change::RemoveDefinition { space, id } => self.remove_definition(&space, id)?,
            // Its place in the log comes with it: whoever folds records has set it.
            Change::SetFunction(function) => self.set_function(function)?,
            Change::RemoveFunction { id } => self.remove_function(id)?,
            Change::UseFunction { at, function } => self.use_function(at, function)?,
            Change::SetAlert(alert) => set(&mut self.alerts, alert, |one| &one.id, |_, _| ()),
            Change::RemoveAlert { id } => self.remove_alert(id)?,
            Change::SetAlertChannel(channel) => {
                set(&mut self.alert_channels, channel, |one| &one.id, |_, _| ());
            }
            Change::RemoveAlertChannel { id } => self.remove_alert_channel(id)?,
        }
        Ok(())
    }

    fn set_source(&mut self, mut source: Source) -> Result<(), ChangeError> {
        self.need_space(&source.space)?;
        for key in &source.write_keys {
            let owner = self.by_key(&key.key).map(|(owner, _)| &owner.id);
            if owner.is_some_and(|owner| *owner != source.id) {
                return Err(ChangeError::Taken { what: "the write key" });
            }
        }
        source.number = u32::try_from(self.sources.len()).unwrap_or(u32::MAX);
        set(&mut self.sources, source, |one| &one.id, |new, old| new.number = old.number);
        Ok(())
    }

    fn need_space(&self, id: &str) -> Result<(), ChangeError> {
        let found = self.space(id).map(|_| ());
        found.ok_or_else(|| ChangeError::Unknown { kind: "space", id: id.to_owned() })
    }
}

fn is_empty<T>(list: &Arc<Vec<T>>) -> bool {
    list.is_empty()
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

fn check(rules: &RuleSet) -> Result<(), ChangeError> {
    let compiled = Rules::compile(rules, &mut TypeNumbers::default());
    compiled.map(drop).map_err(|error| ChangeError::Rules { reason: error.to_string() })
}

/// Replaces the element of the same id, keeping what `keep` copies, or adds it.
fn set<T>(list: &mut Vec<T>, mut new: T, id: impl Fn(&T) -> &String, keep: impl Fn(&mut T, &T)) {
    match list.iter_mut().find(|old| id(old) == id(&new)) {
        Some(old) => {
            keep(&mut new, old);
            *old = new;
        }
        None => list.push(new),
    }
}

#[cfg(test)]
mod tests;
