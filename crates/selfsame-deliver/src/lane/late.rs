//! Order that is relaxed: later events of a profile wait for one that fails for so long and no longer.
//!
//! ```text
//! event 1   failed      failed            | failed    taken: late
//! event 2   waits ........................| taken
//! event 3   waits ........................|    taken
//!           first attempt                 five minutes later
//! ```
//!
//! What others do not wait for any more goes by itself when its time comes. When it is taken, its attempt says
//! that it was late. Changes of computed traits and audiences keep their order: a newer one replaces them.

use selfsame_event::{ItemPosition, Time};

use super::{Lane, State};
use crate::retry::plus;

/// The note of an attempt that delivered what later events did not wait for.
pub(crate) const LATE: &str = "late: later events of its profile did not wait for it";

impl Lane {
    /// Notes when others do not wait for an effect any more that waits to be tried again.
    pub(super) fn note_overdue(&mut self, at: ItemPosition) {
        let Some((after, item)) = self.limits.late_after.zip(self.items.get(&at)) else { return };
        let is_open = !item.is_late && item.effect.subject.is_none();
        if let Some(first) = item.first_attempt.filter(|_| is_open) {
            self.overdue.insert((plus(first, after), at));
        }
    }

    /// Looks for all of them, by a new limit.
    pub(super) fn find_overdue(&mut self) {
        self.overdue.clear();
        let waits = |state: State| matches!(state, State::Idle { due: Some(_) });
        let waiting = self.items.iter().filter(|(_, item)| waits(item.state));
        let waiting: Vec<ItemPosition> = waiting.map(|(at, _)| *at).collect();
        waiting.into_iter().for_each(|at| self.note_overdue(at));
    }

    /// Lets later events go that have waited for long enough.
    pub(super) fn let_pass(&mut self, now: Time) {
        while let Some(&(time, at)) = self.overdue.first().filter(|(time, _)| *time <= now) {
            self.overdue.remove(&(time, at));
            let Some(item) = self.items.get(&at) else { continue };
            // One that is in flight comes back if it fails.
            let State::Idle { due: Some(due) } = item.state else { continue };
            self.unschedule(at);
            let item = self.items.get_mut(&at).expect("just seen");
            item.is_late = true;
            let profile = item.effect.profile;
            let line = self.lines.get_mut(&profile).expect("an open effect has a line");
            line.waiting.remove(&at);
            line.scheduled = line.scheduled.filter(|scheduled| *scheduled != at);
            line.late += 1;
            self.due.insert((due, at));
            self.schedule(profile);
        }
    }

    /// What an attempt says that has ended well.
    pub(super) fn note_of(&self, at: ItemPosition, note: String) -> String {
        let is_late = self.items.get(&at).is_some_and(|item| item.is_late);
        if is_late { LATE.to_owned() } else { note }
    }
}
