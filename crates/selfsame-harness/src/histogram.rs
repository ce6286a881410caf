//! How long things took: counts in buckets that widen with the value.
//!
//! **Invariants:** a quantile is never below the true one and at most 1/64 above it; values are
//! microseconds.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// Buckets of one power of two.
const STEPS: u64 = 64;
const STEP_BITS: u32 = 6;
/// Powers of two above the first; the last bucket holds everything from 2^40 µs (12 days).
const POWERS: u64 = 35;

/// Counts of durations.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let size = usize::try_from(STEPS * POWERS).expect("a small number fits");
        Self { buckets: vec![0; size], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub(crate) fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let last = self.buckets.len() - 1;
        let index = usize::try_from(bucket(micros)).unwrap_or(last).min(last);
        self.buckets[index] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// Adds another's counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub(crate) fn max(&self) -> Duration {
        Duration::from_micros(self.max)
    }

    /// The duration that so many of a thousand did not exceed.
    pub(crate) fn quantile(&self, per_mille: u64) -> Duration {
        let wanted = (self.count * per_mille).div_ceil(1_000).max(1);
        let mut seen = 0;
        for (index, count) in (0..).zip(&self.buckets) {
            seen += count;
            if seen >= wanted {
                return Duration::from_micros(highest(index).min(self.max));
            }
        }
        self.max()
    }
}

/// The bucket of a value: its own up to 64, then 64 for each power of two.
fn bucket(micros: u64) -> u64 {
    if micros < STEPS {
        return micros;
    }
    let power = micros.ilog2() - STEP_BITS;
    (u64::from(power) + 1) * STEPS + (micros >> power) - STEPS
}

/// The highest value of a bucket.
fn highest(index: u64) -> u64 {
    if index < STEPS {
        return index;
    }
    let (power, step) = (index / STEPS - 1, index % STEPS);
    ((STEPS + step + 1) << power) - 1
}
