use serde_json::json;

use super::*;

fn ids(values: &[&str]) -> Value {
    values.iter().map(|value| json!({ "type": "user_id", "value": value })).collect()
}

#[test]
fn a_plan_shows_who_changes_and_that_nothing_was_changed() {
    let plan = json!({
        "applied": false,
        "pairs": [{ "one": { "type": "user_id", "value": "a\u{7}" }, "other": { "type": "email", "value": "b" } }],
        "before": [{ "profile_id": "use_1", "identifiers": ids(&["a", "b"]) }],
        "after": [
            { "profile_id": "use_1", "identifiers": ids(&["a"]) },
            { "profile_id": "use_2", "identifiers": ids(&["b"]) },
        ],
        "moved": [{ "id": { "type": "email", "value": "lost" }, "from": "use_1", "to": null }],
        "others": ["use_9"], "uncertain": 2, "left_over": 0, "partial": true,
        "sets": 10_001, "large": true,
    });
    assert_eq!(
        lines(&plan).join("\n"),
        "user_id:a\\u{7} and email:b\n\
         \x20 now\n\
         \x20   use_1  user_id:a  user_id:b\n\
         \x20 afterwards\n\
         \x20   use_1  user_id:a\n\
         \x20   use_2  user_id:b\n\
         \x20 on no profile any more\n\
         \x20   email:lost\n\
         \x20 other people who change\n\
         \x20   use_9\n\
         \x20 2 sets of identifiers may have been joined by a later event that is not kept\n\
         \x20 some of those that were to leave still share a profile with the others\n\
         \x20 10001 sets of identifiers are resolved again: with --yes, by a job\n\
         nothing was changed: give --yes to do it"
    );
}

#[test]
fn what_is_set_apart_is_listed_with_what_met_it() {
    assert_eq!(apart_lines(&json!({ "data": [] })), ["nothing is set apart"]);
    let one = json!({ "type": "user_id", "value": "a" });
    let pair = json!({ "one": one, "other": one, "since": "2026", "by": "me", "times": 0 });
    let shown = apart_lines(&json!({ "data": [pair], "cut": true })).join("\n");
    assert_eq!(
        shown,
        "user_id:a and user_id:a  since 2026  by me\n  no event met this\nthere are more"
    );
}
