//! Destinations that are told of computed traits and audiences, as their users see it.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::definitions::{AT, live, order, world};
use super::receiver::Receiver;
use super::server::{DEV, Server, eventually, run};

/// What the receiver was told, by idempotency key: whom, and what.
fn told(receiver: &Receiver) -> BTreeMap<String, (String, String)> {
    let said = |body: &str| {
        let body: Value = serde_json::from_str(body).expect("JSON");
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (text("userId"), text("event"))
    };
    let got = receiver.got();
    got.iter()
        .map(|got| (got.headers["webhook-id"].to_str().expect("text").to_owned(), said(&got.body)))
        .collect()
}

async fn until_told(receiver: &Receiver, count: usize) -> Vec<(String, String)> {
    let all = eventually("messages", async || {
        let told = told(receiver);
        (told.len() >= count).then_some(told)
    })
    .await;
    assert_eq!(all.len(), count, "{all:?}");
    let mut all: Vec<_> = all.into_values().collect();
    all.sort();
    all
}

async fn regular(server: &Server, destinations: Value) {
    let query = "event('Order Completed').count() >= 3 AND event('Refund').count() = 0";
    let body = json!({ "kind": "audience", "query": query, "destinations": destinations });
    server.done(Method::PUT, &format!("{AT}/regular"), Some(body)).await;
    live(server, "regular").await;
}

fn entered(user: &str) -> (String, String) {
    (user.to_owned(), "Audience Entered".to_owned())
}

#[tokio::test]
async fn a_destination_hears_who_is_in_and_who_comes_and_goes_through_a_kill() {
    let (server, receiver) = (world().await, Receiver::start().await);
    regular(&server, json!([])).await;
    let body = json!({ "name": "crm", "url": receiver.url, "events": ["alias"] });
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    regular(&server, json!([{ "destination": "crm", "send": "track" }])).await;
    let said = until_told(&receiver, 3).await;
    assert_eq!(said, [entered("u3"), entered("u4"), entered("u5")], "connected later");
    order(&server, "u2", 1.0).await;
    until_told(&receiver, 4).await;

    let server = server.again();
    let refund = json!({ "userId": "u5", "event": "Refund", "messageId": "refund-1" });
    assert_eq!(server.send(DEV, "track", refund).await, StatusCode::OK);
    let said = until_told(&receiver, 5).await;
    assert!(said.contains(&("u5".to_owned(), "Audience Exited".to_owned())), "{said:?}");

    let traced = eventually("the delivery", async || {
        let trace = server.get("/api/trace?message_id=refund-1").await;
        let delivery = &trace["data"][0]["changes"][0]["calls"][0]["deliveries"][0];
        (delivery["state"] == "delivered").then(|| trace.clone())
    })
    .await;
    assert_eq!(traced["data"][0]["changes"][0]["change"], "exited");
    let output = run(&["trace", "refund-1", "--server", &server.url, "--token", DEV], &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("changed    regular exited"), "{text}");
    assert!(text.contains("to crm  delivered"), "{text}");

    // Taken off the definition, it hears no more.
    regular(&server, json!([])).await;
    let refund = json!({ "userId": "u4", "event": "Refund" });
    assert_eq!(server.send(DEV, "track", refund).await, StatusCode::OK);
    server.folded().await;
    let status = eventually("an end", async || {
        let status = server.get("/api/destinations/crm").await["status"].clone();
        (status["pending"] == 0).then_some(status)
    })
    .await;
    // What was taken right before the kill is not known to be, and may be replaced before it is sent again.
    let count = |name: &str| status[name].as_u64().expect("a number");
    assert_eq!((count("delivered") + count("superseded"), count("dead")), (5, 0), "{status}");
    assert_eq!(told(&receiver).len(), 5);
}
