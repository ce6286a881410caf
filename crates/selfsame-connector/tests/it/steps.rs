//! Exchanges of several requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use selfsame_deliver::{Ledger as _, MemoryLedger};
use serde_json::{Value, json};

use crate::receiver::{Receiver, ok};
use crate::world::{World, config, manifest, mapped, track};

const CRM: &str = r#"
manifest: 1
id: test
name: Test
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
actions:
  contact:
    title: Contact
    trigger: type = "track"
    fields:
      user: {type: string, required: true, default: {'@path': $.userId}}
      note: {type: string, default: {'@path': $.event}}
    steps:
      - id: search
        request: {method: GET, url: '{{ raw(settings.base) }}/contacts?user={{ payload.user }}'}
        fail: "=r.body.total > 1 ? 'several contacts match' : undefined"
      - id: create
        when: =steps.search.body.total == 0
        request: {url: '{{ raw(settings.base) }}/contacts', json: {user: =payload.user}}
      - id: note
        let:
          contact: =steps.create.body.id ?? steps.search.body.id
        request: {url: '{{ raw(settings.base) }}/contacts/{{ contact }}/notes', json: {note: =payload.note}}
"#;

async fn world(receiver: &Receiver, events: Vec<Value>) -> World {
    world_with(receiver, events, &Arc::default()).await
}

async fn world_with(receiver: &Receiver, events: Vec<Value>, journal: &Arc<MemoryLedger>) -> World {
    let mappings = [mapped(0, "contact", "type = \"track\"", Value::Null)];
    let settings = json!({"base": receiver.url()});
    World::with(config(&manifest(CRM), settings, Value::Null, &mappings), events, journal)
}

#[tokio::test]
async fn what_is_looked_up_decides_what_is_sent() {
    let receiver = Receiver::start(|got| match got.line.as_str() {
        "GET /contacts?user=ada" => ok(r#"{"total": 1, "id": "c1"}"#),
        "GET /contacts?user=two" => ok(r#"{"total": 2}"#),
        "GET /contacts?user=new" => ok(r#"{"total": 0}"#),
        "POST /contacts" => (201, "", r#"{"id": "c9"}"#.to_owned()),
        _ => ok("{}"),
    })
    .await;
    let events = ["ada", "new", "two"].map(|user| track(user, "Hi"));
    let world = world(&receiver, events.to_vec()).await;
    let status = world.done(3).await;
    assert_eq!((status.delivered, status.dead), (2, 1));
    let mut lines = receiver.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "GET /contacts?user=ada",
            "GET /contacts?user=new",
            "GET /contacts?user=two",
            "POST /contacts",
            "POST /contacts/c1/notes",
            "POST /contacts/c9/notes",
        ]
    );
    assert_eq!(world.tried(2).await, [(Some(0), "rejected", "several contacts match".to_owned())]);
}

/// The note fails twice: the contact is made once, and what was looked up is looked up again.
#[tokio::test]
async fn what_was_taken_of_an_interrupted_exchange_is_not_sent_again() {
    let notes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&notes);
    let receiver = Receiver::start(move |got| match got.line.as_str() {
        "GET /contacts?user=new" => ok(r#"{"total": 0}"#),
        "POST /contacts" => (201, "", r#"{"id": "c9"}"#.to_owned()),
        _ if count.fetch_add(1, Ordering::Relaxed) < 2 => (503, "", "busy".to_owned()),
        _ => ok("{}"),
    })
    .await;
    let world = world(&receiver, vec![track("new", "Hi")]).await;
    let status = world.done(1).await;
    assert_eq!((status.accepted, status.delivered), (1, 1));
    let count = |line: &str| receiver.lines().iter().filter(|one| *one == line).count();
    assert_eq!(count("POST /contacts"), 1);
    assert_eq!(count("POST /contacts/c9/notes"), 3);
    assert_eq!(count("GET /contacts?user=new"), 3);
    assert_eq!(world.tried(0).await[0], (Some(0), "server", "note: busy".to_owned()));
}

/// The process is gone after the contact was made, and with it all but what its journal has: the next one goes on
/// with the note. What its journal says of an exchange that has ended stands until the ledger knows of the end.
#[tokio::test]
async fn what_was_taken_is_not_sent_again_by_the_next_process() {
    let works = Arc::new(AtomicUsize::new(0));
    let is_up = Arc::clone(&works);
    let receiver = Receiver::start(move |got| match got.line.as_str() {
        "GET /contacts?user=new" => ok(r#"{"total": 0}"#),
        "POST /contacts" => (201, "", r#"{"id": "c9"}"#.to_owned()),
        _ if is_up.load(Ordering::Relaxed) == 0 => (503, "", "busy".to_owned()),
        _ => ok("{}"),
    })
    .await;
    let journal = Arc::<MemoryLedger>::default();
    let first = world_with(&receiver, vec![track("new", "Hi")], &journal).await;
    first.tried(0).await;
    let copy = || Arc::new(MemoryLedger::with(journal.records()));
    let after_the_contact = copy();
    works.store(1, Ordering::Relaxed);
    first.done(1).await;
    for journal in [after_the_contact, copy()] {
        let second = world_with(&receiver, vec![track("new", "Hi")], &journal).await;
        assert_eq!(second.done(1).await.delivered, 1);
    }
    let count = |line: &str| receiver.lines().iter().filter(|one| *one == line).count();
    assert_eq!(count("POST /contacts"), 1);
    assert!(count("POST /contacts/c9/notes") >= 4);
    // Another event of the same person is another exchange.
    let other = vec![track("new", "Hi"), track("new", "Again")];
    assert_eq!(world_with(&receiver, other, &copy()).await.done(2).await.delivered, 2);
    assert_eq!(count("POST /contacts"), 2);
    assert!(journal.read(0).is_ok_and(|page| page.records.len() == 1));
}

/// The answer to the making of the contact is lost: the next look-up finds it, so that it is not made twice.
#[tokio::test]
async fn what_may_have_been_taken_is_looked_for_first() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let receiver = Receiver::start(move |got| match got.line.as_str() {
        "GET /contacts?user=new" if count.load(Ordering::Relaxed) > 0 => {
            ok(r#"{"total": 1, "id": "c9"}"#)
        }
        "GET /contacts?user=new" => ok(r#"{"total": 0}"#),
        "POST /contacts" => {
            count.fetch_add(1, Ordering::Relaxed);
            (504, "", String::new())
        }
        _ => ok("{}"),
    })
    .await;
    let world = world(&receiver, vec![track("new", "Hi")]).await;
    let status = world.done(1).await;
    assert_eq!(status.delivered, 1);
    assert_eq!(made.load(Ordering::Relaxed), 1);
    assert!(receiver.lines().contains(&"POST /contacts/c9/notes".to_owned()));
}
