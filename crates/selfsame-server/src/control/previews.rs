//! What an audience or a computed trait would come to, before it is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_event::Collection;
use selfsame_pipeline::workspace::DefinitionKind;
use selfsame_pipeline::{Preview, ProfileRef};
use serde_json::Value;

use super::Control;
use super::asked::Asked;
use super::definitions;
use super::identity::{IdentifierShown, id_shown, read};
use super::problem::{Code, Problem};
use super::shape::shape;
use crate::preview_job::{Job, Stage, Wish};

/// How many members are shown.
const SAMPLE: u32 = 10;
const MOST: u32 = 100;

shape! {
    /// What is to be previewed.
    #[serde(deny_unknown_fields)]
    pub(crate) struct PreviewWish {
        /// What it is.
        kind: DefinitionKind,
        /// Whose it is, `users` or `accounts`; users where it is not given.
        #[serde(skip_serializing_if = "Option::is_none")]
        collection: Option<Collection>,
        /// What it says: a text in the query language, or its JSON form.
        query: Value,
        /// Of an audience of users: the types of identifiers of which a member has one.
        #[serde(skip_serializing_if = "Option::is_none")]
        filter_by_external_ids: Option<Vec<String>>,
        /// The definition that it would replace: who would enter and leave is counted.
        replaces: Option<String>,
        /// An audience; the members in common are counted.
        overlap: Option<String>,
        /// How many members are shown, at most 100; 10 where it is not given.
        sample: Option<u32>,
    }

    /// How far a preview is, and what it found.
    pub(crate) struct PreviewShown {
        /// `running`, `done`, `stopped` or `failed`.
        state: String,
        /// `history` while events are read, then `profiles`.
        stage: Option<String>,
        /// Records of the log, or profiles, that are done in this stage.
        done: u64,
        /// Of how many.
        total: u64,
        /// When it was started.
        started_at: String,
        /// What was previewed.
        query: String,
        /// Why it failed.
        error: Option<String>,
        /// What it found.
        preview: Option<PreviewFound>,
    }

    /// What a definition would come to.
    pub(crate) struct PreviewFound {
        /// How many profiles there are.
        profiles: u64,
        /// How many would be in the audience, or would have another value than a profile without events.
        size: u64,
        /// Some of them, always the same ones.
        sample: Vec<PreviewMember>,
        /// How many of them have an identifier of each type.
        identifiers: BTreeMap<String, u64>,
        /// How many are in the other audience too; null where none was named.
        overlap: Option<u64>,
        /// How many would enter what it replaces; null where nothing was named.
        entering: Option<u64>,
        /// How many would leave it.
        leaving: Option<u64>,
        /// How many values are approximate.
        approximate: u64,
        /// From when on there are events.
        history_since: Option<String>,
        /// How many events were looked at.
        events: u64,
    }

    /// A profile that would be in it.
    pub(crate) struct PreviewMember {
        /// The profile.
        profile_id: String,
        /// What it would come to for it.
        value: Value,
        /// Its first identifiers.
        identifiers: Vec<IdentifierShown>,
    }
}

/// `POST /api/spaces/{id}/preview`
pub(crate) async fn start(
    control: Control,
    asked: Asked,
    wish: PreviewWish,
) -> Result<PreviewShown, Problem> {
    let space = asked.id().to_owned();
    let collection = wish.collection.unwrap_or(Collection::Users);
    let query = definitions::said((wish.kind, collection), &wish.query)?;
    let known = read(&control.node, &space)?;
    for (field, id) in [("replaces", &wish.replaces), ("overlap", &wish.overlap)] {
        let is_of_it =
            |id: &String| known.definition(id).is_some_and(|one| one.collection == collection);
        if let Some(id) = id.as_ref().filter(|id| !is_of_it(id)) {
            let of = collection.name();
            let message = format!("`{field}`: the space has no definition `{id}` of {of}.");
            return Err(Problem::field(field, message));
        }
    }
    let filter_by_external_ids = wish.filter_by_external_ids.unwrap_or_default();
    let is_filtered = (wish.kind, collection) == (DefinitionKind::Audience, Collection::Users);
    if !is_filtered && !filter_by_external_ids.is_empty() {
        let message = "`filter_by_external_ids` is for audiences of users.";
        return Err(Problem::field("filter_by_external_ids", message));
    }
    let types = known.types(Collection::Users);
    if let Some(kind) = filter_by_external_ids.iter().find(|kind| !types.contains(&kind.as_str())) {
        let message = format!("There is no type `{kind}`; there are {}.", types.join(", "));
        return Err(Problem::field("filter_by_external_ids", message));
    }
    let sample = wish.sample.unwrap_or(SAMPLE);
    if sample > MOST {
        return Err(Problem::field("sample", format!("`sample` is at most {MOST}.")));
    }
    let wish = Wish {
        space,
        kind: wish.kind,
        collection,
        query,
        filter_by_external_ids,
        replaces: wish.replaces,
        overlap: wish.overlap,
        sample: usize::try_from(sample).unwrap_or(0),
    };
    match control.previews.start(&control.node, &control.tasks, wish) {
        Ok(job) => shown(&control, &job),
        Err(other) => {
            let space = &other.wish.space;
            let message = format!(
                "Another definition is just being previewed, in the space `{space}`; \
                 `DELETE /api/spaces/{space}/preview` stops that."
            );
            Err(Problem::new(Code::Conflict, message))
        }
    }
}

/// `GET /api/spaces/{id}/preview`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<PreviewShown, Problem> {
    shown(&control, &*job(&control, asked.id())?)
}

/// `DELETE /api/spaces/{id}/preview`
pub(crate) async fn stop(control: Control, asked: Asked) -> Result<PreviewShown, Problem> {
    let job = job(&control, asked.id())?;
    job.stop();
    shown(&control, &job)
}

fn job(control: &Control, space: &str) -> Result<Arc<Job>, Problem> {
    if let Some(job) = control.previews.of(space) {
        return Ok(job);
    }
    read(&control.node, space)?;
    let message = "No definition of this space was previewed since the server started.";
    Err(Problem::new(Code::NotFound, message))
}

fn shown(control: &Control, job: &Job) -> Result<PreviewShown, Problem> {
    let mut shown = PreviewShown {
        state: "done".to_owned(),
        stage: None,
        done: 0,
        total: 0,
        started_at: job.started.to_string(),
        query: job.wish.query.clone(),
        error: None,
        preview: None,
    };
    match job.stage() {
        Stage::Running(progress) => {
            "running".clone_into(&mut shown.state);
            let stage = if progress.is_behind_history { "profiles" } else { "history" };
            shown.stage = Some(stage.to_owned());
            (shown.done, shown.total) = (progress.done, progress.total);
        }
        Stage::Stopped => "stopped".clone_into(&mut shown.state),
        Stage::Failed(error) => {
            "failed".clone_into(&mut shown.state);
            shown.error = Some(error);
        }
        Stage::Done(preview) => shown.preview = Some(found(control, &job.wish, &preview)?),
    }
    Ok(shown)
}

fn found(control: &Control, wish: &Wish, preview: &Preview) -> Result<PreviewFound, Problem> {
    let read = read(&control.node, &wish.space)?;
    let mut sample = Vec::with_capacity(preview.sample.len());
    for (profile, json) in &preview.sample {
        let found = read.find(wish.collection, &ProfileRef::Id(*profile))?;
        let identifiers = found.iter().flat_map(|found| found.external_ids()).take(5);
        let identifiers = identifiers.map(|id| id_shown(id.kind, id.value)).collect();
        sample.push(PreviewMember {
            profile_id: profile.to_string(),
            value: serde_json::from_str(json).unwrap_or_default(),
            identifiers,
        });
    }
    Ok(PreviewFound {
        profiles: preview.profiles,
        size: preview.size,
        sample,
        identifiers: preview.identifiers.clone(),
        overlap: preview.overlap,
        entering: preview.change.map(|[entering, _]| entering),
        leaving: preview.change.map(|[_, leaving]| leaving),
        approximate: preview.approximate,
        history_since: preview.history_since.map(|time| time.to_string()),
        events: preview.events,
    })
}
