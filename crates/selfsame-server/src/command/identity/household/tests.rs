use serde_json::json;

use super::*;

#[test]
fn members_have_a_line_each_and_one_for_what_they_say() {
    let ids = json!([{ "type": "user_id", "value": "ada\u{7}" }]);
    let said = json!({
        "name": "lastName", "value": "Hill\u{1b}", "message_id": "m1", "source": "web",
        "timestamp": "2026-01-02T00:00:00.000Z",
    });
    let answer = json!({
        "profile_id": "use_1", "identifiers": ids,
        "data": [
            {
                "rule": "address", "state": "household", "id": "household:00ff", "events_before": 3,
                "members": [{ "profile_id": "use_1", "identifiers": ids, "traits": [said] }],
            },
            { "rule": "card", "state": "no_card", "sentence": "No card.", "events_before": 0 },
        ],
    });
    assert_eq!(
        lines(&answer).join("\n"),
        "use_1  user_id:ada\\u{7}\n\
         \x20 by address and family name: household:00ff\n\
         \x20   use_1  user_id:ada\\u{7}\n\
         \x20     lastName \"Hill\\u001b\"  2026-01-02T00:00:00.000Z  from web  m1\n\
         \x20   3 events came before this rule: what only they say is not found\n\
         \x20 by card: No card."
    );
}

#[test]
fn a_space_without_a_rule_says_where_to_set_one() {
    let answer = json!({ "profile_id": "use_1", "identifiers": [], "data": [] });
    assert!(lines(&answer)[1].contains("set `households` in its rules"));
}
