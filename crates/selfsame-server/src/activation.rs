//! Activation: changes of computed traits and audiences, as destinations are told of them.
//!
//! ```text
//! change (outbox) -> track, identify -> who is to be told? -> those who do not know it -> one call each
//! ```
//!
//! Who and what is found when it is sent: a profile that was merged is the one that it is part of now,
//! and what is not so any more is not sent, because a newer change is on its way that says how it is.
//!
//! **Invariants:**
//! - of one change, destination and form, each identifier gets one message id and one idempotency key;
//! - what is looked up is never older than the change;
//! - an identifier is told only what it was not told before; that somebody is out of an audience, only
//!   who may have been told that they are in it.

mod body;

use std::collections::BTreeSet;

use selfsame_deliver::{
    BodyError, Call, ConnectionId, Effect, EffectKind, Heard, Recipient, Telling, Topic, Withheld,
};
use selfsame_event::{Collection, Position, RecordId};
use selfsame_log::{Item, LogRead as _, ReadError, Record};
use selfsame_pipeline::effect::{Effect as Change, What};
use selfsame_pipeline::workspace::{
    Activation, Announce, Definition, DefinitionKind, Destination, Naming, Strategy, Workspace,
};
use selfsame_pipeline::{ExternalId, Found, ProfileRef, SpaceRead};
use sha2::{Digest as _, Sha256};

use crate::destination::connection_id;
use crate::feed::SpaceFeed;
use crate::lists;
use body::{Message, Personas};

/// As which call a change is sent. Each is a delivery of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `Audience Entered`, `Audience Exited`, `Trait Computed`.
    Track,
    /// The trait; of an account, by a group call.
    Identify,
}

impl Form {
    /// In the order in which they are delivered.
    pub(crate) const ALL: [Self; 2] = [Self::Track, Self::Identify];

    /// The kind that deliveries know it by: none that an event has.
    pub(crate) const fn kind(self) -> EffectKind {
        match self {
            Self::Track => EffectKind(16),
            Self::Identify => EffectKind(17),
        }
    }

    /// The form of that kind.
    pub(crate) fn of(kind: EffectKind) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.kind() == kind)
    }

    /// The type of its call, of a change of a definition of that collection.
    pub(crate) const fn call(self, collection: Collection) -> &'static str {
        match (self, collection) {
            (Self::Track, _) => "track",
            (Self::Identify, Collection::Users) => "identify",
            (Self::Identify, Collection::Accounts) => "group",
        }
    }

    /// What it is about, of a change of that definition.
    pub(crate) fn topic(self, definition: u32) -> Topic {
        Topic { kind: self.kind(), subject: Some(definition) }
    }

    /// Whether it is one of those that an activation of a definition is told in. Accounts have group calls.
    fn is_sent(self, definition: &Definition, as_which: Announce) -> bool {
        if definition.collection == Collection::Accounts {
            return self == Self::Identify;
        }
        matches!(
            (self, as_which),
            (_, Announce::Both)
                | (Self::Track, Announce::Track)
                | (Self::Identify, Announce::Identify)
        )
    }
}

/// A change of a record, with its number among those of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbered {
    /// The number of its first delivery: a change that is told has two, behind the events of the record.
    pub(crate) first: u32,
    /// The change.
    pub(crate) change: Change,
}

/// The changes of a record of the outbox.
pub(crate) fn changes(record: &Record) -> impl Iterator<Item = Numbered> {
    let mut next = 0;
    record.items.iter().filter_map(Item::body).filter_map(move |body| {
        let first = next;
        next += Change::places(body);
        let change = Change::decode(body);
        change.map(|change| Numbered { first, change })
    })
}

/// A change's id as a delivery: of its record and its place there, which never change.
pub(crate) fn effect_id(space: u32, record: RecordId, first: u32, form: Form) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(b"change");
    hash.update(space.to_le_bytes());
    hash.update(record.0);
    hash.update(first.to_le_bytes());
    hash.update([form.kind().0]);
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    id
}

/// What a change says, as JSON.
pub(crate) fn value_of(what: &What) -> &str {
    match what {
        What::Entered => "true",
        What::Exited => "false",
        What::Value(json) | What::Announced(json) => json,
    }
}

/// The destination of a connection.
fn destination<'w>(
    workspace: &'w Workspace,
    space: &str,
    connection: ConnectionId,
) -> Option<&'w Destination> {
    let of_space = workspace.destinations.iter().filter(|one| one.space == space);
    of_space.into_iter().find(|one| connection_id(&one.id) == connection)
}

fn activation<'d>(definition: &'d Definition, destination: &str) -> Option<&'d Activation> {
    definition.destinations.iter().find(|one| one.destination == destination)
}

/// What a connection is told of now.
pub(crate) fn wanted(
    workspace: &Workspace,
    space: &str,
    connection: ConnectionId,
) -> BTreeSet<Topic> {
    let Some(destination) = destination(workspace, space, connection) else {
        return BTreeSet::new();
    };
    let mut topics = BTreeSet::new();
    for definition in workspace.definitions_of(space) {
        let Some(activation) = activation(definition, &destination.id) else { continue };
        let forms = Form::ALL.into_iter().filter(|form| form.is_sent(definition, activation.send));
        topics.extend(forms.map(|form| form.topic(definition.number)));
    }
    topics
}

/// The number that stands for a value, where deliveries note what was told.
fn telling(json: &str, kind: DefinitionKind) -> u64 {
    let nothing = match kind {
        DefinitionKind::Audience => "false",
        DefinitionKind::ComputedTrait => "null",
    };
    if json == nothing {
        return Telling::NOTHING;
    }
    let digest = Sha256::digest(json.as_bytes());
    let head = digest.first_chunk().copied().unwrap_or_default();
    u64::from_le_bytes(head).clamp(Telling::NOTHING + 1, u64::MAX - 1)
}

/// By which identifiers a profile is named.
#[derive(Clone, Copy)]
struct Names<'d> {
    /// What the destination chose.
    namings: &'d [Naming],
    /// The types of which the members of the audience have one, if it chose any.
    filter: &'d [String],
}

/// The identifiers that an activation names a profile by.
fn chosen<'a>(names: Names<'_>, ids: &[ExternalId<'a>]) -> Vec<ExternalId<'a>> {
    let Names { namings, filter } = names;
    let of = |kind: &str| -> Vec<ExternalId<'a>> {
        ids.iter().filter(|id| id.kind == kind).copied().collect()
    };
    if namings.is_empty() && !filter.is_empty() {
        return filter.iter().find_map(|kind| of(kind).pop()).into_iter().collect();
    }
    if namings.is_empty() {
        let user = of("user_id").pop();
        let device = || of("anonymous_id").pop();
        let named = user.or_else(device).or_else(|| of("group_id").pop());
        let named = named.or_else(|| ids.first().copied());
        return named.into_iter().collect();
    }
    let mut all = Vec::new();
    for Naming { kind, strategy } in namings {
        let mut values = of(kind);
        match strategy {
            Strategy::First => values.truncate(1),
            Strategy::Last => drop(values.drain(..values.len().saturating_sub(1))),
            Strategy::All => {}
        }
        all.extend(values);
    }
    all
}

/// Whether an activation may have named a profile by an identifier when it had others.
fn is_nameable(names: Names<'_>, id: &ExternalId<'_>, ids: &[ExternalId<'_>]) -> bool {
    let Names { namings, filter } = names;
    if !namings.is_empty() {
        return namings.iter().any(|naming| naming.kind == id.kind);
    }
    if !filter.is_empty() {
        return filter.iter().any(|kind| kind == id.kind);
    }
    let is_first = ids.first().is_some_and(|first| first.key == id.key);
    is_first || matches!(id.kind, "user_id" | "anonymous_id")
}

/// The identifiers that are to be told a value, of which some may know it; of one that is nothing, those that
/// may have been told another one.
fn told_by<'a>(
    names: Names<'_>,
    ids: &[ExternalId<'a>],
    (value, is_nothing): (u64, bool),
    heard: &Heard,
) -> Result<Vec<ExternalId<'a>>, Withheld> {
    let chosen = chosen(names, ids);
    let knows = |id: &ExternalId<'_>| heard.knows(&id.key.0, value);
    if !is_nothing {
        if chosen.is_empty() {
            return Err(Withheld::Unnamed);
        }
        return Ok(chosen.into_iter().filter(|id| !knows(id)).collect());
    }
    // Whoever may have been told is told, whatever is chosen by now.
    let may_know = |id: &ExternalId<'_>| {
        heard.may_know(&id.key.0) && (value == Telling::NOTHING || !knows(id))
    };
    Ok(ids.iter().copied().filter(may_know).collect())
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> BodyError {
    BodyError::Unavailable(Box::new(error))
}

/// A change and what there is to know of it now.
struct Looked<'a> {
    form: Form,
    change: &'a Change,
    definition: &'a Definition,
    destination: &'a Destination,
    activation: &'a Activation,
    space: &'a SpaceRead,
    found: &'a Found<'a>,
    /// The identifiers of the profile.
    ids: &'a [ExternalId<'a>],
}

impl Looked<'_> {
    fn names(&self) -> Names<'_> {
        let namings = &self.activation.identifiers;
        Names { namings, filter: &self.definition.filter_by_external_ids }
    }

    /// The number that stands for what the change says, and whether that is what there is where nothing happened.
    fn telling(&self) -> (u64, bool) {
        let json = value_of(&self.change.what);
        let value = telling(json, self.definition.kind);
        // That it comes to what it does where nothing happened is news only to who was told otherwise.
        let is_nothing = value == Telling::NOTHING
            || matches!(self.change.what, What::Announced(_))
                && self.space.of_nothing(self.definition).as_deref() == Some(json);
        (value, is_nothing)
    }
}

impl SpaceFeed {
    /// The calls that tell a connection's receiver of a change.
    pub(crate) fn announcement(
        &self,
        effect: &Effect,
        connection: ConnectionId,
        heard: &Heard,
    ) -> Result<Vec<Call>, BodyError> {
        self.look(effect, connection, |looked| {
            // It is being made; who is in is told with its id.
            if lists::is_missing(looked.destination, looked.definition, &self.manifests) {
                return Err(BodyError::Early);
            }
            calls(effect, looked, heard)
        })
    }

    /// Notes whom a change may have told: everybody whom its profile may have been named by since it was, or
    /// who was to hear of the end.
    pub(crate) fn doubt_announcement(
        &self,
        effect: &Effect,
        connection: ConnectionId,
        heard: &Heard,
    ) -> Result<(), BodyError> {
        self.look(effect, connection, |looked| {
            let ((value, is_nothing), ids) = (looked.telling(), looked.ids);
            let names = looked.names();
            let may_be_told = |id: &&ExternalId<'_>| match is_nothing {
                true => heard.may_know(&id.key.0),
                false => is_nameable(names, id, ids),
            };
            let told = ids.iter().filter(may_be_told);
            told.for_each(|id| heard.doubt(Telling { to: id.key.0, value }));
            Ok(())
        })
    }

    /// Looks up a change, what is configured for it, and whose it is.
    fn look<T>(
        &self,
        effect: &Effect,
        connection: ConnectionId,
        then: impl FnOnce(&Looked<'_>) -> Result<T, BodyError>,
    ) -> Result<T, BodyError> {
        // Folded again after a crash, the state is older than what was on its way: it would say of a
        // change that it is not so, and nobody would be told.
        let is_behind = |read: Option<Position>| read.is_none_or(|read| read < effect.at.record);
        if is_behind(self.reader.position()) {
            return Err(BodyError::Early);
        }
        let space = self.reader.space(&self.space_id).map_err(unavailable)?;
        if is_behind(space.position()) {
            return Err(BodyError::Early);
        }
        let record = match self.outbox.get(effect.at.record) {
            Ok(record) => record,
            Err(ReadError::Trimmed { .. }) => return Err(BodyError::Gone),
            Err(error) => return Err(unavailable(error)),
        };
        let form = Form::of(effect.kind).ok_or(BodyError::Gone)?;
        let is_it = |one: &Numbered| {
            one.change.is_told && (one.first..one.first + 2).contains(&effect.at.index)
        };
        let Numbered { change, .. } = changes(&record).find(is_it).ok_or(BodyError::Gone)?;
        let meta = self.shared.meta();
        let unwanted = || BodyError::Withheld(Withheld::Unwanted);
        let mut definitions = meta.workspace.definitions_of(&self.space_id);
        let definition =
            definitions.find(|one| one.number == change.definition).ok_or_else(unwanted)?;
        let destination =
            destination(&meta.workspace, &self.space_id, connection).ok_or_else(unwanted)?;
        let activation = activation(definition, &destination.id)
            .filter(|one| form.is_sent(definition, one.send))
            .ok_or_else(unwanted)?;

        let profile = ProfileRef::Id(change.profile);
        let found = space.find(definition.collection, &profile).map_err(unavailable)?;
        let found = found.ok_or(BodyError::Withheld(Withheld::Nobody))?;
        let ids: Vec<ExternalId<'_>> = found.external_ids().collect();
        let (change, space, found, ids) = (&change, &space, &found, ids.as_slice());
        then(&Looked { form, change, definition, destination, activation, space, found, ids })
    }
}

/// The calls that tell of a change who does not know it.
fn calls(effect: &Effect, looked: &Looked<'_>, heard: &Heard) -> Result<Vec<Call>, BodyError> {
    let Looked { form, change, definition, destination, found, ids, .. } = *looked;
    let json = value_of(&change.what);
    let settled = found.settled(definition).map_err(unavailable)?;
    if settled.is_some_and(|settled| settled != json) {
        return Err(BodyError::Withheld(Withheld::Superseded));
    }
    let (value, is_nothing) = looked.telling();
    let named = told_by(looked.names(), ids, (value, is_nothing), heard);
    let named = named.map_err(BodyError::Withheld)?;
    let personas = Personas::of(definition, destination);
    let call = |id: ExternalId<'_>| {
        let message = Message {
            form,
            id: message_id(&effect.id, &id.key.0),
            personas: &personas,
            definition,
            value: json,
            named: id,
            ids,
            email: email(found, ids, id),
            destination: &destination.name,
            at: change.at,
            received_at: effect.log_time,
            profile: found.id(),
        };
        let tells = Some(Telling { to: id.key.0, value });
        Call { tells, body: message.json().into() }
    };
    Ok(named.into_iter().map(call).collect())
}

/// The message id of what a delivery tells a recipient.
fn message_id(effect: &[u8; 16], to: &Recipient) -> String {
    let digest = Sha256::new().chain_update(effect).chain_update(to).finalize();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("personas_{hex}")
}

/// The address of a user: the identifier that it is named by, if that is one, else its newest, else the
/// trait.
fn email(found: &Found<'_>, ids: &[ExternalId<'_>], named: ExternalId<'_>) -> Option<String> {
    if found.collection() == Collection::Accounts {
        return None;
    }
    let newest = || ids.iter().rfind(|id| id.kind == "email").copied();
    if let Some(id) = Some(named).filter(|id| id.kind == "email").or_else(newest) {
        return Some(id.value.to_owned());
    }
    let view = found.view();
    let known = view.trait_of("email")?.value?;
    serde_json::from_str(known.text()).ok()
}

#[cfg(test)]
mod tests;
