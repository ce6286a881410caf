//! Where a shard has its rows: in their entries, if all are of one size, else in slabs beside them.

use std::fmt::Debug;

use super::{Row, Value};

/// Where a shard has its rows.
pub trait Home<V: Row + ?Sized>: Debug + Default + Send + Sync {
    /// What the entry of a row holds of it.
    type Seat: Debug + Send + Sync;
    /// Adds a row. `owner` is the number of its entry.
    fn add(&mut self, row: V::Ref<'_>, owner: u32) -> Self::Seat;
    /// The row.
    fn row<'a>(&'a self, seat: &'a Self::Seat) -> V::Ref<'a>;
    /// Changes a row. Another row may have moved for it.
    fn set(&mut self, seat: &mut Self::Seat, row: V::Ref<'_>, owner: u32) -> Option<Moved>;
    /// Removes a row. Another row may have moved for it.
    fn remove(&mut self, seat: &Self::Seat) -> Option<Moved>;
    /// Tells a seat that its row moved.
    fn follow(seat: &mut Self::Seat, moved: Moved);
    /// The bytes that rows take outside of their entries.
    fn used(&self) -> usize;
    /// The same, and what is held for rows to come.
    fn bytes(&self) -> usize;
    /// Puts a row together that is apart. Says whether it was.
    fn put_together(&mut self, _: &mut Self::Seat, _: u32) -> bool {
        false
    }
    /// The bytes that rows take which are apart.
    fn apart(&self) -> usize {
        0
    }
}

/// A row that is somewhere else now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The number of its entry.
    pub(super) owner: u32,
    /// Where it is.
    pub(super) index: u32,
}

/// Rows that lie in their entries.
#[derive(Debug, Default)]
pub struct InEntries;

impl<V: Value> Home<V> for InEntries {
    type Seat = V;

    fn add(&mut self, row: &V, _: u32) -> V {
        *row
    }

    fn row<'a>(&'a self, seat: &'a V) -> &'a V {
        seat
    }

    fn set(&mut self, seat: &mut V, row: &V, _: u32) -> Option<Moved> {
        *seat = *row;
        None
    }

    fn remove(&mut self, _: &V) -> Option<Moved> {
        None
    }

    fn follow(_: &mut V, _: Moved) {}

    fn used(&self) -> usize {
        0
    }

    fn bytes(&self) -> usize {
        0
    }
}
