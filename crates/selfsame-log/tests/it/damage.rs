//! Bits that flip, files that are cut or gone, and content that looks like a block.

use std::path::Path;

use bytes::Bytes;
use selfsame_event::{Class, RecordId};
use selfsame_log::conformance::{assert_numbered, numbered};
use selfsame_log::fault::FaultFs;
use selfsame_log::{Fs, Item, Log, LogRead, NewRecord, OpenError, ReadError};

use crate::{FOLDER, all, has_stale_blocks, newest, open, open_regenerable, segments};

/// A log of so many records; closed, or as a crash leaves it.
fn filled(records: u64, closed: bool) -> FaultFs {
    let fs = FaultFs::default();
    let log = open(&fs).expect("open");
    for number in 0..records {
        log.append_wait(numbered(number)).expect("append");
        if number % 5 == 4 {
            // So that the segments to come begin in files with old blocks.
            log.seal().expect("seal");
        }
    }
    log.seal().expect("seal");
    if records == 60 {
        assert!(has_stale_blocks(&fs, &newest(&fs)), "the newest is in a file used before");
    }
    if closed {
        drop(log);
        return fs;
    }
    fs.image(0)
}

/// What the log says: refused, refused on read, or so many records, and whether it was cut.
#[derive(Debug, PartialEq)]
enum Outcome {
    Refused(Class),
    RefusedOnRead,
    Read(u64, bool),
}

fn outcome(fs: &FaultFs) -> Outcome {
    let log = match open(fs) {
        Ok(log) => log,
        Err(error) => return Outcome::Refused(error.class()),
    };
    let records = match log.read(log.first(), usize::MAX) {
        Ok(records) => records,
        Err(error) => {
            assert!(matches!(error, ReadError::Corrupt(_)), "{error:?}");
            return Outcome::RefusedOnRead;
        }
    };
    for (record, number) in records.iter().zip(0..) {
        assert_numbered(record, number);
        assert!(record.items.iter().all(|item| item.body().is_some()), "a body is gone");
    }
    Outcome::Read(records.len() as u64, log.recovery().torn_bytes > 0)
}

/// A copy of the files with other bytes in one.
fn with(fs: &FaultFs, path: &Path, bytes: Vec<u8>) -> FaultFs {
    let copy = fs.image(0);
    copy.put(path, bytes);
    copy
}

#[test]
fn every_flipped_bit_of_a_closed_log_is_detected_or_harmless() {
    let fs = filled(60, true);
    let mut paths = segments(&fs);
    assert!(paths.len() >= 3);
    paths.push(Path::new(FOLDER).join("manifest"));
    let (mut detected, mut harmless) = (0, 0);
    for path in paths {
        let bytes = fs.bytes(&path).expect("there");
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            match outcome(&with(&fs, &path, bytes)) {
                Outcome::Refused(Class::Corrupt | Class::Conflict | Class::Invalid)
                | Outcome::RefusedOnRead => detected += 1,
                Outcome::Read(60, _) => harmless += 1,
                other => panic!("{} at {at}: {other:?}", path.display()),
            }
        }
    }
    assert!(detected > 2_000 && harmless > 0, "{detected} {harmless}");
}

#[test]
fn after_a_crash_only_the_last_block_may_go_and_it_is_said() {
    let fs = filled(60, false);
    let path = newest(&fs);
    let bytes = fs.bytes(&path).expect("there");
    // Without its tag a block cannot be told from what was in the file before, and goes unsaid.
    let tag = bytes.windows(8).rposition(|window| *window == bytes[24..32]).expect("a block");
    let mut cut = 0;
    for at in 64..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        match outcome(&with(&fs, &path, bytes)) {
            Outcome::Refused(Class::Corrupt) => {}
            Outcome::Read(60, _) => {}
            Outcome::Read(59, said) if said || (tag..tag + 8).contains(&at) => cut += 1,
            other => panic!("{at}: {other:?}"),
        }
    }
    assert!(cut > 50, "{cut}");
}

#[test]
fn a_file_cut_anywhere_is_a_shorter_log_or_refused() {
    for closed in [false, true] {
        let fs = filled(60, closed);
        for path in segments(&fs) {
            let bytes = fs.bytes(&path).expect("there");
            let is_newest = path == newest(&fs);
            for length in 0..bytes.len() {
                let fs = with(&fs, &path, bytes[..length].to_vec());
                match outcome(&fs) {
                    Outcome::Refused(Class::Corrupt) => {}
                    Outcome::Read(60, _) => assert!(is_newest),
                    Outcome::Read(records, _) => {
                        assert!(!closed && is_newest && records >= 30, "{records} at {length}");
                    }
                    other => panic!("{} to {length}: {other:?}", path.display()),
                }
            }
        }
    }
}

#[test]
fn a_missing_file_is_named_by_what_it_held() {
    let fs = filled(60, true);
    let paths = segments(&fs);
    for path in &paths {
        let fs = fs.image(0);
        fs.remove(path).expect("remove");
        let error = open(&fs).expect_err("a segment is gone");
        assert_eq!(error.class(), Class::Corrupt, "{error}");
        assert!(matches!(error, OpenError::Missing { from, to } if from < to), "{error:?}");
    }
    let bare = fs.image(0);
    for path in &paths {
        bare.remove(path).expect("remove");
    }
    assert_eq!(open(&bare).expect_err("all are gone").class(), Class::Corrupt);
    let fs = fs.image(0);
    fs.remove(&Path::new(FOLDER).join("manifest")).expect("remove");
    assert_eq!(open(&fs).expect_err("no manifest").class(), Class::Corrupt);
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let fs = filled(10, true);
    let path = newest(&fs);
    let mut bytes = fs.bytes(&path).expect("there");
    bytes[8] = 3;
    let crc = crc32c::crc32c(&bytes[..40]);
    bytes[40..44].copy_from_slice(&crc.to_le_bytes());
    let error = open(&with(&fs, &path, bytes)).expect_err("it is newer");
    assert!(matches!(error, OpenError::Newer { found: 3, known: 2 }), "{error:?}");
    assert_eq!(error.class(), Class::Conflict);
}

#[test]
fn damage_inside_names_segment_and_block() {
    let fs = filled(60, false);
    let path = newest(&fs);
    let mut bytes = fs.bytes(&path).expect("there");
    bytes[64 + 60] ^= 4;
    let error = open(&with(&fs, &path, bytes)).expect_err("whole blocks follow");
    let OpenError::Corrupt(damage) = error else { panic!("{error:?}") };
    assert!(path.ends_with(format!("{:020}.seg", damage.segment)));
    assert_eq!(damage.block, 0);

    let sealed = segments(&fs).remove(1);
    let mut bytes = fs.bytes(&sealed).expect("there");
    bytes[64 + 60] ^= 4;
    let log = open(&with(&fs, &sealed, bytes)).expect("blocks are checked when they are read");
    let error = log.read(log.first(), usize::MAX).expect_err("damaged");
    let ReadError::Corrupt(damage) = error else { panic!("{error:?}") };
    assert!(sealed.ends_with(format!("{:020}.seg", damage.segment)));
}

/// The blocks of a log's newest segment, as they are stored.
fn blocks(fs: &FaultFs) -> Vec<u8> {
    let bytes = fs.bytes(&newest(fs)).expect("there");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("blocks") + 1;
    bytes[64..end].to_vec()
}

fn containing(body: Vec<u8>) -> NewRecord {
    let items = vec![Item::Body(body.into())];
    NewRecord { id: RecordId([9; 16]), kind: 9, head: Bytes::new(), items }
}

#[test]
fn content_that_imitates_a_block_fools_nobody() {
    // Blocks with the very offsets that would fit, from a log of another salt.
    let other = FaultFs::default();
    let config = selfsame_log::LogConfig { random: [99; 16], ..crate::small() };
    let clock = crate::TestClock::at(0);
    let log = selfsame_log::SegmentLog::open(&config, clock, std::sync::Arc::new(other.clone()));
    let log = log.expect("open");
    for number in 0..6 {
        log.append_wait(numbered(number)).expect("append");
    }
    let forged = blocks(&other);

    let fs = FaultFs::default();
    let log = open(&fs).expect("open");
    log.append_wait(numbered(0)).expect("append");
    let before = blocks(&fs).len();
    log.append_wait(containing(forged)).expect("append");
    let path = newest(&fs);
    let bytes = fs.bytes(&path).expect("there");
    let written = 64 + before + blocks(&fs).len() - before;
    // Torn anywhere in the block that carries the forgery: one record is left, and nothing else.
    for torn in 64 + before..written {
        let mut bytes = bytes.clone();
        bytes[torn] ^= 0xff;
        assert_eq!(outcome(&with(&fs, &path, bytes)), Outcome::Read(1, true), "{torn}");
    }
    // Even with the right salt the worst is that the log is refused; no record is made up.
    let own = blocks(&fs)[..before].to_vec();
    log.append_wait(containing(own)).expect("append");
    let mut bytes = fs.bytes(&path).expect("there");
    let last = bytes.iter().rposition(|byte| *byte != 0).expect("blocks");
    bytes[last] ^= 0xff;
    let log = open(&with(&fs, &path, bytes)).expect("an old block proves nothing");
    assert_eq!(all(&log).len(), 2);
}

#[test]
fn a_regenerable_log_is_cut_at_damage_above_its_floor_and_refused_below() {
    let fs = FaultFs::default();
    let log = open_regenerable(&fs, 0).expect("open");
    for number in 0..40 {
        log.append_batch(vec![(Default::default(), numbered(number))]).expect("append");
    }
    log.sync().expect("sync");
    log.seal().expect("seal");
    drop(log);
    for path in segments(&fs) {
        let bytes = fs.bytes(&path).expect("there");
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            let fs = with(&fs, &path, bytes);
            for floor in [0, 20, 40] {
                let log = match open_regenerable(&fs, floor) {
                    Ok(log) => log,
                    Err(error) => {
                        assert!(matches!(error.class(), Class::Corrupt | Class::Conflict));
                        continue;
                    }
                };
                assert!(log.end().offset >= floor);
                let Ok(records) = log.read(log.first(), usize::MAX) else { continue };
                assert_eq!(records.len() as u64, log.end().offset);
                for (record, number) in records.iter().zip(0..) {
                    assert_numbered(record, number);
                }
                if at % 16 == 0 {
                    nothing_comes_back(&fs, log);
                }
            }
        }
    }
}

/// What was cut off does not reappear behind what is written in its place.
fn nothing_comes_back(fs: &FaultFs, log: selfsame_log::RegenerableLog) {
    let end = log.end().offset;
    log.append_batch(vec![(Default::default(), numbered(end))]).expect("append");
    log.sync().expect("sync");
    drop(log);
    let log = open_regenerable(fs, end + 1).expect("open again");
    assert_eq!(log.end().offset, end + 1);
}
