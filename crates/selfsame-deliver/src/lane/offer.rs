//! What enters the window: effects that are wanted, and how many were not between them.

use selfsame_event::ItemPosition;

use super::{Item, Lane, Slot, behind};
use crate::connection::Filter;
use crate::feed::{Effect, FeedPage};

/// So many effects that are not wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Unwanted {
    pub(crate) count: u64,
    /// How many of them only their names kept out. The filter of a dead range knows none: there they count as
    /// dead, and are filtered when they are sent again.
    pub(crate) by_name: u64,
}

/// Effects that are chosen of those that were read at [`Lane::read_to`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer<'o> {
    /// Each with its number among all of them.
    pub(crate) chosen: &'o [(u64, Effect)],
    /// The number of the first, and that behind the last.
    pub(crate) numbers: (u64, u64),
    pub(crate) next: ItemPosition,
}

impl Lane {
    /// Takes effects that were read at [`Lane::read_to`].
    pub(crate) fn offer(&mut self, page: FeedPage, filter: &Filter) {
        let FeedPage { effects, next } = page;
        let numbers = (0, effects.len() as u64);
        let chosen = (0_u64..).zip(effects).filter(|(_, one)| filter.accepts(one.topic()));
        let chosen: Vec<_> = chosen.collect();
        self.take(Offer { chosen: &chosen, numbers, next }, usize::MAX, |_, _| 0);
    }

    /// Takes what is chosen, as far as there is room. `by_name` says of a span of numbers how many of them only
    /// their names kept out.
    pub(crate) fn choose(&mut self, offer: Offer<'_>, by_name: impl Fn(u64, u64) -> u64) {
        self.take(offer, self.room(), by_name);
    }

    fn take(&mut self, offer: Offer<'_>, room: usize, by_name: impl Fn(u64, u64) -> u64) {
        let Offer { chosen, numbers: (mut from, total), next } = offer;
        let unwanted =
            |from: u64, to: u64| Unwanted { count: to - from, by_name: by_name(from, to) };
        for (taken, (number, effect)) in chosen.iter().enumerate() {
            debug_assert!(effect.at >= self.read_to, "the feed is in order");
            self.pass(unwanted(from, *number), effect.at);
            from = *number;
            if taken == room {
                return;
            }
            self.see_doubtful(effect);
            self.window.push_back(Slot::Item(effect.at));
            self.window_items += 1;
            self.supersede(effect);
            self.open(Item::new(*effect));
            self.read_to = behind(effect.at);
            from += 1;
        }
        self.pass(unwanted(from, total), next);
    }

    /// Takes note of effects that are not wanted, up to a place.
    pub(crate) fn pass(&mut self, more: Unwanted, upto: ItemPosition) {
        self.read_to = upto;
        if more.count > 0 {
            self.filtered_ahead += more.count;
            if let Some(Slot::Filtered(before, to)) = self.window.back_mut() {
                before.count += more.count;
                before.by_name += more.by_name;
                *to = upto;
            } else {
                self.window.push_back(Slot::Filtered(more, upto));
            }
        }
        self.release();
    }
}
