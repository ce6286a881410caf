//! Sources, spaces and destinations, made and changed while events flow.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::{DEV, Server, eventually, run};

const POST: Method = Method::POST;

fn identify(user: &str) -> Value {
    json!({"userId": user, "traits": {"email": format!("{user}@example.com")}})
}

#[tokio::test]
async fn a_source_is_made_and_its_keys_turn_over() {
    let server = Server::start();
    let body = json!({"name": "Web Shop", "strict": true, "dedupe": "workspace"});
    let (status, made) = server.ask(POST, "/api/sources", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(
        (&made["id"], &made["space"], &made["strict"]),
        (&json!("web-shop"), &json!("dev"), &json!(true))
    );
    let first = made["write_keys"][0]["key"].as_str().expect("a key").to_owned();
    assert_eq!(server.send(&first, "identify", identify("ada")).await, StatusCode::OK);

    let rotated =
        server.done(POST, "/api/sources/web-shop/write-keys/rotate", Some(json!({}))).await;
    let second = rotated["write_keys"][1]["key"].as_str().expect("a key").to_owned();
    for key in [&first, &second] {
        assert_eq!(server.send(key, "identify", identify("bob")).await, StatusCode::OK);
    }
    let finish = Some(json!({"finish": true}));
    server.done(POST, "/api/sources/web-shop/write-keys/rotate", finish.clone()).await;
    assert!(server.send(&first, "identify", identify("eve")).await.is_client_error());
    assert_eq!(server.send(&second, "identify", identify("eve")).await, StatusCode::OK);
    let (status, _) = server.ask(POST, "/api/sources/web-shop/write-keys/rotate", finish).await;
    assert_eq!(status, StatusCode::CONFLICT);

    let body = Some(json!({"key": "my-own-key-1"}));
    let added = server.done(POST, "/api/sources/web-shop/write-keys", body.clone()).await;
    assert_eq!(added["key"], "my-own-key-1");
    let (status, _) = server.ask(POST, "/api/sources/web-shop/write-keys", body).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let path = "/api/sources/web-shop/write-keys/my-own-key-1";
    let revoked = server.done(Method::DELETE, path, None).await;
    assert_eq!(revoked["write_keys"][2], json!({"key": "my-own-key-1", "revoked": true}));
    assert!(server.send("my-own-key-1", "identify", identify("x")).await.is_client_error());
    let (status, _) =
        server.ask(Method::DELETE, "/api/sources/web-shop/write-keys/none", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    let change = Some(json!({"name": "Shop", "strict": false}));
    let changed = server.done(Method::PATCH, "/api/sources/web-shop", change).await;
    assert_eq!((&changed["name"], &changed["dedupe"]), (&json!("Shop"), &json!("workspace")));
    server.folded().await;
    let shown = server.get("/api/sources/web-shop").await;
    assert_eq!(shown["name"], "Shop");
    assert_eq!(shown["events"], 4);
    assert_eq!(server.get("/api/sources").await["data"][1], shown);
    assert_eq!(server.get("/api/workspace").await["sources"], json!(["dev", "web-shop"]));
    let (status, _) = server.ask(Method::GET, "/api/sources/none", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sources_made_at_once_are_all_there() {
    let server = Server::start();
    let make = || server.done(POST, "/api/sources", Some(json!({"name": "Same Name"})));
    let (a, b, c, d) = tokio::join!(make(), make(), make(), make());
    let mut ids: Vec<_> = [a, b, c, d].iter().map(|made| made["id"].to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["\"same-name\"", "\"same-name-2\"", "\"same-name-3\"", "\"same-name-4\""]);
    assert_eq!(server.get("/api/sources").await["data"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn rules_that_do_not_hold_together_change_nothing() {
    let server = Server::start();
    let rules = server.get("/api/spaces/dev/rules").await;
    let set = |types: Value| {
        let mut wrong = rules.clone();
        wrong["types"] = types;
        server.ask(Method::PUT, "/api/spaces/dev/rules", Some(wrong))
    };
    for (types, code, field, part) in [
        (
            json!([{"name": "email", "priority": 1}, {"name": "phone", "priority": 1}]),
            "rules_invalid",
            "types[1]",
            "priority 1",
        ),
        (
            json!([{"name": "email", "priority": 1, "limit": {"count": 0}}]),
            "rules_invalid",
            "types[0]",
            "at least 1",
        ),
        (
            json!([{"name": "email", "priority": 1, "blocked": {"regex": ["("]}}]),
            "rules_invalid",
            "types[0]",
            "unclosed group",
        ),
        (
            json!([{"name": "email", "priority": 1, "limits": 3}]),
            "invalid",
            "types[0].limits",
            "unknown field",
        ),
        (
            json!([{"name": "email", "priority": "1"}]),
            "invalid",
            "types[0].priority",
            "expected u16",
        ),
        (json!([{"name": "email"}]), "invalid", "types[0].priority", "missing field"),
    ] {
        let (status, body) = set(types).await;
        let error = &body["error"];
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &json!(field)), "{body}");
        assert!(error["message"].as_str().expect("text").contains(part), "{body}");
    }
    assert_eq!(server.get("/api/spaces/dev/rules").await, rules);
    let mut new = rules.clone();
    new["types"][1]["limit"]["count"] = json!(3);
    assert_eq!(server.done(Method::PUT, "/api/spaces/dev/rules", Some(new.clone())).await, new);
    assert_eq!(server.get("/api/spaces/dev").await["rules"], new);
}

#[tokio::test]
async fn a_space_is_made_and_changed() {
    let server = Server::start();
    let body = json!({"name": "Second", "indexed_traits": ["email"]});
    let made = server.done(POST, "/api/spaces", Some(body)).await;
    assert_eq!(made["id"], "second");
    let traits = Some(json!({"traits": ["email", "plan"]}));
    let set = server.done(Method::PUT, "/api/spaces/second/indexed-traits", traits).await;
    assert_eq!(server.get("/api/spaces/second/indexed-traits").await, set);
    let twice = Some(json!({"traits": ["email", "email"]}));
    let (status, body) = server.ask(Method::PUT, "/api/spaces/second/indexed-traits", twice).await;
    assert_eq!((status, &body["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("traits[1]")));
    server.done(Method::PATCH, "/api/spaces/second", Some(json!({"name": "2nd"}))).await;
    let listed = server.get("/api/spaces").await["data"][1].clone();
    assert_eq!((&listed["name"], &listed["indexed_traits"]), (&json!("2nd"), &set["traits"]));
    let (_, body) = server.ask(POST, "/api/sources", Some(json!({"name": "X"}))).await;
    assert_eq!(body["error"]["field"], "space", "with two spaces it must be named");
}

#[tokio::test]
async fn a_destination_gets_events_and_its_secret_is_shown_once() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    let body = json!({"name": "CRM", "url": receiver.url, "events": ["identify"]});
    let (status, made) = server.ask(POST, "/api/destinations", Some(body)).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    assert!(
        secret.starts_with("whsec_")
            && secret.ends_with(made["destination"]["secret_ends"].as_str().expect("text"))
    );

    let tested = server.done(POST, "/api/destinations/crm/test", None).await;
    assert_eq!((&tested["delivered"], &tested["status"]), (&json!(true), &json!(200)), "{tested}");
    assert_eq!(tested["answer"], "noted\\u{1b}[31m", "what could steer a terminal is escaped");
    let got = receiver.got();
    assert!(got[0].body.contains("Selfsame Test"));
    assert_eq!(got[0].headers["webhook-id"], tested["webhook_id"].as_str().expect("text"));
    assert!(got[0].headers["webhook-signature"].to_str().expect("text").starts_with("v1,"));

    eventually("the destination to begin", async || {
        let shown = server.get("/api/destinations/crm").await;
        (shown["status"]["state"] == "running").then_some(())
    })
    .await;
    server.send(DEV, "identify", identify("ada")).await;
    server.send(DEV, "track", json!({"userId": "ada", "event": "Seen"})).await;
    let status = eventually("the delivery", async || {
        let shown = server.get("/api/destinations/crm").await;
        (shown["status"]["delivered"] == 1 && shown["status"]["filtered"] == 1)
            .then(|| shown["status"].clone())
    });
    assert_eq!(status.await["accepted"], 2);

    let rotated = server.done(POST, "/api/destinations/crm/secret/rotate", Some(json!({}))).await;
    let second = rotated["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(second, secret);
    assert_eq!(rotated["destination"]["rotating"], true);
    server.done(POST, "/api/destinations/crm/test", None).await;
    let signatures = receiver.got().last().expect("a request").headers["webhook-signature"].clone();
    assert_eq!(signatures.to_str().expect("text").split(' ').count(), 2, "both secrets sign");
    let finish = Some(json!({"finish": true}));
    let finished = server.done(POST, "/api/destinations/crm/secret/rotate", finish).await;
    assert_eq!(
        (&finished["secret"], &finished["destination"]["rotating"]),
        (&Value::Null, &json!(false))
    );
    for path in ["/api/destinations", "/api/destinations/crm", "/api/workspace"] {
        let text = server.get(path).await.to_string();
        assert!(!text.contains(&secret) && !text.contains(&second), "{path} shows a secret");
    }
    assert_eq!(made["destination"]["order"], "strict");
    let change = Some(json!({"order": "any"}));
    let (status, refused) = server.ask(Method::PATCH, "/api/destinations/crm", change).await;
    let field = &refused["error"]["field"];
    assert_eq!((status, field), (StatusCode::BAD_REQUEST, &json!("order")), "{refused}");
    let change = json!({"name": "CRM 2", "enabled": false, "events": [], "order": "relaxed"});
    let changed = server.done(Method::PATCH, "/api/destinations/crm", Some(change)).await;
    assert_eq!(changed["order"], "relaxed");
    assert_eq!((&changed["name"], &changed["url"]), (&json!("CRM 2"), &json!(receiver.url)));
    server.done(Method::DELETE, "/api/destinations/crm", None).await;
    assert_eq!(server.get("/api/destinations").await["data"], json!([]));
}

#[tokio::test]
async fn a_receiver_that_says_it_is_gone_is_left_alone_until_it_is_resumed() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    receiver.answer(410);
    let body = json!({"name": "Gone", "url": receiver.url});
    server.done(POST, "/api/destinations", Some(body)).await;
    let tested = server.done(POST, "/api/destinations/gone/test", None).await;
    assert_eq!((&tested["delivered"], &tested["outcome"]), (&json!(false), &json!("gone")));
    let state = async |wanted: &str| {
        eventually(wanted, async || {
            let shown = server.get("/api/destinations/gone").await;
            (shown["status"]["state"] == wanted).then_some(())
        })
        .await;
    };
    state("running").await;
    server.send(DEV, "identify", identify("ada")).await;
    state("paused").await;
    receiver.answer(200);
    server.done(POST, "/api/destinations/gone/resume", None).await;
    state("running").await;
    let letters = server.get("/api/destinations/gone/dead-letters").await;
    assert_eq!(letters, json!({"total": 0, "data": [], "next": null}));
    for body in
        [json!({"all": true}), json!({"positions": ["0-5.0"]}), json!({"failure": "server"})]
    {
        let resent =
            server.done(POST, "/api/destinations/gone/dead-letters/resend", Some(body)).await;
        assert_eq!(resent["resent"], 0);
    }
    for (body, field) in [
        (json!({}), "all"),
        (json!({"all": true, "failure": "server"}), "all"),
        (json!({"positions": ["x"]}), "positions[0]"),
        (json!({"failure": "rain"}), "failure"),
    ] {
        let (status, body) =
            server.ask(POST, "/api/destinations/gone/dead-letters/resend", Some(body)).await;
        assert_eq!((status.as_u16(), &body["error"]["field"]), (400, &json!(field)));
    }
}

#[tokio::test]
async fn destinations_that_may_not_be_sent_to_are_refused_when_saved() {
    let server = Server::start();
    for (change, field) in [
        (json!({"url": "ftp://example.com"}), "url"),
        (json!({"url": "http://10.0.0.1/"}), "url"),
        (json!({"url": "http://[::ffff:169.254.169.254]/"}), "url"),
        (json!({"url": "http://user:pass@127.0.0.1/"}), "url"),
        (json!({"url": "nonsense"}), "url"),
        (json!({"events": ["purchase"]}), "events[0]"),
        (json!({"secret": "whsec_c2hvcnQ="}), "secret"),
        (json!({"kind": "pigeon"}), "kind"),
        (json!({"space": "none"}), "space"),
    ] {
        let mut body = json!({"name": "X", "url": "http://127.0.0.1:9/"});
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let (status, body) = server.ask(POST, "/api/destinations", Some(body)).await;
        assert_eq!((status.as_u16(), &body["error"]["field"]), (400, &json!(field)), "{body}");
    }
    assert_eq!(server.get("/api/destinations").await["data"], json!([]));
}

#[tokio::test]
async fn what_was_changed_is_there_after_a_kill() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    server
        .done(POST, "/api/sources", Some(json!({"name": "Web", "write_key": "web-key-0001"})))
        .await;
    server.done(Method::DELETE, "/api/sources/web/write-keys/web-key-0001", None).await;
    server.done(POST, "/api/spaces", Some(json!({"name": "Second"}))).await;
    let body = json!({"name": "CRM", "url": receiver.url, "space": "second"});
    server.done(POST, "/api/destinations", Some(body)).await;
    let made = server.done(POST, "/api/tokens", Some(json!({"name": "CI"}))).await;
    server.done(Method::DELETE, "/api/tokens/ci", None).await;
    let paths = ["/api/workspace", "/api/sources", "/api/spaces", "/api/tokens"];
    let mut before = Vec::new();
    for path in paths {
        before.push(server.get(path).await);
    }
    let server = server.again();
    for (path, before) in paths.iter().zip(before) {
        assert_eq!(server.get(path).await, before, "{path}");
    }
    assert_eq!(server.get("/api/destinations/crm").await["space"], "second");
    let token = made["token"].as_str().expect("a token");
    let answer = server.http.get(server.at("/api/state")).bearer_auth(token).send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    assert!(server.send("web-key-0001", "identify", identify("x")).await.is_client_error());
}

/// The address that events of the last call of a user have.
async fn address_of(server: &Server, user: &str) -> Value {
    server.folded().await;
    let path = format!("/v1/spaces/dev/collections/users/profiles/user_id:{user}/events");
    server.get(&path).await["data"][0]["context"]["ip"].clone()
}

#[tokio::test]
async fn the_kind_of_a_source_decides_whether_the_connection_says_the_address() {
    let server = Server::start();
    let local = json!("127.0.0.1");
    let body = json!({"id": "api", "name": "API", "write_key": "key-of-api"});
    let made = server.done(POST, "/api/sources", Some(body)).await;
    assert_eq!(made["kind"], "any");
    // Each kind by the routes of servers (track) and of browsers (t).
    let event = |user: &str| json!({"userId": user, "event": "Seen", "writeKey": "key-of-api"});
    for (kind, by_server_route, by_client_route) in [
        ("any", Value::Null, local.clone()),
        ("server", Value::Null, Value::Null),
        ("mobile", local.clone(), local.clone()),
        ("browser", local.clone(), local.clone()),
    ] {
        let change = Some(json!({ "kind": kind }));
        let changed = server.done(Method::PATCH, "/api/sources/api", change).await;
        assert_eq!(changed["kind"], kind);
        for (route, expected) in [("track", by_server_route), ("t", by_client_route)] {
            let user = format!("{kind}-{route}");
            assert_eq!(server.send("key-of-api", route, event(&user)).await, StatusCode::OK);
            assert_eq!(address_of(&server, &user).await, expected, "{user}");
        }
    }
    // The one who sends knows better.
    let mut given = event("given");
    given["context"] = json!({"ip": "0.0.0.0"});
    server.send("key-of-api", "t", given).await;
    assert_eq!(address_of(&server, "given").await, "0.0.0.0");
    server.done(Method::PATCH, "/api/sources/api", Some(json!({"kind": "server"}))).await;
    let mut direct = event("direct");
    direct["context"] = json!({"direct": true});
    server.send("key-of-api", "track", direct).await;
    assert_eq!(address_of(&server, "direct").await, local);

    let server = server.again();
    assert_eq!(server.get("/api/sources/api").await["kind"], "server");
    let wrong = Some(json!({"kind": "fridge"}));
    let (status, body) = server.ask(Method::PATCH, "/api/sources/api", wrong).await;
    assert_eq!((status.as_u16(), &body["error"]["field"]), (400, &json!("kind")));
}

#[tokio::test]
async fn sources_are_made_and_listed_by_commands() {
    let server = Server::start();
    let flags = ["--server", &server.url, "--token", DEV];
    let ask = |arguments: &[&str]| {
        let output = run(&[arguments, &flags].concat(), &[]);
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("text"))
    };
    let (is_done, said) = ask(&["source", "create", "Our App", "--kind", "mobile"]);
    assert!(is_done && said.contains("source     our-app\n"), "{said}");
    let made = server.get("/api/sources/our-app").await;
    let key = made["write_keys"][0]["key"].as_str().expect("a key");
    assert!(said.contains(&format!("write key  {key}\n")), "{said}");
    assert_eq!((&made["kind"], &made["strict"]), (&json!("mobile"), &json!(false)));
    let (is_done, said) = ask(&["source", "list"]);
    assert!(is_done && said.lines().count() == 2, "{said}");
    assert!(said.lines().any(|line| line.starts_with("our-app  mobile ")), "{said}");
    let (is_done, said) = ask(&["source", "create", "x", "--kind", "fridge"]);
    assert!(!is_done && said.contains("browser, mobile, server"), "{said}");
    let (is_done, said) = ask(&["source", "create", "x", "--id", "our-app"]);
    assert!(!is_done && said.contains("is taken"), "{said}");
}
