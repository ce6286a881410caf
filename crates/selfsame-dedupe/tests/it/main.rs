//! Formats of the past, opened by today's code.

use std::fs;
use std::path::{Path, PathBuf};

use selfsame_dedupe::{Config, Dedupe, OpenError, RunError, VERSION, Verdict};
use selfsame_event::{Class, Position, Time};

/// A copy, as opening may delete files.
fn copy_of(version: &str) -> tempfile::TempDir {
    let from =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dedupe").join(version);
    let to = tempfile::tempdir().expect("a folder");
    for file in fs::read_dir(from).expect("the fixture is there") {
        let file = file.expect("lists");
        fs::copy(file.path(), to.path().join(file.file_name())).expect("copies");
    }
    to
}

fn open(dir: &Path) -> Result<Dedupe, OpenError> {
    let manifest = fs::read(dir.join("manifest")).expect("reads");
    Dedupe::open(dir, Some(&manifest), &Config::default())
}

fn id(number: u64) -> [u8; 16] {
    let id = (u128::from(number) << 64) | u128::from(number);
    id.wrapping_mul(0x0123_4567_89ab_cdef).to_be_bytes()
}

#[test]
fn version_1_opens_with_the_same_hash_and_finds_all_its_ids() {
    let dir = copy_of("v1");
    let mut dedupe = open(dir.path()).expect("opens");
    assert_eq!((dedupe.stats().ids, dedupe.stats().runs), (300, 2));
    let hash = dedupe.canonical_hash().expect("reads").map(|byte| format!("{byte:02x}")).concat();
    assert_eq!(hash, fs::read_to_string(dir.path().join("hash")).expect("reads"));
    let now = Time::from_millis(1_700_003_600_000);
    for number in 0..301 {
        let at = Position::embedded(2_000 + number).item(0);
        let verdict = dedupe.admit(id(number), 42, at, now, None).expect("admits");
        let first = Position::embedded(1_000 + number).item(3);
        let expected = if number < 300 { Verdict::Duplicate { first } } else { Verdict::New };
        assert_eq!(verdict, expected, "id {number}");
    }
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let dir = copy_of("v1");
    let path = fs::read_dir(dir.path())
        .expect("lists")
        .map(|file| file.expect("lists").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "run"))
        .expect("the fixture has runs");
    let mut bytes = fs::read(&path).expect("reads");
    bytes[8..12].copy_from_slice(&(VERSION + 1).to_le_bytes());
    fs::write(&path, bytes).expect("writes");
    let error = open(dir.path()).expect_err("refused");
    assert!(
        matches!(&error, OpenError::Run(RunError::Version { found, .. }) if *found == VERSION + 1)
    );
    assert_eq!(error.class(), Class::Corrupt);
}
