//! What definitions read of a section, taken from its bytes without the rest of it being read.

use smallvec::SmallVec;

use crate::combine::{joined, later};
use crate::parts::{Bounds, Part};
use crate::rules::Limits;
use crate::section::Section;
use crate::traits::{Table, Trait};

/// The traits of a section, and what it keeps for definitions.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outline<'a> {
    /// The packed traits.
    pub traits: &'a [u8],
    /// What is kept of the events for definitions.
    pub computed: &'a [u8],
}

impl<'a> Outline<'a> {
    /// Reads bytes that were decoded or encoded in this process; nothing of others.
    pub fn read(packed: &'a [u8]) -> Option<Self> {
        let parts = Bounds::read(Section::packed_parts(packed)?)?;
        Some(Self { traits: parts.get(Part::Traits), computed: parts.get(Part::Computed) })
    }
}

/// The traits of sections of different anchors, as of one profile: each is looked for when it is asked for.
#[derive(Debug)]
pub struct TraitsOf<'a> {
    tables: SmallVec<[Table<'a>; 2]>,
    limit: usize,
    /// How many there are in all sections.
    number: usize,
}

impl<'a> TraitsOf<'a> {
    /// Those of sections with these packed traits.
    pub fn new(sections: impl Iterator<Item = &'a [u8]>, limits: &Limits) -> Self {
        let tables = sections.map(Table::trusted);
        let tables: SmallVec<[Table<'a>; 2]> = tables.collect();
        let number = tables.iter().map(Table::len).sum();
        Self { tables, limit: limits.traits, number }
    }

    /// A trait that has a value: what [`crate::combine()`] says of it.
    pub fn get(&self, key: &str) -> Option<Trait<'a>> {
        if self.number > self.limit {
            let all = self.tables.iter().flat_map(Table::registers).collect();
            let all = joined(all, self.tables.len(), self.limit);
            return all.into_iter().find(|one| one.key == key && one.value.is_some());
        }
        let latest = self.tables.iter().filter_map(|table| table.register(key)).max_by(later);
        latest.filter(|latest| latest.value.is_some())
    }
}
