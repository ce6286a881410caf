use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn told(seed: u64, count: usize) -> Vec<Value> {
    let mut story = Story::new(seed);
    (0..count).map(|_| story.next(Time::EPOCH)).collect()
}

#[test]
fn the_same_seed_tells_the_same_story() {
    assert_eq!(told(7, 200), told(7, 200));
    assert_ne!(told(7, 200), told(8, 200));
}

#[test]
fn every_event_is_one_that_the_collector_accepts() {
    for event in told(1, 2_000) {
        let text = event.to_string();
        let head = selfsame_event::EventsHead::default();
        assert!(head.event(text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn a_device_is_only_ever_one_customers() {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let (mut kinds, mut unnamed) = (BTreeSet::new(), 0);
    for event in told(3, 20_000) {
        let text = |key: &str| event[key].as_str().map(str::to_owned);
        kinds.insert(text("event").or_else(|| text("type")).unwrap());
        match text("userId") {
            Some(user) => _ = users.entry(text("anonymousId").unwrap()).or_default().insert(user),
            None => unnamed += 1,
        }
    }
    assert!(users.values().all(|users| users.len() == 1));
    assert!(unnamed > 5_000, "most look around before they sign in");
    for kind in ["page", "identify", "group", "Product Added", "Order Completed"] {
        assert!(kinds.contains(kind), "{kind}");
    }
}

#[test]
fn those_who_are_always_there_have_bought_something() {
    let events = Story::new(1).beginning(Time::EPOCH);
    let bought = |user: &str| {
        events.iter().any(|event| event["userId"] == user && event["event"] == "Order Completed")
    };
    assert!(KNOWN.iter().all(|(user, ..)| bought(user)));
}
