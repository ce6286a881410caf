//! How many requests are under way over all connections, and what of that is a connection's share.
//!
//! ```text
//! most 1,000    1 busy       500, and 500 are free for whoever comes
//!               9 busy       100 each, and 100 are free
//!               300 busy     3 each
//! ```
//!
//! A connection may have as many as are free: the more are busy, the less each has, whoever came first. Slow ones
//! can therefore not take all of it, and one that has nothing under way may always send. What a connection cannot
//! send it sends when one of its own has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The requests under way. Cheap to share.
#[derive(Debug, Clone)]
pub(crate) struct Flights {
    most: usize,
    now: Arc<AtomicUsize>,
}

/// One that is under way until it is dropped.
#[derive(Debug)]
pub(crate) struct Flight(Arc<AtomicUsize>);

impl Flights {
    /// About so many at once, and one for each connection that has none.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, now: Arc::default() }
    }

    /// How many more a connection may send that has so many.
    pub(crate) fn room(&self, own: usize) -> usize {
        let free = self.most.saturating_sub(self.now.load(Ordering::Relaxed));
        // Each that is sent makes one less free.
        let more = free.saturating_sub(own).div_ceil(2);
        if own == 0 { more.max(1) } else { more }
    }

    /// One more is under way.
    pub(crate) fn begin(&self) -> Flight {
        self.now.fetch_add(1, Ordering::Relaxed);
        Flight(Arc::clone(&self.now))
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
