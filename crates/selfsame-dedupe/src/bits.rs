//! The few conversions between widths, each saying why nothing is lost.

/// The lower 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what is asked for")]
pub(crate) const fn low32(value: u64) -> u32 {
    value as u32
}

/// A length as it is written.
pub(crate) fn wide(length: usize) -> u64 {
    u64::try_from(length).expect("a length fits 64 bits")
}

/// A written length as one in memory.
pub(crate) fn length(value: u64) -> usize {
    usize::try_from(value).expect("targets have 64 bits")
}

/// Maps a hash onto `0..len`, evenly and without a division. Keeps the order of hashes.
pub(crate) fn scale(hash: u32, len: usize) -> usize {
    length((u64::from(hash) * wide(len)) >> 32)
}
