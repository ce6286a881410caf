//! Connections whose requests a program asks for.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use selfsame_connector::{Answering, Ask, Connector, Journal, Program, Running, Stopped};
use selfsame_deliver::{Failure, Job, Outbound, OutboundConfig, Outcome, Pause, SystemResolver};
use selfsame_destinations::Reply;
use selfsame_event::SystemClock;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::receiver::{Receiver, ok};
use crate::world::{Kept, World, config, manifest, mapped, track};

const WITH_PROGRAM: &str = r#"
manifest: 1
id: test
name: Test
category: test
version: 1.0.0
status: community
docs: [https://example.com]
program: {name: test, refreshes: true, checks: true}
settings:
  base: {type: string, required: true}
actions:
  send:
    title: Send
    trigger: type = "track"
    program: true
    fields:
      name: {type: string, required: true, default: {'@path': $.event}}
  together:
    title: Together
    program: true
    fields:
      name: {type: string, required: true, default: {'@path': $.event}}
    batch: {max_events: 4, program: true}
"#;

/// What a program of a test does: it is called with what the connector says, and may send.
type Does = dyn Fn(Value, Sends) -> Pin<Box<dyn Future<Output = Result<Value, Stopped>> + Send>>
    + Send
    + Sync;

#[derive(Clone)]
struct Fake(Arc<Does>);

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fake").finish_non_exhaustive()
    }
}

impl Program for Fake {
    fn begin(&self, settings: &Arc<str>, input: String) -> Running {
        let (ask, asks) = mpsc::channel(10);
        let (end, ends) = oneshot::channel();
        let mut input: Value = serde_json::from_str(&input).expect("JSON");
        input["settings"] = serde_json::from_str(settings).expect("JSON");
        let ending = (self.0)(input, Sends(ask));
        tokio::spawn(async move {
            end.send(ending.await.map(|value| value.to_string())).ok();
        });
        Running { asks, ends }
    }
}

struct Sends(mpsc::Sender<Ask>);

impl Sends {
    /// Sends a body to a path of the receiver.
    async fn post(&self, input: &Value, path: &str, body: Value) -> Result<Reply, String> {
        let (tell, told) = oneshot::channel();
        let url = format!("{}{path}", input["settings"]["base"].as_str().expect("an address"));
        let token = input["auth"]["accessToken"].as_str().unwrap_or("none");
        let ask = Ask {
            method: "POST".to_owned(),
            url,
            headers: vec![
                ("Content-Type".to_owned(), "application/json".to_owned()),
                ("Authorization".to_owned(), format!("Bearer {token}")),
                ("Host".to_owned(), "elsewhere.example".to_owned()),
            ],
            body: body.to_string().into(),
            answer: Answering::new(move |answer| drop(tell.send(answer))),
        };
        self.0.send(ask).await.expect("somebody listens");
        told.await.expect("an answer")
    }
}

fn fake<F>(does: impl Fn(Value, Sends) -> F + Send + Sync + 'static) -> Fake
where
    F: Future<Output = Result<Value, Stopped>> + Send + 'static,
{
    Fake(Arc::new(move |input, sends| Box::pin(does(input, sends))))
}

fn world(receiver: &Receiver, action: &str, auth: Value, program: Fake, events: &[&str]) -> World {
    let mappings = [mapped(0, action, "type = \"track\"", Value::Null)];
    let settings = json!({ "base": receiver.url() });
    let config = config(&manifest(WITH_PROGRAM), settings, auth, &mappings);
    let people = (b'a'..).map(|letter| char::from(letter).to_string());
    let events = people.zip(events).map(|(user, event)| track(&user, event)).collect();
    World::start(config.with_program(Arc::new(program)), events)
}

/// An error with a status, as programs end with it.
fn error(status: u16) -> Value {
    json!({ "error": { "name": "HTTPError", "message": "no", "status": status } })
}

/// Sends the name of the payload; an answer that is not good is an error of its status.
async fn plain(input: Value, sends: Sends) -> Result<Value, Stopped> {
    match sends.post(&input, "/one", input["payload"]["name"].clone()).await {
        Ok(reply) if reply.status < 300 => Ok(json!({})),
        Ok(reply) => Ok(error(reply.status)),
        Err(why) => Ok(json!({ "error": { "name": "TypeError", "message": why } })),
    }
}

#[tokio::test]
async fn what_it_asks_for_is_sent_and_each_event_ends_as_its_answer_says() {
    let receiver = Receiver::start(|got| match got.body.as_str() {
        "\"Bad\"" => (400, "", "{}".to_owned()),
        _ => ok("{}"),
    })
    .await;
    let world = world(&receiver, "send", Value::Null, fake(plain), &["Good", "Bad", "Fine"]);
    let status = world.done(3).await;
    assert_eq!((status.delivered, status.dead), (2, 1));
    assert_eq!(receiver.lines(), ["POST /one"; 3]);
    let sent = &receiver.got()[0];
    assert_eq!(sent.headers["authorization"], "Bearer none");
    assert_eq!(
        sent.headers["host"],
        receiver.address.to_string(),
        "whom it speaks to is our choice"
    );
    assert_eq!(world.tried(1).await, [(Some(0), "rejected", "no".to_owned())]);
}

#[tokio::test]
async fn what_cannot_be_tried_again_with_more_luck_is_dead_and_the_rest_is_tried_again() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let receiver = Receiver::start(|_| ok("{}")).await;
    let program = fake(move |input: Value, _| {
        let first = counted.fetch_add(1, Ordering::SeqCst) < 4;
        async move {
            match input["payload"]["name"].as_str() {
                // A fault of its code, which comes to the same again.
                Some("Thrown") => {
                    Ok(json!({ "error": { "name": "TypeError", "message": "x is undefined" } }))
                }
                Some("Long") => Err(Stopped::Refused("processor_limit".to_owned())),
                Some("Crash") if first => Err(Stopped::Later("crashed".to_owned())),
                Some("Busy") if first => Err(Stopped::Postponed),
                _ => Ok(json!({})),
            }
        }
    });
    let world =
        world(&receiver, "send", Value::Null, program, &["Thrown", "Long", "Crash", "Busy"]);
    let status = world.done(4).await;
    assert_eq!((status.delivered, status.dead), (2, 2));
    assert_eq!(world.tried(0).await, [(Some(0), "rejected", "x is undefined".to_owned())]);
    assert_eq!(world.tried(1).await, [(Some(0), "rejected", "processor_limit".to_owned())]);
}

#[tokio::test]
async fn what_had_no_answer_is_sent_again_whatever_the_program_makes_of_it() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let receiver = Receiver::start(|_| ok("{}")).await;
    let program = fake(move |mut input: Value, sends: Sends| {
        let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if is_first {
                input["settings"]["base"] = json!("http://127.0.0.1:1");
            }
            match sends.post(&input, "/one", json!("x")).await {
                Ok(_) => Ok(json!({})),
                // It says that it is the event, and it is not.
                Err(_) => Ok(error(400)),
            }
        }
    });
    let world = world(&receiver, "send", Value::Null, program, &["One"]);
    let status = world.done(1).await;
    assert_eq!((status.delivered, status.dead), (1, 0));
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_a_receiver_has_taken_of_an_exchange_is_not_sent_to_it_again() {
    let failed = Arc::new(AtomicUsize::new(0));
    let fails = Arc::clone(&failed);
    let receiver = Receiver::start(move |got| {
        let is_first = got.line == "POST /second" && fails.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first { (503, "", "{}".to_owned()) } else { ok(r#"{"id":"7"}"#) }
    })
    .await;
    let program = fake(|input: Value, sends: Sends| async move {
        let made = sends.post(&input, "/first", json!("make")).await.expect("an answer");
        let made: Value = serde_json::from_str(&made.body).expect("JSON");
        match sends.post(&input, "/second", json!({ "of": made["id"] })).await.expect("an answer") {
            reply if reply.status == 200 => Ok(json!({})),
            reply => Ok(error(reply.status)),
        }
    });
    let world = world(&receiver, "send", Value::Null, program, &["One"]);
    assert_eq!(world.done(1).await.delivered, 1);
    assert_eq!(receiver.lines(), ["POST /first", "POST /second", "POST /second"]);
}

#[tokio::test]
async fn it_fetches_another_token_once_and_goes_on() {
    let receiver = Receiver::start(|got| match got.headers.get("authorization") {
        Some(token) if token == "Bearer new" || got.line == "POST /token" => ok("{}"),
        _ => (401, "", "{}".to_owned()),
    })
    .await;
    let program = fake(|input: Value, sends: Sends| async move {
        if input["what"] == "refresh" {
            assert_eq!(input["auth"]["refreshToken"], "r1");
            sends.post(&input, "/token", json!("more")).await.expect("an answer");
            return Ok(json!({ "token": { "accessToken": "new", "refreshToken": "r2" } }));
        }
        plain(input, sends).await
    });
    let auth = json!({ "access_token": "old", "refresh_token": "r1" });
    let world = world(&receiver, "send", auth, program, &["One", "Two"]);
    assert_eq!(world.done(2).await.delivered, 2);
    let tokens = receiver.lines().iter().filter(|line| *line == "POST /token").count();
    assert_eq!(tokens, 1);
    let kept = world.kept.0.lock().expect("no test panics here").clone();
    assert_eq!(kept, [json!({ "access_token": "new", "refresh_token": "r2" })]);
}

#[tokio::test]
async fn credentials_that_are_refused_pause_the_connection() {
    let receiver = Receiver::start(|_| (401, "", "{}".to_owned())).await;
    let world = world(&receiver, "send", Value::Null, fake(plain), &["One"]);
    let status = world.until(|status| status.pause.is_some()).await;
    assert_eq!(status.pause, Some(Pause::Denied));
    assert_eq!(status.last_failure, Some(Failure::Unauthorized));
    assert_eq!((status.pending, status.dead), (1, 0));
}

#[tokio::test]
async fn each_event_of_a_batch_ends_as_its_status_says() {
    let receiver = Receiver::start(|_| ok("{}")).await;
    let program = fake(|input: Value, sends: Sends| async move {
        let Some(payloads) = input["payloads"].as_array() else { return plain(input, sends).await };
        sends.post(&input, "/many", json!(payloads)).await.expect("an answer");
        let of = |one: &Value| if one["name"] == "Bad" { 400 } else { 200 };
        let items = payloads.iter().map(|one| json!({ "status": of(one), "message": "it is bad" }));
        Ok(json!({ "items": items.collect::<Vec<_>>() }))
    });
    let events = ["A", "Bad", "C", "D"];
    let world = world(&receiver, "together", Value::Null, program, &events);
    let status = world.done(4).await;
    assert_eq!((status.delivered, status.dead), (3, 1));
    assert_eq!(receiver.lines(), ["POST /many"]);
    assert_eq!(world.tried(1).await, [(Some(0), "rejected", "it is bad".to_owned())]);
}

#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_is_split() {
    let receiver = Receiver::start(|got| match got.body.contains("Bad") {
        true => (400, "", "{}".to_owned()),
        false => ok("{}"),
    })
    .await;
    let program = fake(|input: Value, sends: Sends| async move {
        let what = if input["payloads"].is_null() { "payload" } else { "payloads" };
        let reply = sends.post(&input, "/any", input[what].clone()).await.expect("an answer");
        Ok(if reply.status < 300 { json!({}) } else { error(reply.status) })
    });
    let world = world(&receiver, "together", Value::Null, program, &["A", "B", "Bad", "D"]);
    let status = world.done(4).await;
    assert_eq!((status.delivered, status.dead), (3, 1));
}

#[tokio::test]
async fn a_vendor_is_asked_whether_the_settings_are_good() {
    // Another test may have been first; one provider is as good as the other.
    rustls::crypto::ring::default_provider().install_default().ok();
    let receiver = Receiver::start(|_| (403, "", r#"{"key":"secret-key"}"#.to_owned())).await;
    let program = fake(|input: Value, sends: Sends| async move {
        assert_eq!(input["what"], "check");
        let reply = sends.post(&input, "/me", json!({})).await.expect("an answer");
        Ok(error(reply.status))
    });
    let auth = json!({ "access_token": "secret-key" });
    let config = config(&manifest(WITH_PROGRAM), json!({ "base": receiver.url() }), auth, &[]);
    let config = config.with_program(Arc::new(program));
    let notes = Arc::new(Journal::in_memory()).of("test");
    let connector = Connector::new(config, Arc::<Kept>::default(), notes, None);
    let outbound = Outbound::new(OutboundConfig::default(), Arc::new(SystemResolver));
    let (outbound, clock) = (outbound.expect("a client"), SystemClock::default());
    let (allow_loopback, timeout) = (true, Duration::from_secs(10));
    let job = Job { key: "k", outbound: &outbound, allow_loopback, timeout, clock: &clock };
    let checked = connector.check(job).await.expect("it can be asked");
    let outcome = checked.carried.outcome;
    assert!(
        matches!(outcome, Outcome::Failed { failure: Failure::Unauthorized, .. }),
        "{outcome:?}"
    );
    let said = format!("{:?}", checked.said);
    assert!(said.contains("/me") && !said.contains("secret-key"), "{said}");
}
