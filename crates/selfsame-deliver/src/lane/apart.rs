//! Effects that are taken apart into actions, each of which ends by itself.
//!
//! What ended of an effect that goes on is kept with it until a step tells of it: when the cursor comes
//! to the effect, or when it is aside and changed. Until then a crash repeats it, as what is in flight.

use selfsame_event::{ItemPosition, Time};

use super::{End, Item, LATE, Lane, Taken};
use crate::outcome::{Failure, Outcome};
use crate::reasons::FewReasons;
use crate::record::{Attempt, DeadLetter, Step};
use crate::share::Share;

/// What ended of an effect, not told of yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Closed {
    /// By how many there are more units now.
    extra: u64,
    delivered: u64,
    filtered: FewReasons,
    dead: Option<Dead>,
}

/// Actions that were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Dead {
    share: Share,
    failure: Failure,
    status: Option<u16>,
    died: Time,
}

impl Closed {
    /// Whether an action died.
    pub(super) fn is_deadly(&self) -> bool {
        self.dead.is_some()
    }
}

impl Item {
    /// What becomes of a part of it that nobody takes.
    pub(super) fn dead_letter(
        &self,
        share: Share,
        died: Time,
        (failure, status): (Failure, Option<u16>),
    ) -> DeadLetter {
        let Self { effect, attempts, first_attempt, .. } = *self;
        let first_attempt = first_attempt.unwrap_or(died);
        DeadLetter { effect, attempts, first_attempt, died, failure, status, share }
    }
}

impl Lane {
    /// Takes what became of the actions of an effect. What is left of it, and why; none where every
    /// action has ended.
    pub(super) fn take_apart(
        &mut self,
        at: ItemPosition,
        taken: Taken,
        now: Time,
    ) -> Option<Outcome> {
        let may_die = self.image.dead.len() + self.dying < self.limits.dead;
        let item = self.items.get_mut(&at)?;
        if item.share.is_whole() {
            item.share = taken.open;
            item.closed.extra += taken.open.units() - 1;
        }
        let (mut left, mut rest) = (Some(item.share), None);
        for one in taken.tries {
            let closed = &mut item.closed;
            let has_ended = match one.outcome {
                Outcome::Delivered { .. } => {
                    closed.delivered += 1;
                    self.last_failure = None;
                    self.denials = 0;
                    self.breaker.succeeded();
                    true
                }
                Outcome::Withheld(reason) => {
                    closed.filtered.note(reason);
                    true
                }
                Outcome::Failed { failure, status, .. } if failure.is_final() && may_die => {
                    let before = closed.dead.map(|dead| dead.share);
                    let share = before.unwrap_or_default().with(one.action);
                    closed.dead = Some(Dead { share, failure, status, died: now });
                    self.last_failure = Some(failure);
                    // It answered: what is wrong is the event.
                    self.breaker.succeeded();
                    true
                }
                Outcome::Failed { .. } | Outcome::Postponed => {
                    rest = Some(one.outcome);
                    false
                }
            };
            if has_ended {
                left = left.and_then(|left| left.without(one.action));
            }
            let is_late = item.is_late && matches!(one.outcome, Outcome::Delivered { .. });
            if one.outcome != Outcome::Postponed {
                self.attempts.push(Attempt {
                    at,
                    number: item.attempts,
                    started: one.started,
                    took_ms: one.took_ms,
                    outcome: one.outcome,
                    note: if is_late { LATE.to_owned() } else { one.note },
                    action: Some(one.action),
                });
            }
        }
        match left {
            Some(left) => {
                item.share = left;
                Some(rest.unwrap_or(Outcome::Postponed))
            }
            None => None,
        }
    }

    /// Puts into a step what ended of an effect.
    pub(super) fn tell_closed(&mut self, at: ItemPosition, step: &mut Step) {
        let item = self.items.get_mut(&at).expect("what is told of is open");
        let Closed { extra, delivered, filtered, dead } = std::mem::take(&mut item.closed);
        self.counts.extra += extra;
        self.counts.delivered += delivered;
        filtered.iter().for_each(|(reason, units)| self.counts.withhold(reason, units));
        if let Some(Dead { share, failure, status, died }) = dead {
            step.dead.push(item.dead_letter(share, died, (failure, status)));
        }
    }

    /// Counts an effect that is aside by what is left of it.
    pub(super) fn count_aside(&mut self, at: ItemPosition) {
        let item = self.items.get_mut(&at).expect("what is counted is open");
        let units = item.share.units();
        self.aside_units += units;
        self.aside_units -= std::mem::replace(&mut item.held, units);
    }

    /// For how many an effect counts that ends, aside or not.
    pub(super) fn units_of(&mut self, at: ItemPosition, end: End) -> u64 {
        let item = self.items.get_mut(&at).expect("what ends was open");
        self.aside_units -= std::mem::take(&mut item.held);
        if matches!(end, End::Apart { .. }) { 0 } else { item.share.units() }
    }
}
