//! Functions: JavaScript of the workspace, and where it is used.
//!
//! Each change of the code is a version. The versions say at which record they are; their text is in
//! the log, and only that of the newest is here.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use selfsame_event::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ChangeError, Workspace};

/// Versions that are remembered.
const VERSIONS: usize = 50;

/// A function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The id that APIs show.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// Where it stands.
    pub kind: FunctionKind,
    /// Its code.
    pub code: String,
    /// What has to be told to it wherever it is used.
    #[serde(default)]
    pub settings: Vec<FunctionSetting>,
    /// The number of this version, from 1. Set by the fold, as are the earlier ones.
    #[serde(default)]
    pub version: u32,
    /// All versions that are remembered, the newest last.
    #[serde(default)]
    pub versions: Vec<FunctionVersion>,
}

/// Where a function stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FunctionKind {
    /// It makes events of requests.
    Source,
    /// It changes or drops what a destination gets.
    Insert,
    /// It is a destination.
    Destination,
}

impl FunctionKind {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Insert => "insert",
            Self::Destination => "destination",
        }
    }
}

/// A setting of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionSetting {
    /// Its name in `settings`.
    pub name: String,
    /// What it is.
    #[serde(default)]
    pub kind: SettingKind,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether it has to be given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Whether it is sealed, and never shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

/// What a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// A text.
    #[default]
    Text,
    /// Yes or no.
    Boolean,
    /// A list of texts.
    Array,
    /// Texts by name.
    Map,
}

impl SettingKind {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Map => "map",
        }
    }
}

/// A version of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionVersion {
    /// Its number.
    pub version: u32,
    /// The offset of the record that made it.
    pub offset: u64,
    /// The log time of that record, in microseconds.
    pub at: i64,
}

/// A function in use, with its settings. Secret ones are sealed by whoever writes them here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionUse {
    /// The id of the function.
    pub function: String,
    /// What it is told.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
}

/// A place where a function is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FunctionPlace {
    /// A source, by its id: requests to it go through the function.
    Source(String),
    /// In front of a destination, by its id: what it gets goes through the function.
    Insert(String),
    /// A destination, by its id: the function is what it does.
    Destination(String),
}

impl FunctionPlace {
    /// The kind of function that fits there.
    pub const fn kind(&self) -> FunctionKind {
        match self {
            Self::Source(_) => FunctionKind::Source,
            Self::Insert(_) => FunctionKind::Insert,
            Self::Destination(_) => FunctionKind::Destination,
        }
    }

    /// Whether it is a place of that destination.
    pub(super) fn is_of_destination(&self, id: &str) -> bool {
        match self {
            Self::Source(_) => false,
            Self::Insert(own) | Self::Destination(own) => own == id,
        }
    }
}

impl fmt::Display for FunctionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(id) => write!(f, "source {id}"),
            Self::Insert(id) => write!(f, "insert function of destination {id}"),
            Self::Destination(id) => write!(f, "destination {id}"),
        }
    }
}

impl Function {
    /// Notes that this is written at a place of the log, behind the one before. Only other code or other
    /// settings make another version.
    pub(crate) fn follow(&mut self, before: Option<&Self>, (offset, at): (u64, Time)) {
        (self.version, self.versions) = match before {
            Some(before) => (before.version, before.versions.clone()),
            None => (0, Vec::new()),
        };
        let is_same = before
            .is_some_and(|before| before.code == self.code && before.settings == self.settings);
        if !is_same {
            self.version += 1;
            let version = self.version;
            self.versions.push(FunctionVersion { version, offset, at: at.micros() });
            let surplus = self.versions.len().saturating_sub(VERSIONS);
            self.versions.drain(..surplus);
        }
    }
}

impl Workspace {
    /// The function of that id.
    pub fn function(&self, id: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.id == id)
    }

    /// The function that is used at a place.
    pub fn function_at(&self, place: &FunctionPlace) -> Option<(&Function, &FunctionUse)> {
        let (_, used) = self.function_uses.iter().find(|(at, _)| at == place)?;
        Some((self.function(&used.function)?, used))
    }

    pub(super) fn set_function(&mut self, function: Function) -> Result<(), ChangeError> {
        let before = self.function(&function.id);
        if let Some(before) = before.filter(|before| before.kind != function.kind) {
            let (id, kind) = (&before.id, before.kind.word());
            let reason = format!("the function `{id}` is of the kind {kind}, and stays so");
            return Err(ChangeError::Function { reason });
        }
        let functions = Arc::make_mut(&mut self.functions);
        super::set(functions, function, |one| &one.id, |_, _| ());
        Ok(())
    }

    pub(super) fn remove_function(&mut self, id: String) -> Result<(), ChangeError> {
        if let Some((at, _)) = self.function_uses.iter().find(|(_, used)| used.function == id) {
            let reason = format!("the function `{id}` is used by the {at}");
            return Err(ChangeError::Function { reason });
        }
        if self.function(&id).is_none() {
            return Err(ChangeError::Unknown { kind: "function", id });
        }
        Arc::make_mut(&mut self.functions).retain(|function| function.id != id);
        Ok(())
    }

    pub(super) fn use_function(
        &mut self,
        at: FunctionPlace,
        function: Option<FunctionUse>,
    ) -> Result<(), ChangeError> {
        let (kind, id) = match &at {
            FunctionPlace::Source(id) => ("source", id),
            FunctionPlace::Insert(id) | FunctionPlace::Destination(id) => ("destination", id),
        };
        let is_there = match kind {
            "source" => self.source_named(id).is_some(),
            _ => self.destinations.iter().any(|destination| destination.id == *id),
        };
        if !is_there {
            return Err(ChangeError::Unknown { kind, id: id.clone() });
        }
        if let Some(used) = &function {
            let known = self.function(&used.function);
            let unknown = || ChangeError::Unknown { kind: "function", id: used.function.clone() };
            let known = known.ok_or_else(unknown)?;
            if known.kind != at.kind() {
                let (id, kind, wanted) = (&known.id, known.kind.word(), at.kind().word());
                let reason = format!(
                    "the function `{id}` is of the kind {kind}; here fits one of the kind {wanted}"
                );
                return Err(ChangeError::Function { reason });
            }
        }
        self.function_uses.retain(|(known, _)| *known != at);
        self.function_uses.extend(function.map(|function| (at, function)));
        self.function_uses.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(())
    }
}
