//! Destinations of the catalogue, from the events of a source to the requests at their receivers.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode as HttpStatus, Uri};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::files::{command, written};
use super::server::{DEV, Server, eventually, run};

const SALESFORCE: &str = include_str!("../../../../../destinations/salesforce/manifest.yaml");
const KEY: &str = "write-key-nobody-sees";
const TOKEN: &str = "access-token-nobody-sees";

/// What is answered to a method and path.
pub(super) type Answers = fn(&str) -> (u16, &'static str);

#[derive(Clone)]
pub(super) struct Tool {
    pub(super) url: String,
    answers: Answers,
    got: Arc<Mutex<Vec<Got>>>,
}

#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Tool {
    pub(super) async fn start(answers: Answers) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let tool = Self { url, answers, got: Arc::default() };
        let app = Router::new().fallback(take).with_state(tool.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        tool
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().expect("no test panics here").clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.got().into_iter().map(|got| got.line).collect()
    }
}

async fn take(
    State(tool): State<Tool>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (HttpStatus, &'static str) {
    let (line, body) = (format!("{method} {}", uri.path()), String::from_utf8_lossy(&body).into());
    let (status, answer) = (tool.answers)(&line);
    tool.got.lock().expect("no test panics here").push(Got { line, headers, body });
    (HttpStatus::from_u16(status).expect("a status"), answer)
}

/// The manifest of Salesforce, for one on this machine.
fn salesforce() -> String {
    let rule = "=matches(settings.instanceUrl, '^https://[^/]*[.]salesforce[.]com(/|$)')";
    assert!(SALESFORCE.contains(rule), "the rule that its own addresses keep");
    SALESFORCE.replace(rule, "=true")
}

fn crm(line: &str) -> (u16, &'static str) {
    match line {
        "GET /services/data/v53.0/query/" => (200, r#"{"totalSize": 0, "records": []}"#),
        "POST /services/data/v53.0/sobjects/Contact" => (201, r#"{"id": "003", "success": true}"#),
        _ => (404, "[]"),
    }
}

pub(super) async fn status_of(server: &Server, id: &str) -> Value {
    let status = server.get(&format!("/api/destinations/{id}")).await["status"].clone();
    let count = |name: &str| status[name].as_u64().unwrap_or(0);
    let parts = ["delivered", "filtered", "dead", "pending"].map(count);
    assert_eq!(count("accepted"), parts.iter().sum::<u64>(), "{status}");
    status
}

pub(super) async fn settled(server: &Server, id: &str, units: u64) -> Value {
    server.folded().await;
    eventually("an end", async || {
        let status = status_of(server, id).await;
        (status["pending"] == 0 && status["accepted"] == units).then_some(status)
    })
    .await
}

#[tokio::test]
async fn events_reach_two_tools_as_their_manifests_say() {
    let collector = Tool::start(|_| (200, r#"{"success": true}"#)).await;
    let sales = Tool::start(crm).await;
    let server = Server::with_destinations(&[("salesforce", &salesforce())]);
    let body = json!({"name": "Our Segment", "kind": "segment",
        "settings": {"writeKey": KEY, "endpoint": collector.url},
        "mappings": [{"action": "sendTrack"}, {"action": "sendIdentify", "name": "people"}]});
    let made = server.done(Method::POST, "/api/destinations", Some(body)).await;
    assert_eq!(made["secret"], Value::Null);
    assert_eq!(made["destination"]["mappings"][0]["trigger"], "type = \"track\"");
    let body = json!({"name": "Sales", "kind": "salesforce",
        "settings": {"instanceUrl": sales.url}, "auth": {"access_token": TOKEN}});
    server.done(Method::POST, "/api/destinations", Some(body)).await;

    let traits = json!({"email": "ada@example.com", "last_name": "Lovelace"});
    let identify = json!({"userId": "ada", "traits": traits, "messageId": "m-identify"});
    assert_eq!(server.send(DEV, "identify", identify).await, StatusCode::OK);
    let track = json!({"userId": "ada", "event": "Signed Up", "messageId": "m-track"});
    assert_eq!(server.send(DEV, "track", track).await, StatusCode::OK);

    let segment = settled(&server, "our-segment", 2).await;
    assert_eq!((&segment["delivered"], &segment["filtered"]), (&json!(2), &json!(0)));
    let salesforce = settled(&server, "sales", 2).await;
    assert_eq!((&salesforce["delivered"], &salesforce["filtered"]), (&json!(1), &json!(1)));

    // They go by batches; a second one of the same person comes behind the first.
    let paths = collector.lines();
    assert!(paths[0].ends_with("/identify") && paths[1].ends_with("/track"), "{paths:?}");
    let sent: Value = serde_json::from_str(&collector.got()[1].body).expect("JSON");
    assert_eq!((&sent["messageId"], &sent["event"]), (&json!("m-track"), &json!("Signed Up")));
    assert_eq!(
        sales.lines(),
        ["GET /services/data/v53.0/query/", "POST /services/data/v53.0/sobjects/Contact"]
    );
    let made: Value = serde_json::from_str(&sales.got()[1].body).expect("JSON");
    assert_eq!(made, json!({"LastName": "Lovelace", "Email": "ada@example.com"}));
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(sales.got()[1].headers["authorization"], bearer.as_str());

    let output = run(&["trace", "m-identify", "--server", &server.url, "--token", DEV], &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for said in ["to our-segment  delivered", "people: delivered 200", "Contacts: delivered 201"] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    let output = run(&["trace", "m-track", "--server", &server.url, "--token", DEV], &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("to sales  filtered: No mapping of the destination wants it."), "{text}");

    let shown = server.get("/api/destinations").await.to_string();
    assert!(!shown.contains(KEY) && !shown.contains(TOKEN), "{shown}");
    assert!(shown.contains("writeKey") && shown.contains("auth.access_token"), "{shown}");
    let test = server.done(Method::POST, "/api/destinations/our-segment/test", None).await;
    assert_eq!(
        (&test["delivered"], &test["sent"][0]["mapping"]),
        (&json!(true), &json!("sendTrack"))
    );
    assert_eq!(test["sent"][0]["request"]["headers"]["authorization"], "Basic ***");
}

#[tokio::test]
async fn what_is_refused_is_a_dead_letter_of_its_mapping_and_a_mended_mapping_sends_it() {
    let collector = Tool::start(|line| match line {
        "POST /track" => (400, "no such event"),
        _ => (200, ""),
    })
    .await;
    let server = Server::start();
    let mappings = json!([
        {"name": "orders", "action": "sendTrack"},
        {"name": "again", "action": "sendIdentify", "trigger": "type = \"track\"",
         "mapping": {"userId": {"@path": "$.userId"}}}]);
    let body = json!({"name": "copy", "kind": "segment", "mappings": mappings,
        "settings": {"writeKey": KEY, "endpoint": collector.url}});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    let track = json!({"userId": "ada", "event": "Order", "messageId": "m-1"});
    assert_eq!(server.send(DEV, "track", track).await, StatusCode::OK);
    let status = settled(&server, "copy", 2).await;
    assert_eq!((&status["delivered"], &status["dead"]), (&json!(1), &json!(1)));
    let letters = server.get("/api/destinations/copy/dead-letters").await;
    let letter = &letters["data"][0];
    assert_eq!((&letter["failure"], &letter["mappings"]), (&json!("rejected"), &json!(["orders"])));

    // The dead one is sent as what the mapping says now; the other mapping keeps what it was.
    let mended = json!([
        {"name": "orders", "action": "sendPage", "trigger": "type = \"track\"",
         "mapping": {"userId": {"@path": "$.userId"}, "name": "Order"}},
        {"name": "again", "action": "sendIdentify", "trigger": "type = \"track\""}]);
    let change = Some(json!({"mappings": mended}));
    server.done(Method::PATCH, "/api/destinations/copy", change).await;
    let path = "/api/destinations/copy/dead-letters/resend";
    server.done(Method::POST, path, Some(json!({"failure": "rejected"}))).await;
    let status = eventually("its delivery", async || {
        let status = status_of(&server, "copy").await;
        (status["delivered"] == 2).then_some(status)
    })
    .await;
    assert_eq!((&status["accepted"], &status["dead"]), (&json!(2), &json!(0)));
    assert_eq!(collector.lines(), ["POST /track", "POST /identify", "POST /page"]);
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place() {
    let server = Server::start();
    let refused = async |body: Value| {
        let (status, answer) = server.ask(Method::POST, "/api/destinations", Some(body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        let error = &answer["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (text("field"), text("message"))
    };
    let good = json!({"writeKey": KEY});
    for (body, field, said) in [
        (json!({"name": "a", "kind": "segmnt"}), "kind", "did you mean `segment`?"),
        (json!({"name": "a", "kind": "our-own"}), "kind", "`selfsame destination catalogue --all`"),
        (json!({"name": "a", "kind": "segment"}), "settings", "`writeKey` is required"),
        (
            json!({"name": "a", "kind": "segment", "settings": {"writeKy": "x"}}),
            "settings",
            "no setting `writeKy`",
        ),
        (
            json!({"name": "a", "kind": "segment", "settings": good, "url": "https://example.com"}),
            "url",
            "`settings`",
        ),
        (
            json!({"name": "a", "kind": "slack", "settings": {}}),
            "mappings",
            "Its actions are `postToChannel`",
        ),
        (
            json!({"name": "a", "kind": "segment", "settings": good,
                "mappings": [{"action": "sendTrck"}]}),
            "mappings[0].action",
            "no action `sendTrck`",
        ),
        (
            json!({"name": "a", "kind": "segment", "settings": good,
                "mappings": [{"action": "sendTrack", "trigger": "type = \"track"}]}),
            "mappings[0].trigger",
            "byte 7",
        ),
        (
            json!({"name": "a", "kind": "segment", "settings": good, "mappings": [
                {"action": "sendTrack", "mapping": {"event": {"@pth": "$.event"}}}]}),
            "mappings[0].mapping",
            "/event/@pth",
        ),
        (json!({"name": "a"}), "url", "`url` is needed"),
    ] {
        let (at, message) = refused(body.clone()).await;
        assert_eq!(at, field, "{body}: {message}");
        assert!(message.contains(said) && !message.contains(KEY), "{said}: {message}");
    }
    assert_eq!(server.get("/api/destinations").await["data"], json!([]));
}

#[tokio::test]
async fn files_make_and_change_them_with_secrets_from_the_environment() {
    let collector = Tool::start(|_| (200, "")).await;
    let server = Server::start();
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    command(&server, &["export", "--dir", dir], &[]);
    let file = format!(
        "id: copy\nname: Copy\nspace: dev\nkind: segment\nsettings: {{endpoint: {}}}\n\
         settings_env: {{writeKey: COPY_KEY}}\nmappings:\n- {{name: tracks, action: sendTrack, \
         trigger: type = \"track\"}}\n",
        collector.url
    );
    written(&folder, "destinations/copy.yaml", &file);
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(!is_done && said.contains("COPY_KEY"), "{said}");
    let (is_done, said) = command(&server, &["apply", dir], &[("COPY_KEY", KEY)]);
    assert!(is_done && !said.contains(KEY) && !said.contains("shown this once"), "{said}");
    let (is_done, said) = command(&server, &["plan", dir], &[]);
    assert!(is_done && said.contains("Nothing to do"), "{said}");

    let changed = file.replace("name: tracks", "enabled: false, name: tracks");
    let changed = changed.replace(&collector.url, &format!("{}/v2", collector.url));
    written(&folder, "destinations/copy.yaml", &changed);
    let (_, said) = command(&server, &["plan", dir], &[]);
    for part in ["settings.endpoint: ", "mappings[tracks].enabled: true -> false"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let (is_done, said) = command(&server, &["apply", dir], &[("COPY_KEY", KEY)]);
    assert!(is_done, "{said}");
    let shown = server.get("/api/destinations/copy").await;
    assert_eq!(shown["settings"]["endpoint"], format!("{}/v2", collector.url));
    assert_eq!(
        (&shown["secret_settings"], &shown["problem"]),
        (&json!(["writeKey"]), &Value::Null)
    );
    let (_, again) = command(&server, &["export", "--dir", dir], &[]);
    assert!(again.contains("3 files"), "{again}");
    let text = std::fs::read_to_string(folder.join("destinations/copy.yaml")).expect("a file");
    assert!(text.contains("writeKey: COPY_KEY") && !text.contains(KEY), "{text}");
}

#[tokio::test]
async fn a_program_of_the_actions_pack_is_a_destination_like_any_other() {
    let tool = Tool::start(|_| (200, "{}")).await;
    let server = Server::start();
    let ids = async |path: &str| {
        let listed = server.get(path).await;
        let ids = listed["data"].as_array().expect("a list").iter();
        ids.map(|one| one["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let all = ids("/api/catalogue?all=true").await;
    if !all.iter().any(|id| id == "community-webhook") {
        println!("this build has no actions pack: `make pack` builds it");
        return;
    }
    let listed = ids("/api/catalogue").await;
    assert!(listed.iter().any(|id| id == "webhook") && listed.iter().any(|id| id == "close"));
    assert!(!listed.iter().any(|id| id == "community-webhook"), "there is a native one");
    let shown = server.get("/api/catalogue/community-webhook").await;
    assert_eq!(
        (&shown["status"], &shown["settings"]["sharedSecret"]["type"]),
        (&json!("community"), &json!("password"))
    );

    let mapping = json!({"url": format!("{}/in", tool.url), "method": "PUT",
        "headers": {"x-own": "one"}, "data": {"@path": "$.properties"}});
    let body = json!({"name": "hook", "kind": "community-webhook", "settings": {"sharedSecret": KEY},
        "mappings": [{"action": "send", "trigger": "type = \"track\"", "mapping": mapping}]});
    server.done(Method::POST, "/api/destinations", Some(body)).await;
    for (id, user) in [("m-1", "ada"), ("m-2", "bob")] {
        let track =
            json!({"userId": user, "event": "Order", "messageId": id, "properties": {"id": id}});
        assert_eq!(server.send(DEV, "track", track).await, StatusCode::OK);
    }
    let status = settled(&server, "hook", 2).await;
    assert_eq!((&status["delivered"], &status["dead"]), (&json!(2), &json!(0)));
    assert_eq!(tool.lines(), ["PUT /in", "PUT /in"]);
    let got = &tool.got()[0];
    let sent: Value = serde_json::from_str(&got.body).expect("JSON");
    assert_eq!(sent, json!({"id": "m-1"}));
    assert_eq!(got.headers["x-own"], "one");
    assert_eq!(got.headers["x-signature"].len(), 40, "it is signed by the program");
    assert!(!server.get("/api/destinations").await.to_string().contains(KEY));
}

pub(super) const OWN: &str = "\
manifest: 1
id: own
name: Own
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
  key: {type: password, required: true}
auth: {header: {x-key: =settings.key}}
actions:
  send:
    title: Send
    trigger: type = \"track\"
    fields:
      name: {type: string, required: true, default: {'@path': $.event}}
    request: {url: '{{ raw(settings.base) }}/one/{{ payload.name }}'}
presets:
  - {name: Sends, action: send, trigger: type = \"track\"}
";

// The program is run to its end while the tool answers it.
#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_changes_is_taken_up_while_the_server_runs() {
    let tool = Tool::start(|_| (200, "")).await;
    let server = Server::with_destinations(&[]);
    let manifests = server.beside("destinations");
    written(&manifests, "own/manifest.yaml", OWN);
    let settings = json!({"base": tool.url, "key": KEY});
    written(&server.beside("x"), "settings.json", &settings.to_string());
    let file = server.beside("x").join("settings.json");
    let file = file.to_str().expect("text");
    let create = ["destination", "create", "--type", "own", "--name", "Own", "--settings", file];
    let said = eventually("the manifest", async || {
        let (is_done, said) = command(&server, &create, &[]);
        is_done.then_some(said)
    })
    .await;
    assert!(said.contains("Made `own` (own).") && said.contains("Sends: send"), "{said}");
    let send = async |name: &str| {
        let event = json!({"userId": "ada", "event": name});
        assert_eq!(server.send(DEV, "track", event).await, StatusCode::OK);
    };
    send("First").await;
    settled(&server, "own", 1).await;

    // A wrong one is refused, and what was there stays.
    written(
        &manifests,
        "own/manifest.yaml",
        &OWN.replace("/one/", "/two/").replace("url:", "ulr:"),
    );
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    send("Second").await;
    settled(&server, "own", 2).await;
    let entry = async || {
        let all = server.get("/api/catalogue").await["data"].clone();
        let all = all.as_array().expect("a list").clone();
        all.into_iter().find(|one| one["id"] == "own").expect("it is listed")
    };
    let shown = entry().await;
    let problem = shown["problem"].as_str().expect("a problem");
    assert!(problem.contains("line ") && problem.contains("`ulr`"), "{problem}");
    assert_eq!(shown["name"], "Own", "the one before is in force");
    assert_eq!(server.get("/api/destinations/own").await["manifest_problem"], problem);
    let (_, said) = command(&server, &["destination", "list"], &[]);
    assert!(said.contains("the manifest `own` is wrong, that before is in force"), "{said}");
    written(&manifests, "own/manifest.yaml", &OWN.replace("/one/", "/two/"));
    eventually("the new one", async || {
        send("Third").await;
        tool.lines().contains(&"POST /two/Third".to_owned()).then_some(())
    })
    .await;
    assert_eq!(tool.lines()[..2], ["POST /one/First", "POST /one/Second"]);

    // What is there without a server: one event, sent and shown.
    written(&server.beside("x"), "event.json", r#"{"type": "track", "event": "Test"}"#);
    let event = server.beside("x").join("event.json");
    let folder = manifests.to_str().expect("text");
    let test = |more: &[&str]| {
        let all = [
            "destination",
            "test",
            "--destination",
            "own",
            "--settings",
            file,
            "--event",
            event.to_str().expect("text"),
            "--folder",
            folder,
        ];
        run(&[&all[..], more].concat(), &[])
    };
    let output = test(&["--allow-loopback"]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && !text.contains(KEY), "{text}");
    let shown: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(shown["sent"][0]["request"]["headers"]["x-key"], "***");
    assert_eq!(
        (&shown["outcome"], &shown["sent"][0]["answer"]["status"]),
        (&json!("delivered"), &json!(200))
    );
    let output = test(&[]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("blocked"), "not to this machine");
}
