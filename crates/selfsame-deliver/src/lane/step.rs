//! What a lane has to append, and what counts once it is durable.

use selfsame_event::{ItemPosition, Time};

use super::{End, Item, Lane, Slot, State, behind};
use crate::image::Image;
use crate::outcome::{Failure, Withheld};
use crate::reasons::Reasons;
use crate::record::{Aside, Step};
use crate::status::Pause;

/// Effects aside that one step may tell of; the others wait for the next.
const STEP_CHANGES: usize = 5_000;

/// A lane's numbers now. `looked + extra = delivered + filtered + dead + aside`, whenever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Numbers {
    pub(crate) looked: u64,
    /// By how many there are more units.
    pub(crate) extra: u64,
    pub(crate) delivered: u64,
    pub(crate) filtered: u64,
    pub(crate) withheld: u64,
    pub(crate) reasons: Reasons,
    pub(crate) superseded: u64,
    /// Letters, and effects in ranges.
    pub(crate) dead: u64,
    pub(crate) dead_in_ranges: u64,
    /// Aside and not ended.
    pub(crate) aside: u64,
    /// In the window, those to be filtered included.
    pub(crate) window: u64,
    pub(crate) in_flight: u64,
    pub(crate) is_down: bool,
    pub(crate) held: u64,
    pub(crate) paused: Option<Pause>,
    pub(crate) last_failure: Option<Failure>,
    pub(crate) oldest: Option<Time>,
}

impl Lane {
    /// What must be appended, if anything. One step at a time: the next one can be taken after
    /// [`Lane::durable`]. An `idle` step may say only that the cursor moved over nothing.
    pub(crate) fn take_step(&mut self, now: Time, idle: bool) -> Option<Step> {
        if self.taken {
            return None;
        }
        let mut step = Step { cursor: self.passed, ..Step::default() };
        self.give_up_window(&mut step);
        self.move_cursor(&mut step, now);
        self.passed = step.cursor;
        // All of them: what a range no longer has must be aside in the same step.
        for at in std::mem::take(&mut self.replayed) {
            self.changed.remove(&at);
            self.tell(at, &mut step, now);
        }
        for _ in 0..STEP_CHANGES {
            let Some(at) = self.changed.pop_first() else { break };
            self.tell(at, &mut step, now);
        }
        let changed = std::mem::take(&mut self.changed_ranges);
        step.ranges = changed.iter().filter_map(|from| self.ranges.get(from).cloned()).collect();
        step.dropped = std::mem::take(&mut self.dropped);
        step.counts = self.counts;
        step.paused = self.paused;
        step.attempts = std::mem::take(&mut self.attempts);
        step.told = std::mem::take(&mut self.tells);
        let is_news = step.counts != self.image.counts
            || step.paused != self.image.paused
            || !step.aside.is_empty()
            || !step.attempts.is_empty()
            || !step.told.is_empty()
            || !step.ended.is_empty()
            || !step.dead.is_empty()
            || !step.ranges.is_empty()
            || !step.dropped.is_empty();
        if !is_news && (!idle || step.cursor == self.image.cursor) {
            return None;
        }
        self.image.apply(&step);
        debug_assert!(self.image.is_balanced(), "every effect is accounted for once");
        self.taken = true;
        Some(step)
    }

    /// Says in a step what became of an effect that is aside.
    fn tell(&mut self, at: ItemPosition, step: &mut Step, now: Time) {
        if self.resent.remove(&at) {
            step.resent.push(at);
        }
        let item = self.items.get(&at).expect("what changed is open");
        match item.state {
            State::Ended(end) => self.settle(at, end, step),
            State::Idle { .. } | State::InFlight => {
                step.aside.push(aside(item, now));
                self.tell_closed(at, step);
                self.count_aside(at);
            }
        }
    }

    fn move_cursor(&mut self, step: &mut Step, now: Time) {
        let is_full = self.is_stuck();
        while let Some(slot) = self.window.front() {
            let at = match *slot {
                Slot::Filtered(unwanted, to) => {
                    self.counts.looked += unwanted.count;
                    self.counts.filtered += unwanted.count;
                    self.filtered_ahead -= unwanted.count;
                    step.cursor = to;
                    self.window.pop_front();
                    continue;
                }
                Slot::Item(at) => at,
            };
            let item = self.items.get(&at).expect("the window's effects are open");
            if let State::Ended(end) = item.state {
                self.settle(at, end, step);
            } else if self.may_set_aside(item, is_full) {
                step.aside.push(aside(item, now));
                self.tell_closed(at, step);
                self.set_aside(at);
            } else {
                return;
            }
            self.counts.looked += 1;
            step.cursor = behind(at);
            self.window.pop_front();
            self.window_items -= 1;
        }
        step.cursor = step.cursor.max(self.read_to);
    }

    /// Whether nothing can be sent because the window is full of what waits for others: of slow
    /// requests, or of one profile's events. A window that is full of what may go is only a backlog.
    fn is_stuck(&self) -> bool {
        let may_go = [&self.fresh, &self.anew, &self.again].into_iter().any(|set| !set.is_empty());
        let is_idle = self.in_flight < self.limits.concurrency && !may_go;
        self.in_flight + self.ended >= self.limits.in_flight || (self.room() == 0 && is_idle)
    }

    /// Whether the cursor may pass an effect that has not ended: when it waits for a time or behind
    /// one that does, or when nothing else can move because of it.
    fn may_set_aside(&self, item: &Item, is_full: bool) -> bool {
        let line = self.lines.get(&item.effect.profile).expect("an open effect has a line");
        let waits = match item.state {
            State::Idle { due: Some(_) } => true,
            State::Idle { due: None } => line.busy.is_empty() && line.aside > 0,
            State::InFlight | State::Ended(_) => false,
        };
        (waits || is_full)
            && !self.breaker.is_down()
            && self.paused.is_none()
            && self.aside < self.limits.exceptions
            && line.aside < self.limits.profile_exceptions
    }

    fn set_aside(&mut self, at: ItemPosition) {
        let item = self.items.get_mut(&at).expect("the window's effects are open");
        item.aside = true;
        self.aside += 1;
        let line = self.lines.get_mut(&item.effect.profile).expect("an open effect has a line");
        line.aside += 1;
        self.count_aside(at);
    }

    pub(super) fn settle(&mut self, at: ItemPosition, end: End, step: &mut Step) {
        if end == End::GivenUp {
            return;
        }
        self.tell_closed(at, step);
        let units = self.units_of(at, end);
        let item = self.items.get(&at).expect("what ends was open");
        match end {
            End::GivenUp | End::Apart { .. } => {}
            End::Delivered => self.counts.delivered += units,
            End::Withheld(reason) => self.counts.withhold(reason, units),
            End::Outdated | End::Superseded => self.counts.withhold(Withheld::Superseded, units),
            End::Dead { died, failure, status } => {
                step.dead.push(item.dead_letter(item.share, died, (failure, status)));
            }
        }
        if item.aside && !matches!(end, End::Dead { .. }) {
            step.ended.push(at);
        }
        self.settling.push(at);
    }

    /// The taken step is durable: what it says counts.
    pub(crate) fn durable(&mut self) {
        self.taken = false;
        for at in std::mem::take(&mut self.settling) {
            let item = self.items.remove(&at).expect("what settles was open");
            let profile = item.effect.profile;
            // What was superseded or given up was not sent for it, so a crash cannot repeat it.
            let is_unsent = matches!(item.state, State::Ended(End::Superseded | End::GivenUp));
            self.ended -= usize::from(!is_unsent);
            self.aside -= usize::from(item.aside);
            self.dying -= usize::from(matches!(
                item.state,
                State::Ended(End::Dead { .. } | End::Apart { is_deadly: true })
            ));
            if let Some(line) = self.lines.get_mut(&profile) {
                line.aside -= usize::from(item.aside);
                line.late -= usize::from(item.is_late);
                line.busy.remove(&at);
                self.schedule(profile);
            }
        }
    }

    /// Whether a step should be taken at once: somebody waits for it.
    pub(crate) fn is_urgent(&self) -> bool {
        let half = (self.limits.in_flight / 2).max(1);
        self.dying > 0 || self.ended >= half || self.paused != self.image.paused || self.is_stuck()
    }

    /// What is known durably once the taken step is.
    pub(crate) fn image(&self) -> &Image {
        &self.image
    }

    pub(crate) fn numbers(&self) -> Numbers {
        let dead_in_ranges: u64 = self.ranges.values().map(|range| range.events).sum();
        let resent = self.resent.iter().filter_map(|at| self.image.dead.get(at));
        let resent: u64 = resent.map(|letter| letter.share.units()).sum();
        let open = self.items.values().find(|item| !matches!(item.state, State::Ended(_)));
        Numbers {
            looked: self.counts.looked,
            extra: self.counts.extra,
            delivered: self.counts.delivered,
            filtered: self.counts.filtered,
            withheld: self.counts.withheld,
            reasons: self.counts.reasons,
            superseded: self.counts.superseded,
            dead: self.image.dead_units - resent + dead_in_ranges,
            dead_in_ranges,
            aside: self.aside_units,
            window: self.window_items as u64 + self.filtered_ahead,
            in_flight: self.in_flight as u64,
            is_down: self.breaker.is_down(),
            held: if self.is_held { self.again.len() as u64 } else { 0 },
            paused: self.paused,
            last_failure: self.last_failure,
            oldest: open.map(|item| item.effect.log_time),
        }
    }
}

fn aside(item: &Item, now: Time) -> Aside {
    let Item { effect, attempts, first_attempt, share, .. } = *item;
    let due = match item.state {
        State::Idle { due: Some(due) } => due,
        State::Idle { due: None } | State::InFlight | State::Ended(_) => now,
    };
    Aside { effect, attempts, first_attempt, due, share }
}
