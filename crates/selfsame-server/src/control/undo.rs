//! Undo: what setting identifiers apart would do, doing it, and what is set apart.
//!
//! Every wish is planned first, and the plan is the answer. Only with `apply` a record is appended. The
//! record's own step plans again, over everything that came meanwhile. What is too much for one step is
//! planned by a job, whether it is only to be shown or to be done.

use selfsame_event::{Class, Collection, Identifier, ProfileId};
use selfsame_identity::{Cluster, Moved, PlanError};
use selfsame_pipeline::{
    ApartPair, IdentityChange, SpaceRead, UndoError, UndoPlan, UndoWish, Wanted,
};

use super::Control;
use super::asked::Asked;
use super::identity::{IdentifierShown, collection_named, id_shown, identifier_of, of, read};
use super::problem::{Code, Problem};
use super::rule_jobs;
use crate::node::Node;
use crate::rule_job::{Asking, Deed};

pub(crate) mod job;
mod shown;

pub(crate) use job::UndoJobs;
pub(crate) use shown::{
    ApartList, ApartShown, ClusterShown, MovedShown, PairShown, UndoJobShown, UndoRequest,
    UndoShown,
};

/// How many profiles and identifiers one answer lists.
const SHOWN: usize = 1_000;

/// `POST /api/spaces/{id}/identity/undo`
pub(crate) async fn undo(
    control: Control,
    asked: Asked,
    request: UndoRequest,
) -> Result<UndoShown, Problem> {
    let turn = control.turn().await;
    let apply = request.apply == Some(true);
    let space = asked.id().to_owned();
    if request.publish == Some(true) {
        drop(turn);
        return publish(&control, space, request, apply).await;
    }
    if apply {
        check_publishes(&control, &space)?;
    }
    let work = move |node: &Node| planned(node, &space, &request);
    let (mut shown, change) = match control.scan(work).await? {
        Planned::Small(planned) => *planned,
        Planned::Large { asking, sets } => {
            drop(turn);
            job::start(&control, asking)?;
            return Ok(begun(sets));
        }
    };
    if apply {
        let position = control.node.change_identity(&change).await?;
        shown.applied = true;
        shown.position = Some(position.to_string());
    }
    Ok(shown)
}

/// Tries or publishes the rules in force with what is to be undone.
async fn publish(
    control: &Control,
    space: String,
    request: UndoRequest,
    apply: bool,
) -> Result<UndoShown, Problem> {
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        let Wish { collection, wish, by } = wanted(&read, &request)?;
        let wanted = Wanted { collection, wish: &wish, by: &by };
        let ahead = read.undo_ahead(&wanted).map_err(|error| problem(&read, &error))?;
        Ok((IdentityChange::new(&space, &ahead.0), ahead.1, read.space().rules.clone()))
    };
    let (identity, pairs, rules) = control.scan(work).await?;
    let (deed, space) = (if apply { Deed::Publish } else { Deed::Try }, identity.space.clone());
    rule_jobs::start(control, Asking { deed, space, rules, identity: Some(identity) })?;
    let pair =
        |(one, other): &(Identifier, Identifier)| PairShown { one: of(one), other: of(other) };
    let pairs = pairs.iter().take(SHOWN).map(pair).collect();
    Ok(UndoShown { publishing: true, large: false, job: false, pairs, ..begun(0) })
}

/// What is set apart while rules are published would be none of what they are folded with.
fn check_publishes(control: &Control, space: &str) -> Result<(), Problem> {
    let message = "Rules of the space are just being published. Try again behind that, or stop it.";
    match control.rule_jobs.publishes(space) {
        true => Err(Problem::new(Code::Conflict, message)),
        false => Ok(()),
    }
}

/// `GET /api/spaces/{id}/identity/apart`
pub(crate) async fn apart(control: Control, asked: Asked) -> Result<ApartList, Problem> {
    let collection = collection_named(asked.get("collection"))?;
    let limit = asked.limit(1_000, 10_000)?;
    let space = asked.id().to_owned();
    let work = move |node: &Node| {
        let read = read(node, &space)?;
        let (pairs, cut) = read.apart_pairs(collection, limit)?;
        let shown = pairs.iter().map(|pair| apart_shown(&read, pair));
        Ok(ApartList { data: shown.collect::<Result<_, Problem>>()?, cut })
    };
    control.scan(work).await
}

/// What is to be answered.
enum Planned {
    /// This, and it may be done by one step.
    Small(Box<(UndoShown, IdentityChange)>),
    /// It is too much for one step, and to be planned in one go.
    Large { asking: job::Asking, sets: usize },
}

/// What somebody wants, checked.
struct Wish {
    collection: Collection,
    wish: UndoWish,
    by: String,
}

fn wanted(read: &SpaceRead, request: &UndoRequest) -> Result<Wish, Problem> {
    let collection = collection_named(request.collection.as_deref())?;
    let wish = wish(read, collection, request)?;
    let by = request.by.clone().unwrap_or_default();
    if by.chars().count() > 200 || by.chars().any(char::is_control) {
        let message = "`by` has at most 200 characters, none a control character.";
        return Err(Problem::field("by", message));
    }
    Ok(Wish { collection, wish, by })
}

fn planned(node: &Node, space: &str, request: &UndoRequest) -> Result<Planned, Problem> {
    let read = read(node, space)?;
    let Wish { collection, wish, by } = wanted(&read, request)?;
    let planned = match read.plan_undo(collection, &wish, &by, read.undo_sizes(), &mut |_| true) {
        Err(UndoError::Plan(PlanError::JobNeeded { sets, .. })) => {
            let space = space.to_owned();
            let apply = request.apply == Some(true);
            let asking = job::Asking { space, collection, wish, by, apply };
            return Ok(Planned::Large { asking, sets });
        }
        planned => planned.map_err(|error| problem(&read, &error))?,
    };
    let change = IdentityChange::new(space, &planned.change);
    Ok(Planned::Small(Box::new((undo_shown(&read, &planned), change))))
}

fn wish(
    read: &SpaceRead,
    collection: Collection,
    request: &UndoRequest,
) -> Result<UndoWish, Problem> {
    let id = |name: &'static str, text: &str| identifier_of(read, collection, name, text);
    let pair = |name: &'static str, ids: &[String]| match ids {
        [one, other] => Ok((id(name, one)?, id(name, other)?)),
        _ => Err(Problem::field(name, format!("`{name}` is two identifiers."))),
    };
    let of = (&request.unmerge, &request.apart, &request.split, &request.within_rules);
    match (of.0, of.1, of.2, of.3, &request.lift) {
        (Some(profile), None, None, None, None) => {
            let message = "`unmerge` is the id of a profile that was merged into another (use_…).";
            let profile = ProfileId::parse(profile);
            profile.map(UndoWish::Unmerge).ok_or_else(|| Problem::field("unmerge", message))
        }
        (None, Some(ids), None, None, None) => {
            pair("apart", ids).map(|(one, other)| UndoWish::Apart(one, other))
        }
        (None, None, Some(ids), None, None) => {
            let message = "`from` is an identifier that stays on the profile.";
            let from = request.from.as_ref().ok_or_else(|| Problem::field("from", message))?;
            let chosen = ids.iter().map(|text| id("split", text)).collect::<Result<_, _>>()?;
            Ok(UndoWish::Split { chosen, from: id("from", from)? })
        }
        (None, None, None, Some(of), None) => id("within_rules", of).map(UndoWish::WithinRules),
        (None, None, None, None, Some(ids)) => {
            pair("lift", ids).map(|(one, other)| UndoWish::Lift(one, other))
        }
        _ => {
            let message = "Give one of `unmerge`, `apart`, `split`, `within_rules` and `lift`.";
            Err(Problem::new(Code::Invalid, message))
        }
    }
}

fn problem(read: &SpaceRead, error: &UndoError) -> Problem {
    let remedy = match error {
        UndoError::Plan(PlanError::Moves | PlanError::Verified | PlanError::TooLarge { .. }) => {
            " It can be done by publishing the rules in force with it (`publish`, `--publish`), which \
             resolves every event again."
        }
        _ => "",
    };
    match error.class() {
        Class::Missing => Problem::new(Code::NotFound, reason(read, error)),
        Class::Invalid => Problem::new(Code::Invalid, reason(read, error) + remedy),
        Class::Conflict | Class::Limited => {
            Problem::new(Code::Conflict, reason(read, error) + remedy)
        }
        class => Problem::of(class, error),
    }
}

/// Why there is no plan, as a sentence.
pub(super) fn reason(read: &SpaceRead, error: &UndoError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let sentence = format!("{}{}.", first.map(String::from).unwrap_or_default(), letters.as_str());
    let UndoError::Plan(PlanError::TooLarge { hubs, .. }) = error else { return sentence };
    let hub = |hub: &selfsame_identity::Hub| {
        let id = read.named(&hub.name);
        format!("{}:{} ({} sets)", id.kind, id.value, hub.sets)
    };
    let hubs: Vec<_> = hubs.iter().map(hub).collect();
    format!("{sentence} They are linked by {}.", hubs.join(", "))
}

fn undo_shown(read: &SpaceRead, planned: &UndoPlan) -> UndoShown {
    let UndoPlan { pairs, plan, is_partial, .. } = planned;
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let clusters = |all: &[Cluster]| {
        all.iter().take(SHOWN).map(|cluster| cluster_shown(read, cluster)).collect()
    };
    let lengths = [plan.before.len(), plan.after.len(), plan.moved.len()];
    UndoShown {
        applied: false,
        position: None,
        large: plan.sets > read.undo_sizes().in_step,
        job: false,
        publishing: false,
        pairs: pairs
            .iter()
            .map(|(one, other)| PairShown { one: of(one), other: of(other) })
            .collect(),
        before: clusters(&plan.before),
        after: clusters(&plan.after),
        moved: plan.moved.iter().take(SHOWN).map(|moved| moved_shown(read, moved)).collect(),
        others: plan.others.iter().take(SHOWN).map(ToString::to_string).collect(),
        sets: number(plan.sets),
        met: plan.met.values().sum(),
        uncertain: number(plan.uncertain),
        left_over: number(plan.left_over),
        partial: *is_partial,
        cut: lengths.iter().any(|length| *length > SHOWN),
    }
}

/// The answer where a job plans it, and does it.
fn begun(sets: usize) -> UndoShown {
    UndoShown {
        applied: false,
        position: None,
        large: true,
        job: true,
        publishing: false,
        pairs: Vec::new(),
        before: Vec::new(),
        after: Vec::new(),
        moved: Vec::new(),
        others: Vec::new(),
        sets: u64::try_from(sets).unwrap_or(u64::MAX),
        met: 0,
        uncertain: 0,
        left_over: 0,
        partial: false,
        cut: false,
    }
}

fn cluster_shown(read: &SpaceRead, cluster: &Cluster) -> ClusterShown {
    let shown = |named| of(&read.named(named));
    ClusterShown {
        profile_id: cluster.profile.to_string(),
        identifiers: cluster.members.iter().take(SHOWN).map(shown).collect(),
    }
}

fn moved_shown(read: &SpaceRead, moved: &Moved) -> MovedShown {
    let Identifier { kind, value } = read.named(&moved.name);
    MovedShown {
        id: IdentifierShown { ..id_shown(&kind, &value) },
        from: moved.from.map(|id| id.to_string()),
        to: moved.to.map(|id| id.to_string()),
        has_events: moved.has_events,
    }
}

fn apart_shown(read: &SpaceRead, pair: &ApartPair) -> Result<ApartShown, Problem> {
    let last = match pair.last {
        Some(stamp) => {
            let times = (stamp.event_time, stamp.log_time);
            let event = read.event_ref(stamp.position, stamp.source, times)?;
            Some(super::identity::event(read, event))
        }
        None => None,
    };
    Ok(ApartShown {
        one: of(&pair.one),
        other: of(&pair.other),
        since: pair.since.to_string(),
        by: pair.by.clone(),
        times: pair.times,
        last,
    })
}
