//! The console's files, what every answer tells a browser, and the first member of a real server.

use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::server::{Server, eventually};
use crate::server::program;

/// What every answer has, whatever it is.
const GUARDS: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

#[tokio::test]
async fn every_answer_is_guarded_against_frames_guesses_and_caches() {
    let server = Server::start();
    let document = server.get("/api/openapi.json").await;
    let mut paths: Vec<String> =
        document["paths"].as_object().expect("paths").keys().cloned().collect();
    let profile = "/v1/spaces/dev/collections/users/profiles/user_id:ada";
    paths.extend(
        ["/api", "/api/nothing", "/console", "/console/", "/console/sources/web"]
            .map(str::to_owned),
    );
    paths.extend(["", "/traits", "/events", "/nothing"].map(|rest| format!("{profile}{rest}")));
    let mut streams = 0;
    for path in paths.iter().map(|path| path.replace(['{', '}'], "x")) {
        let answer = server.request(Method::GET, &path).send().await.expect("an answer");
        for (name, value) in GUARDS {
            assert_eq!(
                answer.headers().get(name).expect(name),
                value,
                "{path} {}",
                answer.status()
            );
        }
        let headers = answer.headers();
        if path.starts_with("/console") {
            let policy = headers["content-security-policy"].to_str().expect("text");
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'")
            );
            assert!(!policy.contains("script-src 'unsafe"), "{policy}");
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
        } else {
            assert_eq!(headers["cache-control"], "no-store", "{path}");
            assert_ne!(headers["content-type"], "text/html", "{path}");
        }
        streams += usize::from(headers["content-type"] == "text/event-stream");
    }
    assert_eq!(streams, 2);
}

#[tokio::test]
async fn every_path_of_the_console_is_its_page_and_unknown_files_are_not() {
    let server = Server::start();
    let client = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build();
    let client = client.expect("a client");
    let get = async |path: &str| client.get(server.at(path)).send().await.expect("an answer");
    for from in ["/", "/console"] {
        let answer = get(from).await;
        assert!(answer.status().is_redirection(), "{from}");
        assert_eq!(answer.headers()["location"], "/console/");
    }
    let mut pages = Vec::new();
    for path in
        ["/console/", "/console/index.html", "/console/sources/web?tab=rejected", "/console/a/b"]
    {
        let answer = get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8", "{path}");
        pages.push(answer.text().await.expect("a page"));
    }
    assert!(pages.windows(2).all(|two| two[0] == two[1]));
    assert!(pages[0].starts_with("<!doctype html>"), "{}", pages[0]);
    let missing = get("/console/assets/none-12345678.js").await;
    // Without the build there are no files, and every path says how to build them.
    let is_built = !pages[0].contains("make web");
    assert_eq!(missing.status(), StatusCode::NOT_FOUND, "built: {is_built}");
    if is_built {
        let answer = get("/console/").await;
        let tag = answer.headers()["etag"].clone();
        assert_eq!(answer.headers()["cache-control"], "no-cache");
        let again = client.get(server.at("/console/")).header("if-none-match", tag).send().await;
        assert_eq!(again.expect("an answer").status(), StatusCode::NOT_MODIFIED);
        let (_, rest) = pages[0].split_once("/console/assets/").expect("a script");
        let name = rest.split('"').next().expect("a name");
        let path = server.at(&format!("/console/assets/{name}"));
        let file =
            client.get(path).header("accept-encoding", "br").send().await.expect("an answer");
        assert_eq!(file.headers()["content-encoding"], "br");
        let cache = file.headers()["cache-control"].to_str().expect("text");
        assert!(cache.contains("immutable"), "{cache}");
    }
}

/// A server that is no test's own prints a link as long as it has no member, and each link is used once.
#[tokio::test]
async fn the_first_member_comes_by_the_link_of_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let start = || {
        let mut command = program();
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"));
        crate::server::Server::start(command)
    };
    let link = |server: &crate::server::Server| loop {
        let line = server.line().expect("a link");
        if let Some((address, token)) = line.trim().split_once("/console/welcome#") {
            assert_eq!(address, server.url);
            return token.to_owned();
        }
    };
    let first = {
        let server = start();
        link(&server)
    };
    let server = start();
    let second = link(&server);
    assert_ne!(first, second);
    let used = async |token: &str, first: bool| {
        let mut body = json!({ "token": token, "password": "correct horse battery" });
        if first {
            body["email"] = json!("ada@example.com");
            body["name"] = json!("Ada");
        }
        let request = server.post("/api/session/first", &body).header("x-selfsame-console", "1");
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json::<serde_json::Value>().await.expect("JSON"))
    };
    assert_eq!(used(&first, true).await.0, 410, "the start after it ended it");
    let (status, body) = used(&second, false).await;
    assert_eq!((status, &body["error"]["field"]), (400, &json!("email")));
    let state = server.json("/api/session").await;
    assert_eq!(state["has_members"], false);
    let (status, body) = used(&second, true).await;
    assert_eq!((status, &body["role"]), (200, &json!("owner")), "{body}");
    assert_eq!(used(&second, true).await.0, 410);
    drop(server);
    let server = start();
    let given = json!({ "email": "ada@example.com", "password": "correct horse battery" });
    let signed = eventually("the server to answer", async || {
        let request = server.post("/api/session", &given).header("x-selfsame-console", "1");
        request.send().await.ok()
    })
    .await;
    assert_eq!(signed.status(), StatusCode::OK);
}
