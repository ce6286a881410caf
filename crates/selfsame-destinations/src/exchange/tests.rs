use serde_json::{Map, Value, json};

use super::{Connection, Done, Next};
use crate::answer::{Outcome, Reply};
use crate::manifest::Manifest;

const TEXT: &str = "
manifest: 1
id: a
name: A
category: a
docs: [a]
version: '1'
status: native
settings: {key: {type: password}, host: {type: string, default: 'https://a.example'}}
auth: {header: {X-Key: =settings.key}}
responses:
  - {when: =r.body.code == 'slow', outcome: throttle, after_seconds: =r.body.wait, message: 'wait {{ r.body.wait }}'}
let: {host: =settings.host}
actions:
  upsert:
    title: Upsert
    fields:
      email: {type: string, required: true, default: {'@path': $.traits.email}}
      lists: {type: string, multiple: true, default: {'@path': $.traits.lists}}
    skip: =payload.email == 'skip@example.com'
    steps:
      - id: find
        request: {method: GET, url: '{{ raw(host) }}/find', query: {email: =payload.email}}
        ok: =r.status == 200 || r.status == 404
      - id: create
        when: =steps.find.status == 404
        request: {url: '{{ raw(host) }}/people', json: {email: =payload.email}, auth: false}
        stop: =r.body.done
      - id: join
        each: =payload.lists
        let: {person: =steps.create.body.id ?? steps.find.body.id}
        request: {url: '{{ raw(host) }}/lists/{{ one }}/{{ person }}', json: {at: =index}}
  event:
    title: Event
    fields: {name: {type: string, required: true, default: {'@path': $.event}}}
    item: {name: =payload.name}
    request: {url: 'https://a.example/one', json: =item}
    batch:
      max_events: 10
      key: [=payload.name]
      request: {url: 'https://a.example/many', json: {all: =items, count: =length(payloads)}}
delete:
  request: {method: DELETE, url: 'https://a.example/people/{{ event.userId }}'}
audience:
  create: {request: {url: 'https://a.example/lists', json: {name: =audience.name}}}
  external_id: =r.body.id
  add: upsert
  remove: event
";

fn manifest() -> Manifest {
    Manifest::read("a", TEXT).unwrap_or_else(|error| panic!("{error}"))
}

fn reply(status: u16, body: &Value) -> Reply {
    Reply { status, headers: Map::new(), body: body.to_string() }
}

/// The requests, as `METHOD address`, and how it ends.
fn run(event: &Value, replies: &[Reply]) -> (Vec<String>, Done) {
    let manifest = manifest();
    let settings = manifest.check_settings(json!({ "key": "k" })).expect("settings");
    let connection =
        Connection { settings: &settings, auth: &Value::Null, audience: &Value::Null, now_ms: 0 };
    let subscription = manifest.subscription("upsert", None).expect("an action");
    let mut exchange = match manifest.exchange(&subscription, event, connection) {
        Ok(exchange) => exchange,
        Err(refusal) => return (Vec::new(), Done::Refused(refusal)),
    };
    let (mut sent, mut last) = (Vec::new(), None);
    loop {
        match exchange.next(last.as_ref()) {
            Next::Send(request) => {
                let key = request.header("x-key").unwrap_or("-");
                last = replies.get(sent.len()).cloned();
                sent.push(format!("{} {} {key}", request.method, request.url));
                assert!(last.is_some(), "no answer to {sent:?}");
            }
            Next::Done(done) => return (sent, done),
        }
    }
}

fn person() -> Value {
    json!({ "type": "identify", "traits": { "email": "a@example.com", "lists": ["x", "y"] } })
}

#[test]
fn a_later_request_depends_on_the_answers_before() {
    let there = [reply(200, &json!({ "id": 7 })), reply(200, &json!({})), reply(200, &json!({}))];
    let (sent, done) = run(&person(), &there);
    assert_eq!(
        sent,
        [
            "GET https://a.example/find?email=a%40example.com k",
            "POST https://a.example/lists/x/7 k",
            "POST https://a.example/lists/y/7 k",
        ]
    );
    assert_eq!(done, Done::Delivered);

    let new = [
        reply(404, &json!({})),
        reply(201, &json!({ "id": 8 })),
        reply(200, &json!({})),
        reply(200, &json!({})),
    ];
    let (sent, done) = run(&person(), &new);
    assert_eq!(sent[1], "POST https://a.example/people -");
    assert_eq!(sent[3], "POST https://a.example/lists/y/8 k");
    assert_eq!(done, Done::Delivered);
}

#[test]
fn a_step_may_be_the_last() {
    let (sent, done) =
        run(&person(), &[reply(404, &json!({})), reply(200, &json!({ "done": true }))]);
    assert_eq!((sent.len(), done), (2, Done::Delivered));
}

#[test]
fn an_answer_that_is_not_good_ends_it() {
    let (sent, done) = run(&person(), &[reply(400, &json!({ "code": "slow", "wait": 5 }))]);
    let Done::Answered { step, verdict } = done else { panic!("{done:?}") };
    assert_eq!((sent.len(), step.as_str(), verdict.outcome), (1, "find", Outcome::Throttle));
    assert_eq!((verdict.after_seconds, verdict.message.as_deref()), (Some(5.0), Some("wait 5")));

    for (status, outcome) in [
        (401, Outcome::AuthError),
        (422, Outcome::Reject),
        (429, Outcome::Throttle),
        (500, Outcome::Retry),
        (501, Outcome::Reject),
        // Good for HTTP, and not for the step.
        (204, Outcome::Reject),
    ] {
        let (_, done) = run(&person(), &[reply(status, &json!({}))]);
        let Done::Answered { verdict, .. } = done else { panic!("{done:?}") };
        assert_eq!(verdict.outcome, outcome, "{status}");
    }
}

#[test]
fn nothing_is_sent_for_what_is_skipped_or_refused() {
    let skipped = json!({ "type": "identify", "traits": { "email": "skip@example.com" } });
    assert_eq!(run(&skipped, &[]), (Vec::new(), Done::Skipped));
    let (sent, done) = run(&json!({ "type": "identify" }), &[]);
    assert!(
        sent.is_empty()
            && matches!(&done, Done::Refused(why) if why.to_string() == "`email` is required")
    );
}

#[test]
fn a_batch_is_one_request_without_what_cannot_be_sent() {
    let manifest = manifest();
    let settings = json!({});
    let connection =
        Connection { settings: &settings, auth: &Value::Null, audience: &Value::Null, now_ms: 0 };
    let subscription = manifest.subscription("event", None).expect("an action");
    let events = [json!({ "event": "a" }), json!({}), json!({ "event": "b" })];
    let (mut exchange, refused) =
        manifest.batch_exchange(&subscription, &events, connection).expect("a batch");
    let Next::Send(request) = exchange.next(None) else { panic!("nothing is sent") };
    assert_eq!(
        request.shown()["json"],
        json!({ "all": [{ "name": "a" }, { "name": "b" }], "count": 2 })
    );
    assert_eq!(refused.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1]);
    let done = exchange.next(Some(&reply(200, &json!({}))));
    assert_eq!(done, Next::Done(Done::Delivered));

    let key = manifest.batch_key(&subscription, &events[0], connection);
    assert_eq!(key, Ok(Some(vec![json!("a")])));
}

#[test]
fn people_are_deleted_and_audiences_made() {
    let manifest = manifest();
    let (settings, audience) = (json!({}), json!({ "name": "VIP" }));
    let connection =
        Connection { settings: &settings, auth: &Value::Null, audience: &audience, now_ms: 0 };
    let event = json!({ "userId": "a/b" });
    let mut exchange = manifest.deletion_exchange(&event, connection).expect("it can");
    let Next::Send(request) = exchange.next(None) else { panic!("nothing is sent") };
    assert_eq!(
        (request.method.as_str(), request.url.as_str()),
        ("DELETE", "https://a.example/people/a%2Fb")
    );

    let mut exchange = manifest.audience_exchange(true, connection).expect("it can");
    let Next::Send(request) = exchange.next(None) else { panic!("nothing is sent") };
    assert_eq!(request.shown()["json"], json!({ "name": "VIP" }));
    let answer = reply(200, &json!({ "id": "l1" }));
    assert_eq!(manifest.audience_id(&answer, connection), Some(json!("l1")));
    assert_eq!(manifest.audience_actions(), Some(("upsert", "event")));
    assert!(manifest.audience_exchange(false, connection).is_none());
}

#[test]
fn only_values_that_something_reads_are_computed() {
    let more = "let:\n  inner: =event.a\n  all: {x: =inner}\n  of_auth: =settings.key\n  nobody: =event.b\n";
    let text = TEXT
        .replace("let: {host: =settings.host}\n", &format!("{more}  host: =settings.host\n"))
        .replace("X-Key: =settings.key", "X-Key: =of_auth")
        .replace("json: =item}\n    batch:", "json: {item: =item, inner: =inner}}\n    batch:");
    let manifest = Manifest::read("a", &text).unwrap_or_else(|error| panic!("{error}"));
    let names = |key: &str| -> Vec<&str> {
        let action = manifest.action(key).expect("the action");
        action.lets.iter().map(|(name, _)| name.as_str()).collect()
    };
    assert_eq!(names("upsert"), ["of_auth", "host"]);
    assert_eq!(names("event"), ["inner", "of_auth"]);
    let batch = manifest.action("event").and_then(|action| action.batch.as_ref());
    let names: Vec<&str> =
        batch.expect("a batch").lets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["of_auth"]);
}
