//! Which definitions are evaluated: of those that an event has a part in, the ones that it may change for somebody.

use selfsame_event::Time;

use super::plans::SpacePlans;
use super::ranks::Ranks;
use super::row::{Held, Values};

/// Which definitions are to be evaluated.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'e> {
    /// All of them.
    All,
    /// Those whose moment has come.
    Due,
    /// These.
    Some(Ranks),
    /// Those that an event may have changed.
    By(&'e ByEvent),
}

/// What one more event of somebody may have changed. It sets no trait, but may change computed ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByEvent {
    pub(super) happened: Time,
    /// What it has a part in.
    pub(super) ranks: Ranks,
    /// Of audiences, those that it may bring somebody into,
    begins: Ranks,
    /// and those that it may bring somebody out of.
    ends: Ranks,
    /// Those that read a trait which it may have changed.
    pub(super) by_trait: Ranks,
}

impl ByEvent {
    /// An event of these streams.
    pub(super) fn new(happened: Time, plans: &SpacePlans, touched: &[u32]) -> Self {
        let (mut ranks, mut begins, mut ends, mut by_trait) =
            <(Ranks, Ranks, Ranks, Ranks)>::default();
        for touch in touched.iter().flat_map(|stream| plans.of_stream(*stream)) {
            ranks.insert(touch.rank);
            if touch.sway.begins {
                begins.insert(touch.rank);
            }
            if touch.sway.ends {
                ends.insert(touch.rank);
            }
            if touch.by_trait {
                by_trait.insert(touch.rank);
            }
        }
        Self { happened, ranks, begins, ends, by_trait }
    }

    /// Those that it may have changed of somebody who has these values.
    pub(super) fn wanted(&self, plans: &SpacePlans, values: &Values<'_>) -> Ranks {
        let mut wanted = self.ranks.and(plans.stored);
        let mut one_sided = wanted.without(self.begins.and(self.ends));
        while let Some(rank) = one_sided.pop_first() {
            let row = plans.live.get(rank).and_then(|plan| values.get(plan.number));
            let is_in = row.is_some_and(|row| matches!(row.held, Held::In(_)));
            // Whoever was never looked at may be in it.
            let may_begin = self.begins.has(rank) || !plans.walked.has(rank);
            let may_change = if is_in { self.ends.has(rank) } else { may_begin };
            if !may_change && row.is_none_or(|row| !row.is_approximate) {
                wanted.remove(rank);
            }
        }
        wanted
    }
}
