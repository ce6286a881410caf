//! Eight bytes at a time in one register.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The index, from `at` on, of the first byte that ends or interrupts a JSON string: a quote or a
/// backslash, and with `CONTROLS` a control character. The length if there is none.
#[inline]
pub(crate) fn special<const CONTROLS: bool>(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        // The lowest bit that is set is right; those above it may be due to a borrow.
        let mut hits = below(word ^ (ONES * 0x22), 1) | below(word ^ (ONES * 0x5c), 1);
        if CONTROLS {
            hits |= below(word, 0x20);
        }
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\') || CONTROLS && *byte < b' ';
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Marks the bytes of the word that are less than `limit`, which is at most 128.
#[inline]
fn below(word: u64, limit: u64) -> u64 {
    word.wrapping_sub(ONES * limit) & !word & HIGHS
}
