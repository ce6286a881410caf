use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::{DEV, Server, eventually, run};

const POST: Method = Method::POST;

/// A server with a destination that began behind the first of its events, and has got the others.
async fn world(receiver: &Receiver) -> Server {
    let server = Server::start();
    let buy = |id: &str, total: u32| json!({"userId": "ada", "event": "Bought", "messageId": id, "properties": {"total": total}});
    server.send(DEV, "track", buy("m1", 10)).await;
    server.folded().await;
    let body = json!({"name": "CRM", "url": receiver.url, "events": ["track"]});
    server.done(POST, "/api/destinations", Some(body)).await;
    server.send(DEV, "identify", json!({"userId": "ada", "messageId": "m2"})).await;
    server.send(DEV, "track", buy("m3", 20)).await;
    server.send(DEV, "track", buy("m4", 30)).await;
    eventually("the deliveries", async || {
        (server.get("/api/destinations/crm").await["status"]["delivered"] == 2).then_some(())
    })
    .await;
    server
}

async fn finished(server: &Server, number: u64) -> Value {
    eventually("the end of the replay", async || {
        let shown = server.get(&format!("/api/destinations/crm/replays/{number}")).await;
        (shown["state"] == "finished").then_some(shown)
    })
    .await
}

#[tokio::test]
async fn a_period_is_looked_through_and_replayed_also_from_before_the_destination() {
    let receiver = Receiver::start().await;
    let server = world(&receiver).await;
    let base = "/api/destinations/crm/replays";
    let look = json!({"from": "1h"});
    let found = server.done(POST, &format!("{base}/preview"), Some(look)).await;
    assert_eq!((&found["matching"], &found["by_type"]), (&json!(3), &json!({"track": 3})));
    assert_eq!((&found["samples"][0]["message_id"], &found["next"]), (&json!("m1"), &Value::Null));
    let dear = json!({"from": "1h", "where": "properties.total > 15"});
    let found = server.done(POST, &format!("{base}/preview"), Some(dear.clone())).await;
    assert_eq!(found["matching"], 2, "{found}");
    assert_eq!(receiver.got().len(), 2, "looking sends nothing");

    let begun = server.done(POST, base, Some(dear)).await;
    assert_eq!(begun["number"], 1, "{begun}");
    let one = finished(&server, 1).await;
    assert_eq!((&one["delivered"], &one["percent"]), (&json!(2), &json!(100)), "{one}");
    let got = receiver.got();
    let ids = |got: &[super::receiver::Got]| -> Vec<String> {
        let id =
            |got: &super::receiver::Got| got.headers["webhook-id"].to_str().unwrap().to_owned();
        got.iter().map(id).collect()
    };
    assert_eq!(ids(&got[2..]), ids(&got[..2]), "the same keys, so a receiver can tell");
    assert_eq!(got[2].body, got[0].body, "and the same messages");

    server.done(POST, base, Some(json!({"from": "1h", "rate": 1_000}))).await;
    assert_eq!(finished(&server, 2).await["delivered"], 3, "with what was before it began");
    let status = server.get("/api/destinations/crm").await["status"].clone();
    let parts = ["delivered", "filtered", "dead", "pending"];
    let sum = |of: &Value| parts.iter().map(|part| of[part].as_u64().unwrap()).sum::<u64>();
    assert_eq!(status["accepted"], sum(&status), "{status}");
    assert_eq!((&status["accepted"], &status["replayed"]["accepted"]), (&json!(8), &json!(5)));

    let traced = server.get("/api/trace?message_id=m1").await;
    let delivery = &traced["data"][0]["deliveries"][0];
    assert_eq!(
        (&delivery["state"], &delivery["attempts"][0]["replay"]),
        (&json!("delivered"), &json!(2))
    );
    let traced = server.get("/api/trace?message_id=m3").await;
    let attempts = traced["data"][0]["deliveries"][0]["attempts"].as_array().unwrap().clone();
    let by: Vec<&Value> = attempts.iter().map(|attempt| &attempt["replay"]).collect();
    assert_eq!(by, [&Value::Null, &json!(1), &json!(2)]);

    let server = server.again();
    let all = eventually("the replays to be there again", async || {
        let (status, all) = server.ask(Method::GET, base, None).await;
        (status.is_success() && all["data"].as_array().map(Vec::len) == Some(2)).then_some(all)
    })
    .await;
    assert_eq!(
        (&all["data"][1]["delivered"], &all["data"][1]["state"]),
        (&json!(3), &json!("finished"))
    );
}

#[tokio::test]
async fn what_cannot_be_replayed_is_said() {
    let receiver = Receiver::start().await;
    let server = world(&receiver).await;
    for (body, field) in [
        (json!({"from": "yesterday"}), "from"),
        (json!({"from": "1h", "to": "2h"}), "to"),
        (json!({"from": "1h", "where": "event = "}), "where"),
        (json!({"from": "1h", "rate": 0}), "rate"),
        (json!({"from": "2100-01-01T00:00:00Z"}), "from"),
        (json!({"from": "1h", "speed": 3}), "speed"),
    ] {
        let (status, answer) = server.ask(POST, "/api/destinations/crm/replays", Some(body)).await;
        assert_eq!((status.as_u16(), &answer["error"]["field"]), (400, &json!(field)), "{answer}");
    }
    for path in ["crm/replays/7", "crm/replays/x", "crm/dead-letters?replay=7"] {
        let (status, _) = server.ask(Method::GET, &format!("/api/destinations/{path}"), None).await;
        assert_eq!(status.as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn an_operator_replays_watches_and_ends() {
    let receiver = Receiver::start().await;
    let server = world(&receiver).await;
    let url = server.url.clone();
    let told = move |arguments: &[&str]| {
        let end = ["--server", url.as_str(), "--token", DEV];
        let output = run(&[arguments, &end].concat(), &[]);
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("text"))
    };
    let told = async |arguments: &'static [&'static str]| {
        let told = told.clone();
        tokio::task::spawn_blocking(move || told(arguments)).await.expect("no panic")
    };
    let (fine, text) = told(&["replay", "--destination", "crm", "--from", "1h", "--dry-run"]).await;
    assert!(fine && text.contains("It would send 3 events (3 track)."), "{text}");
    let (fine, text) = told(&["replay", "--destination", "crm", "--from", "1h"]).await;
    assert!(
        fine && text.contains("replay 1 of crm: finished, 100 % read, 3 events: 3 delivered"),
        "{text}"
    );
    receiver.answer(500);
    let (_, text) =
        told(&["replay", "--destination", "crm", "--from", "1h", "--rate", "1", "--detach"]).await;
    assert!(text.contains("cancel-replay crm 2"), "{text}");
    let (fine, text) = told(&["destination", "cancel-replay", "crm", "2"]).await;
    assert!(fine && text.contains("replay 2 of crm: cancelled"), "{text}");
    let (fine, text) = told(&["destination", "replays", "crm"]).await;
    assert!(fine && text.contains("2 replays"), "{text}");
    let (fine, text) =
        told(&["replay", "--destination", "crm", "--from", "1h", "--where", "(("]).await;
    assert!(!fine && text.contains("`where`, line 1"), "{text}");
}
