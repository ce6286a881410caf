use std::os::unix::fs::PermissionsExt as _;

use selfsame_event::Time;
use selfsame_functions::{Level, Line};

use super::{Called, History, KEPT};

fn called(at: i64, text: &str) -> Called {
    Called {
        at: Time::from_micros(at),
        place: "destination own".to_owned(),
        version: 3,
        outcome: "done".to_owned(),
        message: None,
        lines: vec![Line { level: Level::Warn, text: text.to_owned() }],
        lines_cut: false,
        requests: 1,
        cpu_micros: 200,
        wall_micros: 900,
    }
}

const NOW: i64 = 1_790_000_000_000_000;

#[test]
fn the_last_calls_are_there_after_a_restart_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let logs = folder.path().join("function-logs");
    let now = Time::from_micros(NOW);
    let history = History::open(logs.clone(), now).expect("nothing yet");
    history.write().expect("nothing to write");
    assert!(!logs.exists());
    for number in 0..i64::try_from(KEPT).expect("small") + 20 {
        history.note("send", called(NOW - 1_000 + number, "two\nlines"));
    }
    history.note("old", called(NOW - 8 * 86_400_000_000, "x"));
    history.note("gone", called(NOW, "x"));
    history.write().expect("written");
    let known = history.of("send");
    assert_eq!((known.len(), known[0].at.micros()), (KEPT, NOW - 1_000 + 119));
    let file = std::fs::metadata(logs.join("send.jsonl")).expect("the file");
    assert_eq!(file.permissions().mode() & 0o777, 0o600);

    // A line that was cut off is passed over.
    let text = std::fs::read_to_string(logs.join("gone.jsonl")).expect("the file");
    std::fs::write(logs.join("gone.jsonl"), format!("{text}{{\"at\":17")).expect("written");
    let again = History::open(logs.clone(), now).expect("what was written");
    assert_eq!(again.of("send"), known);
    assert_eq!((again.of("old").len(), again.of("gone").len()), (0, 1));
    again.keep(|id| id != "gone");
    again.write().expect("written");
    assert!(logs.join("send.jsonl").exists() && !logs.join("gone.jsonl").exists());
}
