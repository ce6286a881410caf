//! One shard of a cached table: entries side by side in pages, an index of their places, and a home
//! for their rows.
//!
//! An index that doubles holds four bytes a row instead of the row, so that a table that has just
//! doubled is not half air. Entries never move while they are in memory.

use hashbrown::HashTable;
use rustc_hash::FxHashMap;

use super::apart::{Apart, Either};
use super::home::{Home, Moved};
use super::{Row, RowKey, hash_of};

/// How many entries lie in a page.
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

/// What an entry holds of its row.
type Seat<V> = <<V as Row>::Home as Home<V>>::Seat;
type Page<K, V> = Vec<Option<Entry<K, Seat<V>>>>;

/// A row in memory.
#[derive(Debug)]
struct Entry<K, S> {
    key: K,
    seat: S,
    status: Status,
    chances: u8,
}

#[derive(Debug)]
pub(super) struct Shard<K, V: Row + ?Sized> {
    index: HashTable<u32>,
    pages: Vec<Page<K, V>>,
    free: Vec<u32>,
    home: V::Home,
    /// Rows as they were at the freeze, where they changed since and are not written yet.
    pub(super) frozen: FxHashMap<K, V::Owned>,
}

impl<K, V: Row + ?Sized> Default for Shard<K, V> {
    fn default() -> Self {
        Self {
            index: HashTable::new(),
            pages: Vec::new(),
            free: Vec::new(),
            home: V::Home::default(),
            frozen: FxHashMap::default(),
        }
    }
}

impl<K: RowKey, V: Row + ?Sized> Shard<K, V> {
    /// The place of a row.
    pub(super) fn find(&self, hash: u64, key: &K) -> Option<u32> {
        let same = |place: &u32| at(&self.pages, *place).is_some_and(|entry| entry.key == *key);
        self.index.find(hash, same).copied()
    }

    /// The place of a row, which is used again.
    pub(super) fn find_used(&mut self, hash: u64, key: &K) -> Option<u32> {
        let place = self.find(hash, key)?;
        self.taken(place).chances = CHANCES;
        Some(place)
    }

    /// Where a row of that hash may be: looks at the index alone.
    pub(super) fn guess(&self, hash: u64) -> Option<u32> {
        self.index.find(hash, |_| true).copied()
    }

    /// The row at a place that was found.
    pub(super) fn row(&self, place: u32) -> V::Ref<'_> {
        self.home.row(&at(&self.pages, place).expect(TAKEN).seat)
    }

    /// The status of the row at a place that was found.
    pub(super) fn status(&mut self, place: u32) -> &mut Status {
        &mut self.taken(place).status
    }

    /// Changes the row at a place that was found.
    pub(super) fn set(&mut self, place: u32, row: V::Ref<'_>) {
        let entry = at_mut(&mut self.pages, place).expect(TAKEN);
        let moved = self.home.set(&mut entry.seat, row, place);
        self.follow(moved);
    }

    /// Adds a row that is not there.
    pub(super) fn add(&mut self, hash: u64, key: K, row: V::Ref<'_>, status: Status) -> u32 {
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
        let hash_at = |place: &u32| at(pages, *place).map_or(0, |entry| hash_of(&entry.key));
        self.index.insert_unique(hash, place, hash_at);
        let seat = self.home.add(row, place);
        let slot = &mut self.pages[page_of(place)][place as usize % PAGE];
        *slot = Some(Entry { key, seat, status, chances: CHANCES });
        place
    }

    /// Removes a row: what it was, and its status.
    pub(super) fn remove(&mut self, hash: u64, key: &K) -> Option<(V::Owned, Status)> {
        let place = self.find(hash, key)?;
        let row = V::copy(self.row(place));
        Some((row, self.take(hash, place)))
    }

    /// Passes by the rows of a page: of those that were not used for some rounds, what is apart is put together;
    /// the others leave, if they may and the store has them. Says how many left, if there is a page of that number.
    pub(super) fn sweep(&mut self, page: usize, may_leave: bool) -> Option<usize> {
        let mut left = 0;
        for number in 0..self.pages.get(page)?.len() {
            let Some(entry) = &mut self.pages[page][number] else { continue };
            if entry.chances > 0 {
                entry.chances -= 1;
                continue;
            }
            let place = u32::try_from(page * PAGE + number).expect("places are numbered so");
            if self.home.put_together(&mut entry.seat, place) {
                continue;
            }
            if !may_leave || entry.status != Status::Clean {
                continue;
            }
            let hash = hash_of(&entry.key);
            self.take(hash, place);
            left += 1;
        }
        Some(left)
    }

    /// The keys and rows, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&K, V::Ref<'_>)> {
        let entries = self.pages.iter().flatten().flatten();
        entries.map(|entry| (&entry.key, self.home.row(&entry.seat)))
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// Bytes that rows take outside of their entries.
    pub(super) fn used(&self) -> usize {
        self.home.used()
    }

    /// Those of rows that are apart.
    pub(super) fn apart(&self) -> usize {
        self.home.apart()
    }

    /// Bytes of everything.
    pub(super) fn bytes(&self) -> usize {
        let index = self.index.capacity() / 7 * 8 * (size_of::<u32>() + 1);
        index + self.pages.len() * PAGE * Self::ENTRY + self.home.bytes()
    }

    /// Bytes of an entry.
    pub(super) const ENTRY: usize = size_of::<Option<Entry<K, Seat<V>>>>();

    fn taken(&mut self, place: u32) -> &mut Entry<K, Seat<V>> {
        at_mut(&mut self.pages, place).expect(TAKEN)
    }

    fn take(&mut self, hash: u64, place: u32) -> Status {
        if let Ok(found) = self.index.find_entry(hash, |other| *other == place) {
            found.remove();
        }
        let slot = &mut self.pages[page_of(place)][place as usize % PAGE];
        let entry = slot.take().expect(TAKEN);
        self.free.push(place);
        let moved = self.home.remove(&entry.seat);
        self.follow(moved);
        entry.status
    }

    fn follow(&mut self, moved: Option<Moved>) {
        if let Some(moved) = moved {
            V::Home::follow(&mut self.taken(moved.owner).seat, moved);
        }
    }
}

impl<K: RowKey, A: Apart> Shard<K, Either<A>> {
    /// Takes the row at a place apart as that.
    pub(super) fn take_apart(&mut self, place: u32, apart: A) {
        let entry = at_mut(&mut self.pages, place).expect(TAKEN);
        let moved = self.home.take_apart(&mut entry.seat, apart);
        self.follow(moved);
    }

    /// Changes the row at a place, if it is apart.
    pub(super) fn change_apart<T>(
        &mut self,
        place: u32,
        change: impl FnOnce(&mut A) -> T,
    ) -> Option<T> {
        let entry = at_mut(&mut self.pages, place).expect(TAKEN);
        self.home.change(&mut entry.seat, change)
    }
}

fn at<K, S>(pages: &[Vec<Option<Entry<K, S>>>], place: u32) -> Option<&Entry<K, S>> {
    pages.get(page_of(place))?.get(place as usize % PAGE)?.as_ref()
}

fn at_mut<K, S>(pages: &mut [Vec<Option<Entry<K, S>>>], place: u32) -> Option<&mut Entry<K, S>> {
    pages.get_mut(page_of(place))?.get_mut(place as usize % PAGE)?.as_mut()
}

fn page_of(place: u32) -> usize {
    place as usize / PAGE
}

const TAKEN: &str = "places that were found have an entry until it is removed";
