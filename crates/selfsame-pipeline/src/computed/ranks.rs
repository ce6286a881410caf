//! A set of definitions of a space, by their places.

/// How many places there are: more than a space may have definitions.
const MOST: usize = 1_024;
const WORDS: usize = MOST / 64;

/// A set of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Ranks([u64; WORDS]);

impl Ranks {
    /// Adds a place. Says whether it is new.
    pub(crate) fn insert(&mut self, rank: usize) -> bool {
        let Some(word) = self.0.get_mut(rank / 64) else { return false };
        let bit = 1 << (rank % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Those of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
        self
    }

    /// Those of one or the other.
    pub(crate) fn or(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
        self
    }

    /// Those that are not among the others.
    pub(crate) fn without(mut self, others: Self) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(word, other)| *word &= !other);
        self
    }

    /// Whether a place is one of them.
    pub(crate) fn has(&self, rank: usize) -> bool {
        self.0.get(rank / 64).is_some_and(|word| word & 1 << (rank % 64) != 0)
    }

    /// Takes a place out.
    pub(crate) fn remove(&mut self, rank: usize) {
        if let Some(word) = self.0.get_mut(rank / 64) {
            *word &= !(1 << (rank % 64));
        }
    }

    /// Takes the first place out.
    pub(crate) fn pop_first(&mut self) -> Option<usize> {
        let (place, word) = self.0.iter_mut().enumerate().find(|(_, word)| **word != 0)?;
        let bit = word.trailing_zeros();
        *word &= *word - 1;
        Some(place * 64 + usize::try_from(bit).unwrap_or(0))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

impl Extend<usize> for Ranks {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, ranks: I) {
        ranks.into_iter().for_each(|rank| {
            self.insert(rank);
        });
    }
}

impl FromIterator<usize> for Ranks {
    fn from_iter<I: IntoIterator<Item = usize>>(ranks: I) -> Self {
        let mut all = Self::default();
        all.extend(ranks);
        all
    }
}
