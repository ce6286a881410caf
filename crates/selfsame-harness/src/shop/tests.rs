use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfsame_event::Time;
use serde_json::Value;

use super::deeds::DEEDS;
use super::defined::{KINDS, definitions};
use super::{Shop, Times, Visits, touched};
use crate::generate::Supply as _;

const DAY: i64 = 86_400_000_000;

fn events(shop: &Arc<Shop>, part: u64, times: &Times, count: usize) -> Vec<Value> {
    let mut visits = Visits::of(shop, part, times, (1, 100));
    let mut events = Vec::new();
    while events.len() < count {
        let request = String::from_utf8(visits[0].next().to_vec()).expect("text");
        let (head, body) = request.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("POST /v1/batch "), "{head}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        events.extend(body["batch"].as_array().expect("a batch").iter().cloned());
    }
    events
}

#[test]
fn the_same_seed_gives_the_same_events_and_no_message_id_comes_twice() {
    let past = Times::Past { from: Time::EPOCH, to: Time::from_micros(DAY), events: 3_000 };
    let of = |seed| {
        let shop = Arc::new(Shop::new(500, seed));
        let mut all = events(&shop, 0, &past, 2_000);
        all.extend(events(&shop, 1, &past, 1_000));
        all
    };
    let once = of(7);
    assert_eq!(once, of(7));
    assert_ne!(once, of(8));
    let ids: BTreeSet<_> = once.iter().map(|event| event["messageId"].to_string()).collect();
    assert_eq!(ids.len(), once.len());
}

#[test]
fn few_come_often_most_come_sometimes_and_everybody_may_come() {
    let shop = Arc::new(Shop::new(2_000, 1));
    let mut of_person: BTreeMap<String, u64> = BTreeMap::new();
    for event in events(&shop, 0, &Times::Now, 40_000) {
        let id = event["userId"]
            .as_str()
            .unwrap_or_else(|| event["anonymousId"].as_str().expect("an id"));
        *of_person.entry(id.to_owned()).or_default() += 1;
    }
    let mut counts: Vec<u64> = of_person.into_values().collect();
    counts.sort_unstable();
    let (middle, most) = (counts[counts.len() / 2], counts[counts.len() - 1]);
    assert!((1..20).contains(&middle) && most > 500, "{middle} {most}");
    let touched = shop.ages.iter().filter(|age| age.load(std::sync::atomic::Ordering::Relaxed) > 0);
    assert!(touched.count() > 1_800);
}

#[test]
fn people_are_anonymous_first_and_then_say_who_they_are_on_each_device() {
    let shop = Arc::new(Shop::new(300, 1));
    let all = events(&shop, 0, &Times::Now, 30_000);
    let mut devices: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut is_met = BTreeSet::new();
    let (mut before, mut late) = (0, 0);
    for event in &all {
        let device = event["anonymousId"].as_str().expect("a device").to_owned();
        match event["userId"].as_str() {
            Some(user) => {
                if devices.entry(user.to_owned()).or_default().insert(device.clone()) {
                    before += usize::from(is_met.contains(&device));
                    assert_eq!(event["type"], "identify", "the first that a device says of a user");
                }
            }
            None => drop(is_met.insert(device)),
        }
        let at = Time::parse(event["timestamp"].as_str().expect("a time")).expect("a time");
        late += usize::from(at.micros() < Time::parse("2020-01-01").expect("a time").micros());
    }
    assert_eq!(late, 0);
    assert!(before > 100, "{before} devices were anonymous first");
    assert!(devices.values().any(|devices| devices.len() == 3));
    assert!((150..250).contains(&devices.len()), "{} signed up", devices.len());
    assert!(all.iter().any(|event| event["type"] == "group"));
    let known = shop.customers(0, 1_000);
    assert!(known.iter().all(|person| devices.contains_key(&person.user_id())));
}

#[test]
fn the_past_lies_where_it_is_said_to_and_some_of_it_comes_late() {
    let (from, to) = (Time::from_micros(100 * DAY), Time::from_micros(200 * DAY));
    let shop = Arc::new(Shop::new(300, 1));
    let all = events(&shop, 0, &Times::Past { from, to, events: 5_000 }, 5_000);
    let times: Vec<i64> = all
        .iter()
        .map(|event| Time::parse(event["timestamp"].as_str().expect("text")).expect("a time"))
        .map(Time::micros)
        .collect();
    assert!(times.iter().all(|at| (97 * DAY..=200 * DAY).contains(at)));
    let back = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((100..400).contains(&back), "{back} came late");
}

#[test]
fn every_kind_is_there_and_events_touch_as_many_definitions_as_they_have_to() {
    let all = definitions(300);
    let traits = all.iter().filter(|one| !one.is_audience).count() as u64;
    assert_eq!((traits, all.len() as u64 - traits), (100, 200));
    assert!(traits >= KINDS.0 && 200 >= KINDS.1);
    let queries: BTreeSet<_> = all.iter().map(|one| &one.query).collect();
    assert!(queries.len() > 250, "{} are different", queries.len());
    let shop = Shop::new(10_000, 1);
    let touched = touched::count(&all, &shop, 20_000).expect("counted");
    assert!(touched.least_named >= 20, "{touched:?}");
    assert!(touched.average >= 1_500, "{touched:?}");
    // Named is what stands in the text.
    for (place, deed) in DEEDS.iter().enumerate() {
        for one in &all {
            let is_in = one.query.contains(&format!("event('{}')", deed.name));
            assert_eq!(is_in, one.uses.iter().any(|used| used.deed == place), "{}", one.query);
        }
    }
}

#[test]
fn definitions_read_only_what_is_made_before_them() {
    let mut made: BTreeSet<String> = BTreeSet::new();
    let mut read = 0;
    for one in definitions(500) {
        for part in one.query.split("trait('").skip(1) {
            let id = part.split('\'').next().expect("a key");
            if id.starts_with("aud_") || id.starts_with("trait_") {
                assert!(made.contains(id), "{} reads {id}", one.id);
                read += 1;
            }
        }
        assert!(made.insert(one.id));
    }
    assert!(read > 50, "{read}");
}
