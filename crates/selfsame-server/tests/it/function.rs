//! `selfsame function test`: a function with sample events, without a server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::process::{selfsame, text};

fn test(folder: &Path, code: &str, files: &[(&str, Value)], more: &[&str]) -> Output {
    let path = folder.join("function.js");
    std::fs::write(&path, code).unwrap();
    let mut args =
        vec!["function".to_owned(), "test".to_owned(), path.to_str().unwrap().to_owned()];
    for (name, value) in files {
        let path = folder.join(format!("{name}.json"));
        std::fs::write(&path, value.to_string()).unwrap();
        args.extend([format!("--{name}"), path.to_str().unwrap().to_owned()]);
    }
    args.extend(more.iter().map(|&one| one.to_owned()));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    selfsame(&args)
}

fn shown(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(output)))
}

const SENDS: &str = "async function onTrack(event, settings) { console.warn('hi', event.event); \
    const answer = await fetch('https://tool.example/v1', { method: 'POST', headers: { Authorization: settings.key }, body: JSON.stringify(event) }); \
    if (!answer.ok) throw new RetryError(`status ${answer.status}`); }";

#[test]
fn a_function_is_shown_with_what_it_prints_sends_and_uses() {
    let folder = tempfile::tempdir().unwrap();
    let event = json!({ "type": "track", "event": "Bought" });
    let files = [("event", event.clone()), ("settings", json!({ "key": "k" }))];
    let output = test(folder.path(), SENDS, &files, &[]);
    assert!(output.status.success(), "{}", text(&output));
    let found = shown(&output);
    assert_eq!(found["result"], json!({ "outcome": "done" }));
    assert_eq!(found["logs"], json!([{ "level": "warn", "text": "hi Bought" }]));
    let request = &found["requests"][0];
    assert_eq!(
        (&request["method"], &request["url"]),
        (&json!("POST"), &json!("https://tool.example/v1"))
    );
    assert_eq!(
        (&request["headers"]["authorization"], &request["body"]),
        (&json!("k"), &json!(event.to_string()))
    );
    assert!(
        found["cpu_ms"].as_f64().unwrap() > 0.0 && found["memory_bytes"].as_u64().unwrap() > 10_000
    );
    let replies = ("replies", json!([{ "status": 503 }]));
    let output = test(folder.path(), SENDS, &[files[0].clone(), files[1].clone(), replies], &[]);
    assert!(!output.status.success());
    let result = &shown(&output)["result"];
    assert_eq!((&result["outcome"], &result["message"]), (&json!("retry"), &json!("status 503")));
    assert_eq!(result["becomes"], "tried again later");
}

#[test]
fn each_kind_of_function_can_be_tried() {
    let folder = tempfile::tempdir().unwrap();
    let source = "async function onRequest(request) { Segment.track({ event: request.headers.get('X-Kind'), userId: request.json().id }); }";
    let request = json!({ "body": { "id": "7" }, "headers": { "X-Kind": "signup" } });
    let found = shown(&test(folder.path(), source, &[("event", request)], &[]));
    assert_eq!(
        found["result"]["events"],
        json!([{ "type": "track", "event": "signup", "userId": "7" }])
    );
    let insert = "function onTrack(event) { return event.event === 'drop' ? undefined : { ...event, x: 1 }; }";
    let event = |name: &str| [("event", json!({ "type": "track", "event": name }))];
    let found = shown(&test(folder.path(), insert, &event("a"), &["--kind", "insert"]));
    assert_eq!(found["result"]["event"], json!({ "type": "track", "event": "a", "x": 1 }));
    let output = test(folder.path(), insert, &event("drop"), &["--kind", "insert"]);
    assert_eq!(shown(&output)["result"]["outcome"], "dropped");
    let batch = "function onBatch(events) { return events.map((one) => ({ status: one.event === 'a' ? 200 : 400, errormessage: 'no' })); }";
    let events =
        [("event", json!([{ "type": "track", "event": "a" }, { "type": "track", "event": "b" }]))];
    let found = shown(&test(folder.path(), batch, &events, &[]));
    assert_eq!(found["result"]["batch"][0], json!({ "outcome": "done" }));
    assert_eq!(found["result"]["batch"][1]["message"], "no");
}

#[test]
fn what_is_wrong_with_a_function_is_pointed_at() {
    let folder = tempfile::tempdir().unwrap();
    let event = [("event", json!({ "type": "track" }))];
    let output = test(folder.path(), "function onTrack(event) {\n  return event.;\n}", &event, &[]);
    assert!(!output.status.success());
    let said = text(&output);
    assert!(said.contains("SyntaxError") && said.contains("function.js:2"), "{said}");
    let output = test(folder.path(), "function onTrack() { require('fs'); }", &event, &[]);
    let found = shown(&output);
    assert!(
        found["result"]["message"].as_str().unwrap().contains("Functions have no modules"),
        "{found}"
    );
    assert!(found["result"]["at"][0].as_str().unwrap().contains("function.js:1"), "{found}");
}

/// A request is really sent where that is asked for, and only to where it may go.
#[test]
fn a_request_is_sent_only_where_it_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let code = "async function onTrack() { await fetch('http://127.0.0.1:9/'); }";
    let output = test(folder.path(), code, &[("event", json!({ "type": "track" }))], &["--send"]);
    let message = shown(&output)["result"]["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "fetch failed: the address is not public");
}
