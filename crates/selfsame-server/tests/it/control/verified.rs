//! What somebody with the public key of a browser can do to a person who is known: every attack that
//! was thought of, over HTTP, against a victim whose profile must stay as it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

use super::server::{DEV, Server, run};

pub(super) const SITE: &str = "site-key-is-public";
pub(super) const BACKEND: &str = "backend-key-is-secret";
const SECRET: &str = "the identity secret of the site, which its backend has";
/// 2100-01-01.
const LATER: u64 = 4_102_444_800;
pub(super) const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEXKJh5EaH5vRy+x7wJ/L2oxfmpuMM
DrdVGP3gquLPbBinmLa4aWYZwlulszz1JBAzBSU0aIJOe5i93eHihFwEgg==
-----END PUBLIC KEY-----
";

fn signed(secret: &[u8], header: &Value, payload: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("any length");
    mac.update(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// What the site's backend gives to a visitor who signed in.
pub(super) fn token(user: &str) -> String {
    let payload = json!({"sub": user, "aud": SITE, "exp": LATER});
    signed(SECRET.as_bytes(), &json!({"alg": "HS256", "typ": "JWT", "kid": "k1"}), &payload)
}

/// A server with a site and a backend, and a victim whom both know.
pub(super) async fn world(guarded: bool) -> Server {
    let server = Server::start();
    for (name, kind, key) in [("Site", "browser", SITE), ("Backend", "server", BACKEND)] {
        let body = json!({"name": name, "kind": kind, "write_key": key});
        server.done(Method::POST, "/api/sources", Some(body)).await;
    }
    if guarded {
        let keys = "/api/sources/site/identity-keys";
        let body = json!({"id": "k1", "secret": SECRET});
        server.done(Method::POST, keys, Some(body)).await;
        let body = json!({"id": "e1", "public_key": PUBLIC_KEY});
        server.done(Method::POST, keys, Some(body)).await;
    }
    let victim = json!({
        "userId": "victim", "anonymousId": "a1", "messageId": "v1", "traits": {"name": "Ada"},
        "context": {"identityToken": token("victim")},
    });
    send(&server, SITE, "identify", victim).await;
    let known = json!({"userId": "victim", "traits": {"email": "ada@b.c"}, "messageId": "v2"});
    send(&server, BACKEND, "identify", known).await;
    server
}

pub(super) async fn send(server: &Server, key: &str, route: &str, event: Value) {
    assert_eq!(server.send(key, route, event).await, StatusCode::OK);
    server.folded().await;
}

/// Everything that the Profile API says of a person, but for the position that it is as of.
async fn person(server: &Server, id: &str) -> Value {
    let at = format!("/v1/spaces/dev/collections/users/profiles/{id}");
    let mut all = json!({});
    for part in ["traits", "external_ids", "events", "links"] {
        let (status, answer) = server.ask(Method::GET, &format!("{at}/{part}"), None).await;
        let name = if part == "traits" { "traits" } else { "data" };
        all[part] = if status == StatusCode::OK { answer[name].clone() } else { Value::Null };
    }
    all
}

pub(super) fn attacks() -> Vec<(&'static str, Value)> {
    let mine = json!({"name": "Eve", "plan": "stolen"});
    vec![
        ("identify", json!({"userId": "victim", "traits": mine})),
        ("identify", json!({"userId": "victim", "anonymousId": "a9", "traits": mine})),
        ("identify", json!({"anonymousId": "a9", "traits": {"email": "ada@b.c", "plan": "x"}})),
        ("identify", json!({"anonymousId": "a9", "traits": {"email": " ADA@B.C ", "plan": "x"}})),
        (
            "identify",
            json!({"anonymousId": "a9", "traits": mine, "context": {"traits": {"email": "ada@b.c"}}}),
        ),
        (
            "identify",
            json!({"anonymousId": "a9", "traits": mine, "context": {"externalIds": [
                {"id": "victim", "type": "user_id", "collection": "users", "encoding": "none"},
            ]}}),
        ),
        ("track", json!({"userId": "victim", "anonymousId": "a9", "event": "Order Completed"})),
        ("page", json!({"userId": "victim", "anonymousId": "a9"})),
        ("screen", json!({"userId": "victim"})),
        ("alias", json!({"userId": "eve", "previousId": "victim"})),
        ("alias", json!({"userId": "victim", "previousId": "eve"})),
        ("alias", json!({"userId": "victim", "previousId": "a9"})),
        ("alias", json!({"userId": "a9", "previousId": "ada@b.c"})),
        ("group", json!({"userId": "victim", "anonymousId": "a9", "groupId": "evil"})),
        ("group", json!({"userId": "victim", "groupId": "evil", "traits": {"name": "Evil"}})),
    ]
}

/// Tokens that prove nothing, each with the code of why.
pub(super) fn bad_tokens() -> Vec<(Value, &'static str)> {
    let head = json!({"alg": "HS256", "kid": "k1"});
    let payload = json!({"sub": "victim", "aud": SITE, "exp": LATER});
    let but = |name: &str, value: Value| {
        let mut payload = payload.clone();
        payload[name] = value;
        json!(signed(SECRET.as_bytes(), &head, &payload))
    };
    let unsigned = {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        json!(format!("{}.{}.", part(&json!({"alg": "none"})), part(&payload)))
    };
    let forged = |secret: &[u8], head: Value| json!(signed(secret, &head, &payload));
    vec![
        (forged(b"a secret that somebody guessed, and wrongly", head.clone()), "signature"),
        (but("exp", json!(1)), "expired"),
        (but("nbf", json!(LATER)), "not_yet"),
        (but("aud", json!("another-key")), "audience"),
        (but("aud", json!(BACKEND)), "audience"),
        // The attacker's own token, replayed for the victim.
        (json!(token("eve")), "subject"),
        (unsigned, "algorithm"),
        (forged(SECRET.as_bytes(), json!({"alg": "HS384", "kid": "k1"})), "algorithm"),
        // The public key, which everybody has, as if it were a secret.
        (forged(PUBLIC_KEY.as_bytes(), json!({"alg": "HS256"})), "signature"),
        (forged(PUBLIC_KEY.trim().as_bytes(), json!({"alg": "HS256", "kid": "k1"})), "signature"),
        (forged(PUBLIC_KEY.as_bytes(), json!({"alg": "HS256", "kid": "e1"})), "no_key"),
        (forged(PUBLIC_KEY.as_bytes(), json!({"alg": "ES256", "kid": "e1"})), "signature"),
        (forged(SECRET.as_bytes(), json!({"alg": "HS256", "kid": "gone"})), "no_key"),
        (json!({"sub": "victim"}), "malformed"),
        (json!("x".repeat(5_000)), "malformed"),
    ]
}

#[tokio::test]
async fn no_attack_with_a_public_key_reaches_a_person() {
    let server = world(true).await;
    let before = person(&server, "user_id:victim").await;
    assert_eq!(before["traits"], json!({"name": "Ada", "email": "ada@b.c"}), "{before}");
    assert_eq!(before["events"].as_array().map(Vec::len), Some(2));
    // Whoever attacks may be somebody with a token too.
    let eve =
        json!({"userId": "eve", "anonymousId": "a9", "context": {"identityToken": token("eve")}});
    send(&server, SITE, "identify", eve).await;
    for (route, mut attack) in attacks() {
        for own_token in [false, true] {
            if own_token {
                attack["context"]["identityToken"] = json!(token("eve"));
            }
            send(&server, SITE, route, attack.clone()).await;
            assert_eq!(person(&server, "user_id:victim").await, before, "{route} {attack}");
        }
    }
    for (token, _) in bad_tokens() {
        let attack = json!({
            "userId": "victim", "anonymousId": "a9", "traits": {"name": "Eve"},
            "context": {"identityToken": token},
        });
        send(&server, SITE, "identify", attack).await;
        assert_eq!(person(&server, "user_id:victim").await, before, "{token}");
    }
    // A token of the batch, and one in an image.
    let batch = json!({
        "context": {"identityToken": token("eve")},
        "batch": [{"type": "identify", "userId": "victim", "traits": {"name": "Eve"}}],
    });
    send(&server, SITE, "batch", batch).await;
    let event = json!({"writeKey": SITE, "userId": "victim", "traits": {"name": "Eve"}});
    let data = URL_SAFE_NO_PAD.encode(event.to_string());
    let image = server.http.get(server.at(&format!("/v1/pixel/identify?data={data}"))).send().await;
    assert_eq!(image.expect("an image").status(), StatusCode::OK);
    server.folded().await;
    assert_eq!(person(&server, "user_id:victim").await, before);
    assert_eq!(person(&server, "anonymous_id:a1").await, before);
}

/// What the attacks of the test above do where nobody is guarded, as everywhere else in this trade.
#[tokio::test]
async fn without_an_identity_key_the_same_attacks_reach_everybody() {
    let server = world(false).await;
    let before = person(&server, "user_id:victim").await;
    let mut unharmed = Vec::new();
    for (route, attack) in attacks() {
        let seen = person(&server, "user_id:victim").await;
        send(&server, SITE, route, attack.clone()).await;
        if person(&server, "user_id:victim").await == seen {
            unharmed.push(format!("{route} {attack}"));
        }
    }
    assert_ne!(person(&server, "user_id:victim").await["traits"], before["traits"]);
    // Only links between two user ids are refused, by the limit of one.
    assert!(unharmed.len() <= 4, "{unharmed:#?}");
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_counted_and_named_and_its_event_is_kept() {
    let server = world(true).await;
    let tokens = bad_tokens();
    for (number, (token, _)) in tokens.iter().enumerate() {
        let event = json!({
            "userId": "victim", "anonymousId": "a9", "messageId": format!("t{number}"),
            "context": {"identityToken": token},
        });
        send(&server, SITE, "page", event).await;
    }
    for (number, (token, code)) in tokens.iter().enumerate() {
        let trace = server.get(&format!("/api/trace?message_id=t{number}")).await.to_string();
        let has = |text: &str| trace.contains(text);
        assert!(has("Identity token not valid") && has(code), "{code} of {token}: {trace}");
        assert!(has("Identifier not verified") && has("\"accepted\""), "{trace}");
    }
    let insights = server.get("/api/spaces/dev/insights?kind=identity_token_not_valid").await;
    assert_eq!(insights["counts"]["identity_token_not_valid"], tokens.len(), "{insights}");
    assert_eq!(insights["counts"]["identifier_not_verified"], tokens.len());
    assert_eq!(
        person(&server, "anonymous_id:a9").await["events"].as_array().map(Vec::len),
        Some(15)
    );
    let why = "/api/spaces/dev/identity/why?from=user_id:victim&to=anonymous_id:a9";
    let why = server.get(why).await;
    assert_eq!(why["refusals"][0]["rule"], "identifier_not_verified", "{why}");
    assert_eq!(why["refusals"][0]["left_out"]["value"], "victim");
    let metrics = server.http.get(server.at("/metrics")).bearer_auth(DEV).send().await;
    let metrics = metrics.expect("an answer").text().await.expect("text");
    let counted = "selfsame_collect_identity_tokens_total{code=\"signature\"} 4";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn a_visitor_who_signed_in_stays_who_they_are_when_the_token_ends() {
    let server = world(true).await;
    let ended = {
        let payload = json!({"sub": "victim", "aud": SITE, "exp": 1});
        signed(SECRET.as_bytes(), &json!({"alg": "HS256"}), &payload)
    };
    let page =
        |context: Value| json!({"userId": "victim", "anonymousId": "a1", "context": context});
    send(&server, SITE, "page", page(json!({}))).await;
    send(&server, SITE, "page", page(json!({"identityToken": ended}))).await;
    send(&server, SITE, "page", json!({"anonymousId": "a1"})).await;
    let person = person(&server, "user_id:victim").await;
    assert_eq!(person["events"].as_array().map(Vec::len), Some(5), "{person}");
}

#[tokio::test]
async fn what_a_device_did_before_joins_when_its_owner_proves_to_be_known() {
    let server = world(true).await;
    let track = json!({"anonymousId": "a2", "event": "Product Viewed"});
    send(&server, SITE, "track", track).await;
    let wrong = json!({"userId": "victim", "anonymousId": "a2"});
    send(&server, SITE, "identify", wrong).await;
    let count = async || person(&server, "user_id:victim").await["events"].as_array().map(Vec::len);
    assert_eq!(count().await, Some(2));
    let context = json!({"identityToken": token("victim")});
    let right = json!({"userId": "victim", "anonymousId": "a2", "context": context});
    send(&server, SITE, "identify", right).await;
    assert_eq!(count().await, Some(5));
}

#[tokio::test]
async fn a_claim_made_in_advance_gains_nothing_where_a_proof_is_required() {
    let server = world(true).await;
    let (said, _) = command(&server, &["source", "require", "site", "proof"]);
    assert!(said.contains("needs a proof"), "{said}");
    // Somebody takes an address and a user id that nobody has yet.
    let early = json!({"userId": "next", "anonymousId": "a9", "traits": {"email": "next@b.c"}});
    send(&server, SITE, "identify", early).await;
    let context = json!({"identityToken": token("next")});
    let next = json!({"userId": "next", "anonymousId": "a3", "traits": {"name": "Bea"}, "context": context});
    send(&server, SITE, "identify", next).await;
    let known = json!({"userId": "next", "traits": {"email": "next@b.c"}});
    send(&server, BACKEND, "identify", known).await;
    let before = person(&server, "user_id:next").await;
    let ids = before["external_ids"].as_array().expect("ids");
    assert!(ids.iter().any(|id| id["id"] == "a9"), "the address joined them: {before}");
    for event in [
        json!({"anonymousId": "a9", "traits": {"name": "Eve"}}),
        json!({"userId": "next", "anonymousId": "a9", "traits": {"name": "Eve"}}),
    ] {
        send(&server, SITE, "identify", event).await;
        assert_eq!(person(&server, "user_id:next").await, before);
    }
}

#[tokio::test]
async fn a_public_key_reads_nothing() {
    let server = world(true).await;
    let document = server.get("/openapi/profile.json").await;
    let profile = document["paths"].as_object().expect("paths").clone();
    let control =
        server.get("/api/openapi.json").await["paths"].as_object().expect("paths").clone();
    assert!(profile.len() >= 10 && control.len() > 30);
    let fill = |path: &str| {
        path.replace("{space}", "dev")
            .replace("{collection}", "users")
            .replace("profiles/{id}", "profiles/user_id:victim")
            .replace("{id}", "dev")
            .replace("{key}", "k1")
            .replace("{file}", "f")
    };
    for (path, methods) in profile.iter().chain(&control) {
        for (method, operation) in methods.as_object().expect("methods") {
            // Who signs in is nobody yet.
            let is_open = operation["x-permission"] == "none";
            assert!(!is_open || path.starts_with("/api/session"), "{path}");
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else { continue };
            if method == Method::from_bytes(b"PARAMETERS").expect("a word") {
                continue;
            }
            let ask = || server.http.request(method.clone(), server.at(&fill(path)));
            let own = token("eve");
            let keyed = [
                ask().basic_auth(SITE, Some("")),
                ask().bearer_auth(SITE),
                ask().bearer_auth(own),
                ask().query(&[("writeKey", SITE)]),
            ];
            for request in keyed {
                let answer = request.send().await.expect("an answer");
                let status = answer.status();
                let text = answer.text().await.expect("text");
                match is_open {
                    true if status.is_success() => {
                        let shown: Value = serde_json::from_str(&text).expect("JSON");
                        let is_nobody = match method == Method::GET {
                            true => {
                                shown["signed_in"] == false && shown["permissions"] == json!([])
                            }
                            false => shown == json!({ "id": "", "done": "signed out" }),
                        };
                        assert!(is_nobody, "{method} {path}: {text}");
                    }
                    true => assert!(status.is_client_error(), "{method} {path}: {status}"),
                    false => assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}"),
                }
                assert!(!text.contains("Ada") && !text.contains("ada@"), "{path}: {text}");
            }
        }
    }
    // What is answered to an event says neither where it is nor whom it is of.
    let mut answers = Vec::new();
    for (user, token) in
        [("victim", token("victim")), ("victim", token("eve")), ("none", "x".into())]
    {
        let body = json!({"userId": user, "context": {"identityToken": token}});
        let request = server.http.post(server.at("/v1/identify")).basic_auth(SITE, Some(""));
        let answer = request.json(&body).send().await.expect("an answer");
        assert!(answer.headers().keys().all(|name| !name.as_str().contains("selfsame")));
        answers.push((answer.status(), answer.text().await.expect("text")));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

fn command(server: &Server, arguments: &[&str]) -> (String, bool) {
    let mut all = arguments.to_vec();
    all.extend(["--server", server.url.as_str()]);
    let output = run(&all, &[("SELFSAME_TOKEN", DEV), ("IDENTITY_SECRET", SECRET)]);
    let is_done = output.status.success();
    (String::from_utf8([output.stdout, output.stderr].concat()).expect("text"), is_done)
}

/// The bytes of every file under a folder.
fn bytes(folder: &std::path::Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => bytes(&path, all),
            false => all.push((path.display().to_string(), std::fs::read(&path).expect("a file"))),
        }
    }
}

#[tokio::test]
async fn keys_are_rotated_and_a_secret_is_shown_once_and_a_token_is_kept_nowhere() {
    let server = world(true).await;
    let proves = async |token: String, id: &str| {
        let context = json!({"identityToken": token});
        let event = json!({"userId": "bob", "messageId": id, "context": context});
        send(&server, SITE, "identify", event).await;
        let trace = server.get(&format!("/api/trace?message_id={id}")).await.to_string();
        !trace.contains("Identity token not valid")
    };
    let of = |secret: &str, kid: &str| {
        let payload = json!({"sub": "bob", "aud": SITE, "exp": LATER});
        signed(secret.as_bytes(), &json!({"alg": "HS256", "kid": kid}), &payload)
    };
    let (said, is_done) =
        command(&server, &["source", "identity-key", "add", "site", "--id", "k2"]);
    let drawn = said.lines().find_map(|line| line.strip_prefix("secret        "));
    let drawn = drawn.and_then(|rest| rest.split(' ').next()).expect("a secret").to_owned();
    assert!(is_done && drawn.starts_with("sfi_"), "{said}");
    assert!(proves(of(SECRET, "k1"), "old").await && proves(of(&drawn, "k2"), "new").await);
    let (said, is_done) = command(&server, &["source", "identity-key", "remove", "site", "k1"]);
    assert!(is_done && said.contains("2 left"), "{said}");
    assert!(!proves(of(SECRET, "k1"), "gone").await && proves(of(&drawn, "k2"), "kept").await);
    let (said, _) = command(&server, &["source", "identity-key", "list", "site"]);
    let ends = drawn.get(drawn.len() - 4..).expect("an end");
    assert!(said.contains(&format!("k2  HS256  secret …{ends}")) && said.contains("e1  ES256"));
    let (said, _) = command(
        &server,
        &["source", "identity-key", "add", "site", "--secret-env", "IDENTITY_SECRET"],
    );
    assert!(said.contains("identity key  k1") && !said.contains(SECRET), "{said}");
    // What is shown later holds neither secret.
    let shown = server.get("/api/sources").await.to_string();
    let folder = server.beside("out");
    command(&server, &["export", "--dir", folder.to_str().expect("text")]);
    let mut exported = Vec::new();
    bytes(&folder, &mut exported);
    let exported: String =
        exported.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    for text in [&shown, &said, &exported] {
        assert!(!text.contains(&drawn) && !text.contains(SECRET), "{text}");
    }
    assert!(exported.contains("identity_required: false"), "{exported}");
    // Tokens are in no file, nor is the name of their place in an event.
    let mut files = Vec::new();
    bytes(&server.data(), &mut files);
    let wanted = [token("victim"), of(&drawn, "k2"), "identityToken".to_owned()];
    for (path, bytes) in files {
        for text in &wanted {
            let is_there = bytes.windows(text.len()).any(|window| window == text.as_bytes());
            assert!(!is_there, "{path} has {text}");
        }
    }
}

#[tokio::test]
async fn what_is_no_identity_key_is_refused_with_the_reason() {
    let server = world(true).await;
    let keys = "/api/sources/site/identity-keys";
    let cases = [
        (json!({"secret": "short"}), "secret"),
        (json!({"public_key": "rubbish"}), "public_key"),
        (json!({"public_key": "-----BEGIN PRIVATE KEY-----"}), "public_key"),
        (json!({"public_key": PUBLIC_KEY, "secret": SECRET}), "secret"),
        (json!({"id": "k1"}), "id"),
        (json!({"id": "with space"}), "id"),
    ];
    for (body, field) in cases {
        let (status, answer) = server.ask(Method::POST, keys, Some(body.clone())).await;
        assert!(status.is_client_error(), "{body}: {answer}");
        assert_eq!(answer["error"]["field"], field, "{body}: {answer}");
    }
    for _ in 0..6 {
        server.done(Method::POST, keys, Some(json!({}))).await;
    }
    let (status, _) = server.ask(Method::POST, keys, Some(json!({}))).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = server.ask(Method::DELETE, &format!("{keys}/never"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(server.get(keys).await["data"].as_array().map(Vec::len), Some(8));
}
