//! Sorts a range of the log into good and bad, by the decisions of the outbox.

use std::ops::Range;

use selfsame_event::{EventsHead, Position, RecordKind};
use selfsame_log::{LogRead, ReadError, Record};
use selfsame_pipeline::decision::{Decision, NoteKind, Verdict};
use selfsame_pipeline::event_json::EventJson;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{SHOWN, Wanted};
use crate::node::Node;

const READ_BYTES: usize = 1 << 20;

/// What a range of the log holds.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// How many good events match.
    pub(super) good: u64,
    /// How many bad ones match.
    pub(super) bad: u64,
    pub(super) duplicates: u64,
    /// The first of both, as JSON.
    pub(super) good_events: Vec<Value>,
    pub(super) bad_events: Vec<Value>,
}

/// Why a range of the log could not be sorted.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    #[error("the log could not be read: {0}")]
    Read(#[from] ReadError),
    #[error("the record at {0} is damaged")]
    Record(Position),
}

/// Sorts what is in the range.
pub(super) fn scan(
    node: &Node,
    range: Range<Position>,
    wanted: &Wanted,
) -> Result<Report, ScanError> {
    let mut report = Report::default();
    let mut at = range.start;
    while at < range.end {
        for decided in node.outbox.read(at, READ_BYTES)? {
            if decided.position >= range.end {
                return Ok(report);
            }
            at = decided.position.next();
            if !decided.items.is_empty() {
                let record = node.log.get(decided.position)?;
                // Another record has effects only.
                let kind = RecordKind::from_code(record.kind);
                if matches!(kind, Some(RecordKind::Events | RecordKind::Rejected)) {
                    report.add(&record, &decided, wanted)?;
                }
            }
        }
    }
    Ok(report)
}

impl Report {
    fn add(&mut self, record: &Record, decided: &Record, wanted: &Wanted) -> Result<(), ScanError> {
        let damaged = || ScanError::Record(record.position);
        let head = EventsHead::decode(&record.head).map_err(|_| damaged())?;
        for (index, (item, row)) in (0_u32..).zip(record.items.iter().zip(decided.items.iter())) {
            let row = row.body().ok_or_else(damaged)?;
            let decision = Decision::decode(row).ok_or_else(damaged)?;
            let Some(body) = item.body() else { continue };
            let event = EventJson::of(record, &head, index, body).ok();
            if !wanted.matches(event.as_ref(), body) {
                continue;
            }
            match &decision.verdict {
                Verdict::Duplicate { .. } => self.duplicates += 1,
                Verdict::Accepted(accepted) => {
                    self.good += 1;
                    if self.good_events.len() < wanted.limit() {
                        let profile = accepted.profile.to_string();
                        let shown = event.map(|event| event.with(&[("profileId", &profile)]));
                        self.good_events.extend(shown.map(|text| value(text.as_bytes())));
                    }
                }
                Verdict::Erased => {}
                verdict => {
                    self.bad += 1;
                    if self.bad_events.len() < wanted.limit() {
                        let shown = bad(verdict, body, &record.time.to_string());
                        self.bad_events.push(shown);
                    }
                }
            }
        }
        Ok(())
    }
}

fn bad(verdict: &Verdict, body: &[u8], received_at: &str) -> Value {
    let (code, reason) = match verdict {
        Verdict::Refused(refusal) => (refusal.code(), refusal.sentence().to_owned()),
        Verdict::Unattached { notes, .. } => {
            let notes = notes.iter().map(|note| match note.kind {
                NoteKind::NoIdentifier => note.kind.sentence().to_owned(),
                kind => format!("{}: {} `{}`", kind.sentence(), note.identifier, note.value),
            });
            ("no_identifier", notes.collect::<Vec<_>>().join("; "))
        }
        Verdict::Changed { .. } => (
            "changed",
            "An event with the same `messageId` and other content was there before.".to_owned(),
        ),
        Verdict::Skipped => {
            ("skipped", "The event could not be folded and was passed over.".to_owned())
        }
        Verdict::Accepted(_) | Verdict::Duplicate { .. } | Verdict::Erased => {
            ("good", String::new())
        }
    };
    json!({
        "verdict": verdict.label(),
        "code": code,
        "reason": reason,
        "received_at": received_at,
        "event": value(body),
    })
}

/// The JSON of a text; the text itself where it is none.
fn value(text: &[u8]) -> Value {
    serde_json::from_slice::<Box<RawValue>>(text)
        .and_then(serde_json::to_value)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(text).into_owned()))
}

impl Wanted {
    fn limit(&self) -> usize {
        self.limit.unwrap_or(SHOWN)
    }

    /// Whether an event is asked for. One that could not be read is judged by what it says.
    fn matches(&self, event: Option<&EventJson<'_>>, body: &[u8]) -> bool {
        if self.r#type.is_none() && self.event.is_none() {
            return true;
        }
        let (kind, name) = match event {
            Some(event) => {
                let event = &event.event;
                let name = event.event.as_deref().or(event.name.as_deref());
                (Some(event.kind.name().to_owned()), name.map(str::to_owned))
            }
            None => {
                let body = value(body);
                let text = |key: &str| Some(body.get(key)?.as_str()?.to_owned());
                (text("type"), text("event").or_else(|| text("name")))
            }
        };
        let is =
            |wanted: &Option<String>, found: Option<String>| wanted.is_none() || *wanted == found;
        is(&self.r#type, kind) && is(&self.event, name)
    }
}
