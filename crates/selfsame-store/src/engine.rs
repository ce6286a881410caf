//! The only file that names the engine.

use std::path::Path;

use fjall::config::{
    BloomConstructionPolicy, FilterPolicy, FilterPolicyEntry, PartitioningPolicy, PinningPolicy,
};
use fjall::{
    Database, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch as WriteBatch, PersistMode,
    Readable, UserKey, UserValue,
};

use crate::hash::{StateHash, TableHash};
use crate::{StoreError, Table};

const CACHE_BYTES: u64 = 24 * 1024 * 1024;
const JOURNAL_BYTES: u64 = 256 * 1024 * 1024;
const MEMTABLE_BYTES: u64 = 8 * 1024 * 1024;

/// The embedded store: every table of one data folder.
#[derive(Clone)]
pub struct Store {
    database: Database,
    tables: Vec<Keyspace>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("tables", &self.tables.len()).finish_non_exhaustive()
    }
}

/// When a batch has to be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// With the next batch that is synced; a crash before may lose it.
    Later,
    /// When the commit returns.
    Synced,
}

/// Writes that happen together, in the form in which the engine takes them.
#[derive(Debug, Default)]
pub struct Batch {
    writes: Vec<(Table, UserKey, Option<UserValue>)>,
    bytes: usize,
    scratch: Vec<u8>,
}

impl Batch {
    /// Sets a row.
    pub fn put(&mut self, table: Table, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (key, value) = (key.as_ref(), value.as_ref());
        self.bytes += key.len() + value.len();
        self.writes.push((table, key.into(), Some(value.into())));
    }

    /// Sets a row to what `encode` writes.
    pub fn put_encoded(
        &mut self,
        table: Table,
        key: impl AsRef<[u8]>,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        encode(&mut scratch);
        self.put(table, key, &scratch);
        self.scratch = scratch;
    }

    /// Removes a row.
    pub fn remove(&mut self, table: Table, key: impl AsRef<[u8]>) {
        let key = key.as_ref();
        self.bytes += key.len();
        self.writes.push((table, key.into(), None));
    }

    /// The bytes of keys and values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}

impl Store {
    /// Opens the store in that folder, or makes an empty one.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let database = Database::builder(folder)
            .cache_size(CACHE_BYTES)
            .max_journaling_size(JOURNAL_BYTES)
            .manual_journal_persist(true)
            .worker_threads(1)
            .open()
            .map_err(engine("open"))?;
        let open = |table: &Table| {
            database.keyspace(table.name(), options).map_err(engine("open a table of"))
        };
        let tables = Table::ALL.iter().map(open).collect::<Result<_, _>>()?;
        Ok(Self { database, tables })
    }

    /// The row of a key.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = self.tables[table.index()].get(key).map_err(engine("read"))?;
        Ok(row.map(|row| row.to_vec()))
    }

    /// Commits a batch.
    pub fn commit(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let mut writes = WriteBatch::with_capacity(self.database.clone(), batch.writes.len());
        for (table, key, value) in batch.writes {
            let keyspace = &self.tables[table.index()];
            match value {
                Some(value) => writes.insert(keyspace, key, value),
                None => writes.remove(keyspace, key),
            }
        }
        writes.commit().map_err(engine("write"))?;
        match durability {
            Durability::Later => Ok(()),
            Durability::Synced => {
                self.database.persist(PersistMode::SyncAll).map_err(engine("sync"))
            }
        }
    }

    /// Calls `visit` with the rows whose keys start with `prefix`, in key order or backwards, until it
    /// answers `false`.
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        order: ScanOrder,
        mut visit: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let snapshot = self.database.snapshot();
        let mut rows = snapshot.prefix(&self.tables[table.index()], prefix);
        loop {
            let next = match order {
                ScanOrder::Forwards => rows.next(),
                ScanOrder::Backwards => rows.next_back(),
            };
            let Some(row) = next else { return Ok(()) };
            let (key, value) = row.into_inner().map_err(engine("scan"))?;
            if !visit(&key, &value) {
                return Ok(());
            }
        }
    }

    /// About how many rows a table has, quickly.
    pub fn rows_about(&self, table: Table) -> u64 {
        u64::try_from(self.tables[table.index()].approximate_len()).unwrap_or(u64::MAX)
    }

    /// The hash of the state that the store holds, table by table.
    pub fn hash(&self) -> Result<StateHash, StoreError> {
        let mut tables = Vec::with_capacity(Table::ALL.len());
        for table in Table::ALL.iter().filter(|table| table.is_state()) {
            let mut hash = TableHash::default();
            self.scan(*table, &[], ScanOrder::Forwards, |key, value| {
                hash.add(key, value);
                true
            })?;
            tables.push((table.name(), hash));
        }
        Ok(StateHash::new(tables))
    }

    /// The bytes that the store takes on disk, its journal included.
    pub fn disk_bytes(&self) -> Result<u64, StoreError> {
        self.database.disk_space().map_err(engine("measure"))
    }
}

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanOrder {
    /// Smallest key first.
    Forwards,
    /// Largest key first.
    Backwards,
}

/// Filters and indexes stay in memory: a new key costs no disk read.
fn options() -> KeyspaceCreateOptions {
    let bloom = BloomConstructionPolicy::BitsPerKey(10.0);
    KeyspaceCreateOptions::default()
        .filter_policy(FilterPolicy::all(FilterPolicyEntry::Bloom(bloom)))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
        .max_memtable_size(MEMTABLE_BYTES)
        .manual_journal_persist(true)
}

fn engine(action: &'static str) -> impl Fn(fjall::Error) -> StoreError {
    move |source| StoreError::Engine { action, source: Box::new(source) }
}
