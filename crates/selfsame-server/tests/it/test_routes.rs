//! `/test/…` of `selfsame dev`: what a test is told about the events it sent.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::{Value, json};

use crate::server::Server;

async fn ask(server: &Server, path: &str) -> (u16, Value) {
    let answer = server.get(path).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

fn order(id: &str) -> Value {
    json!({ "type": "track", "userId": "ada", "event": "Order Completed", "messageId": id })
}

#[tokio::test]
async fn good_events_are_good_at_once_and_repetitions_too() {
    let server = Server::dev(None);
    assert_eq!(ask(&server, "/test/good").await.0, 200);
    assert_eq!(ask(&server, "/test/good?at_least=1").await.0, 409);
    for event in [order("1"), order("2"), order("2"), json!({"type": "page", "anonymousId": "x"})] {
        server.send("dev", &event).await;
    }
    let (status, good) = ask(&server, "/test/good").await;
    assert_eq!(status, 200, "{good}");
    let counts = (&good["good"], &good["bad"], &good["duplicates"]);
    assert_eq!(counts, (&json!(3), &json!(0), &json!(1)));
    assert!(good["events"][0]["profileId"].as_str().unwrap().starts_with("use_"));
    assert_eq!(ask(&server, "/test/bad").await, (200, json!({ "bad": 0, "events": [] })));

    let filter = "/test/good?type=track&event=Order%20Completed";
    assert_eq!(ask(&server, filter).await.1["good"], 2);
    assert_eq!(ask(&server, &format!("{filter}&limit=1&at_least=2")).await.0, 200);
    assert_eq!(ask(&server, "/test/good?type=screen").await.1["good"], 0);
    let answer = server.get("/test/good?typ=track").send().await.unwrap();
    assert_eq!(answer.status(), 400, "a misspelt filter is not ignored");
}

#[tokio::test]
async fn every_way_to_be_bad_is_listed_until_the_reset() {
    let server = Server::dev(None);
    server.send("dev", &order("1")).await;
    let mut other = order("1");
    other["properties"] = json!({ "total": 2 });
    let bad = [
        (json!({ "type": "track", "userId": "ada" }), "event_not_defined"),
        (json!({ "type": "track", "event": "x", "userId": "anonymous" }), "no_identifier"),
        (other, "changed"),
    ];
    for (event, _) in &bad {
        server.send("dev", event).await;
    }
    let (status, list) = ask(&server, "/test/bad").await;
    assert_eq!((status, &list["bad"]), (200, &json!(bad.len())), "{list}");
    for ((sent, code), shown) in bad.iter().zip(list["events"].as_array().unwrap()) {
        assert_eq!((&shown["code"], &shown["event"]), (&json!(code), sent));
        assert!(!shown["reason"].as_str().unwrap().is_empty());
    }
    let (status, good) = ask(&server, "/test/good").await;
    assert_eq!((status, &good["good"], &good["bad"]), (409, &json!(1), &json!(3)));

    let reset = server.post("/test/reset", &json!({})).send().await.unwrap();
    assert_eq!(reset.status(), 200);
    assert_eq!(ask(&server, "/test/good").await.1["good"], 0);
    assert_eq!(ask(&server, "/test/bad").await.1["bad"], 0);
    server.send("dev", &order("1")).await;
    let (status, good) = ask(&server, "/test/good").await;
    assert_eq!((status, &good["duplicates"]), (200, &json!(1)), "profiles and ids stay");
}

#[tokio::test]
async fn only_the_server_for_tests_has_them() {
    let mut command = crate::server::program();
    command.args(["demo", "--rate=0", "--listen=127.0.0.1:0"]);
    let server = Server::start(command);
    assert_eq!(server.get("/test/good").send().await.unwrap().status(), 404);
}
