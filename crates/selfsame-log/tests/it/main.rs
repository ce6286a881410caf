//! The tests of the log from outside.

use std::sync::Arc;

use selfsame_event::SystemClock;
use selfsame_log::{LogConfig, MemoryLog, RealFs, SegmentLog, log_conformance};

fn files(segment_bytes: u32, tail_bytes: usize) -> SegmentLog {
    let folder = tempfile::tempdir().expect("a folder").keep();
    let config = LogConfig { segment_bytes, tail_bytes, ..LogConfig::new(folder, [7; 16]) };
    SegmentLog::open(&config, Arc::new(SystemClock::default()), Arc::new(RealFs)).expect("open")
}

log_conformance!(memory, MemoryLog::new(Arc::new(SystemClock::default())));
log_conformance!(files_in_memory_tail, files(1 << 20, 1 << 20));
log_conformance!(files_small_segments, files(2_000, 0));
