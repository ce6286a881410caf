//! Functions: kept, changed, rolled back, and called by requests to a source.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::{DEV, Server, eventually, run};

const HOOK: &str = r#"
async function onRequest(request, settings) {
  const body = request.json();
  console.log('got', body.action);
  if (body.action === 'retry') throw new RetryError('not yet');
  if (body.action === 'ignore') throw new EventNotSupported('not for us');
  if (body.action === 'bad') { Segment.track({ event: 'Never', userId: 'n' }); throw new Error('no'); }
  if (body.action === 'ask') body.action = (await (await fetch(settings.url, { method: 'POST', body: settings.token })).text()).trim();
  Segment.track({ event: `Hook ${body.action}`, userId: body.user, properties: { signed: request.headers.get('x-signed') } });
  Segment.identify({ userId: body.user, traits: { plan: 'pro' } });
}
"#;

async fn made(server: &Server, url: &str) -> Value {
    let settings = json!([
        { "name": "token", "required": true, "secret": true },
        { "name": "url", "kind": "text" },
    ]);
    let body = json!({ "name": "Hook", "kind": "source", "code": HOOK, "settings": settings });
    let made = server.done(Method::POST, "/api/functions", Some(body)).await;
    assert_eq!((made["id"].as_str(), made["version"].as_u64()), (Some("hook"), Some(1)));
    let used = json!({ "function": "hook", "settings": { "token": "s3cret-token", "url": url } });
    server.done(Method::PUT, "/api/sources/dev/function", Some(used)).await
}

async fn call(server: &Server, key: &str, body: &Value) -> (StatusCode, Option<String>, Value) {
    let request = server.http.post(server.at(&format!("/fn/{key}?a=1"))).json(body);
    let answer = request.header("X-Signed", "yes").send().await.expect("an answer");
    let status = answer.status();
    let position = answer.headers().get("x-selfsame-position");
    let position = position.and_then(|value| value.to_str().ok()).map(str::to_owned);
    (status, position, answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_request_becomes_events_of_the_source() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    let used = made(&server, &receiver.url).await;
    assert_eq!(used["secrets"], json!(["token"]));
    assert!(!used.to_string().contains("s3cret-token"), "{used}");
    let (status, position, answer) =
        call(&server, DEV, &json!({ "action": "go", "user": "ada" })).await;
    assert_eq!((status, &answer), (StatusCode::OK, &json!({ "success": true, "events": 2 })));
    assert!(position.is_some_and(|position| position.contains('-')));
    server.folded().await;
    let path = "/v1/spaces/dev/collections/users/profiles/user_id:ada/events";
    let events = server.get(path).await;
    let names: Vec<_> =
        events["data"].as_array().expect("events").iter().map(|one| &one["event"]).collect();
    assert!(names.contains(&&json!("Hook go")), "{events}");
    // It asks another program, through the one way out.
    let (status, _, _) = call(&server, DEV, &json!({ "action": "ask", "user": "ada" })).await;
    assert_eq!(status, StatusCode::OK);
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].body, "s3cret-token");
}

#[tokio::test]
async fn what_fails_makes_no_event_and_says_whether_to_come_again() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    made(&server, &receiver.url).await;
    let (status, _, answer) = call(&server, DEV, &json!({ "action": "retry", "user": "a" })).await;
    assert_eq!((status, &answer["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("retry")));
    let (status, _, answer) = call(&server, DEV, &json!({ "action": "ignore", "user": "a" })).await;
    assert_eq!((status, &answer["events"]), (StatusCode::OK, &json!(0)));
    let (status, _, answer) = call(&server, DEV, &json!({ "action": "bad", "user": "a" })).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("bad_request")));
    let message = answer["message"].as_str().expect("a message");
    assert!(message.starts_with("Error: no (at onRequest (function.js:7:"), "{message}");
    let (status, _, answer) = call(&server, DEV, &json!({ "action": "go", "user": "" })).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("validation_error")));
    let (status, _, answer) = call(&server, "unknown", &json!({})).await;
    assert_eq!((status, &answer["code"]), (StatusCode::UNAUTHORIZED, &json!("unknown_write_key")));
    let large = json!({ "action": "x".repeat(600 << 10) });
    let (status, _, answer) = call(&server, DEV, &large).await;
    assert_eq!(
        (status, &answer["code"]),
        (StatusCode::PAYLOAD_TOO_LARGE, &json!("body_too_large"))
    );
    server.folded().await;
    let sources = server.get("/api/sources/dev").await;
    assert_eq!((&sources["events"], &sources["rejected"]), (&json!(0), &json!(0)));
    let logs = server.get("/api/functions/hook/logs?limit=3").await;
    let first = &logs["data"][0];
    assert_eq!(
        (&first["outcome"], &first["lines"][0]["text"]),
        (&json!("validation_error"), &json!("got go"))
    );
    assert_eq!(logs["data"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn an_event_that_is_not_valid_is_set_aside_as_from_any_sender() {
    let server = Server::start();
    let code = "function onRequest() { Segment.track({ event: 'x'.repeat(40000), userId: 'a' }); Segment.track({ event: 'Good', userId: 'a' }); }";
    let body = json!({ "name": "Long", "kind": "source", "code": code });
    server.done(Method::POST, "/api/functions", Some(body)).await;
    server
        .done(Method::PUT, "/api/sources/dev/function", Some(json!({ "function": "long" })))
        .await;
    let (status, _, answer) = call(&server, DEV, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(
        (&answer["events"], answer["set_aside"].as_array().map(Vec::len)),
        (&json!(1), Some(1))
    );
    server.folded().await;
    let source = server.get("/api/sources/dev").await;
    assert_eq!((&source["events"], &source["rejected"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn versions_are_kept_and_come_back() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    made(&server, &receiver.url).await;
    let wrong = json!({ "code": "function onRequest( {" });
    let (status, answer) = server.ask(Method::PATCH, "/api/functions/hook", Some(wrong)).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (StatusCode::BAD_REQUEST, &json!("function_invalid"))
    );
    assert!(
        answer["error"]["message"].as_str().expect("text").contains("function.js:1"),
        "{answer}"
    );
    let other = "function onRequest(request) { Segment.track({ event: 'Second', userId: 'b' }); }";
    let changed =
        server.done(Method::PATCH, "/api/functions/hook", Some(json!({ "code": other }))).await;
    assert_eq!(changed["version"], 2);
    // The same again is no other version.
    let same =
        server.done(Method::PATCH, "/api/functions/hook", Some(json!({ "code": other }))).await;
    assert_eq!(same["version"], 2);
    let (status, _, _) = call(&server, DEV, &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    let versions = server.get("/api/functions/hook/versions").await;
    let numbers: Vec<_> = versions["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| (&one["version"], &one["is_current"]))
        .collect();
    assert_eq!(numbers, [(&json!(2), &json!(true)), (&json!(1), &json!(false))]);
    let first = server.get("/api/functions/hook/versions/1").await;
    assert_eq!(first["code"], HOOK);
    let server = server.again();
    let back = server
        .done(Method::POST, "/api/functions/hook/roll-back", Some(json!({ "version": 1 })))
        .await;
    assert_eq!((&back["version"], &back["code"]), (&json!(3), &json!(HOOK)));
    let (status, _, answer) = call(&server, DEV, &json!({ "action": "again", "user": "c" })).await;
    assert_eq!((status, &answer["events"]), (StatusCode::OK, &json!(2)));
    let (status, answer) = server.ask(Method::DELETE, "/api/functions/hook", None).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    server.done(Method::DELETE, "/api/sources/dev/function", None).await;
    server.done(Method::DELETE, "/api/functions/hook", None).await;
    let (status, _, answer) = call(&server, DEV, &json!({})).await;
    assert_eq!((status, &answer["code"]), (StatusCode::NOT_FOUND, &json!("no_function")));
}

/// A heap that the engine does not survive, and a loop that it does not look up from: the server does.
#[tokio::test]
async fn a_function_that_ends_its_process_ends_nothing_else() {
    let server = Server::start();
    let code = "function onRequest(request) { const { how } = request.json(); \
        if (how === 'crash') { let f = () => 1; for (let i = 0; i < 1e6; i++) f = f.bind(null); } \
        if (how === 'loop') { const n = 7n ** 300000n; Array(16).fill(n).join(); } \
        Segment.track({ event: 'Fine', userId: 'a' }); }";
    let body = json!({ "name": "Bad", "kind": "source", "code": code });
    server.done(Method::POST, "/api/functions", Some(body)).await;
    server.done(Method::PUT, "/api/sources/dev/function", Some(json!({ "function": "bad" }))).await;
    let fine = async || {
        eventually("the process of functions", async || {
            let (status, _, _) = call(&server, DEV, &json!({})).await;
            (status == StatusCode::OK).then_some(())
        })
        .await;
    };
    fine().await;
    let (status, _, answer) = call(&server, DEV, &json!({ "how": "crash" })).await;
    let code = answer["code"].as_str().expect("a code").to_owned();
    assert!(matches!(code.as_str(), "crashed" | "memory_limit"), "{status} {answer}");
    fine().await;
    let (status, _, answer) = call(&server, DEV, &json!({ "how": "loop" })).await;
    assert_eq!(
        (status, &answer["code"]),
        (StatusCode::BAD_REQUEST, &json!("given_up")),
        "{answer}"
    );
    let (status, _, answer) = call(&server, DEV, &json!({})).await;
    assert_eq!((status, &answer["code"]), (StatusCode::BAD_REQUEST, &json!("locked_out")));
    // Other code runs again.
    let other = json!({ "code": "function onRequest() { Segment.track({ event: 'Fine', userId: 'a' }); }" });
    server.done(Method::PATCH, "/api/functions/bad", Some(other)).await;
    fine().await;
    assert_eq!(
        server.plain(Method::GET, "/healthz").send().await.expect("alive").status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    made(&server, &receiver.url).await;
    let ask = async |body: Value| {
        let (status, answer) =
            server.ask(Method::PUT, "/api/sources/dev/function", Some(body)).await;
        (status, answer["error"]["message"].as_str().unwrap_or_default().to_owned())
    };
    let (status, said) = ask(json!({ "function": "hook", "settings": { "tokne": "a" } })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(said, "the function has no setting `tokne`; it has `token`, `url`.");
    let (status, said) = ask(json!({ "function": "none" })).await;
    assert_eq!((status, said.as_str()), (StatusCode::BAD_REQUEST, "There is no function `none`."));
    // What is secret stays, where it is not given.
    let (status, said) =
        ask(json!({ "function": "hook", "settings": { "url": receiver.url } })).await;
    assert_eq!(status, StatusCode::OK, "{said}");
    let (status, _, _) = call(&server, DEV, &json!({ "action": "ask", "user": "ada" })).await;
    assert_eq!((status, receiver.got()[0].body.as_str()), (StatusCode::OK, "s3cret-token"));
}

#[tokio::test]
async fn functions_are_files_too() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    made(&server, &receiver.url).await;
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    let command = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--server", server.url.as_str()]);
        let output = run(&all, &[("SELFSAME_TOKEN", DEV), ("HOOK_TOKEN", "other-token")]);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        (output.status.success(), said)
    };
    assert!(command(&["export", "--dir", dir]).0);
    let file = folder.join("functions/hook.yaml");
    let text = std::fs::read_to_string(&file).expect("the function");
    assert!(text.contains("code: |"), "{text}");
    let source = std::fs::read_to_string(folder.join("sources/dev.yaml")).expect("the source");
    assert!(source.contains("function: hook") && !source.contains("s3cret"), "{source}");
    let (is_done, said) = command(&["plan", dir]);
    assert!(is_done && said.contains("Nothing to do"), "{said}");
    std::fs::write(&file, text.replace("Hook ${", "Changed ${")).expect("written");
    let said = command(&["apply", dir]).1;
    assert!(said.contains("~ function hook") && said.contains("Applied"), "{said}");
    let versions = command(&["function", "versions", "hook"]).1;
    assert!(versions.contains("2  ") && versions.contains("<- runs"), "{versions}");
    std::fs::write(&file, text.replace("onRequest", "onSomething")).expect("written");
    let (is_done, said) = command(&["plan", dir]);
    assert!(
        !is_done && said.contains("functions/hook.yaml") && said.contains("onRequest"),
        "{said}"
    );
    std::fs::write(&file, &text).expect("written");
    std::fs::write(
        folder.join("sources/dev.yaml"),
        format!("{}\n  secrets_env:\n    token: HOOK_TOKEN\n", source.trim_end()),
    )
    .expect("written");
    let (is_done, said) = command(&["apply", dir]);
    assert!(is_done, "{said}");
    let logs = command(&["function", "logs", "hook"]);
    assert!(logs.0, "{}", logs.1);
}

const SEND: &str = r#"
async function onTrack(event, settings) {
  if (event.event === 'Bad') throw new InvalidEventPayload('bad');
  const response = await fetch(settings.url, {
    method: 'POST',
    headers: { 'X-Token': settings.token },
    body: JSON.stringify({ name: event.event, user: event.userId, extra: event.properties.extra }),
  });
  if (response.status >= 500) throw new RetryError(`status ${response.status}`);
}
"#;

async fn track(server: &Server, name: &str, number: u32) {
    let event = json!({ "userId": "ada", "event": name, "messageId": format!("m-{number}"), "properties": { "n": number } });
    assert_eq!(server.send(DEV, "track", event).await, StatusCode::OK);
}

/// What a destination counts.
async fn counts(server: &Server, id: &str) -> [u64; 4] {
    let status = server.get(&format!("/api/destinations/{id}")).await["status"].clone();
    ["delivered", "filtered", "dead", "pending"].map(|name| status[name].as_u64().unwrap_or(9_999))
}

async fn until(server: &Server, id: &str, wanted: [u64; 4]) {
    eventually(&format!("{wanted:?} at {id}"), async || {
        (counts(server, id).await == wanted).then_some(())
    })
    .await;
}

async fn sender(server: &Server, receiver: &Receiver) {
    let settings =
        json!([{ "name": "url", "required": true }, { "name": "token", "secret": true }]);
    let body = json!({ "name": "Send", "kind": "destination", "code": SEND, "settings": settings });
    server.done(Method::POST, "/api/functions", Some(body)).await;
    let made = json!({ "name": "Own", "kind": "function" });
    let made = server.done(Method::POST, "/api/destinations", Some(made)).await;
    assert_eq!(made["secret"], Value::Null);
    assert!(made["destination"]["problem"].as_str().expect("it waits").contains("no function yet"));
    // What comes meanwhile waits for it.
    track(server, "Early", 0).await;
    let used = json!({ "function": "send", "settings": { "url": receiver.url, "token": "t0ken" } });
    server.done(Method::PUT, "/api/destinations/own/function", Some(used)).await;
    until(server, "own", [1, 0, 0, 0]).await;
}

#[tokio::test]
async fn a_destination_may_be_a_function() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    sender(&server, &receiver).await;
    let got = receiver.got();
    assert_eq!(got[0].body, r#"{"name":"Early","user":"ada"}"#);
    assert_eq!(got[0].headers["x-token"], "t0ken");
    // What it has no handler for is filtered, what it refuses is a dead letter and holds nothing.
    let identify = json!({ "userId": "ada", "messageId": "i-1", "traits": { "plan": "pro" } });
    assert_eq!(server.send(DEV, "identify", identify).await, StatusCode::OK);
    track(&server, "Bad", 1).await;
    track(&server, "Good", 2).await;
    until(&server, "own", [2, 1, 1, 0]).await;
    let letters = server.get("/api/destinations/own/dead-letters").await;
    assert_eq!(letters["data"][0]["failure"], "rejected", "{letters}");
    // What it wants to try again is tried again.
    receiver.answer(503);
    track(&server, "Late", 3).await;
    eventually("an attempt", async || (receiver.got().len() >= 3).then_some(())).await;
    receiver.answer(200);
    server.done(Method::POST, "/api/destinations/own/resume", None).await;
    until(&server, "own", [3, 1, 1, 0]).await;
    assert!(receiver.got().last().is_some_and(|last| last.body.contains("Late")));
    let tested = server.done(Method::POST, "/api/destinations/own/test", None).await;
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(true), &json!(200)));
    let (status, answer) = server.ask(Method::DELETE, "/api/functions/send", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    server.done(Method::DELETE, "/api/destinations/own", None).await;
    server.done(Method::DELETE, "/api/functions/send", None).await;
}

#[tokio::test]
async fn an_insert_function_changes_or_drops_what_a_destination_gets() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    sender(&server, &receiver).await;
    let code = "function onTrack(event, settings) { if (event.event === 'Drop') return null; \
        event.properties.extra = settings.word; return event; }";
    let body = json!({ "name": "Before", "kind": "insert", "code": code, "settings": [{ "name": "word" }] });
    server.done(Method::POST, "/api/functions", Some(body)).await;
    let used = json!({ "function": "before", "settings": { "word": "more" } });
    server.done(Method::PUT, "/api/destinations/own/insert-function", Some(used)).await;
    track(&server, "Drop", 1).await;
    track(&server, "Keep", 2).await;
    until(&server, "own", [2, 1, 0, 0]).await;
    assert_eq!(receiver.got()[1].body, r#"{"name":"Keep","user":"ada","extra":"more"}"#);
    // The log has the event as it came.
    let path = "/v1/spaces/dev/collections/users/profiles/user_id:ada/events";
    assert!(!server.get(path).await.to_string().contains("extra"));
    let logs = server.get("/api/functions/before/logs").await;
    assert_eq!(logs["data"][0]["place"], "insert function of destination own");
    server.done(Method::DELETE, "/api/destinations/own/insert-function", None).await;
    track(&server, "Plain", 3).await;
    until(&server, "own", [3, 1, 0, 0]).await;
    assert_eq!(receiver.got()[2].body, r#"{"name":"Plain","user":"ada"}"#);
    // A webhook is no function itself.
    let hook = json!({ "name": "Hook", "url": receiver.url });
    server.done(Method::POST, "/api/destinations", Some(hook)).await;
    let used = Some(json!({ "function": "before" }));
    let (status, answer) = server.ask(Method::PUT, "/api/destinations/hook/function", used).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
}

#[tokio::test]
async fn an_insert_function_stands_in_front_of_a_webhook() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    let hook = json!({ "name": "Hook", "url": receiver.url });
    server.done(Method::POST, "/api/destinations", Some(hook)).await;
    track(&server, "Plain", 0).await;
    until(&server, "hook", [1, 0, 0, 0]).await;
    let code = "async function onTrack(event, settings) { \
        if (event.event === 'Drop') throw new DropEvent('no'); \
        if (event.event === 'Bad') throw new Error('never'); \
        event.properties = { extra: settings.word }; return event; }";
    let body = json!({ "name": "Before", "kind": "insert", "code": code, "settings": [{ "name": "word", "secret": true }] });
    server.done(Method::POST, "/api/functions", Some(body)).await;
    let used = json!({ "function": "before", "settings": { "word": "more" } });
    server.done(Method::PUT, "/api/destinations/hook/insert-function", Some(used)).await;
    for (number, name) in (1..).zip(["Drop", "Bad", "Keep"]) {
        track(&server, name, number).await;
    }
    until(&server, "hook", [2, 1, 1, 0]).await;
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    let body: Value = serde_json::from_str(&got[1].body).expect("JSON");
    assert_eq!(
        (&body["event"], &body["properties"]),
        (&json!("Keep"), &json!({ "extra": "more" }))
    );
    // What is signed is what is sent; a repetition has the same key.
    receiver.answer(500);
    track(&server, "Again", 4).await;
    eventually("an attempt", async || (receiver.got().len() >= 3).then_some(())).await;
    receiver.answer(200);
    server.done(Method::POST, "/api/destinations/hook/resume", None).await;
    until(&server, "hook", [3, 1, 1, 0]).await;
    let got = receiver.got();
    assert_eq!(got[2].headers["webhook-id"], got[3].headers["webhook-id"]);
    let letters = server.get("/api/destinations/hook/dead-letters").await;
    assert_eq!(letters["data"][0]["failure"], "rejected", "{letters}");
    let logs = server.get("/api/functions/before/logs").await;
    assert!(logs.to_string().contains("bad_request"), "{logs}");

    // It is in the file of the destination, without its secret.
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    let command = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--server", server.url.as_str()]);
        let output = run(&all, &[("SELFSAME_TOKEN", DEV), ("WORD", "other")]);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("text");
        assert!(output.status.success(), "{said}");
        said
    };
    command(&["export", "--dir", dir]);
    let file = folder.join("destinations/hook.yaml");
    let text = std::fs::read_to_string(&file).expect("the destination");
    assert!(text.contains("insert_function:\n  function: before"), "{text}");
    assert!(!text.contains("more"), "{text}");
    assert!(command(&["plan", dir]).contains("Nothing to do"));
    // A new one is made with the function in front of it.
    let new = text.replace("id: hook", "id: second").replace("name: Hook", "name: Second");
    let new =
        new.replace("  function: before", "  function: before\n  secrets_env:\n    word: WORD");
    std::fs::write(folder.join("destinations/second.yaml"), new).expect("written");
    let said = command(&["apply", dir]);
    assert!(said.contains("+ destination second"), "{said}");
    let shown = server.get("/api/destinations/second").await;
    assert_eq!(shown["insert_function"]["secrets"], json!(["word"]), "{shown}");
    track(&server, "Both", 5).await;
    until(&server, "second", [1, 0, 0, 0]).await;
    let bodies: Vec<_> = receiver.got().into_iter().map(|got| got.body).collect();
    assert!(bodies.iter().any(|body| body.contains(r#"{"extra":"other"}"#)), "{bodies:?}");
    // Without files of either, the destinations go first, so that the function can.
    for file in ["destinations/hook.yaml", "destinations/second.yaml", "functions/before.yaml"] {
        std::fs::remove_file(folder.join(file)).expect("removed");
    }
    let said = command(&["apply", "--prune", dir]);
    assert!(said.contains("- function before"), "{said}");
}

#[tokio::test]
async fn on_batch_gets_batches_and_each_event_its_own_result() {
    const CODE: &str = r#"
async function onBatch(events, settings) {
  if (events.length > 1 && events.some((event) => event.event === 'Poison')) throw new Error('poisoned');
  if (events[0].event === 'Poison') throw new InvalidEventPayload('poison');
  const response = await fetch(settings.url, { method: 'POST', body: JSON.stringify(events.map((event) => event.event)) });
  return events.map((event) => (event.event === 'Bad' ? { status: 400, errormessage: 'bad' }
    : event.event === 'Drop' ? { status: 400 } : { status: response.status }));
}
async function onTrack() { throw new Error('events come in batches'); }
"#;
    let (server, receiver) = (Server::start(), Receiver::start().await);
    let settings = json!([{ "name": "url", "required": true }]);
    let body =
        json!({ "name": "Batches", "kind": "destination", "code": CODE, "settings": settings });
    server.done(Method::POST, "/api/functions", Some(body)).await;
    let made = json!({ "name": "Own", "kind": "function" });
    server.done(Method::POST, "/api/destinations", Some(made)).await;
    // It has no function yet, so they wait, and come together.
    let names = (0..30).map(|number| match number {
        7 => "Bad",
        11 => "Poison",
        _ => "Good",
    });
    let batch: Vec<_> = names
        .enumerate()
        .map(|(number, name)| json!({ "type": "track", "event": name, "userId": format!("user-{number}"), "messageId": format!("b-{number}") }))
        .collect();
    let sent = server.send(DEV, "batch", json!({ "batch": batch })).await;
    assert_eq!(sent, StatusCode::OK);
    server.folded().await;
    let used = json!({ "function": "batches", "settings": { "url": receiver.url } });
    server.done(Method::PUT, "/api/destinations/own/function", Some(used)).await;
    until(&server, "own", [28, 0, 2, 0]).await;
    let sizes: Vec<usize> = receiver
        .got()
        .iter()
        .map(|got| serde_json::from_str::<Vec<String>>(&got.body).expect("a list").len())
        .collect();
    // All but the poisonous one, in far fewer calls than events.
    assert_eq!(sizes.iter().sum::<usize>(), 29, "{sizes:?}");
    assert!(sizes.len() < 12 && sizes.iter().any(|size| *size >= 7), "{sizes:?}");

    // Logs outlive a restart.
    let before = server.get("/api/functions/batches/logs").await;
    assert!(!before["data"].as_array().expect("a list").is_empty());
    eventually("the logs on the disk", async || {
        let path = server.data().join("function-logs/batches.jsonl");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        (text.lines().count() == before["data"].as_array().map_or(0, Vec::len)).then_some(())
    })
    .await;
    let server = server.again();
    assert_eq!(server.get("/api/functions/batches/logs").await, before);

    // Code that only has the word gets one event at a time.
    let code = "// onBatch would be called\nasync function onTrack(event, settings) { \
        await fetch(settings.url, { method: 'POST', body: '[\"' + event.event + '\"]' }); }";
    let change = json!({ "code": code });
    server.done(Method::PATCH, "/api/functions/batches", Some(change)).await;
    track(&server, "Single", 1).await;
    until(&server, "own", [29, 0, 2, 0]).await;
    assert!(receiver.got().iter().any(|got| got.body == "[\"Single\"]"));
}
