//! Functions as they are written for Segment, in our own words: what such a function relies on, it finds.

use selfsame_functions::{Emitted, FaultKind, Input, Kind, PoolConfig, Returned};

use crate::world::{World, event, instance};

fn world() -> World {
    World::new(PoolConfig::default())
}

/// A chat tool: a digest names the picture, and errors say what becomes of the event.
#[test]
fn a_message_to_a_chat() {
    let code = r#"
const endpoint = 'https://chat.example/hooks/200';

async function onTrack(event, settings) {
  if (!event.properties.email) throw new InvalidEventPayload('email is required');
  const hash = crypto.createHash('md5').update(event.properties.email).digest('hex');
  const res = await fetch(endpoint, {
    body: JSON.stringify({ text: `${event.event.toLowerCase()}`, image: `https://pictures.example/${hash}` }),
    method: 'post',
  });
  return await res.text();
}

async function onIdentify() {
  throw new EventNotSupported('identify is not supported');
}
"#;
    let world = world();
    let own = instance("chat", Kind::Destination, code);
    let signed = r#"{"type":"track","event":"Signed Up","properties":{"email":"a@b.example"}}"#;
    let report = world.call(&own, event(signed));
    assert_eq!(report.result, Ok(Returned::Done));
    let sent = world.network.sent.lock().expect("no panic").remove(0);
    assert_eq!(
        (sent.method.as_str(), sent.url.as_str()),
        ("POST", "https://chat.example/hooks/200")
    );
    assert_eq!(
        String::from_utf8_lossy(&sent.body),
        r#"{"text":"signed up","image":"https://pictures.example/d3ce9fe2208376bd39cf85fbcc2a90c7"}"#
    );
    let fails = |json| world.call(&own, event(json)).result.expect_err("a fault");
    let bare = fails(r#"{"type":"track","event":"E","properties":{}}"#);
    assert_eq!(
        (bare.kind, bare.message.as_str()),
        (FaultKind::InvalidPayload, "email is required")
    );
    assert_eq!(fails(r#"{"type":"identify"}"#).kind, FaultKind::Unsupported);
    assert_eq!(fails(r#"{"type":"group"}"#).kind, FaultKind::Unsupported);
}

/// A tool that is down for a while: what the function says of it decides whether the event comes again.
#[test]
fn a_tool_that_answers_badly() {
    let code = r#"
async function onGroup(event, settings) {
  let response;
  try {
    response = await fetch(new URL(event.traits.path, 'https://tool.example'), {
      method: 'PUT',
      headers: new Headers({ Authorization: `Bearer ${settings.apiKey}`, 'Content-Type': 'application/json' }),
      body: JSON.stringify({ id: event.groupId }),
    });
  } catch (error) {
    throw new RetryError(error.message);
  }
  if (response.status >= 500 || response.status === 429) throw new RetryError(`Failed with ${response.status}`);
  if (response.status >= 400) throw new Error(`Refused with ${response.status}`);
}
"#;
    let world = world();
    let own = instance("tool", Kind::Destination, code);
    let call = |path: &str| {
        let json = format!(r#"{{"type":"group","groupId":"g","traits":{{"path":"{path}"}}}}"#);
        world.call(&own, event(&json)).result.map_err(|fault| (fault.kind, fault.message))
    };
    assert_eq!(call("/200"), Ok(Returned::Done));
    assert_eq!(call("/503"), Err((FaultKind::Retry, "Failed with 503".to_owned())));
    assert_eq!(call("/429"), Err((FaultKind::Retry, "Failed with 429".to_owned())));
    assert_eq!(call("/404"), Err((FaultKind::Failed, "Refused with 404".to_owned())));
    let blocked = "fetch failed: the address is not public".to_owned();
    assert_eq!(call("/blocked"), Err((FaultKind::Retry, blocked)));
    let sent = world.network.sent.lock().expect("no panic");
    assert!(sent[0].headers.contains(&("authorization".to_owned(), "Bearer key".to_owned())));
}

/// A webhook of a tool becomes events.
#[test]
fn a_webhook_becomes_events() {
    let code = r#"
async function onRequest(request, settings) {
  const body = await request.json();
  const signature = request.headers.get('X-Hub-Signature-256');
  const expected = 'sha256=' + crypto.createHmac('sha256', settings.apiKey).update(request.text()).digest('hex');
  if (signature !== expected) throw new ValidationError('the signature is wrong');
  let name = request.headers.get('X-Event');
  if (body.action) name += ` ${body.action}`;
  Segment.track({ event: _.startCase(name), userId: `${body.sender.id}`, timestamp: new Date(body.at).toISOString(),
    properties: _.pick(body, ['repository.name', 'action']), context: { library: { name: 'webhook' } } });
  Segment.group({ userId: `${body.sender.id}`, groupId: uuidv5('url', 'https://code.example'), traits: { name: 'Code' } });
}
"#;
    let world = world();
    let own = instance("hook", Kind::Source, code);
    let body = r#"{"action":"opened","sender":{"id":5},"repository":{"name":"r","private":true},"at":1700000000000}"#;
    let call = |signature: &str| {
        let headers = [
            ("x-event", "issue"),
            ("x-hub-signature-256", signature),
            ("content-type", "application/json"),
        ];
        let headers = headers.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let url = "https://cdp.example/fn".to_owned();
        world.call(&own, Input::Request { url, headers, body: body.to_owned() }).result
    };
    let signed = "sha256=2b1a0a4c0d1ba2e0a05d1ea4ee9c4f3d2f7c8f24b7ad2dfb31a6a60b2c3c4b6a";
    assert_eq!(call(signed).expect_err("not the signature").kind, FaultKind::Validation);
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"key");
    let signature = ring::hmac::sign(&key, body.as_bytes());
    let signature: String = signature.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let Ok(Returned::Emitted(Emitted { events, objects })) = call(&format!("sha256={signature}"))
    else {
        panic!("events");
    };
    assert_eq!(objects, 0);
    assert_eq!(
        events,
        [
            r#"{"type":"track","event":"Issue Opened","properties":{"repository":{"name":"r"},"action":"opened"},"userId":"5","context":{"library":{"name":"webhook"}},"timestamp":"2023-11-14T22:13:20.000Z"}"#,
            r#"{"type":"group","groupId":"27c2723b-1228-5cf3-b79f-afad10938d25","traits":{"name":"Code"},"userId":"5"}"#,
        ]
        .map(str::to_owned)
    );
}

/// A form, as a tool of long ago sends it.
#[test]
fn a_form_becomes_an_event() {
    let code = "async function onRequest(request) { const { email, plan } = request.json(); \
        Segment.identify({ anonymousId: email, traits: { plan, from: request.url.searchParams.get('from') } }); }";
    let world = world();
    let own = instance("form", Kind::Source, code);
    let headers = vec![(
        "content-type".to_owned(),
        "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
    )];
    let input = Input::Request {
        url: "https://cdp.example/fn?from=a%20b".to_owned(),
        headers,
        body: "email=a%40b.example&plan=pro+plus".to_owned(),
    };
    let Ok(Returned::Emitted(Emitted { events, .. })) = world.call(&own, input).result else {
        panic!("an event")
    };
    assert_eq!(events, [r#"{"type":"identify","traits":{"plan":"pro plus","from":"a b"},"anonymousId":"a@b.example"}"#.to_owned()]);
}

/// Before a destination: personal data is hidden, and a look-up enriches, once for all events.
#[test]
fn an_event_is_enriched_and_stripped() {
    let code = r#"
async function score(settings) {
  const response = await fetch(`https://scores.example/${settings.apiKey}/200`);
  return (await response.json()).score;
}

async function onTrack(event, settings) {
  if (event.properties.internal) throw new DropEvent('internal');
  event.properties.score = await cache.load('score', 60000, () => score(settings));
  if (event.properties.email) {
    event.properties.email = crypto.createHash('sha256').update(event.properties.email.trim().toLowerCase()).digest('hex').slice(0, 8);
  }
  event.context = _.omit(event.context, ['ip']);
  return event;
}
"#;
    let world = world();
    let own = instance("enrich", Kind::Insert, code);
    let json = r#"{"type":"track","event":"E","properties":{"email":" A@b.example"},"context":{"ip":"192.0.2.1","locale":"de"}}"#;
    for _ in 0..3 {
        assert_eq!(
            world.call(&own, event(json)).result,
            Ok(Returned::Event(
                r#"{"type":"track","event":"E","properties":{"email":"ebb18a03","score":7},"context":{"locale":"de"}}"#.to_owned()
            ))
        );
    }
    assert_eq!(world.network.sent.lock().expect("no panic").len(), 1);
    let internal = r#"{"type":"track","event":"E","properties":{"internal":true}}"#;
    let dropped = world.call(&own, event(internal)).result.expect_err("dropped");
    assert_eq!((dropped.kind, dropped.message.as_str()), (FaultKind::Dropped, "internal"));
}

/// Hostile names in an event are names like others.
#[test]
fn names_that_objects_have_are_only_names() {
    let code = "function onIdentify(event) { const merged = _.merge({}, event.traits); \
        return { ...event, polluted: ({}).polluted, own: Object.keys(event.traits), merged: Object.keys(merged) }; }";
    let world = world();
    let own = instance("names", Kind::Insert, code);
    let json = r#"{"type":"identify","traits":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":1}}"#;
    let Ok(Returned::Event(event)) = world.call(&own, event(json)).result else {
        panic!("an event")
    };
    let value: serde_json::Value = serde_json::from_str(&event).expect("JSON");
    assert_eq!(value.get("polluted"), None);
    assert_eq!(value["own"], serde_json::json!(["__proto__", "constructor", "a"]));
    assert_eq!(value["merged"], serde_json::json!(["a"]));
}

#[test]
fn what_is_missing_says_what_to_do() {
    let world = world();
    let own = instance(
        "old",
        Kind::Destination,
        "async function onTrack() { const at = moment().format(); }",
    );
    let fault = world.call(&own, event(r#"{"type":"track"}"#)).result.expect_err("no moment");
    assert_eq!(fault.kind, FaultKind::Failed);
    assert!(fault.message.contains("`Date` reads and writes ISO 8601 times"), "{}", fault.message);
    assert!(fault.stack.contains("function.js:1"), "{}", fault.stack);
}
