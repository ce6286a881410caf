//! Segments that begin in the files of sealed ones.

use selfsame_event::Position;
use selfsame_log::conformance::{assert_numbered, numbered};
use selfsame_log::fault::{Call, Failure, FaultFs};
use selfsame_log::{Fs, Item, Log, LogRead, SegmentLog};

use crate::{FOLDER, all, contains, has_stale_blocks, newest, open, open_regenerable, segments};

/// Appends, sealing as soon as there is something to seal.
fn fill(log: &SegmentLog, from: u64, to: u64) {
    for number in from..to {
        log.append_wait(numbered(number)).expect("append");
        log.seal().expect("seal");
    }
}

fn temporary(fs: &FaultFs) -> usize {
    let names = fs.list(FOLDER.as_ref()).expect("list");
    names.iter().filter(|name| name.ends_with(".tmp")).count()
}

#[test]
fn the_file_of_a_sealed_segment_becomes_that_of_the_next_one() {
    let fs = FaultFs::default();
    let log = open(&fs).expect("open");
    let mut spare = 0;
    for number in 0..90 {
        fill(&log, number, number + 1);
        let stats = log.stats();
        spare = spare.max(stats.spare_bytes);
        assert!(stats.spare_bytes <= 2 * 3_000 && temporary(&fs) <= 2, "{stats:?}");
    }
    assert!(spare >= 2_500, "{spare}");
    assert!(has_stale_blocks(&fs, &newest(&fs)));
    let records = all(&log);
    assert_eq!(records.len(), 90);
    for (record, number) in records.iter().zip(0..) {
        assert_numbered(record, number);
    }
    let crashed = fs.image(0);
    let log = open(&crashed).expect("open");
    assert_eq!((all(&log), log.recovery().torn_bytes), (records, 0));
    assert_eq!((temporary(&crashed), log.stats().spare_bytes), (0, 0));
    assert!(!has_stale_blocks(&crashed, &newest(&crashed)), "cut off");
}

#[test]
fn a_torn_block_before_old_ones_is_cut_off_and_said() {
    let fs = FaultFs::default();
    let log = open(&fs).expect("open");
    fill(&log, 0, 60);
    let path = newest(&fs);
    assert!(has_stale_blocks(&fs, &path));
    let before = fs.bytes(&path).expect("there");
    log.append_wait(numbered(60)).expect("append");
    assert_eq!(newest(&fs), path, "no new segment");
    let after = fs.bytes(&path).expect("there");
    let written = before.iter().zip(&after).rposition(|(old, new)| old != new).expect("a block");
    let start = after.windows(8).rposition(|window| *window == after[24..32]).expect("a block");
    // What a crash leaves of the block: its beginning, and behind it what was there before.
    for torn in start..written {
        let mut bytes = after.clone();
        bytes[torn..].copy_from_slice(&before[torn..]);
        let crashed = fs.image(0);
        crashed.put(&path, bytes);
        let log = open(&crashed).expect("torn, not damaged");
        assert_eq!(log.end().offset, 60, "torn at {torn}");
        assert_eq!(log.recovery().torn_bytes > 0, torn >= start + 8, "torn at {torn}");
        log.append_wait(numbered(60)).expect("append");
        assert_numbered(&log.get(Position::embedded(60)).expect("get"), 60);
    }
}

#[test]
fn what_is_erased_is_in_no_spare_and_behind_no_end() {
    for offset in (3..63).step_by(4) {
        let fs = FaultFs::default();
        let log = open(&fs).expect("open");
        fill(&log, 0, 64);
        let body = format!("{offset}.1:");
        assert_eq!(log.erase(&[Position::embedded(offset).item(1)]).expect("erase"), 1);
        assert!(!contains(&fs, &body) && !contains(&fs.image(0), &body), "{body}");
        assert_eq!((temporary(&fs), log.stats().spare_bytes), (0, 0));
        assert!(segments(&fs).iter().all(|path| !has_stale_blocks(&fs, path)));
        fill(&log, 64, 100);
        assert!(log.stats().spare_bytes > 0, "spares are kept again");
        assert_eq!(log.get(Position::embedded(offset)).expect("get").items[1], Item::Erased);
        assert!(!contains(&fs, &body), "{body}");
    }
}

#[test]
fn what_is_erased_of_a_regenerable_log_is_in_no_spare_either() {
    let fs = FaultFs::default();
    let log = open_regenerable(&fs, 0).expect("open");
    for number in 0..64 {
        log.append_batch(vec![(Default::default(), numbered(number))]).expect("append");
        log.seal().expect("seal");
    }
    assert!(has_stale_blocks(&fs, &newest(&fs)));
    let items: Vec<_> =
        (3..64).step_by(4).map(|offset| Position::embedded(offset).item(1)).collect();
    assert_eq!(log.erase(&items).expect("erase"), 16);
    for offset in (3..64).step_by(4) {
        let body = format!("{offset}.1:");
        assert!(!contains(&fs, &body) && !contains(&fs.image(0), &body), "{body}");
    }
}

#[test]
fn a_spare_that_cannot_be_removed_is_asked_for_again() {
    let item = Position::embedded(7).item(1);
    let mut failures = 0;
    for k in 0..6 {
        let fs = FaultFs::default();
        let log = open(&fs).expect("open");
        fill(&log, 0, 64);
        fs.fail(Call::Name, k, Failure::Broken, 1);
        failures += u32::from(log.erase(&[item]).is_err());
        fs.heal();
        log.erase(&[item]).expect("erase again");
        assert!(!contains(&fs, "7.1:") && temporary(&fs) == 0, "{k}");
    }
    assert!(failures > 1, "{failures}");
}
