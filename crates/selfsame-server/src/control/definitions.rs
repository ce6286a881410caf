//! Audiences and computed traits: what they say, how far they are computed, and who is in them.

use selfsame_event::{Collection, Position, Time};
use selfsame_log::LogRead as _;
use selfsame_pipeline::workspace::{
    Activation, Announce, Change, Definition, DefinitionKind, NAME_BYTES, Naming, Strategy,
};
use selfsame_pipeline::{ComputeStage, Progress, SpaceRead};
use serde_json::Value;

use super::Control;
use super::asked::{Asked, check_name};
use super::identity::{IdentifierShown, read};
use super::problem::{Code, Problem};
use super::shape::{Page, shape};
use super::spaces;
use super::state::Done;
use crate::computing::Running;
use crate::definition::Said;

pub(crate) mod members;
pub(crate) mod why;

/// How long a description may be.
const DESCRIPTION: usize = 1_000;
const DAY_MICROS: i64 = 86_400_000_000;

shape! {
    /// An audience or a computed trait.
    pub(crate) struct DefinitionShown {
        /// The id: the key under which profiles have it, and by which other definitions read it.
        id: String,
        /// The space of its profiles.
        space: String,
        /// What it is.
        kind: DefinitionKind,
        /// Whose it is: `users` or `accounts`.
        collection: Collection,
        /// The name for people.
        name: String,
        /// What it is for.
        description: String,
        /// What it says, in the query language, printed in the one way that there is.
        query: String,
        /// The same as JSON, for programs that build definitions.
        expression: Value,
        /// Of an audience of users: the types of identifiers of which a profile has to have one to be in it; where there are none, every profile may be.
        filter_by_external_ids: Vec<String>,
        /// Whether a browser may read it of its own visitor.
        public: bool,
        /// The destinations that are told of its changes.
        destinations: Vec<ActivationShown>,
        /// `computing`: not in force yet; `replacing`: in force as it was before, while what it says now is computed; `evaluating`: in force, while every profile is looked at; `live`.
        state: String,
        /// How far it is; null where it is live.
        progress: Option<DefinitionProgress>,
        /// What is in force just now; null before it is for the first time.
        query_in_force: Option<String>,
        /// When it was said what is in force, or is being computed for the first time; null where that record is not kept any more.
        since: Option<String>,
        /// Where the log begins, once records were removed from it: what was computed after that knows no event before.
        history_from: Option<HistoryShown>,
        /// How many profiles are in it; null for a computed trait.
        members: Option<u64>,
    }

    /// How far a definition is computed.
    pub(crate) struct DefinitionProgress {
        /// `waiting`: behind another one; `history`: the log is read; `hand_over`: what was kept of it goes into the state; `profiles`: every profile is evaluated; `announcing`: a destination that was connected later is told how things are.
        stage: String,
        /// Records, rows or profiles that are done in this stage.
        done: u64,
        /// Of how many.
        total: u64,
        /// The same in percent.
        percent: f64,
        /// How many are done in a second.
        per_second: f64,
        /// How long this stage takes on; null where that is not known.
        seconds_left: Option<u64>,
        /// Why it does not go on; it is tried again.
        trouble: Option<String>,
    }

    /// Where the log begins.
    pub(crate) struct HistoryShown {
        /// The first record that there is.
        position: String,
        /// When it was received.
        received_at: Option<String>,
    }

    /// A destination that is told of changes.
    #[serde(deny_unknown_fields)]
    pub(crate) struct ActivationShown {
        /// The id of the destination.
        destination: String,
        /// As which events: `track`, `identify` or `both`; both where it is not given.
        #[serde(default)]
        send: Option<Announce>,
        /// By which identifiers: a call for each. Without any, one call by the newest user id, else by the newest anonymous id, else by the first identifier of any type; for an audience with `filter_by_external_ids`, by the newest identifier of the first of these types.
        #[serde(default)]
        identifiers: Option<Vec<NamingShown>>,
    }

    /// By which identifiers of a type a destination is told.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NamingShown {
        /// The type.
        r#type: String,
        /// Which of its values: `first` is the oldest, `last` the newest, `all` every one; the newest where it is not given.
        #[serde(default)]
        strategy: Option<Strategy>,
    }

    /// An audience or a computed trait, as it is to be.
    #[serde(deny_unknown_fields)]
    pub(crate) struct NewDefinition {
        /// What it is; it stays what it was made as.
        kind: DefinitionKind,
        /// Whose it is, `users` or `accounts`; users where it is not given. It stays what it was made as.
        #[serde(skip_serializing_if = "Option::is_none")]
        collection: Option<Collection>,
        /// The name for people; the id where it is not given.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// What it says: a text in the query language, or its JSON form.
        query: Value,
        /// Of an audience of users: the types of identifiers of which a profile has to have one to be in it, such as `user_id` and `email`; where it was made without, every profile may be, anonymous ones too. It stays what it was made with.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter_by_external_ids: Option<Vec<String>>,
        /// Whether a browser may read it of its own visitor, by `GET /v1/me`; no where not given.
        public: Option<bool>,
        /// The destinations that are told of its changes.
        destinations: Option<Vec<ActivationShown>>,
    }

    /// How many profiles were in an audience.
    pub(crate) struct MemberCounts {
        /// How many are in it now.
        members: u64,
        /// The newest days on which somebody entered or left, at most 400, the oldest first.
        days: Vec<DayOfMembers>,
    }

    /// One day of an audience, in UTC.
    pub(crate) struct DayOfMembers {
        /// The day, such as 2026-11-24.
        day: String,
        /// How many entered.
        entered: u64,
        /// How many left.
        exited: u64,
        /// How many were in it after the last of them.
        members: u64,
    }

    /// Members of an audience.
    pub(crate) struct MembersShown {
        /// How many there are in all.
        total: u64,
        /// Some of them.
        data: Vec<MemberShown>,
        /// The cursor of what comes next; null at the end.
        next: Option<String>,
    }

    /// A member of an audience.
    pub(crate) struct MemberShown {
        /// The profile.
        profile_id: String,
        /// Since when it is in it.
        since: String,
        /// Its identifiers, in the order in which they were mapped; null where they were not asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        identifiers: Option<Vec<IdentifierShown>>,
    }
}

/// The definition that the path names.
fn find<'r>(read: &'r SpaceRead, id: &str) -> Result<&'r Definition, Problem> {
    read.definition(id).ok_or_else(|| Problem::missing("definition", id))
}

/// The same, if it has members.
fn audience<'r>(read: &'r SpaceRead, id: &str) -> Result<&'r Definition, Problem> {
    let definition = find(read, id)?;
    match definition.kind {
        DefinitionKind::Audience => Ok(definition),
        DefinitionKind::ComputedTrait => {
            let message = format!("`{id}` is a computed trait, which has no members.");
            Err(Problem::new(Code::Conflict, message))
        }
    }
}

fn shown(
    control: &Control,
    read: &SpaceRead,
    definition: &Definition,
) -> Result<DefinitionShown, Problem> {
    let none = Progress::default();
    let progress = read.progress(definition).unwrap_or(&none);
    let said = Said::read((definition.kind, definition.collection), &definition.query);
    let expression = said.map_or(Value::Null, |said| said.to_json());
    let state = state(progress);
    let shows = progress.live.as_ref().or(progress.next.as_ref());
    // Older records may be gone.
    let since = shows.and_then(|one| control.node.log.get(Position::embedded(one.since)).ok());
    let history = read.history_from()?.map(|from| HistoryShown {
        position: from.position.to_string(),
        received_at: from.received_at.map(|time| time.to_string()),
    });
    let destinations = definition.destinations.iter().map(activation_shown);
    let is_audience = definition.kind == DefinitionKind::Audience;
    Ok(DefinitionShown {
        id: definition.id.clone(),
        space: definition.space.clone(),
        kind: definition.kind,
        collection: definition.collection,
        name: definition.name.clone(),
        description: definition.description.clone(),
        query: definition.query.clone(),
        expression,
        filter_by_external_ids: definition.filter_by_external_ids.clone(),
        public: definition.public,
        destinations: destinations.collect(),
        state: state.to_owned(),
        progress: (state != "live").then(|| how_far(control, definition)),
        query_in_force: progress.live.as_ref().map(|live| live.query.clone()),
        since: since.map(|record| record.time.to_string()),
        history_from: history,
        members: is_audience.then(|| read.member_counts(definition).count),
    })
}

fn state(progress: &Progress) -> &'static str {
    match (&progress.live, &progress.next) {
        (None, _) => "computing",
        (Some(_), Some(_)) => "replacing",
        (Some(live), None) if !live.is_announced => "evaluating",
        (Some(_), None) => "live",
    }
}

fn how_far(control: &Control, definition: &Definition) -> DefinitionProgress {
    let computing = &control.node.computing;
    let is_of = |running: &Running| {
        running.status.space == definition.space
            && running.status.definitions.contains(&definition.number)
    };
    let trouble = computing.trouble();
    let Some(running) = computing.running().filter(is_of) else {
        return DefinitionProgress {
            stage: "waiting".to_owned(),
            done: 0,
            total: 0,
            percent: 0.0,
            per_second: 0.0,
            seconds_left: None,
            trouble,
        };
    };
    let stage = match running.status.stage {
        ComputeStage::History => "history",
        ComputeStage::HandOver => "hand_over",
        ComputeStage::Profiles => "profiles",
        ComputeStage::Announcing => "announcing",
    };
    let (done, total) = (running.status.done, running.status.total);
    // How many rows there are is known about.
    let percent = if total == 0 { 100.0 } else { done.min(total) as f64 / total as f64 * 100.0 };
    DefinitionProgress {
        stage: stage.to_owned(),
        done,
        total,
        percent: tenths(percent),
        per_second: tenths(running.per_second()),
        seconds_left: running.seconds_left(),
        trouble,
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// `GET /api/spaces/{id}/definitions`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<Page<DefinitionShown>, Problem> {
    let kind = match asked.get("kind") {
        None => None,
        Some("audience") => Some(DefinitionKind::Audience),
        Some("computed_trait") => Some(DefinitionKind::ComputedTrait),
        Some(_) => {
            return Err(Problem::field("kind", "`kind` is audience or computed_trait."));
        }
    };
    let read = read(&control.node, asked.id())?;
    let mut all: Vec<_> =
        read.definitions().filter(|one| kind.is_none_or(|kind| one.kind == kind)).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    let all = all.into_iter().map(|one| shown(&control, &read, one));
    Ok(all.collect::<Result<Vec<_>, _>>()?.into())
}

/// `GET /api/spaces/{id}/definitions/{definition}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<DefinitionShown, Problem> {
    let read = read(&control.node, asked.id())?;
    shown(&control, &read, find(&read, asked.part("definition"))?)
}

/// `PUT /api/spaces/{id}/definitions/{definition}`
pub(crate) async fn set(
    control: Control,
    asked: Asked,
    new: NewDefinition,
) -> Result<DefinitionShown, Problem> {
    let (space, id) = (asked.id().to_owned(), asked.part("definition").to_owned());
    let name = new.name.unwrap_or_else(|| id.chars().take(NAME_BYTES).collect());
    check_name(&name)?;
    let description = new.description.unwrap_or_default();
    if description.chars().count() > DESCRIPTION {
        let message = format!("`description` has at most {DESCRIPTION} characters.");
        return Err(Problem::field("description", message));
    }
    let collection = new.collection.unwrap_or(Collection::Users);
    let query = said((new.kind, collection), &new.query)?;
    let destinations = activations(new.destinations.unwrap_or_default());
    let _turn = control.turn().await;
    let view = control.view()?;
    spaces::find(&view, &space)?;
    let workspace = &view.meta.workspace;
    check_destinations(&workspace.destinations, &space, &destinations)?;
    let kept = || workspace.definition(&space, &id).map(|one| one.filter_by_external_ids.clone());
    let filter_by_external_ids = new.filter_by_external_ids.or_else(kept).unwrap_or_default();
    drop(view);
    let definition = Definition {
        number: 0,
        id: id.clone(),
        space: space.clone(),
        kind: new.kind,
        collection,
        name,
        description,
        query,
        filter_by_external_ids,
        public: new.public.unwrap_or(false),
        destinations,
    };
    control.change(&Change::SetDefinition(definition)).await?;
    let read = read(&control.node, &space)?;
    shown(&control, &read, find(&read, &id)?)
}

fn activation_shown(one: &Activation) -> ActivationShown {
    let naming =
        |one: &Naming| NamingShown { r#type: one.kind.clone(), strategy: Some(one.strategy) };
    let identifiers: Vec<_> = one.identifiers.iter().map(naming).collect();
    ActivationShown {
        destination: one.destination.clone(),
        send: Some(one.send),
        identifiers: (!identifiers.is_empty()).then_some(identifiers),
    }
}

/// What a definition says, printed in the one way that there is.
pub(super) fn said(of: (DefinitionKind, Collection), query: &Value) -> Result<String, Problem> {
    let said = match query {
        Value::String(text) => Said::read(of, text),
        json @ Value::Object(_) => Said::from_json(of, json),
        _ => {
            let message = "`query` is a text in the query language, or its JSON form.";
            return Err(Problem::field("query", message));
        }
    };
    Ok(said.map_err(|wrong| Problem::definition(&wrong))?.to_string())
}

fn activations(given: Vec<ActivationShown>) -> Vec<Activation> {
    let naming =
        |one: NamingShown| Naming { kind: one.r#type, strategy: one.strategy.unwrap_or_default() };
    let activation = |one: ActivationShown| Activation {
        destination: one.destination,
        send: one.send.unwrap_or_default(),
        identifiers: one.identifiers.unwrap_or_default().into_iter().map(naming).collect(),
    };
    given.into_iter().map(activation).collect()
}

fn check_destinations(
    known: &[selfsame_pipeline::workspace::Destination],
    space: &str,
    wanted: &[Activation],
) -> Result<(), Problem> {
    for (index, one) in wanted.iter().enumerate() {
        let field = format!("destinations[{index}].destination");
        let id = &one.destination;
        if !known.iter().any(|known| known.id == *id && known.space == space) {
            let message = format!("`{field}`: the space has no destination `{id}`.");
            return Err(Problem::field(field, message));
        }
        if wanted[..index].iter().any(|before| before.destination == *id) {
            let message = format!("`{field}`: `{id}` is there twice.");
            return Err(Problem::field(field, message));
        }
    }
    Ok(())
}

/// `DELETE /api/spaces/{id}/definitions/{definition}`
pub(crate) async fn remove(control: Control, asked: Asked) -> Result<Done, Problem> {
    let _turn = control.turn().await;
    let (space, id) = (asked.id().to_owned(), asked.part("definition").to_owned());
    find(&read(&control.node, &space)?, &id)?;
    let removed = control.change(&Change::RemoveDefinition { space, id: id.clone() }).await;
    match removed {
        Ok(_) => Ok(Done::new(&id, "removed")),
        Err(problem) if problem.code == Code::DefinitionInvalid => {
            Err(Problem::new(Code::Conflict, problem.message().to_owned()))
        }
        Err(problem) => Err(problem),
    }
}

/// `GET /api/spaces/{id}/definitions/{definition}/counts`
pub(crate) async fn counts(control: Control, asked: Asked) -> Result<MemberCounts, Problem> {
    let read = read(&control.node, asked.id())?;
    let members = read.member_counts(audience(&read, asked.part("definition"))?);
    let day = |(day, [entered, exited, members]): (u32, [u64; 3])| {
        let name = Time::from_micros(i64::from(day) * DAY_MICROS).to_string();
        DayOfMembers {
            day: name.get(..10).unwrap_or_default().to_owned(),
            entered,
            exited,
            members,
        }
    };
    Ok(MemberCounts { members: members.count, days: members.days().map(day).collect() })
}
