//! A lane that is too far behind: it stops sending, and what it missed becomes a dead range.
//!
//! First what is in flight ends. Then the window is given up in one step, and page by page what the
//! feed has behind it, up to where its end was. Each step tells of the cursor, of the counts and of the
//! range together, so that every effect is accounted for at any moment, also when a crash comes
//! between two pages.

use selfsame_event::{ItemPosition, Time};

use super::{End, Lane, Slot, State, Unwanted, behind};
use crate::connection::Filter;
use crate::feed::FeedPage;
use crate::range::{Beyond, DeadRange, MAX_RANGES};
use crate::record::Step;
use crate::status::Pause;

/// What is being given up.
#[derive(Debug, Clone)]
pub(super) struct GivingUp {
    reason: Beyond,
    since: Time,
    /// Up to here.
    to: ItemPosition,
    filter: Filter,
    /// The range that it is put into, once there is one.
    range: Option<ItemPosition>,
}

impl GivingUp {
    /// What follows goes into another range.
    pub(super) fn forget_range(&mut self) {
        self.range = None;
    }
}

impl Lane {
    /// The cursor is beyond a limit: nothing is sent until somebody resumes, and what the feed has
    /// before `to` becomes a dead range. `false` where there are too many ranges already: then the
    /// cursor stays.
    pub(crate) fn fall_behind(
        &mut self,
        reason: Beyond,
        to: ItemPosition,
        now: Time,
        filter: Filter,
    ) -> bool {
        let last = self.ranges.last_key_value().map(|(_, range)| range);
        let goes_on = last.is_some_and(|last| last.goes_on(self.image.cursor, &filter));
        if self.ranges.len() >= MAX_RANGES && !goes_on {
            return false;
        }
        self.paused = self.paused.or(Some(Pause::Behind));
        let before = self.giving_up.as_ref().map_or(to, |before| before.to);
        let range = self.giving_up.as_ref().and_then(|before| before.range);
        self.giving_up = Some(GivingUp { reason, since: now, to: to.max(before), filter, range });
        true
    }

    /// Whether nothing before a place waits to be looked at: then there is nothing to give up.
    pub(crate) fn has_passed(&self, to: ItemPosition) -> bool {
        self.window.is_empty() && self.read_to >= to
    }

    /// Whether pages of the feed are given up now.
    pub(crate) fn is_giving_up(&self) -> bool {
        self.giving_up.is_some() && self.window.is_empty()
    }

    /// The range to put an effect into that begins at `here`, where the one before it ends.
    fn open_range(&mut self, here: ItemPosition, filter: &Filter) -> Option<ItemPosition> {
        let giving_up = self.giving_up.as_mut()?;
        let last = self.ranges.last_key_value().map(|(_, range)| range);
        let open = last.filter(|last| last.goes_on(here, filter)).map(|last| last.from);
        giving_up.range = open;
        open
    }

    /// Counts a dead effect into the open range, which begins with it if there is none.
    fn bury(&mut self, at: ItemPosition, filter: &Filter) {
        let Some(giving_up) = self.giving_up.as_mut() else { return };
        let (reason, since) = (giving_up.reason, giving_up.since);
        let from = *giving_up.range.get_or_insert(at);
        let range = self.ranges.entry(from).or_insert_with(|| DeadRange {
            from,
            to: from,
            at: from,
            reason,
            since,
            events: 0,
            is_resending: false,
            is_partly_gone: false,
            filter: filter.clone(),
            ended: Vec::new(),
        });
        range.events += 1;
        self.changed_ranges.insert(from);
    }

    /// Says how far the open range goes.
    fn stretch(&mut self, to: ItemPosition) {
        let open = self.giving_up.as_ref().and_then(|giving_up| giving_up.range);
        if let Some(range) = open.and_then(|from| self.ranges.get_mut(&from))
            && range.to != to
        {
            range.to = to;
            self.changed_ranges.insert(range.from);
        }
    }

    /// Gives up the window, once nothing is in flight.
    pub(super) fn give_up_window(&mut self, step: &mut Step) {
        let giving_up = self.giving_up.clone().filter(|_| self.in_flight == 0);
        let Some(GivingUp { filter, .. }) = giving_up else { return };
        if self.window.is_empty() {
            return self.finish_giving_up();
        }
        self.open_range(step.cursor, &filter);
        while let Some(slot) = self.window.pop_front() {
            match slot {
                Slot::Filtered(Unwanted { count, by_name }, to) => {
                    self.filtered_ahead -= count;
                    self.counts.looked += count;
                    self.counts.filtered += count - by_name;
                    (0..by_name).for_each(|_| self.bury(step.cursor, &filter));
                    step.cursor = to;
                }
                Slot::Item(at) => {
                    self.window_items -= 1;
                    self.counts.looked += 1;
                    let state = self.items.get(&at).expect("the window's effects are open").state;
                    if let State::Ended(end) = state {
                        self.settle(at, end, step);
                        self.note_ended(at);
                    } else {
                        self.bury(at, &filter);
                        self.detach(at);
                    }
                    step.cursor = behind(at);
                }
            }
            self.stretch(step.cursor);
        }
        step.cursor = step.cursor.max(self.read_to);
        self.stretch(step.cursor);
        self.finish_giving_up();
    }

    /// An effect within the open range is not part of it.
    fn note_ended(&mut self, at: ItemPosition) {
        let open = self.giving_up.as_ref().and_then(|giving_up| giving_up.range);
        if let Some(range) = open.and_then(|from| self.ranges.get_mut(&from)) {
            range.ended.push(at);
            self.changed_ranges.insert(range.from);
        }
    }

    /// Takes a waiting effect out of its line for good.
    fn detach(&mut self, at: ItemPosition) {
        self.unschedule(at);
        let item = self.items.get_mut(&at).expect("the window's effects are open");
        item.state = State::Ended(End::GivenUp);
        let line = self.lines.get_mut(&item.effect.profile).expect("an open effect has a line");
        line.waiting.remove(&at);
        line.scheduled = line.scheduled.filter(|scheduled| *scheduled != at);
        self.settling.push(at);
    }

    /// Gives up effects that were read at [`Lane::read_to`]. Asked only while [`Lane::is_giving_up`].
    pub(crate) fn give_up(&mut self, page: FeedPage, filter: &Filter) {
        let FeedPage { effects, next } = page;
        self.open_range(self.read_to, filter);
        for effect in effects {
            self.counts.looked += 1;
            if filter.accepts(effect.topic()) {
                self.see_doubtful(&effect);
                self.bury(effect.at, filter);
            } else {
                self.counts.filtered += 1;
            }
        }
        self.stretch(next);
        // The window is empty: what is read next may come before the step that says so.
        (self.passed, self.read_to) = (next, next);
        self.release();
        self.finish_giving_up();
    }

    fn finish_giving_up(&mut self) {
        let read_to = self.read_to;
        self.giving_up = self.giving_up.take().filter(|giving_up| read_to < giving_up.to);
    }
}
