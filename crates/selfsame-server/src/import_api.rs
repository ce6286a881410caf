//! Imports: lines of files whose events count once, however often they are sent.
//!
//! ```text
//! GET  /api/import/{file}                            -> {"next_line": N}
//! POST /api/import?file=…&first_line=N[&type=…]      body: lines N, N+1, … each one JSON event
//! ```
//!
//! Both need a bearer token, and the write key of the source in `x-selfsame-write-key`.
//!
//! **Invariants:** lines of one file are appended in their order and each record only behind the
//! acknowledgement of the one before, so a line that is in the log has every line before it there
//! too; the fold passes over lines below the one that it knows of the file. So a file may be sent
//! again from any line at or below `next_line`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use selfsame_collect::{Envelope, Lookup, Shape, SourceSettings, Sources};
use selfsame_event::{
    EventType, EventsHead, ImportOrigin, Position, Raw, RecordKind, Refusal, Time, limits,
};
use selfsame_log::{Item, Log, LogRead, NewRecord};
use selfsame_pipeline::decision::{Decision, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::chance;
use crate::node::Node;
use crate::tokens::Tokens;

/// Largest body of one request.
pub(crate) const BODY_BYTES: usize = 8 << 20;
/// The header that names the source.
pub(crate) const KEY_HEADER: &str = "x-selfsame-write-key";
/// A record has at most so many events and about so many bytes: reading one event reads its record.
const RECORD_EVENTS: usize = 500;
const RECORD_BYTES: usize = 256 << 10;

#[derive(Clone)]
struct Imports {
    node: Arc<Node>,
    tokens: Tokens,
}

/// `/api/import`.
pub(crate) fn router(node: &Arc<Node>, tokens: &Tokens) -> Router {
    let imports = Imports { node: Arc::clone(node), tokens: tokens.clone() };
    Router::new()
        .route("/api/import", post(take).layer(DefaultBodyLimit::max(BODY_BYTES)))
        .route("/api/import/{file}", get(progress))
        .with_state(imports)
}

/// An error of these routes.
struct Failure(StatusCode, &'static str, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
    }
}

fn invalid(message: &str) -> Failure {
    Failure(StatusCode::BAD_REQUEST, "validation_error", message.to_owned())
}

fn stopped() -> Failure {
    let message = "The engine has stopped; what was accepted is safe.".to_owned();
    Failure(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
}

impl Imports {
    /// The source that is imported into.
    fn source(&self, headers: &HeaderMap) -> Result<SourceSettings, Failure> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let token = text("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if !token.is_some_and(|token| self.tokens.allows(token)) {
            let message = "A valid API token is needed as bearer token.".to_owned();
            return Err(Failure(StatusCode::UNAUTHORIZED, "authentication_error", message));
        }
        let key = text(KEY_HEADER).unwrap_or_default();
        match self.node.keys.by_key(key) {
            Lookup::Active(source) => Ok(source),
            Lookup::Revoked => Err(Failure(
                StatusCode::FORBIDDEN,
                "revoked_write_key",
                "This write key was revoked.".to_owned(),
            )),
            Lookup::Unknown => Err(Failure(
                StatusCode::FORBIDDEN,
                "unknown_write_key",
                "No source has this write key.".to_owned(),
            )),
        }
    }
}

/// The digest that the log knows the file by: the same file may be imported into several sources.
fn origin(file: &str, source: SourceSettings) -> Result<[u8; 16], Failure> {
    let is_digest = file.len() == 32 && file.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digest {
        return Err(invalid("`file` must be a digest of 32 hexadecimal digits."));
    }
    let mut hash = Sha256::new();
    hash.update(file.to_ascii_lowercase());
    hash.update(source.number.0.to_le_bytes());
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    Ok(digest)
}

async fn progress(
    State(imports): State<Imports>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let source = imports.source(&headers)?;
    let digest = origin(&file, source)?;
    // Lines may be in the log that are not folded yet.
    if !imports.node.folded(imports.node.log.end()).await {
        return Err(stopped());
    }
    let view = imports.node.view().ok_or_else(stopped)?;
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let next = view.meta.imports.get(&name).copied().unwrap_or(1);
    Ok(Json(json!({ "next_line": next })).into_response())
}

#[derive(Debug, Deserialize)]
struct Asked {
    file: String,
    first_line: u64,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// What became of the lines of one request.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Events that count.
    pub(crate) accepted: u64,
    /// Events that were there before.
    pub(crate) already_there: u64,
    /// Events whose `messageId` was there before with other content.
    pub(crate) changed: u64,
    /// Events that identify nobody.
    pub(crate) unattached: u64,
    /// Events with a timestamp that cannot be read: they count as of now.
    pub(crate) untimed: u64,
    /// Lines that were set aside.
    pub(crate) invalid: Vec<Invalid>,
}

/// A line that was set aside.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invalid {
    pub(crate) line: u64,
    pub(crate) code: String,
    pub(crate) message: String,
}

async fn take(
    State(imports): State<Imports>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let source = imports.source(&headers)?;
    let file = origin(&asked.file, source)?;
    let default = match &asked.kind {
        None => None,
        Some(name) => Some(
            EventType::from_name(name)
                .ok_or_else(|| invalid("`type` must be one of the six types of events."))?,
        ),
    };
    if asked.first_line == 0 {
        return Err(invalid("`first_line` counts from 1."));
    }
    let mut outcome = Outcome::default();
    let records = records(&body, asked.first_line, default, &mut outcome);
    let node = &imports.node;
    let mut appended = Vec::with_capacity(records.len());
    for Lines { kind, head, first_line, items } in records {
        let import = Some(ImportOrigin { file, first_line });
        let head = EventsHead { source: source.number, import, ..head };
        let record = NewRecord {
            id: chance::record_id(),
            kind: kind as u8,
            head: head.encode().into(),
            items,
        };
        // One after the other: a line must never be in the log without those before it.
        let position = node.log.append(record).await.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "an import was not written");
            Failure(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error.to_string())
        })?;
        appended.push((position.position, kind));
    }
    if let Some((last, _)) = appended.last()
        && !node.folded(last.next()).await
    {
        return Err(stopped());
    }
    let positions = appended.into_iter().filter(|(_, kind)| *kind == RecordKind::Events);
    let positions: Vec<Position> = positions.map(|(position, _)| position).collect();
    let outbox = Arc::clone(&node.outbox);
    let counted = tokio::task::spawn_blocking(move || count(&*outbox, &positions, outcome)).await;
    match counted {
        Ok(Some(outcome)) => Ok(Json(outcome).into_response()),
        _ => Err(stopped()),
    }
}

/// Counts what was decided about the events of these records.
fn count(outbox: &dyn LogRead, positions: &[Position], mut outcome: Outcome) -> Option<Outcome> {
    for position in positions {
        let record = outbox.get(*position).ok()?;
        for row in record.items.iter().filter_map(Item::body) {
            match Decision::decode(row)?.verdict {
                Verdict::Accepted(_) => outcome.accepted += 1,
                Verdict::Duplicate { .. } => outcome.already_there += 1,
                Verdict::Changed { .. } => outcome.changed += 1,
                _ => outcome.unattached += 1,
            }
        }
    }
    Some(outcome)
}

/// Lines that follow each other and become one record.
struct Lines {
    kind: RecordKind,
    head: EventsHead,
    first_line: u64,
    items: Vec<Item>,
}

/// The lines of a body as records, in order.
fn records(
    body: &Bytes,
    first_line: u64,
    default: Option<EventType>,
    outcome: &mut Outcome,
) -> Vec<Lines> {
    let (mut records, mut number) = (Vec::<Lines>::new(), first_line);
    let mut bytes = 0;
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            let (kind, implied, item, refusal) = match read(line, default) {
                Ok(Read { item, implied, untimed }) => {
                    outcome.untimed += u64::from(untimed);
                    (RecordKind::Events, implied, item, None)
                }
                Err((refusal, message)) => {
                    let (code, message) = (refusal.code().to_owned(), message.to_owned());
                    outcome.invalid.push(Invalid { line: number, code, message });
                    let item = body.slice_ref(line);
                    (RecordKind::Rejected, None, item, Some(refusal))
                }
            };
            let fits = records.last().is_some_and(|last| {
                let next = last.first_line + u64::try_from(last.items.len()).unwrap_or(0);
                let is_alike = last.kind == kind && last.head.implied == implied;
                is_alike && next == number && last.items.len() < RECORD_EVENTS
            });
            if !fits || bytes + item.len() > RECORD_BYTES {
                let head = EventsHead { implied, ..EventsHead::default() };
                records.push(Lines { kind, head, first_line: number, items: Vec::new() });
                bytes = 0;
            }
            bytes += item.len();
            if let Some(last) = records.last_mut() {
                last.head.refusals.extend(refusal);
                last.items.push(Item::Body(item));
            }
        }
        number += 1;
    }
    records
}

/// An event of a line.
struct Read {
    item: Bytes,
    implied: Option<EventType>,
    untimed: bool,
}

type Refused = (Refusal, &'static str);

/// Reads one line. Its type is the default one only where it names none.
fn read(line: &[u8], default: Option<EventType>) -> Result<Read, Refused> {
    if line.len() > limits::EVENT_BYTES {
        return Err((Refusal::TooLarge, Refusal::TooLarge.sentence()));
    }
    let named = Raw::check(line).and_then(|raw| raw.get("type")).filter(|kind| !kind.is_null());
    let implied = default.filter(|_| named.is_none());
    let envelope = Envelope::read(line.to_vec(), Shape::Event(implied)).map_err(|problem| {
        let sentence = match problem {
            selfsame_collect::Problem::JsonInvalid => "The line is not valid JSON in UTF-8.",
            other => other.sentence(),
        };
        (Refusal::NotObject, sentence)
    })?;
    let mut events = envelope.events(false);
    if let Some(refused) = events.refused.first() {
        return Err((refused.refusal, refused.refusal.sentence()));
    }
    let item = events.accepted.pop().ok_or((Refusal::NotObject, Refusal::NotObject.sentence()))?;
    let text = std::str::from_utf8(&item)
        .map_err(|_| (Refusal::NotObject, Refusal::NotObject.sentence()))?;
    let raw = Raw::trusted(text);
    let given = ["timestamp", "originalTimestamp"].map(|key| raw.get(key));
    let mut given = given.into_iter().flatten().filter(|value| !value.is_null()).peekable();
    let untimed = given.peek().is_some()
        && !given.any(|value| value.string().is_some_and(|text| Time::parse(&text).is_some()));
    // The clock of the sender was corrected long ago, if it ever was.
    let item = match raw.get("sentAt") {
        Some(_) => without(raw, "sentAt"),
        None => item.clone(),
    };
    Ok(Read { item, implied, untimed })
}

/// The object without a key.
fn without(raw: Raw<'_>, name: &str) -> Bytes {
    let mut out = String::from("{");
    raw.each_field(|key, value| {
        if key != name {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&serde_json::Value::from(key).to_string());
            out.push(':');
            out.push_str(value.text());
        }
    });
    out.push('}');
    out.into()
}

#[cfg(test)]
mod tests;
