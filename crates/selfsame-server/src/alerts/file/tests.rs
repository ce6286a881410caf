use selfsame_alert::Memory;

use super::{AlertsFileError, read, write};

#[test]
fn what_was_kept_is_read_and_what_cannot_be_is_put_aside() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("alerts.json");
    assert_eq!(read(&file).expect("nothing yet"), Memory::default());
    let mut memory = Memory::default();
    memory.silence("disk-low", None, 1_790_000_000);
    write(&file, &memory).expect("written");
    assert_eq!(read(&file).expect("what was written"), memory);
    std::fs::write(&file, "{\"selfsame_alerts\":1,\"mem").expect("written");
    assert_eq!(read(&file).expect("anew"), Memory::default());
    assert!(!file.exists() && folder.path().join("alerts.json.damaged").exists());
    std::fs::write(&file, "{\"selfsame_alerts\":2,\"other\":0}").expect("written");
    assert!(matches!(read(&file), Err(AlertsFileError::Newer { found: 2, .. })));
}

/// Every format that there ever was is read.
#[test]
fn the_first_format_is_read() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/alerts/v1/alerts.json");
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("alerts.json");
    std::fs::copy(file, &copy).expect("the fixture");
    let memory = read(&copy).expect("the first format");
    let raised: Vec<_> = memory.raised().map(|(alert, subject, _)| (alert, subject)).collect();
    assert_eq!(raised, [("destination-paused", "hooks")]);
    assert_eq!(memory.turns().count(), 1);
}
