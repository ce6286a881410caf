//! The tests of the log from outside.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use selfsame_event::{Clock, SystemClock, Time};
use selfsame_log::fault::FaultFs;
use selfsame_log::{
    Fs, LogConfig, LogRead, MemoryLog, OpenError, RealFs, Record, RegenerableLog, SegmentLog,
    log_conformance,
};

mod crash;
mod damage;
mod failures;
mod fixture;
mod hostile;
mod keep;
mod limits;
mod nonsense;
mod replay;
mod spares;

const FOLDER: &str = "/log";

/// A clock that stands still unless it is moved; wall and monotonic time apart.
#[derive(Debug, Default)]
struct TestClock {
    wall: AtomicI64,
    monotonic: AtomicI64,
}

impl TestClock {
    fn at(wall: i64) -> Arc<Self> {
        Arc::new(Self { wall: AtomicI64::new(wall), monotonic: AtomicI64::new(0) })
    }

    fn pass(&self, micros: i64) {
        self.wall.fetch_add(micros, Ordering::SeqCst);
        self.monotonic.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn wall(&self) -> Time {
        Time::from_micros(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.monotonic.load(Ordering::SeqCst)).expect("never back")
    }
}

fn small() -> LogConfig {
    LogConfig { segment_bytes: 2_500, tail_bytes: 800, ..LogConfig::new(FOLDER, [7; 16]) }
}

fn open(fs: &FaultFs) -> Result<SegmentLog, OpenError> {
    SegmentLog::open(&small(), TestClock::at(1_000_000), Arc::new(fs.clone()))
}

fn open_regenerable(fs: &FaultFs, floor: u64) -> Result<RegenerableLog, OpenError> {
    RegenerableLog::open(&small(), TestClock::at(0), Arc::new(fs.clone()), floor)
}

fn all(log: &dyn LogRead) -> Vec<Record> {
    log.read(log.first(), usize::MAX).expect("read")
}

/// The path of the newest segment.
fn newest(fs: &FaultFs) -> PathBuf {
    segments(fs).pop().expect("a segment")
}

fn segments(fs: &FaultFs) -> Vec<PathBuf> {
    let names = fs.list(FOLDER.as_ref()).expect("list");
    let mut names: Vec<_> = names.into_iter().filter(|name| name.ends_with(".seg")).collect();
    names.sort();
    names.into_iter().map(|name| PathBuf::from(FOLDER).join(name)).collect()
}

/// Whether a segment lies in a file that was used before, with something of it behind its end.
fn has_stale_blocks(fs: &FaultFs, path: &Path) -> bool {
    let bytes = fs.bytes(path).expect("there");
    let (header, rest) = bytes.split_at(64);
    let last = rest.windows(8).rposition(|window| *window == header[24..32]).unwrap_or(0);
    let len = rest.get(last + 40..last + 44).expect("a block or what was before");
    let len = u32::from_le_bytes(len.try_into().expect("four"));
    let end = last + 56 + usize::try_from(len).expect("small");
    header[11] == 1 && rest[end..].iter().any(|byte| *byte != 0)
}

/// Whether the text is in any file as it is, not behind another digit.
fn contains(fs: &FaultFs, text: &str) -> bool {
    let names = fs.list(FOLDER.as_ref()).expect("list");
    names.iter().any(|name| {
        // The sealing thread may have taken the file away meanwhile.
        let bytes = fs.bytes(&PathBuf::from(FOLDER).join(name)).unwrap_or_default();
        let mut windows = bytes.windows(text.len() + 1);
        windows.any(|window| !window[0].is_ascii_digit() && window[1..] == *text.as_bytes())
    })
}

fn real(folder: &tempfile::TempDir) -> SegmentLog {
    let config = LogConfig {
        segment_bytes: 20_000,
        tail_bytes: 0,
        ..LogConfig::new(folder.path().join("a/b"), [7; 16])
    };
    SegmentLog::open(&config, Arc::new(SystemClock::default()), Arc::new(RealFs)).expect("open")
}

log_conformance!(memory, MemoryLog::new(TestClock::at(5)));
log_conformance!(small_segments, open(&FaultFs::default()).expect("open"));
log_conformance!(large_segments, {
    let config = LogConfig::new(FOLDER, [7; 16]);
    let config = LogConfig { segment_bytes: 1 << 20, ..config };
    SegmentLog::open(&config, TestClock::at(5), Arc::new(FaultFs::default())).expect("open")
});

#[test]
fn a_folder_on_a_real_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = real(&folder);
    selfsame_log::conformance::appends_from_many_threads(&log);
    let config = LogConfig::new(folder.path().join("a/b"), [8; 16]);
    let clock = Arc::new(SystemClock::default());
    let again = SegmentLog::open(&config, clock, Arc::new(RealFs));
    assert!(matches!(again, Err(OpenError::Busy)), "one process at a time");
    let records = all(&log);
    log.seal().expect("seal");
    assert!(log.stats().sealed_segments > 0);
    drop(log);
    let log = real(&folder);
    assert_eq!(all(&log), records);
    let segments = log.stats().segments;
    assert_eq!(log.trim_to(log.end()).expect("trim"), segments - 1);
    assert_eq!(log.stats().segments, 1);
    let first = usize::try_from(log.first().offset).expect("small");
    assert!(first > 0);
    assert_eq!(all(&log), records[first..]);
}
