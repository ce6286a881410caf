//! Retention: whole segments of the log go once nobody needs them and a base stands in for them.
//!
//! A pass finds the cut: the newest beginning of a segment behind which there is no more than the
//! settings allow to keep. It may not pass the older of the last two checkpoints, nor what a delivery
//! still needs: its cursor, retries and dead letters, as far as they are within its lag limit, and
//! ranges that it sends again. A cursor beyond that limit moves on by itself (decision 19). Then the whole state before the cut
//! is made as a base, by folding on from the base before it; when that is durable, log and outbox
//! are trimmed.
//!
//! **Invariants:** the newest base is at or behind the log's first record, at every moment; off unless
//! it is set; nothing is removed that a crash in between would be missing.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use metrics::{counter, gauge};
use selfsame_event::Position;
use selfsame_log::LogRead as _;
use selfsame_pipeline::{EngineConfig, MemoryBudget, ReplayConfig, copy_state, replay};

use crate::base::{self, KEEPING};
use crate::measures;
use crate::node::Node;
use crate::reach::first_since;
use crate::settings::{EngineSettings, LogSettings};
use crate::tasks::Tasks;

/// How often it is looked whether there is something to remove.
const EVERY: Duration = Duration::from_secs(5);
const DAY_MICROS: i64 = 86_400_000_000;

/// Removes what the settings no longer keep, for as long as the server runs.
pub(crate) async fn run(
    node: Arc<Node>,
    log: LogSettings,
    engine: EngineSettings,
    tasks: Tasks,
) -> anyhow::Result<()> {
    if log.retention_days == 0 && log.retention_bytes == 0 {
        return Ok(());
    }
    loop {
        let pass = Pass { node: Arc::clone(&node), log: log.clone(), engine: engine.clone() };
        match tokio::task::spawn_blocking(move || pass.run()).await? {
            Ok(()) => {}
            // Nothing was lost: it is tried again.
            Err(error) => {
                tracing::warn!(error = %format!("{error:#}"), "old records could not be removed");
            }
        }
        counter!(measures::RETENTION_PASSES).increment(1);
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = tasks.stopping() => return Ok(()),
        }
    }
}

struct Pass {
    node: Arc<Node>,
    log: LogSettings,
    engine: EngineSettings,
}

impl Pass {
    fn run(&self) -> anyhow::Result<()> {
        let log = &self.node.log;
        gauge!(measures::LOG_FIRST).set(shown(log.first().offset));
        let segments = segments(&self.node.folder.log())?;
        let wanted = self.by_size(&segments).max(self.by_age()?);
        gauge!(measures::RETENTION_WANTED).set(shown(wanted));
        if last_at_most(&segments, wanted) <= log.first().offset {
            return Ok(());
        }
        let cut = last_at_most(&segments, wanted.min(self.needed()));
        if cut <= log.first().offset {
            return Ok(());
        }
        // Until the log is trimmed, a backup has to have both base and log, or neither.
        let _keeping = KEEPING.lock().unwrap_or_else(PoisonError::into_inner);
        self.make_base(cut)?;
        let cut = Position::embedded(cut);
        let removed = log.trim_to(cut).context("the log cannot be trimmed")?;
        self.node.outbox.trim_to(cut).context("the outbox cannot be trimmed")?;
        gauge!(measures::LOG_FIRST).set(shown(log.first().offset));
        tracing::info!(segments = removed, first = %log.first(), "old records were removed");
        Ok(())
    }

    /// Where the log has to begin for it to be small enough.
    fn by_size(&self, segments: &[(u64, u64)]) -> u64 {
        if self.log.retention_bytes == 0 {
            return 0;
        }
        let mut bytes = self.node.log.stats().disk_bytes;
        let mut cut = 0;
        for pair in segments.windows(2) {
            let [(_, size), (next, _)] = pair else { break };
            if bytes <= self.log.retention_bytes {
                break;
            }
            bytes = bytes.saturating_sub(*size);
            cut = *next;
        }
        cut
    }

    /// Where the log has to begin for nothing in it to be too old: the first record that is not.
    fn by_age(&self) -> anyhow::Result<u64> {
        if self.log.retention_days == 0 {
            return Ok(0);
        }
        let days = i64::try_from(self.log.retention_days).unwrap_or(i64::MAX);
        let oldest =
            self.node.clock.wall().plus_micros(days.saturating_mul(DAY_MICROS).saturating_neg());
        Ok(first_since(&*self.node.log, oldest)?)
    }

    /// The first record that somebody still needs.
    fn needed(&self) -> u64 {
        let [_, older] = self.node.shared.checkpoints();
        let Some(older) = older else {
            self.node.shared.request_checkpoint();
            return 0;
        };
        let Some(view) = self.node.view() else { return 0 };
        let workspace = &view.meta.workspace;
        let mut needed = older.offset;
        let handles = self.node.deliverers();
        for space in &workspace.spaces {
            let count = workspace.destinations.iter().filter(|one| one.space == space.id).count();
            if count == 0 {
                continue;
            }
            let handle = handles.iter().find(|(number, _)| *number == space.number);
            // What is not known yet may be anything.
            let of_space = handle
                .filter(|(_, handle)| handle.status().len() >= count)
                .and_then(|(_, handle)| handle.needed_from());
            needed = needed.min(of_space.map_or(0, |item| item.record.offset));
        }
        gauge!(measures::RETENTION_NEEDED).set(shown(needed));
        if older.offset <= needed {
            // So that the older one moves on.
            self.node.shared.request_checkpoint();
        }
        needed
    }

    /// Makes the base at the cut, durably, from the one before it.
    fn make_base(&self, cut: u64) -> anyhow::Result<()> {
        let root = self.node.folder.root();
        let folder = base::folder(root);
        std::fs::create_dir_all(&folder)?;
        File::open(root)?.sync_all()?;
        let before = base::all(root)?;
        if before.last().is_some_and(|(position, _)| *position >= cut) {
            return Ok(());
        }
        let new = folder.join(format!("{cut}.new"));
        match std::fs::remove_dir_all(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        std::fs::create_dir_all(&new)?;
        if let Some((_, newest)) = before.last() {
            copy_state(newest, &new).context("the base before this one cannot be copied")?;
        }
        let mut state = self.engine.apply(EngineConfig::new("")).state;
        state.memory = MemoryBudget {
            sections: 16 << 20,
            identifiers: 16 << 20,
            components: 16 << 20,
            other: 16 << 20,
        };
        // Rules that were published behind the cut hold before it too.
        let published_until = Some(self.node.log.end());
        let config = ReplayConfig { state, published_until, ..ReplayConfig::default() };
        let until = Position::embedded(cut);
        let hash = replay(&*self.node.log, until, &new, &config, |_| ())
            .context("the state at the cut cannot be made")?;
        // An empty last segment has no record yet that could say when it was received.
        let first = self.node.log.get(until);
        let time = first.map_or_else(|_| self.node.clock.wall(), |record| record.time);
        let facts = serde_json::json!({
            "position": cut,
            "state_hash": hash.to_string(),
            "history_begins": time.to_string(),
        });
        std::fs::write(new.join("base.json"), facts.to_string())?;
        sync(&new)?;
        std::fs::rename(&new, folder.join(cut.to_string()))?;
        File::open(&folder)?.sync_all()?;
        for (_, older) in before {
            std::fs::remove_dir_all(older)?;
        }
        tracing::info!(position = cut, "a base was made");
        Ok(())
    }
}

/// A number as a gauge has it.
#[expect(clippy::cast_precision_loss, reason = "gauges are floats; these are shown, not added up")]
fn shown(offset: u64) -> f64 {
    offset as f64
}

/// The first offsets and lengths of a log's segments, in order.
fn segments(folder: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(".seg")?.parse().ok());
        if let Some(first) = first {
            segments.push((first, entry.metadata()?.len()));
        }
    }
    segments.sort_unstable();
    Ok(segments)
}

/// The newest beginning of a segment that is not behind an offset; 0 if there is none.
fn last_at_most(segments: &[(u64, u64)], offset: u64) -> u64 {
    segments.iter().rev().map(|(first, _)| *first).find(|first| *first <= offset).unwrap_or(0)
}

/// Makes everything in a folder durable.
fn sync(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}
