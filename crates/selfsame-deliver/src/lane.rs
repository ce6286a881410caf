//! One connection's deliveries, decided: no clock, no chance, no I/O.
//!
//! ```text
//!   dead letters      aside (exceptions)        window                   feed
//!   o    o            o  o     o                |x|x|>|o|>|x|            ........
//!   ------------------------------------------> cursor ----------------> read to
//!                                                x ended  > in flight  o waiting
//! ```
//!
//! Effects enter the window in order. The cursor passes what has ended; what waits for a retry, or
//! behind one of the same profile, is set aside when the cursor comes to it. A [`Step`] says how far
//! the cursor is and what it left behind; it counts when [`Lane::durable`] says so.
//!
//! **Invariants:**
//! - of a profile at most one effect is in flight, and none is sent before an earlier one ended;
//!   death counts as an end only once it is durable;
//! - in flight + ended but not durable <= the in-flight limit: what a crash may repeat. There is
//!   always room for one: the window holds no more, and the one that its cursor waits for has not
//!   ended;
//! - aside <= the exception limits: at a limit the cursor stops, nothing is dropped;
//! - while the destination is down the cursor stops, and one probe at a time goes out.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use selfsame_event::{ItemPosition, ProfileId, Time};

use crate::breaker::Breaker;
use crate::connection::Filter;
use crate::feed::{Effect, FeedPage};
use crate::image::Image;
use crate::outcome::{Failure, Outcome};
use crate::record::{Aside, Attempt, Counts};
use crate::retry::{Decision, Failed, RetryPolicy, plus};

mod resend;
mod step;

pub(crate) use step::Numbers;

/// How much a lane holds. What happens at each limit is in the module's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) concurrency: usize,
    pub(crate) in_flight: usize,
    pub(crate) exceptions: usize,
    pub(crate) profile_exceptions: usize,
    /// At this limit nothing dies any more: it is tried on.
    pub(crate) dead: usize,
}

/// An attempt to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Send {
    pub(crate) effect: Effect,
    /// 1 for the first.
    pub(crate) number: u32,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    pub(crate) started: Time,
    pub(crate) took_ms: u32,
    pub(crate) note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    Withheld,
    Dead { died: Time, failure: Failure, status: Option<u16> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits: for its turn, or until a time.
    Idle {
        due: Option<Time>,
    },
    InFlight,
    Ended(End),
}

#[derive(Debug)]
struct Item {
    effect: Effect,
    attempts: u32,
    first_attempt: Option<Time>,
    state: State,
    /// Whether the cursor has passed it.
    aside: bool,
}

/// The open effects of a profile.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeSet<ItemPosition>,
    /// In flight, or ended in a way that must be durable before the next one goes.
    busy: Option<ItemPosition>,
    /// The one of `waiting` that is in `fresh`, `again` or `due`.
    scheduled: Option<ItemPosition>,
    aside: usize,
}

#[derive(Debug)]
enum Slot {
    Item(ItemPosition),
    /// Effects that the filter does not let through, up to a place.
    Filtered(u64, ItemPosition),
}

/// How long an attempt that could not be made waits.
const POSTPONED: Duration = Duration::from_secs(1);
/// Attempts that may wait to be appended. At the limit nothing is sent.
const STEP_ATTEMPTS: usize = 1_000;
/// The longest that one answer may hold the whole connection.
const HOLD_CAP: Duration = Duration::from_secs(3_600);

#[derive(Debug)]
pub(crate) struct Lane {
    limits: Limits,
    policy: RetryPolicy,
    /// The durable state once the taken step is durable.
    image: Image,
    counts: Counts,
    paused: bool,
    read_to: ItemPosition,
    items: BTreeMap<ItemPosition, Item>,
    lines: HashMap<ProfileId, Line>,
    window: VecDeque<Slot>,
    window_items: usize,
    /// First attempts that may go, retries that may go, retries whose time has not come.
    fresh: BTreeSet<ItemPosition>,
    again: BTreeSet<ItemPosition>,
    due: BTreeSet<(Time, ItemPosition)>,
    retry_next: bool,
    in_flight: usize,
    /// Ended, not durable.
    ended: usize,
    dying: usize,
    aside: usize,
    breaker: Breaker,
    hold_until: Time,
    last_failure: Option<Failure>,
    /// Items aside that changed since the last step.
    changed: BTreeSet<ItemPosition>,
    resent: BTreeSet<ItemPosition>,
    attempts: Vec<Attempt>,
    /// Items whose end is in the taken step.
    settling: Vec<ItemPosition>,
    taken: bool,
}

impl Lane {
    /// A lane that goes on where the ledger says.
    pub(crate) fn new(limits: Limits, policy: RetryPolicy, image: Image) -> Self {
        let mut lane = Self {
            limits,
            policy,
            counts: image.counts,
            paused: image.paused,
            read_to: image.cursor,
            items: BTreeMap::new(),
            lines: HashMap::new(),
            window: VecDeque::new(),
            window_items: 0,
            fresh: BTreeSet::new(),
            again: BTreeSet::new(),
            due: BTreeSet::new(),
            retry_next: false,
            in_flight: 0,
            ended: 0,
            dying: 0,
            aside: image.aside.len(),
            breaker: Breaker::default(),
            hold_until: Time::EPOCH,
            last_failure: None,
            changed: BTreeSet::new(),
            resent: BTreeSet::new(),
            attempts: Vec::new(),
            settling: Vec::new(),
            taken: false,
            image,
        };
        let asides: Vec<Aside> = lane.image.aside.values().copied().collect();
        for Aside { effect, attempts, first_attempt, due } in asides {
            let state = State::Idle { due: Some(due) };
            lane.open(Item { effect, attempts, first_attempt, state, aside: true });
        }
        lane
    }

    /// Takes a change of how many requests go out at once.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        let in_flight = self.limits.in_flight.max(limits.in_flight);
        self.limits = Limits { in_flight, ..limits };
    }

    /// Where to read on.
    pub(crate) fn read_to(&self) -> ItemPosition {
        self.read_to
    }

    /// How many effects may be read.
    pub(crate) fn room(&self) -> usize {
        self.limits.in_flight.saturating_sub(self.window_items)
    }

    /// Takes effects that were read at [`Lane::read_to`].
    pub(crate) fn offer(&mut self, page: FeedPage, filter: Filter) {
        for effect in page.effects {
            debug_assert!(effect.at >= self.read_to, "the feed is in order");
            if filter.accepts(effect.kind) {
                self.window.push_back(Slot::Item(effect.at));
                self.window_items += 1;
                let state = State::Idle { due: None };
                self.open(Item { effect, attempts: 0, first_attempt: None, state, aside: false });
            } else if let Some(Slot::Filtered(count, to)) = self.window.back_mut() {
                *count += 1;
                *to = behind(effect.at);
            } else {
                self.window.push_back(Slot::Filtered(1, behind(effect.at)));
            }
        }
        self.read_to = page.next;
    }

    fn open(&mut self, item: Item) {
        let (at, profile) = (item.effect.at, item.effect.profile);
        let line = self.lines.entry(profile).or_default();
        line.waiting.insert(at);
        line.aside += usize::from(item.aside);
        self.items.insert(at, item);
        self.schedule(profile);
    }

    /// Makes the earliest waiting effect of a profile the one that goes next.
    fn schedule(&mut self, profile: ProfileId) {
        let Some(line) = self.lines.get_mut(&profile) else { return };
        let next = line.waiting.first().copied().filter(|_| line.busy.is_none());
        if line.scheduled == next {
            if next.is_none() && line.busy.is_none() && line.aside == 0 {
                self.lines.remove(&profile);
            }
            return;
        }
        let before = std::mem::replace(&mut line.scheduled, next);
        if let Some(item) = before.and_then(|at| self.items.get(&at)) {
            let at = item.effect.at;
            self.fresh.remove(&at);
            self.again.remove(&at);
            if let State::Idle { due: Some(due) } = item.state {
                self.due.remove(&(due, at));
            }
        }
        if let Some(item) = next.and_then(|at| self.items.get(&at)) {
            let at = item.effect.at;
            match item.state {
                State::Idle { due: Some(due) } => self.due.insert((due, at)),
                State::Idle { due: None } => self.fresh.insert(at),
                State::InFlight | State::Ended(_) => false,
            };
        }
    }

    /// The attempts to make now. Each must be answered by [`Lane::finished`].
    pub(crate) fn sends(&mut self, now: Time) -> Vec<Send> {
        let mut sends = Vec::new();
        if self.paused || now < self.hold_until || self.attempts.len() >= STEP_ATTEMPTS {
            return sends;
        }
        while let Some(&(due, at)) = self.due.first().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, at));
            self.again.insert(at);
        }
        if let Some(probe_at) = self.breaker.probe_at() {
            let first = self.fresh.first().or_else(|| self.again.first()).copied();
            let first = first.or_else(|| self.due.first().map(|(_, at)| *at));
            if now >= probe_at && self.in_flight == 0 && self.ended < self.limits.in_flight {
                sends.extend(first.map(|at| self.send(at)));
            }
            return sends;
        }
        while self.in_flight < self.limits.concurrency
            && self.in_flight + self.ended < self.limits.in_flight
        {
            let Some(at) = self.pick() else { break };
            sends.push(self.send(at));
        }
        sends
    }

    /// The next to go: first attempts and retries in turn, so that neither starves the other. The
    /// last that may go is the earliest one, which is what the cursor waits for.
    fn pick(&mut self) -> Option<ItemPosition> {
        let (fresh, again) = (self.fresh.first().copied(), self.again.first().copied());
        if self.in_flight + self.ended + 1 >= self.limits.in_flight {
            return again.into_iter().chain(fresh).min();
        }
        self.retry_next = !self.retry_next;
        if self.retry_next { again.or(fresh) } else { fresh.or(again) }
    }

    fn send(&mut self, at: ItemPosition) -> Send {
        let item = self.items.get_mut(&at).expect("what is scheduled is open");
        let send = Send { effect: item.effect, number: item.attempts.saturating_add(1) };
        self.fresh.remove(&at);
        self.again.remove(&at);
        if let State::Idle { due: Some(due) } = item.state {
            self.due.remove(&(due, at));
        }
        item.state = State::InFlight;
        let line = self.lines.get_mut(&item.effect.profile).expect("an open effect has a line");
        line.waiting.remove(&at);
        line.scheduled = None;
        line.busy = Some(at);
        self.in_flight += 1;
        send
    }

    /// Takes the result of an attempt.
    pub(crate) fn finished(&mut self, at: ItemPosition, report: Report, now: Time, random: u64) {
        let Some(item) = self.items.get_mut(&at) else { return };
        debug_assert_eq!(item.state, State::InFlight, "only what was sent finishes");
        self.in_flight -= 1;
        let Report { outcome, started, took_ms, note } = report;
        if outcome != Outcome::Postponed {
            item.attempts = item.attempts.saturating_add(1);
            item.first_attempt.get_or_insert(started);
            let number = item.attempts;
            self.attempts.push(Attempt { at, number, started, took_ms, outcome, note });
        }
        match outcome {
            Outcome::Delivered { .. } => {
                self.breaker.succeeded();
                self.last_failure = None;
                self.end(at, End::Delivered);
            }
            Outcome::Withheld(_) => self.end(at, End::Withheld),
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
        if failure == Failure::BodyGone && may_die {
            return self.end(at, dead);
        }
        // Bits that the effect's own retry does not use up, so that the two waits are not the same.
        self.breaker.failed(at, now, random.rotate_left(32));
        if let Some(asked) = retry_after.filter(|_| failure == Failure::Throttled) {
            self.hold_until = self.hold_until.max(plus(now, asked.min(HOLD_CAP)));
        }
        if failure == Failure::Gone {
            self.paused = true;
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
        let profile = item.effect.profile;
        let line = self.lines.get_mut(&profile).expect("an open effect has a line");
        line.busy = None;
        line.waiting.insert(at);
        self.schedule(profile);
    }

    fn end(&mut self, at: ItemPosition, end: End) {
        let item = self.items.get_mut(&at).expect("looked up before");
        item.state = State::Ended(end);
        if item.aside {
            self.changed.insert(at);
        }
        self.ended += 1;
        match end {
            End::Delivered => {
                let profile = item.effect.profile;
                let line = self.lines.get_mut(&profile).expect("an open effect has a line");
                line.busy = None;
                self.schedule(profile);
            }
            End::Withheld => {}
            End::Dead { .. } => self.dying += 1,
        }
    }

    /// When something may be sent that may not now.
    pub(crate) fn wake_at(&self, now: Time) -> Option<Time> {
        if self.paused || self.lines.is_empty() {
            return None;
        }
        let next = match self.breaker.probe_at() {
            _ if now < self.hold_until => Some(self.hold_until),
            Some(_) if self.in_flight > 0 => None,
            Some(probe_at) => Some(probe_at),
            None => self.due.first().map(|(due, _)| *due),
        };
        next.filter(|at| *at > now)
    }

    /// Begins to send again after the receiver said that it is gone.
    pub(crate) fn resume(&mut self) {
        self.paused = false;
        self.breaker.succeeded();
        self.hold_until = Time::EPOCH;
    }
}

/// The place right behind an effect.
fn behind(at: ItemPosition) -> ItemPosition {
    at.index.checked_add(1).map_or_else(|| at.record.next().item(0), |index| at.record.item(index))
}

#[cfg(test)]
mod tests;
