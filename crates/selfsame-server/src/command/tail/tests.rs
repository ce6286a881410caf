use serde_json::json;

use super::*;

#[test]
fn frames_are_put_together() {
    let mut frames = Frames::default();
    let lines =
        [": alive\n", "\n", "event: event\r\n", "id: 0-1.0\n", "data: {\"a\":\n", "data: 1}\n"];
    assert!(lines.iter().all(|line| frames.line(line).is_none()));
    assert_eq!(frames.line("\n"), Some(("event".to_owned(), "{\"a\":1}".to_owned())));
    assert_eq!(frames.line("\n"), None);
}

#[test]
fn a_row_says_who_what_and_what_became_of_it_and_steers_no_terminal() {
    let event = json!({
        "received_at": "2026-01-02T03:04:05.678Z", "verdict": "duplicate", "source": "web",
        "type": "track", "name": "Bought\u{1b}[2J", "sentence": "It was there before.",
        "event": { "anonymousId": "a1" }, "notes": [{ "sentence": "Profile created" }],
    });
    assert_eq!(
        row(&event).split_whitespace().collect::<Vec<_>>().join(" "),
        "03:04:05.678Z duplicate web track Bought\\u{1b}[2J anonymous:a1 It was there before. (Profile created)"
    );
}
