//! What of an effect is to be delivered: where a connection has actions, each of those that want the
//! effect is a unit of its own.
//!
//! An effect that nobody looked at yet is whole, and one unit. When it is looked at it is taken apart
//! into the actions that want it; from then on each of them ends by itself, is counted by itself, and
//! dies by itself. One that no action wants stays whole, and is filtered.

use std::fmt;

/// Actions of a connection have numbers below this.
pub const MOST_ACTIONS: u8 = 64;

/// Some actions of a connection, by their numbers; none of them: the whole.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Share(u64);

impl Share {
    /// An effect that was not taken apart.
    pub const WHOLE: Self = Self(0);

    /// Whether it was not taken apart.
    pub fn is_whole(self) -> bool {
        self.0 == 0
    }

    /// For how many it counts.
    pub fn units(self) -> u64 {
        u64::from(self.0.count_ones()).max(1)
    }

    /// Whether an action is among them.
    pub fn has(self, action: u8) -> bool {
        self.0 & bit(action) != 0
    }

    /// With an action more. Numbers that no action can have are passed over.
    #[must_use]
    pub fn with(self, action: u8) -> Self {
        Self(self.0 | bit(action))
    }

    /// With the actions of another one. The whole and some of it are the whole.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        if self.is_whole() || other.is_whole() { Self::WHOLE } else { Self(self.0 | other.0) }
    }

    /// Without an action; nothing where that was the last.
    pub(crate) fn without(self, action: u8) -> Option<Self> {
        Some(Self(self.0 & !bit(action))).filter(|rest| !rest.is_whole())
    }

    /// The actions, in the order of their numbers.
    pub fn actions(self) -> impl Iterator<Item = u8> {
        (0..MOST_ACTIONS).filter(move |action| self.has(*action))
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_whole() {
            f.write_str("whole")
        } else {
            f.debug_set().entries(self.actions()).finish()
        }
    }
}

impl FromIterator<u8> for Share {
    fn from_iter<I: IntoIterator<Item = u8>>(actions: I) -> Self {
        actions.into_iter().fold(Self::WHOLE, Self::with)
    }
}

fn bit(action: u8) -> u64 {
    1_u64.checked_shl(u32::from(action)).unwrap_or(0)
}
