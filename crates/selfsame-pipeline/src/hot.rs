//! A section whose events are many: taken apart while it is hot, so that an event changes what it belongs to and
//! nothing else is copied.
//!
//! Invariant: put together, it is the row that the same events make of a row of bytes.

use selfsame_audience::Loose;
use selfsame_profile::{FoldEvent, Folded, Role, Rules, Section};
use selfsame_store::Apart;

use crate::row::SOUND;

/// Shorter rows are sooner copied than taken apart.
const LEAST_BYTES: usize = 512;

/// A section, apart from what it keeps for definitions.
#[derive(Debug)]
pub struct HotSection {
    /// The number of the last event in its record that was folded in.
    last_item: u32,
    section: Section,
    kept: Loose,
}

impl HotSection {
    /// A row taken apart, if that is worth it.
    pub(crate) fn of(row: &[u8]) -> Option<Self> {
        if row.len() < LEAST_BYTES {
            return None;
        }
        let (last_item, packed) = row.split_first_chunk()?;
        let mut section = Section::default();
        let kept = section.restore_apart(packed).expect(SOUND);
        Some(Self { last_item: u32::from_le_bytes(*last_item), section, kept: Loose::of(kept) })
    }

    /// The section, which keeps nothing for definitions.
    pub(crate) fn section(&self) -> &Section {
        &self.section
    }

    /// What it keeps for definitions.
    pub(crate) fn kept(&self) -> &Loose {
        &self.kept
    }

    /// Its row.
    pub(crate) fn row(&self) -> Vec<u8> {
        let mut row = Vec::new();
        self.put_together(&mut row);
        row
    }

    /// Folds an event in, unless it is in already. Says whether that changed it.
    pub(crate) fn fold_once(
        &mut self,
        event: &FoldEvent<'_>,
        role: Role,
        rules: &Rules<'_>,
        keep: impl FnOnce(&mut Loose),
    ) -> (bool, Folded) {
        if (self.section.folded_to(), self.last_item) >= (event.position, event.item) {
            return (false, Folded::default());
        }
        let folded = self.section.fold(event, role, rules);
        keep(&mut self.kept);
        self.last_item = event.item;
        (true, folded)
    }
}

impl Apart for HotSection {
    fn put_together(&self, out: &mut Vec<u8>) {
        let mut kept = Vec::with_capacity(self.kept.bytes());
        self.kept.put(&mut kept);
        out.extend_from_slice(&self.last_item.to_le_bytes());
        self.section.encode_with(&kept, out);
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.section.memory() + self.kept.bytes()
    }
}
