//! An event as lists, traces and the tail show it: what was said, and what was decided.

use selfsame_event::{EventsHead, ItemPosition, RecordKind};
use selfsame_log::{LogRead as _, Record};
use selfsame_pipeline::decision::{Accepted, Decision, Note, Verdict};
use selfsame_pipeline::event_json::EventJson;
use selfsame_pipeline::{InSpace, View};
use serde_json::value::RawValue;

use super::shape::shape;
use crate::node::Node;

shape! {
    /// An event, and what was decided about it.
    pub(crate) struct EventShown {
        /// Where it is in the log.
        position: String,
        /// Its message id, its own or the one derived from its record.
        message_id: Option<String>,
        /// Its type.
        r#type: Option<String>,
        /// Its name, of a track call.
        name: Option<String>,
        /// When it was received.
        received_at: String,
        /// The source that it came by.
        source: String,
        /// ipv4 or ipv6: what kind of address it came from, where that is kept.
        ip_family: Option<String>,
        /// Whether a file was imported.
        imported: bool,
        /// `accepted`, `duplicate`, `different_content`, `rejected`, `no_identifier`, `skipped`, `erased`, `pending` or `unknown`.
        verdict: String,
        /// What the verdict means.
        sentence: String,
        /// Why it was rejected.
        code: Option<String>,
        /// Where the first event of that message id is.
        first: Option<String>,
        /// The space that it was folded in.
        space: Option<String>,
        /// The profile that it was folded in.
        profile_id: Option<String>,
        /// The account, of a group call.
        account_id: Option<String>,
        /// The type of the most trusted identifier on it.
        anchor_type: Option<String>,
        /// What else happened.
        notes: Vec<NoteShown>,
        /// The event; null where it was erased or is not one.
        event: Option<Box<RawValue>>,
        /// The bytes of an item that is not an event, as text.
        raw: Option<String>,
    }

    /// One thing that happened to an event's identifiers or traits.
    pub(crate) struct NoteShown {
        /// What.
        sentence: String,
        /// Whether something was limited or blocked.
        violation: bool,
        /// The identifier's type, where there is one.
        identifier: String,
        /// The value.
        value: String,
    }
}

/// What an event is called, where it can be read.
#[derive(Debug, Default)]
pub(super) struct EventName {
    pub(super) message_id: Option<String>,
    pub(super) event: Option<String>,
}

impl EventName {
    /// Reads it from the log. What is gone has no name.
    pub(super) fn read(node: &Node, at: ItemPosition) -> Self {
        let Ok(record) = node.log.get(at.record) else { return Self::default() };
        let Ok(head) = EventsHead::decode(&record.head) else { return Self::default() };
        let index = usize::try_from(at.index).unwrap_or(usize::MAX);
        let body = record.items.get(index).and_then(|item| item.body());
        let json = body.and_then(|body| EventJson::of(&record, &head, at.index, body).ok());
        json.map_or_else(Self::default, |json| Self {
            message_id: Some(json.message_id.to_string()),
            event: json.event.event.as_deref().map(str::to_owned),
        })
    }
}

/// The decisions about a record's events, from the outbox; none where it is not folded yet, or the
/// outbox does not have it any more.
pub(super) fn decisions(node: &Node, view: &View, record: &Record) -> Vec<Option<Decision>> {
    let is_folded = record.position.offset < view.meta.next;
    let rows = is_folded.then(|| node.outbox.get(record.position).ok()).flatten();
    let rows = rows.map(|rows| rows.items);
    (0..record.items.len())
        .map(|index| Decision::decode(rows.as_ref()?.get(index)?.body()?))
        .collect()
}

/// Whether a record has events.
pub(super) fn has_events(record: &Record) -> bool {
    let kind = RecordKind::from_code(record.kind);
    matches!(kind, Some(RecordKind::Events | RecordKind::Rejected))
}

impl EventShown {
    /// An event of a record, and the decision about it.
    pub(super) fn of(
        view: &View,
        record: &Record,
        head: &EventsHead,
        index: u32,
        decision: Option<&Decision>,
    ) -> Self {
        let item = usize::try_from(index).ok().and_then(|index| record.items.get(index));
        let body = item.and_then(|item| item.body());
        let json = body.and_then(|body| EventJson::of(record, head, index, body).ok());
        let is_events = RecordKind::from_code(record.kind) == Some(RecordKind::Events);
        let json = json.filter(|_| is_events);
        let raw = match &json {
            None => body.map(|body| String::from_utf8_lossy(body).into_owned()),
            Some(_) => None,
        };
        let family = |ip: &String| if ip.contains(':') { "ipv6" } else { "ipv4" }.to_owned();
        let mut shown = Self {
            position: record.position.item(index).to_string(),
            message_id: json.as_ref().map(|json| json.message_id.to_string()),
            r#type: json.as_ref().map(|json| json.event.kind.name().to_owned()),
            name: json.as_ref().and_then(|json| Some(json.event.event.as_deref()?.to_owned())),
            received_at: record.time.to_string(),
            source: view
                .meta
                .workspace
                .source(head.source)
                .map_or_else(String::new, |one| one.id.clone()),
            ip_family: head.ip.as_ref().map(family),
            imported: head.import.is_some(),
            verdict: "pending".to_owned(),
            sentence: "Durable, and not folded yet.".to_owned(),
            code: None,
            first: None,
            space: None,
            profile_id: None,
            account_id: None,
            anchor_type: None,
            notes: Vec::new(),
            event: json.and_then(|json| RawValue::from_string(json.with(&[])).ok()),
            raw,
        };
        match decision {
            Some(decision) => shown.decide(view, &decision.verdict),
            None if record.position.offset < view.meta.next => {
                "unknown".clone_into(&mut shown.verdict);
                "Folded; what was decided is no longer kept.".clone_into(&mut shown.sentence);
            }
            None => {}
        }
        shown
    }

    fn decide(&mut self, view: &View, verdict: &Verdict) {
        let (word, sentence) = match verdict {
            Verdict::Accepted(_) => ("accepted", "Folded into a profile."),
            Verdict::Duplicate { .. } => ("duplicate", "The same event was there before."),
            Verdict::Changed { .. } => (
                "different_content",
                "Another event with the same message id was there before; this one is kept and not folded.",
            ),
            Verdict::Refused(refusal) => ("rejected", refusal.sentence()),
            Verdict::Unattached { .. } => {
                ("no_identifier", "Kept, but no identifier of it may identify anybody.")
            }
            Verdict::Skipped => ("skipped", "Its record could not be folded and was passed over."),
            Verdict::Erased => ("erased", "Its body was erased before it was folded again."),
        };
        word.clone_into(&mut self.verdict);
        sentence.clone_into(&mut self.sentence);
        match verdict {
            Verdict::Accepted(accepted) => self.accept(view, accepted),
            Verdict::Duplicate { first } | Verdict::Changed { first } => {
                self.first = Some(first.to_string());
            }
            Verdict::Refused(refusal) => self.code = Some(refusal.code().to_owned()),
            Verdict::Unattached { space, notes } => {
                self.space = space_id(view, *space);
                self.notes = notes.iter().map(note).collect();
            }
            Verdict::Skipped | Verdict::Erased => {}
        }
    }

    fn accept(&mut self, view: &View, accepted: &Accepted) {
        let key = InSpace { space: accepted.space, key: accepted.anchor };
        let number = view.tables.identifiers.read(&key, |owner| owner.row().number);
        let slot = usize::try_from(accepted.space).unwrap_or(usize::MAX);
        let numbers = view.meta.spaces.get(slot).map(|space| &space.numbers);
        self.anchor_type = number
            .ok()
            .flatten()
            .and_then(|number| numbers?.name(number).map(|(_, name)| name.to_owned()));
        self.space = space_id(view, accepted.space);
        self.profile_id = Some(accepted.profile.to_string());
        self.account_id = accepted.account.map(|account| account.to_string());
        self.notes = accepted.notes.iter().map(note).collect();
    }
}

fn space_id(view: &View, number: u32) -> Option<String> {
    let spaces = &view.meta.workspace.spaces;
    spaces.iter().find(|space| space.number == number).map(|space| space.id.clone())
}

fn note(note: &Note) -> NoteShown {
    NoteShown {
        sentence: note.kind.sentence().to_owned(),
        violation: note.kind.is_violation(),
        identifier: note.identifier.to_string(),
        value: note.value.to_string(),
    }
}
