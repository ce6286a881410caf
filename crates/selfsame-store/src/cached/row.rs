//! What a cached table holds: keys, and rows that are bytes or values of one size.

use std::fmt::Debug;
use std::hash::Hash;

use super::home::{Home, InEntries};
use super::slabs::Slabs;

/// A key of a cached table.
pub trait RowKey: Copy + Eq + Ord + Hash + Send + Sync + 'static {
    /// The bytes of the key in the store.
    fn to_bytes(&self) -> Vec<u8>;
    /// The key of these bytes.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A row of a cached table: bytes, or a [`Value`].
pub trait Row: ToOwned<Owned: Debug + Send + Sync> + Debug + Send + Sync + 'static {
    /// Where a shard has them.
    type Home: Home<Self>;
    /// The row's bytes.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads a row.
    fn decode<T>(bytes: &[u8], read: impl FnOnce(&Self) -> T) -> Option<T>;
}

/// A row of one size, which lies in its entry.
pub trait Value: Copy + Debug + Send + Sync + 'static {
    /// The row's bytes.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads a row.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl<V: Value> Row for V {
    type Home = InEntries;

    fn encode(&self, out: &mut Vec<u8>) {
        Value::encode(self, out);
    }

    fn decode<T>(bytes: &[u8], read: impl FnOnce(&Self) -> T) -> Option<T> {
        <Self as Value>::decode(bytes).map(|row| read(&row))
    }
}

impl Row for [u8] {
    type Home = Slabs;

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn decode<T>(bytes: &[u8], read: impl FnOnce(&Self) -> T) -> Option<T> {
        Some(read(bytes))
    }
}
