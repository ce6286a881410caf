//! `selfsame demo`, as somebody meets it who has just built it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{PATIENCE, Server, eventually, program};

fn demo(more: &[&str]) -> Server {
    let mut command = program();
    command.args(["demo", "--listen", "127.0.0.1:0"]).args(more);
    Server::start(command)
}

#[tokio::test]
async fn what_it_prints_answers_at_once() {
    let mut server = demo(&["--rate", "0"]);
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.contains("Ctrl-C")) {
        lines.push(server.line().unwrap());
    }
    assert!(lines.len() < 15, "{lines:#?}");
    let all = lines.join("\n");
    for part in ["write key demo", "goes away", "profile get user_id:ada"] {
        assert!(all.contains(part), "{part} is not in {all}");
    }
    let curl = lines.iter().find(|line| line.contains("curl -u demo:")).unwrap();
    let url = curl.split_whitespace().last().unwrap();
    let path = url.strip_prefix(server.url.as_str()).unwrap();
    let answer = server.get(path).basic_auth("demo", Some("")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let traits: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(traits["traits"]["email"], "ada@example.com");

    let kept = std::fs::read_dir(server.data()).unwrap().count();
    assert_eq!(kept, 1, "the data is where the system puts what is temporary");
    assert!(server.interrupt());
    assert!(server.line().unwrap().contains("its data is gone"));
    assert_eq!(std::fs::read_dir(server.data()).unwrap().count(), 0);
}

#[tokio::test]
async fn shoppers_come_and_their_events_are_delivered_signed() {
    let server = demo(&["--rate", "200"]);
    let status = eventually("some events", async || {
        let status = server.json("/demo/status").await;
        (status["events_total"].as_u64() > Some(100)).then_some(status)
    });
    let status = status.await;
    assert_eq!(status["shoppers_rate"], 200);
    assert!(status["profiles_total"].as_u64() > Some(2));
    let inbox = eventually("some deliveries", async || {
        let inbox = server.json("/demo/inbox?limit=30").await;
        (inbox["deliveries"].as_array().map(Vec::len) == Some(30)).then_some(inbox)
    });
    let inbox = inbox.await;
    for delivery in inbox["deliveries"].as_array().unwrap() {
        assert_eq!(delivery["signature_valid"], true, "{delivery}");
        assert_eq!(delivery["profile_id"], delivery["body"]["profileId"]);
    }
}

#[tokio::test]
async fn a_profile_is_shown_with_its_events_and_merges() {
    let server = demo(&["--rate", "0"]);
    let known = server.json("/demo/me?ids=user_id:ada").await;
    assert_eq!(known["profile"]["traits"]["name"], "Ada Lovelace");
    let merges = known["profile"]["merges"].as_array().unwrap();
    assert_eq!(merges.len(), 1, "her two devices were two profiles once");
    assert_eq!(merges[0]["parent"], known["profile"]["id"]);
    let newest = &known["events"][0];
    assert_eq!((&newest["type"], &newest["user_id"]), (&json!("identify"), &json!("ada")));

    let nobody = server.json("/demo/me?ids=anonymous_id:never").await;
    assert_eq!((&nobody["profile"], &nobody["events"]), (&Value::Null, &json!([])));

    // A value with a comma, and the device's profile before the user's.
    server.send("demo", &json!({"type": "page", "anonymousId": "a,b", "name": "Home"})).await;
    let path = "/demo/me?ids=user_id%3Aada,anonymous_id%3Aa%2Cb";
    let device = eventually("the device", async || {
        let me = server.json(path).await;
        (me["profile"]["identifiers"][0]["value"] == "a,b").then_some(me)
    });
    assert_eq!(device.await["events"][0]["event"], "Home");
    assert_eq!(server.get("/demo/me").send().await.unwrap().status(), 400);
}

/// The next event of a stream of server-sent events: its name and its data.
async fn next(stream: &mut reqwest::Response, buffer: &mut String) -> (String, Value) {
    loop {
        if let Some(end) = buffer.find("\n\n") {
            let event: String = buffer.drain(..end + 2).collect();
            let line = |name: &str| {
                event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
            };
            if let (Some(name), Some(data)) = (line("event: "), line("data: ")) {
                return (name, serde_json::from_str(&data).unwrap());
            }
            continue;
        }
        let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.unwrap().unwrap();
        buffer.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
    }
}

#[tokio::test]
async fn what_happens_to_somebody_is_told_while_it_happens() {
    let mut server = demo(&["--rate", "0"]);
    let mut stream = server.get("/demo/live?ids=anonymous_id:one").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = stream.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b":"), "a comment comes at once");

    server
        .send("demo", &json!({"type": "track", "anonymousId": "other", "event": "Not Mine"}))
        .await;
    let event = json!({"type": "track", "anonymousId": "one", "event": "Mine"});
    let began = tokio::time::Instant::now();
    server.send("demo", &event).await;
    let (mut buffer, mut told) = (String::new(), Vec::new());
    while told.len() < 2 {
        let (name, data) = next(&mut stream, &mut buffer).await;
        if name == "change" {
            assert_eq!(data["events"][0]["event"], "Mine");
            assert_eq!(data["profile"]["events_total"], 1);
            // 300 ms are promised; this machine may be busy with other tests.
            assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        } else {
            assert_eq!((name.as_str(), &data["event"]), ("inbox", &json!("Mine")));
        }
        told.push(name);
    }
    told.sort();
    assert_eq!(told, ["change", "inbox"]);
    assert!(server.interrupt(), "an open stream does not hold the server up");
    assert!(matches!(stream.chunk().await, Ok(None)));
}

#[tokio::test]
async fn a_taken_port_moves_on() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut command = program();
    command.args(["demo", "--rate", "0", "--listen", &address.to_string()]);
    let server = Server::start(command);
    let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
    assert!(port > address.port());
    assert_eq!(server.get("/readyz").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_shop_is_there_or_says_how_to_build_it() {
    let server = demo(&["--rate", "0"]);
    let answer = server.get("/demo/shop").send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let page = answer.text().await.unwrap();
    if status == 200 {
        assert_eq!(headers["cache-control"], "no-cache");
        let (_, rest) = page.split_once("src=\"/demo/assets/").unwrap();
        let name = rest.split('"').next().unwrap();
        let script = server.get(&format!("/demo/assets/{name}")).send().await.unwrap();
        assert_eq!(script.status(), 200);
        assert!(script.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        let sdk = server.get("/analytics.js/v1/demo/analytics.min.js").send().await.unwrap();
        assert_eq!(sdk.status(), 200);
    } else {
        assert!(status == 404 && page.contains("make web"), "{status} {page}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        for link in ["/demo/status", "/demo/inbox", "/demo/me?ids=user_id:ada"] {
            assert!(page.contains(link), "{page}");
            assert_eq!(server.get(link).send().await.unwrap().status(), 200, "{link}");
        }
    }
    let slash = server.get("/demo/shop/").send().await.unwrap();
    assert_eq!((slash.status(), slash.text().await.unwrap()), (status, page));
    assert_eq!(server.get("/demo/").send().await.unwrap().url().path(), "/demo/shop");
}

#[tokio::test]
async fn a_kept_folder_is_the_same_shop_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = format!("--data={}", data.display());
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut server = demo(&["--rate", "0", &data]);
        let me = server.json("/demo/me?ids=user_id:ada").await;
        ids.push((me["profile"]["id"].clone(), me["profile"]["events_total"].clone()));
        assert!(server.interrupt());
    }
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn what_cannot_be_a_demo_is_refused_in_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    drop(Server::dev(Some(folder.path())));
    let data = format!("--data={}", folder.path().display());
    let fails = |command: &mut Command, part: &str| {
        let output = command.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && errors.contains(part), "{errors}");
    };
    fails(program().args(["demo", "--listen=127.0.0.1:0", &data]), "another workspace");
    fails(program().args(["demo", "--listen=0.0.0.0:0"]), "this machine only");
    fails(program().args(["demo", "--listen=here"]), "not an address");
    fails(program().args(["demo", "--rate=many"]), "invalid value");
}
