//! A change that replaces an older one of the same person and subject which was not sent yet.
//!
//! The receiver is told how things are, not how often they changed while it could not be told. The
//! older one ends at once, wherever it waited: its place in the trace says which one replaced it.

use selfsame_event::ItemPosition;

use super::apart::Closed;
use super::{End, Item, Lane, State};
use crate::feed::Effect;
use crate::outcome::{Outcome, Withheld};
use crate::record::Attempt;
use crate::share::Share;

impl Item {
    /// An effect that was just read.
    pub(super) fn new(effect: Effect) -> Self {
        let state = State::Idle { due: None };
        Self {
            effect,
            attempts: 0,
            first_attempt: None,
            state,
            aside: false,
            is_late: false,
            share: Share::WHOLE,
            closed: Closed::default(),
            held: 0,
        }
    }
}

impl Lane {
    /// Ends what an effect that was just read replaces.
    pub(super) fn supersede(&mut self, by: &Effect) {
        if by.subject.is_none() {
            return;
        }
        let Some(line) = self.lines.get(&by.profile) else { return };
        let is_older = |at: &&ItemPosition| {
            self.items.get(*at).is_some_and(|item| item.effect.topic() == by.topic())
        };
        let older: Vec<ItemPosition> = line.waiting.iter().filter(is_older).copied().collect();
        for at in older {
            self.replace(at, by);
        }
    }

    fn replace(&mut self, at: ItemPosition, by: &Effect) {
        self.unschedule(at);
        self.unsent.remove(&at);
        let item = self.items.get_mut(&at).expect("what waits is open");
        item.state = State::Ended(End::Superseded);
        if item.aside {
            self.changed.insert(at);
        }
        let number = item.attempts;
        let line = self.lines.get_mut(&by.profile).expect("an open effect has a line");
        line.waiting.remove(&at);
        line.scheduled = line.scheduled.filter(|scheduled| *scheduled != at);
        let outcome = Outcome::Withheld(Withheld::Superseded);
        let (started, note) = (by.log_time, by.at.to_string());
        self.attempts.push(Attempt {
            at,
            number,
            started,
            took_ms: 0,
            outcome,
            note,
            action: None,
        });
    }
}
