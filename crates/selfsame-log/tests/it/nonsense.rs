//! Blocks and directories whose checksums are right and whose numbers make no sense, as the fuzz
//! target `segment` found them: no crash makes them, so they are refused and never cut off.

use std::path::{Path, PathBuf};

use selfsame_event::Class;
use selfsame_log::conformance::numbered;
use selfsame_log::fault::FaultFs;
use selfsame_log::{Damage, LogRead, OpenError, ReadError};

use crate::hostile::layout::{self, HEADER, TRAILER};
use crate::{FOLDER, open, open_regenerable, segments};

/// Two sealed segments and an active one, three records in each block.
fn filled() -> FaultFs {
    let fs = FaultFs::default();
    let log = open_regenerable(&fs, 0).expect("open");
    for block in 0..10 {
        let batch = (0..3).map(|index| (Default::default(), numbered(3 * block + index)));
        log.append_batch(batch.collect()).expect("append");
    }
    log.sync().expect("sync");
    log.seal().expect("seal");
    drop(log);
    let paths = segments(&fs);
    assert!(paths.len() >= 2, "{paths:?}");
    for (path, newer) in paths.iter().zip((0..paths.len()).rev()) {
        let bytes = fs.bytes(path).expect("there");
        assert_eq!(layout::is_sealed(&bytes), newer > 0);
    }
    fs
}

/// Changes a segment and puts its checksums right.
fn change(fs: &FaultFs, path: &Path, change: impl FnOnce(&mut [u8])) {
    let mut bytes = fs.bytes(path).expect("there");
    change(&mut bytes);
    let first = layout::u64_at(&bytes, 16).expect("a header");
    layout::mend(&mut bytes, first);
    fs.put(path, bytes);
}

fn active(fs: &FaultFs) -> PathBuf {
    segments(fs).pop().expect("a segment")
}

fn sealed(fs: &FaultFs) -> PathBuf {
    segments(fs).remove(0)
}

fn refused(fs: &FaultFs) -> Damage {
    match open(fs) {
        Err(OpenError::Corrupt(damage)) => damage,
        other => panic!("{:?}", other.err()),
    }
}

fn unread(fs: &FaultFs) -> Damage {
    let log = open(fs).expect("blocks are read later");
    match log.read(log.first(), usize::MAX) {
        Err(ReadError::Corrupt(damage)) => damage,
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn a_block_of_more_records_than_it_has_bytes_for_is_refused_not_cut_off() {
    let fs = filled();
    let path = active(&fs);
    let last = *layout::blocks(&fs.bytes(&path).expect("there")).last().expect("a block");
    change(&fs, &path, |bytes| layout::put(bytes, last + 32, &[0xff; 4]));
    let before = fs.bytes(&path);
    assert_eq!(refused(&fs).what, "a whole block");
    assert_eq!(fs.bytes(&path), before, "nothing was cut");
}

#[test]
fn a_block_of_other_records_than_its_header_counts_is_not_read() {
    for count in [2_u32, 4] {
        let fs = filled();
        let path = active(&fs);
        let last = *layout::blocks(&fs.bytes(&path).expect("there")).last().expect("a block");
        // Four frames fit into the bytes, but are not there; two leave one over.
        change(&fs, &path, |bytes| layout::put(bytes, last + 32, &count.to_le_bytes()));
        fs.put(&Path::new(FOLDER).join("manifest"), layout::manifest(0));
        assert_eq!(unread(&fs).what, "records", "{count}");
    }
}

#[test]
fn no_room_is_made_for_more_than_compression_can_hold() {
    let fs = filled();
    let path = sealed(&fs);
    let compressed = fs.bytes(&path).expect("there")[HEADER + 44];
    assert_eq!(compressed, 1);
    change(&fs, &path, |bytes| layout::put(bytes, HEADER + 36, &u32::MAX.to_le_bytes()));
    assert_eq!(unread(&fs).what, "block header");
}

#[test]
fn a_directory_that_leaves_out_the_beginning_is_refused() {
    for field in [0, 4] {
        let fs = filled();
        let path = sealed(&fs);
        change(&fs, &path, |bytes| {
            let place = bytes.len() - TRAILER - 8;
            layout::put(bytes, place + field, &65_u32.to_le_bytes());
        });
        assert_eq!(refused(&fs).what, "directory");
    }
}

#[test]
fn offsets_beyond_all_logs_are_refused() {
    let fs = filled();
    change(&fs, &sealed(&fs), |bytes| {
        let trailer = bytes.len() - TRAILER;
        layout::put(bytes, trailer + 12, &(u64::MAX - 1).to_le_bytes());
    });
    assert_eq!(refused(&fs).what, "directory");
    let fs = filled();
    fs.put(&Path::new(FOLDER).join("manifest"), layout::manifest(u64::MAX));
    assert_eq!(refused(&fs).what, "the manifest's first offset");
    let path = active(&fs);
    let fs = FaultFs::default();
    let first = (1 << 62) - 2;
    let mut bytes = filled().bytes(&path).expect("there");
    layout::mend(&mut bytes, first);
    fs.put(&Path::new(FOLDER).join(format!("{first:020}.seg")), bytes);
    fs.put(&Path::new(FOLDER).join("manifest"), layout::manifest(first));
    let error = open(&fs).expect_err("its first block ends behind them");
    assert_eq!(error.class(), Class::Corrupt, "{error:?}");
}
