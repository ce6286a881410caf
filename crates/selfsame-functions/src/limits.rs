//! How much a call may use.

use std::time::Duration;

/// What a call may use. What goes beyond is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Processor time of a call; as much again for the function's top level in a new sandbox.
    pub cpu: Duration,
    /// Time from the beginning of a call to its end, waiting included.
    pub wall: Duration,
    /// Heap of a sandbox.
    pub memory_bytes: usize,
    /// Stack of a sandbox.
    pub stack_bytes: usize,
    /// What a call may return, and all events of a source function together.
    pub output_bytes: usize,
    /// Lines of the console that are kept of a call, by their bytes.
    pub log_bytes: usize,
    /// Requests of a call.
    pub requests: u32,
    /// The body of a request.
    pub request_bytes: usize,
    /// Timers that wait at once.
    pub timers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_millis(50),
            wall: Duration::from_secs(5),
            memory_bytes: 16 << 20,
            stack_bytes: 256 << 10,
            output_bytes: 1 << 20,
            log_bytes: 4 << 10,
            requests: 50,
            request_bytes: 1 << 20,
            timers: 100,
        }
    }
}
