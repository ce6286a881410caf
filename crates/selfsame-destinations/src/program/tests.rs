use serde_json::{Value, json};

use crate::answer::Outcome;
use crate::exchange::{Connection, Done};
use crate::manifest::Manifest;
use crate::program::{ProgramEnd, ProgramError, ProgramItem};

fn manifest() -> Manifest {
    let text = json!({
        "manifest": 1, "id": "one", "name": "One", "category": "Other", "docs": [], "version": "1",
        "status": "community", "program": { "name": "one", "refreshes": true },
        "actions": { "send": {
            "title": "Send",
            "program": true,
            "fields": { "name": { "type": "string", "required": true, "default": { "@path": "$.event" } } },
            "batch": { "max_events": 10, "program": true },
        } },
    });
    Manifest::read("one/manifest.json", &text.to_string()).expect("a manifest")
}

fn connection(auth: &Value) -> Connection<'_> {
    Connection { settings: &Value::Null, auth, audience: &Value::Null, now_ms: 0 }
}

#[test]
fn a_program_is_given_the_payload_and_the_names_of_tokens_that_it_knows() {
    let manifest = manifest();
    let subscription = manifest.subscription("send", None).expect("an action");
    let auth = json!({ "access_token": "a", "client_id": "c" });
    let event = json!({ "event": "Order", "n": 1.50 });
    let input = manifest.program_call(&subscription, &event, connection(&auth)).expect("a call");
    let read: Value = serde_json::from_str(&input.expect("an input")).expect("JSON");
    assert_eq!(
        read,
        json!({
            "what": "perform", "action": "send", "payload": { "name": "Order" }, "event": event,
            "mapping": { "name": { "@path": "$.event" } }, "auth": { "accessToken": "a", "clientId": "c" },
        })
    );
    assert!(manifest.program_call(&subscription, &json!({}), connection(&auth)).is_err());
}

#[test]
fn what_is_refused_is_no_member_of_a_batch() {
    let manifest = manifest();
    let subscription = manifest.subscription("send", None).expect("an action");
    let events = [json!({ "event": "One" }), json!({}), json!({ "event": "Two" })];
    let batch = manifest.program_batch(&subscription, &events, connection(&Value::Null));
    let batch = batch.expect("a batch");
    assert_eq!(batch.members, [0, 2]);
    assert_eq!(batch.refused.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1]);
    let read: Value = serde_json::from_str(&batch.input.expect("an input")).expect("JSON");
    assert_eq!(read["payloads"], json!([{ "name": "One" }, { "name": "Two" }]));
}

fn outcome(done: &Done) -> Outcome {
    match done {
        Done::Answered { verdict, .. } => verdict.outcome,
        _ => Outcome::Ok,
    }
}

#[test]
fn errors_are_of_three_families_by_their_status() {
    let thrown = |status| ProgramError { status, ..ProgramError::default() };
    for (status, renews, wanted) in [
        (None, true, Outcome::Reject),
        (Some(400), true, Outcome::Reject),
        (Some(401), true, Outcome::RefreshAuth),
        (Some(401), false, Outcome::AuthError),
        (Some(429), false, Outcome::Throttle),
        (Some(503), false, Outcome::Retry),
    ] {
        assert_eq!(outcome(&thrown(status).done(renews)), wanted, "{status:?}");
    }
    let items = vec![ProgramItem { status: 500, message: "later".to_owned() }];
    let end = ProgramEnd { items: Some(items), ..ProgramEnd::default() };
    assert_eq!(outcome(&end.done(false)), Outcome::Retry);
    assert_eq!(ProgramEnd::default().done(false), Done::Delivered);
}

#[test]
fn an_action_runs_a_program_only_where_there_is_one() {
    let text = json!({
        "manifest": 1, "id": "one", "name": "One", "category": "Other", "docs": [], "version": "1",
        "status": "community", "actions": { "send": { "title": "Send", "program": true } },
    });
    let error = Manifest::read("one/manifest.json", &text.to_string()).expect_err("no program");
    assert!(error.to_string().contains("the manifest has no `program`"), "{error}");
}
