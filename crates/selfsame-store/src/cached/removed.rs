//! Rows that were removed. Until the store has lost such a row too, its key is kept here and hides what
//! the store says. Only for exact tables: a removal is written by the batch of the checkpoint that it
//! belongs to, as rows are.
//!
//! ```text
//! remove -> Dirty -> (freeze) -> write_frozen -> Leaving -> written -> forgotten
//!             `-> put: the row is back; if the removal was frozen, it is still to be written
//! ```

use std::hash::Hash;
use std::sync::RwLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::{FxHashMap, FxHashSet};

use super::shard::Status;
use super::{CachedTable, POISONED, Row, RowKey, hash_of};
use crate::Batch;

/// The keys of rows that were removed.
#[derive(Debug)]
pub(super) struct Removed<K> {
    keys: RwLock<Keys<K>>,
    /// How many there are, to be asked without a lock.
    count: AtomicUsize,
}

#[derive(Debug)]
struct Keys<K> {
    /// Those that are removed now.
    now: FxHashMap<K, Status>,
    /// Those that were removed at the freeze and are back since.
    frozen: FxHashSet<K>,
}

impl<K> Default for Removed<K> {
    fn default() -> Self {
        let keys = Keys { now: FxHashMap::default(), frozen: FxHashSet::default() };
        Self { keys: RwLock::new(keys), count: AtomicUsize::new(0) }
    }
}

impl<K: Copy + Eq + Hash> Removed<K> {
    /// Whether the row is removed, whatever the store says.
    pub(super) fn has(&self, key: &K) -> bool {
        self.is_any() && self.keys.read().expect(POISONED).now.contains_key(key)
    }

    fn is_any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    fn change<T>(&self, change: impl FnOnce(&mut Keys<K>) -> T) -> T {
        let mut keys = self.keys.write().expect(POISONED);
        let answer = change(&mut keys);
        self.count.store(keys.now.len() + keys.frozen.len(), Ordering::Release);
        answer
    }
}

impl<K: RowKey, V: Row + ?Sized> CachedTable<K, V> {
    /// Removes a row.
    pub fn remove(&self, key: K) {
        let hash = hash_of(&key);
        let dirty = self.dirty_now();
        let mut shard = self.shard(hash).write().expect(POISONED);
        if let Some((row, status)) = self.remove_from(&mut shard, hash, &key)
            && self.is_frozen(status)
        {
            shard.frozen.insert(key, row);
        }
        self.removed.change(|keys| _ = keys.now.entry(key).or_insert(dirty));
        drop(shard);
        self.dirty.write().expect(POISONED).push(key);
    }

    /// Notes that a row is set again.
    pub(super) fn come_back(&self, key: &K) {
        if !self.removed.is_any() {
            return;
        }
        self.removed.change(|keys| {
            if keys.now.remove(key).is_some_and(|status| self.is_frozen(status)) {
                keys.frozen.insert(*key);
            }
        });
    }

    /// Adds a removal to a batch, if the row was removed at the freeze.
    pub(super) fn write_removed(&self, key: &K, batch: &mut Batch) -> bool {
        let was_removed = self.removed.is_any()
            && self.removed.change(|keys| {
                let now = keys.now.get_mut(key).filter(|status| self.is_frozen(**status));
                let is_removed = now.map(|status| *status = Status::Leaving).is_some();
                keys.frozen.remove(key) || is_removed
            });
        if was_removed {
            batch.remove(self.table, key.to_bytes());
        }
        was_removed
    }

    /// Forgets a removal that is committed.
    pub(super) fn removal_written(&self, key: &K) {
        if self.removed.is_any() {
            self.removed.change(|keys| {
                if keys.now.get(key) == Some(&Status::Leaving) {
                    keys.now.remove(key);
                }
            });
        }
    }
}
