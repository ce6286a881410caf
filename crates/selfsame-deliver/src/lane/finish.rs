//! What becomes of an effect when an attempt has ended.

use std::time::Duration;

use selfsame_event::{ItemPosition, Time};

use super::{End, Lane, Report, State};
use crate::outcome::{Failure, Outcome, Withheld};
use crate::record::Attempt;
use crate::retry::{Decision, Failed, plus};
use crate::status::Pause;

/// How long an attempt that could not be made waits.
const POSTPONED: Duration = Duration::from_secs(1);
/// So many failures in a row for which the credentials are to blame pause the connection: one may be a
/// fault of the receiver's.
const DENIALS: u32 = 3;

impl Lane {
    /// Takes the result of an attempt.
    pub(crate) fn finished(&mut self, at: ItemPosition, report: Report, now: Time, random: u64) {
        let Some(item) = self.items.get_mut(&at) else { return };
        debug_assert_eq!(item.state, State::InFlight, "only what was sent finishes");
        self.in_flight -= 1;
        let Report { outcome, started, took_ms, note, told, taken } = report;
        self.tells.extend(told);
        if outcome != Outcome::Postponed {
            item.attempts = item.attempts.saturating_add(1);
            item.first_attempt.get_or_insert(started);
        }
        let number = item.attempts;
        let outcome = match taken {
            Some(taken) => match self.take_apart(at, taken, now) {
                Some(rest) => rest,
                None => return self.end_apart(at),
            },
            None => {
                if outcome != Outcome::Postponed {
                    let (action, is_taken) = (None, matches!(outcome, Outcome::Delivered { .. }));
                    let note = if is_taken { self.note_of(at, note) } else { note };
                    self.attempts.push(Attempt {
                        at,
                        number,
                        started,
                        took_ms,
                        outcome,
                        note,
                        action,
                    });
                }
                outcome
            }
        };
        match outcome {
            Outcome::Delivered { .. } => {
                self.breaker.succeeded();
                self.denials = 0;
                self.last_failure = None;
                self.end(at, End::Delivered);
            }
            Outcome::Withheld(Withheld::Superseded) => self.end(at, End::Outdated),
            Outcome::Withheld(reason) => self.end(at, End::Withheld(reason)),
            Outcome::Postponed => {
                let until = plus(now, POSTPONED);
                self.breaker.postpone(until);
                self.wait(at, until);
            }
            Outcome::Failed { failure, status, retry_after } => {
                self.failed(at, (failure, status, retry_after), now, random);
            }
        }
    }

    fn failed(
        &mut self,
        at: ItemPosition,
        (failure, status, retry_after): (Failure, Option<u16>, Option<Duration>),
        now: Time,
        random: u64,
    ) {
        self.last_failure = Some(failure);
        let dead = End::Dead { died: now, failure, status };
        let may_die = self.image.dead.len() + self.dying < self.limits.dead;
        if failure.is_final() && may_die {
            return self.end(at, dead);
        }
        self.denials = if failure == Failure::Unauthorized { self.denials + 1 } else { 0 };
        if self.denials >= DENIALS {
            self.paused = self.paused.or(Some(Pause::Denied));
        }
        // Bits that the effect's own retry does not use up, so that the two waits are not the same.
        self.breaker.failed(at, now, random.rotate_left(32));
        if let Some(asked) = retry_after.filter(|_| failure == Failure::Throttled) {
            self.hold_until =
                self.hold_until.max(plus(now, asked.min(self.policy.retry_after_cap)));
        }
        if failure == Failure::Gone {
            self.paused = self.paused.or(Some(Pause::Gone));
        }
        let item = self.items.get(&at).expect("looked up before");
        let first_attempt_at = item.first_attempt.unwrap_or(now);
        let failed = Failed { attempts: item.attempts, first_attempt_at, now, retry_after };
        match self.policy.next_attempt_at(failed, random) {
            Decision::Retry(due) => self.wait(at, due),
            Decision::GiveUp if may_die => self.end(at, dead),
            Decision::GiveUp => self.wait(at, plus(now, self.policy.cap)),
        }
    }

    fn wait(&mut self, at: ItemPosition, due: Time) {
        let item = self.items.get_mut(&at).expect("looked up before");
        item.state = State::Idle { due: Some(due) };
        if item.aside {
            self.changed.insert(at);
        }
        if item.is_late {
            self.due.insert((due, at));
            return;
        }
        let profile = item.effect.profile;
        let line = self.lines.get_mut(&profile).expect("an open effect has a line");
        line.busy.remove(&at);
        line.waiting.insert(at);
        self.schedule(profile);
        self.note_overdue(at);
    }

    fn end_apart(&mut self, at: ItemPosition) {
        let is_deadly = self.items.get(&at).is_some_and(|item| item.closed.is_deadly());
        self.end(at, End::Apart { is_deadly });
    }

    fn end(&mut self, at: ItemPosition, end: End) {
        let item = self.items.get_mut(&at).expect("looked up before");
        item.state = State::Ended(end);
        if item.aside {
            self.changed.insert(at);
        }
        self.ended += 1;
        match end {
            End::Delivered | End::Apart { is_deadly: false } => {
                let profile = item.effect.profile;
                let line = self.lines.get_mut(&profile).expect("an open effect has a line");
                line.busy.remove(&at);
                self.schedule(profile);
            }
            End::Withheld(_) | End::Outdated | End::Superseded | End::GivenUp => {}
            End::Dead { .. } | End::Apart { is_deadly: true } => self.dying += 1,
        }
    }
}
