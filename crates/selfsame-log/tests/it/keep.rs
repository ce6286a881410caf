//! Erasing, trimming, cutting.

use std::sync::Arc;
use std::time::Duration;

use selfsame_event::{Class, Position};
use selfsame_log::conformance::{assert_numbered, numbered};
use selfsame_log::fault::FaultFs;
use selfsame_log::{Item, Log, LogRead, ReadError, SegmentLog};

use crate::{all, contains, open, open_regenerable, segments};

fn filled(fs: &FaultFs, records: u64) -> SegmentLog {
    let log = open(fs).expect("open");
    for number in 0..records {
        log.append_wait(numbered(number)).expect("append");
    }
    log
}

#[test]
fn an_erased_item_is_gone_and_all_else_is_as_it_was() {
    let fs = FaultFs::default();
    let log = filled(&fs, 60);
    let before = all(&log);
    // Old and sealed, just closed, and in the segment that is being written.
    let items: Vec<_> = [3, 7, 35, 59].map(|offset| Position::embedded(offset).item(1)).to_vec();
    assert!(contains(&fs, "59.1:"));
    assert_eq!(log.erase(&items).expect("erase"), 4);
    let expected: Vec<_> = before
        .iter()
        .map(|record| {
            let is_hit = items.iter().any(|item| item.record == record.position);
            if is_hit { record.without(&[1]) } else { record.clone() }
        })
        .collect();
    assert_eq!(all(&log), expected);
    assert_eq!(log.get(Position::embedded(59)).expect("get").items[1], Item::Erased);
    for offset in [3, 7, 35, 59] {
        assert!(!contains(&fs, &format!("{offset}.1:")), "{offset} is still in the files");
    }
    assert!(log.append_wait(numbered(60)).expect("append").position.offset == 60);

    log.seal().expect("seal");
    let files: Vec<_> = segments(&fs).iter().map(|path| fs.bytes(path)).collect();
    assert_eq!(log.erase(&items).expect("erase again"), 0);
    assert_eq!(all(&log)[..60], expected);
    drop(log);
    let log = open(&fs).expect("open");
    assert_eq!(all(&log)[..60], expected);
    assert_eq!(log.erase(&items).expect("erase after opening"), 0);
    let again: Vec<_> = segments(&fs).iter().map(|path| fs.bytes(path)).collect();
    assert_eq!(files[..2], again[..2], "nothing was written anew");
}

#[test]
fn erasing_what_is_not_there_changes_nothing() {
    let fs = FaultFs::default();
    let log = filled(&fs, 10);
    let before = all(&log);
    let elsewhere = Position { partition: 3, offset: 3 };
    let items = [
        Position::embedded(3).item(900),
        Position::embedded(4_000).item(0),
        elsewhere.item(0),
        Position::embedded(4).item(0),
    ];
    assert_eq!(log.erase(&items).expect("erase"), 0);
    assert_eq!(all(&log), before);
}

#[test]
fn trimming_removes_whole_segments_below_a_position() {
    let fs = FaultFs::default();
    let log = filled(&fs, 80);
    let before = all(&log);
    let files = segments(&fs).len();
    assert_eq!(log.trim_to(Position::embedded(1)).expect("trim"), 0);
    assert_eq!(log.first().offset, 0);
    let removed = log.trim_to(Position::embedded(50)).expect("trim");
    let first = log.first().offset;
    assert!(removed > 0 && first > 0 && first <= 50, "{removed} {first}");
    assert_eq!(segments(&fs).len() as u64, files as u64 - removed);
    assert_eq!(all(&log), before[usize::try_from(first).expect("small")..]);
    let error = log.read(Position::embedded(0), 100).expect_err("trimmed");
    assert!(matches!(error, ReadError::Trimmed { .. }));
    assert_eq!(error.class(), Class::Missing);
    assert!(log.get(Position::embedded(first - 1)).is_err());
    drop(log);
    let log = open(&fs).expect("open");
    assert_eq!(log.first().offset, first);
    log.trim_to(Position::embedded(u64::MAX)).expect("trim");
    assert_eq!(log.stats().segments, 1, "the segment that is written stays");
    assert_eq!(log.append_wait(numbered(80)).expect("append").position.offset, 80);
}

#[test]
fn readers_are_not_disturbed_by_sealing_and_erasing() {
    let fs = FaultFs::default();
    let log = Arc::new(open(&fs).expect("open"));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut next = Position::embedded(0);
                while next.offset < 400 {
                    assert!(log.wait_beyond(next, Duration::from_secs(20)));
                    for record in log.read(next, 2_000).expect("read") {
                        assert_eq!(record.position, next);
                        assert_numbered(&record, next.offset);
                        next = next.next();
                    }
                    let old = Position::embedded(next.offset / 2);
                    assert_numbered(&log.get(old).expect("get"), old.offset);
                }
            });
        }
        for number in 0..400 {
            log.append_wait(numbered(number)).expect("append");
            if number % 25 == 24 {
                let item = Position::embedded(number / 8 * 4 + 3).item(2);
                assert_eq!(log.erase(&[item]).expect("erase"), 1, "{item}");
            }
        }
    });
}

#[test]
fn a_regenerable_log_is_cut_anywhere_and_goes_on() {
    for to in 0..=60 {
        let fs = FaultFs::default();
        let log = open_regenerable(&fs, 0).expect("open");
        let write = |from: u64, until: u64| {
            for number in (from..until).step_by(3) {
                let batch = number..until.min(number + 3);
                let batch = batch.map(|number| (Default::default(), numbered(number)));
                assert_eq!(log.append_batch(batch.collect()).expect("append").offset, number);
            }
        };
        write(0, 60);
        if to % 2 == 0 {
            log.seal().expect("seal");
        }
        log.truncate_to(to).expect("truncate");
        assert_eq!((log.end().offset, all(&log).len() as u64), (to, to));
        assert!(log.synced().offset <= to);
        let crashed = open_regenerable(&fs.image(0), log.synced().offset).expect("open");
        assert!(crashed.end().offset <= to && crashed.end() >= log.synced());
        write(to, 70);
        assert_eq!(log.sync().expect("sync").offset, 70);
        let reopened = open_regenerable(&fs.image(0), 70).expect("open");
        for (record, number) in all(&reopened).iter().zip(0..) {
            assert_numbered(record, number);
        }
        assert_eq!(reopened.end().offset, 70);
    }
}
