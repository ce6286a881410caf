//! Events that go together.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::receiver::{Receiver, ok};
use crate::world::{World, config, manifest, mapped, track};

pub(crate) const TOGETHER: &str = r#"
manifest: 1
id: test
name: Test
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
responses:
  - when: "=r.status == 207"
    outcome: per_item
    items: '=map(r.body.wrong, one => ({index: one, outcome: "reject", message: "bad"}))'
actions:
  send:
    title: Send
    trigger: type = "track"
    fields:
      name: {type: string, required: true, default: {'@path': $.event}}
      place: {type: string, default: a}
    skip: =payload.name == 'Skipped'
    item: '={name: payload.name}'
    request: {url: '{{ raw(settings.base) }}/one', json: =item}
    batch:
      max_events: 8
      key: [=payload.place]
      request: {url: '{{ raw(settings.base) }}/many', json: {all: =items}}
"#;

/// Events of as many people, who are called by letters.
fn of_many(names: impl IntoIterator<Item = String>) -> Vec<Value> {
    let letters = (b'A'..).map(|letter| char::from(letter).to_string());
    letters.zip(names).map(|(user, name)| track(&user, &name)).collect()
}

fn world(receiver: &Receiver, mapping: Value, events: Vec<Value>) -> World {
    let mappings = [mapped(0, "send", "type = \"track\"", mapping)];
    let settings = json!({"base": receiver.url()});
    World::start(config(&manifest(TOGETHER), settings, Value::Null, &mappings), events)
}

fn names(body: &Value) -> Vec<String> {
    let all = body["all"].as_array().expect("a list").iter();
    all.map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn they_go_in_full_batches_and_each_arrives_once() {
    let receiver = Receiver::start(|_| ok("")).await;
    let wanted: Vec<String> = (0..40).map(|number| format!("E{number}")).collect();
    let world = world(&receiver, Value::Null, of_many(wanted.clone()));
    let status = world.done(40).await;
    assert_eq!((status.accepted, status.delivered), (40, 40));
    let batches: Vec<_> = receiver.got().iter().map(|got| names(&got.json())).collect();
    assert!(batches.len() <= 8, "{} requests", batches.len());
    assert!(batches.iter().all(|batch| batch.len() <= 8), "{batches:?}");
    let mut sent = batches.concat();
    sent.sort();
    let mut wanted = wanted;
    wanted.sort();
    assert_eq!(sent, wanted);
    assert_eq!(world.tried(0).await, [(Some(0), "delivered", String::new())]);
}

#[tokio::test]
async fn a_batch_that_is_refused_is_split_until_only_the_bad_event_is_dead() {
    let receiver = Receiver::start(|got| {
        let is_bad = got.body.contains("Bad");
        if is_bad { (400, "", "no".to_owned()) } else { ok("") }
    })
    .await;
    let names = ["One", "Two", "Bad", "Four", "Five", "Six", "Seven", "Skipped"];
    let world = world(&receiver, Value::Null, of_many(names.map(str::to_owned)));
    let status = world.done(8).await;
    assert_eq!((status.delivered, status.filtered, status.dead), (6, 1, 1));
    assert_eq!(world.tried(2).await, [(Some(0), "rejected", "no".to_owned())]);
    assert_eq!(world.tried(7).await, [(Some(0), "skipped", String::new())]);
}

#[tokio::test]
async fn an_answer_may_have_an_outcome_for_each() {
    let receiver = Receiver::start(|got| {
        let all = names(&got.json());
        let wrong: Vec<usize> =
            (0..all.len()).filter(|place| all[*place].starts_with("Bad")).collect();
        (207, "", json!({ "wrong": wrong }).to_string())
    })
    .await;
    let names = ["One", "Bad1", "Skipped", "Bad2", "Five", "Six"];
    let world = world(&receiver, Value::Null, of_many(names.map(str::to_owned)));
    let status = world.done(6).await;
    assert_eq!((status.delivered, status.filtered, status.dead), (3, 1, 2));
    for bad in [1, 3] {
        assert_eq!(world.tried(bad).await, [(Some(0), "rejected", "bad".to_owned())]);
    }
}

#[tokio::test]
async fn what_differs_by_the_manifests_word_goes_apart_and_who_wants_no_batches_gets_none() {
    let receiver = Receiver::start(|_| ok("")).await;
    let by_name = json!({"name": {"@path": "$.event"}, "place": {"@path": "$.event"}});
    let events = of_many(["x", "y", "x", "y"].map(str::to_owned));
    let apart = world(&receiver, by_name, events.clone());
    apart.done(4).await;
    for got in receiver.got() {
        let here: BTreeSet<String> = match got.line.as_str() {
            "POST /many" => names(&got.json()).into_iter().collect(),
            _ => BTreeSet::new(),
        };
        assert!(here.len() <= 1, "{here:?}");
    }
    let alone = Receiver::start(|_| ok("")).await;
    let off = json!({"name": {"@path": "$.event"}, "enable_batching": false});
    world(&alone, off, events).done(4).await;
    assert_eq!(alone.lines(), ["POST /one"; 4]);
}

/// Of events that come at once some are wanted by an action that takes several, some by one that does not, and some
/// by both.
#[tokio::test]
async fn what_comes_at_once_goes_by_the_actions_that_want_it() {
    let receiver = Receiver::start(|_| ok("")).await;
    let alone = json!({"name": {"@path": "$.event"}, "enable_batching": false});
    let mappings = [
        mapped(0, "send", "event = \"Many\" or event = \"Both\"", Value::Null),
        mapped(1, "send", "event = \"One\" or event = \"Both\"", alone),
    ];
    let settings = json!({"base": receiver.url()});
    let events = of_many((0..24).map(|number| ["Many", "One", "Both"][number % 3].to_owned()));
    let config = config(&manifest(TOGETHER), settings, Value::Null, &mappings);
    let world = World::start(config, events);
    let status = world.done(32).await;
    assert_eq!((status.accepted, status.delivered), (32, 32));
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for got in receiver.got() {
        match got.line.as_str() {
            "POST /many" => many.extend(names(&got.json())),
            _ => one.push(got.json()["name"].as_str().expect("a name").to_owned()),
        }
    }
    let count = |all: &[String], name: &str| all.iter().filter(|one| *one == name).count();
    assert_eq!((count(&one, "One"), count(&many, "One")), (8, 0));
    // What is left alone goes as one.
    assert!(many.len() >= 12, "{many:?}");
    assert_eq!(count(&one, "Many") + count(&many, "Many"), 8);
    assert_eq!(count(&one, "Both") + count(&many, "Both"), 16);
}

/// Of one person the next event comes only when the one before has ended.
#[tokio::test]
async fn the_events_of_a_person_stay_in_order() {
    let receiver = Receiver::start(|_| ok("")).await;
    let events = (0..6).map(|number| track(["a", "b"][number % 2], &format!("E{number}")));
    let world = world(&receiver, Value::Null, events.collect());
    world.done(6).await;
    let mut places = Vec::new();
    for (batch, got) in receiver.got().iter().enumerate() {
        match got.line.as_str() {
            "POST /many" => places.extend(names(&got.json()).into_iter().map(|name| (batch, name))),
            _ => places.push((batch, got.json()["name"].as_str().expect("a name").to_owned())),
        }
    }
    let batch = |number: usize| {
        places.iter().find(|(_, name)| *name == format!("E{number}")).expect("sent").0
    };
    for number in 0..4 {
        assert!(batch(number) < batch(number + 2), "{places:?}");
    }
}

/// The same manifest, of a receiver that takes lists in order.
fn ordered(receiver: &Receiver, events: Vec<Value>) -> World {
    let (before, behind) = TOGETHER.split_once("responses:").expect("it has some");
    let (_, behind) = behind.split_once("actions:").expect("it has some");
    let text = format!("{before}actions:{behind}");
    let text = text.replace("max_events: 8", "max_events: 8\n      ordered: true");
    let mappings = [mapped(0, "send", "type = \"track\"", Value::Null)];
    let settings = json!({"base": receiver.url()});
    World::start(config(&manifest(&text), settings, Value::Null, &mappings), events)
}

/// Of a person the numbers of the events that were taken, in the order in which they were.
fn taken(receiver: &Receiver, person: &str, is_taken: impl Fn(usize) -> bool) -> Vec<u64> {
    let mut numbers = Vec::new();
    for (_, got) in receiver.got().iter().enumerate().filter(|(place, _)| is_taken(*place)) {
        let body = got.json();
        let all = match got.line.as_str() {
            "POST /many" => names(&body),
            _ => vec![body["name"].as_str().expect("a name").to_owned()],
        };
        let of = all.iter().filter_map(|name| name.strip_prefix(person)?.parse::<u64>().ok());
        numbers.extend(of);
    }
    numbers
}

/// So many events of each of two people, in turns.
fn of_two(count: u64) -> Vec<Value> {
    let each = (0..count).flat_map(|number| ["a", "b"].map(|person| (person, number)));
    each.map(|(person, number)| track(person, &format!("{person}{number}"))).collect()
}

#[tokio::test]
async fn several_events_of_a_person_go_at_once_where_lists_are_taken_in_order() {
    let receiver = Receiver::start(|_| ok("")).await;
    let world = ordered(&receiver, of_two(12));
    assert_eq!(world.done(24).await.delivered, 24);
    assert!(receiver.got().len() <= 8, "{:?}", receiver.lines());
    for person in ["a", "b"] {
        assert_eq!(taken(&receiver, person, |_| true), (0..12).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_list_that_is_refused_is_split_in_order() {
    let receiver = Receiver::start(|got| {
        let is_bad = got.body.contains("a3");
        if is_bad { (400, "", "no".to_owned()) } else { ok("") }
    })
    .await;
    let world = ordered(&receiver, of_two(6));
    let status = world.done(12).await;
    assert_eq!((status.delivered, status.dead), (11, 1));
    let good: Vec<bool> = receiver.got().iter().map(|got| !got.body.contains("a3")).collect();
    assert_eq!(taken(&receiver, "a", |place| good[place]), [0, 1, 2, 4, 5]);
    assert_eq!(taken(&receiver, "b", |place| good[place]), (0..6).collect::<Vec<_>>());
}

/// Half of all requests fail, whole or in parts: what is taken is in order, and each once.
#[tokio::test]
async fn nothing_of_a_list_goes_before_what_has_to_be_tried_again() {
    let answers = std::sync::Mutex::new(Vec::new());
    let answers = std::sync::Arc::new(answers);
    let said = std::sync::Arc::clone(&answers);
    let receiver = Receiver::start(move |_| {
        let mut said = said.lock().expect("no test panics here");
        // Refused as a whole, failing, good: in turns that fit no batch.
        let status = [503, 413, 200, 200, 503, 200, 413][said.len() % 7];
        said.push(status);
        match status {
            200 => ok(""),
            status => (status, "", "no".to_owned()),
        }
    })
    .await;
    let world = ordered(&receiver, of_two(20));
    world.done(40).await;
    let said = answers.lock().expect("no test panics here").clone();
    for person in ["a", "b"] {
        let taken = taken(&receiver, person, |place| said[place] == 200);
        assert!(taken.is_sorted_by(|one, next| one < next), "{person}: {taken:?}");
    }
}
