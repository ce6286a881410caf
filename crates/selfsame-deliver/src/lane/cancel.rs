//! What is not to be sent any more, because somebody ended it.

use selfsame_event::{ItemPosition, ProfileId};

use super::{End, Lane, State};
use crate::outcome::Withheld;

impl Lane {
    /// Ends what waits; what is in flight goes on. What was sent and not taken ends too.
    pub(crate) fn withhold(&mut self) {
        let is_waiting = |state: State| matches!(state, State::Idle { .. });
        let waiting = self.items.iter().filter(|(_, item)| is_waiting(item.state));
        let waiting: Vec<ItemPosition> = waiting.map(|(at, _)| *at).collect();
        for at in waiting {
            self.unschedule(at);
            self.unsent.remove(&at);
            let item = self.items.get_mut(&at).expect("just seen");
            item.state = State::Ended(End::Withheld(Withheld::Cancelled));
            if item.aside {
                self.changed.insert(at);
            }
            let line = self.lines.get_mut(&item.effect.profile).expect("an open effect has a line");
            line.waiting.remove(&at);
            line.scheduled = line.scheduled.filter(|scheduled| *scheduled != at);
            self.ended += 1;
        }
    }

    /// Whose an effect is that was read and is not durably ended.
    pub(crate) fn profile_of(&self, at: ItemPosition) -> Option<ProfileId> {
        self.items.get(&at).map(|item| item.effect.profile)
    }

    /// Whether nothing that was read is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.window.is_empty()
    }
}
