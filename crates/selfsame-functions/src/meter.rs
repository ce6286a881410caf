//! How much processor time a call has used.

use std::cell::Cell;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Counts the processor time of this thread while code runs, and says when it is too much.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Of this call, before the turn that runs now.
    used: Cell<Duration>,
    /// The thread's time when this turn began.
    began: Cell<Duration>,
    limit: Cell<Duration>,
    is_over: Cell<bool>,
}

impl Meter {
    /// A new call begins.
    pub(crate) fn reset(&self, limit: Duration) {
        self.used.set(Duration::ZERO);
        self.limit.set(limit);
        self.is_over.set(false);
        self.began.set(thread_time());
    }

    /// Code begins to run.
    pub(crate) fn resume(&self) {
        self.began.set(thread_time());
    }

    /// Code has stopped running.
    pub(crate) fn pause(&self) {
        self.used.set(self.so_far());
        self.began.set(thread_time());
    }

    /// Asked by the engine every few thousand steps: whether it has to stop.
    pub(crate) fn check(&self) -> bool {
        let is_over = self.so_far() > self.limit.get();
        if is_over {
            self.is_over.set(true);
        }
        is_over
    }

    /// Whether the engine was stopped.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// What the call had used when its code stopped running.
    pub(crate) fn used(&self) -> Duration {
        self.used.get()
    }

    /// What the call has used, while its code runs.
    fn so_far(&self) -> Duration {
        self.used.get() + thread_time().saturating_sub(self.began.get())
    }
}

/// The processor time of this thread. Not a clock that anything is decided by but limits.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}
