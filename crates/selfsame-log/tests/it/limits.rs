//! Limits, log time, figures.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use selfsame_event::{Class, RecordId};
use selfsame_log::conformance::numbered;
use selfsame_log::fault::FaultFs;
use selfsame_log::{AppendError, Item, Log, LogConfig, LogRead, NewRecord, SegmentLog};

use crate::{TestClock, all, small};

fn sized(bytes: usize) -> NewRecord {
    let items = vec![Item::Body(Bytes::from(vec![1; bytes]))];
    NewRecord { id: RecordId([1; 16]), kind: 1, head: Bytes::new(), items }
}

#[test]
fn a_record_over_the_limit_is_refused_and_one_at_it_is_not() {
    let limit = sized(5_000).size();
    let config = LogConfig { record_limit_bytes: limit, ..small() };
    let fs = FaultFs::default();
    let log = SegmentLog::open(&config, TestClock::at(0), Arc::new(fs.clone())).expect("open");
    let error = log.append_wait(sized(5_001)).expect_err("too large");
    assert!(matches!(error, AppendError::TooLarge { .. }));
    assert_eq!(error.class(), Class::Invalid);
    // Twice as large as a segment.
    for _ in 0..3 {
        log.append_wait(sized(5_000)).expect("append");
    }
    drop(log);
    let log = SegmentLog::open(&config, TestClock::at(0), Arc::new(fs)).expect("open");
    assert!(all(&log).iter().all(|record| record.size() == limit));
    assert_eq!(log.end().offset, 3);
}

#[test]
fn a_full_backlog_says_so_at_once() {
    let config = LogConfig { backlog_limit_records: 0, ..small() };
    let log = SegmentLog::open(&config, TestClock::at(0), Arc::new(FaultFs::default()));
    let error = log.expect("open").append_wait(numbered(0)).expect_err("no room");
    assert!(matches!(error, AppendError::Backlog { .. }));
    assert_eq!(error.class(), Class::Limited);
}

#[test]
fn log_time_is_held_and_accepted() {
    const HOUR: i64 = 3_600_000_000;
    let clock = TestClock::at(HOUR);
    let fs = FaultFs::default();
    let log = SegmentLog::open(&small(), clock.clone(), Arc::new(fs.clone())).expect("open");
    let append = || log.append_wait(numbered(0)).expect("append").time.micros();
    assert_eq!(append(), HOUR);
    clock.pass(10);
    assert_eq!(append(), HOUR + 10);
    clock.wall.fetch_add(HOUR, Ordering::SeqCst);
    clock.pass(5);
    assert_eq!((append(), log.held_micros()), (HOUR + 15, HOUR));
    assert_eq!(log.stats().held_micros, HOUR);
    log.accept_clock();
    assert_eq!((append(), log.held_micros()), (2 * HOUR + 15, 0));
    clock.wall.fetch_sub(HOUR, Ordering::SeqCst);
    assert_eq!(append(), 2 * HOUR + 15);
    drop(log);
    let log = SegmentLog::open(&small(), clock, Arc::new(fs)).expect("open");
    assert_eq!(log.append_wait(numbered(5)).expect("append").time.micros(), 2 * HOUR + 15);
}

#[test]
fn figures_are_counted() {
    let fs = FaultFs::default();
    let log = SegmentLog::open(&small(), TestClock::at(0), Arc::new(fs)).expect("open");
    for number in 0..50 {
        log.append_wait(numbered(number)).expect("append");
    }
    log.seal().expect("seal");
    let stats = log.stats();
    assert_eq!((stats.first, stats.end, stats.records, stats.groups), (0, 50, 50, 50));
    assert!(stats.segments > 1 && stats.sealed_segments == stats.segments - 1);
    assert!(stats.disk_bytes > 1_000);
    assert_eq!(stats.seal_failures, 0);
}

#[test]
fn a_closed_log_finishes_what_it_was_given() {
    let fs = FaultFs::default();
    let log = crate::open(&fs).expect("open");
    let appends: Vec<_> = (0..30).map(|number| log.append(numbered(number))).collect();
    drop(log);
    for append in appends {
        append.wait().expect("appended before it closed");
    }
    assert_eq!(all(&crate::open(&fs).expect("open")).len(), 30);
}
