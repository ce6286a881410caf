//! Search by identifiers and traits.

use serde_json::json;

use crate::world::{Answer, World};

fn found(answer: &Answer) -> Vec<String> {
    let data = answer.json()["data"].clone();
    let users = data.as_array().expect("profiles").iter().map(|profile| {
        let ids = profile["external_ids"].as_array().expect("ids").iter();
        let user = ids.clone().find(|id| id["type"] == "user_id").or_else(|| ids.clone().next());
        user.expect("an id")["id"].as_str().expect("text").to_owned()
    });
    let mut users: Vec<_> = users.collect();
    users.sort();
    users
}

fn crowd() -> World {
    let mut world = World::new();
    for n in 0..30 {
        let (email, plan) = (n % 3, n % 2);
        world.receive(&[&format!(
            r#"{{"type":"identify","userId":"u{n:02}","traits":{{"email":"Shared{email}@x.y","plan":"p{plan}","n":{n},"on":true,"q":"\u00e9\""}}}}"#
        )]);
    }
    world.fold();
    world
}

#[tokio::test]
async fn an_identifier_is_found_whatever_its_type() {
    let mut world = World::new();
    world.send(&[
        r#"{"type":"track","event":"E","userId":"same"}"#,
        r#"{"type":"track","event":"E","anonymousId":"same"}"#,
        r#"{"type":"group","userId":"other","groupId":"same"}"#,
        r#"{"type":"identify","userId":"third","traits":{"email":"A+b@x.y"}}"#,
    ]);
    let get = async |query: &str| found(&world.get(query).await);
    assert_eq!(get("/users/search?identifier=same").await, ["same", "same"]);
    assert_eq!(get("/accounts/search?identifier=same").await, ["same"]);
    assert_eq!(get("/users/search?identifier=a%2BB@x.y").await, ["third"]);
    assert_eq!(get("/users/search?identifier=nobody").await, [""; 0]);
}

#[tokio::test]
async fn declared_and_other_traits_are_found_by_value_and_replaced_values_are_not() {
    let mut world = crowd();
    world.send(&[
        r#"{"type":"identify","userId":"u00","traits":{"email":"new@x.y","plan":"p9"}}"#,
        r#"{"type":"identify","userId":"u03","traits":{"email":null,"plan":null}}"#,
    ]);
    for on_disk in [false, true] {
        if on_disk {
            world.checkpoint();
        }
        let get = async |query: &str| {
            let answer = world.get(&format!("/users/search?{query}&limit=100")).await;
            assert_eq!(answer.json()["complete"], true, "{}", answer.text);
            found(&answer)
        };
        let shared: Vec<String> = (2..10).map(|n| format!("u{:02}", n * 3)).collect();
        assert_eq!(get("trait=email&value=Shared0@x.y").await, shared);
        assert_eq!(get("trait=email&value=new@x.y").await, ["u00"]);
        let even: Vec<String> = (1..15).map(|n| format!("u{:02}", n * 2)).collect();
        assert_eq!(get("trait=plan&value=p0").await, even);
        assert_eq!(get("trait=plan&value=p9").await, ["u00"]);
        assert_eq!(get("trait=n&value=7").await, ["u07"]);
        assert_eq!(get("trait=on&value=true").await.len(), 30);
        assert_eq!(get("trait=q&value=%C3%A9%22").await.len(), 30);
        assert_eq!(get("trait=plan&value=null").await, [""; 0]);
    }
}

#[tokio::test]
async fn pages_of_a_search_put_together_are_the_whole_and_no_profile_comes_twice() {
    let mut world = crowd();
    // A second section with the same values: the profile is still one.
    world.send(&[
        r#"{"type":"identify","anonymousId":"x","traits":{"email":"Shared1@x.y","plan":"p1"}}"#,
    ]);
    world.send(&[r#"{"type":"track","event":"E","userId":"u01","anonymousId":"x"}"#]);
    for (query, count) in [("trait=email&value=Shared1@x.y", 10), ("trait=plan&value=p1", 15)] {
        for limit in [1, 4, 100] {
            let path = format!("/users/search?{query}&limit={limit}");
            let mut ids: Vec<_> =
                world.walk(&path, "data").await.iter().map(|one| one["id"].to_string()).collect();
            assert_eq!(ids.len(), count, "{path}");
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), count, "{path}");
        }
    }
}

#[tokio::test]
async fn traits_of_accounts_are_found_among_accounts() {
    let mut world = World::new();
    world.send(&[
        r#"{"type":"group","userId":"u","groupId":"g","traits":{"plan":"gold","email":"in@fo.x"}}"#,
    ]);
    for query in ["trait=plan&value=gold", "trait=email&value=in@fo.x"] {
        let accounts = world.get(&format!("/accounts/search?{query}")).await;
        assert_eq!(found(&accounts), ["g"]);
        let users = world.get(&format!("/users/search?{query}")).await;
        assert_eq!(users.json()["data"], json!([]));
    }
}
