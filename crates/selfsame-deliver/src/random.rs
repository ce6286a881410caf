//! Chance, passed in as a value, so that a test can repeat it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of uniform random numbers.
pub trait Random: Send + Sync + fmt::Debug {
    /// The next number.
    fn next_u64(&self) -> u64;
}

/// The operating system's random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn next_u64(&self) -> u64 {
        // Jitter may be the same for a while where the system has no randomness; it may not fail.
        getrandom::u64().unwrap_or(u64::MAX / 2)
    }
}

/// The same numbers for the same seed (splitmix64): for tests and simulations.
#[derive(Debug)]
pub struct SeededRandom(AtomicU64);

impl SeededRandom {
    /// Numbers that follow from this seed.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Random for SeededRandom {
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
