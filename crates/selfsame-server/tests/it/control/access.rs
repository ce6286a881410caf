//! Who may ask, and what is refused before anything is done.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{DEV, Server};
use crate::server::program;

/// Every operation of the published document that is not open to everybody, with something in place of its
/// parameters.
async fn operations(server: &Server) -> Vec<(Method, String)> {
    let document = server.get("/api/openapi.json").await;
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            if operation["x-permission"] == "none" {
                continue;
            }
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            operations.push((
                method,
                path.replace("{id}", "dev").replace("{key}", "k").replace("{file}", "f"),
            ));
        }
    }
    operations
}

#[tokio::test]
async fn every_operation_needs_a_token_that_is_accepted() {
    let server = Server::start();
    let (status, made) =
        server.ask(Method::POST, "/api/tokens", Some(json!({"name": "short-lived"}))).await;
    assert_eq!(status, StatusCode::CREATED);
    let revoked = made["token"].as_str().expect("a token");
    let alive = server.http.get(server.at("/api/state")).bearer_auth(revoked).send().await;
    assert_eq!(alive.expect("an answer").status(), StatusCode::OK);
    let (status, _) = server.ask(Method::DELETE, "/api/tokens/short-lived", None).await;
    assert_eq!(status, StatusCode::OK);
    let operations = operations(&server).await;
    assert!(operations.len() > 30, "only {}", operations.len());
    for (method, path) in operations {
        for authorization in [
            None,
            Some("Bearer wrong".to_owned()),
            Some("Bearer ".to_owned()),
            Some(format!("Bearer {revoked}")),
            Some(format!("Basic {DEV}")),
        ] {
            let mut request = server.http.request(method.clone(), server.at(&path));
            if let Some(authorization) = &authorization {
                request = request.header("authorization", authorization);
            }
            let answer = request.send().await.expect("an answer");
            assert_eq!(
                answer.status(),
                StatusCode::UNAUTHORIZED,
                "{method} {path} {authorization:?}"
            );
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let body: Value = answer.json().await.expect("JSON");
            assert_eq!(body["error"]["code"], "unauthorized");
        }
    }
}

#[tokio::test]
async fn the_document_is_the_one_that_is_checked_in() {
    let server = Server::start();
    let document = server.get("/api/openapi.json").await;
    let text = serde_json::to_string_pretty(&document).expect("JSON");
    expect_test::expect_file!["../../../../../openapi/control.json"]
        .assert_eq(&format!("{text}\n"));
    let text = document.to_string();
    for reference in text.split("#/components/").skip(1) {
        let name = reference.split('"').next().expect("a name");
        let found = document.pointer(&format!("/components/{name}"));
        assert!(found.is_some_and(Value::is_object), "nothing is at {name}");
    }
}

#[tokio::test]
async fn the_document_of_the_profile_api_is_served_to_tokens() {
    let server = Server::start();
    let text = serde_json::to_string_pretty(&server.get("/openapi/profile.json").await);
    let checked_in = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/profile.json");
    let checked_in = std::fs::read_to_string(checked_in).expect("a file");
    assert_eq!(text.expect("JSON") + "\n", checked_in);
    let stranger = server.http.get(server.at("/openapi/profile.json")).send().await;
    assert_eq!(stranger.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_not_in_the_table_does_not_exist() {
    let server = Server::start();
    let (status, body) = server.ask(Method::GET, "/api/nothing", None).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::NOT_FOUND, &json!("no_route")));
    let (status, body) = server.ask(Method::DELETE, "/api/state", None).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (StatusCode::METHOD_NOT_ALLOWED, &json!("no_method"))
    );
    for path in ["/api", "/api/"] {
        let (_, body) = server.ask(Method::GET, path, None).await;
        assert_eq!(body["error"]["code"], "no_route", "{path}");
    }
    let stranger = server.http.get(server.at("/api/nothing")).send().await.expect("an answer");
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn pages_of_other_sites_change_nothing() {
    let server = Server::start();
    let create = |origin: &str, id: &str| {
        server
            .request(Method::POST, "/api/tokens")
            .header("origin", origin)
            .json(&json!({"id": id, "name": "x"}))
            .send()
    };
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = create(origin, "a").await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    assert_eq!(create(&server.url, "a").await.expect("an answer").status(), StatusCode::CREATED);
    let read = server.request(Method::GET, "/api/state").header("origin", "https://evil.example");
    let answer = read.send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn wrong_bodies_are_refused_with_the_field() {
    let server = Server::start();
    let post = |kind: &'static str, body: String| {
        let request = server.request(Method::POST, "/api/sources").header("content-type", kind);
        async move {
            let answer = request.body(body).send().await.expect("an answer");
            let status = answer.status().as_u16();
            let body: Value = answer.json().await.expect("JSON");
            let error = &body["error"];
            assert!(error["hint"].is_string() && error["message"].is_string(), "{body}");
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            (status, text("code"), text("field"))
        }
    };
    let json = "application/json; charset=utf-8";
    let expect = |status: u16, code: &str, field: &str| (status, code.to_owned(), field.to_owned());
    assert_eq!(post("text/plain", "{}".into()).await, expect(415, "not_json", ""));
    assert_eq!(post(json, "{".into()).await, expect(415, "not_json", ""));
    assert_eq!(post(json, "{\"name\":\"a\"} {}".into()).await, expect(415, "not_json", ""));
    assert_eq!(post(json, "{}".into()).await, expect(400, "invalid", "name"));
    assert_eq!(post(json, "{\"name\":3}".into()).await, expect(400, "invalid", "name"));
    assert_eq!(post(json, "{\"name\":\"a\",\"x\":3}".into()).await, expect(400, "invalid", "x"));
    assert_eq!(post(json, "{\"name\":\" \"}".into()).await, expect(400, "invalid", "name"));
    assert_eq!(
        post(json, "{\"name\":\"a\",\"space\":\"no\"}".into()).await,
        expect(400, "invalid", "space")
    );
    assert_eq!(
        post(json, "{\"name\":\"a\",\"id\":\"A B\"}".into()).await,
        expect(400, "invalid", "id")
    );
    assert_eq!(
        post(json, "{\"name\":\"a\",\"id\":\"dev\"}".into()).await,
        expect(409, "taken", "id")
    );
    assert_eq!(
        post(json, "{\"name\":\"a\",\"write_key\":\"short\"}".into()).await,
        expect(400, "invalid", "write_key")
    );
    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(1 << 20));
    assert_eq!(post(json, large).await, expect(413, "too_large", ""));
    for (path, field) in [
        ("/api/state?x=1", "x"),
        ("/api/tail?type=purchase", "type"),
        ("/api/trace", "message_id"),
        ("/api/trace?position=7", "position"),
        ("/api/sources/dev/rejected?day=today", "day"),
        ("/api/sources/dev/rejected?limit=0", "limit"),
        ("/api/sources/dev/rejected?limit=1&limit=2", "limit"),
        ("/api/spaces/dev/insights?kind=bliss", "kind"),
    ] {
        let (status, body) = server.ask(Method::GET, path, None).await;
        assert_eq!(
            (status.as_u16(), &body["error"]["field"]),
            (400, &json!(field)),
            "{path}: {body}"
        );
    }
}

#[tokio::test]
async fn imports_and_backups_are_asked_like_everything_else() {
    let server = Server::start();
    let digest = "0123456789abcdef0123456789abcdef";
    let import = async |query: String, key: &str, body: String| {
        let request = server.request(Method::POST, &format!("/api/import?{query}"));
        let answer = request.header("x-selfsame-write-key", key).body(body).send().await;
        let answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        let body: Value = answer.json().await.expect("JSON");
        (status, body)
    };
    let known = format!("file={digest}&first_line=1");
    let event = r#"{"type":"track","event":"Bought","userId":"ada"}"#.to_owned();
    let (status, body) = import(known.clone(), DEV, event.clone() + "\nodd").await;
    let invalid = json!([{ "line": 2, "code": "event_not_object", "message": "The line is not valid JSON in UTF-8." }]);
    assert_eq!((status, &body["accepted"], &body["invalid"]), (200, &json!(1), &invalid), "{body}");
    // Larger than what other operations take, and not larger than what this one does.
    let (status, body) = import(known.clone(), DEV, "\n".repeat(2 << 20)).await;
    assert_eq!((status, &body["accepted"]), (200, &json!(0)), "{body}");
    let (status, body) = import(known.clone(), DEV, "\n".repeat((8 << 20) + 1)).await;
    assert_eq!((status, &body["error"]["code"]), (413, &json!("too_large")));
    for (query, field) in [
        ("first_line=1".to_owned(), "file"),
        ("file=x&first_line=1".to_owned(), "file"),
        (format!("file={digest}"), "first_line"),
        (format!("file={digest}&first_line=0"), "first_line"),
        (format!("{known}&type=purchase"), "type"),
        (format!("{known}&x=1"), "x"),
    ] {
        let (status, body) = import(query.clone(), DEV, event.clone()).await;
        let error = &body["error"];
        assert_eq!((status, &error["field"]), (400, &json!(field)), "{query}: {body}");
    }
    for key in ["", "nobody"] {
        let (status, body) = import(known.clone(), key, event.clone()).await;
        assert_eq!((status, &body["error"]["code"]), (403, &json!("unknown_write_key")), "{key}");
    }
    let progress = server.request(Method::GET, &format!("/api/import/{digest}"));
    let progress = progress.header("x-selfsame-write-key", DEV).send().await.expect("an answer");
    assert_eq!(progress.headers()["cache-control"], "no-store");
    assert_eq!(progress.json::<Value>().await.expect("JSON"), json!({ "next_line": 3 }));

    let backup = async |dir: &str| {
        server.ask(Method::POST, "/api/backup", Some(json!({ "dir": dir }))).await
    };
    let (status, body) = backup("here").await;
    assert_eq!((status.as_u16(), &body["error"]["field"]), (400, &json!("dir")), "{body}");
    let (status, body) = backup(server.data().to_str().expect("UTF-8")).await;
    assert_eq!((status.as_u16(), &body["error"]["code"]), (422, &json!("backup_failed")), "{body}");
    let (status, body) = backup(server.beside("copy").to_str().expect("UTF-8")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(body["position"].as_u64() > Some(0) && body["files"].as_u64() > Some(2), "{body}");
    let foreign =
        server.request(Method::POST, "/api/backup").header("origin", "https://evil.example");
    let foreign = foreign.json(&json!({ "dir": "/x" })).send().await.expect("an answer");
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_is_shown_once_and_kept_nowhere() {
    let server = Server::start();
    let (_, made) = server.ask(Method::POST, "/api/tokens", Some(json!({"name": "CI"}))).await;
    let token = made["token"].as_str().expect("a token").to_owned();
    assert!(token.len() > 40);
    for (method, path) in operations(&server).await {
        // Those two have no end.
        if method == Method::GET && !["/api/tail", "/api/stream"].contains(&&*path) {
            let text = server.request(method, &path).send().await.expect("an answer").text().await;
            assert!(!text.expect("text").contains(&token), "{path} shows the token");
        }
    }
    let mut files = 0;
    let mut folders = vec![server.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).expect("a file");
            let holds = bytes.windows(token.len()).any(|window| window == token.as_bytes());
            assert!(!holds, "{} holds the token", path.display());
        }
    }
    assert!(files > 3, "only {files} files were searched");
}

#[tokio::test]
async fn the_last_token_stays() {
    let server = Server::start();
    let (status, body) = server.ask(Method::DELETE, "/api/tokens/first", None).await;
    assert_eq!((status, &body["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    let (status, _) = server.ask(Method::DELETE, "/api/tokens/none", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/api/tokens").await["data"][0]["revoked"], false);
}

#[tokio::test]
async fn a_door_of_its_own_takes_the_api_and_the_metrics_away_from_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let control = free.local_addr().expect("an address").to_string();
    drop(free);
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--control-listen", &control]);
    command.arg(format!("--data={}", folder.path().join("data").display()));
    let server = crate::server::Server::start(command);
    let status = async |base: &str, path: &str| {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        client.get(format!("{base}{path}")).send().await.expect("an answer").status().as_u16()
    };
    let control = format!("http://{control}");
    for (path, main, own) in
        [("/api/state", 404, 401), ("/metrics", 404, 200), ("/healthz", 200, 404)]
    {
        assert_eq!(status(&server.url, path).await, main, "main {path}");
        assert_eq!(status(&control, path).await, own, "control {path}");
    }
}
