//! Hashes that are kept, and so are the same in every version and on every machine.

/// A fixed 64-bit hash of some bytes, well mixed.
pub(crate) fn of(bytes: &[u8]) -> u64 {
    let mut hash = bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        let next = hash.rotate_left(29) ^ u64::from_le_bytes(word);
        hash = next.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    mix(hash)
}

/// Spreads every bit of a number over all of its result; different numbers stay different.
pub(crate) fn mix(mut number: u64) -> u64 {
    number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests;
