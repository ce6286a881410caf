//! What became of everything: the sums, and two destinations side by side.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::{DEV, Server, eventually, run};

const POST: Method = Method::POST;

/// A server with a destination that began behind the first of its events, and another one that refuses all
/// and wants tracks only.
async fn world(receivers: &[Receiver; 2]) -> Server {
    let server = Server::start();
    let buy = |id: &str, total: u32| json!({"userId": "ada", "event": "Bought", "messageId": id, "properties": {"total": total}});
    let refusing = json!({"name": "Ads", "url": receivers[1].url, "events": ["track"]});
    server.done(POST, "/api/destinations", Some(refusing)).await;
    server.send(DEV, "track", buy("m1", 10)).await;
    server.folded().await;
    let crm = json!({"name": "CRM", "url": receivers[0].url});
    server.done(POST, "/api/destinations", Some(crm)).await;
    server.send(DEV, "identify", json!({"userId": "ada", "messageId": "m2"})).await;
    server.send(DEV, "track", buy("m3", 20)).await;
    server.send(DEV, "track", buy("m4", 30)).await;
    // There before; there before with other content; without anybody.
    server.send(DEV, "track", buy("m3", 20)).await;
    server.send(DEV, "track", buy("m4", 31)).await;
    server.send(DEV, "track", json!({"event": "Bought", "messageId": "m5"})).await;
    server.folded().await;
    server
}

async fn receivers() -> [Receiver; 2] {
    let both = [Receiver::start().await, Receiver::start().await];
    both[1].answer(503);
    both
}

/// The accounting, once the destinations have done what they can.
async fn settled(server: &Server) -> Value {
    eventually("an end of deliveries", async || {
        let all = server.get("/api/spaces/dev/accounting").await;
        let of = |id: &str, term: &str| {
            let mut all = all["destinations"].as_array().expect("a list").iter();
            all.find(|one| one["destination"] == id).map(|one| one[term].clone())
        };
        let is_done = of("crm", "delivered") == Some(json!(3))
            && of("ads", "filtered") == Some(json!(1))
            && server.get("/api/destinations/ads").await["status"]["last_failure"].is_string();
        is_done.then_some(all)
    })
    .await
}

#[tokio::test]
async fn what_came_and_what_each_destination_made_of_it_adds_up_wherever_it_is_shown() {
    let receivers = receivers().await;
    let server = world(&receivers).await;
    let all = settled(&server).await;
    assert_eq!(all["adds_up"], true, "{all:#}");
    let received = json!({"received": 7, "accepted": 4, "duplicates": 1, "changed": 1, "rejected": 1,
        "unattached": 0, "calls": 0, "adds_up": true});
    assert_eq!(all["received"], received, "{all:#}");
    let [ads, crm] = all["destinations"].as_array().expect("a list").as_slice() else {
        panic!("{all:#}")
    };
    assert_eq!(
        *crm,
        json!({"destination": "crm", "name": "CRM", "offered": 4, "before": 1, "actions": 0, "replayed": 0,
            "accepted": 3, "delivered": 3, "filtered": 0, "filtered_by": {}, "pending": 0, "dead": 0,
            "adds_up": true})
    );
    assert_eq!((&ads["accepted"], &ads["pending"]), (&json!(4), &json!(3)));
    assert_eq!(ads["filtered_by"], json!({"type": 1}));

    let metrics = server.request(Method::GET, "/metrics").send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    let gauges = |name: &str, label: &str| -> Vec<u64> {
        let lines = metrics.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        let lines = lines.filter(|line| line.contains(label));
        let value = |line: &str| line.rsplit_once(' ').expect("a value").1.parse();
        lines.map(|line| value(line).expect("a number")).collect()
    };
    let term = |term: &str| -> u64 {
        gauges("selfsame_accounting_units", &format!("term=\"{term}\"")).iter().sum()
    };
    let ended: u64 = ["delivered", "filtered", "pending", "dead"].map(term).iter().sum();
    assert_eq!((term("accepted"), term("delivered"), term("pending"), ended), (7, 3, 3, 7));
    let filtered: u64 = gauges("selfsame_accounting_filtered_units", "reason=").iter().sum();
    assert_eq!(filtered, term("filtered"));
    assert_eq!(gauges("selfsame_accounting_error", ""), [0, 0]);

    let told = run(&["destination", "accounting", "--server", &server.url, "--token", DEV], &[]);
    assert!(told.status.success());
    let text = String::from_utf8(told.stdout).expect("text");
    for said in [
        "           7 events received",
        "           1 were there before",
        "crm: 3 accepted = 3 delivered + 0 filtered + 0 pending + 0 dead",
        "  accepted: 4 offered - 1 before it began",
        "ads: 4 accepted = 0 delivered + 1 filtered + 3 pending + 0 dead",
        "  filtered: 1 type",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
}

#[tokio::test]
async fn two_destinations_are_compared_event_by_event_in_parts() {
    let receivers = receivers().await;
    let server = world(&receivers).await;
    settled(&server).await;
    let path = "/api/spaces/dev/reconcile";
    let wish = json!({"first": "crm", "second": "ads", "from": "1h"});
    let said = server.done(POST, path, Some(wish.clone())).await;
    assert_eq!(
        (&said["compared"], &said["differing"], &said["next"]),
        (&json!(4), &json!(4), &Value::Null)
    );
    assert_eq!(said["first"]["events"], json!({"before": 1, "delivered": 3}), "{said:#}");
    assert_eq!(said["second"]["events"], json!({"filtered": 1, "pending": 3}), "{said:#}");
    let rows: Vec<_> = said["data"].as_array().expect("rows").iter().collect();
    let ids: Vec<_> = rows.iter().map(|row| row["message_id"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["m1", "m2", "m3", "m4"]);
    let unit = |outcome: &str, reason: Option<&str>, derived: bool| json!([{"action": null, "outcome": outcome, "reason": reason, "derived": derived}]);
    assert_eq!(rows[1]["second"]["units"], unit("filtered", Some("type"), true));
    assert_eq!(rows[2]["first"]["units"], unit("delivered", None, false));

    // The same in parts of one event that differs, and only counted.
    let (mut part, mut parts) = (wish.clone(), Vec::new());
    loop {
        part["limit"] = json!(1);
        let said = server.done(POST, path, Some(part.clone())).await;
        parts.extend(said["data"].as_array().expect("rows").clone());
        if said["next"].is_null() {
            break;
        }
        part["next"] = said["next"].clone();
    }
    assert_eq!(Value::from(parts), said["data"]);
    let counted = json!({"first": "crm", "second": "ads", "from": "1h", "limit": 0, "where": "properties.total > 15"});
    let said = server.done(POST, path, Some(counted)).await;
    assert_eq!(
        (&said["compared"], &said["differing"], &said["data"]),
        (&json!(2), &json!(2), &json!([]))
    );

    // What a replay brought is there, too.
    let replay = json!({"from": "1h", "where": "properties.total = 10"});
    server.done(POST, "/api/destinations/crm/replays", Some(replay)).await;
    let said = eventually("the replay", async || {
        let said = server.done(POST, path, Some(wish.clone())).await;
        (said["first"]["events"]["replayed"] == 1).then_some(said)
    })
    .await;
    assert_eq!(said["first"]["units"], json!({"before": 1, "delivered": 3}), "{said:#}");
    assert_eq!(
        (&said["first"]["replays"], &said["data"][0]["first"]["replayed"]),
        (&json!(1), &json!("delivered"))
    );

    // It is recorded, so it is the same behind a kill.
    let server = server.again();
    let again = eventually("the same behind a kill", async || {
        let (status, again) = server.ask(POST, path, Some(wish.clone())).await;
        (status.is_success() && again["first"] == said["first"]).then_some(again)
    })
    .await;
    assert_eq!((&again["second"], &again["data"]), (&said["second"], &said["data"]));

    let told = run(
        &["reconcile", "crm", "ads", "--from", "1h", "--server", &server.url, "--token", DEV],
        &[],
    );
    assert!(!told.status.success(), "they differ");
    let text = String::from_utf8(told.stdout).expect("text");
    for said in [
        "4 events and calls from ",
        ", 4 differ",
        "  ads: filtered (type), derived",
        "  crm: before, replayed: delivered",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
}

#[tokio::test]
async fn what_cannot_be_compared_is_said() {
    let receivers = receivers().await;
    let server = world(&receivers).await;
    for (change, status, field) in [
        (json!({"second": "crm"}), StatusCode::BAD_REQUEST, json!("second")),
        (json!({"second": "nobody"}), StatusCode::NOT_FOUND, Value::Null),
        (json!({"from": "yesterday"}), StatusCode::BAD_REQUEST, json!("from")),
        (json!({"where": "event = "}), StatusCode::BAD_REQUEST, json!("where")),
        (json!({"next": "0-1"}), StatusCode::BAD_REQUEST, json!("next")),
        (json!({"limit": 1_001}), StatusCode::BAD_REQUEST, json!("limit")),
    ] {
        let mut wish = json!({"first": "crm", "second": "ads", "from": "1h"});
        for (name, value) in change.as_object().expect("an object") {
            wish[name] = value.clone();
        }
        let (got, answer) = server.ask(POST, "/api/spaces/dev/reconcile", Some(wish)).await;
        assert_eq!((got, &answer["error"]["field"]), (status, &field), "{answer}");
    }
}
