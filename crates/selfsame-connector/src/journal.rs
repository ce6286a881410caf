//! Answers of exchanges that were interrupted, so that what a receiver has taken is not sent to it again.
//!
//! ```text
//! attempt 1    search GET 200    create POST 201    add POST 503     interrupted
//! attempt 2    search GET 200    (create: as before)  add POST 200   delivered
//! ```
//!
//! Only answers to requests that change something are kept. What was looked up is looked up again: it may be
//! another thing by then, above all where nobody knows whether a request was taken. An answer stands in for
//! a request only if that is the same one, in the same place.
//!
//! It is memory: an exchange that a stop of the process interrupts begins again, with the same idempotency
//! keys and message ids.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use selfsame_destinations::Reply;

/// Most bytes of answers that are kept for a connection. Beyond, the oldest exchanges begin again.
const MOST_BYTES: usize = 4 << 20;

/// An answer that was found good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// The number of its request in the exchange.
    pub(crate) place: usize,
    pub(crate) digest: [u8; 32],
    pub(crate) reply: Reply,
}

/// Whether a request of this method changes something.
pub(crate) fn changes(method: &str) -> bool {
    !matches!(method, "GET" | "HEAD")
}

#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    exchanges: BTreeMap<String, Vec<Kept>>,
    order: VecDeque<String>,
    bytes: usize,
}

impl Journal {
    /// Takes what was answered to an exchange before.
    pub(crate) fn take(&self, key: &str) -> Vec<Kept> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = inner.exchanges.remove(key).unwrap_or_default();
        if !kept.is_empty() {
            inner.bytes -= size(&kept);
            inner.order.retain(|one| one != key);
        }
        kept
    }

    /// Keeps what was answered to an exchange that is to be carried on.
    pub(crate) fn keep(&self, key: &str, kept: Vec<Kept>) {
        if kept.is_empty() || size(&kept) > MOST_BYTES {
            return;
        }
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.bytes += size(&kept);
        if let Some(before) = inner.exchanges.insert(key.to_owned(), kept) {
            inner.bytes -= size(&before);
        } else {
            inner.order.push_back(key.to_owned());
        }
        while inner.bytes > MOST_BYTES {
            let Some(oldest) = inner.order.pop_front() else { break };
            let gone = inner.exchanges.remove(&oldest).unwrap_or_default();
            inner.bytes -= size(&gone);
        }
    }
}

fn size(kept: &[Kept]) -> usize {
    kept.iter().map(|one| one.reply.body.len() + 512).sum()
}

#[cfg(test)]
mod tests;
