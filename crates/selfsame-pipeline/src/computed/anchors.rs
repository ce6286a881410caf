//! Under which anchor the events of records are folded.
//!
//! The outbox says it of each event. Only where rules were published later, which hold from the first record
//! on, it says what was decided before: there, the timelines of the sections say it. They are read a part of
//! the log at a time, so that what is held stays small.

use std::collections::BTreeSet;

use selfsame_event::{EventType, IdentifierKey};
use selfsame_profile::{Chunk, Entry};
use selfsame_store::{RowKey, StoreError, Table};

use crate::key::{ChunkKey, InSpace};
use crate::row;
use crate::shared::View;

/// About how many events are held.
const HELD: u64 = 4_000_000;

/// Under which anchor the events of records are folded.
#[derive(Debug)]
pub(super) struct Anchors {
    space: u32,
    /// Of records before this, the outbox does not say it.
    published: u64,
    /// How many records are a part.
    part: u64,
    /// The part at hand.
    from: u64,
    until: u64,
    known: Vec<(u64, u32, IdentifierKey)>,
}

impl Anchors {
    pub(super) fn new(view: &View, space: u32) -> Self {
        let slot = usize::try_from(space).unwrap_or(usize::MAX);
        let id = view.meta.workspace.spaces.get(slot).map(|space| space.id.as_str());
        let published = id.and_then(|id| view.meta.published.get(id)).copied().unwrap_or(0);
        let events = view.meta.spaces.get(slot).map_or(0, |counts| counts.events);
        let parts = events / HELD + 1;
        let part = published / parts + 1;
        Self { space, published, part, from: 0, until: 0, known: Vec::new() }
    }

    /// Whether the outbox does not say it of a record.
    pub(super) fn are_other(&self, offset: u64) -> bool {
        offset < self.published
    }

    /// Under which anchor an event is folded, if it is somebody's.
    pub(super) fn of(
        &mut self,
        view: &View,
        offset: u64,
        item: u32,
    ) -> Result<Option<IdentifierKey>, StoreError> {
        if !(self.from..self.until).contains(&offset) {
            self.load(view, offset)?;
        }
        let place = self.known.binary_search_by_key(&(offset, item), |(at, item, _)| (*at, *item));
        Ok(place.ok().and_then(|place| self.known.get(place)).map(|(.., anchor)| *anchor))
    }

    fn load(&mut self, view: &View, offset: u64) -> Result<(), StoreError> {
        self.from = offset;
        self.until = offset.saturating_add(self.part).min(self.published);
        self.known.clear();
        let (space, from, until) = (self.space, self.from, self.until);
        for partition in &view.tables.partitions {
            let mut anchors = BTreeSet::new();
            partition.sections.scan(&space.to_be_bytes(), |key, _| {
                anchors.extend(InSpace::<IdentifierKey>::from_bytes(key).map(|key| key.key));
                true
            })?;
            for anchor in anchors {
                let key = InSpace { space, key: anchor };
                let Some(section) = partition.sections.read(&key, row::section)? else { continue };
                let mut note = |entry: Entry| {
                    let is_named = matches!(
                        entry.kind,
                        EventType::Track | EventType::Page | EventType::Screen
                    );
                    let offset = entry.key.position.offset;
                    if is_named && (from..until).contains(&offset) {
                        self.known.push((offset, entry.key.item, anchor));
                    }
                };
                section.open_entries().for_each(&mut note);
                for number in (0..).take(section.chunks().count()) {
                    let key = ChunkKey { space, anchor, number };
                    let Some(bytes) = partition.chunks.read(&key, <[u8]>::to_vec)? else {
                        continue;
                    };
                    let damaged = |_| StoreError::Row { table: Table::Chunks.name() };
                    Chunk::decode(number, bytes).map_err(damaged)?.entries().for_each(&mut note);
                }
            }
        }
        self.known.sort_unstable();
        Ok(())
    }
}
