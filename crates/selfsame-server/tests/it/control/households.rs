//! Households, asked over HTTP and by the command line.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{DEV, Server, run};

const HOUSEHOLDS: &str = "/api/spaces/dev/identity/households";

async fn set_rules(server: &Server, households: &Value) -> (StatusCode, Value) {
    let path = "/api/spaces/dev/rules";
    let mut rules = server.get(path).await;
    rules["households"] = households.clone();
    server.ask(Method::PUT, path, Some(rules)).await
}

async fn send(server: &Server, id: &str, user: &str, traits: Value) {
    let event = json!({ "userId": user, "messageId": id, "traits": traits });
    assert!(server.send(DEV, "identify", event).await.is_success());
    server.folded().await;
}

async fn world() -> Server {
    let server = Server::start();
    let (status, set) = set_rules(&server, &json!({ "address": true, "card": "cardHash" })).await;
    assert_eq!((status, &set["households"]["card"]), (StatusCode::OK, &json!("cardHash")));
    let house = |street: &str| json!({ "street": street, "postalCode": "62701", "country": "US" });
    send(&server, "m1", "ada", json!({ "address": house("12 Main Street"), "lastName": "Hill" }))
        .await;
    send(&server, "m2", "bob", json!({ "address": house("12 MAIN ST.") })).await;
    send(&server, "m3", "bob", json!({ "name": "Bob Hill" })).await;
    send(&server, "m4", "eve", json!({ "address": house("12 Main Street"), "lastName": "Dale" }))
        .await;
    server
}

#[tokio::test]
async fn members_come_with_what_they_say_and_which_events_said_it() {
    let server = world().await;
    let answer = server.get(&format!("{HOUSEHOLDS}?of=user_id:ada")).await;
    let [address, card] = answer["data"].as_array().expect("rules").as_slice() else {
        panic!("{answer}")
    };
    assert_eq!(
        (&address["rule"], &address["state"], &address["events_before"]),
        (&json!("address"), &json!("household"), &json!(0))
    );
    assert_eq!(
        (&card["rule"], &card["state"], &card["id"]),
        (&json!("card"), &json!("no_card"), &Value::Null)
    );
    let members = address["members"].as_array().expect("members");
    let bob = members.iter().find(|one| one["profile_id"] != answer["profile_id"]).expect("Bob");
    assert_eq!(members.len(), 2, "{answer}");
    assert_eq!(bob["identifiers"], json!([{ "type": "user_id", "value": "bob" }]));
    let said: Vec<_> = bob["traits"]
        .as_array()
        .expect("traits")
        .iter()
        .map(|said| (said["name"].clone(), said["message_id"].clone(), said["source"].clone()))
        .collect();
    let expected = [("address", "m2"), ("name", "m3")];
    assert_eq!(said, expected.map(|(name, id)| (json!(name), json!(id), json!("dev"))));
    assert_eq!(bob["since"], bob["traits"][1]["timestamp"]);

    let id = address["id"].as_str().expect("an id");
    let by_id = server.get(&format!("{HOUSEHOLDS}?of={id}")).await;
    assert_eq!(
        (&by_id["profile_id"], &by_id["data"][0]["members"]),
        (&Value::Null, &address["members"])
    );
    let eve = server.get(&format!("{HOUSEHOLDS}?of=user_id:eve")).await;
    assert_eq!(
        (&eve["data"][0]["state"], &eve["data"][0]["members"]),
        (&json!("alone"), &json!([]))
    );
    assert_ne!(eve["data"][0]["id"], address["id"]);
    assert_eq!(server.get("/api/spaces/dev/identity/health").await["merges"], 0);
}

#[tokio::test]
async fn the_profile_api_lists_a_household_among_the_links_of_a_user() {
    let server = world().await;
    let path = "/v1/spaces/dev/collections/users/profiles/user_id:ada";
    let household = server.get(&format!("{HOUSEHOLDS}?of=user_id:ada")).await;
    let links = server.get(&format!("{path}/links")).await;
    let link = &links["data"][0];
    assert_eq!(link["to_collection"], "accounts", "{links}");
    let id = &link["external_ids"][0];
    assert_eq!((&id["type"], &id["collection"]), (&json!("household_id"), &json!("accounts")));
    assert_eq!(id["id"], household["data"][0]["id"]);
    assert_eq!(server.get(path).await["links"], links["data"]);
    let alone = "/v1/spaces/dev/collections/users/profiles/user_id:eve/links";
    assert_eq!(server.get(alone).await["data"], json!([]));
    let (status, rules) = set_rules(&server, &json!({ "address": false })).await;
    assert_eq!((status, rules.get("households")), (StatusCode::OK, None));
    assert_eq!(server.get(&format!("{path}/links")).await["data"], json!([]));
    assert_eq!(server.get(&format!("{HOUSEHOLDS}?of=user_id:ada")).await["data"], json!([]));
}

#[tokio::test]
async fn a_question_or_rule_that_is_wrong_says_so() {
    let server = Server::start();
    let (status, answer) = set_rules(&server, &json!({ "card": "" })).await;
    assert_eq!(
        (status, &answer["error"]["field"]),
        (StatusCode::BAD_REQUEST, &json!("households.card")),
        "{answer}"
    );
    let unseen = format!("household:{}", "0".repeat(32));
    for (of, expected) in [
        ("ada", StatusCode::BAD_REQUEST),
        ("household:12", StatusCode::BAD_REQUEST),
        ("user_id:nobody", StatusCode::NOT_FOUND),
        (unseen.as_str(), StatusCode::NOT_FOUND),
    ] {
        let (status, answer) =
            server.ask(Method::GET, &format!("{HOUSEHOLDS}?of={of}"), None).await;
        assert_eq!(status, expected, "{of}: {answer}");
    }
}

#[tokio::test]
async fn the_command_line_shows_households() {
    let server = world().await;
    let ask = |of: &str, more: &[&str]| {
        let arguments = ["identity", "household", of, "--server", &server.url, "--token", DEV];
        run(&[&arguments, more].concat(), &[])
    };
    let output = ask("user_id:bob", &[]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{text}");
    assert!(text.contains("by address and family name: household:"), "{text}");
    assert!(text.contains("lastName \"Hill\"") && text.contains("name \"Bob Hill\""), "{text}");
    assert!(!text.contains("eve"), "{text}");
    let json = ask("user_id:bob", &["--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["data"][0]["members"].as_array().map(Vec::len), Some(2));
    assert!(!ask("user_id:nobody", &[]).status.success());
    assert!(!ask("bob", &[]).status.success());
}
