//! `selfsame destination render`: what would be sent, without a server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::process::{selfsame, text};

fn render(folder: &Path, files: &[(&str, &Value)], more: &[&str]) -> Output {
    let mut args = vec!["destination".to_owned(), "render".to_owned()];
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

#[test]
fn an_event_is_shown_as_the_requests_it_would_become() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({ "apiKey": "key" });
    let event = json!({
        "type": "identify", "userId": "ada", "messageId": "m1", "timestamp": "2026-11-29T12:00:00Z",
        "traits": { "email": "ada@example.com" },
    });
    let output = render(
        folder.path(),
        &[("settings", &settings), ("event", &event)],
        &["--destination", "iterable"],
    );
    assert!(output.status.success(), "{}", text(&output));
    let shown = shown(&output);
    assert_eq!(shown["action"], "updateUser");
    assert_eq!(shown["ends"], "delivered");
    assert_eq!(shown["requests"].as_array().unwrap().len(), 1);
    let request = &shown["requests"][0];
    assert_eq!(request["url"], "https://api.iterable.com/api/users/update");
    assert_eq!(request["headers"]["api-key"], "key");
    assert_eq!(request["json"]["email"], "ada@example.com");
}

#[test]
fn a_batch_is_one_request_and_names_what_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let settings = json!({ "siteId": "a", "apiKey": "b" });
    let event = |id: Value| json!({ "type": "track", "event": "Bought", "userId": "ada", "messageId": id, "properties": {} });
    let events = json!([event(json!("1")), json!({ "type": "track", "userId": "ada" })]);
    let output = render(
        folder.path(),
        &[("settings", &settings), ("event", &events)],
        &["--destination", "customerio", "--action", "trackEvent", "--at", "2026-11-29T12:00:00Z"],
    );
    assert!(output.status.success(), "{}", text(&output));
    let shown = shown(&output);
    assert_eq!(shown["requests"][0]["json"]["batch"].as_array().unwrap().len(), 1);
    assert_eq!(shown["left_out"], json!([{ "event": 1, "refused": "`name` is required" }]));
}

#[test]
fn what_cannot_be_rendered_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (none, event) = (json!({}), json!({ "type": "track", "event": "Bought" }));
    let files = [("settings", &none), ("event", &event)];
    let refused = render(folder.path(), &files, &["--destination", "iterable"]);
    assert!(!refused.status.success());
    assert!(text(&refused).contains("`apiKey` is required"), "{}", text(&refused));

    let unknown = render(folder.path(), &files, &["--destination", "itreable"]);
    let wanted = "there is no destination `itreable`; did you mean `iterable`?";
    assert!(text(&unknown).contains(wanted), "{}", text(&unknown));
}

#[test]
fn a_folder_of_manifests_stands_beside_those_of_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("destinations/mine");
    std::fs::create_dir_all(&own).unwrap();
    let manifest = "manifest: 1\nid: mine\nname: Mine\ncategory: test\ndocs: [https://example.com]\n\
                    version: 1.0.0\nstatus: native\nactions:\n  send:\n    title: Send\n    trigger: type = \"track\"\n\
                    \x20   request: {url: 'https://example.com/{{ event.userId }}', json: {name: =event.event}}\n";
    std::fs::write(own.join("manifest.yaml"), manifest).unwrap();
    let (none, event) = (json!({}), json!({ "type": "track", "event": "Bought", "userId": "a b" }));
    let files = [("settings", &none), ("event", &event)];
    let place = folder.path().join("destinations");
    let place = place.to_str().unwrap();
    let good = render(folder.path(), &files, &["--destination", "mine", "--folder", place]);
    let shown = shown(&good);
    assert_eq!(shown["requests"][0]["url"], "https://example.com/a%20b");
    assert_eq!(shown["requests"][0]["json"], json!({ "name": "Bought" }));

    std::fs::write(own.join("manifest.yaml"), manifest.replace("event.event", "evnt.event"))
        .unwrap();
    let wrong = render(folder.path(), &files, &["--destination", "mine", "--folder", place]);
    assert!(!wrong.status.success());
    assert!(
        text(&wrong).contains(
            "mine/manifest.yaml: line 12, /actions/send/request/json: `evnt` is not in reach"
        ),
        "{}",
        text(&wrong)
    );
}

#[test]
fn destinations_that_could_be_made_are_listed() {
    let listed = selfsame(&["destination", "catalogue"]);
    assert!(listed.status.success(), "{}", text(&listed));
    let said = text(&listed);
    assert!(said.contains("slack") && said.contains("native"), "{said}");
    let has_pack = !said.contains("has no actions pack");
    assert_eq!(said.contains("Close (CRM)"), has_pack, "{said}");
    assert!(!said.contains("community-webhook"), "there is a native one");
    let all = text(&selfsame(&["destination", "catalogue", "--all"]));
    assert_eq!(all.contains("community-webhook"), has_pack, "{all}");
    assert_eq!(all.contains("left out of the actions pack: kafka"), has_pack, "{all}");
    let licences = text(&selfsame(&["destination", "catalogue", "--licences"]));
    assert_eq!(licences.contains("@segment/action-destinations"), has_pack, "{licences}");
}

#[test]
fn a_program_of_the_actions_pack_is_rendered_too() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = json!({
        "url": "https://example.com/in", "method": "POST", "data": { "@path": "$.properties" },
    });
    let event = json!({ "type": "track", "event": "Order", "properties": { "total": 12.5 } });
    let output = render(
        folder.path(),
        &[("settings", &json!({ "sharedSecret": "s" })), ("event", &event), ("mapping", &mapping)],
        &["--destination", "community-webhook", "--action", "send"],
    );
    if text(&output).contains("there is no destination") {
        println!("this build has no actions pack: `make pack` builds it");
        return;
    }
    let shown = shown(&output);
    assert_eq!(shown["ends"], "delivered");
    let request = &shown["requests"][0];
    assert_eq!(
        (&request["method"], &request["url"]),
        (&json!("POST"), &json!("https://example.com/in"))
    );
    assert_eq!(request["json"], json!({ "total": 12.5 }));
    assert!(request["headers"]["x-signature"].is_string(), "{request}");
}
