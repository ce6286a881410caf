//! Calls that fail: the k-th of each kind, for every k.

use selfsame_event::{Class, Position, Time};
use selfsame_log::conformance::{assert_numbered, numbered};
use selfsame_log::fault::{Call, Failure, FaultFs};
use selfsame_log::{AppendError, Log, LogRead};

use crate::{all, has_stale_blocks, newest, open, open_regenerable};

const CALLS: [Call; 6] =
    [Call::Write, Call::Sync, Call::SyncDir, Call::Allocate, Call::Truncate, Call::Name];
const RECORDS: u64 = 40;

/// Numbers are offsets, so a record that was refused for good is one that is not there.
fn check_all(fs: &FaultFs, acknowledged: u64, what: &str) {
    for crashed in [None, Some(0), Some(1), Some(2), Some(3)] {
        let fs = crashed.map_or_else(|| fs.clone(), |seed| fs.image(seed));
        let log = open(&fs).unwrap_or_else(|error| panic!("{what}, {crashed:?}: {error:?}"));
        let records = all(&log);
        assert!(records.len() as u64 >= acknowledged, "{what}, {crashed:?}");
        for (record, number) in records.iter().zip(0..) {
            assert_numbered(record, number);
        }
        // The log goes on, and nothing of the failed past comes between.
        let end = log.end().offset;
        log.append_wait(numbered(end)).expect("append");
        drop(log);
        let log = open(&fs.image(0)).expect("open");
        assert_numbered(&log.get(Position::embedded(end)).expect("get"), end);
    }
}

#[test]
fn after_a_failed_call_nothing_is_acknowledged_and_nothing_acknowledged_is_lost() {
    for call in CALLS {
        let mut reached = 0;
        for k in 0.. {
            let fs = FaultFs::default();
            let log = open(&fs).expect("open");
            let before = fs.count(call);
            fs.fail(call, k, Failure::Broken, 1);
            let mut acknowledged = 0;
            let mut failed = false;
            for number in 0..RECORDS {
                match log.append_wait(numbered(number)) {
                    Ok(appended) => {
                        assert!(!failed, "{call:?} {k}: acknowledged after a failure");
                        assert_eq!(appended.position.offset, number);
                        acknowledged += 1;
                        // So that segments begin in spare files, where a failed call allows.
                        if number % 5 == 4 {
                            log.seal().ok();
                        }
                    }
                    Err(error) => {
                        assert!(matches!(error, AppendError::Failed(_)), "{error:?}");
                        assert_eq!(error.class(), Class::Unavailable);
                        failed = true;
                    }
                }
            }
            assert_eq!(all(&log).len() as u64, acknowledged, "what is not durable is not shown");
            drop(log);
            let hit = fs.count(call) - before > k;
            fs.heal();
            check_all(&fs, acknowledged, &format!("{call:?} {k}"));
            if !hit {
                break;
            }
            reached += 1;
        }
        assert!(reached > 0 || call == Call::Truncate, "{call:?} was never reached");
    }
}

#[test]
fn a_full_disk_is_waited_out() {
    for call in [Call::Write, Call::Allocate] {
        for k in 0..40 {
            let fs = FaultFs::default();
            let log = open(&fs).expect("open");
            fs.fail(call, k, Failure::Full, 3);
            let mut full = 0;
            let mut number = 0;
            while number < RECORDS {
                match log.append_wait(numbered(number)) {
                    Ok(appended) => {
                        assert_eq!(appended.position.offset, number);
                        number += 1;
                    }
                    Err(error) => {
                        assert!(matches!(error, AppendError::Full(_)), "{call:?} {k}: {error:?}");
                        assert_eq!(error.class(), Class::Limited);
                        full += 1;
                    }
                }
            }
            assert!(full <= 3);
            drop(log);
            fs.heal();
            check_all(&fs, RECORDS, &format!("{call:?} {k}"));
        }
    }
}

#[test]
fn a_full_disk_that_cannot_be_tidied_stops_the_log() {
    let fs = FaultFs::default();
    let log = open(&fs).expect("open");
    log.append_wait(numbered(0)).expect("append");
    fs.fail(Call::Write, 0, Failure::Full, 1);
    fs.fail(Call::Truncate, 0, Failure::Broken, 1);
    for number in 1..3 {
        let error = log.append_wait(numbered(number)).expect_err("half a block is in the way");
        assert_eq!(error.class(), Class::Unavailable);
    }
    drop(log);
    check_all(&fs, 1, "full and broken");
}

#[test]
fn an_erasure_that_fails_is_finished_when_it_is_asked_for_again() {
    let records = RECORDS + 20;
    let item = Position::embedded(7).item(1);
    for call in CALLS {
        let mut failures = 0;
        for k in 0..12 {
            let fs = FaultFs::default();
            let log = open(&fs).expect("open");
            for number in 0..records {
                log.append_wait(numbered(number)).expect("append");
                log.seal().expect("seal");
            }
            assert!(has_stale_blocks(&fs, &newest(&fs)));
            fs.fail(call, k, Failure::Broken, 1);
            failures += u32::from(log.erase(&[item]).is_err());
            let erased = log.get(item.record).expect("readable after a failure").without(&[1]);
            for (record, number) in all(&log).iter().zip(0..) {
                assert_numbered(record, number);
            }
            fs.heal();
            log.erase(&[item]).expect("erase again");
            assert_eq!(log.get(item.record).expect("get"), erased);
            let number = log.append_wait(numbered(records)).expect("the log was not stopped");
            assert_eq!(number.position.offset, records);
            let crashed = open(&fs.image(0)).expect("open");
            assert_eq!(crashed.get(item.record).expect("get"), erased, "{call:?} {k}");
        }
        assert_eq!(failures > 0, call != Call::Allocate, "{call:?}");
    }
}

#[test]
fn a_regenerable_log_that_failed_takes_nothing_and_keeps_what_was_synced() {
    for call in [Call::Write, Call::Sync, Call::SyncDir, Call::Allocate, Call::Name] {
        for k in 0..30 {
            let fs = FaultFs::default();
            let log = open_regenerable(&fs, 0).expect("open");
            fs.fail(call, k, Failure::Broken, 1);
            let mut floor = 0;
            let mut failed = false;
            for number in 0..RECORDS {
                let appended = log.append_batch(vec![(Time::EPOCH, numbered(number))]);
                let synced = if number % 3 == 0 { Some(log.sync()) } else { None };
                assert!(!failed || appended.is_err(), "{call:?} {k}: written after a failure");
                failed |= appended.is_err();
                match synced {
                    Some(Ok(end)) if !failed => floor = end.offset,
                    Some(Ok(_)) => panic!("{call:?} {k}: synced after a failure"),
                    Some(Err(_)) => failed = true,
                    None => {}
                }
            }
            assert!(log.synced().offset == floor);
            drop(log);
            fs.heal();
            for seed in 0..4 {
                let fs = fs.image(seed);
                let log = open_regenerable(&fs, floor).expect("open");
                assert!(log.end().offset >= floor);
                for (record, number) in all(&log).iter().zip(0..) {
                    assert_numbered(record, number);
                }
            }
        }
    }
}
