//! Formats of old: each version's files are opened by today's code.

use std::path::Path;

use selfsame_event::Position;
use selfsame_log::conformance::assert_numbered;
use selfsame_log::fault::FaultFs;
use selfsame_log::{Item, LogRead};

use crate::{FOLDER, all, has_stale_blocks, newest, open};

/// Made by `cargo run -p selfsame-log --example write_fixture` of the version.
fn check(version: &str, count: u64) -> FaultFs {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/log").join(version);
    let fs = FaultFs::default();
    let mut segments = 0;
    for entry in std::fs::read_dir(folder).expect("the fixture") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        fs.put(&Path::new(FOLDER).join(name), std::fs::read(&path).expect("read"));
        segments += u32::from(path.extension().is_some_and(|end| end == "seg"));
    }
    assert!(segments >= 3, "sealed ones and the active one");
    let before = fs.image(1);
    let log = open(&fs).expect("open");
    assert_eq!((log.first().offset, log.end().offset), (0, count));
    assert_eq!(log.recovery().torn_bytes, 0);
    for (record, number) in all(&log).iter().zip(0..) {
        assert_numbered(record, number);
        assert_eq!(record.time.micros(), 1_790_000_000_000_000);
    }
    let erased = log.get(Position::embedded(7)).expect("get");
    assert_eq!(erased.items[1], Item::Erased);
    before
}

#[test]
fn version_1_is_read() {
    check("v1", 60);
}

#[test]
fn version_2_is_read() {
    let fs = check("v2", 130);
    assert!(has_stale_blocks(&fs, &newest(&fs)), "the last segment is in a file used before");
}
