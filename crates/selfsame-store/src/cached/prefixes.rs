//! Looks at the rows of many prefixes at once: what is in memory is passed over once for all of them.

use std::collections::BTreeSet;

use super::{CachedTable, POISONED, Row, RowKey, hash_of};
use crate::{ScanOrder, StoreError};

impl<K: RowKey, V: Row> CachedTable<K, V> {
    /// Calls `visit` for every row whose key starts with one of the prefixes, which are of one length,
    /// until it answers `false`. The order is not defined.
    pub fn scan_prefixes(
        &self,
        prefixes: &BTreeSet<Vec<u8>>,
        mut visit: impl FnMut(&[u8], &V) -> bool,
    ) -> Result<(), StoreError> {
        let Some(length) = prefixes.first().map(Vec::len) else { return Ok(()) };
        debug_assert!(prefixes.iter().all(|prefix| prefix.len() == length));
        for shard in &self.shards {
            let shard = shard.read().expect(POISONED);
            for entry in shard.entries() {
                let bytes = entry.key.to_bytes();
                let is_wanted = bytes.get(..length).is_some_and(|head| prefixes.contains(head));
                if is_wanted && !visit(&bytes, &entry.row) {
                    return Ok(());
                }
            }
        }
        let (mut is_damaged, mut is_done) = (false, false);
        for prefix in prefixes {
            self.store.scan(self.table, prefix, ScanOrder::Forwards, |bytes, value| {
                let (Some(key), Some(row)) = (K::from_bytes(bytes), V::decode(value)) else {
                    is_damaged = true;
                    return false;
                };
                let hash = hash_of(&key);
                let is_hot = self.shard(hash).read().expect(POISONED).get(hash, &key).is_some();
                is_done = !is_hot && !self.removed.has(&key) && !visit(bytes, &row);
                !is_done
            })?;
            if is_damaged {
                return Err(StoreError::Row { table: self.table.name() });
            }
            if is_done {
                break;
            }
        }
        Ok(())
    }
}
