//! Audiences and computed traits as files.

use anyhow::bail;
use reqwest::Method;
use selfsame_event::Collection;
use selfsame_pipeline::workspace::{Announce, DefinitionKind, Naming};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Change, Resource};
use crate::client::part;
use crate::command::plan::Field;
use crate::control::{ActivationShown, DefinitionShown, NamingShown, NewDefinition};
use crate::definition::{Said, pointed};

/// What the files of both kinds have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefinitionFile {
    pub(crate) id: String,
    pub(crate) space: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    /// Whose it is.
    #[serde(default = "users", skip_serializing_if = "is_users")]
    pub(crate) collection: Collection,
    pub(crate) query: String,
    /// The types of identifiers of which a member has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) filter_by_external_ids: Vec<String>,
    #[serde(default)]
    pub(crate) public: bool,
    #[serde(default)]
    pub(crate) destinations: Vec<Told>,
}

const fn users() -> Collection {
    Collection::Users
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
fn is_users(collection: &Collection) -> bool {
    *collection == Collection::Users
}

/// A destination that is told of changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Told {
    pub(crate) destination: String,
    #[serde(default)]
    pub(crate) send: Announce,
    /// By which identifiers; by one of the usual where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) identifiers: Vec<Naming>,
}

/// `audiences/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct AudienceFile(pub(crate) DefinitionFile);

/// `traits/*.yaml`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TraitFile(pub(crate) DefinitionFile);

impl DefinitionFile {
    /// The definition as the server takes it.
    pub(crate) fn new_definition(&self, kind: DefinitionKind) -> NewDefinition {
        let told = |one: &Told| ActivationShown {
            destination: one.destination.clone(),
            send: Some(one.send),
            identifiers: (!one.identifiers.is_empty())
                .then(|| one.identifiers.iter().map(naming).collect()),
        };
        NewDefinition {
            kind,
            collection: Some(self.collection),
            name: Some(self.name.clone()),
            description: Some(self.description.clone()),
            query: Value::String(self.query.clone()),
            filter_by_external_ids: Some(self.filter_by_external_ids.clone()),
            public: Some(self.public),
            destinations: Some(self.destinations.iter().map(told).collect()),
        }
    }

    /// Where the server has it.
    pub(crate) fn path(&self) -> String {
        format!("/api/spaces/{}/definitions/{}", part(&self.space), part(&self.id))
    }

    fn key(&self) -> String {
        format!("{}/{}", self.space, self.id)
    }

    /// Checks what it says, and prints it in the one way that there is, as the server does.
    fn settle(&mut self, kind: DefinitionKind) -> anyhow::Result<()> {
        if self.name.is_empty() {
            self.name.clone_from(&self.id);
        }
        match Said::read((kind, self.collection), &self.query) {
            Ok(said) => self.query = said.to_string(),
            Err(wrong) => bail!("what it says is wrong\n{}", pointed(&wrong)),
        }
        Ok(())
    }

    fn change(&self, kind: DefinitionKind) -> Change {
        Change { method: Method::PUT, path: self.path(), body: json!(self.new_definition(kind)) }
    }
}

impl From<DefinitionShown> for DefinitionFile {
    fn from(shown: DefinitionShown) -> Self {
        let told = |one: ActivationShown| Told {
            destination: one.destination,
            send: one.send.unwrap_or_default(),
            identifiers: one.identifiers.unwrap_or_default().into_iter().map(named).collect(),
        };
        let destinations = shown.destinations.into_iter().map(told).collect();
        Self {
            id: shown.id,
            space: shown.space,
            name: shown.name,
            description: shown.description,
            collection: shown.collection,
            query: shown.query,
            filter_by_external_ids: shown.filter_by_external_ids,
            public: shown.public,
            destinations,
        }
    }
}

fn naming(one: &Naming) -> NamingShown {
    NamingShown { r#type: one.kind.clone(), strategy: Some(one.strategy) }
}

fn named(one: NamingShown) -> Naming {
    Naming { kind: one.r#type, strategy: one.strategy.unwrap_or_default() }
}

macro_rules! kinds {
    ($($file:ident = $kind:ident, $folder:literal, $word:literal, $head:literal;)+) => {$(
        impl Resource for $file {
            const FOLDER: &'static str = $folder;
            const WORD: &'static str = $word;
            const HEAD: &'static str = $head;
            const REMOVABLE: bool = true;

            fn id(&self) -> &str {
                &self.0.id
            }

            fn key(&self) -> String {
                self.0.key()
            }

            fn space(&self) -> Option<&str> {
                Some(&self.0.space)
            }

            fn check(&mut self) -> anyhow::Result<()> {
                self.0.settle(DefinitionKind::$kind)
            }

            fn change(&self, _: &Value, _: &[Field]) -> Change {
                self.0.change(DefinitionKind::$kind)
            }
        }
    )+};
}

kinds! {
    AudienceFile = Audience, "audiences", "audience", "\
# An audience: profiles that meet a condition, in the language of docs/reference/definitions.md.
# id: the key under which profiles have it, true or false. public: whether a browser may read it of
# its own visitor. destinations: who is told when somebody enters or leaves; send: both, track, identify.
# collection: accounts, where it is of accounts and not of users. filter_by_external_ids: the types of identifiers of
# which a profile has to have one to be in it.
";
    TraitFile = ComputedTrait, "traits", "computed trait", "\
# A computed trait: a value that profiles get from their events, in the language of
# docs/reference/definitions.md. id: the key under which profiles have it. public: whether a browser may
# read it of its own visitor. destinations: who is told of new values; send: both, track, identify.
# collection: accounts, where it is of accounts and not of users.
";
}
