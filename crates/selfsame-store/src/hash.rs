//! Hashes of state that do not depend on the order in which rows are visited.

use std::fmt;

/// A hash of a set of rows: the sum, in 256 bits, of the hashes of its rows, and their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TableHash {
    sum: [u64; 4],
    rows: u64,
}

impl TableHash {
    /// Adds a row.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&u64::try_from(key.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(key);
        hasher.update(value);
        let mut carry = false;
        for (limb, bytes) in self.sum.iter_mut().zip(hasher.finalize().as_bytes().chunks_exact(8)) {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            let (sum, over) = limb.overflowing_add(u64::from_le_bytes(word));
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = over || over_again;
        }
        self.rows += 1;
    }

    /// How many rows were added.
    pub fn rows(&self) -> u64 {
        self.rows
    }
}

impl fmt::Display for TableHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hasher = blake3::Hasher::new();
        self.sum.iter().for_each(|limb| {
            hasher.update(&limb.to_le_bytes());
        });
        hasher.update(&self.rows.to_le_bytes());
        let hash = hasher.finalize().to_hex();
        f.write_str(hash.get(..32).unwrap_or_default())
    }
}

/// The hash of a whole state, part by part, so that a difference says where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateHash {
    parts: Vec<(&'static str, TableHash)>,
}

impl StateHash {
    /// The hash of these parts.
    pub fn new(parts: Vec<(&'static str, TableHash)>) -> Self {
        Self { parts }
    }

    /// The parts, each with its name.
    pub fn parts(&self) -> &[(&'static str, TableHash)] {
        &self.parts
    }

    /// Adds a part that is kept elsewhere than in a table.
    pub fn push(&mut self, name: &'static str, hash: TableHash) {
        self.parts.push((name, hash));
    }

    /// The names of the parts that are not the same in both.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.parts.iter().zip(&other.parts);
        pairs.filter(|(a, b)| a != b).map(|(a, _)| a.0).collect()
    }
}

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut hasher = blake3::Hasher::new();
        for (name, hash) in &self.parts {
            hasher.update(name.as_bytes());
            hasher.update(hash.to_string().as_bytes());
        }
        let hash = hasher.finalize().to_hex();
        f.write_str(hash.get(..32).unwrap_or_default())
    }
}
