//! Computed traits and audiences, as they are configured.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_audience::{Numbered, Plans, Query};
use selfsame_event::Collection;
use selfsame_expr::query::{
    Holder, References, check_condition, check_scalar, condition, order, scalar,
};
use selfsame_identity::rule::TypeRule;
use serde::{Deserialize, Serialize};

use super::{ChangeError, Workspace};

/// How long the id of a definition may be.
pub const NAME_BYTES: usize = 100;
/// How long the text of a definition may be.
const QUERY_BYTES: usize = 64 << 10;
/// How many definitions a space may have.
const MOST: usize = 1_000;

/// A computed trait or an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The number that rows use; given by the fold, never used again.
    #[serde(default)]
    pub number: u32,
    /// The key under which profiles show it, and by which other definitions read it.
    pub id: String,
    /// The space of its profiles.
    pub space: String,
    /// What it is.
    pub kind: DefinitionKind,
    /// Whose it is: a user's or an account's.
    #[serde(default = "users", skip_serializing_if = "is_users")]
    pub collection: Collection,
    /// The name for people.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it says, in Segment's query language.
    pub query: String,
    /// Of an audience of users: the types of identifiers of which a profile has to have one to be in it, whatever the
    /// query says. Where there are none, every profile may be. It stays what it was made with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter_by_external_ids: Vec<String>,
    /// Whether a browser may read it of its own visitor.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public: bool,
    /// The destinations that are told of its changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Activation>,
}

const fn users() -> Collection {
    Collection::Users
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over by reference")]
fn is_users(collection: &Collection) -> bool {
    *collection == Collection::Users
}

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionKind {
    /// A value of each profile.
    ComputedTrait,
    /// Profiles that meet a condition.
    Audience,
}

/// A destination that is told of the changes of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The id of the destination.
    pub destination: String,
    /// As which events.
    #[serde(default)]
    pub send: Announce,
    /// By which identifiers: a call for each. Where there are none, one call by the newest user id, else
    /// by the newest anonymous id, else by the first identifier of any type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<Naming>,
}

/// By which identifiers of a type a destination is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which of its values.
    #[serde(default)]
    pub strategy: Strategy,
}

/// Which of several identifiers of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The oldest.
    First,
    /// The newest.
    #[default]
    Last,
    /// Every one.
    All,
}

/// How many types of identifiers an audience may choose.
const FILTERED: usize = 20;
/// How many types of identifiers a destination may be told by, and of how many every value.
const NAMINGS: usize = 5;
const ALL_NAMINGS: usize = 3;

impl Activation {
    fn check(&self) -> Result<(), String> {
        let to = &self.destination;
        let of_all = self.identifiers.iter().filter(|one| one.strategy == Strategy::All).count();
        if self.identifiers.len() > NAMINGS || of_all > ALL_NAMINGS {
            return Err(format!(
                "destination `{to}`: at most {NAMINGS} types of identifiers can be chosen, at most \
                 {ALL_NAMINGS} of them with the strategy `all`"
            ));
        }
        for (place, naming) in self.identifiers.iter().enumerate() {
            let kind = &naming.kind;
            if kind.is_empty() || kind.len() > NAME_BYTES {
                return Err(format!(
                    "destination `{to}`: the type of an identifier has 1 to {NAME_BYTES} letters"
                ));
            }
            if self.identifiers[..place].iter().any(|one| one.kind == *kind) {
                return Err(format!(
                    "destination `{to}`: the type `{kind}` is there twice: name it once"
                ));
            }
        }
        Ok(())
    }
}

/// As which events the changes of a definition are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Announce {
    /// A track call and an identify call.
    #[default]
    Both,
    /// `Audience Entered`, `Audience Exited`, `Trait Computed`.
    Track,
    /// An identify call with the trait.
    Identify,
}

impl Announce {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Track => "track",
            Self::Identify => "identify",
        }
    }
}

impl DefinitionKind {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::ComputedTrait => "computed_trait",
            Self::Audience => "audience",
        }
    }
}

impl Definition {
    /// What cannot be said of an account.
    fn check_account(&self) -> Result<(), String> {
        if self.public {
            return Err(
                "a browser is told of its visitor, and an account is none: `public` is for \
                        definitions of users"
                    .to_owned(),
            );
        }
        match self.destinations.iter().find(|one| one.send != Announce::Both) {
            None => Ok(()),
            Some(one) => Err(format!(
                "destination `{}`: an account is told of by group calls: leave `send` out",
                one.destination
            )),
        }
    }

    /// Whether the types of identifiers that it chooses are some that there are.
    fn check_filter(&self, known: &[TypeRule]) -> Result<(), String> {
        let chosen = &self.filter_by_external_ids;
        if chosen.is_empty() {
            return Ok(());
        }
        if (self.kind, self.collection) != (DefinitionKind::Audience, Collection::Users) {
            return Err("`filter_by_external_ids` is for audiences of users".to_owned());
        }
        if chosen.len() > FILTERED {
            return Err(format!(
                "`filter_by_external_ids`: at most {FILTERED} types can be chosen"
            ));
        }
        for (place, kind) in chosen.iter().enumerate() {
            if chosen[..place].contains(kind) {
                return Err(format!(
                    "`filter_by_external_ids`: the type `{kind}` is there twice: name it once"
                ));
            }
            if known.iter().all(|rule| rule.name != *kind) {
                let names: Vec<&str> = known.iter().map(|rule| &*rule.name).collect();
                return Err(format!(
                    "`filter_by_external_ids`: the space has no type `{kind}`; it has {}",
                    names.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// What it says, read. The error points at the place.
    pub fn parsed(&self) -> Result<Query, ChangeError> {
        definition_query(self.kind, self.collection, &self.query)
    }
}

/// In the words of the language, whose definitions are.
pub(crate) const fn holder(collection: Collection) -> Holder {
    match collection {
        Collection::Users => Holder::Users,
        Collection::Accounts => Holder::Accounts,
    }
}

/// Reads what a definition says, and checks that it can be computed.
pub(crate) fn definition_query(
    kind: DefinitionKind,
    collection: Collection,
    text: &str,
) -> Result<Query, ChangeError> {
    let holder = holder(collection);
    let invalid = |reason: String| ChangeError::Definition { reason };
    if text.len() > QUERY_BYTES {
        return Err(invalid(format!("it is longer than {QUERY_BYTES} bytes")));
    }
    let misused = |wrong: Vec<selfsame_expr::query::Misuse>| {
        let shown: Vec<String> = wrong.iter().map(|one| one.shown(text)).collect();
        invalid(shown.join("\n"))
    };
    let query = match kind {
        DefinitionKind::Audience => {
            let said = condition(text).map_err(|error| invalid(error.to_string()))?;
            check_condition(&said, holder).map_err(misused)?;
            Query::Audience(said)
        }
        DefinitionKind::ComputedTrait => {
            let said = scalar(text).map_err(|error| invalid(error.to_string()))?;
            check_scalar(&said, holder).map_err(misused)?;
            Query::Trait(said)
        }
    };
    let numbered = Numbered { query: &query, holder, streams: &[] };
    let compiled = Plans::numbered(&[numbered], &mut 0);
    compiled.map_err(|error| invalid(error.to_string()))?;
    Ok(query)
}

/// The traits that a definition reads.
pub(crate) fn references(query: &Query) -> References {
    match query {
        Query::Audience(condition) => References::of_condition(condition),
        Query::Trait(scalar) => References::of_scalar(scalar),
    }
}

/// The definitions that one of a collection reads, where those of users and of accounts have such ids.
pub(crate) fn reads_among(
    query: &Query,
    collection: Collection,
    collection_of: impl Fn(&str) -> Option<Collection>,
) -> BTreeSet<String> {
    let References { own, users } = references(query);
    let own = own.into_iter().filter(|id| collection_of(id) == Some(collection));
    let is_of_users = |id: &String| collection_of(id) == Some(Collection::Users);
    own.chain(users.into_iter().filter(is_of_users)).collect()
}

impl Workspace {
    /// The definition of that id in a space.
    pub fn definition(&self, space: &str, id: &str) -> Option<&Definition> {
        self.definitions.iter().find(|one| one.space == space && one.id == id)
    }

    /// The definitions of a space.
    pub fn definitions_of(&self, space: &str) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(move |one| one.space == space)
    }

    pub(super) fn set_definition(&mut self, mut new: Definition) -> Result<(), ChangeError> {
        let invalid = |reason: String| ChangeError::Definition { reason };
        self.need_space(&new.space)?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if new.id.is_empty() || new.id.len() > NAME_BYTES || !new.id.bytes().all(is_word) {
            let reason = format!(
                "an id has 1 to {NAME_BYTES} letters, digits, hyphens and underscores; {:?} is not one",
                new.id
            );
            return Err(invalid(reason));
        }
        let query = new.parsed()?;
        for activation in &new.destinations {
            let id = &activation.destination;
            let known = self.destinations.iter().find(|one| one.id == *id);
            if known.is_none_or(|known| known.space != new.space) {
                return Err(ChangeError::Unknown { kind: "destination", id: id.clone() });
            }
            activation.check().map_err(invalid)?;
        }
        let mut told: Vec<_> = new.destinations.iter().map(|one| &one.destination).collect();
        told.sort_unstable();
        if let Some(twice) = told.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(invalid(format!(
                "destination `{}` is there twice: name it once",
                twice[0]
            )));
        }
        if new.collection == Collection::Accounts {
            new.check_account().map_err(invalid)?;
        }
        let old = self.definition(&new.space, &new.id);
        match old {
            Some(old) if old.filter_by_external_ids != new.filter_by_external_ids => {
                let reason = "`filter_by_external_ids` stays what an audience was made with: make \
                              another one";
                return Err(invalid(reason.to_owned()));
            }
            Some(_) => {}
            None => {
                let known = self.space(&new.space).map_or(&[][..], |space| &space.rules.types);
                new.check_filter(known).map_err(invalid)?;
            }
        }
        let is_another =
            |old: &Definition| (old.kind, old.collection) != (new.kind, new.collection);
        if old.is_some_and(is_another) {
            let reason = format!("`{}` is there already, and is of another kind", new.id);
            return Err(invalid(reason));
        }
        if old.is_none() && self.definitions_of(&new.space).count() >= MOST {
            return Err(invalid(format!("a space has at most {MOST} definitions")));
        }
        let others = self.definitions_of(&new.space).filter(|one| one.id != new.id);
        let collection_of = |id: &str| match id == new.id {
            true => Some(new.collection),
            false => self.definition(&new.space, id).map(|one| one.collection),
        };
        let mut all: BTreeMap<String, BTreeSet<String>> = others
            .filter_map(|one| {
                let query = one.parsed().ok()?;
                Some((one.id.clone(), reads_among(&query, one.collection, collection_of)))
            })
            .collect();
        all.insert(new.id.clone(), reads_among(&query, new.collection, collection_of));
        order(&all).map_err(|cycle| invalid(cycle.to_string()))?;
        new.number = self.next_definition;
        let mut places = Arc::make_mut(&mut self.definitions).iter_mut();
        let place = places.find(|one| one.space == new.space && one.id == new.id);
        match place {
            Some(old) => {
                new.number = old.number;
                *old = new;
            }
            None => {
                self.next_definition += 1;
                Arc::make_mut(&mut self.definitions).push(new);
            }
        }
        Ok(())
    }

    pub(super) fn remove_definition(&mut self, space: &str, id: String) -> Result<(), ChangeError> {
        if self.definition(space, &id).is_none() {
            return Err(ChangeError::Unknown { kind: "definition", id });
        }
        let collection_of = |id: &str| self.definition(space, id).map(|one| one.collection);
        let reads_it = |one: &&Definition| {
            let reads =
                one.parsed().map(|query| reads_among(&query, one.collection, collection_of));
            one.id != id && reads.is_ok_and(|reads| reads.contains(&id))
        };
        let reader = self.definitions_of(space).find(reads_it);
        if let Some(reader) = reader {
            let reason = format!("`{}` reads `{id}`: change or remove it first", reader.id);
            return Err(ChangeError::Definition { reason });
        }
        Arc::make_mut(&mut self.definitions).retain(|one| one.space != space || one.id != id);
        Ok(())
    }
}
