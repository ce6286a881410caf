//! Figures of the whole demo, and how fast they grow.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::NAME;
use crate::node::Node;

/// Over how many samples a rate is taken.
const SAMPLES: usize = 5;

/// How many events there were, moment by moment.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<VecDeque<(Instant, u64)>>);

impl Tally {
    /// Notes how many there are now.
    pub(super) fn note(&self, at: Instant, events: u64) {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() > SAMPLES {
            samples.pop_front();
        }
        samples.push_back((at, events));
    }

    /// Events a second of late.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a figure to show, with one digit behind the point"
    )]
    pub(super) fn rate(&self) -> f64 {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(first), Some(last)) = (samples.front(), samples.back()) else { return 0.0 };
        let seconds = last.0.duration_since(first.0).as_secs_f64();
        let events = last.1.saturating_sub(first.1) as f64;
        if seconds > 0.0 { (events / seconds * 10.0).round() / 10.0 } else { 0.0 }
    }
}

/// Events and profiles of the demo's space.
pub(super) fn counts(node: &Node) -> (u64, u64) {
    let Some(view) = node.view() else { return (0, 0) };
    let slot = view.meta.workspace.space(NAME).and_then(|space| usize::try_from(space.number).ok());
    let counts = slot.and_then(|slot| view.meta.spaces.get(slot));
    counts.map_or((0, 0), |counts| (counts.events, counts.profiles))
}
