//! What became of an effect at a connection, told from what is kept of it.
//!
//! | what says so | what it says |
//! |---|---|
//! | where the connection began | nothing before that was for it |
//! | the cursor, and what is aside | not looked at yet, in flight or waiting |
//! | dead letters and dead ranges | given up, and why |
//! | attempts, as far back as they are kept | delivered, or filtered and why; replayed |
//! | types and triggers, as they are configured now | the rest: it has ended, and how is *derived* |
//!
//! Here is decided, from these; what they are is read elsewhere (handle/reconciling.rs).

use std::collections::BTreeMap;

use selfsame_event::{ItemPosition, Time};

use crate::connection::Filter;
use crate::feed::Effect;
use crate::outcome::{Failure, Outcome, Withheld};
use crate::range::DeadRange;
use crate::share::Share;

/// What became of a unit: an effect, or an action of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It came before the connection began.
    Before,
    /// It is not looked at yet, in flight or waiting.
    Pending,
    /// The receiver took it.
    Delivered,
    /// The connection does not want events of that type, or is not told of that change.
    Unasked,
    /// It was not to be sent when it was its turn.
    Filtered(Withheld),
    /// It was given up.
    Dead(Failure),
    /// It is in a dead range.
    Missed,
    /// It has ended, and nothing that is kept says how.
    Unknown,
}

/// A unit, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// The number of the action, where the effect was taken apart.
    pub action: Option<u8>,
    /// What became of it.
    pub fate: Fate,
    /// Whether that is derived from what is configured now; else it was written down.
    pub is_derived: bool,
}

/// What became of an effect at a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its units; at least one.
    pub units: Vec<Unit>,
    /// How the newest replay of it ended, by its number, as long as that is kept.
    pub replayed: Option<(u32, Outcome)>,
}

/// What a connection knows of effects between two places.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledgered {
    pub(crate) cursor: ItemPosition,
    pub(crate) aside: BTreeMap<ItemPosition, Share>,
    pub(crate) dead: BTreeMap<ItemPosition, (Share, Failure)>,
    pub(crate) ranges: Vec<DeadRange>,
}

/// What attempts say of an effect: how the last of each action ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tried {
    /// By the number of the action, where there is one.
    pub(crate) live: BTreeMap<Option<u8>, Outcome>,
    pub(crate) replayed: Option<(u32, Outcome)>,
}

impl Tried {
    /// Takes an attempt, oldest first.
    pub(crate) fn note(&mut self, replay: u32, action: Option<u8>, outcome: Outcome) {
        match replay {
            0 => self.live.extend([(action, outcome)]),
            number => self.replayed = Some((number, outcome)),
        }
    }
}

/// Who wants an effect, by what is configured now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A connection without actions.
    Whole,
    /// These actions.
    By(Share),
    /// No action.
    Nobody,
    /// That cannot be found: its body is gone, or it is no event.
    Unknown,
}

/// What is known of a connection, for the effects of a page.
#[derive(Debug)]
pub(crate) struct Knowledge {
    pub(crate) begun: ItemPosition,
    pub(crate) filter: Filter,
    pub(crate) ledgered: Ledgered,
    /// When the oldest attempt began that is kept.
    pub(crate) reaches_back_to: Option<Time>,
}

impl Knowledge {
    /// What became of an effect. `wanted` is asked where nothing that was written down says it.
    pub(crate) fn standing(
        &self,
        effect: &Effect,
        tried: Option<&Tried>,
        wanted: impl FnOnce() -> Wanted,
    ) -> Standing {
        let replayed = tried.and_then(|tried| tried.replayed);
        let mut units = self.recorded(effect, tried);
        if units.is_empty() {
            units = self.derived(effect, wanted);
        }
        Standing { units, replayed }
    }

    /// The units of which something was written down.
    fn recorded(&self, effect: &Effect, tried: Option<&Tried>) -> Vec<Unit> {
        let at = effect.at;
        let whole = |fate| vec![Unit { action: None, fate, is_derived: false }];
        if at < self.begun {
            return whole(Fate::Before);
        }
        if self.ledgered.ranges.iter().any(|range| range.holds(at, effect.topic())) {
            return whole(Fate::Missed);
        }
        let mut fates: BTreeMap<Option<u8>, Fate> = BTreeMap::new();
        for (action, outcome) in tried.iter().flat_map(|tried| &tried.live) {
            fates.insert(*action, self.ended(at, *outcome));
        }
        if let Some((share, failure)) = self.ledgered.dead.get(&at) {
            fates.extend(of(*share).map(|action| (action, Fate::Dead(*failure))));
        }
        if let Some(share) = self.ledgered.aside.get(&at) {
            fates.extend(of(*share).map(|action| (action, Fate::Pending)));
        }
        // Once it was taken apart, what was said of the whole is over.
        if fates.len() > 1 {
            fates.remove(&None);
        }
        if fates.is_empty() && at >= self.ledgered.cursor {
            return whole(Fate::Pending);
        }
        fates.into_iter().map(|(action, fate)| Unit { action, fate, is_derived: false }).collect()
    }

    /// What the last attempt of a unit means that is neither dead nor aside.
    fn ended(&self, at: ItemPosition, outcome: Outcome) -> Fate {
        match outcome {
            Outcome::Delivered { .. } => Fate::Delivered,
            Outcome::Withheld(reason) => Fate::Filtered(reason),
            Outcome::Failed { .. } | Outcome::Postponed if at >= self.ledgered.cursor => {
                Fate::Pending
            }
            // The attempts that came after are not kept.
            Outcome::Failed { .. } | Outcome::Postponed => Fate::Unknown,
        }
    }

    /// The units of an effect that has ended, and of which nothing was written down or is kept.
    fn derived(&self, effect: &Effect, wanted: impl FnOnce() -> Wanted) -> Vec<Unit> {
        let whole = |fate| vec![Unit { action: None, fate, is_derived: true }];
        if !self.filter.accepts(effect.topic()) {
            return whole(Fate::Unasked);
        }
        let is_kept = self.reaches_back_to.is_some_and(|oldest| oldest <= effect.log_time);
        match wanted() {
            Wanted::Nobody => whole(Fate::Filtered(Withheld::Unmatched)),
            // Had it been sent, its attempt were kept: it was not wanted as things were then.
            _ if is_kept => whole(Fate::Filtered(Withheld::Unwanted)),
            Wanted::Whole => whole(Fate::Delivered),
            Wanted::By(share) => {
                let delivered = |action| Unit { action, fate: Fate::Delivered, is_derived: true };
                of(share).map(delivered).collect()
            }
            Wanted::Unknown => whole(Fate::Unknown),
        }
    }
}

/// The actions of a share; the whole is none.
fn of(share: Share) -> impl Iterator<Item = Option<u8>> {
    let whole = share.is_whole().then_some(None);
    whole.into_iter().chain(share.actions().map(Some))
}

#[cfg(test)]
mod tests;
