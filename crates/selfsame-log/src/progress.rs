//! The end of a log, and waiting for it to move.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// The end of a log. Threads and tasks can wait for it.
#[derive(Debug)]
pub(crate) struct Progress {
    end: Mutex<u64>,
    moved: Condvar,
    watch: watch::Sender<u64>,
}

impl Progress {
    pub(crate) fn new(end: u64) -> Self {
        Self { end: Mutex::new(end), moved: Condvar::new(), watch: watch::Sender::new(end) }
    }

    pub(crate) fn end(&self) -> u64 {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, end: u64) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = end;
        self.moved.notify_all();
        self.watch.send_replace(end);
    }

    pub(crate) fn wait_beyond(&self, offset: u64, timeout: Duration) -> bool {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.moved.wait_timeout_while(end, timeout, |end| *end <= offset);
        *waited.unwrap_or_else(PoisonError::into_inner).0 > offset
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.watch.subscribe()
    }
}
