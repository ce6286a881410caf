//! Rows decoded and hot in memory, over a table of the store.
//!
//! One writer (the engine) changes rows; any thread reads them. A row is *dirty* when the store does
//! not have it as it is, *leaving* while a write of it is under way, else *clean*. Only clean rows
//! leave memory, the least recently used first.

use std::hash::{BuildHasher, Hash};
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::filter::Filter;
use crate::{Batch, ScanOrder, Store, StoreError, Table};

const SHARDS: usize = 64;
const SHARDS_PER_SWEEP: usize = 2;

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
    /// About how many bytes of memory the row takes.
    fn memory(&self) -> usize;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Clean,
    Dirty,
    Leaving,
}

#[derive(Debug)]
struct Entry<V> {
    row: V,
    status: Status,
    used: u32,
}

type Shard<K, V> = RwLock<FxHashMap<K, Entry<V>>>;

/// A bounded cache of decoded rows over one table.
#[derive(Debug)]
pub struct CachedTable<K, V> {
    store: Store,
    table: Table,
    shards: Box<[Shard<K, V>]>,
    /// Rows that became dirty since the last [`CachedTable::take_dirty`].
    dirty: RwLock<Vec<K>>,
    capacity_bytes: usize,
    bytes: AtomicUsize,
    clock: AtomicU32,
    swept: AtomicUsize,
    oldest: AtomicU32,
    /// Which keys there may be, in memory or in the store.
    filter: Option<Filter>,
}

impl<K: RowKey, V: Row> CachedTable<K, V> {
    /// A cache of at most about `capacity_bytes` over that table.
    pub fn new(store: Store, table: Table, capacity_bytes: usize) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self {
            store,
            table,
            shards,
            dirty: RwLock::default(),
            capacity_bytes,
            bytes: AtomicUsize::new(0),
            clock: AtomicU32::new(1),
            swept: AtomicUsize::new(0),
            oldest: AtomicU32::new(0),
            filter: None,
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
        if let Some(entry) = self.shard(key).read().expect(POISONED).get(key) {
            return Ok(Some(read(&entry.row)));
        }
        Ok(self.load(key)?.map(|row| read(&row)))
    }

    /// A copy of a row, made hot.
    pub fn get(&self, key: &K) -> Result<Option<V>, StoreError> {
        let mut shard = self.shard(key).write().expect(POISONED);
        if let Some(entry) = shard.get_mut(key) {
            entry.used = self.now();
            return Ok(Some(entry.row.clone()));
        }
        let Some(row) = self.load(key)? else { return Ok(None) };
        self.add_bytes(row.memory());
        shard.insert(*key, Entry { row: row.clone(), status: Status::Clean, used: self.now() });
        Ok(Some(row))
    }

    /// Sets a row.
    pub fn put(&self, key: K, row: V) {
        let mut shard = self.shard(&key).write().expect(POISONED);
        let memory = row.memory();
        let entry = Entry { row, status: Status::Dirty, used: self.now() };
        self.add_bytes(memory);
        let before = shard.insert(key, entry);
        drop(shard);
        if before.is_none() {
            self.note(&key);
        }
        if let Some(before) = &before {
            self.remove_bytes(before.row.memory());
        }
        if before.is_none_or(|before| before.status != Status::Dirty) {
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
        let mut shard = self.shard(&key).write().expect(POISONED);
        let entry = match shard.get_mut(&key) {
            Some(entry) => entry,
            None => {
                let row = match self.load(&key)? {
                    Some(row) => row,
                    None => {
                        self.note(&key);
                        new()
                    }
                };
                self.add_bytes(row.memory());
                shard.entry(key).or_insert(Entry { row, status: Status::Clean, used: 0 })
            }
        };
        let before = entry.row.memory();
        let answer = change(&mut entry.row);
        let after = entry.row.memory();
        entry.used = self.now();
        let was = std::mem::replace(&mut entry.status, Status::Dirty);
        drop(shard);
        if after >= before {
            self.add_bytes(after - before);
        } else {
            self.remove_bytes(before - after);
        }
        if was != Status::Dirty {
            self.dirty.write().expect(POISONED).push(key);
        }
        Ok(answer)
    }

    /// Takes a row out of memory, wherever it is: it is now another owner's to write.
    pub fn release(&self, key: &K) -> Result<Option<V>, StoreError> {
        let taken = self.shard(key).write().expect(POISONED).remove(key);
        match taken {
            Some(entry) => {
                self.remove_bytes(entry.row.memory());
                Ok(Some(entry.row))
            }
            None => self.load(key),
        }
    }

    /// The keys of the rows that became dirty since the last call, in the order in which they did.
    pub fn take_dirty(&self) -> Vec<K> {
        std::mem::take(&mut *self.dirty.write().expect(POISONED))
    }

    /// How many rows wait to be written.
    pub fn dirty_count(&self) -> usize {
        self.dirty.read().expect(POISONED).len()
    }

    /// Adds the row of a dirty key to a batch and marks it leaving. `seen` is shown the row.
    pub fn write_back(&self, key: &K, batch: &mut Batch, seen: impl FnOnce(&V)) {
        let mut shard = self.shard(key).write().expect(POISONED);
        // A row that was released since, or is in a batch already, has nothing to write.
        let Some(entry) = shard.get_mut(key).filter(|entry| entry.status == Status::Dirty) else {
            return;
        };
        entry.status = Status::Leaving;
        seen(&entry.row);
        batch.put_encoded(self.table, key.to_bytes(), |bytes| entry.row.encode(bytes));
    }

    /// Says that the batch with these rows is committed.
    pub fn written(&self, keys: &[K]) {
        for key in keys {
            let mut shard = self.shard(key).write().expect(POISONED);
            if let Some(entry) = shard.get_mut(key).filter(|entry| entry.status == Status::Leaving)
            {
                entry.status = Status::Clean;
            }
        }
    }

    /// Moves the clock by which rows age, and where the table is over its capacity lets the least
    /// recently used clean rows of a few shards leave. Called once per batch: the work is spread so
    /// that no batch waits for all of it.
    pub fn shrink(&self) {
        let now = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        if self.bytes.load(Ordering::Relaxed) <= self.capacity_bytes {
            self.oldest.store(now / 2, Ordering::Relaxed);
            return;
        }
        // What is older than `age` leaves. Each full round that was not enough halves the age.
        for _ in 0..SHARDS_PER_SWEEP {
            let turn = self.swept.fetch_add(1, Ordering::Relaxed);
            let age = self.oldest.load(Ordering::Relaxed);
            if turn % SHARDS == SHARDS - 1 {
                self.oldest.store(age / 2, Ordering::Relaxed);
            }
            let mut shard = self.shards[turn % SHARDS].write().expect(POISONED);
            let mut freed = 0;
            shard.retain(|_, entry| {
                let old = entry.status == Status::Clean && now.wrapping_sub(entry.used) >= age;
                freed += if old { entry.row.memory() } else { 0 };
                !old
            });
            self.remove_bytes(freed);
        }
    }

    /// About how many bytes of memory the rows take, and how many rows there are.
    pub fn memory(&self) -> (usize, usize) {
        let rows = self.shards.iter().map(|shard| shard.read().expect(POISONED).len()).sum();
        let filter = self.filter.as_ref().map_or(0, Filter::bytes);
        (self.bytes.load(Ordering::Relaxed) + filter, rows)
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
            for (key, entry) in shard.iter() {
                let bytes = key.to_bytes();
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
            let hot = self.shard(&key).read().expect(POISONED).contains_key(&key);
            hot || visit(bytes, &row)
        })?;
        if damaged { Err(StoreError::Row { table: self.table.name() }) } else { Ok(()) }
    }

    fn load(&self, key: &K) -> Result<Option<V>, StoreError> {
        if self.filter.as_ref().is_some_and(|filter| !filter.may_have(hash_of(key))) {
            return Ok(None);
        }
        let Some(bytes) = self.store.get(self.table, &key.to_bytes())? else { return Ok(None) };
        V::decode(&bytes).map(Some).ok_or_else(|| StoreError::Row { table: self.table.name() })
    }

    fn note(&self, key: &K) {
        if let Some(filter) = &self.filter {
            filter.add(hash_of(key));
        }
    }

    fn shard(&self, key: &K) -> &Shard<K, V> {
        let hash = hash_of(key);
        // The map inside uses the low and the highest bits; the shard takes some between.
        let index = usize::try_from((hash >> 40) & (SHARDS as u64 - 1)).unwrap_or(0);
        &self.shards[index]
    }

    fn now(&self) -> u32 {
        self.clock.load(Ordering::Relaxed)
    }

    fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn remove_bytes(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Keys are hashes or counters: a cheap mix is enough, and the same in every process.
fn hash_of<K: Hash>(key: &K) -> u64 {
    let hash = FxBuildHasher.hash_one(key);
    (hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

const POISONED: &str = "no thread panics while it holds a shard";

#[cfg(test)]
mod tests;
