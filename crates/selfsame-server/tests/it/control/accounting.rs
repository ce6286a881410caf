//! What became of everything: the sums.

use reqwest::Method;
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
