//! A sum of hashes, so that order and layout do not matter. Finds differences, not attackers.

use crate::entry::Entry;

const KEYS: [u64; 4] =
    [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db, 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3];

/// Folds a product of two words into one.
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    u64::try_from((product >> 64) ^ (product & u128::from(u64::MAX))).expect("masked")
}

fn words_under(key: usize, words: [u64; 4]) -> u64 {
    let left = fold(words[0] ^ KEYS[key], words[1] ^ KEYS[(key + 1) % 4]);
    let right = fold(words[2] ^ KEYS[(key + 2) % 4], words[3] ^ KEYS[(key + 3) % 4]);
    fold(left ^ KEYS[key], right.rotate_left(23) ^ KEYS[(key + 1) % 4])
}

/// The sum over entries.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sum {
    halves: [u64; 2],
    pub(crate) count: u64,
}

impl Sum {
    pub(crate) fn add(&mut self, entry: &Entry) {
        let last = (u64::from(entry.index) << 32) | u64::from(entry.content);
        let words = [entry.id.high, entry.id.low, entry.offset, last];
        self.halves[0] = self.halves[0].wrapping_add(words_under(0, words));
        self.halves[1] = self.halves[1].wrapping_add(words_under(2, words));
        self.count += 1;
    }

    /// The sum, the count and a hash of the other state, given as its written form.
    pub(crate) fn finish(self, other: &[u8]) -> [u8; 32] {
        let mut state = KEYS[3];
        for chunk in other.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state = fold(state ^ u64::from_le_bytes(word), KEYS[0]).wrapping_add(KEYS[1]);
        }
        let mut hash = [0; 32];
        for (at, word) in [self.halves[0], self.halves[1], self.count, state].iter().enumerate() {
            hash[at * 8..at * 8 + 8].copy_from_slice(&word.to_le_bytes());
        }
        hash
    }
}
