use super::*;

#[test]
fn a_profile_is_shown_in_columns() {
    let profile = json!({
        "id": "use_1", "collection": "users", "events": 2,
        "external_ids": [
            { "type": "user_id", "id": "ada", "created_at": "2026-01-01T00:00:00.000Z" },
            { "type": "email", "id": "ada@x.com", "created_at": "2026-01-01T00:00:00.000Z" },
        ],
        "traits": { "n": { "value": 3, "updated_at": "2026-01-02T00:00:00.000Z" } },
    });
    assert_eq!(
        profile_lines(&profile).join("\n"),
        "use_1  (users)\nidentifiers\n\
         \x20 user_id  ada        2026-01-01T00:00:00.000Z\n\
         \x20 email    ada@x.com  2026-01-01T00:00:00.000Z\n\
         traits\n\
         \x20 n  3  2026-01-02T00:00:00.000Z\nevents: 2"
    );
}

#[test]
fn an_event_without_content_is_said() {
    let events =
        json!([null, { "timestamp": "t", "type": "track", "event": "A\u{1b}", "message_id": "m" }]);
    assert_eq!(
        event_lines(&json!({ "data": events })),
        ["  (its content is not there any more)", "  t  track     A\\u{1b}  m"]
    );
}

#[test]
fn where_the_log_begins_is_said_below_the_events() {
    let mut page = json!({ "data": [], "history_from": { "position": "0-7", "received_at": "t" } });
    let line = "  older events are not kept: the log begins at 0-7, received t";
    assert_eq!(event_lines(&page), [line]);
    page["history_from"] = json!({ "position": "0-7" });
    assert_eq!(event_lines(&page), ["  older events are not kept: the log begins at 0-7"]);
}
