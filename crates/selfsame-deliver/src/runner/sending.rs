//! Sending what the lane wants sent, and hearing how it went.

use std::sync::Arc;

use selfsame_event::{ItemPosition, Time};
use tokio::task::{Id, JoinError};

use super::together::{self, Reports};
use super::{Runner, log_chain};
use crate::lane::{Report, Send};
use crate::metrics;
use crate::outcome::{Failure, Outcome};

impl Runner {
    pub(super) fn send(&mut self, now: Time) {
        if !self.may_send() {
            return;
        }
        let at_once = self.tool.as_ref().map_or(1, |tool| tool.0.at_once()).max(1);
        let room = self.shared.flights.room(self.places.len());
        let sends = self.lane.sends(now, room.saturating_mul(at_once));
        if sends.is_empty() {
            return;
        }
        let retries = sends.iter().filter(|send| send.number > 1).count();
        ::metrics::counter!(metrics::RETRIES).increment(retries as u64);
        for some in parts(&sends, at_once) {
            let places = some.iter().map(|send| send.effect.at).collect();
            let (around, early) = (Arc::clone(&self.around), self.early.0.clone());
            let task = self.requests.spawn(together::make(around, some.to_vec(), early));
            self.places.insert(task.id(), (places, self.shared.flights.begin()));
        }
    }

    /// A task has ended.
    pub(super) fn finished(&mut self, done: Result<(Id, Reports), JoinError>) {
        let (task, reports) = match done {
            Ok(done) => done,
            Err(error) => {
                log_chain(&error, "an attempt ended without an outcome");
                (error.id(), Reports::new())
            }
        };
        while let Ok((task, reports)) = self.early.1.try_recv() {
            self.told_of(task, reports);
        }
        self.told_of(task, reports);
        let now = self.parts.clock.wall();
        let left = self.places.get(&task).map(|(places, _)| places.clone()).unwrap_or_default();
        let bug = |at| (at, Report::quiet(Outcome::failed(Failure::Bug), now));
        self.told_of(task, left.into_iter().map(bug).collect());
        self.places.remove(&task);
    }

    /// A task says how attempts went. It may go on with others.
    pub(super) fn told_of(&mut self, task: Id, reports: Reports) {
        let now = self.parts.clock.wall();
        if let Some((places, _)) = self.places.get_mut(&task) {
            if places.len() == reports.len() {
                places.clear();
            } else {
                places.retain(|at| !reports.iter().any(|(told, _)| told == at));
            }
        }
        // Those that went together went the same way, mostly.
        let alike = |one: &(_, Report), next: &(_, Report)| {
            (one.1.outcome.label(), one.1.took_ms) == (next.1.outcome.label(), next.1.took_ms)
        };
        for several in reports.chunk_by(alike) {
            let Report { outcome, took_ms, .. } = several[0].1;
            let label = outcome.label();
            ::metrics::counter!(metrics::ATTEMPTS, "outcome" => label)
                .increment(several.len() as u64);
            ::metrics::histogram!(metrics::ATTEMPT_SECONDS)
                .record_many(f64::from(took_ms) / 1e3, several.len());
        }
        for (at, report) in reports {
            self.ended(at, report, now);
        }
    }

    fn ended(&mut self, at: ItemPosition, mut report: Report, now: Time) {
        self.shorten(&mut report.note);
        let tries = report.taken.iter_mut().flat_map(|taken| &mut taken.tries);
        tries.for_each(|one| self.shorten(&mut one.note));
        // Chance is of use to what is tried again only, and asking for it is a call of the system.
        let tries = report.taken.iter().flat_map(|taken| &taken.tries).map(|one| one.outcome);
        let may_wait =
            tries.chain([report.outcome]).any(|one| matches!(one, Outcome::Failed { .. }));
        let random = if may_wait { self.parts.random.next_u64() } else { 0 };
        self.lane.finished(at, report, now, random);
        if self.replaying.as_ref().is_some_and(|replaying| replaying.replay.is_cancelled) {
            self.lane.withhold();
        }
        self.is_changed = true;
    }
}

/// Parts of about so many, in which those of a profile that go at once are together. A change goes by itself.
fn parts(sends: &[Send], at_once: usize) -> impl Iterator<Item = &[Send]> {
    let mut left = sends;
    std::iter::from_fn(move || {
        let mut end = 0;
        for person in left.chunk_by(|one, next| one.leader == next.leader) {
            let is_change = person.iter().any(|send| send.effect.subject.is_some());
            if end > 0 && (is_change || end + person.len() > at_once) {
                break;
            }
            end += person.len();
            if is_change {
                break;
            }
        }
        let (part, behind) = left.split_at(end);
        left = behind;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests;
