//! State on disk: a cache of the log, rebuilt from it on any doubt.
//!
//! [`Store`] is a handful of [`Table`]s of byte rows in one embedded database; batches commit
//! atomically. [`CachedTable`] keeps rows hot in memory and knows which of them the store
//! does not have yet.
//!
//! Invariants:
//! - a batch is in the store whole or not at all, and batches survive a crash in commit order: if a
//!   later one is there, so is every earlier one;
//! - a row that the store does not have yet is never dropped from memory;
//! - [`Store::hash`] depends on every byte of every row of every table that is a function of the log.

mod cached;
mod engine;
mod error;
mod filter;
mod hash;
mod table;

pub use cached::{Apart, Becomes, CachedTable, Changing, Either, Row, RowKey, Shown, Value};
pub use engine::{Batch, Durability, ScanOrder, Store};
pub use error::StoreError;
pub use hash::{StateHash, TableHash};
pub use table::Table;
