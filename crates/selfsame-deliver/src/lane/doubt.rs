//! What a process that ended suddenly may have sent without writing it down.
//!
//! ```text
//! cursor of the ledger                     what the feed had when it ended
//! |x|x|x|x|x|x| ........................... |
//! as many as may be in flight at once, and those aside
//! ```
//!
//! Whom such a change may have told something else than the ledger has of them is unsure, and differs from
//! everything since. Until that is noted of all of them, no change is sent: what one of them may have told
//! somebody can be the news of any other one, also of one that has another profile. Noting it takes a look at
//! the state and no request, so a destination that does not answer holds up nothing by it.
//!
//! Nor is a change sent before the state is folded again up to where it was: what was told last may be newer
//! than that, and nobody would say it again.

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::ItemPosition;

use super::{Lane, STEP_TELLS};
use crate::feed::Effect;
use crate::told::Tell;

/// What is in doubt, and what waits for that.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// Only what is before this place can have been sent.
    until: ItemPosition,
    /// How far the state is folded.
    folded: ItemPosition,
    /// How many more of those that are read.
    left: usize,
    /// Of which it is not noted whom they may have told.
    open: BTreeMap<ItemPosition, Effect>,
    /// Changes whose turn it is, but for that.
    held: BTreeSet<ItemPosition>,
}

impl Doubt {
    /// Takes note of an effect that was just read.
    fn see(&mut self, effect: &Effect) {
        if self.left == 0 || effect.at >= self.until {
            return;
        }
        self.left -= 1;
        if effect.subject.is_some() {
            self.open.insert(effect.at, *effect);
        }
    }

    fn is_settled(&self, read_to: ItemPosition) -> bool {
        let is_read = self.left == 0 || read_to >= self.until;
        self.folded >= self.until && is_read && self.open.is_empty()
    }

    /// Keeps a change back. `false` if nothing is in doubt.
    pub(super) fn hold(&mut self, effect: &Effect, read_to: ItemPosition) -> bool {
        let is_held = effect.subject.is_some() && !self.is_settled(read_to);
        is_held && self.held.insert(effect.at)
    }

    pub(super) fn forget(&mut self, at: ItemPosition) {
        self.held.remove(&at);
    }
}

impl Lane {
    /// A process before this one may have sent some of what is before this place, and what is aside.
    pub(crate) fn doubt(&mut self, until: ItemPosition) {
        (self.doubt.until, self.doubt.left) = (until, self.limits.in_flight);
        let aside = self.items.values().map(|item| item.effect);
        let changes = aside.filter(|effect| effect.subject.is_some());
        self.doubt.open.extend(changes.map(|effect| (effect.at, effect)));
        let scheduled: Vec<_> = self.lines.values().filter_map(|line| line.scheduled).collect();
        for at in scheduled {
            self.unschedule(at);
            self.place(at);
        }
    }

    /// Takes note of what is in doubt of an effect that was just read, and is wanted.
    pub(super) fn see_doubtful(&mut self, effect: &Effect) {
        self.doubt.see(effect);
    }

    /// The state is folded up to there.
    pub(crate) fn folded(&mut self, to: ItemPosition) {
        self.doubt.folded = to.max(self.doubt.folded);
        self.release();
    }

    /// So many of the changes of which it is to be noted whom they may have told, in order.
    pub(crate) fn doubtful(&self, most: usize) -> Vec<Effect> {
        let is_full = self.tells.len() >= STEP_TELLS;
        let open = self.doubt.open.values().take(if is_full { 0 } else { most });
        open.copied().collect()
    }

    /// Of one of these it was noted: who is unsure by it.
    pub(crate) fn doubted(&mut self, at: ItemPosition, unsure: Vec<Tell>) {
        self.tells.extend(unsure);
        self.doubt.open.remove(&at);
        self.release();
    }

    /// Lets changes go, once nothing is in doubt any more.
    pub(super) fn release(&mut self) {
        if !self.doubt.is_settled(self.read_to) {
            return;
        }
        for at in std::mem::take(&mut self.doubt.held) {
            self.place(at);
        }
    }
}
