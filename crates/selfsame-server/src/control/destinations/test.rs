//! A test event, sent once and not counted.

use std::time::Duration;

use bytes::Bytes;
use selfsame_connector::{Rehearsal, Said};
use selfsame_deliver::{Carried, Job, Outcome, Withheld, webhook};
use selfsame_event::EventType;
use selfsame_functions::Input;
use selfsame_pipeline::event_json::Object;
use selfsame_pipeline::workspace::{Destination, FunctionPlace, Tool};
use serde_json::Value;

use super::super::Control;
use super::super::asked::Asked;
use super::super::problem::{Code, Problem};
use super::super::shape::shape;
use super::super::trace::NOTE_BYTES;
use super::find;
use crate::chance;
use crate::destination::{connection, connection_id};
use crate::function::{FUNCTION, sentence};
use crate::node::Node;
use crate::printable::brief;

/// How long the receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

shape! {
    /// What a test event was answered.
    pub(crate) struct TestResult {
        /// Whether the receiver took it.
        delivered: bool,
        /// `delivered`, or why not.
        outcome: String,
        /// The status, where there was an answer.
        status: Option<u16>,
        /// How long it took.
        took_ms: u64,
        /// The `webhook-id` that was sent.
        webhook_id: String,
        /// The beginning of the answer, control characters escaped.
        answer: String,
        /// At a destination of the catalogue: what each mapping that wants the event sent, without secrets.
        sent: Vec<SentShown>,
    }

    /// A request of a test event.
    pub(crate) struct SentShown {
        /// The mapping; empty where only the settings were looked at.
        mapping: String,
        /// What was sent, without secrets.
        request: Value,
        /// What was answered.
        answer: Value,
    }
}

/// `POST /api/destinations/{id}/test`
pub(crate) async fn test(control: Control, asked: Asked) -> Result<TestResult, Problem> {
    let view = control.view()?;
    let destination = find(&view, asked.id())?;
    let key = webhook::key(&chance::bytes(), connection_id(&destination.id));
    let body = event(&control, destination, &key);
    match &destination.tool {
        Some(tool) => through(&control, (destination, tool), key, &body).await,
        None if destination.kind == FUNCTION => {
            by_function(&control, destination, key, &body).await
        }
        None => hook(&control, destination, key, body).await,
    }
}

/// The test event.
fn event(control: &Control, destination: &Destination, key: &str) -> Bytes {
    let now = control.node.clock.wall();
    let mut event = Object::new();
    event.text("type", EventType::Track.name());
    event.text("event", "Selfsame Test");
    event.text("messageId", key);
    event.text("anonymousId", "selfsame-test");
    event.raw("properties", r#"{"test":true}"#);
    event.raw("context", "{}");
    event.text("receivedAt", &now.to_string());
    event.text("timestamp", &now.to_string());
    event.text("spaceId", &destination.space);
    Bytes::from(event.finish())
}

/// Calls the function that the destination is.
async fn by_function(
    control: &Control,
    destination: &Destination,
    webhook_id: String,
    body: &Bytes,
) -> Result<TestResult, Problem> {
    let place = FunctionPlace::Destination(destination.id.clone());
    let input = Input::Event(String::from_utf8_lossy(body).into_owned());
    let called = control.node.functions.call(&place, input).await;
    let report = called.map_err(|_| {
        let message = "The destination has no function, or its secrets cannot be opened.";
        Problem::new(Code::Conflict, message)
    })?;
    let fault = report.result.as_ref().err();
    Ok(TestResult {
        delivered: fault.is_none(),
        outcome: fault.map_or("delivered", |fault| fault.kind.label()).to_owned(),
        status: report.requests.last().and_then(|request| request.status),
        took_ms: u64::try_from(report.wall.as_millis()).unwrap_or(u64::MAX),
        webhook_id,
        answer: fault.map(sentence).unwrap_or_default(),
        sent: Vec::new(),
    })
}

async fn hook(
    control: &Control,
    destination: &Destination,
    webhook_id: String,
    body: Bytes,
) -> Result<TestResult, Problem> {
    let node = &control.node;
    let connection = connection(destination, &node.vault, node.allow_loopback());
    let mut connection = connection.map_err(|why| {
        Problem::new(
            Code::Conflict,
            format!("The secret of the destination cannot be opened: {why}."),
        )
    })?;
    connection.timeout = PATIENCE;
    let now = node.clock.wall();
    let request = webhook::request(&node.outbound, &connection, &webhook_id, body, now)
        .map_err(|error| Problem::new(Code::UrlRefused, format!("{error}.")).at("url"))?;
    let started = node.clock.monotonic_micros();
    let answered = node.outbound.post(request, now).await;
    let took_ms = (node.clock.monotonic_micros() - started) / 1_000;
    let (outcome, status, body) = match answered {
        Ok(answer) => (
            Outcome::of_status(answer.status, answer.retry_after),
            Some(answer.status),
            answer.body,
        ),
        Err(failure) => (Outcome::failed(failure), None, Bytes::new()),
    };
    Ok(TestResult {
        delivered: matches!(outcome, Outcome::Delivered { .. }),
        outcome: outcome.label().to_owned(),
        status,
        took_ms,
        webhook_id,
        answer: brief(&webhook::note(&body), NOTE_BYTES),
        sent: Vec::new(),
    })
}

/// A test, for a connector.
pub(super) fn job<'j>(node: &'j Node, key: &'j str) -> Job<'j> {
    Job {
        key,
        outbound: &node.outbound,
        allow_loopback: node.allow_loopback(),
        timeout: PATIENCE,
        clock: &*node.clock,
    }
}

/// Through the mappings of a destination of the catalogue that want the event.
async fn through(
    control: &Control,
    (destination, tool): (&Destination, &Tool),
    webhook_id: String,
    body: &Bytes,
) -> Result<TestResult, Problem> {
    let node = &control.node;
    let connector = node.connectors.connector(destination, tool, &node.vault)?;
    let event: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let started = node.clock.monotonic_micros();
    let mut sent = Vec::new();
    let mut shown = |rehearsal: Rehearsal, mapping: &str| {
        let shown = |said: Said| {
            let (mapping, request, answer) = (mapping.to_owned(), said.request, said.answer);
            SentShown { mapping, request, answer }
        };
        sent.extend(rehearsal.said.into_iter().map(shown));
        rehearsal.carried
    };
    let is_good = |carried: &Carried| matches!(carried.outcome, Outcome::Delivered { .. });
    // Settings that are not good are said to be so, whatever the event.
    let checked = connector.check(job(node, &webhook_id)).await.map(|checked| shown(checked, ""));
    let refused = checked.filter(|checked| !is_good(checked));
    let wanted = if refused.is_some() { Vec::new() } else { connector.wants(&event) };
    let unmatched = Carried::quiet(Outcome::Withheld(Withheld::Unmatched));
    let mut carried = refused.unwrap_or(unmatched);
    for number in wanted {
        let key = format!("{webhook_id}.{number}");
        let Some(rehearsal) = connector.rehearse(&event, number, job(node, &key)).await else {
            continue;
        };
        let mapping = tool.mappings.iter().find(|one| one.number == number);
        carried = shown(rehearsal, mapping.map_or("", |one| one.name.as_str()));
        if !is_good(&carried) {
            break;
        }
    }
    let status = match carried.outcome {
        Outcome::Delivered { status } => Some(status),
        Outcome::Failed { status, .. } => status,
        Outcome::Withheld(_) | Outcome::Postponed => None,
    };
    let outcome = match carried.outcome {
        Outcome::Withheld(reason) => reason.label(),
        outcome => outcome.label(),
    };
    Ok(TestResult {
        delivered: matches!(carried.outcome, Outcome::Delivered { .. }),
        outcome: outcome.to_owned(),
        status,
        took_ms: (node.clock.monotonic_micros() - started) / 1_000,
        webhook_id,
        answer: carried.note,
        sent,
    })
}
