//! What the last calls of each function came to.
//!
//! ```text
//! DIR/function-logs/ID.jsonl    the last calls of a function, one JSON object a line, replaced whole
//! ```
//!
//! They have what functions print, which may be personal: for this user only, the last [`KEPT`] of each
//! function, for [`OLDEST_MICROS`] at most, and in no backup.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use selfsame_event::Time;
use selfsame_functions::{Line, Report};
use selfsame_pipeline::workspace::FunctionPlace;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sentence;

/// Calls that are kept of each function.
pub(crate) const KEPT: usize = 100;
/// How old a call may be that is read from the disk: seven days.
const OLDEST_MICROS: i64 = 7 * 86_400_000_000;
const SUFFIX: &str = ".jsonl";

/// A call that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Called {
    /// When it began.
    #[serde(serialize_with = "micros", deserialize_with = "of_micros")]
    pub(crate) at: Time,
    /// Where the function was used.
    pub(crate) place: String,
    /// Which version it was.
    pub(crate) version: u32,
    /// `done`, or the word of the fault.
    pub(crate) outcome: String,
    /// What the fault says.
    pub(crate) message: Option<String>,
    /// What was printed.
    pub(crate) lines: Vec<Line>,
    /// Whether more was printed than is kept.
    pub(crate) lines_cut: bool,
    /// Requests that it made.
    pub(crate) requests: usize,
    /// Processor time, in microseconds.
    pub(crate) cpu_micros: u64,
    /// Time, in microseconds.
    pub(crate) wall_micros: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn micros<S: Serializer>(at: &Time, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(at.micros())
}

fn of_micros<'d, D: Deserializer<'d>>(from: D) -> Result<Time, D::Error> {
    i64::deserialize(from).map(Time::from_micros)
}

impl Called {
    pub(super) fn of(place: &FunctionPlace, version: u32, at: Time, report: &Report) -> Self {
        let fault = report.result.as_ref().err();
        let micros =
            |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            at,
            place: place.to_string(),
            version,
            outcome: fault.map_or("done", |fault| fault.kind.label()).to_owned(),
            message: fault.map(sentence),
            lines: report.lines.clone(),
            lines_cut: report.lines_cut,
            requests: report.requests.len(),
            cpu_micros: micros(report.cpu),
            wall_micros: micros(report.wall),
        }
    }
}

/// The last calls of all functions, in memory and, a little later, on disk.
#[derive(Debug, Default)]
pub(crate) struct History {
    folder: PathBuf,
    all: Mutex<BTreeMap<String, Calls>>,
    /// Whoever writes has it.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct Calls {
    calls: VecDeque<Called>,
    /// Whether the disk has others.
    is_changed: bool,
}

impl History {
    /// The calls that a folder has, as far as they are not too old.
    pub(super) fn open(folder: PathBuf, now: Time) -> io::Result<Self> {
        let mut all = BTreeMap::new();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { folder, ..Self::default() });
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(function) = name.and_then(|name| name.strip_suffix(SUFFIX)) else { continue };
            let text = std::fs::read_to_string(&path)?;
            // A line that cannot be read is one that was not written whole.
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Called>(line).ok());
            let calls: VecDeque<_> =
                lines.filter(|call| call.at.micros() > now.micros() - OLDEST_MICROS).collect();
            all.insert(function.to_owned(), Calls { calls, is_changed: false });
        }
        Ok(Self { folder, all: Mutex::new(all), writing: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Calls>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, function: &str, called: Called) {
        let mut all = self.lock();
        let kept = match all.get_mut(function) {
            Some(kept) => kept,
            None => all.entry(function.to_owned()).or_default(),
        };
        if kept.calls.len() >= KEPT {
            kept.calls.pop_front();
        }
        kept.calls.push_back(called);
        kept.is_changed = true;
    }

    /// Forgets functions that are gone.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.lock().retain(|id, _| is_there(id));
    }

    pub(super) fn of(&self, function: &str) -> Vec<Called> {
        let all = self.lock();
        all.get(function).into_iter().flat_map(|kept| &kept.calls).rev().cloned().collect()
    }

    /// Writes what the disk does not have yet, and removes what is there of functions that are gone. What is
    /// a few seconds old may be lost with the process: nothing depends on it.
    pub(super) fn write(&self) -> io::Result<()> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        let mut known = BTreeSet::new();
        for (function, kept) in self.lock().iter_mut() {
            known.insert(format!("{function}{SUFFIX}"));
            if std::mem::take(&mut kept.is_changed) {
                changed.push((function.clone(), kept.calls.clone()));
            }
        }
        if !changed.is_empty() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        }
        for (function, calls) in changed {
            let path = self.folder.join(format!("{function}{SUFFIX}"));
            let temporary = self.folder.join(format!("{function}.new"));
            let mut text = Vec::new();
            for call in &calls {
                serde_json::to_writer(&mut text, call)?;
                text.push(b'\n');
            }
            let mut file = OpenOptions::new();
            let mut file =
                file.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(&text)?;
            std::fs::rename(temporary, path)?;
        }
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten() {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.ends_with(SUFFIX) && !known.contains(name) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
