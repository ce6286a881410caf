use bytes::Bytes;
use selfsame_event::{RecordId, RecordKind, SystemClock, Time};
use selfsame_log::{LogConfig, NewRecord, RealFs};

use super::*;

fn outbox(folder: &std::path::Path) -> Arc<RegenerableLog> {
    let config = LogConfig::new(folder.join("outbox"), [3; 16]);
    let clock = Arc::new(SystemClock::default());
    Arc::new(RegenerableLog::open(&config, clock, Arc::new(RealFs), 0).expect("opens"))
}

/// A section may be taken while the decisions of its last event are still being put together.
#[test]
fn a_section_is_not_written_before_its_decisions() {
    let folder = tempfile::tempdir().expect("a folder");
    let outbox = outbox(folder.path());
    let behind = Behind { outbox: Some(Arc::clone(&outbox)), stop: Arc::default() };
    let next = outbox.end().next();
    let waiting = std::thread::spawn(move || behind.wait(next).map(|()| behind));
    let kind = RecordKind::Events as u8;
    let record = NewRecord { id: RecordId::default(), kind, head: Bytes::new(), items: Vec::new() };
    outbox.append_batch(vec![(Time::EPOCH, record)]).expect("appends");
    let waited = waiting.join().expect("does not panic");
    waited.expect("waits for what is appended");
    assert!(outbox.synced() >= next);
}

#[test]
fn what_is_never_decided_is_not_waited_for_when_the_engine_goes() {
    let folder = tempfile::tempdir().expect("a folder");
    let outbox = outbox(folder.path());
    let behind = Behind { outbox: Some(Arc::clone(&outbox)), stop: Arc::default() };
    let stop = Arc::clone(&behind.stop);
    let next = outbox.end().next();
    let waiting = std::thread::spawn(move || behind.wait(next));
    stop.store(true, Ordering::Release);
    let waited = waiting.join().expect("does not panic");
    assert!(matches!(waited, Err(CheckpointError::Stopped)));
}
