//! Which keys a table may have: a Bloom filter that grows, so that a key that is nowhere costs no
//! look into the store.
//!
//! Layers of doubling capacity, 16 bits a key and 4 probes in one cache line each: about one false
//! answer in a thousand keys, which costs a look and changes nothing.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

const FIRST_KEYS: usize = 1 << 16;
const BITS: usize = 16;
const PROBES: u32 = 4;
/// Words of a cache line.
const LINE: usize = 8;

/// Keys that may be there.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    layers: RwLock<Vec<Layer>>,
}

#[derive(Debug)]
struct Layer {
    words: Box<[AtomicU64]>,
    keys: AtomicUsize,
    capacity: usize,
}

impl Filter {
    /// Whether a key with that hash may be there. `false` is certain.
    pub(crate) fn may_have(&self, hash: u64) -> bool {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        layers.iter().rev().any(|layer| layer.has(hash))
    }

    /// Adds a key with that hash.
    pub(crate) fn add(&self, hash: u64) {
        {
            let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(layer) = layers.last()
                && layer.keys.fetch_add(1, Ordering::Relaxed) < layer.capacity
            {
                layer.set(hash);
                return;
            }
        }
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        let capacity = layers.last().map_or(FIRST_KEYS, |layer| layer.capacity * 2);
        let layer = Layer::new(capacity);
        layer.set(hash);
        layers.push(layer);
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        layers.iter().map(|layer| layer.words.len() * size_of::<u64>()).sum()
    }
}

impl Layer {
    fn new(capacity: usize) -> Self {
        let words = (0..capacity * BITS / 64).map(|_| AtomicU64::new(0)).collect();
        Self { words, keys: AtomicUsize::new(1), capacity }
    }

    fn has(&self, hash: u64) -> bool {
        self.bits(hash).all(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn set(&self, hash: u64) {
        self.bits(hash).for_each(|(word, bit)| {
            word.fetch_or(bit, Ordering::Relaxed);
        });
    }

    /// The bits of a hash: its upper half chooses the line, its lower half the bits in it.
    fn bits(&self, hash: u64) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let lines = self.words.len() / LINE;
        let line = usize::try_from(hash >> 32).unwrap_or(0) % lines * LINE;
        (0..PROBES).map(move |probe| {
            let at = usize::try_from(hash >> (probe * 8) & 0x1ff).unwrap_or(0);
            (&self.words[line + at / 64], 1 << (at % 64))
        })
    }
}

#[cfg(test)]
mod tests;
