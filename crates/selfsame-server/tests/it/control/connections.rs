//! What connections heed and keep besides mappings.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::catalogue::{OWN, Tool, settled};
use super::files::{command, written};
use super::receiver::Receiver;
use super::server::{DEV, Server, eventually, run};

const FUNCTION: &str = "
async function onTrack(event, settings) {
  await fetch(settings.url, { method: 'POST', body: event.event });
}
";

async fn send(server: &Server, event: &str, integrations: Value) {
    let id = format!("m-{event}");
    let body =
        json!({"userId": "ada", "event": event, "messageId": id, "integrations": integrations});
    assert_eq!(server.send(DEV, "track", body).await, StatusCode::OK);
}

/// A webhook, a tool of the catalogue and a function.
async fn three(server: &Server, hook: &Receiver, tool: &Tool, called: &Receiver) {
    let made = [
        json!({"name": "Hook", "url": hook.url}),
        json!({"name": "Mine", "kind": "own", "settings": {"base": tool.url, "key": "k-secret"}}),
        json!({"name": "Call", "kind": "function"}),
    ];
    for body in made {
        server.done(Method::POST, "/api/destinations", Some(body)).await;
    }
    let body = json!({"name": "Caller", "kind": "destination", "code": FUNCTION,
        "settings": [{"name": "url", "kind": "text"}]});
    server.done(Method::POST, "/api/functions", Some(body)).await;
    let used = json!({"function": "caller", "settings": {"url": called.url}});
    server.done(Method::PUT, "/api/destinations/call/function", Some(used)).await;
}

#[tokio::test]
async fn an_event_goes_where_its_integrations_let_it() {
    let (hook, called) = (Receiver::start().await, Receiver::start().await);
    let tool = Tool::start(|_| (200, "")).await;
    let manifest = OWN.replace("name: Own\n", "name: Own\nintegrations: [Own (Actions)]\n");
    let server = Server::with_destinations(&[("own", &manifest)]);
    three(&server, &hook, &tool, &called).await;

    send(&server, "ToAll", json!({})).await;
    send(&server, "ToMine", json!({"All": false, "Mine": {"option": 1}})).await;
    send(&server, "ByTool", json!({"All": false, "Own (Actions)": true, "Webhooks": true})).await;
    send(&server, "NotHook", json!({"Hook": false, "Webhooks": true})).await;
    send(&server, "NotCall", json!({"Call": false, "Mine": false})).await;
    send(&server, "ToNobody", json!({"All": false})).await;

    for (id, delivered) in [("hook", 3), ("mine", 4), ("call", 2)] {
        let status = settled(&server, id, 6).await;
        let numbers = ["delivered", "filtered", "dead"].map(|name| status[name].clone());
        assert_eq!(numbers, [json!(delivered), json!(6 - delivered), json!(0)], "{id}: {status}");
    }
    let events = |receiver: &Receiver| -> Vec<String> {
        receiver.got().into_iter().map(|got| got.body).collect()
    };
    let sent: Vec<Value> =
        events(&hook).iter().map(|body| serde_json::from_str(body).expect("JSON")).collect();
    let sent: Vec<_> = sent.iter().map(|event| event["event"].as_str().expect("a name")).collect();
    assert_eq!(sent, ["ToAll", "ByTool", "NotCall"]);
    assert_eq!(events(&called), ["ToAll", "NotHook"]);
    let paths = ["ToAll", "ToMine", "ByTool", "NotHook"].map(|name| format!("POST /one/{name}"));
    assert_eq!(tool.lines(), paths);

    let output = run(&["trace", "m-ToMine", "--server", &server.url, "--token", DEV], &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for said in [
        "to hook  filtered: Its `integrations` leave the destination out.",
        "to call  filtered: Its `integrations` leave the destination out.",
        "to mine  delivered",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let found = server.get("/api/destinations/mine/attempts?status=withheld").await;
    let outcomes: Vec<_> = found["data"]
        .as_array()
        .expect("attempts")
        .iter()
        .map(|row| row["attempt"]["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["integrations", "integrations"]);
}

const LISTS: &str = r#"
manifest: 1
id: lists
name: Lists
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
actions:
  add:
    title: Add
    trigger: type = "track" and event = "Audience Entered"
    fields: &fields
      list: {type: string, required: true, default: {'@path': $.context.personas.external_audience_id}}
      user: {type: string, required: true, default: {'@path': $.userId}}
    request: {url: '{{ raw(settings.base) }}/lists/{{ payload.list }}/add', json: {user: =payload.user}}
  remove:
    title: Remove
    trigger: type = "track" and event = "Audience Exited"
    fields: *fields
    request: {url: '{{ raw(settings.base) }}/lists/{{ payload.list }}/remove', json: {user: =payload.user}}
audience:
  get:
    request: {method: GET, url: '{{ raw(settings.base) }}/lists', query: {name: =audience.name}}
  create:
    request: {url: '{{ raw(settings.base) }}/lists', json: {name: =audience.name}}
  external_id: =r.body.id
  add: add
  remove: remove
dynamic_fields:
  list:
    request: {method: GET, url: '{{ raw(settings.base) }}/all'}
    choices: '=map(r.body, one => ({label: one.name, value: one.id}))'
presets:
  - {name: Adds, action: add, trigger: type = "track" and event = "Audience Entered"}
  - {name: Removes, action: remove, trigger: type = "track" and event = "Audience Exited"}
"#;

fn lists(line: &str) -> (u16, &'static str) {
    match line {
        "GET /lists" => (404, "none"),
        "POST /lists" => (201, r#"{"id": "l-7"}"#),
        "GET /all" => (200, r#"[{"name": "VIPs", "id": "l-7"}, {"name": "All", "id": 8}]"#),
        _ => (200, "{}"),
    }
}

#[tokio::test]
async fn an_audience_that_is_connected_gets_a_list_and_its_members_are_put_there() {
    let tool = Tool::start(lists).await;
    let server = Server::with_destinations(&[("lists", LISTS)]);
    let body = json!({"name": "lists", "kind": "lists", "settings": {"base": tool.url}});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    let body = json!({"kind": "audience", "query": "event('Order').count() >= 1",
        "destinations": [{"destination": "lists", "send": "track"}]});
    let path = "/api/spaces/dev/definitions/buyers";
    server.done(Method::PUT, path, Some(body)).await;
    super::definitions::live(&server, "buyers").await;
    let order = |user: &str| json!({"userId": user, "event": "Order"});
    assert_eq!(server.send(DEV, "track", order("ada")).await, StatusCode::OK);
    let added = "POST /lists/l-7/add".to_owned();
    eventually("a member", async || tool.lines().contains(&added).then_some(())).await;
    let shown = server.get("/api/destinations/lists").await;
    assert_eq!((&shown["audiences"], &shown["problem"]), (&json!({"buyers": "l-7"}), &Value::Null));

    // It is not made again: not for the next member, nor by the next process, nor when something else changes.
    let server = server.again();
    let change = json!({"name": "Lists of ours"});
    server.done(Method::PATCH, "/api/destinations/lists", Some(change)).await;
    assert_eq!(server.send(DEV, "track", order("bob")).await, StatusCode::OK);
    eventually("another member", async || {
        let count = tool.got().iter().filter(|got| got.body.contains("bob")).count();
        (count == 1).then_some(())
    })
    .await;
    let made: Vec<_> = tool.got().into_iter().filter(|got| got.line == "POST /lists").collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].body, r#"{"name":"buyers"}"#);

    // The tool is asked for the choices of a field.
    let command = ["destination", "choices", "lists", "list"];
    let end = ["--server", &server.url, "--token", DEV].map(str::to_owned);
    let asked = tokio::task::spawn_blocking(move || {
        let end: Vec<&str> = end.iter().map(String::as_str).collect();
        run(&[&command[..], &end].concat(), &[])
    });
    let text = String::from_utf8(asked.await.expect("no panic").stdout).expect("text");
    assert_eq!(text, "l-7  VIPs\n8  All\n2 choices\n");
    let body = json!({"field": "user"});
    let path = "/api/destinations/lists/choices";
    let (status, answer) = server.ask(Method::POST, path, Some(body)).await;
    assert_eq!((status, &answer["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("field")));
}

/// Nobody is told without the list, and what is wrong is said.
#[tokio::test]
async fn while_a_list_cannot_be_made_its_members_wait() {
    let tool = Tool::start(|line| match line {
        "GET /lists" => (404, "none"),
        "POST /lists" => (403, "no scope"),
        _ => (200, "{}"),
    })
    .await;
    let server = Server::with_destinations(&[("lists", LISTS)]);
    let body = json!({"name": "lists", "kind": "lists", "settings": {"base": tool.url}});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    let body = json!({"kind": "audience", "query": "event('Order').count() >= 1",
        "destinations": [{"destination": "lists", "send": "track"}]});
    let path = "/api/spaces/dev/definitions/buyers";
    server.done(Method::PUT, path, Some(body)).await;
    super::definitions::live(&server, "buyers").await;
    let order = json!({"userId": "ada", "event": "Order"});
    assert_eq!(server.send(DEV, "track", order).await, StatusCode::OK);
    let problem = eventually("the problem", async || {
        let shown = server.get("/api/destinations/lists").await;
        shown["problem"].as_str().map(str::to_owned)
    })
    .await;
    assert_eq!(
        problem,
        "changes of the audience `buyers` wait for its list: unauthorized: no scope"
    );
    assert!(!tool.lines().iter().any(|line| line.ends_with("/add")), "{:?}", tool.lines());
    // Somebody says which list it is.
    let change = json!({"audiences": {"buyers": "by-hand"}});
    server.done(Method::PATCH, "/api/destinations/lists", Some(change)).await;
    let added = "POST /lists/by-hand/add".to_owned();
    eventually("a member", async || tool.lines().contains(&added).then_some(())).await;
}

#[tokio::test]
async fn what_was_sent_is_rendered_by_the_mapping_of_then_and_by_that_of_now() {
    let tool = Tool::start(|line| if line.contains("Bad") { (400, "no") } else { (200, "") }).await;
    let server = Server::with_destinations(&[("own", OWN)]);
    let body =
        json!({"name": "Mine", "kind": "own", "settings": {"base": tool.url, "key": "k-secret"}});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    send(&server, "Bad", json!({})).await;
    send(&server, "Elsewhere", json!({"Mine": false})).await;
    settled(&server, "mine", 2).await;
    let found = server.get("/api/destinations/mine/attempts?status=failed").await;
    let row = &found["data"][0];
    let position = row["position"].as_str().expect("a place");
    let started = row["attempt"]["started"].as_str().expect("a time");
    let path = format!("/api/destinations/mine/attempts/{position}/requests");

    let changed = json!({"mappings": [{"name": "Sends", "action": "send",
        "mapping": {"name": "Mended"}}]});
    server.done(Method::PATCH, "/api/destinations/mine", Some(changed)).await;
    let now = server.get(&path).await;
    let then = server.get(&format!("{path}?at={started}")).await;
    let of = |shown: &Value| {
        let request = &shown["requests"][0];
        assert_eq!(shown["requests"].as_array().map(Vec::len), Some(1), "{shown}");
        assert_eq!(
            (&request["mapping"], &request["headers"]["x-key"]),
            (&json!("Sends"), &json!("***"))
        );
        request["url"].as_str().expect("an address").replace(&tool.url, "")
    };
    assert_eq!((of(&now), of(&then)), ("/one/Mended".to_owned(), "/one/Bad".to_owned()));
    assert!(now["set_up"].as_str() > then["set_up"].as_str());
    let (status, _) =
        server.ask(Method::GET, &format!("{path}?at=2020-01-01T00:00:00Z"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let withheld = server.get("/api/destinations/mine/attempts?status=withheld").await;
    let position = withheld["data"][0]["position"].as_str().expect("a place");
    let path = format!("/api/destinations/mine/attempts/{position}/requests");
    assert_eq!(server.get(&path).await["requests"], json!([]));
}

const CONSENT: &str = "\
manifest: 1
id: agreed
name: Agreed
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
  client_id: {type: string}
  client_secret: {type: password}
auth:
  oauth2:
    authorize_url: '{{ raw(settings.base) }}/agree?prompt=consent'
    token_url: '{{ raw(settings.base) }}/token'
    scopes: [read, write]
    client_id: =settings.client_id
    client_secret: =settings.client_secret
actions:
  send:
    title: Send
    trigger: type = \"track\"
    request: {url: '{{ raw(settings.base) }}/events', json: {name: =event.event}}
presets:
  - {name: Sends, action: send, trigger: type = \"track\"}
";

fn vendor(line: &str) -> (u16, &'static str) {
    match line {
        "POST /token" => {
            (200, r#"{"access_token": "token-of-ada", "refresh_token": "again-of-ada"}"#)
        }
        _ => (200, "{}"),
    }
}

fn parameters(of: &str) -> std::collections::BTreeMap<String, String> {
    let query = of.split_once('?').map_or(of, |(_, query)| query);
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

#[tokio::test]
async fn somebody_agrees_at_the_vendor_and_the_destination_has_tokens() {
    let tool = Tool::start(vendor).await;
    let server = Server::with_destinations(&[("agreed", CONSENT)]);
    let settings = json!({"base": tool.url, "client_id": "us", "client_secret": "secret-of-us"});
    let body = json!({"name": "agreed", "kind": "agreed", "settings": settings});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    let path = "/api/destinations/agreed/authorize";
    let begun = server.done(Method::POST, path, Some(json!({}))).await;
    let url = begun["url"].as_str().expect("an address");
    assert!(url.starts_with(&format!("{}/agree?prompt=consent&", tool.url)), "{url}");
    let asked = parameters(url);
    let redirect = format!("{}/oauth2/callback", server.url);
    assert_eq!(
        ["response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"]
            .map(|name| asked[name].as_str()),
        ["code", "us", redirect.as_str(), "read write", "S256"]
    );
    assert!(!url.contains("secret-of-us"), "{url}");

    let back = async |query: String| {
        let answer =
            server.http.get(format!("{redirect}?{query}")).send().await.expect("an answer");
        (answer.status(), answer.text().await.expect("text"))
    };
    let state = &asked["state"];
    let (status, text) = back("state=guessed&code=c".to_owned()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{text}");
    let (status, text) = back(format!("state={state}&code=c%2F1")).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(!text.contains("token-of-ada"), "{text}");
    // A state is taken once.
    let (status, _) = back(format!("state={state}&code=c%2F1")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    let redeemed: Vec<_> = tool.got().into_iter().filter(|got| got.line == "POST /token").collect();
    assert_eq!(redeemed.len(), 1);
    let form = parameters(&redeemed[0].body);
    assert_eq!(
        ["grant_type", "code", "redirect_uri", "client_secret"].map(|name| form[name].as_str()),
        ["authorization_code", "c/1", redirect.as_str(), "secret-of-us"]
    );
    let challenge = {
        use base64::Engine as _;
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(form["code_verifier"].as_bytes());
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash)
    };
    assert_eq!(challenge, asked["code_challenge"]);

    // They are used, kept over a restart, and shown to nobody.
    let server = server.again();
    send(&server, "Hi", json!({})).await;
    settled(&server, "agreed", 1).await;
    let sent = tool.got().pop().expect("the event");
    assert_eq!(sent.headers["authorization"], "Bearer token-of-ada");
    let shown = server.get("/api/destinations/agreed").await.to_string();
    assert!(shown.contains("auth.refresh_token") && !shown.contains("of-ada"), "{shown}");
}

#[tokio::test]
async fn only_this_servers_callback_is_sent_back_to_and_what_the_vendor_says_is_text() {
    let tool = Tool::start(vendor).await;
    let server = Server::with_destinations(&[("agreed", CONSENT), ("own", OWN)]);
    let body = json!({"name": "agreed", "kind": "agreed", "settings": {"base": tool.url}});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    let path = "/api/destinations/agreed/authorize";
    for wrong in [
        "http://example.com/oauth2/callback",
        "https://example.com/elsewhere",
        "https://a@example.com/oauth2/callback",
        "javascript:alert(1)",
    ] {
        let (status, answer) =
            server.ask(Method::POST, path, Some(json!({"redirect_uri": wrong}))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(answer["error"]["field"], "redirect_uri");
    }
    let wanted = json!({"redirect_uri": "https://cdp.example.com/oauth2/callback"});
    let begun = server.done(Method::POST, path, Some(wanted)).await;
    let state = parameters(begun["url"].as_str().expect("an address"))["state"].clone();
    let query = format!("state={state}&error=%3Cscript%3Ealert(1)%3C%2Fscript%3E");
    let callback = format!("{}/oauth2/callback?{query}", server.url);
    let answer = server.http.get(callback).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        answer.headers()["content-security-policy"],
        "default-src 'none'; frame-ancestors 'none'"
    );
    let text = answer.text().await.expect("text");
    assert!(text.contains("did not agree: &lt;script&gt;"), "{text}");
    assert!(!tool.lines().contains(&"POST /token".to_owned()));

    let settings = json!({"base": tool.url, "key": "k-secret"});
    let body = json!({"name": "own", "kind": "own", "settings": settings});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    let path = "/api/destinations/own/authorize";
    let (status, _) = server.ask(Method::POST, path, Some(json!({}))).await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn files_have_the_functions_of_destinations() {
    let (hook, called) = (Receiver::start().await, Receiver::start().await);
    let tool = Tool::start(|_| (200, "")).await;
    let server = Server::with_destinations(&[("own", OWN)]);
    three(&server, &hook, &tool, &called).await;
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    command(&server, &["export", "--dir", dir], &[]);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
    let call = read("destinations/call.yaml");
    assert!(call.contains("kind: function") && call.contains("  function: caller"), "{call}");
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");

    written(
        &folder,
        "functions/drop.yaml",
        "id: drop\nname: Drop\nkind: insert\ncode: |\n  \
        async function onTrack(event, settings) { throw new DropEvent(settings.why); }\nsettings:\n- {name: why, kind: text}\n",
    );
    let mine = read("destinations/mine.yaml");
    written(
        &folder,
        "destinations/mine.yaml",
        &format!("{mine}insert_function: {{function: drop, settings: {{why: enough}}}}\n"),
    );
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(is_done, "{said}");
    let shown = server.get("/api/destinations/mine").await;
    assert_eq!(shown["insert_function"]["function"], "drop", "{shown}");
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");
    send(&server, "Hi", json!({})).await;
    let status = settled(&server, "mine", 1).await;
    assert_eq!((&status["filtered"], tool.lines().len()), (&json!(1), 0), "{status}");
}
