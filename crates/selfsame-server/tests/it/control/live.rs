//! Streams: numbers each second, and events as they are decided.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::members::member;
use super::server::{DEV, Server};

/// What a stream says, event by event.
struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    async fn open(server: &Server, path: &str) -> Self {
        let response = server.request(Method::GET, path).send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The data of the next event of a kind; others are passed over.
    async fn next(&mut self, kind: &str) -> Value {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if event.lines().any(|line| line == format!("event: {kind}")) {
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    return serde_json::from_str(data.expect("data")).expect("JSON");
                }
            }
            let piece = self.response.chunk().await.expect("it goes on").expect("it goes on");
            self.text.push_str(std::str::from_utf8(&piece).expect("UTF-8"));
        }
    }
}

#[tokio::test]
async fn numbers_come_each_second_and_are_those_of_the_lists() {
    let server = Server::start();
    let mut stream = Stream::open(&server, "/api/stream").await;
    let before = stream.next("live").await;
    assert_eq!((&before["events"], &before["skipped"]), (&json!(0), &json!(0)));
    let new = json!({ "name": "hook", "kind": "webhook", "url": "http://127.0.0.1:9/" });
    server.done(Method::POST, "/api/destinations", Some(new)).await;
    for number in 0..5 {
        let event =
            json!({ "userId": "ada", "event": "Bought", "messageId": format!("m{number}") });
        assert_eq!(server.send(DEV, "track", event).await, StatusCode::OK);
    }
    let mut rates = Vec::new();
    let live = loop {
        let live = stream.next("live").await;
        rates.push(live["sources"][0]["rate"].as_f64().expect("a number"));
        if live["events"] == 5 && live["destinations"][0]["accepted"] == 5 {
            break live;
        }
    };
    assert!(rates.iter().any(|rate| *rate > 0.0), "{rates:?}");
    let source = server.get("/api/sources/dev").await;
    assert_eq!(live["sources"][0]["id"], "dev");
    assert_eq!(live["sources"][0]["events"], source["events"]);
    assert_eq!((&live["destinations"][0]["id"], &live["lag"]), (&json!("hook"), &json!(0)));
    let times = (live["at"].as_str(), before["at"].as_str());
    assert!(times.0 > times.1, "{times:?}");
}

#[tokio::test]
async fn one_connection_has_both_and_a_session_is_enough() {
    let server = Server::start();
    let (_, cookie) = member(&server, "ada@example.com", "analyst").await;
    let path = server.at("/api/tail?live=true&event=Bought");
    let response = server.http.get(path).header("cookie", cookie).send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = Stream { response, text: String::new() };
    stream.next("live").await;
    for name in ["Looked", "Bought"] {
        let event = json!({ "userId": "ada", "event": name });
        assert_eq!(server.send(DEV, "track", event).await, StatusCode::OK);
    }
    assert_eq!(stream.next("event").await["name"], "Bought");
    let later = stream.next("live").await;
    assert_eq!(later["events"], 2);
}

#[tokio::test]
async fn who_comes_back_goes_on_behind_the_last_event() {
    let server = Server::start();
    let events: Vec<_> = ["a", "b", "c"]
        .map(|name| json!({ "type": "track", "userId": "ada", "event": name }))
        .into();
    let batch = server.http.post(server.at("/v1/batch")).basic_auth(DEV, Some(""));
    let sent = batch.json(&json!({ "batch": events })).send().await.expect("an answer");
    assert_eq!(sent.status(), StatusCode::OK);
    server.folded().await;
    let trace = server.request(Method::GET, "/api/tail").header("last-event-id", "0-0.0");
    let response = trace.send().await.expect("an answer");
    let mut all = Stream { response, text: String::new() };
    let first = all.next("event").await;
    let position = first["position"].as_str().expect("a position").to_owned();
    assert!(first["name"] == "a" && position.ends_with(".0"), "{first}");
    let again = server.request(Method::GET, "/api/tail").header("last-event-id", position);
    let mut again =
        Stream { response: again.send().await.expect("an answer"), text: String::new() };
    let rest = (again.next("event").await, again.next("event").await);
    assert_eq!((&rest.0["name"], &rest.1["name"]), (&json!("b"), &json!("c")));
    let odd =
        server.request(Method::GET, "/api/tail").header("last-event-id", "seven").send().await;
    assert_eq!(odd.expect("an answer").status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn there_is_room_for_so_many_and_who_goes_makes_room() {
    let server = Server::start();
    let mut streams = Vec::new();
    for _ in 0..32 {
        streams.push(Stream::open(&server, "/api/stream").await);
    }
    let (status, body) = server.ask(Method::GET, "/api/stream", None).await;
    assert_eq!((status.as_u16(), &body["error"]["code"]), (429, &json!("busy")));
    drop(streams);
    super::server::eventually("room for another one", async || {
        let asked = server.request(Method::GET, "/api/stream").send().await.expect("an answer");
        (asked.status() == StatusCode::OK).then_some(())
    })
    .await;
    let (status, _) = server.ask(Method::GET, "/api/tail?live=perhaps", None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
