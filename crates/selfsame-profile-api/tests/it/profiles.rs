//! Traits, identifiers, metadata, links, merges, batches, and profiles as of a time.

use axum::http::StatusCode;
use expect_test::{ExpectFile, expect_file};

use crate::world::{World, ask};

fn family() -> World {
    let mut world = World::new();
    world.send(&[
        r#"{"type":"track","event":"Viewed","anonymousId":"a1","messageId":"m1","timestamp":"2026-01-01T00:00:00Z"}"#,
        r#"{"type":"identify","userId":"U1","messageId":"m2","timestamp":"2026-02-01T00:00:00Z","traits":{"email":"Ada@X.y","score":1.50,"big":12345678901234567890123,"deep":{"a":[1,null]}}}"#,
        r#"{"type":"identify","userId":"U1","anonymousId":"a1","messageId":"m3","timestamp":"2026-03-01T00:00:00Z","traits":{"score":2,"gone":"x","city":"Ulm"}}"#,
        r#"{"type":"identify","userId":"U1","messageId":"m4","timestamp":"2026-04-01T00:00:00Z","traits":{"gone":null}}"#,
        r#"{"type":"group","userId":"U1","groupId":"g1","messageId":"m5","timestamp":"2026-05-01T00:00:00Z","traits":{"plan":"gold"}}"#,
    ]);
    world
}

fn check(actual: &str, expected: &ExpectFile) {
    expected.assert_eq(actual);
}

#[tokio::test]
async fn traits_have_segments_shape_and_keep_every_digit() {
    let world = family();
    let answer = world.get("/users/profiles/user_id:U1/traits").await;
    assert_eq!(answer.headers["x-selfsame-position"], "0-3");
    assert!(answer.text.contains(r#""big":12345678901234567890123"#));
    assert!(answer.text.contains(r#""score":2"#));
    check(&answer.pretty(), &expect_file!["shapes/traits.txt"]);
    let verbose =
        world.get("/users/profiles/user_id:U1/traits?verbose=true&include=score,city").await;
    check(&verbose.pretty(), &expect_file!["shapes/traits_verbose.txt"]);
    for class in ["audience", "computed_trait"] {
        let path = format!("/users/profiles/user_id:U1/traits?class={class}");
        assert_eq!(world.get(&path).await.json()["traits"], serde_json::json!({}));
    }
}

#[tokio::test]
async fn a_profile_is_found_by_every_identifier_and_every_id_it_ever_had() {
    let mut world = World::new();
    world.send(&[r#"{"type":"identify","anonymousId":"A","traits":{"from":"anonymous"}}"#]);
    world.send(&[r#"{"type":"identify","userId":"u","traits":{"email":"X+1@Y.z"}}"#]);
    let id =
        |answer: &crate::world::Answer| answer.json()["id"].as_str().expect("an id").to_owned();
    let ids = [
        id(&world.get("/users/profiles/anonymous_id:A").await),
        id(&world.get("/users/profiles/user_id:u").await),
    ];
    assert_ne!(ids[0], ids[1]);
    world.send(&[r#"{"type":"track","event":"Both","userId":"u","anonymousId":"A"}"#]);
    let names = [
        "anonymous_id:A",
        "ANONYMOUS_ID:A",
        "user_id:u",
        "email:x+1@y.z",
        "email:X%2B1%40Y.Z",
        "Email%3Ax%2b1@y.z",
        &ids[0],
        &ids[1],
    ];
    for name in names {
        assert_eq!(id(&world.get(&format!("/users/profiles/{name}")).await), ids[0], "{name}");
    }
    for name in ["anonymous_id:a", "user_id:U", "email:x%201@y.z", "group_id:u", "other:u"] {
        let answer = world.get(&format!("/users/profiles/{name}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{name}");
    }
    let accounts = world.get("/accounts/profiles/user_id:u").await;
    assert_eq!(accounts.status, StatusCode::NOT_FOUND);
    let merges = world.get(&format!("/users/profiles/{}/merges", ids[1])).await.json();
    assert_eq!(merges["data"][0]["into"], ids[0].as_str());
    assert_eq!(merges["data"][0]["from"], ids[1].as_str());
    assert_eq!(merges["data"][0]["merged"], true);
    assert_eq!(merges["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_path_is_decoded_once() {
    let mut world = World::new();
    let values = ["50%40", "a/b", "a:b", "a+b", "a b", "é?#&", "%"];
    for value in values {
        world.send(&[&format!(
            r#"{{"type":"identify","userId":"{value}","traits":{{"v":"{value}"}}}}"#
        )]);
    }
    for value in values {
        let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = world.get(&format!("/users/profiles/user_id:{encoded}/traits")).await;
        assert_eq!(answer.json()["traits"]["v"], value);
    }
    let plus = world.get("/users/profiles/user_id:a+b/traits").await;
    assert_eq!(plus.json()["traits"]["v"], "a+b");
}

#[tokio::test]
async fn identifiers_metadata_links_and_whole_profiles_have_their_shapes() {
    let world = family();
    let get = async |path: &str| world.get(path).await.pretty();
    check(
        &get("/users/profiles/user_id:U1/external_ids").await,
        &expect_file!["shapes/external_ids.txt"],
    );
    check(
        &get("/users/profiles/user_id:U1/metadata?verbose=true").await,
        &expect_file!["shapes/metadata.txt"],
    );
    check(&get("/users/profiles/user_id:U1/links").await, &expect_file!["shapes/links.txt"]);
    check(&get("/accounts/profiles/group_id:g1").await, &expect_file!["shapes/account.txt"]);
    let only = world.get("/users/profiles/user_id:U1/external_ids?include=EMAIL").await.json();
    assert_eq!(only["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(only["data"][0]["id"], "ada@x.y");
}

#[tokio::test]
async fn pages_put_together_are_the_whole_list() {
    let mut world = World::new();
    let traits: Vec<String> = (0..57).map(|n| format!(r#""k{n}":{n}"#)).collect();
    world.send(&[&format!(
        r#"{{"type":"identify","userId":"u","traits":{{{}}}}}"#,
        traits.join(",")
    )]);
    for n in 0..5 {
        world.send(&[&format!(
            r#"{{"type":"track","event":"E","userId":"u","anonymousId":"a{n}"}}"#
        )]);
    }
    let whole = world.get("/users/profiles/user_id:u/traits?limit=10000").await.json();
    let whole = whole["traits"].as_object().expect("traits");
    assert_eq!(whole.len(), 57);
    for limit in [1, 7, 56, 57, 58] {
        let path = format!("/users/profiles/user_id:u/traits?limit={limit}");
        let pages = world.walk(&path, "traits").await;
        let expected: Vec<_> =
            whole.iter().map(|(key, value)| serde_json::json!([key, value])).collect();
        assert_eq!(pages, expected);
    }
    let first = world.get("/users/profiles/user_id:u/traits").await.json();
    assert_eq!(first["traits"].as_object().map(serde_json::Map::len), Some(10));
    assert_eq!(first["cursor"]["next"], "k18", "the next key");
    let ids = world.walk("/users/profiles/user_id:u/external_ids", "data").await;
    assert_eq!(ids.len(), 6);
    for limit in [1, 2, 5, 6] {
        let path = format!("/users/profiles/user_id:u/external_ids?limit={limit}");
        assert_eq!(world.walk(&path, "data").await, ids);
    }
}

#[tokio::test]
async fn a_profile_as_of_a_time_is_what_had_happened_by_then() {
    let world = family();
    let at =
        async |time: &str| world.get(&format!("/users/profiles/user_id:U1?at={time}")).await.json();
    let before = at("2025-12-31").await;
    assert_eq!(before["traits"], serde_json::json!({}));
    assert_eq!(before["metadata"], serde_json::json!({}));
    assert_eq!(before["events"], 0);
    let february = at("2026-02-15").await;
    assert_eq!(february["traits"]["score"].to_string(), "1.50");
    assert_eq!(february["traits"]["city"], serde_json::Value::Null);
    assert_eq!(february["metadata"]["first_message_id"], "m1");
    assert_eq!(february["metadata"]["last_message_id"], "m2");
    assert_eq!(february["merges"], serde_json::json!([]));
    assert_eq!(february["events"], 2);
    assert_eq!(at("2026-03-15").await["traits"]["gone"], "x");
    let april = at("2026-04-15").await;
    assert_eq!(april["traits"].get("gone"), None);
    assert_eq!(april["links"], serde_json::json!([]));
    // At the end it is what it is now.
    let now = world.get("/users/profiles/user_id:U1").await.json();
    assert_eq!(at("2026-12-31").await, now);
    assert_eq!(now["links"].as_array().map(Vec::len), Some(1));
    for part in ["traits?verbose=true&", "metadata?", "links?", "events?"] {
        let path = format!("/users/profiles/user_id:U1/{part}");
        let then = world.get(&format!("{path}at=2026-12-31")).await;
        assert_eq!(then.json(), world.get(&path).await.json(), "{part}");
    }
}

#[tokio::test]
async fn a_batch_answers_in_order_and_says_what_it_did_not_find() {
    let world = family();
    let body = r#"{"ids":["email:ADA@x.y","user_id:nobody","ANONYMOUS_ID:a1"],"include":["city"]}"#;
    let answer = world.post("/users/profiles/batch", body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let data = answer.json()["data"].clone();
    assert_eq!(data[0]["requested"], "email:ADA@x.y");
    assert_eq!(data[0]["traits"], serde_json::json!({"city":"Ulm"}));
    assert_eq!(data[1], serde_json::json!({"requested":"user_id:nobody","id":null}));
    assert_eq!(data[2]["id"], data[0]["id"]);
    let many = |count| {
        let ids: Vec<String> = (0..count).map(|n| format!("user_id:{n}")).collect();
        serde_json::json!({ "ids": ids }).to_string()
    };
    assert_eq!(world.post("/users/profiles/batch", &many(100)).await.status, StatusCode::OK);
    for wrong in [many(101).as_str(), "{}", "[]", "", r#"{"ids":["x"]}"#, r#"{"ids":[],"a":1}"#] {
        let answer = world.post("/users/profiles/batch", wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn what_is_on_disk_reads_as_what_is_in_memory() {
    let mut world = family();
    let path = "/users/profiles/user_id:U1";
    let before = world.get(path).await.text;
    world.checkpoint();
    assert_eq!(world.get(path).await.text, before);
}

#[tokio::test(start_paused = true)]
async fn a_client_waits_for_its_own_write() {
    let mut world = family();
    let position =
        world.receive(&[r#"{"type":"identify","userId":"U1","traits":{"city":"Bonn"}}"#]);
    let path = "/v1/spaces/default/collections/users/profiles/user_id:U1/traits?include=city";
    let waiting = format!("{path}&wait_for={position}");
    // Nobody folds: the wait ends by itself.
    let late = ask(world.router(), "GET", &waiting, "").await;
    assert_eq!(late.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(late.headers["retry-after"], "1");
    assert_eq!(late.json()["error"]["code"], "position_not_reached");
    let asked = tokio::spawn({
        let (router, waiting) = (world.router(), waiting.clone());
        async move { ask(router, "GET", &waiting, "").await }
    });
    tokio::task::yield_now().await;
    world.fold();
    let answer = asked.await.expect("no panic");
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["traits"]["city"], "Bonn");
    assert_eq!(answer.headers["x-selfsame-position"], position.as_str());
    // The position of an answer can be waited for at once.
    assert_eq!(ask(world.router(), "GET", &waiting, "").await.status, StatusCode::OK);
}
