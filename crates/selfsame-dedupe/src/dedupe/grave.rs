//! Memory to give back a table at a time, so that no admit pays for all of it.

use std::sync::Arc;

use crate::entry::Entry;
use crate::fresh::Fresh;

/// What is to be freed.
#[derive(Debug, Default)]
pub(super) struct Grave {
    tables: Vec<Vec<u32>>,
    blocks: Vec<Vec<Entry>>,
    indexes: Vec<Vec<u64>>,
}

impl Grave {
    pub(super) fn put_tables(&mut self, tables: Vec<Vec<u32>>) {
        self.tables.extend(tables);
    }

    /// Takes what was written; if another thread still has it, that thread frees it.
    pub(super) fn put_fresh(&mut self, fresh: Arc<Fresh>) {
        if let Ok(fresh) = Arc::try_unwrap(fresh) {
            let (blocks, indexes) = fresh.into_parts();
            self.blocks.extend(blocks);
            self.indexes.extend(indexes);
        }
    }

    /// Frees one of each.
    pub(super) fn bury_some(&mut self) {
        drop((self.tables.pop(), self.blocks.pop(), self.indexes.pop()));
    }
}
