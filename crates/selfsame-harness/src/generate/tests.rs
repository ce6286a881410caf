use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Mix, Numbers, Requests, Supply as _, is_known, user_id, uuid};

/// The route and the JSON of a request, whose length must be the one it states.
fn parts(request: &[u8]) -> (String, Value) {
    let text = std::str::from_utf8(request).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let stated = head.rsplit_once("Content-Length: ").expect("a length").1;
    assert_eq!(stated.parse::<usize>().expect("a number"), body.len());
    assert!(head.contains("Authorization: Basic ZGV2Og=="), "{head}");
    let route = head.split(' ').nth(1).expect("a path").to_owned();
    (route, serde_json::from_str(body).expect("valid JSON"))
}

fn check(event: &Value, ids: &mut BTreeSet<String>, counts: &mut BTreeMap<String, u64>) {
    let id = event["messageId"].as_str().expect("a message id");
    assert!(ids.insert(id.to_owned()), "{id} was used before");
    let kind = event["type"].as_str().expect("a type");
    *counts.entry(kind.to_owned()).or_default() += 1;
    assert_eq!(event["anonymousId"].as_str().expect("an anonymous id").len(), 36);
    if let Some(user) = event.get("userId") {
        let profile = user.as_str().and_then(|u| u.strip_prefix("user-")?.parse().ok());
        let profile: u64 = profile.expect("a number");
        assert!(profile < 1_000 && is_known(profile));
        assert_eq!(user.as_str().expect("a user id"), user_id(profile));
    }
    let size = event.to_string().len();
    assert!((430..600).contains(&size), "{size} bytes: {event}");
}

#[test]
fn events_are_valid_json_of_the_promised_size_and_never_share_an_id() {
    let (mut ids, mut counts) = (BTreeSet::new(), BTreeMap::new());
    let numbers = Arc::new(Numbers::default());
    for connection in 0..3 {
        let mix = Mix { profiles: 1_000, batch: 100, seed: 5 };
        let mut requests = Requests::new(&mix, &numbers, connection);
        for _ in 0..20 {
            let (route, body) = parts(requests.next());
            assert_eq!(route, "/v1/batch");
            let batch = body["batch"].as_array().expect("a batch");
            assert_eq!(batch.len(), 100);
            batch.iter().for_each(|event| check(event, &mut ids, &mut counts));
        }
        let mut requests = Requests::new(&Mix { batch: 1, ..mix }, &numbers, connection);
        for _ in 0..500 {
            let (route, event) = parts(requests.next());
            assert_eq!(route, format!("/v1/{}", event["type"].as_str().expect("a type")));
            check(&event, &mut ids, &mut counts);
        }
    }
    assert_eq!(ids.len(), 7_500);
    let share = |kind: &str| counts[kind] * 100 / 7_500;
    assert!(share("page").abs_diff(30) <= 2 && share("track").abs_diff(69) <= 2, "{counts:?}");
    assert!((30..150).contains(&counts["identify"]), "{counts:?}");
}

#[test]
fn one_seed_draws_one_run() {
    let mix = Mix { profiles: 10, batch: 1, seed: 9 };
    let drawn = |index| {
        let mut requests = Requests::new(&mix, &Arc::default(), index);
        let (_, event) = parts(requests.next());
        (event["anonymousId"].clone(), event["type"].clone(), event.get("properties").cloned())
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn a_uuid_keeps_its_number() {
    let text = |number| {
        let mut out = Vec::new();
        uuid(&mut out, 3, number);
        String::from_utf8(out).expect("text")
    };
    let one = text(0x00AB_CDEF);
    assert_eq!(one.len(), 36);
    assert!(one.ends_with("-8000-000000abcdef"), "{one}");
    assert_eq!(one.as_bytes()[14], b'4');
    assert_ne!(text(1), text(2));
}
