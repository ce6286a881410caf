//! Rows hot in memory, over a table of the store.
//!
//! One writer (the engine) changes rows; any thread reads them. A row is *dirty* when the store does
//! not have it as it is, *leaving* while a write of it is under way, else *clean*. Only clean rows
//! leave memory, those first that were not used for long: a clock's hand goes round over them.
//!
//! Dirty rows are written back in one of two ways:
//! - *fuzzy*: [`CachedTable::take_dirty`] names them, [`CachedTable::write_back`] writes each as it is
//!   by then;
//! - *exact*: [`CachedTable::freeze`] names them, [`CachedTable::write_frozen`] writes each as it was
//!   at the freeze. The writer who changes such a row before it is written keeps a copy for it, so
//!   that a freeze costs nothing by itself. Rows of exact tables can be removed too (`removed`).

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{RwLock, RwLockWriteGuard};

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::filter::Filter;
use crate::{Batch, ScanOrder, Store, StoreError, Table};

mod apart;
mod home;
mod removed;
mod row;
mod scan;
mod shard;
mod slabs;

pub use apart::{Apart, Becomes, Changing, Either, Shown};
use removed::Removed;
pub use row::{Row, RowKey, Value};
use shard::{Shard, Status};

const SHARDS: usize = 64;
/// Pages that the hand passes by in one call of [`CachedTable::shrink`], at most.
const PAGES_PER_SWEEP: usize = 256;
/// Of the capacity, this part may be rows that are apart.
const APART: usize = 2;

/// A bounded cache of rows over one table.
#[derive(Debug)]
pub struct CachedTable<K, V: Row + ?Sized> {
    store: Store,
    table: Table,
    /// Whether the store's bytes are a row, where `V` cannot tell.
    is_sound: fn(&[u8]) -> bool,
    shards: Box<[RwLock<Shard<K, V>>]>,
    /// Rows that became dirty since they were last named.
    dirty: RwLock<Vec<K>>,
    /// Whether the number of freezes is odd.
    is_odd: AtomicBool,
    capacity_bytes: usize,
    /// Bytes of rows outside of their entries.
    used: AtomicUsize,
    /// Of these, bytes of rows that are apart.
    apart: AtomicUsize,
    /// How many rows there are.
    rows: AtomicUsize,
    /// Where the hand is.
    hand: RwLock<(usize, usize)>,
    /// Which keys there may be, in memory or in the store.
    filter: Option<Filter>,
    /// Keys that the store may still have.
    removed: Removed<K>,
}

impl<K: RowKey, V: Row + ?Sized> CachedTable<K, V> {
    /// A cache of at most about `capacity_bytes` over that table.
    pub fn new(store: Store, table: Table, capacity_bytes: usize) -> Self {
        Self {
            store,
            table,
            is_sound: |_| true,
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            dirty: RwLock::default(),
            is_odd: AtomicBool::new(false),
            capacity_bytes,
            used: AtomicUsize::new(0),
            apart: AtomicUsize::new(0),
            rows: AtomicUsize::new(0),
            hand: RwLock::default(),
            filter: None,
            removed: Removed::default(),
        }
    }

    /// The same, for rows of bytes that are damaged if they do not pass that check.
    pub fn checked(self, is_sound: fn(&[u8]) -> bool) -> Self {
        Self { is_sound, ..self }
    }

    /// The same, with a filter over its keys: for tables in which keys are often looked up that are
    /// nowhere. A table of very many rows goes without one rather than be read at every start.
    pub fn with_filter(mut self) -> Result<Self, StoreError> {
        const MOST_ROWS: u64 = 8_000_000;
        if self.store.rows_about(self.table) > MOST_ROWS {
            return Ok(self);
        }
        let filter = Filter::default();
        self.store.scan(self.table, &[], ScanOrder::Forwards, |bytes, _| {
            if let Some(key) = K::from_bytes(bytes) {
                filter.add(hash_of(&key));
            }
            true
        })?;
        self.filter = Some(filter);
        Ok(self)
    }

    /// Reads a row where it is: memory, else the store. Reading does not make the row hot.
    pub fn read<T>(
        &self,
        key: &K,
        read: impl FnOnce(V::Ref<'_>) -> T,
    ) -> Result<Option<T>, StoreError> {
        let hash = hash_of(key);
        let shard = self.shard(hash).read().expect(POISONED);
        if let Some(place) = shard.find(hash, key) {
            return Ok(Some(read(shard.row(place))));
        }
        drop(shard);
        self.load(hash, key, read)
    }

    /// Reads a row and makes it hot.
    pub fn view<T>(
        &self,
        key: &K,
        view: impl FnOnce(V::Ref<'_>) -> T,
    ) -> Result<Option<T>, StoreError> {
        let hash = hash_of(key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        let place = self.find_or_load(&mut shard, hash, key)?;
        Ok(place.map(|place| view(shard.row(place))))
    }

    /// Shows several rows side by side, and makes them hot; of those that are not there, nothing.
    pub fn view_all<T>(
        &self,
        keys: &[K],
        view: impl FnOnce(&[V::Ref<'_>]) -> T,
    ) -> Result<T, StoreError> {
        let mut places: SmallVec<[(usize, u32); 4]> = SmallVec::new();
        for key in keys {
            let hash = hash_of(key);
            let mut shard = self.shard(hash).write().expect(POISONED);
            // An entry stays in its place until its only writer lets it leave, who is here.
            let place = self.find_or_load(&mut shard, hash, key)?;
            places.extend(place.map(|place| (shard_of(hash), place)));
        }
        // Each shard once: a second lock would wait for who waits for the first one.
        let mut guards: SmallVec<[_; 4]> = SmallVec::new();
        for (shard, _) in &places {
            if !guards.iter().any(|(known, _)| known == shard) {
                guards.push((*shard, self.shards[*shard].read().expect(POISONED)));
            }
        }
        let row = |(shard, place): &(usize, u32)| {
            let guard = guards.iter().find(|(known, _)| known == shard);
            guard.map(|(_, guard)| guard.row(*place))
        };
        let rows: SmallVec<[V::Ref<'_>; 4]> = places.iter().filter_map(row).collect();
        Ok(view(&rows))
    }

    /// Brings what is in memory of these rows near, for the reads that follow: each of them would wait
    /// for memory a few times, one after the other, while here the waits are side by side. `touch` is
    /// shown each row; now and then it is another one.
    pub fn warm(&self, keys: impl Iterator<Item = K>, mut touch: impl FnMut(V::Ref<'_>)) {
        type Places = SmallVec<[(usize, u32); 64]>;
        let guards: SmallVec<[_; SHARDS]> =
            self.shards.iter().map(|shard| shard.read().expect(POISONED)).collect();
        let place = |key: K| {
            let hash = hash_of(&key);
            let shard = shard_of(hash);
            Some((shard, guards[shard].guess(hash)?))
        };
        let places: Places = keys.filter_map(place).collect();
        let row = |(shard, place): &(usize, u32)| guards[*shard].row(*place);
        let rows: SmallVec<[V::Ref<'_>; 64]> = places.iter().map(row).collect();
        rows.into_iter().for_each(&mut touch);
    }

    /// A copy of a row, made hot.
    pub fn get(&self, key: &K) -> Result<Option<V::Owned>, StoreError> {
        self.view(key, V::copy)
    }

    /// Sets a row.
    pub fn put(&self, key: K, row: V::Ref<'_>) {
        let hash = hash_of(&key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        let place = shard.find_used(hash, &key);
        self.set(shard, place, hash, key, row);
    }

    /// Changes a row, or makes one where there is none. `change` is shown the row as it is, and answers
    /// what it becomes, if it changes.
    pub fn update<'n, T>(
        &self,
        key: K,
        change: impl FnOnce(Option<V::Ref<'_>>) -> (Option<V::Ref<'n>>, T),
    ) -> Result<T, StoreError> {
        let hash = hash_of(&key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        let place = self.find_or_load(&mut shard, hash, &key)?;
        let (row, answer) = change(place.map(|place| shard.row(place)));
        if let Some(row) = row {
            self.set(shard, place, hash, key, row);
        }
        Ok(answer)
    }

    /// Takes a row out of memory, wherever it is: it is now another owner's to write.
    pub fn release(&self, key: &K) -> Result<Option<V::Owned>, StoreError> {
        let hash = hash_of(key);
        let taken = self.remove_from(&mut self.shard(hash).write().expect(POISONED), hash, key);
        match taken {
            Some((row, _)) => Ok(Some(row)),
            None => self.load(hash, key, V::copy),
        }
    }

    /// The keys of the rows that became dirty since the last call, in the order in which they did.
    pub fn take_dirty(&self) -> Vec<K> {
        std::mem::take(&mut *self.dirty.write().expect(POISONED))
    }

    /// Adds the row of a dirty key to a batch and marks it leaving. `seen` is shown the row.
    pub fn write_back(&self, key: &K, batch: &mut Batch, seen: impl FnOnce(V::Ref<'_>)) {
        let hash = hash_of(key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        // A row that was released since, or is in a batch already, has nothing to write.
        let is_dirty = |status| matches!(status, Status::Dirty { .. });
        if let Some(place) = leave(&mut shard, hash, key, is_dirty) {
            let row = shard.row(place);
            seen(row);
            batch.put_encoded(self.table, key.to_bytes(), |bytes| V::encode(row, bytes));
        }
    }

    /// Freezes all dirty rows as they are, and gives their keys. Everything that was frozen before is
    /// to be written by then.
    pub fn freeze(&self) -> Vec<K> {
        self.is_odd.fetch_xor(true, Ordering::Relaxed);
        self.take_dirty()
    }

    /// Adds a row as it was at the freeze to a batch.
    pub fn write_frozen(&self, key: &K, batch: &mut Batch) {
        let hash = hash_of(key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        if self.write_removed(key, batch) {
            return;
        }
        if let Some(row) = shard.frozen.remove(key) {
            let row = V::lend(&row);
            return batch.put_encoded(self.table, key.to_bytes(), |bytes| V::encode(row, bytes));
        }
        if let Some(place) = leave(&mut shard, hash, key, |status| self.is_frozen(status)) {
            let row = shard.row(place);
            batch.put_encoded(self.table, key.to_bytes(), |bytes| V::encode(row, bytes));
        }
    }

    /// Says that the batch with these rows is committed.
    pub fn written(&self, keys: &[K]) {
        for key in keys {
            let hash = hash_of(key);
            let mut shard = self.shard(hash).write().expect(POISONED);
            if let Some(place) = shard.find_used(hash, key)
                && *shard.status(place) == Status::Leaving
            {
                *shard.status(place) = Status::Clean;
            }
            self.removal_written(key);
        }
    }

    /// Where the table is over its capacity, lets clean rows leave that were not used for long, and where too much
    /// is apart, puts such rows together. Called once per batch: the work is spread so that no batch waits for all
    /// of it.
    pub fn shrink(&self) {
        let mut hand = self.hand.write().expect(POISONED);
        for _ in 0..PAGES_PER_SWEEP {
            let is_over = self.bytes() > self.capacity_bytes;
            if !is_over && self.apart.load(Ordering::Relaxed) <= self.capacity_bytes / APART {
                return;
            }
            let (shard, page) = *hand;
            let mut guard = self.shards[shard].write().expect(POISONED);
            let left = self.counted(&mut guard, |shard| shard.sweep(page, is_over));
            drop(guard);
            let is_page = left.is_some();
            self.rows.fetch_sub(left.unwrap_or(0), Ordering::Relaxed);
            *hand = if is_page { (shard, page + 1) } else { ((shard + 1) % SHARDS, 0) };
        }
    }

    /// About how many bytes of memory the table takes, and how many rows it has there.
    pub fn memory(&self) -> (usize, usize) {
        let shards = self.shards.iter().map(|shard| shard.read().expect(POISONED).bytes());
        let pages: usize = shards.sum();
        let filter = self.filter.as_ref().map_or(0, Filter::bytes);
        let rows = self.shards.iter().map(|shard| shard.read().expect(POISONED).len()).sum();
        (pages + filter, rows)
    }

    /// The place of a row, which is used again. One that only the store has comes into memory.
    fn find_or_load(
        &self,
        shard: &mut Shard<K, V>,
        hash: u64,
        key: &K,
    ) -> Result<Option<u32>, StoreError> {
        if let Some(place) = shard.find_used(hash, key) {
            return Ok(Some(place));
        }
        self.load(hash, key, |row| self.add(shard, hash, *key, row, Status::Clean))
    }

    /// Sets the row at a place, or adds it where there is none, and notes that it is to be written.
    fn set(
        &self,
        mut shard: RwLockWriteGuard<'_, Shard<K, V>>,
        place: Option<u32>,
        hash: u64,
        key: K,
        row: V::Ref<'_>,
    ) {
        let dirty = self.dirty_now();
        let mut was = Status::Clean;
        if let Some(place) = place {
            was = std::mem::replace(shard.status(place), dirty);
            if self.is_frozen(was) {
                let before = V::copy(shard.row(place));
                shard.frozen.insert(key, before);
            }
            self.counted(&mut shard, |shard| shard.set(place, row));
        } else {
            self.add(&mut shard, hash, key, row, dirty);
            self.come_back(&key);
            self.note(hash);
        }
        drop(shard);
        if was != dirty {
            self.dirty.write().expect(POISONED).push(key);
        }
    }

    fn add(
        &self,
        shard: &mut Shard<K, V>,
        hash: u64,
        key: K,
        row: V::Ref<'_>,
        status: Status,
    ) -> u32 {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.counted(shard, |shard| shard.add(hash, key, row, status))
    }

    fn remove_from(
        &self,
        shard: &mut Shard<K, V>,
        hash: u64,
        key: &K,
    ) -> Option<(V::Owned, Status)> {
        let removed = self.counted(shard, |shard| shard.remove(hash, key))?;
        self.rows.fetch_sub(1, Ordering::Relaxed);
        Some(removed)
    }

    /// Changes a shard, and counts the bytes that its rows take.
    fn counted<T>(&self, shard: &mut Shard<K, V>, change: impl FnOnce(&mut Shard<K, V>) -> T) -> T {
        let before = (shard.used(), shard.apart());
        let answer = change(shard);
        count(&self.used, before.0, shard.used());
        count(&self.apart, before.1, shard.apart());
        answer
    }

    fn load<T>(
        &self,
        hash: u64,
        key: &K,
        read: impl FnOnce(V::Ref<'_>) -> T,
    ) -> Result<Option<T>, StoreError> {
        if self.filter.as_ref().is_some_and(|filter| !filter.may_have(hash)) {
            return Ok(None);
        }
        if self.removed.has(key) {
            return Ok(None);
        }
        let Some(bytes) = self.store.get(self.table, &key.to_bytes())? else { return Ok(None) };
        self.decode(&bytes, read).map(Some).ok_or_else(|| self.damaged())
    }

    fn decode<T>(&self, bytes: &[u8], read: impl FnOnce(V::Ref<'_>) -> T) -> Option<T> {
        if !(self.is_sound)(bytes) {
            return None;
        }
        V::decode(bytes, read)
    }

    fn damaged(&self) -> StoreError {
        StoreError::Row { table: self.table.name() }
    }

    fn note(&self, hash: u64) {
        if let Some(filter) = &self.filter {
            filter.add(hash);
        }
    }

    fn dirty_now(&self) -> Status {
        Status::Dirty { is_odd: self.is_odd.load(Ordering::Relaxed) }
    }

    /// Whether a row of that status is to be written as it is, because of the last freeze.
    fn is_frozen(&self, status: Status) -> bool {
        matches!(status, Status::Dirty { is_odd } if is_odd != self.is_odd.load(Ordering::Relaxed))
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard<K, V>> {
        &self.shards[shard_of(hash)]
    }

    /// What counts against the capacity: rows, with the room that their entries and index need.
    fn bytes(&self) -> usize {
        const ROOM: usize = 8;
        let row = Shard::<K, V>::ENTRY + ROOM;
        self.used.load(Ordering::Relaxed) + self.rows.load(Ordering::Relaxed) * row
    }
}

/// Counts that something became more or less.
fn count(all: &AtomicUsize, before: usize, after: usize) {
    if after > before {
        all.fetch_add(after - before, Ordering::Relaxed);
    } else if after < before {
        all.fetch_sub(before - after, Ordering::Relaxed);
    }
}

/// The place of a row that is to be written, which is leaving from now on.
fn leave<K: RowKey, V: Row + ?Sized>(
    shard: &mut Shard<K, V>,
    hash: u64,
    key: &K,
    is_wanted: impl FnOnce(Status) -> bool,
) -> Option<u32> {
    let place = shard.find_used(hash, key)?;
    let status = shard.status(place);
    is_wanted(*status).then(|| *status = Status::Leaving).map(|()| place)
}

/// The index in a shard uses the low and the highest bits; the shard takes some between.
fn shard_of(hash: u64) -> usize {
    usize::try_from((hash >> 40) & (SHARDS as u64 - 1)).unwrap_or(0)
}

/// Keys are hashes or counters: a cheap mix is enough, and the same in every process.
fn hash_of<K: Hash>(key: &K) -> u64 {
    let hash = FxBuildHasher.hash_one(key);
    (hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

const POISONED: &str = "no thread panics while it holds a shard";

#[cfg(test)]
mod tests;
