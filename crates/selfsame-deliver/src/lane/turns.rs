//! Whose turn it is to be sent.

use selfsame_event::{ItemPosition, Time};

use super::Lane;

impl Lane {
    /// The next to go: retries, first attempts and those of what is sent again in turn, so that none
    /// starves another. The last that may go is the earliest one, which is what the cursor waits for.
    pub(super) fn pick(&mut self, now: Time) -> Option<ItemPosition> {
        let again = self.again.first().copied().filter(|_| self.spent.allows(now));
        let kinds = [again, self.fresh.first().copied(), self.anew.first().copied()];
        if self.in_flight + self.ended + 1 >= self.limits.in_flight {
            let first = kinds.into_iter().flatten().min();
            // A retry that the budget holds back keeps its turn.
            return first.filter(|first| self.again.first().is_none_or(|at| at >= first));
        }
        self.turn = (self.turn + 1) % kinds.len();
        (0..kinds.len()).find_map(|step| kinds[(self.turn + step) % kinds.len()])
    }
}
