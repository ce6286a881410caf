//! Imports: lines of files whose events count once, however often they are sent.
//!
//! ```text
//! GET  /api/import/{file}                            -> {"next_line": N}
//! POST /api/import?file=…&first_line=N[&type=…]      body: lines N, N+1, … each one JSON event
//! ```
//!
//! Both need the write key of the source in `x-selfsame-write-key`, beside the token.
//!
//! **Invariants:** lines of one file are appended in their order and each record only behind the
//! acknowledgement of the one before, so a line that is in the log has every line before it there
//! too; the fold passes over lines below the one that it knows of the file. So a file may be sent
//! again from any line at or below `next_line`.

mod lines;

use std::sync::Arc;

use selfsame_collect::{Lookup, SourceSettings, Sources as _};
use selfsame_event::{EventType, EventsHead, ImportOrigin, Position, RecordKind};
use selfsame_log::{Item, Log as _, LogRead, NewRecord};
use selfsame_pipeline::decision::{Decision, Verdict};
use selfsame_pipeline::effect;
use sha2::{Digest as _, Sha256};

use self::lines::Lines;
use super::Control;
use super::asked::Asked;
use super::problem::{Code, Problem};
use super::shape::shape;
use crate::chance;

/// The header that names the source.
pub(crate) const KEY_HEADER: &str = "x-selfsame-write-key";

shape! {
    /// How far the import of a file is.
    pub(crate) struct Progress {
        /// The first line that is not in the log.
        next_line: u64,
    }

    /// What became of the lines of one request.
    pub(crate) struct Outcome {
        /// Events that count.
        accepted: u64,
        /// Events that were there before.
        already_there: u64,
        /// Events whose `messageId` was there before with other content.
        changed: u64,
        /// Events that identify nobody.
        unattached: u64,
        /// Events with a timestamp that cannot be read: they count as of now.
        untimed: u64,
        /// Lines that were set aside.
        invalid: Vec<Invalid>,
    }

    /// A line that was set aside.
    pub(crate) struct Invalid {
        /// The number of the line.
        line: u64,
        /// Why, as a code.
        code: String,
        /// Why, as a sentence.
        message: String,
    }
}

impl Outcome {
    /// Of a request without lines.
    pub(super) const NOTHING: Self = Self {
        accepted: 0,
        already_there: 0,
        changed: 0,
        unattached: 0,
        untimed: 0,
        invalid: Vec::new(),
    };
}

fn stopped() -> Problem {
    Problem::new(Code::Unavailable, "The engine has stopped; what was accepted is safe.")
}

/// The source that is imported into.
fn source(control: &Control, asked: &Asked) -> Result<SourceSettings, Problem> {
    match control.node.keys.by_key(asked.header(KEY_HEADER).unwrap_or_default()) {
        Lookup::Active(source) => Ok(source),
        Lookup::Revoked => Err(Problem::new(Code::RevokedWriteKey, "This write key was revoked.")),
        Lookup::Unknown => {
            Err(Problem::new(Code::UnknownWriteKey, "No source has this write key."))
        }
    }
}

/// The digest that the log knows the file by: the same file may be imported into several sources.
fn origin(file: &str, source: SourceSettings) -> Result<[u8; 16], Problem> {
    let is_digest = file.len() == 32 && file.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digest {
        return Err(Problem::field("file", "`file` is a digest of 32 hexadecimal digits."));
    }
    let mut hash = Sha256::new();
    hash.update(file.to_ascii_lowercase());
    hash.update(source.number.0.to_le_bytes());
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    Ok(digest)
}

/// `GET /api/import/{file}`
pub(crate) async fn progress(control: Control, asked: Asked) -> Result<Progress, Problem> {
    let source = source(&control, &asked)?;
    let digest = origin(asked.part("file"), source)?;
    // Lines may be in the log that are not folded yet.
    if !control.node.folded(control.node.log.end()).await {
        return Err(stopped());
    }
    let view = control.view()?;
    let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let next_line = view.meta.imports.get(&name).copied().unwrap_or(1);
    Ok(Progress { next_line })
}

/// `POST /api/import`
pub(crate) async fn take(control: Control, asked: Asked) -> Result<Outcome, Problem> {
    let source = source(&control, &asked)?;
    let file = origin(asked.get("file").unwrap_or_default(), source)?;
    let default =
        match asked.get("type") {
            None => None,
            Some(name) => Some(EventType::from_name(name).ok_or_else(|| {
                Problem::field("type", "`type` is one of the six types of events.")
            })?),
        };
    let first_line = asked.get("first_line").and_then(|text| text.parse().ok());
    let first_line = first_line.filter(|line| *line > 0);
    let first_line = first_line.ok_or_else(|| {
        Problem::field("first_line", "`first_line` is a number that counts from 1.")
    })?;
    let mut outcome = Outcome::NOTHING;
    let records = lines::records(&asked.body, first_line, default, &mut outcome);
    let node = &control.node;
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
            Problem::new(Code::Unavailable, "The log cannot be written just now.")
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
    counted.ok().flatten().ok_or_else(stopped)
}

/// Counts what was decided about the events of these records.
fn count(outbox: &dyn LogRead, positions: &[Position], mut outcome: Outcome) -> Option<Outcome> {
    for position in positions {
        let record = outbox.get(*position).ok()?;
        let rows = record.items.iter().filter_map(Item::body);
        for row in rows.filter(|row| !effect::Effect::is_one(row)) {
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
