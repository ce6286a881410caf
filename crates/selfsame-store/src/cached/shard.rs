//! One shard of a cached table: its rows side by side in pages, and an index of their places.
//!
//! An index that doubles holds four bytes a row instead of the row, so that a table that has just
//! doubled is not half air. Rows never move while they are in memory.

use hashbrown::HashTable;
use rustc_hash::FxHashMap;

/// How many rows lie in a page.
const PAGE: usize = 64;
/// How often the hand of the clock passes by a row that was used before the row may leave.
const CHANCES: u8 = 2;

/// What the store has of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// The row as it is.
    Clean,
    /// Something older. The row changed in an odd or even epoch: see [`super::CachedTable::freeze`].
    Dirty { is_odd: bool },
    /// Something older, but a write of the row as it is is under way.
    Leaving,
}

/// A row in memory.
#[derive(Debug)]
pub(super) struct Entry<K, V> {
    pub(super) key: K,
    pub(super) row: V,
    pub(super) status: Status,
    chances: u8,
}

#[derive(Debug)]
pub(super) struct Shard<K, V> {
    index: HashTable<u32>,
    pages: Vec<Vec<Option<Entry<K, V>>>>,
    free: Vec<u32>,
    /// Rows as they were at the freeze, where they changed since and are not written yet.
    pub(super) frozen: FxHashMap<K, V>,
}

impl<K, V> Default for Shard<K, V> {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            pages: Vec::new(),
            free: Vec::new(),
            frozen: FxHashMap::default(),
        }
    }
}

impl<K: super::RowKey, V> Shard<K, V> {
    pub(super) fn get(&self, hash: u64, key: &K) -> Option<&Entry<K, V>> {
        let same = |place: &u32| self.at(*place).is_some_and(|entry| entry.key == *key);
        let place = *self.index.find(hash, same)?;
        self.at(place)
    }

    /// The row, which is used again.
    pub(super) fn get_mut(&mut self, hash: u64, key: &K) -> Option<&mut Entry<K, V>> {
        let pages = &mut self.pages;
        let same = |place: &u32| at(pages, *place).is_some_and(|entry| entry.key == *key);
        let place = *self.index.find(hash, same)?;
        let entry = pages.get_mut(page_of(place))?.get_mut(place as usize % PAGE)?.as_mut()?;
        entry.chances = CHANCES;
        Some(entry)
    }

    /// Adds a row that is not there.
    pub(super) fn add(&mut self, hash: u64, key: K, row: V, status: Status) -> &mut Entry<K, V> {
        let place = self.free.pop().unwrap_or_else(|| {
            if self.pages.last().is_none_or(|page| page.len() == PAGE) {
                self.pages.push(Vec::with_capacity(PAGE));
            }
            let page = self.pages.len() - 1;
            self.pages[page].push(None);
            let place = page * PAGE + self.pages[page].len() - 1;
            u32::try_from(place).expect("a shard has fewer than 2^32 rows")
        });
        let pages = &self.pages;
        let hash_at = |place: &u32| at(pages, *place).map_or(0, |entry| super::hash_of(&entry.key));
        self.index.insert_unique(hash, place, hash_at);
        let slot = &mut self.pages[page_of(place)][place as usize % PAGE];
        slot.insert(Entry { key, row, status, chances: CHANCES })
    }

    /// Where a row of that hash may be: looks at the index alone.
    pub(super) fn place(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |_| true).copied()
    }

    /// The row at a place.
    pub(super) fn row(&self, place: u32) -> Option<&V> {
        self.at(place).map(|entry| &entry.row)
    }

    pub(super) fn remove(&mut self, hash: u64, key: &K) -> Option<Entry<K, V>> {
        let pages = &self.pages;
        let same = |place: &u32| at(pages, *place).is_some_and(|entry| entry.key == *key);
        let (place, _) = self.index.find_entry(hash, same).ok()?.remove();
        self.take(place)
    }

    /// Passes by the rows of a page: those that were not used for some rounds, and that the store
    /// has, leave and are shown to `left`. Says whether there is a page of that number.
    pub(super) fn sweep(&mut self, page: usize, mut left: impl FnMut(&V)) -> bool {
        let Some(slots) = self.pages.get_mut(page) else { return false };
        for (slot, number) in slots.iter_mut().zip(page * PAGE..) {
            let Some(entry) = slot else { continue };
            if entry.chances > 0 {
                entry.chances -= 1;
                continue;
            }
            if entry.status != Status::Clean {
                continue;
            }
            let hash = super::hash_of(&entry.key);
            let is_place = |place: &u32| *place as usize == number;
            if let Ok(found) = self.index.find_entry(hash, is_place) {
                self.free.push(found.remove().0);
            }
            left(&entry.row);
            *slot = None;
        }
        true
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<K, V>> {
        self.pages.iter().flatten().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Bytes of the index and the pages, apart from what rows have outside of them.
    pub(super) fn bytes(&self) -> usize {
        let index = self.index.capacity() / 7 * 8 * (size_of::<u32>() + 1);
        index + self.pages.len() * PAGE * size_of::<Option<Entry<K, V>>>()
    }

    fn at(&self, place: u32) -> Option<&Entry<K, V>> {
        at(&self.pages, place)
    }

    fn take(&mut self, place: u32) -> Option<Entry<K, V>> {
        self.free.push(place);
        self.pages.get_mut(page_of(place))?.get_mut(place as usize % PAGE)?.take()
    }
}

fn at<K, V>(pages: &[Vec<Option<Entry<K, V>>>], place: u32) -> Option<&Entry<K, V>> {
    pages.get(page_of(place))?.get(place as usize % PAGE)?.as_ref()
}

fn page_of(place: u32) -> usize {
    place as usize / PAGE
}
