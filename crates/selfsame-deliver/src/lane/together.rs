//! Effects of one profile that go at once, because the receiver takes lists in order.
//!
//! None of them is taken without those before it: what sends them says of the first that failed that it did, and
//! of those behind it that they were not tried. So all of them wait again, and keep their order.

use selfsame_event::{ItemPosition, Time};

use super::{Lane, Send, State};

impl Lane {
    /// Sends those that wait right behind an effect with it, as many as may go.
    pub(super) fn send_with(&mut self, leader: ItemPosition, now: Time, sends: &mut Vec<Send>) {
        for _ in 1..self.limits.together {
            let has_room = self.in_flight < self.limits.concurrency
                && self.in_flight + self.ended < self.limits.in_flight;
            let next = has_room.then(|| self.next_of(leader, now)).flatten();
            let Some(at) = next else { return };
            sends.push(self.send(at, leader, now));
        }
    }

    /// What waits next behind an effect that goes, if it is an event and may go.
    fn next_of(&self, leader: ItemPosition, now: Time) -> Option<ItemPosition> {
        let leader = self.items.get(&leader).filter(|leader| !leader.is_late)?.effect;
        let at = *self.lines.get(&leader.profile)?.waiting.first()?;
        let item = self.items.get(&at)?;
        let is_due = match item.state {
            State::Idle { due } => due.is_none_or(|due| due <= now),
            State::InFlight | State::Ended(_) => false,
        };
        let are_events = leader.subject.is_none() && item.effect.subject.is_none();
        (is_due && are_events).then_some(at)
    }
}
