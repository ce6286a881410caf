//! What each role may do: every operation is tried with every role.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::members::member;
use super::server::{DEV, Server};

const ROLES: [&str; 6] = ["owner", "admin", "editor", "analyst", "viewer", "privacy_officer"];

/// What is in place of the parameters of a path: nothing that is there.
fn filled(path: &str) -> String {
    let mut filled = String::new();
    for part in path.split('/').skip(1) {
        filled.push('/');
        filled.push_str(if part.starts_with('{') { "nothing-of-this-name" } else { part });
    }
    filled
}

/// The table of `docs/reference/permissions.md`: which roles have a permission.
fn table() -> BTreeMap<String, Vec<bool>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/permissions.md");
    let text = std::fs::read_to_string(path).expect("a document");
    let rows = text.lines().filter(|line| line.starts_with("| `") && line.contains("yes"));
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        (name, cells[3..9].iter().map(|cell| *cell == "yes").collect())
    };
    rows.map(row).collect()
}

#[tokio::test]
async fn every_operation_is_answered_as_the_role_says() {
    let server = Server::start();
    let table = table();
    assert_eq!(table.len(), 10, "{table:?}");
    let mut tokens = Vec::new();
    let mut cookies = Vec::new();
    for role in ROLES {
        let new = json!({ "name": role, "role": role });
        let made = server.done(Method::POST, "/api/tokens", Some(new)).await;
        tokens.push(made["token"].as_str().expect("a token").to_owned());
        let email = format!("{role}@example.com");
        cookies.push(member(&server, &email, role).await.1);
    }
    let document = server.get("/api/openapi.json").await;
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let wanted = operation["x-permission"].as_str().expect("a permission");
            let Some(may) = table.get(wanted) else {
                assert_eq!(wanted, "none", "{path}");
                continue;
            };
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            for (index, role) in ROLES.into_iter().enumerate() {
                let plain = || server.plain(method.clone(), &filled(path));
                let by_cookie = plain().header("cookie", &cookies[index]);
                let by_cookie = by_cookie.header("x-selfsame-console", "1");
                for request in [plain().bearer_auth(&tokens[index]), by_cookie] {
                    let answer = request.send().await.expect("an answer");
                    let status = answer.status();
                    assert_ne!(status, StatusCode::UNAUTHORIZED, "{method} {path} by {role}");
                    let is_refused = status == StatusCode::FORBIDDEN;
                    // Streams do not end: only a refusal is read.
                    let error = match is_refused {
                        true => answer.json::<Value>().await.expect("JSON")["error"].clone(),
                        false => Value::Null,
                    };
                    let lacks = error["code"] == "forbidden";
                    assert_eq!(lacks, !may[index], "{method} {path} by {role}: {status} {error}");
                    if lacks {
                        assert_eq!(error["permission"], *wanted, "{method} {path} by {role}");
                        let message = error["message"].as_str().expect("a message");
                        assert!(message.contains(&format!("`{wanted}`")), "{message}");
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 1_200, "only {tried}");
    let refused = server.get("/api/audit?who=token:viewer&limit=1000").await;
    let refused = refused["data"].as_array().expect("a list");
    let lacks = refused.iter().filter(|entry| entry["code"] == "forbidden").count();
    assert!(lacks > 60, "only {lacks}");
    assert!(refused.iter().all(|entry| entry["result"] != "done"), "{refused:?}");
}

#[tokio::test]
async fn profiles_are_read_by_who_may_see_persons() {
    let server = Server::start();
    server.send(DEV, "identify", json!({ "userId": "ada", "traits": { "plan": "pro" } })).await;
    server.folded().await;
    let path = "/v1/spaces/dev/collections/users/profiles/user_id:ada/traits";
    for role in ROLES {
        let new = json!({ "name": role, "role": role });
        let made = server.done(Method::POST, "/api/tokens", Some(new)).await;
        let token = made["token"].as_str().expect("a token");
        let (_, cookie) = member(&server, &format!("{role}@example.com"), role).await;
        let may = role != "viewer";
        for request in [
            server.plain(Method::GET, path).bearer_auth(token),
            server.plain(Method::GET, path).basic_auth(token, Some("")),
            server.plain(Method::GET, path).header("cookie", &cookie),
        ] {
            let answer = request.send().await.expect("an answer");
            let status = answer.status().as_u16();
            let body: Value = answer.json().await.expect("JSON");
            match may {
                true => {
                    assert_eq!((status, &body["traits"]["plan"]), (200, &json!("pro")), "{role}");
                }
                false => {
                    let code = &body["error"]["code"];
                    assert_eq!((status, code), (403, &json!("authorization_error")), "{role}");
                }
            }
        }
        // A cookie does not help who says to be somebody else, or whose page is another's.
        let odd =
            server.plain(Method::GET, path).header("cookie", &cookie).basic_auth("no", Some(""));
        assert_eq!(odd.send().await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
        let foreign = server.plain(Method::GET, path).header("cookie", &cookie);
        let foreign = foreign.header("sec-fetch-site", "cross-site").send().await;
        assert_eq!(foreign.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    }
}

/// A token of before there were roles does what it could: it has no role in its record.
#[tokio::test]
async fn a_token_without_a_role_is_an_owners() {
    let server = Server::start();
    let tokens = server.get("/api/tokens").await;
    assert_eq!(
        (&tokens["data"][0]["id"], &tokens["data"][0]["role"]),
        (&json!("first"), &json!("owner"))
    );
    let who = server.get("/api/session").await;
    assert_eq!((&who["by"], &who["role"]), (&json!("token"), &json!("owner")));
    assert_eq!(who["permissions"].as_array().map(Vec::len), Some(10));
}

#[tokio::test]
async fn what_was_done_is_in_the_audit_log_without_secrets() {
    let server = Server::start();
    let (id, cookie) = member(&server, "ada@example.com", "editor").await;
    let change = server.plain(Method::POST, "/api/sources").header("cookie", &cookie);
    let change = change.header("x-selfsame-console", "1").json(&json!({ "name": "Shop" }));
    assert_eq!(change.send().await.expect("an answer").status(), StatusCode::CREATED);
    let refused = server.plain(Method::GET, "/api/audit").header("cookie", &cookie).send().await;
    assert_eq!(refused.expect("an answer").status(), StatusCode::FORBIDDEN);
    let audience = json!({ "kind": "audience", "name": "All", "query": "entered when track.count(event = \"x\") > 0" });
    server.ask(Method::PUT, "/api/spaces/dev/definitions/all", Some(audience)).await;
    let file = "/api/spaces/dev/definitions/all/members.csv";
    drop(server.request(Method::GET, file).send().await.expect("an answer"));
    server.get("/api/sources?").await;
    let found = server.get(&format!("/api/audit?who={id}")).await;
    let rows: Vec<_> = found["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            assert_eq!(text("address"), "127.0.0.1");
            assert_eq!(text("name"), "Ada");
            (
                text("operation"),
                text("target"),
                entry["status"].as_u64(),
                text("result"),
                text("code"),
            )
        })
        .collect();
    let row = |operation: &str, target: &str, status, result: &str, code: &str| {
        (operation.to_owned(), target.to_owned(), Some(status), result.to_owned(), code.to_owned())
    };
    assert_eq!(
        rows,
        [
            row("audit_list", "/api/audit", 403, "refused", "forbidden"),
            row("sources_create", "/api/sources", 201, "done", ""),
            row("session_first", "/api/session/first", 200, "done", ""),
        ]
    );
    let all = server.get("/api/audit?who=token:first").await;
    let names: Vec<_> = all["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["operation"].clone())
        .collect();
    assert_eq!(names, ["members_csv", "definitions_set", "people_add"], "reading is not in it");
    let text = std::fs::read_dir(server.data().join("audit")).expect("a folder");
    let text: Vec<u8> =
        text.flat_map(|file| std::fs::read(file.expect("a file").path())).flatten().collect();
    let has = |what: &str| text.windows(what.len()).any(|part| part == what.as_bytes());
    assert!(has("sources_create") && !has("example.com") && !has("\"Ada\"") && !has("sfl_"));
    // It outlives the process, and one who is gone has no name there.
    let server = server.again();
    server.done(Method::DELETE, &format!("/api/members/{id}"), None).await;
    let found = server.get(&format!("/api/audit?who={id}&operation=sources_create")).await;
    assert_eq!(found["data"][0]["name"], Value::Null);
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
}
