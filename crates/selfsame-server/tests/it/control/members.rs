//! Members and their sessions: links, signing in and out, and what a session may not do.

use reqwest::header::{HeaderMap, SET_COOKIE};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::server::{Server, run};

const PASSWORD: &str = "correct horse battery";

/// An answer: its status, its headers and its JSON.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn code(&self) -> (u16, &str) {
        (self.status, self.body["error"]["code"].as_str().unwrap_or_default())
    }

    /// What the cookie of a session has.
    fn cookie(&self) -> String {
        let text = self.headers[SET_COOKIE].to_str().expect("text");
        let (pair, rest) = text.split_once(';').expect("more than a value");
        assert_eq!(rest, " Path=/; HttpOnly; SameSite=Strict");
        pair.to_owned()
    }
}

/// What a page of the console asks.
fn page(server: &Server, method: Method, path: &str, cookie: &str) -> RequestBuilder {
    let request = server.plain(method, path).header("x-selfsame-console", "1");
    let request = request.header("origin", &server.url).header("sec-fetch-site", "same-origin");
    if cookie.is_empty() { request } else { request.header("cookie", cookie) }
}

async fn answer(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, body: answer.json().await.expect("JSON") }
}

async fn ask(server: &Server, method: Method, path: &str, cookie: &str) -> Answer {
    answer(page(server, method, path, cookie)).await
}

async fn post(server: &Server, path: &str, cookie: &str, body: Value) -> Answer {
    answer(page(server, Method::POST, path, cookie).json(&body)).await
}

/// Signs the owner in whom everybody knows.
async fn dev(server: &Server) -> String {
    let known = json!({ "email": "dev@example.com", "password": "selfsame-dev" });
    let signed = post(server, "/api/session", "", known).await;
    assert_eq!(signed.status, 200, "{}", signed.body);
    signed.cookie()
}

/// Adds a member; what follows `#` in the link.
async fn add(server: &Server, email: &str, role: &str) -> (String, String) {
    let new = json!({ "email": email, "name": "Ada", "role": role });
    let made = server.done(Method::POST, "/api/members", Some(new)).await;
    let link = made["link"].as_str().expect("a link");
    let (address, token) = link.split_once('#').expect("a fragment");
    assert_eq!(address, server.at("/console/welcome"));
    let id = made["member"]["id"].as_str().expect("an id");
    assert!(!link.contains(id) && !link.contains("session"));
    (id.to_owned(), token.to_owned())
}

/// Adds a member who has a password, and signs them in.
pub(super) async fn member(server: &Server, email: &str, role: &str) -> (String, String) {
    let (id, token) = add(server, email, role).await;
    let used = json!({ "token": token, "password": PASSWORD });
    let signed = post(server, "/api/session/first", "", used).await;
    assert_eq!(signed.status, 200, "{}", signed.body);
    (id, signed.cookie())
}

#[tokio::test]
async fn a_link_gives_a_password_once_and_the_password_a_session() {
    let server = Server::start();
    let (id, token) = add(&server, " Ada@Example.com ", "analyst").await;
    let seen = post(&server, "/api/session/link", "", json!({ "token": token })).await;
    assert_eq!(
        (&seen.body["kind"], &seen.body["email"]),
        (&json!("member"), &json!("ada@example.com"))
    );
    for (used, field) in [
        (json!({ "token": token, "password": "short" }), "password"),
        (json!({ "token": token, "password": "ada@example.com" }), "password"),
        (json!({ "token": token, "password": PASSWORD, "email": "eve@example.com" }), "email"),
        (json!({ "token": token, "password": PASSWORD, "role": "owner" }), "role"),
    ] {
        let refused = post(&server, "/api/session/first", "", used).await;
        assert_eq!(refused.code(), (400, "invalid"), "{}", refused.body);
        assert_eq!(refused.body["error"]["field"], field);
    }
    let used = json!({ "token": token, "password": PASSWORD });
    let signed = post(&server, "/api/session/first", "", used.clone()).await;
    assert_eq!((signed.status, &signed.body["member"]["id"]), (200, &json!(id)));
    let again = post(&server, "/api/session/first", "", used).await;
    assert_eq!(again.code(), (410, "link_ended"));
    let made_up = post(&server, "/api/session/link", "", json!({ "token": "sfl_x" })).await;
    assert_eq!(made_up.code(), (410, "link_ended"));

    let nobody = ask(&server, Method::GET, "/api/session", "").await;
    assert_eq!((nobody.status, &nobody.body["signed_in"]), (200, &json!(false)));
    assert_eq!(nobody.body["workspace"], Value::Null);
    let given = json!({ "email": "ADA@example.com", "password": PASSWORD });
    let signed = post(&server, "/api/session", "", given).await;
    let cookie = signed.cookie();
    let me = ask(&server, Method::GET, "/api/session", &cookie).await;
    assert_eq!(me.body["permissions"], json!(["read", "events", "audiences"]));
    assert_eq!((&me.body["by"], &me.body["role"]), (&json!("session"), &json!("analyst")));
    assert!(!me.body.to_string().contains(cookie.split_once('=').expect("a value").1));

    // The session survives a restart, and ends for good.
    let server = server.again();
    assert_eq!(ask(&server, Method::GET, "/api/state", &cookie).await.status, 200);
    let profile = "/v1/spaces/dev/collections/users/profiles/user_id:ada/traits";
    assert_eq!(ask(&server, Method::GET, profile, &cookie).await.status, 404);
    let out = ask(&server, Method::DELETE, "/api/session", &cookie).await;
    assert!(out.headers[SET_COOKIE].to_str().expect("text").starts_with("selfsame=; "));
    assert_eq!(
        ask(&server, Method::GET, "/api/state", &cookie).await.code(),
        (401, "unauthorized")
    );
    let stranger = ask(&server, Method::GET, profile, &cookie).await;
    assert_eq!(stranger.status, 401);
    assert!(stranger.headers.get("www-authenticate").is_none(), "a browser would ask by itself");
}

#[tokio::test]
async fn a_wrong_password_says_nothing_and_many_are_slowed_down() {
    let server = Server::start();
    let (id, _) = member(&server, "ada@example.com", "owner").await;
    let wrong = async |email: &str| {
        let given = json!({ "email": email, "password": "a wrong password" });
        post(&server, "/api/session", "", given).await
    };
    let (known, unknown) = (wrong("ada@example.com").await, wrong("nobody@example.com").await);
    assert_eq!(known.code(), (401, "wrong_password"));
    assert_eq!(known.body, unknown.body);
    let names = |answer: &Answer| {
        let mut names: Vec<_> =
            answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&known), names(&unknown));
    // Known or not, an account gets slower alike; the right password does not help then.
    for email in ["ada@example.com", "nobody@example.com"] {
        let mut limited = None;
        for _ in 0..20 {
            let refused = wrong(email).await;
            if refused.status == 429 {
                limited = Some(refused);
                break;
            }
        }
        let limited = limited.expect("it is limited");
        assert_eq!(limited.code(), (429, "too_many_attempts"));
        let wait = limited.headers["retry-after"].to_str().expect("text").parse::<u64>();
        assert!((1..=900).contains(&wait.expect("a number")));
        let given = json!({ "email": email, "password": PASSWORD });
        let right = post(&server, "/api/session", "", given).await;
        assert_eq!(right.code(), (429, "too_many_attempts"));
    }
    let entries = server.get("/api/audit?operation=session_sign_in").await;
    let entries = entries["data"].as_array().expect("a list").clone();
    let of = |who: &str| entries.iter().filter(|entry| entry["who"] == who).count();
    assert!(of(&id) >= 5 && of("nobody") >= 5, "{entries:?}");
    assert!(!json!(entries).to_string().contains("example.com"));
}

#[tokio::test]
async fn what_other_sites_and_other_pages_send_with_a_session_is_refused() {
    let server = Server::start();
    let cookie = dev(&server).await;
    let document = server.get("/api/openapi.json").await;
    let mut changes = 0;
    for (path, methods) in document["paths"].as_object().expect("paths") {
        let path = path.replace("{id}", "nothing").replace("{key}", "k").replace("{file}", "f");
        for method in methods.as_object().expect("methods").keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            // No site but ours: browsers name it.
            let foreign = server.plain(method.clone(), &path).header("cookie", &cookie);
            let foreign = foreign.header("x-selfsame-console", "1");
            let foreign = answer(foreign.header("sec-fetch-site", "same-site")).await;
            assert_eq!(foreign.code(), (403, "foreign_origin"), "{method} {path}");
            if method == Method::GET {
                continue;
            }
            changes += 1;
            let bare = server.plain(method.clone(), &path).header("cookie", &cookie);
            let bare = answer(bare).await;
            assert_eq!(bare.code(), (403, "console_header_missing"), "{method} {path}");
            let other = server.plain(method.clone(), &path).header("cookie", &cookie);
            let other = other.header("x-selfsame-console", "1");
            let other = other.header("origin", "https://evil.example");
            assert_eq!(answer(other).await.code(), (403, "foreign_origin"), "{method} {path}");
        }
    }
    assert!(changes > 60, "only {changes}");
    // Who has no session yet is asked for the header as well: nobody is signed in unasked.
    let given = json!({ "email": "dev@example.com", "password": "selfsame-dev" });
    let bare = server.plain(Method::POST, "/api/session").json(&given);
    assert_eq!(answer(bare).await.code(), (403, "console_header_missing"));
    assert_eq!(ask(&server, Method::GET, "/api/state", &cookie).await.status, 200);
}

#[tokio::test]
async fn sessions_are_listed_ended_and_end_with_the_password() {
    let server = Server::start();
    let (id, first) = member(&server, "ada@example.com", "editor").await;
    let given = json!({ "email": "ada@example.com", "password": PASSWORD });
    let sign_in = async || {
        let request = page(&server, Method::POST, "/api/session", "");
        answer(request.header("user-agent", "a phone").json(&given)).await.cookie()
    };
    let (second, third) = (sign_in().await, sign_in().await);
    let list = ask(&server, Method::GET, "/api/session/all", &second).await.body;
    let list = list["data"].as_array().expect("a list").clone();
    assert_eq!(list.len(), 3);
    let current: Vec<_> = list.iter().map(|one| one["current"] == true).collect();
    assert_eq!(current, [false, true, false]);
    assert_eq!((&list[2]["agent"], &list[2]["address"]), (&json!("a phone"), &json!("127.0.0.1")));
    let ended = format!("/api/session/all/{}", list[2]["id"].as_str().expect("an id"));
    assert_eq!(ask(&server, Method::DELETE, &ended, &second).await.status, 200);
    assert_eq!(ask(&server, Method::GET, "/api/state", &third).await.status, 401);
    // Nobody ends the session of another.
    let (_, other) = member(&server, "bob@example.com", "admin").await;
    let own = format!("/api/session/all/{}", list[0]["id"].as_str().expect("an id"));
    assert_eq!(ask(&server, Method::DELETE, &own, &other).await.code(), (404, "not_found"));

    let change = async |current: &str, password: &str| {
        let body = json!({ "current": current, "password": password });
        answer(page(&server, Method::PUT, "/api/session/password", &second).json(&body)).await
    };
    let other_one = "another long password";
    assert_eq!(change("a wrong password", other_one).await.code(), (401, "wrong_password"));
    assert_eq!(change(PASSWORD, "short").await.code(), (400, "invalid"));
    assert_eq!(change(PASSWORD, other_one).await.status, 200);
    assert_eq!(ask(&server, Method::GET, "/api/state", &first).await.status, 401);
    assert_eq!(ask(&server, Method::GET, "/api/state", &second).await.status, 200);
    let old = post(&server, "/api/session", "", given).await;
    assert_eq!(old.code(), (401, "wrong_password"));

    let path = format!("/api/members/{id}/sessions");
    server.done(Method::DELETE, &path, None).await;
    assert_eq!(ask(&server, Method::GET, "/api/state", &second).await.status, 401);
    let token = server.ask(Method::GET, "/api/session/all", None).await;
    assert_eq!(token.0, StatusCode::CONFLICT, "a token has no sessions");
}

#[tokio::test]
async fn only_owners_make_owners_and_nobody_gives_more_than_they_have() {
    let server = Server::start();
    let (owner, _) = member(&server, "olga@example.com", "owner").await;
    let (admin, cookie) = member(&server, "adam@example.com", "admin").await;
    let new = |role: &str| json!({ "email": "x@example.com", "name": "X", "role": role });
    let refused = post(&server, "/api/members", &cookie, new("owner")).await;
    assert_eq!(refused.code(), (403, "forbidden"));
    let patch = async |id: &str, role: &str| {
        let request = page(&server, Method::PATCH, &format!("/api/members/{id}"), &cookie);
        answer(request.json(&json!({ "role": role }))).await
    };
    assert_eq!(patch(&owner, "viewer").await.code(), (403, "forbidden"));
    assert_eq!(patch(&admin, "owner").await.code(), (403, "forbidden"));
    for (method, rest) in
        [(Method::DELETE, ""), (Method::POST, "/link"), (Method::DELETE, "/sessions")]
    {
        let path = format!("/api/members/{owner}{rest}");
        let refused = ask(&server, method, &path, &cookie).await;
        assert_eq!(refused.code(), (403, "forbidden"), "{path}");
    }
    let token = |role: &str| json!({ "name": "t", "role": role });
    assert_eq!(
        post(&server, "/api/tokens", &cookie, token("owner")).await.code(),
        (403, "forbidden")
    );
    let made = post(&server, "/api/tokens", &cookie, json!({ "name": "mine" })).await;
    assert_eq!((made.status, &made.body["made"]["role"]), (201, &json!("admin")));
    let first = ask(&server, Method::DELETE, "/api/tokens/first", &cookie).await;
    assert_eq!(first.code(), (403, "forbidden"));
    // Of two owners one may go, the last may not.
    assert_eq!(post(&server, "/api/members", &cookie, new("editor")).await.status, 201);
    assert_eq!(post(&server, "/api/members", &cookie, new("editor")).await.code(), (409, "taken"));
    server.done(Method::DELETE, &format!("/api/members/{owner}"), None).await;
    let members = server.get("/api/members").await;
    let last =
        members["data"].as_array().expect("a list").iter().find(|one| one["role"] == "owner");
    let last = format!("/api/members/{}", last.expect("an owner")["id"].as_str().expect("an id"));
    let (status, body) = server.ask(Method::DELETE, &last, None).await;
    assert_eq!((status.as_u16(), &body["error"]["code"]), (409, &json!("conflict")));
}

#[tokio::test]
async fn the_command_line_adds_lists_changes_and_removes_members() {
    let server = Server::start();
    let member = |arguments: &[&str]| {
        let mut all = vec!["member"];
        all.extend(arguments);
        all.extend(["--server", &server.url, "--token", "dev"]);
        let output = run(&all, &[]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), text + &String::from_utf8_lossy(&output.stderr))
    };
    let (done, text) =
        member(&["add", "ada@example.com", "--name", "Ada", "--role", "privacy_officer"]);
    assert!(done && text.contains("/console/welcome#sfl_"), "{text}");
    let (done, text) = member(&["list"]);
    assert!(done && text.contains("privacy_officer  has no password yet  Ada"), "{text}");
    assert!(member(&["role", "Ada@example.com", "viewer"]).0);
    let (done, text) = member(&["list", "--json"]);
    let list: Value = serde_json::from_str(&text).expect("JSON");
    assert!(done && list["data"][1]["role"] == "viewer", "{text}");
    let (done, text) = member(&["link", "ada@example.com"]);
    assert!(done && text.contains("/console/welcome#sfl_"), "{text}");
    assert!(member(&["remove", "ada@example.com"]).0);
    let (done, text) = member(&["remove", "ada@example.com"]);
    assert!(!done && text.contains("there is no member ada@example.com"), "{text}");
    let output = run(&["audit", "--server", &server.url, "--token", "dev"], &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let newest: Vec<_> = text.lines().take(4).map(|line| line.split("  ").nth(3)).collect();
    let names = ["people_remove", "people_link", "people_update", "people_add"];
    assert_eq!(newest, names.map(Some), "{text}");
}
