//! Looks at the rows of one prefix or of many: what is in memory is passed over once for all of them.

use std::collections::BTreeSet;

use super::{CachedTable, POISONED, Row, RowKey, hash_of};
use crate::{ScanOrder, StoreError};

impl<K: RowKey, V: Row + ?Sized> CachedTable<K, V> {
    /// Calls `visit` for every row whose key starts with `prefix`, in memory or in the store, until
    /// it answers `false`. The order is not defined.
    pub fn scan(
        &self,
        prefix: &[u8],
        visit: impl FnMut(&[u8], V::Ref<'_>) -> bool,
    ) -> Result<(), StoreError> {
        self.scan_prefixes(&BTreeSet::from([prefix.to_vec()]), visit)
    }

    /// Calls `visit` for every row whose key starts with one of the prefixes, which are of one length,
    /// until it answers `false`. The order is not defined.
    pub fn scan_prefixes(
        &self,
        prefixes: &BTreeSet<Vec<u8>>,
        mut visit: impl FnMut(&[u8], V::Ref<'_>) -> bool,
    ) -> Result<(), StoreError> {
        let Some(length) = prefixes.first().map(Vec::len) else { return Ok(()) };
        debug_assert!(prefixes.iter().all(|prefix| prefix.len() == length));
        for shard in &self.shards {
            let shard = shard.read().expect(POISONED);
            for (key, row) in shard.entries() {
                let bytes = key.to_bytes();
                let is_wanted = bytes.get(..length).is_some_and(|head| prefixes.contains(head));
                if is_wanted && !visit(&bytes, row) {
                    return Ok(());
                }
            }
        }
        let (mut is_damaged, mut is_done) = (false, false);
        for prefix in prefixes {
            self.store.scan(self.table, prefix, ScanOrder::Forwards, |bytes, row| {
                let Some(goes_on) = self.stored(bytes, row, &mut visit) else {
                    is_damaged = true;
                    return false;
                };
                is_done = !goes_on;
                goes_on
            })?;
            if is_damaged {
                return Err(self.damaged());
            }
            if is_done {
                break;
            }
        }
        Ok(())
    }

    /// Shows a row that the store has, unless it is in memory or removed. Says whether to go on, or
    /// nothing if it is damaged.
    fn stored(
        &self,
        bytes: &[u8],
        row: &[u8],
        visit: &mut impl FnMut(&[u8], V::Ref<'_>) -> bool,
    ) -> Option<bool> {
        let key = K::from_bytes(bytes)?;
        let hash = hash_of(&key);
        self.decode(row, |row| {
            let is_hot = self.shard(hash).read().expect(POISONED).find(hash, &key).is_some();
            is_hot || self.removed.has(&key) || visit(bytes, row)
        })
    }
}
