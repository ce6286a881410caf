//! The whole harness against a fake server that keeps its word, and against fakes that do not.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const HARNESS: &str = env!("CARGO_BIN_EXE_selfsame-harness");

/// The fake under a name that says what it does wrong.
fn fake(folder: &Path, name: &str) -> PathBuf {
    let built = Path::new(HARNESS).parent().expect("a folder").join("examples/fake");
    let named = folder.join(name);
    std::os::unix::fs::symlink(&built, &named).expect("linked");
    named
}

fn torture(name: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = fake(folder.path(), name);
    let mut command = Command::new(HARNESS);
    command.args(["torture", "--rounds", "3", "--events", "1500", "--seed", "7"]);
    command.arg("--no-definitions");
    command.arg("--binary").arg(&binary).arg("--folder").arg(folder.path());
    ended(&mut command)
}

fn ended(command: &mut Command) -> (i32, String) {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = [String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)].concat();
    (status.code().expect("it ended by itself"), text)
}

/// The numbers of a row of the table.
fn row<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).trim()
}

#[test]
fn a_server_that_keeps_its_word_passes() {
    let (code, text) = torture("fake");
    assert_eq!(code, 0, "{text}");
    assert_eq!(row(&text, "lost (before + after)"), "0 + 0");
    assert_eq!(row(&text, "counted twice"), "0 + 0");
    assert_ne!(row(&text, "duplicates left out"), "0", "some must be sent again:\n{text}");
    assert_eq!(row(&text, "counted by the server"), row(&text, "acknowledged after retries"));
    assert!(text.contains("all is well") && !text.contains("kept"), "{text}");
}

#[test]
fn a_loss_is_found_and_the_data_kept() {
    let (code, text) = torture("fake-losing");
    assert_eq!(code, 1, "{text}");
    assert_ne!(row(&text, "lost (before + after)"), "0 + 0");
    assert!(text.contains("the data is kept in"), "{text}");
}

#[test]
fn an_event_counted_twice_is_found() {
    let (code, text) = torture("fake-doubling");
    assert_eq!(code, 1, "{text}");
    assert_ne!(row(&text, "counted twice"), "0 + 0");
}

#[test]
fn ids_that_do_not_lead_to_one_profile_are_found() {
    let (code, text) = torture("fake-splitting");
    assert_eq!(code, 1, "{text}");
    assert_ne!(row(&text, "users in several profiles"), "0 + 0");
    let users = row(&text, "users, events sent").split(", ").next();
    assert_ne!(Some(row(&text, "profiles of the server")), users);
}

#[test]
fn a_delivery_that_is_not_accounted_for_is_found_and_the_terms_are_shown() {
    let (code, text) = torture("fake-miscounting");
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("the accounting is broken: accepted is not delivered"), "{text}");
    assert!(text.contains("\"pending\":0"), "{text}");
}

/// Traces a server; `None` where strace is not installed.
fn trace(name: &str) -> Option<(i32, String)> {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = fake(folder.path(), name);
    let mut command = Command::new(HARNESS);
    let ended = ended(command.args(["trace-sync", "--requests", "20", "--binary"]).arg(&binary));
    (!ended.1.starts_with("skipped")).then_some(ended)
}

#[test]
fn answers_after_their_sync_pass_and_answers_before_it_are_found() {
    if let Some((code, text)) = trace("fake") {
        assert_eq!(code, 0, "{text}");
        assert!(text.contains(" 0 answers before their sync: all is well"), "{text}");
    }
    if let Some((code, text)) = trace("fake-early") {
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("FAILED; first: line "), "{text}");
    }
}

#[test]
fn a_log_that_does_not_fit_is_refused_before_anything_starts() {
    let mut command = Command::new(HARNESS);
    command.args([
        "table",
        "--binary",
        "missing",
        "--recovery-gib",
        "1000000",
        "--only",
        "recovery",
    ]);
    let (code, text) = ended(&mut command);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("a log of 1000000 GiB needs 2048000000.0 MiB"), "{text}");
}

#[test]
fn other_machines_are_not_loaded() {
    let (code, text) = ended(Command::new(HARNESS).args(["load", "--address", "192.0.2.1:80"]));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("only loopback addresses"), "{text}");
}
