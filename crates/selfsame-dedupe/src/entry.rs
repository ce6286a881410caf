//! One remembered id, in memory and in a run.

use selfsame_event::{ItemPosition, Position};

use crate::bits::low32;

/// Bytes of an entry in a run.
pub(crate) const ENTRY_BYTES: usize = 28;
/// Offsets in a run reach so far behind its base.
pub(crate) const OFFSET_REACH: u64 = 1 << 40;
/// Item numbers are below this.
pub(crate) const INDEX_END: u32 = 1 << 24;

/// The 16 bytes that are the identity, ordered as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    pub(crate) high: u64,
    pub(crate) low: u64,
}

impl From<[u8; 16]> for Id {
    fn from(bytes: [u8; 16]) -> Self {
        let whole = u128::from_be_bytes(bytes);
        let low = u64::try_from(whole & u128::from(u64::MAX)).expect("masked");
        Self { high: u64::try_from(whole >> 64).expect("shifted"), low }
    }
}

/// A place in the log: an item position without its partition, which is one for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) index: u32,
}

impl Place {
    /// Behind every place.
    pub(crate) const END: Self = Self { offset: u64::MAX, index: u32::MAX };

    pub(crate) fn of(at: ItemPosition) -> Self {
        Self { offset: at.record.offset, index: at.index }
    }

    pub(crate) fn in_partition(self, partition: u32) -> ItemPosition {
        Position { partition, offset: self.offset }.item(self.index)
    }
}

/// An id, where it was first seen, and the fingerprint of the content it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: Id,
    pub(crate) offset: u64,
    pub(crate) index: u32,
    pub(crate) content: u32,
}

impl Entry {
    pub(crate) fn place(&self) -> Place {
        Place { offset: self.offset, index: self.index }
    }

    /// The order in a run.
    pub(crate) fn key(&self) -> (Id, Place) {
        (self.id, self.place())
    }

    /// Writes the packed form. The place must be within reach of the base.
    pub(crate) fn pack(&self, base: u64, into: &mut Vec<u8>) {
        let distance = self.offset - base;
        assert!(distance < OFFSET_REACH && self.index < INDEX_END, "checked when admitted");
        into.extend_from_slice(&self.id.high.to_be_bytes());
        into.extend_from_slice(&self.id.low.to_be_bytes());
        into.extend_from_slice(&self.content.to_le_bytes());
        into.extend_from_slice(&(distance | (u64::from(self.index) << 40)).to_le_bytes());
    }

    /// Reads the packed form back.
    pub(crate) fn unpack(bytes: &[u8; ENTRY_BYTES], base: u64) -> Self {
        let place = u64::from_le_bytes(part(bytes, 20));
        Self {
            id: Id {
                high: u64::from_be_bytes(part(bytes, 0)),
                low: u64::from_be_bytes(part(bytes, 8)),
            },
            content: u32::from_le_bytes(part(bytes, 16)),
            offset: base + (place & (OFFSET_REACH - 1)),
            index: low32(place >> 40),
        }
    }
}

/// Some bytes of a larger array.
pub(crate) fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    bytes[from..from + N].try_into().expect("the length is N")
}

impl Id {
    /// The bytes again.
    pub(crate) fn bytes(self) -> [u8; 16] {
        ((u128::from(self.high) << 64) | u128::from(self.low)).to_be_bytes()
    }
}
