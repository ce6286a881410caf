//! What became of events: rejected ones, insights, traces and the tail.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::{DEV, Server, eventually};

#[tokio::test]
async fn what_was_set_aside_is_counted_and_readable() {
    let server = Server::start();
    let batch = json!({"batch": [
        {"type": "track", "userId": "ada", "event": "Good"},
        {"type": "track", "userId": "ada", "messageId": "bad-1"},
        {"type": "purchase", "userId": "ada"},
        {"type": "track", "event": "Nobody"},
    ]});
    assert!(server.send(DEV, "batch", batch).await.is_success());
    server.folded().await;
    let all = server.get("/api/sources/dev/rejected").await;
    assert_eq!(
        all["counts"],
        json!({"event_not_defined": 1, "no_user_anon_id": 1, "type_unknown": 1})
    );
    let codes = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().expect("a list").iter();
        data.map(|one| one["code"].as_str().expect("a code").to_owned()).collect()
    };
    assert_eq!(codes(&all), ["no_user_anon_id", "type_unknown", "event_not_defined"]);
    let raw: Value =
        serde_json::from_str(all["data"][2]["raw"].as_str().expect("text")).expect("JSON");
    assert_eq!(raw["messageId"], "bad-1");
    assert!(all["data"][2]["sentence"].as_str().expect("text").contains("`event`"));
    let day = all["day"].as_str().expect("a day");
    assert_eq!(all["days"][day], 3);

    let first = server.get(&format!("/api/sources/dev/rejected?limit=2&day={day}")).await;
    let next = first["next"].as_str().expect("more");
    let second =
        server.get(&format!("/api/sources/dev/rejected?limit=2&day={day}&next={next}")).await;
    assert_eq!((codes(&first).len(), codes(&second)), (2, vec!["event_not_defined".to_owned()]));
    assert_eq!(second["next"], Value::Null);
    let empty = server.get("/api/sources/dev/rejected?day=2001-01-01").await;
    assert_eq!(empty["data"], json!([]));
    let traced = server.get("/api/trace?message_id=bad-1").await;
    assert_eq!(
        (&traced["data"][0]["event"]["verdict"], &traced["data"][0]["event"]["code"]),
        (&json!("rejected"), &json!("event_not_defined"))
    );
    assert_eq!(server.get("/api/state").await["rejected"], 3);
}

#[tokio::test]
async fn a_trait_that_is_too_large_is_a_verdict_and_no_lost_event() {
    let server = Server::start();
    let traits = json!({ "plan": "pro", "blob": "x".repeat(17 * 1024) });
    let event = json!({ "userId": "ada", "messageId": "m-1", "traits": traits });
    server.send(DEV, "identify", event).await;
    server.folded().await;
    assert_eq!(server.get("/api/state").await["events"], 1);
    let insights = server.get("/api/spaces/dev/insights").await;
    assert_eq!(insights["counts"]["trait_value_too_large"], 1, "{insights}");
    let profile = "/v1/spaces/dev/collections/users/profiles/user_id:ada/traits";
    let kept = server.get(profile).await;
    assert_eq!(kept["traits"], json!({ "plan": "pro" }), "{kept}");
}

#[tokio::test]
async fn duplicates_and_limits_are_counted_and_listed() {
    let server = Server::start();
    let event = json!({"userId": "ada", "event": "Once", "messageId": "m-1"});
    let other = json!({"userId": "ada", "event": "Other", "messageId": "m-1"});
    for event in [&event, &event, &other] {
        server.send(DEV, "track", event.clone()).await;
    }
    server.send(DEV, "track", json!({"userId": "null", "event": "X", "messageId": "m-2"})).await;
    server.folded().await;
    let insights = server.get("/api/spaces/dev/insights").await;
    assert_eq!(
        (&insights["counts"]["duplicate"], &insights["counts"]["different_content"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(insights["counts"]["id_value_blocked"], 1, "{insights}");
    let kinds: Vec<_> = insights["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["kind"].as_str().expect("a kind"))
        .collect();
    assert_eq!(
        kinds,
        ["no_matching_identifiers_on_event", "id_value_blocked", "different_content", "duplicate"]
    );
    assert_eq!(insights["data"][3]["message_id"], "m-1");
    let only = server.get("/api/spaces/dev/insights?kind=duplicate&limit=1").await;
    assert_eq!(only["data"].as_array().map(Vec::len), Some(1));
    let mut seen = 0;
    let mut path = "/api/spaces/dev/insights?limit=1".to_owned();
    loop {
        let page = server.get(&path).await;
        seen += page["data"].as_array().expect("a list").len();
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/spaces/dev/insights?limit=1&next={next}");
    }
    assert_eq!(seen, 4);
    let trace = server.get("/api/trace?message_id=m-1").await;
    let verdicts: Vec<_> = trace["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["event"]["verdict"].as_str().expect("text"))
        .collect();
    assert_eq!(verdicts, ["different_content", "duplicate", "accepted"]);
    assert_eq!(trace["data"][0]["event"]["first"], trace["data"][2]["event"]["position"]);
    let one = server.get("/api/trace?message_id=m-1&limit=1").await;
    assert_eq!(one["data"].as_array().map(Vec::len), Some(1));
    let before = one["next"].as_str().expect("there are older ones");
    let older = server.get(&format!("/api/trace?message_id=m-1&before={before}")).await;
    assert_eq!(
        older["data"].as_array().expect("a list")[..],
        trace["data"].as_array().expect("a list")[1..]
    );
    let nobody = server.get("/api/trace?message_id=m-2").await;
    assert_eq!(nobody["data"][0]["event"]["verdict"], "no_identifier");
}

#[tokio::test]
async fn a_trace_has_every_hop() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    for (name, events) in [("All", json!([])), ("Pages", json!(["page"]))] {
        let body = json!({"name": name, "url": receiver.url, "events": events});
        server.done(Method::POST, "/api/destinations", Some(body)).await;
    }
    eventually("destinations to begin", async || {
        let all = server.get("/api/destinations").await;
        all["data"].as_array()?.iter().all(|one| one["status"]["state"] == "running").then_some(())
    })
    .await;
    let text = r#"{"userId":"ada","messageId":"order-é-1","event":"Order","properties":{"total":12345678901234567890.10}}"#;
    let sent = server.http.post(server.at("/v1/track")).basic_auth(DEV, Some("")).body(text);
    assert_eq!(sent.send().await.expect("an answer").status(), StatusCode::OK);
    let path = "/api/trace?message_id=order-%C3%A9-1";
    let trace = eventually("the delivery", async || {
        let trace = server.get(path).await;
        (trace["data"][0]["deliveries"][0]["state"] == "delivered").then_some(trace)
    })
    .await;
    let (event, deliveries) = (&trace["data"][0]["event"], &trace["data"][0]["deliveries"]);
    assert_eq!(
        (&event["source"], &event["verdict"], &event["anchor_type"]),
        (&json!("dev"), &json!("accepted"), &json!("user_id"))
    );
    assert_eq!(event["notes"][0]["sentence"], "Profile created");
    assert_eq!(event["notes"][1]["value"], "ada");
    assert!(event["profile_id"].is_string() && event["received_at"].is_string(), "{event}");
    let attempt = &deliveries[0]["attempts"][0];
    assert_eq!(
        (&attempt["number"], &attempt["outcome"], &attempt["status"]),
        (&json!(1), &json!("delivered"), &json!(200))
    );
    assert_eq!(
        (&deliveries[1]["destination"], &deliveries[1]["state"]),
        (&json!("pages"), &json!("filtered"))
    );
    let position = event["position"].as_str().expect("text");
    let answer = server.request(Method::GET, &format!("/api/trace?position={position}"));
    let text = answer.send().await.expect("an answer").text().await.expect("text");
    assert!(text.contains("12345678901234567890.10"), "numbers keep their digits: {text}");
    let same: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(same["data"][0]["event"]["message_id"], "order-é-1");
    let none = server.get("/api/trace?message_id=never").await;
    assert_eq!((&none["data"], &none["next"]), (&json!([]), &Value::Null));
    for position in ["0-0.0", "0-999.0", "1-0.0", "0-5.7"] {
        let (status, _) =
            server.ask(Method::GET, &format!("/api/trace?position={position}"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{position}");
    }
}

/// The next message of a stream: its event and data.
async fn message(stream: &mut Response, buffer: &mut String) -> (String, Value) {
    loop {
        if let Some(end) = buffer.find("\n\n") {
            let message: String = buffer.drain(..end + 2).collect();
            let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(event), Some(data)) = (field("event: "), field("data: ")) {
                return (event.to_owned(), serde_json::from_str(data).expect("JSON"));
            }
            continue;
        }
        let chunk = stream.chunk().await.expect("a stream").expect("it goes on");
        buffer.push_str(std::str::from_utf8(&chunk).expect("text"));
    }
}

#[tokio::test]
async fn the_tail_shows_what_is_wanted_as_it_is_decided() {
    let server = Server::start();
    let path = "/api/tail?type=track&event=Wanted&source=dev";
    let mut stream = server.request(Method::GET, path).send().await.expect("an answer");
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(stream.headers()["cache-control"], "no-store");
    server.send(DEV, "track", json!({"userId": "ada", "event": "Other"})).await;
    let pretty = "{\n  \"userId\": \"ada\",\n  \"event\": \"Wanted\",\n  \"properties\": {\n    \"a\": 1\n  }\n}";
    let sent = server.http.post(server.at("/v1/track")).basic_auth(DEV, Some("")).body(pretty);
    assert_eq!(sent.send().await.expect("an answer").status(), StatusCode::OK);
    let mut buffer = String::new();
    let (kind, data) = message(&mut stream, &mut buffer).await;
    assert_eq!(kind, "event");
    assert_eq!((&data["name"], &data["verdict"]), (&json!("Wanted"), &json!("accepted")));
    assert_eq!(data["event"]["properties"]["a"], 1);
}

#[tokio::test]
async fn only_so_many_follow_at_once() {
    let server = Server::start();
    let mut open = Vec::new();
    let refused = loop {
        let answer = server.request(Method::GET, "/api/tail").send().await.expect("an answer");
        if answer.status() != StatusCode::OK {
            break answer;
        }
        open.push(answer);
        assert!(open.len() < 100, "there is no limit");
    };
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    drop(open);
    eventually("room for another", async || {
        let answer = server.request(Method::GET, "/api/tail").send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_answer_names_the_position_that_reads_wait_for() {
    let server = Server::start();
    for number in 0..20 {
        let user = format!("u{number}");
        let event = json!({"userId": user, "event": "Seen", "writeKey": DEV});
        let answer = server.http.post(server.at("/v1/track")).json(&event).send().await;
        let answer = answer.expect("an answer");
        let exposed = answer.headers()["access-control-expose-headers"].to_str().expect("text");
        assert!(exposed.contains("X-Selfsame-Position"), "{exposed}");
        let position = answer.headers()["x-selfsame-position"].to_str().expect("text").to_owned();
        assert_eq!(answer.text().await.expect("text"), r#"{"success":true}"#);
        // No waiting here: the read does.
        let path = format!(
            "/v1/spaces/dev/collections/users/profiles/user_id:{user}/events?wait_for={position}"
        );
        let answer = server.request(Method::GET, &path).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let shown = answer.headers()["x-selfsame-position"].to_str().expect("text");
        let offset = |text: &str| text.strip_prefix("0-").and_then(|text| text.parse::<u64>().ok());
        assert!(offset(shown) >= offset(&position), "{shown} {position}");
        let page: Value = answer.json().await.expect("JSON");
        assert_eq!(page["data"][0]["event"], "Seen", "{page}");
    }
}
