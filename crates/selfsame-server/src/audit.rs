//! Who did what: a log of its own, beside the event log.
//!
//! ```text
//! DIR/audit/    records of one entry each: {"who","operation","target","address","status","code"}
//! ```
//!
//! An entry has ids and never a name, an e-mail address, a body or a query: nothing secret, and of a person only
//! the network address of who acted. It is durable before the answer to what it is about. A process that is killed between a
//! change and its entry leaves the change, which is a record of the event log, without one.
//!
//! **Invariants:** entries are in the order in which they were written, each with its time; nothing but age
//! removes them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use selfsame_event::{Clock, Position, Time};
use selfsame_log::{
    AppendError, Log as _, LogConfig, LogRead as _, NewRecord, ReadError, RealFs, SegmentLog,
};
use serde::{Deserialize, Serialize};

use crate::chance;
use crate::folder::Folder;
use crate::reach::first_since;
use crate::tasks::Tasks;

const KIND: u8 = 1;
const SEGMENT: u32 = 1 << 20;
/// How often it is looked whether entries are too old.
const EVERY: Duration = Duration::from_secs(3_600);
const DAY: i64 = 86_400_000_000;
/// How many entries are looked at for one page.
const LOOKED_AT: usize = 20_000;

/// The audit log of a data folder.
#[derive(Debug)]
pub(crate) struct Audit {
    log: SegmentLog,
}

/// What somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// A member's id, `token:` and a token's id, or `nobody`.
    pub(crate) who: String,
    /// The name of the operation in the document.
    pub(crate) operation: String,
    /// The path, without its query.
    pub(crate) target: String,
    /// From where.
    pub(crate) address: Option<String>,
    /// What was answered.
    pub(crate) status: u16,
    /// Why it was not done.
    pub(crate) code: Option<String>,
}

/// Which entries are wanted.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) who: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) since: Option<Time>,
    pub(crate) limit: usize,
    /// The offset before which to go on.
    pub(crate) before: Option<u64>,
}

/// Entries, newest first, and where to go on.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) entries: Vec<(Time, Entry)>,
    pub(crate) next: Option<u64>,
}

impl Audit {
    pub(crate) fn open(folder: &Folder, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let config = LogConfig {
            segment_bytes: SEGMENT,
            tail_bytes: 256 << 10,
            cache_bytes: 256 << 10,
            ..LogConfig::new(folder.audit(), chance::bytes())
        };
        let log = SegmentLog::open(&config, Arc::clone(clock), Arc::new(RealFs));
        Ok(Self { log: log.context("the audit log cannot be opened")? })
    }

    /// Writes an entry: it is on disk when this returns.
    pub(crate) async fn write(&self, entry: &Entry) -> Result<(), AppendError> {
        let head = serde_json::to_vec(entry).expect("it has no maps with odd keys").into();
        let record = NewRecord { id: chance::record_id(), kind: KIND, head, items: Vec::new() };
        self.log.append(record).await.map(|_| ())
    }

    /// Entries, newest first. Blocks while it reads.
    pub(crate) fn find(&self, wanted: &Wanted) -> Result<Found, ReadError> {
        let first = self.log.first().offset;
        let mut at = wanted.before.unwrap_or(u64::MAX).min(self.log.end().offset);
        let (mut entries, mut looked_at) = (Vec::new(), 0);
        while at > first {
            if entries.len() == wanted.limit || looked_at == LOOKED_AT {
                return Ok(Found { entries, next: Some(at) });
            }
            looked_at += 1;
            at -= 1;
            let record = self.log.get(Position::embedded(at))?;
            if wanted.since.is_some_and(|since| record.time < since) {
                break;
            }
            // One that a later version wrote may not be readable here.
            let Ok(entry) = serde_json::from_slice::<Entry>(&record.head) else { continue };
            let same = |wanted: &Option<String>, is: &str| {
                wanted.as_ref().is_none_or(|wanted| wanted == is)
            };
            if same(&wanted.who, &entry.who) && same(&wanted.operation, &entry.operation) {
                entries.push((record.time, entry));
            }
        }
        Ok(Found { entries, next: None })
    }

    /// Removes what is older than so many days, as whole files.
    fn trim(&self, now: Time, days: u64) -> anyhow::Result<()> {
        let days = i64::try_from(days).unwrap_or(i64::MAX);
        let oldest = now.plus_micros(days.saturating_mul(DAY).saturating_neg());
        let first = first_since(&self.log, oldest)?;
        self.log.trim_to(Position::embedded(first))?;
        Ok(())
    }
}

/// Removes old entries, for as long as the server runs.
pub(crate) async fn keep(
    node: Arc<crate::node::Node>,
    days: u64,
    tasks: Tasks,
) -> anyhow::Result<()> {
    if days == 0 {
        return Ok(());
    }
    loop {
        let (trimmed, now) = (Arc::clone(&node), node.clock.wall());
        let trimming = tokio::task::spawn_blocking(move || trimmed.audit.trim(now, days));
        if let Err(error) = trimming.await? {
            tracing::warn!(error = %format!("{error:#}"), "old entries of the audit log could not be removed");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = tasks.stopping() => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
