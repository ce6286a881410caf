//! When the values of profiles are to be looked at though nothing happens: the first moment of each
//! profile, in order. It follows from the rows of values.

use std::collections::BTreeSet;

use selfsame_event::{ProfileId, Time};

use crate::key::InSpace;

/// One moment: when, and of which profile.
pub(crate) type Due = (Time, InSpace<ProfileId>);

/// The first moment of each profile.
#[derive(Debug, Default)]
pub(crate) struct Timers(BTreeSet<Due>);

impl Timers {
    /// Notes that the first moment of a profile is another one.
    pub(crate) fn turn(
        &mut self,
        profile: InSpace<ProfileId>,
        before: Option<Time>,
        after: Option<Time>,
    ) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.0.remove(&(before, profile));
        }
        self.0.extend(after.map(|after| (after, profile)));
    }

    /// The first moment of all, up to that one.
    pub(crate) fn first(&self, through: Due) -> Option<Due> {
        self.0.first().copied().filter(|first| *first <= through)
    }

    /// The last of the first `most` moments that have come by then.
    pub(crate) fn through(&self, now: Time, most: usize) -> Option<Due> {
        self.0.iter().take_while(|(due, _)| *due <= now).take(most).last().copied()
    }

    /// The moments that have come by then, in order.
    pub(crate) fn come(&self, now: Time) -> impl Iterator<Item = Due> {
        self.0.iter().take_while(move |(due, _)| *due <= now).copied()
    }

    /// How many profiles have one.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}
