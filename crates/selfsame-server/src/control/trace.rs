//! Every hop of one event: received, decided, and each attempt to deliver it.
//!
//! There is no index of message ids: the log is searched from its end, a bounded number of records
//! at a time. The answer says where to go on.

use selfsame_deliver::{
    Attempt, ConnectionStatus, Outcome, PageRequest, Topic, TraceRow, Withheld,
};
use selfsame_event::{Collection, EventType, EventsHead, ItemPosition, Position};
use selfsame_log::{LogRead as _, Record};
use selfsame_pipeline::View;
use selfsame_pipeline::decision::Verdict;
use selfsame_pipeline::effect::What;
use selfsame_pipeline::event_json::EventJson;
use selfsame_pipeline::workspace::Destination;
use serde_json::value::RawValue;

use self::unwanted::is_unwanted;
use super::Control;
use super::asked::{Asked, position};
use super::decided::{EventShown, decisions, has_events};
use super::destinations::deliverer;
use super::problem::Problem;
use super::shape::shape;
use crate::activation::{self, Form, Numbered};
use crate::destination::connection_id;
use crate::node::Node;
use crate::printable::brief;

mod unwanted;

/// How much one request searches.
const RECORDS: u64 = 20_000;
const BYTES: usize = 64 << 20;
/// How much is read at a time.
const STEP: u64 = 64;
const READ_BYTES: usize = 4 << 20;

shape! {
    /// The events of a message id, newest first.
    pub(crate) struct Trace {
        /// The events, each with all of its hops.
        data: Vec<TracedEvent>,
        /// Records that were searched.
        searched: u64,
        /// `before` of the next request, which searches older records; null at the beginning.
        next: Option<String>,
    }

    /// One event with all of its hops.
    pub(crate) struct TracedEvent {
        /// What was received and decided.
        event: EventShown,
        /// What became of it at each destination of its space.
        deliveries: Vec<DeliveryShown>,
        /// What it changed of computed traits and audiences.
        changes: Vec<ChangeShown>,
    }

    /// A change of a computed trait or of a membership that an event caused.
    pub(crate) struct ChangeShown {
        /// The id of the definition; its number where it is not there any more.
        definition: String,
        /// entered, exited or value.
        change: String,
        /// What it came to.
        value: Option<Box<RawValue>>,
        /// When.
        at: String,
        /// Whose it is.
        profile_id: String,
        /// The calls that destinations are told by.
        calls: Vec<CallShown>,
    }

    /// A call that destinations are told of a change by.
    pub(crate) struct CallShown {
        /// track or identify.
        r#type: String,
        /// Where it is in the order of deliveries.
        position: String,
        /// What became of it at each destination that is told of the definition.
        deliveries: Vec<DeliveryShown>,
    }

    /// What became of an event at a destination.
    pub(crate) struct DeliveryShown {
        /// The destination.
        destination: String,
        /// Its name.
        name: String,
        /// delivered, waiting, pending, dead, missed, filtered, superseded, withheld or none.
        state: String,
        /// What the state means.
        sentence: String,
        /// The attempts, oldest first, as long as they are kept.
        attempts: Vec<AttemptShown>,
    }

    /// One attempt to deliver.
    pub(crate) struct AttemptShown {
        /// 1 for the first.
        number: u32,
        /// The action of a destination of the catalogue, by the name of its mapping.
        action: Option<String>,
        /// When it began.
        started: String,
        /// How long it took.
        took_ms: u32,
        /// `delivered`, or why not.
        outcome: String,
        /// The status, where there was an answer.
        status: Option<u16>,
        /// The beginning of a failed answer, control characters escaped.
        note: String,
        /// The number of the replay that made it; null where it was made for the live event.
        replay: Option<u32>,
    }
}

/// An event that was found, and what its deliveries need.
struct Hit {
    at: ItemPosition,
    shown: EventShown,
    kind: Option<EventType>,
    is_accepted: bool,
    changes: Vec<Numbered>,
}

/// Something that destinations get.
struct Delivery<'a> {
    at: ItemPosition,
    space: Option<&'a str>,
    topic: Option<Topic>,
    event: Option<&'a RawValue>,
}

impl Hit {
    fn delivery(&self) -> Delivery<'_> {
        let topic = self.kind.map(Topic::from);
        let (space, event) = (self.shown.space.as_deref(), self.shown.event.as_deref());
        Delivery { at: self.at, space, topic, event }
    }
}

/// `GET /api/trace`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<Trace, Problem> {
    let limit = asked.limit(10, 100)?;
    let view = control.view()?;
    let (message_id, at) = (asked.get("message_id").map(str::to_owned), asked.item("position")?);
    let before = asked.get("before").map(|text| {
        let wrong =
            || Problem::field("before", "`before` is a position of a record, such as 0-17.");
        position(text).ok_or_else(wrong)
    });
    let before = before.transpose()?;
    let seen = view.clone();
    let found = match (message_id, at) {
        (Some(id), None) => {
            control.scan(move |node| search(node, &seen, &id, before, limit)).await?
        }
        (None, Some(at)) => control.scan(move |node| at_position(node, &seen, at)).await?,
        _ => return Err(Problem::field("message_id", "Give one of `message_id` and `position`.")),
    };
    let (hits, searched, next) = found;
    let mut data = Vec::with_capacity(hits.len());
    for hit in hits {
        let deliveries = match hit.is_accepted {
            true => deliveries(&control, &view, &hit.delivery(), |_| true).await?,
            false => Vec::new(),
        };
        let changes = changes(&control, &view, &hit).await?;
        data.push(TracedEvent { event: hit.shown, deliveries, changes });
    }
    Ok(Trace { data, searched, next: next.map(|position| position.to_string()) })
}

type Found = (Vec<Hit>, u64, Option<Position>);

fn at_position(node: &Node, view: &View, at: ItemPosition) -> Result<Found, Problem> {
    let missing = || Problem::missing("event at", &at.to_string());
    let is_there = at.record.partition == 0 && at.record < node.log.end();
    if !is_there || at.record < node.log.first() {
        return Err(missing());
    }
    let record = node.log.get(at.record)?;
    let index = usize::try_from(at.index).unwrap_or(usize::MAX);
    if !has_events(&record) || index >= record.items.len() {
        return Err(missing());
    }
    Ok((hits(node, view, &record, |of| of == at.index), 1, None))
}

/// Searches backwards.
fn search(
    node: &Node,
    view: &View,
    message_id: &str,
    before: Option<Position>,
    limit: usize,
) -> Result<Found, Problem> {
    let first = node.log.first().offset;
    let mut end = before.map_or(u64::MAX, |before| before.offset).min(node.log.end().offset);
    let (mut found, mut searched, mut bytes) = (Vec::new(), 0, 0);
    while end > first && searched < RECORDS && bytes < BYTES && found.len() < limit {
        let start = end.saturating_sub(STEP).max(first);
        let (mut records, mut next) = (Vec::new(), start);
        while next < end {
            for record in node.log.read(Position::embedded(next), READ_BYTES)? {
                next = record.position.next().offset;
                if record.position.offset < end && has_events(&record) {
                    bytes += record
                        .items
                        .iter()
                        .filter_map(|item| item.body())
                        .map(|body| body.len())
                        .sum::<usize>();
                    if may_have(&record, message_id) {
                        records.push(record);
                    }
                }
            }
        }
        let mut reached = start;
        for record in records.iter().rev() {
            // What one answer holds is bounded, however often an id was used.
            if found.len() >= limit {
                reached = record.position.next().offset;
                break;
            }
            let mut named = named(record, message_id);
            named.truncate(limit - found.len());
            found.extend(hits(node, view, record, |index| named.contains(&index)));
        }
        searched += end - reached;
        end = reached;
    }
    Ok((found, searched, (end > first).then(|| Position::embedded(end))))
}

/// Whether a record may have an event of that id, at a glance.
fn may_have(record: &Record, message_id: &str) -> bool {
    let is_derived = message_id.starts_with("selfsame-");
    is_derived
        || record.items.iter().filter_map(|item| item.body()).any(|body| {
            std::str::from_utf8(body)
                .is_ok_and(|text| text.contains(message_id) || text.contains('\\'))
        })
}

/// The events of a record that have that message id.
fn named(record: &Record, message_id: &str) -> Vec<u32> {
    let Ok(head) = EventsHead::decode(&record.head) else { return Vec::new() };
    let items = (0_u32..).zip(record.items.iter());
    let named = items.filter(|(index, item)| {
        let json = item.body().map(|body| EventJson::of(record, &head, *index, body));
        match json {
            Some(Ok(json)) => json.message_id == message_id,
            // What was set aside is not an event, but may say its id.
            Some(Err(_)) => {
                item.body().is_some_and(|body| raw_id(body).as_deref() == Some(message_id))
            }
            None => false,
        }
    });
    named.map(|(index, _)| index).collect()
}

fn raw_id(body: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    value.get("messageId")?.as_str().map(str::to_owned)
}

fn hits(node: &Node, view: &View, record: &Record, wanted: impl Fn(u32) -> bool) -> Vec<Hit> {
    let Ok(head) = EventsHead::decode(&record.head) else { return Vec::new() };
    let decisions = decisions(node, view, record);
    let all = (0_u32..).zip(&decisions).filter(|(index, _)| wanted(*index));
    let changes = caused(node, view, record);
    let hit = |(index, decision): (u32, &Option<_>)| Hit {
        at: record.position.item(index),
        shown: EventShown::of(view, record, &head, index, decision.as_ref()),
        kind: decision.as_ref().and_then(|decision| decision.kind),
        is_accepted: decision
            .as_ref()
            .is_some_and(|one| matches!(one.verdict, Verdict::Accepted(_))),
        changes: changes.iter().filter(|one| one.change.cause == Some(index)).cloned().collect(),
    };
    all.map(hit).collect()
}

/// What a record changed, as the outbox has it.
fn caused(node: &Node, view: &View, record: &Record) -> Vec<Numbered> {
    let is_folded = record.position.offset < view.meta.next;
    let rows = is_folded.then(|| node.outbox.get(record.position).ok()).flatten();
    rows.map(|rows| activation::changes(&rows).collect()).unwrap_or_default()
}

async fn changes(control: &Control, view: &View, hit: &Hit) -> Result<Vec<ChangeShown>, Problem> {
    let mut shown = Vec::with_capacity(hit.changes.len());
    for Numbered { first, change } in &hit.changes {
        let space = hit.shown.space.as_deref();
        let mut definitions = view.meta.workspace.definitions.iter();
        let definition = definitions
            .find(|one| one.number == change.definition && Some(one.space.as_str()) == space);
        let mut calls = Vec::new();
        let forms = if change.is_told { &Form::ALL[..] } else { &[] };
        for (index, form) in (*first..).zip(forms) {
            let topic = form.topic(change.definition);
            let at = hit.at.record.item(index);
            let delivery = Delivery { at, space, topic: Some(topic), event: None };
            let is_told = |destination: &Destination| {
                let id = connection_id(&destination.id);
                activation::wanted(&view.meta.workspace, &destination.space, id).contains(&topic)
            };
            let deliveries = deliveries(control, view, &delivery, is_told).await?;
            if !deliveries.is_empty() {
                let collection = definition.map_or(Collection::Users, |one| one.collection);
                let (r#type, position) = (form.call(collection).to_owned(), at.to_string());
                calls.push(CallShown { r#type, position, deliveries });
            }
        }
        let word = match change.what {
            What::Entered => "entered",
            What::Exited => "exited",
            What::Value(_) | What::Announced(_) => "value",
        };
        shown.push(ChangeShown {
            definition: definition
                .map_or_else(|| change.definition.to_string(), |one| one.id.clone()),
            change: word.to_owned(),
            value: RawValue::from_string(activation::value_of(&change.what).to_owned()).ok(),
            at: change.at.to_string(),
            profile_id: change.profile.to_string(),
            calls,
        });
    }
    Ok(shown)
}

async fn deliveries(
    control: &Control,
    view: &View,
    hit: &Delivery<'_>,
    is_shown: impl Fn(&Destination) -> bool,
) -> Result<Vec<DeliveryShown>, Problem> {
    let mut shown = Vec::new();
    let of_space = view.meta.workspace.destinations.iter();
    let of_space = of_space.filter(|one| Some(one.space.as_str()) == hit.space && is_shown(one));
    for destination in of_space {
        let Some(handle) = deliverer(control, view, destination) else { continue };
        let id = connection_id(&destination.id);
        let status = handle.status().into_iter().find(|status| status.id == id);
        let mut attempts = handle.attempts(hit.at).await?;
        attempts.retain(|row| row.connection == id);
        let after = before(hit.at);
        let page = handle.dead_letters(id, PageRequest { after, limit: 1 }).await;
        let missed = handle.dead_ranges(id).await;
        let is_dead =
            page.is_ok_and(|page| page.letters.iter().any(|letter| letter.effect.at == hit.at));
        // What happened to the event itself says more than its replays.
        let is_live = attempts.iter().any(|row| row.replay == 0);
        let last = telling(attempts.iter().filter(|row| !is_live || row.replay == 0));
        let is_missed = hit.topic.is_some_and(|topic| {
            missed.is_ok_and(|ranges| ranges.iter().any(|range| range.holds(hit.at, topic)))
        });
        let (state, sentence) = match is_missed && !is_dead {
            true => ("missed", "It is in a dead range, and can be sent again."),
            false => state(destination, status.as_ref(), hit, last, is_dead),
        };
        let (state, sentence) = match state == "none" && is_unwanted(control, destination, hit) {
            true => withheld(Withheld::Unmatched),
            false => (state, sentence),
        };
        shown.push(DeliveryShown {
            destination: destination.id.clone(),
            name: destination.name.clone(),
            state: state.to_owned(),
            sentence: sentence.to_owned(),
            attempts: attempts
                .iter()
                .map(|row| attempt(destination, &row.attempt, row.replay))
                .collect(),
        });
    }
    Ok(shown)
}

/// The attempt that says how it is: of several actions the one that waits, else one that was delivered.
fn telling<'r>(rows: impl DoubleEndedIterator<Item = &'r TraceRow> + Clone) -> Option<&'r Attempt> {
    let attempts = rows.map(|row| &row.attempt);
    let last = attempts.clone().next_back()?;
    if last.action.is_none() {
        return Some(last);
    }
    let newest = attempts.clone().map(|attempt| attempt.number).max()?;
    let newest = || attempts.clone().filter(|one| one.number == newest);
    let waits = |one: &&Attempt| matches!(one.outcome, Outcome::Failed { .. });
    let is_delivered = |one: &&Attempt| matches!(one.outcome, Outcome::Delivered { .. });
    newest().rfind(waits).or_else(|| newest().rfind(is_delivered)).or_else(|| newest().next_back())
}

/// The last place before an event.
fn before(at: ItemPosition) -> Option<ItemPosition> {
    match at.index.checked_sub(1) {
        Some(index) => Some(at.record.item(index)),
        None => Some(Position::embedded(at.record.offset.checked_sub(1)?).item(u32::MAX)),
    }
}

fn state(
    destination: &Destination,
    status: Option<&ConnectionStatus>,
    hit: &Delivery<'_>,
    last: Option<&Attempt>,
    is_dead: bool,
) -> (&'static str, &'static str) {
    if is_dead {
        return ("dead", "Given up; it is in the list of dead letters and can be sent again.");
    }
    match last.map(|attempt| attempt.outcome) {
        Some(Outcome::Delivered { .. }) => return ("delivered", "The receiver took it."),
        Some(Outcome::Withheld(reason)) => return withheld(reason),
        Some(_) => return ("waiting", "The last attempt failed; it will be tried again."),
        None => {}
    }
    let event = hit.topic.filter(|topic| topic.subject.is_none());
    let kind = event.map(|topic| EventType::from_code(topic.kind.0).map_or("", EventType::name));
    let is_wanted = |kind: &str| destination.events.iter().any(|name| name == kind);
    if !destination.events.is_empty() && kind.is_some_and(|kind| !is_wanted(kind)) {
        return ("filtered", "The destination does not want events of this type.");
    }
    match status {
        None => ("pending", "Deliveries to this destination have not begun yet."),
        Some(_) if !destination.enabled => ("pending", "The destination is switched off."),
        Some(status) if hit.at >= status.cursor => ("pending", "It was not sent yet."),
        Some(status)
            if status.pending > status.replayed.pending && hit.at >= status.needed_from =>
        {
            ("waiting", "It was not sent yet, or waits behind another event of its profile.")
        }
        Some(_) => {
            ("none", "It is older than the destination, or its attempts are no longer kept.")
        }
    }
}

fn withheld(reason: Withheld) -> (&'static str, &'static str) {
    match reason {
        Withheld::Erased | Withheld::Suppressed => ("withheld", "It may not be sent any more."),
        Withheld::Superseded => ("superseded", "A newer change came before it was sent."),
        Withheld::Unchanged => ("withheld", "Everybody whom it would tell knows it already."),
        Withheld::Nobody => ("withheld", "Its profile is not there any more."),
        Withheld::Unwanted => ("withheld", "The destination is not told of it any more."),
        Withheld::Unmatched => ("filtered", "No mapping of the destination wants it."),
        Withheld::Skipped => ("filtered", "Its mapping found nothing to send."),
        Withheld::Cancelled => ("withheld", "The replay that it was part of was ended."),
        Withheld::Excluded => ("filtered", "Its `integrations` leave the destination out."),
        Withheld::Unnamed => {
            ("withheld", "The profile has none of the identifiers that the destination is told by.")
        }
    }
}

/// The name of the mapping that an action is known by.
pub(super) fn mapping_name(destination: &Destination, number: u8) -> String {
    let mappings = destination.tool.as_ref().map_or(&[][..], |tool| &tool.mappings);
    let mapping = mappings.iter().find(|one| one.number == number);
    mapping.map_or_else(|| format!("mapping {number}, removed"), |one| one.name.clone())
}

/// Bytes of an answer that lists show.
pub(crate) const NOTE_BYTES: usize = 1_024;

pub(super) fn attempt(destination: &Destination, attempt: &Attempt, replay: u32) -> AttemptShown {
    let (outcome, status) = match attempt.outcome {
        Outcome::Delivered { status } => ("delivered", Some(status)),
        Outcome::Failed { failure, status, .. } => (failure.label(), status),
        Outcome::Withheld(reason) => (reason.label(), None),
        Outcome::Postponed => ("postponed", None),
    };
    AttemptShown {
        number: attempt.number,
        action: attempt.action.map(|number| mapping_name(destination, number)),
        started: attempt.started.to_string(),
        took_ms: attempt.took_ms,
        outcome: outcome.to_owned(),
        status,
        note: brief(&attempt.note, NOTE_BYTES),
        replay: Some(replay).filter(|number| *number > 0),
    }
}
