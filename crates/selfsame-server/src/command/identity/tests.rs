use serde_json::json;

use super::*;

fn an_event(message_id: &str) -> Value {
    json!({
        "position": "0-3.1", "message_id": message_id, "type": "track", "name": "Bought",
        "timestamp": "2026-01-02T00:00:00.000Z", "source": "web",
    })
}

fn end(value: &str, profile: Option<&str>) -> Value {
    json!({ "id": { "type": "email", "value": value }, "profile_id": profile })
}

#[test]
fn a_path_has_one_line_for_each_link_and_escapes_what_steers_a_terminal() {
    let why = json!({
        "verdict": "same_profile", "cut": true, "from": end("a\u{7}", Some("use_1")), "to": end("b", Some("use_1")),
        "links": [{
            "from": { "type": "email", "value": "a\u{7}" }, "to": { "type": "user_id", "value": "b" },
            "effect": "merged", "event": an_event("m\u{1b}1"),
        }],
    });
    assert_eq!(
        why_lines(&why).join("\n"),
        "one profile: use_1\n\
         \x20 email:a\\u{7} merged with user_id:b  2026-01-02T00:00:00.000Z  track \"Bought\"  from web at 0-3.1  m\\u{1b}1\n\
         \x20 not everything was looked at: there is more than one answer reads"
    );
}

#[test]
fn two_profiles_are_named_with_what_kept_them_apart() {
    let why = json!({
        "verdict": "different_profiles", "from": end("a", Some("use_1")), "to": end("b", Some("use_2")),
        "refusals": [{ "sentence": "Identifier value limit exceeded", "event": an_event(""),
            "limit": { "type": "user_id", "limit": 1, "window": "ever" },
            "left_out": { "type": "anonymous_id", "value": "x" } }],
        "refusal_count": 3,
        "limits": [{ "type": "user_id", "count": 2, "limit": 1, "window": "ever" }],
    });
    assert_eq!(
        why_lines(&why).join("\n"),
        "two profiles\n\
         \x20 email:a is on use_1\n\
         \x20 email:b is on use_2\n\
         \x20 kept apart: Identifier value limit exceeded, at most 1 user_id, anonymous_id:x left out  2026-01-02T00:00:00.000Z  track \"Bought\"  from web at 0-3.1\n\
         \x20 … and 2 more events\n\
         \x20   together they would have 2 values of user_id; the limit is 1"
    );
}

#[test]
fn what_is_on_no_profile_says_what_stopped_it_or_what_to_try() {
    let mut blocked = end("a", None);
    blocked["stopped"] = json!({ "sentence": "ID value blocked", "event": an_event("m") });
    blocked["stopped_count"] = json!(2);
    let mut limited = end("c", None);
    limited["stopped"] = json!({
        "sentence": "Identifier value time limit exceeded", "event": an_event("m"),
        "limit": { "type": "email", "limit": 5, "window": "weekly" },
    });
    let why = json!({ "verdict": "no_profile", "from": limited, "to": end("d", None) });
    let lines = why_lines(&why).join("\n");
    assert!(lines.contains("time limit exceeded, at most 5 email (weekly)"), "{lines}");
    let why = json!({ "verdict": "no_profile", "from": blocked, "to": end("b", None) });
    let lines = why_lines(&why).join("\n");
    assert!(lines.contains("email:a is on no profile: ID value blocked (2 times"), "{lines}");
    assert!(lines.contains("email:b is on no profile, and no recent event had it"), "{lines}");
    assert!(lines.contains("selfsame profile search"), "{lines}");
}
