//! Why effects were not sent when it was their turn, counted.

use crate::outcome::Withheld;

const COUNT: usize = Withheld::ALL.len();

/// How many units were withheld, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons([u64; COUNT]);

/// The same of one effect, whose units are fewer than there are actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct FewReasons([u8; COUNT]);

fn index(reason: Withheld) -> Option<usize> {
    Withheld::ALL.iter().position(|one| *one == reason)
}

impl Reasons {
    /// Every reason.
    pub fn iter(self) -> impl Iterator<Item = (Withheld, u64)> {
        Withheld::ALL.iter().copied().zip(self.0)
    }

    /// For how many there is a reason.
    pub fn total(self) -> u64 {
        self.0.iter().sum()
    }

    pub(crate) fn note(&mut self, reason: Withheld, units: u64) {
        if let Some(count) = index(reason).and_then(|index| self.0.get_mut(index)) {
            *count += units;
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        other.iter().for_each(|(reason, units)| self.note(reason, units));
    }
}

impl FewReasons {
    pub(crate) fn note(&mut self, reason: Withheld) {
        if let Some(count) = index(reason).and_then(|index| self.0.get_mut(index)) {
            *count = count.saturating_add(1);
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (Withheld, u64)> {
        Withheld::ALL.iter().copied().zip(self.0.map(u64::from))
    }
}
