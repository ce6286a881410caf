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

/// A row of a cached table: bytes, a [`Value`], or bytes that are [`Apart`] while they are hot.
pub trait Row: Debug + Send + Sync + 'static {
    /// A row as it is shown.
    type Ref<'a>: Copy;
    /// A copy of one.
    type Owned: Debug + Send + Sync;
    /// Where a shard has them.
    type Home: Home<Self>;
    /// The row's bytes.
    fn encode(row: Self::Ref<'_>, out: &mut Vec<u8>);
    /// Reads a row.
    fn decode<T>(bytes: &[u8], read: impl FnOnce(Self::Ref<'_>) -> T) -> Option<T>;
    /// A copy of a row.
    fn copy(row: Self::Ref<'_>) -> Self::Owned;
    /// A copy as a row.
    fn lend(copy: &Self::Owned) -> Self::Ref<'_>;
}

/// A row of one size, which lies in its entry.
pub trait Value: Copy + Debug + Send + Sync + 'static {
    /// The row's bytes.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads a row.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl<V: Value> Row for V {
    type Ref<'a> = &'a Self;
    type Owned = Self;
    type Home = InEntries;

    fn encode(row: &Self, out: &mut Vec<u8>) {
        Value::encode(row, out);
    }

    fn decode<T>(bytes: &[u8], read: impl FnOnce(&Self) -> T) -> Option<T> {
        <Self as Value>::decode(bytes).map(|row| read(&row))
    }

    fn copy(row: &Self) -> Self {
        *row
    }

    fn lend(copy: &Self) -> &Self {
        copy
    }
}

impl Row for [u8] {
    type Ref<'a> = &'a Self;
    type Owned = Vec<u8>;
    type Home = Slabs;

    fn encode(row: &Self, out: &mut Vec<u8>) {
        out.extend_from_slice(row);
    }

    fn decode<T>(bytes: &[u8], read: impl FnOnce(&Self) -> T) -> Option<T> {
        Some(read(bytes))
    }

    fn copy(row: &Self) -> Vec<u8> {
        row.to_vec()
    }

    fn lend(copy: &Vec<u8>) -> &Self {
        copy
    }
}
