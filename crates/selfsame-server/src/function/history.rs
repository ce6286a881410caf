//! What the last calls of each function came to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use selfsame_event::Time;
use selfsame_functions::{Line, Report};
use selfsame_pipeline::workspace::FunctionPlace;

use super::sentence;

/// Calls that are kept of each function.
pub(crate) const KEPT: usize = 100;

/// A call that has ended.
#[derive(Debug, Clone)]
pub(crate) struct Called {
    /// When it began.
    pub(crate) at: Time,
    /// Where the function was used.
    pub(crate) place: String,
    /// Which version it was.
    pub(crate) version: u32,
    /// `done`, or the word of the fault.
    pub(crate) outcome: &'static str,
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

impl Called {
    pub(super) fn of(place: &FunctionPlace, version: u32, at: Time, report: &Report) -> Self {
        let fault = report.result.as_ref().err();
        let micros =
            |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            at,
            place: place.to_string(),
            version,
            outcome: fault.map_or("done", |fault| fault.kind.label()),
            message: fault.map(sentence),
            lines: report.lines.clone(),
            lines_cut: report.lines_cut,
            requests: report.requests.len(),
            cpu_micros: micros(report.cpu),
            wall_micros: micros(report.wall),
        }
    }
}

/// The last calls of all functions, by their ids.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<BTreeMap<String, VecDeque<Called>>>);

impl History {
    pub(super) fn note(&self, function: &str, called: Called) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let calls = match all.get_mut(function) {
            Some(calls) => calls,
            None => all.entry(function.to_owned()).or_default(),
        };
        if calls.len() >= KEPT {
            calls.pop_front();
        }
        calls.push_back(called);
    }

    /// Forgets functions that are gone.
    pub(super) fn keep(&self, is_there: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| is_there(id));
    }

    pub(super) fn of(&self, function: &str) -> Vec<Called> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(function).into_iter().flatten().rev().cloned().collect()
    }
}
