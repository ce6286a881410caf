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
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::filter::Filter;
use crate::{Batch, ScanOrder, Store, StoreError, Table};

mod prefixes;
mod removed;
mod shard;

use removed::Removed;
use shard::{Entry, Shard, Status};

const SHARDS: usize = 64;
/// Pages that the hand passes by in one call of [`CachedTable::shrink`], at most.
const PAGES_PER_SWEEP: usize = 256;

/// A key of a cached table.
pub trait RowKey: Copy + Eq + Ord + Hash + Send + Sync + 'static {
    /// The bytes of the key in the store.
    fn to_bytes(&self) -> Vec<u8>;
    /// The key of these bytes.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A row of a cached table.
pub trait Row: Clone + Send + Sync + 'static {
    /// The row's bytes.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads a row.
    fn decode(bytes: &[u8]) -> Option<Self>;
    /// How many bytes the row has outside of itself: see [`allocated`].
    fn heap_bytes(&self) -> usize;
}

/// About what an allocator takes for so many bytes: it has eight sizes for each doubling.
pub const fn allocated(bytes: usize) -> usize {
    if bytes <= 64 {
        return bytes.next_multiple_of(8);
    }
    let step = bytes.next_power_of_two() / 16;
    bytes.next_multiple_of(step)
}

/// A bounded cache of rows over one table.
#[derive(Debug)]
pub struct CachedTable<K, V> {
    store: Store,
    table: Table,
    shards: Box<[RwLock<Shard<K, V>>]>,
    /// Rows that became dirty since they were last named.
    dirty: RwLock<Vec<K>>,
    /// Whether the number of freezes is odd.
    is_odd: AtomicBool,
    capacity_bytes: usize,
    /// Bytes of rows outside of the pages.
    heap: AtomicUsize,
    /// How many rows there are.
    rows: AtomicUsize,
    /// Where the hand is.
    hand: RwLock<(usize, usize)>,
    /// Which keys there may be, in memory or in the store.
    filter: Option<Filter>,
    /// Keys that the store may still have.
    removed: Removed<K>,
}

impl<K: RowKey, V: Row> CachedTable<K, V> {
    /// A cache of at most about `capacity_bytes` over that table.
    pub fn new(store: Store, table: Table, capacity_bytes: usize) -> Self {
        Self {
            store,
            table,
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            dirty: RwLock::default(),
            is_odd: AtomicBool::new(false),
            capacity_bytes,
            heap: AtomicUsize::new(0),
            rows: AtomicUsize::new(0),
            hand: RwLock::default(),
            filter: None,
            removed: Removed::default(),
        }
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
    pub fn read<T>(&self, key: &K, read: impl FnOnce(&V) -> T) -> Result<Option<T>, StoreError> {
        let hash = hash_of(key);
        if let Some(entry) = self.shard(hash).read().expect(POISONED).get(hash, key) {
            return Ok(Some(read(&entry.row)));
        }
        Ok(self.load(hash, key)?.map(|row| read(&row)))
    }

    /// Reads a row and makes it hot.
    pub fn view<T>(&self, key: &K, view: impl FnOnce(&V) -> T) -> Result<Option<T>, StoreError> {
        let hash = hash_of(key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        if let Some(entry) = shard.get_mut(hash, key) {
            return Ok(Some(view(&entry.row)));
        }
        let Some(row) = self.load(hash, key)? else { return Ok(None) };
        Ok(Some(view(&self.add(&mut shard, hash, *key, row, Status::Clean).row)))
    }

    /// Brings what is in memory of these rows near, for the reads that follow: each of them would wait
    /// for memory a few times, one after the other, while here the waits are side by side. `touch` is
    /// shown each row; now and then it is another one.
    pub fn warm(&self, keys: impl Iterator<Item = K>, mut touch: impl FnMut(&V)) {
        type Places = SmallVec<[(usize, u32); 64]>;
        let guards: SmallVec<[_; SHARDS]> =
            self.shards.iter().map(|shard| shard.read().expect(POISONED)).collect();
        let place = |key: K| {
            let hash = hash_of(&key);
            let shard = shard_of(hash);
            Some((shard, guards[shard].place(hash)?))
        };
        let places: Places = keys.filter_map(place).collect();
        let row = |(shard, place): &(usize, u32)| guards[*shard].row(*place);
        let rows: SmallVec<[&V; 64]> = places.iter().filter_map(row).collect();
        rows.into_iter().for_each(&mut touch);
    }

    /// A copy of a row, made hot.
    pub fn get(&self, key: &K) -> Result<Option<V>, StoreError> {
        self.view(key, V::clone)
    }

    /// Sets a row.
    pub fn put(&self, key: K, row: V) {
        let hash = hash_of(&key);
        let dirty = self.dirty_now();
        let mut shard = self.shard(hash).write().expect(POISONED);
        let Some(entry) = shard.get_mut(hash, &key) else {
            self.add(&mut shard, hash, key, row, dirty);
            self.come_back(&key);
            drop(shard);
            self.note(hash);
            self.dirty.write().expect(POISONED).push(key);
            return;
        };
        self.grow(entry.row.heap_bytes(), row.heap_bytes());
        let before = std::mem::replace(&mut entry.row, row);
        let was = std::mem::replace(&mut entry.status, dirty);
        if self.is_frozen(was) {
            shard.frozen.insert(key, before);
        }
        drop(shard);
        if was != dirty {
            self.dirty.write().expect(POISONED).push(key);
        }
    }

    /// Changes a row in place, or the default made by `new` where there is none.
    pub fn update<T>(
        &self,
        key: K,
        new: impl FnOnce() -> V,
        change: impl FnOnce(&mut V) -> T,
    ) -> Result<T, StoreError> {
        let hash = hash_of(&key);
        let dirty = self.dirty_now();
        let mut shard = self.shard(hash).write().expect(POISONED);
        if shard.get_mut(hash, &key).is_none() {
            let row = self.load(hash, &key)?.unwrap_or_else(|| {
                self.note(hash);
                new()
            });
            self.add(&mut shard, hash, key, row, Status::Clean);
            self.come_back(&key);
        }
        let entry = shard.get_mut(hash, &key).expect("it was there or was added");
        let was = std::mem::replace(&mut entry.status, dirty);
        let frozen = self.is_frozen(was).then(|| entry.row.clone());
        let before = entry.row.heap_bytes();
        let answer = change(&mut entry.row);
        self.grow(before, entry.row.heap_bytes());
        if let Some(frozen) = frozen {
            shard.frozen.insert(key, frozen);
        }
        drop(shard);
        if was != dirty {
            self.dirty.write().expect(POISONED).push(key);
        }
        Ok(answer)
    }

    /// Takes a row out of memory, wherever it is: it is now another owner's to write.
    pub fn release(&self, key: &K) -> Result<Option<V>, StoreError> {
        let hash = hash_of(key);
        let taken = self.shard(hash).write().expect(POISONED).remove(hash, key);
        let Some(entry) = taken else { return self.load(hash, key) };
        self.rows.fetch_sub(1, Ordering::Relaxed);
        self.grow(entry.row.heap_bytes(), 0);
        Ok(Some(entry.row))
    }

    /// The keys of the rows that became dirty since the last call, in the order in which they did.
    pub fn take_dirty(&self) -> Vec<K> {
        std::mem::take(&mut *self.dirty.write().expect(POISONED))
    }

    /// Adds the row of a dirty key to a batch and marks it leaving. `seen` is shown the row.
    pub fn write_back(&self, key: &K, batch: &mut Batch, seen: impl FnOnce(&V)) {
        let hash = hash_of(key);
        let mut shard = self.shard(hash).write().expect(POISONED);
        // A row that was released since, or is in a batch already, has nothing to write.
        let is_dirty = |entry: &&mut Entry<K, V>| matches!(entry.status, Status::Dirty { .. });
        let Some(entry) = shard.get_mut(hash, key).filter(is_dirty) else { return };
        entry.status = Status::Leaving;
        seen(&entry.row);
        batch.put_encoded(self.table, key.to_bytes(), |bytes| entry.row.encode(bytes));
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
            return batch.put_encoded(self.table, key.to_bytes(), |bytes| row.encode(bytes));
        }
        let is_frozen = |entry: &&mut Entry<K, V>| self.is_frozen(entry.status);
        let Some(entry) = shard.get_mut(hash, key).filter(is_frozen) else { return };
        entry.status = Status::Leaving;
        batch.put_encoded(self.table, key.to_bytes(), |bytes| entry.row.encode(bytes));
    }

    /// Says that the batch with these rows is committed.
    pub fn written(&self, keys: &[K]) {
        for key in keys {
            let hash = hash_of(key);
            let mut shard = self.shard(hash).write().expect(POISONED);
            let is_leaving = |entry: &&mut Entry<K, V>| entry.status == Status::Leaving;
            if let Some(entry) = shard.get_mut(hash, key).filter(is_leaving) {
                entry.status = Status::Clean;
            }
            self.removal_written(key);
        }
    }

    /// Where the table is over its capacity, lets clean rows leave that were not used for long. Called
    /// once per batch: the work is spread so that no batch waits for all of it.
    pub fn shrink(&self) {
        let mut hand = self.hand.write().expect(POISONED);
        for _ in 0..PAGES_PER_SWEEP {
            if self.bytes() <= self.capacity_bytes {
                return;
            }
            let (shard, page) = *hand;
            let (mut heap, mut rows) = (0, 0);
            let left = |row: &V| {
                heap += row.heap_bytes();
                rows += 1;
            };
            let is_page = self.shards[shard].write().expect(POISONED).sweep(page, left);
            self.heap.fetch_sub(heap, Ordering::Relaxed);
            self.rows.fetch_sub(rows, Ordering::Relaxed);
            *hand = if is_page { (shard, page + 1) } else { ((shard + 1) % SHARDS, 0) };
        }
    }

    /// About how many bytes of memory the table takes, and how many rows it has there.
    pub fn memory(&self) -> (usize, usize) {
        let shards = self.shards.iter().map(|shard| shard.read().expect(POISONED).bytes());
        let pages: usize = shards.sum();
        let filter = self.filter.as_ref().map_or(0, Filter::bytes);
        let rows = self.shards.iter().map(|shard| shard.read().expect(POISONED).len()).sum();
        (pages + self.heap.load(Ordering::Relaxed) + filter, rows)
    }

    /// Calls `visit` for every row whose key starts with `prefix`, in memory or in the store, until
    /// it answers `false`. The order is not defined.
    pub fn scan(
        &self,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], &V) -> bool,
    ) -> Result<(), StoreError> {
        for shard in &self.shards {
            let shard = shard.read().expect(POISONED);
            for entry in shard.entries() {
                let bytes = entry.key.to_bytes();
                if bytes.starts_with(prefix) && !visit(&bytes, &entry.row) {
                    return Ok(());
                }
            }
        }
        let mut damaged = false;
        self.store.scan(self.table, prefix, ScanOrder::Forwards, |bytes, value| {
            let (Some(key), Some(row)) = (K::from_bytes(bytes), V::decode(value)) else {
                damaged = true;
                return false;
            };
            let hash = hash_of(&key);
            let hot = self.shard(hash).read().expect(POISONED).get(hash, &key).is_some();
            hot || self.removed.has(&key) || visit(bytes, &row)
        })?;
        if damaged { Err(StoreError::Row { table: self.table.name() }) } else { Ok(()) }
    }

    fn add<'s>(
        &self,
        shard: &'s mut Shard<K, V>,
        hash: u64,
        key: K,
        row: V,
        status: Status,
    ) -> &'s Entry<K, V> {
        self.rows.fetch_add(1, Ordering::Relaxed);
        self.grow(0, row.heap_bytes());
        shard.add(hash, key, row, status)
    }

    fn load(&self, hash: u64, key: &K) -> Result<Option<V>, StoreError> {
        if self.filter.as_ref().is_some_and(|filter| !filter.may_have(hash)) {
            return Ok(None);
        }
        if self.removed.has(key) {
            return Ok(None);
        }
        let Some(bytes) = self.store.get(self.table, &key.to_bytes())? else { return Ok(None) };
        V::decode(&bytes).map(Some).ok_or_else(|| StoreError::Row { table: self.table.name() })
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

    /// What counts against the capacity: rows, with the room that their pages and index need.
    fn bytes(&self) -> usize {
        const ROOM: usize = 8;
        let row = size_of::<Option<Entry<K, V>>>() + ROOM;
        self.heap.load(Ordering::Relaxed) + self.rows.load(Ordering::Relaxed) * row
    }

    fn grow(&self, before: usize, after: usize) {
        if after >= before {
            self.heap.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.heap.fetch_sub(before - after, Ordering::Relaxed);
        }
    }
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
