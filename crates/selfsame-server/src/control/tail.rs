//! Events as they are decided, as server-sent events.
//!
//! ```text
//! event: event      data: {the event and its verdict}      id: its position
//! event: dropped    data: {"records": n}                   the client was too slow for these
//! event: live       data: {numbers of the node}            each second, with `live=true`
//! : alive                                                  every 15 seconds without an event
//! ```
//!
//! A client holds up nobody: what it has not read stays in the log, and where it is too far behind
//! records are passed over, which it is told. One that comes back says which event it had last.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use selfsame_event::{EventType, EventsHead, ItemPosition, Position, ProfileId};
use selfsame_log::LogRead as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::Control;
use super::asked::{Asked, item};
use super::decided::{EventShown, decisions, has_events};
use super::problem::{Code, Problem};
use super::shape::{Shape, Shapes};
use super::sources;
use super::stream::{begin, event_stream};
use super::table::Answer;
use crate::node::Node;

/// What browsers send when they come back.
pub(super) const RESUME: &str = "last-event-id";
/// Events that wait for one client.
const BUFFER: usize = 64;
/// How many records a client may be behind.
const BEHIND: u64 = 1_000;
const READ_BYTES: usize = 256 << 10;
const ALIVE: Duration = Duration::from_secs(15);

/// A stream of events.
pub(crate) struct Tail(Response);

impl Answer for Tail {
    const MEDIA: &'static str = "text/event-stream";

    fn describe(all: &mut Shapes) -> Value {
        EventShown::schema(all)
    }

    fn answer(self, _: u16) -> Result<Response, Problem> {
        Ok(self.0)
    }
}

/// Which events a client wants.
#[derive(Debug, Default)]
struct Filter {
    source: Option<String>,
    kind: Option<String>,
    name: Option<String>,
    profile: Option<String>,
}

impl Filter {
    fn read(control: &Control, asked: &Asked) -> Result<Self, Problem> {
        let text = |name| asked.get(name).map(str::to_owned);
        let filter = Self {
            source: text("source"),
            kind: text("type"),
            name: text("event"),
            profile: text("profile"),
        };
        if let Some(source) = &filter.source {
            sources::find(&control.view()?, source)?;
        }
        if let Some(kind) = filter.kind.as_ref().filter(|kind| EventType::from_name(kind).is_none())
        {
            let known = EventType::ALL.map(EventType::name).join(", ");
            return Err(Problem::field("type", format!("`type`: `{kind}` is none of {known}.")));
        }
        if filter.profile.as_ref().is_some_and(|id| ProfileId::parse(id).is_none()) {
            return Err(Problem::field("profile", "`profile` is the id of a profile."));
        }
        Ok(filter)
    }

    fn accepts(&self, event: &EventShown) -> bool {
        let same = |wanted: &Option<String>, is: Option<&String>| {
            wanted.is_none() || wanted.as_ref() == is
        };
        same(&self.source, Some(&event.source))
            && same(&self.kind, event.r#type.as_ref())
            && same(&self.name, event.name.as_ref())
            && same(&self.profile, event.profile_id.as_ref())
    }
}

/// `GET /api/tail`
pub(crate) async fn follow(control: Control, asked: Asked) -> Result<Tail, Problem> {
    let filter = Filter::read(&control, &asked)?;
    let permit = Arc::clone(&control.tails).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::new(Code::Busy, "Too many clients follow events."))?;
    let (sender, receiver) = mpsc::channel(BUFFER);
    let (node, tasks) = (Arc::clone(&control.node), control.tasks.clone());
    let after = asked.header(RESUME).map(last_event).transpose()?;
    let folded = node.shared.folded();
    let from = Place { next: after.map_or(folded, |after| after.record.min(folded)), after };
    match asked.get("live") {
        None | Some("false") => {}
        Some("true") => begin(&control, sender.clone()),
        Some(_) => return Err(Problem::field("live", "`live` is true or false.")),
    }
    control.tasks.spawn("tail", async move {
        let _permit = permit;
        tokio::select! {
            _ = send(node, Arc::new(filter), from, sender) => Ok(()),
            () = tasks.stopping() => Ok(()),
        }
    });
    Ok(Tail(event_stream(receiver)))
}

/// The event that a client had last.
fn last_event(text: &str) -> Result<ItemPosition, Problem> {
    let event = item(text).filter(|event| event.record.partition == 0);
    event.ok_or_else(|| {
        Problem::field(RESUME, "`Last-Event-ID` is the position of an event, such as 0-17.3.")
    })
}

/// Where a client goes on.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// At this record.
    next: Position,
    /// Behind this event.
    after: Option<ItemPosition>,
}

/// The client has gone.
#[derive(Debug)]
struct Gone;

async fn send(
    node: Arc<Node>,
    filter: Arc<Filter>,
    Place { mut next, after }: Place,
    sender: mpsc::Sender<Bytes>,
) -> Result<(), Gone> {
    let mut folded = node.shared.subscribe();
    say(&sender, format!(": following from {next}\n\n")).await?;
    loop {
        let end = *folded.borrow_and_update();
        if next.offset >= end {
            tokio::select! {
                changed = folded.changed() => changed.map_err(|_| Gone)?,
                () = sender.closed() => return Err(Gone),
                () = tokio::time::sleep(ALIVE) => say(&sender, ": alive\n\n".to_owned()).await?,
            }
            continue;
        }
        let dropped = behind(next.offset, end, node.log.first().offset);
        if dropped > 0 {
            next = Position::embedded(next.offset + dropped);
            let data = json!({ "records": dropped });
            say(&sender, format!("event: dropped\ndata: {data}\n\n")).await?;
        }
        let (reading, wanted) = (Arc::clone(&node), Arc::clone(&filter));
        let read = tokio::task::spawn_blocking(move || {
            page(&reading, &wanted, Place { next, after }, end)
        });
        let (events, after) = read.await.map_err(|_| Gone)?.map_err(|_| Gone)?;
        next = after;
        for event in events {
            say(&sender, event).await?;
        }
    }
}

/// How many records are passed over.
fn behind(next: u64, end: u64, first: u64) -> u64 {
    let from = next.max(end.saturating_sub(BEHIND)).max(first);
    from.saturating_sub(next)
}

async fn say(sender: &mpsc::Sender<Bytes>, text: String) -> Result<(), Gone> {
    sender.send(text.into()).await.map_err(|_| Gone)
}

/// Some wanted events, ready to be sent, and where to go on.
fn page(
    node: &Node,
    filter: &Filter,
    Place { next: from, after }: Place,
    end: u64,
) -> Result<(Vec<String>, Position), Problem> {
    let view = node.view().ok_or_else(Problem::opening)?;
    let (mut events, mut next) = (Vec::new(), from);
    for record in node.log.read(from, READ_BYTES)? {
        if record.position.offset >= end {
            break;
        }
        next = record.position.next();
        if !has_events(&record) {
            continue;
        }
        let Ok(head) = EventsHead::decode(&record.head) else { continue };
        for (index, decision) in (0_u32..).zip(decisions(node, &view, &record)) {
            if after.is_some_and(|after| record.position.item(index) <= after) {
                continue;
            }
            let shown = EventShown::of(&view, &record, &head, index, decision.as_ref());
            if filter.accepts(&shown) {
                // White space between the parts of what was sent may be line breaks.
                let data = serde_json::to_string(&shown).unwrap_or_default();
                let data = data.replace(['\n', '\r'], " ");
                events.push(format!("event: event\nid: {}\ndata: {data}\n\n", shown.position));
            }
        }
    }
    Ok((events, next))
}

#[cfg(test)]
mod tests;
