//! Dead letters: events that a destination did not take in all of their attempts.

use selfsame_deliver::{
    ConnectionId, DeadLetter, DelivererHandle, Failure, OfCause, PageRequest, Replay, Selection,
};
use selfsame_event::{Collection, EventType};
use selfsame_pipeline::workspace::{Destination, ToolMapping};

use super::Control;
use super::asked::{Asked, item};
use super::decided::EventName;
use super::destinations::{deliverer, find};
use super::problem::Problem;
use super::replays::numbered;
use super::shape::shape;
use crate::activation::Form;
use crate::destination::connection_id;
use crate::node::Node;

shape! {
    /// Dead letters, in order of position.
    pub(crate) struct DeadLetters {
        /// How many there are in all.
        total: u64,
        /// The letters.
        data: Vec<DeadLetterShown>,
        /// The cursor of what comes next; null at the end.
        next: Option<String>,
    }

    /// An event that is not tried any more until somebody asks.
    pub(crate) struct DeadLetterShown {
        /// The event's position.
        position: String,
        /// Its message id, unless its body is gone.
        message_id: Option<String>,
        /// Its type.
        r#type: String,
        /// Its name, of a track call.
        event: Option<String>,
        /// Whose it is.
        profile_id: String,
        /// The mappings of a destination of the catalogue that were given up.
        mappings: Vec<String>,
        /// Why the last attempt failed.
        failure: String,
        /// The status of the last attempt, where there was an answer.
        status: Option<u16>,
        /// Attempts made.
        attempts: u32,
        /// When the first one was made.
        first_attempt: String,
        /// When it was given up.
        died: String,
    }

    /// Which letters to send again: one of `all`, `positions`, `failure` and `cause`.
    #[serde(deny_unknown_fields)]
    pub(crate) struct Resend {
        /// Every one.
        all: Option<bool>,
        /// Those at these positions.
        positions: Option<Vec<String>>,
        /// Those whose last attempt failed for this reason.
        failure: Option<String>,
        /// Those of this cause, the first ones, as the list by causes has it.
        cause: Option<String>,
        /// At most so many of the cause.
        limit: Option<u32>,
        /// The number of a replay: its letters, in place of those of live events.
        replay: Option<u32>,
    }

    /// Dead letters by cause, the most frequent first.
    pub(crate) struct DeadCauses {
        /// How many letters there are in all.
        total: u64,
        /// The causes.
        data: Vec<DeadCause>,
    }

    /// Letters that died of the same: the failure, the status, and what the receiver answered without what
    /// differs from letter to letter.
    pub(crate) struct DeadCause {
        /// The cause's name.
        cause: String,
        /// Why the last attempt failed.
        failure: String,
        /// The status, where there was an answer.
        status: Option<u16>,
        /// What the receiver answered, numbers, identifiers and values left out; empty where it answered
        /// nothing, or that is no longer kept.
        error: String,
        /// How many letters.
        count: u64,
        /// When the first of them died.
        first_died: String,
        /// When the last of them died.
        last_died: String,
        /// The positions of some of them.
        samples: Vec<String>,
    }

    /// How many letters are sent again.
    pub(crate) struct Resent {
        /// So many.
        resent: u64,
    }
}

/// `GET /api/destinations/{id}/dead-letters`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<DeadLetters, Problem> {
    let page = PageRequest { after: asked.item("next")?, limit: asked.limit(50, 500)? };
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let whose = whose(&handle, destination, replay_number(&asked)?)?;
    let page = handle.dead_letters(whose, page).await?;
    let letters = page.letters;
    let mappings = destination.tool.clone().map(|tool| tool.mappings).unwrap_or_default();
    let show = move |node: &Node| {
        Ok(letters.iter().map(|one| shown(node, one, &mappings)).collect::<Vec<_>>())
    };
    let data = control.scan(show);
    Ok(DeadLetters {
        total: u64::try_from(page.total).unwrap_or(u64::MAX),
        data: data.await?,
        next: page.after.map(|at| at.to_string()),
    })
}

/// The number of a replay that is asked for.
fn replay_number(asked: &Asked) -> Result<Option<u32>, Problem> {
    let number = asked.get("replay").map(|text| {
        text.parse().map_err(|_| Problem::field("replay", "`replay` is the number of a replay."))
    });
    number.transpose()
}

/// By what id deliveries know whose letters are meant: a destination's live ones, or those of a replay.
fn whose(
    handle: &DelivererHandle,
    destination: &Destination,
    replay: Option<u32>,
) -> Result<ConnectionId, Problem> {
    match replay {
        None => Ok(connection_id(&destination.id)),
        Some(number) => Ok(numbered(handle, destination, number)?.replay.id()),
    }
}

fn shown(node: &Node, letter: &DeadLetter, mappings: &[ToolMapping]) -> DeadLetterShown {
    let of_letter = mappings.iter().filter(|one| letter.share.has(one.number));
    let name = EventName::read(node, letter.effect.at);
    DeadLetterShown {
        position: letter.effect.at.to_string(),
        message_id: name.message_id,
        r#type: call_of(node, letter).to_owned(),
        event: name.event,
        profile_id: letter.effect.profile.to_string(),
        mappings: of_letter.map(|one| one.name.clone()).collect(),
        failure: letter.failure.label().to_owned(),
        status: letter.status,
        attempts: letter.attempts,
        first_attempt: letter.first_attempt.to_string(),
        died: letter.died.to_string(),
    }
}

/// The type of the call that an effect is delivered as.
fn call_of(node: &Node, letter: &DeadLetter) -> &'static str {
    let kind = letter.effect.kind;
    if let Some(event) = EventType::from_code(kind.0) {
        return event.name();
    }
    let meta = node.shared.meta();
    let mut definitions = meta.workspace.definitions.iter();
    let definition = definitions.find(|one| Some(one.number) == letter.effect.subject);
    let collection = definition.map_or(Collection::Users, |one| one.collection);
    Form::of(kind).map(|form| form.call(collection)).unwrap_or_default()
}

/// `POST /api/destinations/{id}/dead-letters/resend`
pub(crate) async fn resend(
    control: Control,
    asked: Asked,
    resend: Resend,
) -> Result<Resent, Problem> {
    let replay = resend.replay;
    if let Resend { all: None, positions: None, failure: None, cause: Some(_), .. } = &resend {
        return resend_cause(control, asked, resend).await;
    }
    let selection = selection(resend)?;
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let whose = whose(&handle, destination, replay)?;
    let resent = handle.resend(whose, selection).await?;
    Ok(Resent { resent: u64::try_from(resent).unwrap_or(u64::MAX) })
}

const ONE: &str =
    "Give one of `all` (true), `positions`, `failure` and `cause`; `limit` goes with `cause`.";

/// The replay of that number, if one is given.
fn replay_of(
    handle: &DelivererHandle,
    destination: &Destination,
    number: Option<u32>,
) -> Result<Option<Replay>, Problem> {
    let found = number.map(|number| numbered(handle, destination, number)).transpose()?;
    Ok(found.map(|status| status.replay))
}

/// `GET /api/destinations/{id}/dead-letters/causes`
pub(crate) async fn causes(control: Control, asked: Asked) -> Result<DeadCauses, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let replay = replay_of(&handle, destination, replay_number(&asked)?)?;
    let found = handle.dead_causes(connection_id(&destination.id), replay.as_ref()).await?;
    let data: Vec<DeadCause> = found.iter().map(cause).collect();
    Ok(DeadCauses { total: data.iter().map(|one| one.count).sum(), data })
}

fn cause(of: &OfCause) -> DeadCause {
    DeadCause {
        cause: of.cause.id(),
        failure: of.cause.failure.label().to_owned(),
        status: of.cause.status,
        error: of.cause.error.clone(),
        count: u64::try_from(of.count).unwrap_or(u64::MAX),
        first_died: of.first_died.to_string(),
        last_died: of.last_died.to_string(),
        samples: of.samples.iter().map(ToString::to_string).collect(),
    }
}

async fn resend_cause(control: Control, asked: Asked, resend: Resend) -> Result<Resent, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let handle = deliverer(&control, &view, destination).ok_or_else(Problem::opening)?;
    let replay = replay_of(&handle, destination, resend.replay)?;
    let id = connection_id(&destination.id);
    let cause = resend.cause.unwrap_or_default();
    let limit = resend.limit.map_or(usize::MAX, |limit| limit.try_into().unwrap_or(usize::MAX));
    let resent = handle.resend_cause(id, replay.as_ref(), &cause, limit).await?;
    if resent == 0 {
        return Err(Problem::missing("dead letter of cause", &cause));
    }
    Ok(Resent { resent: u64::try_from(resent).unwrap_or(u64::MAX) })
}

fn selection(resend: Resend) -> Result<Selection, Problem> {
    if resend.cause.is_some() || resend.limit.is_some() {
        return Err(Problem::field("cause", ONE));
    }
    match (resend.all, resend.positions, resend.failure) {
        (Some(true), None, None) => Ok(Selection::All),
        (None, Some(positions), None) => {
            let read = positions.iter().enumerate().map(|(index, text)| {
                item(text).ok_or_else(|| {
                    let message = format!(
                        "`positions[{index}]` is the position of an event, such as 0-17.3."
                    );
                    Problem::field(format!("positions[{index}]"), message)
                })
            });
            Ok(Selection::These(read.collect::<Result<_, _>>()?))
        }
        (None, None, Some(word)) => {
            let failure = Failure::ALL.iter().copied().find(|failure| failure.label() == word);
            failure.map(Selection::Failed).ok_or_else(|| {
                let known: Vec<_> = Failure::ALL.iter().map(|failure| failure.label()).collect();
                let message = format!("`failure`: `{word}` is none of {}.", known.join(", "));
                Problem::field("failure", message)
            })
        }
        _ => Err(Problem::field("all", ONE)),
    }
}
