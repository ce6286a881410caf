//! Timelines: shapes, names, windows, orders, pages with ties.

use expect_test::expect_file;
use selfsame_event::Position;
use selfsame_log::LogRead as _;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn events_have_segments_shape() {
    let mut world = World::new();
    world.send(&[
        r#"{"type":"page","name":"Docs","userId":"u","anonymousId":"a","messageId":"m1","timestamp":"2026-01-05T00:16:35.663Z","properties":{"n":1.10}}"#,
        r#"{"type":"screen","name":"Start","userId":"u","messageId":"m2","timestamp":"2026-01-06T00:00:00Z","context":{"ip":"192.0.2.1"}}"#,
        r#"{"type":"group","groupId":"g","userId":"u","timestamp":"2026-01-07T00:00:00Z","traits":{"plan":"x"}}"#,
    ]);
    let answer = world.get("/users/profiles/user_id:u/events?sort=asc").await;
    let user = world.get("/users/profiles/user_id:u").await.json()["id"].clone();
    for event in answer.json()["data"].as_array().expect("events") {
        assert_eq!(event["related"]["users"], user);
    }
    let page = &answer.json()["data"][0];
    assert_eq!(page["properties"].to_string(), r#"{"n":1.10,"page_name":"Docs"}"#);
    let account = world.get("/accounts/profiles/group_id:g/events").await.json();
    assert_eq!(account["data"][0]["related"]["users"], user);
    assert_eq!(account["data"][0]["external_ids"][0]["type"], "group_id");
    expect_file!["shapes/events.txt"].assert_eq(&answer.pretty());
}

/// Seven hundred events, many of them of one moment: full chunks, ties and late ones.
fn busy() -> World {
    let mut world = World::new();
    for record in 0..70 {
        let events: Vec<String> = (0..10)
            .map(|item| {
                let who = if item % 3 == 0 { r#""userId":"u""# } else { r#""anonymousId":"a""# };
                let minute = (record * 7 + item) % 20;
                let name = ["Alpha", "Beta", "Gamma"][(record + item) % 3];
                format!(
                    r#"{{"type":"track","event":"{name}",{who},"messageId":"{record}::{item}","timestamp":"2026-01-01T00:{minute:02}:00Z"}}"#
                )
            })
            .collect();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        world.receive(&events);
    }
    world.send(&[r#"{"type":"identify","userId":"u","anonymousId":"a","messageId":"last","timestamp":"2026-01-02T00:00:00Z"}"#]);
    world
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["message_id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn pages_put_together_are_the_whole_timeline_ties_included() {
    let world = busy();
    let path = "/users/profiles/user_id:u/events";
    let whole = world.walk(&format!("{path}?limit=10000"), "data").await;
    assert_eq!(whole.len(), 701);
    let mut sorted = ids(&whole);
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted.len(), 701, "each once");
    let times: Vec<_> = whole.iter().map(|event| event["timestamp"].to_string()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    for limit in [1, 9, 256, 700, 701] {
        let pages = world.walk(&format!("{path}?limit={limit}"), "data").await;
        assert_eq!(ids(&pages), ids(&whole), "limit {limit}");
    }
    let mut upwards = world.walk(&format!("{path}?sort=asc&limit=33"), "data").await;
    upwards.reverse();
    assert_eq!(ids(&upwards), ids(&whole));
    let first = world.get(path).await.json();
    assert_eq!(first["data"].as_array().map(Vec::len), Some(100), "a hundred by default");
}

#[tokio::test]
async fn a_page_says_where_the_log_begins_once_it_was_trimmed() {
    let mut world = World::new();
    let event = |number: u64| {
        format!(
            r#"{{"type":"track","event":"Seen","userId":"u","messageId":"m{number}","timestamp":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let positions: Vec<String> = (0..4).map(|number| world.send(&[&event(number)])).collect();
    let path = "/users/profiles/user_id:u/events?sort=asc";
    let whole = world.get(path).await.json();
    assert_eq!(
        (ids(whole["data"].as_array().expect("events")).len(), whole.get("history_from")),
        (4, None)
    );

    let offset =
        |text: &String| text.strip_prefix("0-").expect("a position").parse().expect("a number");
    let cut = Position::embedded(offset(&positions[2]));
    let received_at = world.log.get(cut).expect("a record").time.to_string();
    world.log.trim_to(cut);
    let rest = world.get(path).await.json();
    assert_eq!(ids(rest["data"].as_array().expect("events")), ["m2", "m3"]);
    let expected = json!({ "position": positions[2], "received_at": received_at });
    assert_eq!(rest["history_from"], expected);
    // What is gone still counts, and another page says the same.
    assert_eq!(world.get("/users/profiles/user_id:u").await.json()["events"], 4);
    let page = world.get("/users/profiles/user_id:u/events?limit=1").await.json();
    assert_eq!(page["history_from"], expected);

    world.log.trim_to(world.log.end());
    let none = world.get(path).await.json();
    assert_eq!(none["data"], json!([]));
    assert_eq!(none["history_from"], json!({ "position": world.log.end().to_string() }));
}

#[tokio::test]
async fn names_and_times_choose_events() {
    let world = busy();
    let path = "/users/profiles/user_id:u/events";
    let whole = world.walk(&format!("{path}?limit=10000"), "data").await;
    let expected = |wanted: &dyn Fn(&Value) -> bool| {
        whole.iter().filter(|event| wanted(event)).cloned().collect::<Vec<_>>()
    };
    let of = |event: &Value, names: &[&str]| names.iter().any(|name| event["event"] == *name);
    let included = world.walk(&format!("{path}?include=Alpha,Gamma&limit=17"), "data").await;
    assert_eq!(included, expected(&|event| of(event, &["Alpha", "Gamma"])));
    let excluded = world.walk(&format!("{path}?exclude=Alpha&limit=40"), "data").await;
    assert_eq!(excluded, expected(&|event| !of(event, &["Alpha"])));
    let none = world.get(&format!("{path}?include=Delta")).await.json();
    assert_eq!((&none["data"], &none["cursor"]["has_more"]), (&json!([]), &json!(false)));
    let window = "start=2026-01-01T00:05:00Z&end=2026-01-01T02:07:00%2B02:00";
    let windowed = world.walk(&format!("{path}?{window}&limit=50"), "data").await;
    let is_within = |event: &Value| {
        let time = event["timestamp"].as_str().expect("a time");
        ("2026-01-01T00:05:00.000Z"..="2026-01-01T00:07:00.000Z").contains(&time)
    };
    assert_eq!(windowed, expected(&is_within));
    assert!(!windowed.is_empty() && windowed.len() < 200);
    let at = world.walk(&format!("{path}?at=2026-01-01T00:03:00Z&limit=50"), "data").await;
    let had_happened =
        |event: &Value| event["timestamp"].as_str() <= Some("2026-01-01T00:03:00.000Z");
    assert_eq!(at, expected(&had_happened));
    assert!(at.len() > 100 && at.len() < whole.len());
}
