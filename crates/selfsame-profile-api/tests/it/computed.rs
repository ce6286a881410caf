//! Computed traits and audiences among the traits of a profile.

use axum::http::StatusCode;
use expect_test::expect_file;
use selfsame_pipeline::workspace::DefinitionKind::{Audience, ComputedTrait};
use serde_json::json;

use crate::world::World;

const ADA: &str = "/users/profiles/user_id:ada/traits";

fn world() -> World {
    let mut world = World::new();
    world.send(&[
        r#"{"type":"identify","userId":"ada","messageId":"m1","timestamp":"2026-01-01T00:00:00Z","traits":{"spent":"said","plan":"gold","vip":"said"}}"#,
        r#"{"type":"track","event":"Bought","userId":"ada","messageId":"m2","timestamp":"2026-02-01T00:00:00Z","properties":{"price":12.50}}"#,
        r#"{"type":"track","event":"Bought","userId":"ada","messageId":"m3","timestamp":"2026-03-01T00:00:00Z","properties":{"price":7}}"#,
        r#"{"type":"identify","userId":"bob","messageId":"m4","timestamp":"2026-04-01T00:00:00Z","traits":{"vip":"said"}}"#,
    ]);
    world.define("spent", ComputedTrait, "event('Bought').sum(property('price'))");
    world.define("bought", ComputedTrait, "event('Bought').count()");
    world.define("vip", Audience, "trait('spent') > 15 AND event('Returned').count() = 0");
    world
}

#[tokio::test]
async fn what_definitions_come_to_is_among_the_traits() {
    let world = world();
    let all = world.get(ADA).await;
    expect_file!["shapes/traits_computed.txt"].assert_eq(&all.pretty());
    let verbose = world.get(&format!("{ADA}?verbose=true")).await;
    expect_file!["shapes/traits_computed_verbose.txt"].assert_eq(&verbose.pretty());
}

#[tokio::test]
async fn a_class_chooses_among_them() {
    let world = world();
    let of = async |user: &str, class: &str| {
        let path = format!("/users/profiles/user_id:{user}/traits?class={class}");
        world.get(&path).await.json()["traits"].clone()
    };
    assert_eq!(of("ada", "audience").await, json!({ "vip": true }));
    assert_eq!(of("ada", "computed_trait").await, json!({ "bought": 2, "spent": 19.5 }));
    assert_eq!(of("ada", "custom").await, json!({ "plan": "gold" }), "what is computed wins");
    assert_eq!(of("bob", "audience").await, json!({}), "absent before entry");
    assert_eq!(of("bob", "computed_trait").await, json!({ "bought": 0 }), "no sum of nothing");
    assert_eq!(of("bob", "custom").await, json!({}), "even where there is nothing");
    let wrong = world.get(&format!("{ADA}?class=none")).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_event_moves_a_person_in_and_out() {
    let mut world = world();
    let vip = async |world: &World, user: &str| {
        let path = format!("/users/profiles/user_id:{user}/traits?include=vip");
        world.get(&path).await.json()["traits"].clone()
    };
    world.send(&[r#"{"type":"track","event":"Returned","userId":"ada"}"#]);
    assert_eq!(vip(&world, "ada").await, json!({ "vip": false }), "false after exit");
    world.send(&[r#"{"type":"track","event":"Bought","userId":"bob","properties":{"price":99}}"#]);
    assert_eq!(vip(&world, "bob").await, json!({ "vip": true }));
}

#[tokio::test]
async fn pages_go_through_all_classes_in_one_order() {
    let world = world();
    let all = world.get(ADA).await.json()["traits"].clone();
    let pages = world.walk(&format!("{ADA}?limit=1"), "traits").await;
    let expected = all.as_object().expect("an object").iter();
    assert_eq!(pages, expected.map(|(key, value)| json!([key, value])).collect::<Vec<_>>());
    assert_eq!(pages.len(), 4);
}

#[tokio::test]
async fn the_past_has_custom_traits_only() {
    let world = world();
    let then = world.get(&format!("{ADA}?at=2026-02-15")).await.json();
    assert_eq!(then["traits"], json!({ "spent": "said", "plan": "gold", "vip": "said" }));
    let refused = world.get(&format!("{ADA}?at=2026-02-15&class=audience")).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text.contains("custom traits only"), "{}", refused.text);
}

#[tokio::test]
async fn whole_profiles_and_batches_have_them_too() {
    let world = world();
    let profile = world.get("/users/profiles/user_id:ada?verbose=true").await.json();
    assert_eq!(profile["traits"]["vip"]["value"], true);
    assert_eq!(profile["traits"]["vip"]["class"], "audience");
    let body = r#"{"ids":["user_id:ada","user_id:bob"],"include":["vip","spent"]}"#;
    let data = world.post("/users/profiles/batch", body).await.json()["data"].clone();
    assert_eq!(data[0]["traits"], json!({ "spent": 19.5, "vip": true }));
    assert_eq!(data[1]["traits"], json!({}));
}
