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
//! - of a profile at most one effect is in flight, or some that go at once in order (lane/together.rs), and none is
//!   sent before an earlier one ended; death counts as an end only once it is durable;
//! - in flight + ended but not durable <= the in-flight limit: what a crash may repeat. There is
//!   always room for one: the window holds no more, and the one that its cursor waits for has not
//!   ended;
//! - aside <= the exception limits: at a limit the cursor stops, nothing is dropped;
//! - while the destination is down the cursor stops, and one probe at a time goes out;
//! - retries keep to their budget (budget.rs);
//! - no change is sent before it is known whom a process that ended suddenly may have told (lane/doubt.rs);
//! - a lane that is too far behind stops sending and gives up what it missed (lane/behind.rs), which
//!   can be sent again (lane/replay.rs).

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use selfsame_event::{ItemPosition, ProfileId, Time};

use crate::breaker::Breaker;
use crate::budget::{RetryBudget, Spent};
use crate::feed::Effect;
use crate::image::Image;
use crate::outcome::{Failure, Outcome};
use crate::range::DeadRange;
use crate::record::{Aside, Attempt, Counts};
use crate::retry::RetryPolicy;
use crate::share::Share;
use crate::status::Pause;
use crate::told::Tell;

mod apart;
mod behind;
mod cancel;
mod doubt;
mod finish;
mod late;
mod offer;
mod replay;
mod resend;
mod step;
mod supersede;
mod together;
mod turns;

pub(crate) use late::LATE;
pub(crate) use offer::{Offer, Unwanted};
pub(crate) use replay::Reread;
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
    pub(crate) retries: RetryBudget,
    /// How many effects of a profile may go at once, in order.
    pub(crate) together: usize,
    /// For how long later events of a profile wait for one that fails, where that is bounded.
    pub(crate) late_after: Option<Duration>,
}

/// An attempt to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Send {
    pub(crate) effect: Effect,
    /// 1 for the first.
    pub(crate) number: u32,
    /// What of it.
    pub(crate) share: Share,
    /// The first of those of its profile that go at once, in order.
    pub(crate) leader: ItemPosition,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    pub(crate) started: Time,
    pub(crate) took_ms: u32,
    pub(crate) note: String,
    /// What recipients were told by it, or may have been.
    pub(crate) told: Vec<Tell>,
    /// What became of its actions, where it has any.
    pub(crate) taken: Option<Taken>,
}

impl Report {
    /// One about which there is nothing to say.
    pub(crate) fn quiet(outcome: Outcome, started: Time) -> Self {
        let (note, told, taken) = (String::new(), Vec::new(), None);
        Self { outcome, started, took_ms: 0, note, told, taken }
    }
}

/// What became of the actions of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Those that were open: at the first look, all that want it.
    pub(crate) open: Share,
    /// Those that were tried; the rest stays open.
    pub(crate) tries: Vec<Try>,
}

/// How an action went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Try {
    pub(crate) action: u8,
    pub(crate) outcome: Outcome,
    pub(crate) started: Time,
    pub(crate) took_ms: u32,
    pub(crate) note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Delivered,
    Withheld(crate::outcome::Withheld),
    /// When it was to be sent, it was not so any more.
    Outdated,
    /// A newer one took its place while it waited. It was not sent for that.
    Superseded,
    /// Its actions have ended, each in its way.
    Apart {
        /// Whether some of them died.
        is_deadly: bool,
    },
    Dead {
        died: Time,
        failure: Failure,
        status: Option<u16>,
    },
    /// In a dead range now.
    GivenUp,
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
    /// Whether later ones of its profile do not wait for it any more.
    is_late: bool,
    /// What is left of it, and what ended and is not told of yet.
    share: Share,
    closed: apart::Closed,
    /// For how many it counts in [`Lane::aside_units`].
    held: u64,
}

/// The open effects of a profile.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeSet<ItemPosition>,
    /// In flight, or ended in a way that must be durable before the next one goes.
    busy: BTreeSet<ItemPosition>,
    /// The one of `waiting` that is in `fresh`, `anew`, `again` or `due`, or held back by a doubt.
    scheduled: Option<ItemPosition>,
    aside: usize,
    /// How many others do not wait for.
    late: usize,
}

#[derive(Debug)]
enum Slot {
    Item(ItemPosition),
    /// Effects that are not wanted, up to a place.
    Filtered(Unwanted, ItemPosition),
}

/// Attempts, and what they told, that may wait to be appended. At the limit nothing is sent.
const STEP_ATTEMPTS: usize = 1_000;
const STEP_TELLS: usize = 20_000;

#[derive(Debug)]
pub(crate) struct Lane {
    limits: Limits,
    policy: RetryPolicy,
    /// The durable state once the taken step is durable.
    image: Image,
    counts: Counts,
    paused: Option<Pause>,
    /// Where the window begins.
    passed: ItemPosition,
    read_to: ItemPosition,
    items: BTreeMap<ItemPosition, Item>,
    lines: HashMap<ProfileId, Line>,
    window: VecDeque<Slot>,
    window_items: usize,
    /// How many of the window are to be filtered.
    filtered_ahead: u64,
    /// First attempts that may go, those of what is sent again, retries that may go, and what waits
    /// for its time.
    fresh: BTreeSet<ItemPosition>,
    anew: BTreeSet<ItemPosition>,
    again: BTreeSet<ItemPosition>,
    due: BTreeSet<(Time, ItemPosition)>,
    /// When others do not wait for what failed any more.
    overdue: BTreeSet<(Time, ItemPosition)>,
    /// Whose turn it is of the three.
    turn: usize,
    spent: Spent,
    /// Whether retries that may go wait for the budget.
    is_held: bool,
    in_flight: usize,
    /// Ended, not durable.
    ended: usize,
    dying: usize,
    aside: usize,
    /// For how many those aside count.
    aside_units: u64,
    /// Failures in a row for which the credentials are to blame.
    denials: u32,
    breaker: Breaker,
    hold_until: Time,
    last_failure: Option<Failure>,
    /// Items aside that changed since the last step.
    changed: BTreeSet<ItemPosition>,
    resent: BTreeSet<ItemPosition>,
    ranges: BTreeMap<ItemPosition, DeadRange>,
    changed_ranges: BTreeSet<ItemPosition>,
    dropped: Vec<ItemPosition>,
    giving_up: Option<behind::GivingUp>,
    /// Opened from ranges, not in a step yet; and not sent yet.
    replayed: Vec<ItemPosition>,
    unsent: BTreeSet<ItemPosition>,
    reread_at: Time,
    attempts: Vec<Attempt>,
    tells: Vec<Tell>,
    doubt: doubt::Doubt,
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
            passed: image.cursor,
            read_to: image.cursor,
            items: BTreeMap::new(),
            lines: HashMap::new(),
            window: VecDeque::new(),
            window_items: 0,
            filtered_ahead: 0,
            fresh: BTreeSet::new(),
            anew: BTreeSet::new(),
            again: BTreeSet::new(),
            due: BTreeSet::new(),
            overdue: BTreeSet::new(),
            turn: 0,
            spent: Spent::new(limits.retries),
            is_held: false,
            in_flight: 0,
            ended: 0,
            dying: 0,
            aside: image.aside.len(),
            aside_units: 0,
            denials: 0,
            breaker: Breaker::default(),
            hold_until: Time::EPOCH,
            last_failure: None,
            changed: BTreeSet::new(),
            resent: BTreeSet::new(),
            ranges: image.ranges.clone(),
            changed_ranges: BTreeSet::new(),
            dropped: Vec::new(),
            giving_up: None,
            replayed: Vec::new(),
            unsent: BTreeSet::new(),
            reread_at: Time::EPOCH,
            attempts: Vec::new(),
            tells: Vec::new(),
            doubt: doubt::Doubt::default(),
            settling: Vec::new(),
            taken: false,
            image,
        };
        let asides: Vec<Aside> = lane.image.aside.values().copied().collect();
        for Aside { effect, attempts, first_attempt, due, share } in asides {
            let state = State::Idle { due: Some(due) };
            let item = Item { attempts, first_attempt, state, share, ..Item::new(effect) };
            lane.open(Item { aside: true, ..item });
            lane.count_aside(effect.at);
            lane.note_overdue(effect.at);
        }
        lane
    }

    /// Takes a change of the limits.
    pub(crate) fn set_limits(&mut self, limits: Limits) {
        let in_flight = self.limits.in_flight.max(limits.in_flight);
        let is_other_order = self.limits.late_after != limits.late_after;
        self.limits = Limits { in_flight, ..limits };
        self.spent.set_budget(limits.retries);
        if is_other_order {
            self.find_overdue();
        }
    }

    /// Where to read on.
    pub(crate) fn read_to(&self) -> ItemPosition {
        self.read_to
    }

    /// How many effects may be read.
    pub(crate) fn room(&self) -> usize {
        self.limits.in_flight.saturating_sub(self.window_items)
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
        let next = line.waiting.first().copied().filter(|_| line.busy.is_empty());
        if line.scheduled == next {
            if next.is_none() && line.busy.is_empty() && line.aside + line.late == 0 {
                self.lines.remove(&profile);
            }
            return;
        }
        let before = std::mem::replace(&mut line.scheduled, next);
        if let Some(at) = before {
            self.unschedule(at);
        }
        if let Some(at) = next {
            self.place(at);
        }
    }

    /// Puts an effect that goes next where it waits for its turn or its time.
    fn place(&mut self, at: ItemPosition) {
        let Some(item) = self.items.get(&at) else { return };
        if self.doubt.hold(&item.effect, self.read_to) {
            return;
        }
        match item.state {
            State::Idle { due: Some(due) } => self.due.insert((due, at)),
            State::Idle { due: None } => self.fresh.insert(at),
            State::InFlight | State::Ended(_) => false,
        };
    }

    /// Takes an effect from where it waits for its turn or its time.
    fn unschedule(&mut self, at: ItemPosition) {
        self.fresh.remove(&at);
        self.anew.remove(&at);
        self.again.remove(&at);
        self.doubt.forget(at);
        if let Some(State::Idle { due: Some(due) }) = self.items.get(&at).map(|item| item.state) {
            self.due.remove(&(due, at));
        }
    }

    /// The attempts to make now, no more than about `most`. Each must be answered by [`Lane::finished`].
    pub(crate) fn sends(&mut self, now: Time, most: usize) -> Vec<Send> {
        let mut sends = Vec::new();
        let is_full = self.attempts.len() >= STEP_ATTEMPTS || self.tells.len() >= STEP_TELLS;
        if self.paused.is_some() || now < self.hold_until || is_full {
            return sends;
        }
        self.let_pass(now);
        while let Some(&(due, at)) = self.due.first().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, at));
            let is_first = self.items.get(&at).is_some_and(|item| item.attempts == 0);
            if is_first {
                self.anew.insert(at)
            } else {
                self.again.insert(at)
            };
        }
        if let Some(probe_at) = self.breaker.probe_at() {
            let sets = [&self.fresh, &self.anew, &self.again];
            let first = sets.into_iter().find_map(|set| set.first().copied());
            let first = first.or_else(|| self.due.first().map(|(_, at)| *at));
            if now >= probe_at && self.in_flight == 0 && self.ended < self.limits.in_flight {
                sends.extend(first.map(|at| self.send(at, at, now)));
            }
            return sends;
        }
        while sends.len() < most
            && self.in_flight < self.limits.concurrency
            && self.in_flight + self.ended < self.limits.in_flight
        {
            let Some(at) = self.pick(now) else { break };
            sends.push(self.send(at, at, now));
            self.send_with(at, now, &mut sends);
        }
        self.is_held = !self.again.is_empty() && !self.spent.allows(now);
        sends
    }

    fn send(&mut self, at: ItemPosition, leader: ItemPosition, now: Time) -> Send {
        self.unschedule(at);
        self.unsent.remove(&at);
        let item = self.items.get_mut(&at).expect("what is scheduled is open");
        let Item { effect, attempts, share, .. } = *item;
        let send = Send { effect, number: attempts.saturating_add(1), share, leader };
        self.spent.note(now, send.number > 1);
        item.state = State::InFlight;
        self.in_flight += 1;
        if !item.is_late {
            let line = self.lines.get_mut(&item.effect.profile).expect("an open effect has a line");
            line.waiting.remove(&at);
            line.scheduled = None;
            line.busy.insert(at);
        }
        send
    }

    /// When something may be sent that may not now.
    pub(crate) fn wake_at(&self, now: Time) -> Option<Time> {
        if self.paused.is_some() || self.lines.is_empty() {
            return None;
        }
        let next = match self.breaker.probe_at() {
            _ if now < self.hold_until => Some(self.hold_until),
            Some(_) if self.in_flight > 0 => None,
            Some(probe_at) => Some(probe_at),
            None => {
                let held = self.is_held.then(|| self.spent.ask_at(now));
                let waits = [self.due.first(), self.overdue.first()].into_iter().flatten();
                waits.map(|(due, _)| *due).chain(held).min()
            }
        };
        next.filter(|at| *at > now)
    }

    /// Whether it is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Whether it is paused because of its credentials.
    pub(crate) fn is_denied(&self) -> bool {
        self.paused == Some(Pause::Denied)
    }

    /// Begins to send again after the receiver said that it is gone or refused the credentials, or after it
    /// was too far behind.
    pub(crate) fn resume(&mut self) {
        self.paused = None;
        self.denials = 0;
        self.giving_up = None;
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
