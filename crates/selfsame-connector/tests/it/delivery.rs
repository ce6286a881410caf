//! What becomes of events: delivered, filtered, dead, tried again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use selfsame_connector::{Fault, check, proposed};
use selfsame_deliver::{ConnectionState, Failure, PageRequest, Pause, Selection};
use serde_json::{Value, json};

use crate::receiver::{Receiver, ok};
use crate::world::{World, config, manifest, mapped, track};

pub(crate) const PLAIN: &str = r#"
manifest: 1
id: test
name: Test
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
  key: {type: password, required: true}
auth:
  bearer: {token: =settings.key}
responses:
  - {when: =r.status == 422, outcome: reject, message: '{{ r.body.why }}'}
actions:
  send:
    title: Send
    trigger: type = "track"
    fields:
      name: {type: string, required: true, default: {'@path': $.event}}
      user: {type: string, required: true, default: {'@path': $.userId}}
      only: {type: string}
    skip: =payload.only == 'nothing'
    request: {url: '{{ raw(settings.base) }}/send', json: {name: =payload.name, user: =payload.user}}
  count:
    title: Count
    fields:
      name: {type: string, required: true, default: {'@path': $.event}}
    request: {method: PUT, url: '{{ raw(settings.base) }}/count/{{ payload.name }}', json: {more: 1}}
presets:
  - {name: Sends, action: send, trigger: type = "track"}
"#;

const SECRET: &str = "key-that-nobody-sees";

fn settings(receiver: &Receiver) -> Value {
    json!({"base": receiver.url(), "key": SECRET})
}

const ALL: PageRequest = PageRequest { after: None, limit: 100 };

#[tokio::test]
async fn each_event_goes_to_the_actions_that_want_it_and_counts_for_each() {
    let receiver = Receiver::start(|_| ok("{}")).await;
    let mappings = [
        mapped(0, "send", "type = \"track\"", Value::Null),
        mapped(3, "count", "event = \"Both\"", Value::Null),
        mapped(
            4,
            "send",
            "event = \"Skipped\"",
            json!({"name": "x", "user": "y", "only": "nothing"}),
        ),
    ];
    let config = config(&manifest(PLAIN), settings(&receiver), Value::Null, &mappings);
    let page = json!({"type": "page", "userId": "c", "name": "Home"});
    let events = vec![track("a", "One"), track("b", "Both"), page, track("d", "Skipped")];
    let world = World::start(config, events);
    let status = world.done(6).await;
    // One: sent. Both: sent and counted. Page: no action. Skipped: sent, and nothing to send.
    assert_eq!((status.accepted, status.delivered, status.filtered), (6, 4, 2));
    let mut lines = receiver.lines();
    lines.sort();
    assert_eq!(lines, ["POST /send", "POST /send", "POST /send", "PUT /count/Both"]);
    let sent = receiver.got().into_iter().find(|got| got.line == "POST /send").expect("sent");
    assert_eq!(sent.headers["authorization"], format!("Bearer {SECRET}"));
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(
        world.tried(1).await,
        [(Some(0), "delivered", String::new()), (Some(3), "delivered", String::new())]
    );
    assert_eq!(world.tried(2).await, [(None, "unmatched", String::new())]);
    let skipped = (Some(4), "skipped", String::new());
    assert_eq!(world.tried(3).await[1], skipped);
}

#[tokio::test]
async fn what_is_refused_for_its_content_is_dead_at_once_and_can_be_sent_again() {
    let receiver = Receiver::start(|got| match got.json()["name"] == "Bad" {
        true => (422, "", json!({"why": format!("not {SECRET}")}).to_string()),
        false => ok(""),
    })
    .await;
    let map = |name: Value| {
        [mapped(
            0,
            "send",
            "type = \"track\"",
            json!({"name": name, "user": {"@path": "$.userId"}}),
        )]
    };
    let by_event = map(json!({"@path": "$.event"}));
    let made =
        |mappings: &[_]| config(&manifest(PLAIN), settings(&receiver), Value::Null, mappings);
    let no_user = json!({"type": "track", "event": "Nobody"});
    let world = World::start(made(&by_event), vec![track("a", "Bad"), track("a", "Good"), no_user]);
    let status = world.done(3).await;
    assert_eq!((status.delivered, status.dead, status.state), (1, 2, ConnectionState::Running));
    let letters = world.handle.dead_letters(status.id, ALL).await.expect("letters").letters;
    let causes: Vec<_> = letters.iter().map(|letter| (letter.failure, letter.status)).collect();
    assert_eq!(causes, [(Failure::Rejected, Some(422)), (Failure::Unmapped, None)]);
    let said = world.tried(0).await;
    assert_eq!(said, [(Some(0), "rejected", "not ***".to_owned())], "once, and without the secret");
    assert_eq!(world.tried(2).await[0].2, "`user` is required");

    // The mapping is mended, and what died of it is sent again.
    world.configure(made(&map(json!("Mended"))));
    let resent = world.handle.resend(status.id, Selection::Failed(Failure::Rejected)).await;
    assert_eq!(resent, Ok(1));
    let status = world.until(|status| status.dead == 1 && status.pending == 0).await;
    assert_eq!((status.accepted, status.delivered), (3, 2));
    assert_eq!(receiver.got().last().expect("a request").json()["name"], "Mended");
}

#[tokio::test]
async fn a_receiver_that_fails_gets_a_profiles_events_in_order() {
    let failures = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failures);
    let receiver = Receiver::start(move |got| {
        let fails = got.json()["name"] == "First" && count.fetch_add(1, Ordering::Relaxed) < 2;
        if fails { (500, "", "broken".to_owned()) } else { ok("") }
    })
    .await;
    let mappings = [mapped(0, "send", "type = \"track\"", Value::Null)];
    let config = config(&manifest(PLAIN), settings(&receiver), Value::Null, &mappings);
    let world = World::start(config, vec![track("a", "First"), track("a", "Second")]);
    let status = world.done(2).await;
    assert_eq!((status.delivered, status.dead), (2, 0));
    let names: Vec<_> = receiver.got().iter().map(|got| got.json()["name"].clone()).collect();
    assert_eq!(names, ["First", "First", "First", "Second"]);
    assert_eq!(world.tried(0).await[0], (Some(0), "server", "broken".to_owned()));
}

#[tokio::test]
async fn a_throttled_answer_holds_the_connection_for_as_long_as_it_says() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let receiver = Receiver::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => (429, "retry-after: 1\r\n", String::new()),
        _ => ok(""),
    })
    .await;
    let mappings = [mapped(0, "send", "type = \"track\"", Value::Null)];
    let config = config(&manifest(PLAIN), settings(&receiver), Value::Null, &mappings);
    #[expect(clippy::disallowed_methods, reason = "how long it really takes is what is tested")]
    let started = SystemTime::now();
    let world = World::start(config, vec![track("a", "One")]);
    let status = world.done(1).await;
    assert_eq!(status.delivered, 1);
    assert!(started.elapsed().expect("time goes on") >= Duration::from_secs(1));
    assert_eq!(world.tried(0).await[0].1, "throttled");
}

#[tokio::test]
async fn refused_credentials_pause_it_until_they_are_others() {
    let receiver =
        Receiver::start(|got| match got.headers["authorization"].ends_with("good-key") {
            true => ok(""),
            false => (401, "", "who are you".to_owned()),
        })
        .await;
    let mappings = [mapped(0, "send", "type = \"track\"", Value::Null)];
    let made = |key: &str| {
        let settings = json!({"base": receiver.url(), "key": key});
        config(&manifest(PLAIN), settings, Value::Null, &mappings)
    };
    let events = ["a", "b", "c", "d"].map(|user| track(user, "One"));
    let world = World::start(made("bad-key"), events.to_vec());
    let status = world.until(|status| status.pause == Some(Pause::Denied)).await;
    assert_eq!((status.delivered, status.dead, status.pending), (0, 0, 4));
    assert_eq!(status.last_failure, Some(Failure::Unauthorized));
    world.configure(made("good-key"));
    let status = world.done(4).await;
    assert_eq!((status.delivered, status.pause), (4, None));
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_with_its_place() {
    let manifest = manifest(PLAIN);
    let wrong = [
        mapped(0, "sent", "type = \"track\"", Value::Null),
        mapped(1, "send", "type = \"track", json!({"name": {"@pth": "$.event"}})),
        mapped(2, "send", "type = \"track\"", json!({"nme": "x"})),
    ];
    let error = check(&manifest, json!({"bse": "x"}), json!("t"), &wrong).expect_err("wrong");
    let places: Vec<&str> = error.0.iter().map(|fault: &Fault| fault.pointer.as_str()).collect();
    assert_eq!(
        places,
        [
            "settings",
            "auth",
            "mappings[0].action",
            "mappings[1].trigger",
            "mappings[1].mapping",
            "mappings[2].mapping"
        ]
    );
    let text = error.to_string();
    for said in ["no setting `bse`", "no action `sent`; there are `send`, `count`", "/nme"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let of_manifest = proposed(&manifest);
    assert_eq!((of_manifest[0].0.as_str(), of_manifest[0].1.action.as_str()), ("Sends", "send"));
}
