//! Backups: made while the server works, restored to the same state.

#![expect(clippy::unwrap_used, reason = "a test of processes, which only time tells about")]

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;

use crate::process::{Server, selfsame, text, wait_for};

fn event(number: u64) -> serde_json::Value {
    json!({ "type": "identify", "userId": format!("u{}", number % 97), "messageId": format!("m{number}"),
        "traits": { "n": number, "email": format!("{}@example.com", number % 89) } })
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_under_load_restores_to_the_state_of_its_position() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let restored = folder.path().join("restored");
    let server = Server::start(&data);
    let (sent, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (before, output, after) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let from = sent.load(Ordering::Relaxed);
                let batch: Vec<_> = (from..from + 20).map(event).collect();
                assert!(server.batch(&batch));
                sent.store(from + 20, Ordering::Relaxed);
            }
        });
        wait_for("some load", || (sent.load(Ordering::Relaxed) > 500).then_some(()));
        let before = sent.load(Ordering::Relaxed);
        let args = ["backup", path(&backup), "--server", &server.url, "--token", "dev"];
        let output = selfsame(&args);
        let after = sent.load(Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
        (before, output, after)
    });
    assert!(output.status.success(), "{}", text(&output));
    assert!(after > before, "there was no load");

    let output = selfsame(&["restore", path(&backup), "--data", path(&restored), "--verify"]);
    let shown = text(&output);
    assert!(output.status.success() && shown.contains("the state is the one"), "{shown}");
    let output = selfsame(&["verify", "--data", path(&restored)]);
    assert!(output.status.success(), "{}", text(&output));

    let again = Server::start(&restored);
    again.settle();
    let events = again.count("events");
    assert!((before..=after).contains(&events), "{before} {events} {after}");
    // The restored server goes on, and knows what it had.
    assert!(again.batch(&[event(0), event(after + 1_000)]));
    again.settle();
    assert_eq!(again.count("events"), events + 1);
    assert_eq!(again.count("duplicates"), 1);
}

#[test]
fn a_stopped_folder_is_backed_up_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let server = Server::start(&data);
    assert!(server.batch(&(0..10).map(event).collect::<Vec<_>>()));
    let in_use = selfsame(&["backup", path(&backup), "--data", path(&data)]);
    assert!(text(&in_use).contains("in use"), "{}", text(&in_use));
    server.stop();
    let output = selfsame(&["backup", path(&backup), "--data", path(&data)]);
    assert!(output.status.success(), "{}", text(&output));
    let again = selfsame(&["backup", path(&backup), "--data", path(&data)]);
    assert!(!again.status.success() && text(&again).contains("is not empty"), "{}", text(&again));
    let onto = selfsame(&["restore", path(&backup), "--data", path(&data)]);
    assert!(!onto.status.success() && text(&onto).contains("is not empty"), "{}", text(&onto));

    let log = backup.join("data/log/00000000000000000000.seg");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    let restored = folder.path().join("restored");
    let damaged = selfsame(&["restore", path(&backup), "--data", path(&restored)]);
    assert!(text(&damaged).contains("is damaged"), "{}", text(&damaged));
    assert!(!restored.exists());
    let nothing = selfsame(&["restore", path(folder.path()), "--data", path(&restored)]);
    assert!(text(&nothing).contains("not a whole backup"), "{}", text(&nothing));
}
