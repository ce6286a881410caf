//! Where a record is: an address, never an identity.
//!
//! A backup, a repartition or a move to another log changes addresses, so nothing that must last is
//! derived from one (see [`crate::RecordId`]).

use std::fmt;

/// The place of a record in a partition of a log. Offsets start at 0, have no gaps, and name the
/// same record for ever.
///
/// No code subtracts positions of different partitions or stores byte offsets in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// The partition of the log. The embedded log has one, number 0.
    pub partition: u32,
    /// The number of the record in its partition.
    pub offset: u64,
}

impl Position {
    /// A place in partition 0, the only one that the embedded log has.
    pub const fn embedded(offset: u64) -> Self {
        Self { partition: 0, offset }
    }

    /// The place right behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { partition: self.partition, offset: self.offset + 1 }
    }

    /// The place of an item of this record.
    pub const fn item(self, index: u32) -> ItemPosition {
        ItemPosition { record: self, index }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.partition, self.offset)
    }
}

/// The place of one item (one event) inside a record (one request).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ItemPosition {
    /// The record.
    pub record: Position,
    /// The item's number in the record, from 0.
    pub index: u32,
}

impl fmt::Display for ItemPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.record, self.index)
    }
}
