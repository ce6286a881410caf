//! OAuth of sources, as Segment's Node SDK does it: a signed assertion, a token, events.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use selfsame_event::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::files::{command, written};
use super::server::{DEV, Server, run};

const PRIVATE: &str = include_str!("../../../../selfsame-collect/tests/keys/oauth-client.pem");
const PUBLIC: &str = include_str!("../../../../selfsame-collect/tests/keys/oauth-client.pub.pem");

/// An assertion as the SDK makes it, with some claims changed.
fn assertion(server: &Server, changes: &Value) -> String {
    let inner: String = PRIVATE.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(inner).expect("base64")).expect("a key");
    let now = SystemClock::default().wall().micros() / 1_000_000;
    let mut claims = json!({ "iss": "app", "sub": "app", "aud": server.at("/oauth2"),
        "iat": now - 5, "exp": now + 55, "jti": "one" });
    for (name, value) in changes.as_object().expect("changes") {
        claims[name] = value.clone();
    }
    let header = json!({ "alg": "RS256", "kid": "k1", "typ": "JWT" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mut by = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut by).expect("signed");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(by))
}

/// What the token endpoint answers.
async fn token(server: &Server, assertion: &str) -> (StatusCode, Value) {
    let form = format!(
        "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
         &client_assertion={assertion}&scope=tracking_api:write"
    );
    post(server, "application/x-www-form-urlencoded", form).await
}

async fn post(server: &Server, kind: &str, body: String) -> (StatusCode, Value) {
    let request = server.plain(Method::POST, "/oauth2/token");
    let answer = request.header("content-type", kind).body(body).send().await.expect("an answer");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    (answer.status(), answer.json().await.expect("JSON"))
}

/// Sends an event with a token; the status and the code of the answer.
async fn event(server: &Server, token: Option<&str>) -> (StatusCode, Value) {
    let mut request = server.plain(Method::POST, "/v1/track");
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let body = json!({ "writeKey": DEV, "userId": "ada", "event": "Sent" });
    let answer = request.json(&body).send().await.expect("an answer");
    let status = answer.status();
    let answer: Value = answer.json().await.expect("JSON");
    (status, answer["code"].clone())
}

async fn guarded() -> Server {
    let server = Server::start();
    let client = json!({ "id": "app", "public_key": PUBLIC, "token_seconds": 120 });
    let added = "/api/sources/dev/oauth/clients";
    let added = server.done(Method::POST, added, Some(client)).await;
    assert_eq!(added["oauth"]["clients"][0]["keys"][0]["algorithm"], "RS256", "{added}");
    let required = Some(json!({ "required": true }));
    server.done(Method::PUT, "/api/sources/dev/oauth", required).await;
    server
}

#[tokio::test]
async fn a_client_gets_a_token_and_sends_with_it_until_it_is_removed() {
    let server = guarded().await;
    assert_eq!(event(&server, None).await, (StatusCode::UNAUTHORIZED, json!("missing_token")));
    let (status, answer) = token(&server, &assertion(&server, &json!({}))).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(120)));
    let access = answer["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(event(&server, Some(&access)).await, (StatusCode::OK, Value::Null));
    let wrong = format!("{access}x");
    assert_eq!(event(&server, Some(&wrong)).await.1, "invalid_token");

    // Another source's clients are not this one's.
    let other = json!({ "name": "other", "write_key": "other-source-key" });
    server.done(Method::POST, "/api/sources", Some(other)).await;
    let client = json!({ "id": "app", "public_key": PUBLIC });
    let clients = "/api/sources/other/oauth/clients";
    let (status, answer) = server.ask(Method::POST, clients, Some(client)).await;
    assert_eq!((status.as_u16(), &answer["error"]["code"]), (409, &json!("taken")), "{answer}");

    // Tokens outlive a restart, for their key does.
    let server = server.again();
    assert_eq!(event(&server, Some(&access)).await, (StatusCode::OK, Value::Null));
    let client = "/api/sources/dev/oauth/clients/app";
    let (status, answer) = server.ask(Method::DELETE, client, None).await;
    assert_eq!(status, 409, "nobody could send any more: {answer}");
    let off = Some(json!({ "required": false }));
    server.done(Method::PUT, "/api/sources/dev/oauth", off).await;
    assert_eq!(event(&server, None).await.0, 200);
    server.done(Method::DELETE, client, None).await;
    let second = json!({ "id": "second", "public_key": PUBLIC });
    server.done(Method::POST, "/api/sources/dev/oauth/clients", Some(second)).await;
    let on = Some(json!({ "required": true }));
    server.done(Method::PUT, "/api/sources/dev/oauth", on).await;
    assert_eq!(event(&server, Some(&access)).await.1, "invalid_token", "its client is gone");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_for_a_token_is_said() {
    let server = guarded().await;
    let good = assertion(&server, &json!({}));
    assert_eq!(token(&server, &good).await.0, 200);
    let (status, answer) = token(&server, &good).await;
    assert_eq!((status.as_u16(), &answer["error"]), (401, &json!("invalid_client")), "{answer}");
    assert!(answer["error_description"].as_str().expect("text").contains("jti"), "{answer}");
    for (changes, error, status) in [
        (json!({ "jti": "2", "sub": "nobody" }), "invalid_client", 401),
        (json!({ "jti": "3", "aud": "https://oauth2.segment.io" }), "invalid_client", 401),
        (json!({ "jti": "4", "exp": 1 }), "invalid_client", 401),
        (json!({ "jti": "" }), "invalid_request", 400),
    ] {
        let (found, answer) = token(&server, &assertion(&server, &changes)).await;
        assert_eq!((found.as_u16(), &answer["error"]), (status, &json!(error)), "{changes}");
    }
    let form = "application/x-www-form-urlencoded";
    for (kind, body, error, status) in [
        ("application/json", "{}", "invalid_request", 415),
        (form, "", "invalid_request", 400),
        (form, "grant_type=password", "unsupported_grant_type", 400),
        (form, "grant_type=client_credentials&scope=public_api:read_write", "invalid_scope", 400),
        (form, "grant_type=client_credentials", "invalid_request", 400),
        (form, "grant_type=client_credentials&grant_type=x", "invalid_request", 400),
    ] {
        let (found, answer) = post(&server, kind, body.to_owned()).await;
        assert_eq!((found.as_u16(), &answer["error"]), (status, &json!(error)), "{body} {answer}");
    }
    let large = format!("grant_type={}", "x".repeat(20_000));
    assert_eq!(post(&server, form, large).await.0, 400);
}

#[tokio::test]
async fn clients_are_kept_by_commands_with_keys_that_rotate() {
    let server = Server::start();
    let file = server.beside("client.pem");
    std::fs::write(&file, PUBLIC).expect("written");
    let file = file.to_str().expect("a path").to_owned();
    let url = server.at("");
    let oauth = |args: &[&str]| {
        let head = ["source", "oauth"];
        let output = run(&[&head, args, &["--server", &url]].concat(), &[("SELFSAME_TOKEN", DEV)]);
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).expect("text")
    };
    assert!(oauth(&["require", DEV, "token"]).contains("add a client first"));
    let added = oauth(&["add", DEV, &file, "--id", "app", "--token-hours", "2"]);
    assert!(added.contains("keys k1 (RS256)  tokens for 2 h"), "{added}");
    let private = server.beside("private.pem");
    std::fs::write(&private, PRIVATE).expect("written");
    let refused = oauth(&["add-key", DEV, "app", private.to_str().expect("a path")]);
    assert!(refused.contains("private key"), "{refused}");
    assert!(oauth(&["add-key", DEV, "app", &file]).contains("k1 (RS256), k2 (RS256)"));
    assert!(oauth(&["add-key", DEV, "app", &file]).contains("at most 2 keys"));
    assert!(oauth(&["remove-key", DEV, "app", "k1"]).contains("keys k2 (RS256)"));
    assert!(oauth(&["remove-key", DEV, "app", "k2"]).contains("last key"));
    assert!(oauth(&["require", DEV, "token"]).contains("only with a token"));
    assert!(oauth(&["list", DEV]).contains("app  keys k2"));
    assert!(oauth(&["require", DEV, "nothing"]).contains("without a token too"));
    assert!(oauth(&["remove", DEV, "app"]).starts_with("The source takes"));
}

#[tokio::test]
async fn files_have_the_clients_and_leave_them_as_they_are_where_they_say_nothing() {
    let server = Server::start();
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    command(&server, &["export", "--dir", dir], &[]);
    let file = std::fs::read_to_string(folder.join("sources/dev.yaml")).expect("a file");
    assert!(!file.contains("\noauth:"), "{file}");
    let key = json!(PUBLIC);
    let clients = format!(
        "oauth: {{required: true, clients: [{{id: app, keys: [{{id: k1, public_key: {key}}}]}}]}}\n"
    );
    written(&folder, "sources/dev.yaml", &format!("{file}{clients}"));
    let (is_done, said) = command(&server, &["plan", dir], &[]);
    assert!(is_done && said.contains("oauth.required: false -> true"), "{said}");
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(is_done, "{said}");
    let shown = server.get("/api/sources/dev/oauth").await;
    assert_eq!((&shown["required"], &shown["clients"][0]["id"]), (&json!(true), &json!("app")));
    assert_eq!(shown["clients"][0]["token_seconds"], 86_400);
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");
    command(&server, &["export", "--dir", dir], &[]);
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");

    // A file that says nothing of them leaves them, and one without a client for a source that needs one is refused.
    written(&folder, "sources/dev.yaml", &file);
    let (_, said) = command(&server, &["plan", dir], &[]);
    assert!(said.contains("Nothing to do"), "{said}");
    written(&folder, "sources/dev.yaml", &format!("{file}oauth: {{required: true}}\n"));
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(!is_done && said.contains("add a client first"), "{said}");
    written(&folder, "sources/dev.yaml", &format!("{file}oauth: {{}}\n"));
    let (is_done, said) = command(&server, &["apply", dir], &[]);
    assert!(is_done, "{said}");
    assert_eq!(server.get("/api/sources/dev/oauth").await["clients"], json!([]));
}
