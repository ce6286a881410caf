//! Rules that became stricter: what they would not let profiles have is found, shown and taken apart.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{DEV, Server, run};

const RULES: &str = "/api/spaces/dev/rules";
const PROPOSALS: &str = "/api/spaces/dev/identity/proposals";

async fn send(server: &Server, events: &[Value]) {
    for event in events {
        assert!(server.send(DEV, "identify", event.clone()).await.is_success());
        server.folded().await;
    }
}

/// How many user ids a profile may have; answers with the hint.
async fn limit(server: &Server, count: u32) -> Option<String> {
    let mut rules = server.get(RULES).await;
    rules["types"][0]["limit"]["count"] = json!(count);
    let request = server.request(Method::PUT, RULES).json(&rules);
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success());
    let hint = answer.headers().get("x-selfsame-hint");
    let hint = hint.map(|hint| hint.to_str().expect("text").to_owned());
    assert_eq!(answer.json::<Value>().await.expect("JSON"), rules, "the body is the rules alone");
    hint
}

/// Two families that loose rules made two profiles, and somebody alone.
async fn families(server: &Server) {
    assert_eq!(limit(server, 3).await, None, "looser rules are none to be warned of");
    let family = |names: [&str; 3], home: &str| -> Vec<Value> {
        let event = |name: &&str| json!({"userId": name, "messageId": format!("{name}1"), "traits": {"email": home}});
        names.iter().map(event).collect()
    };
    send(server, &family(["ada", "bob", "eve"], "home@x.y")).await;
    send(server, &family(["max", "moe", "mia"], "house@x.y")).await;
    send(server, &[json!({"userId": "zoe", "anonymousId": "phone", "messageId": "z1"})]).await;
}

fn ids(list: &Value) -> Vec<String> {
    let id = |id: &Value| {
        let part = |name: &str| id[name].as_str().expect("text").to_owned();
        format!("{}:{}", part("type"), part("value"))
    };
    list.as_array().expect("a list").iter().map(id).collect()
}

async fn command(server: &Server, arguments: &[&str]) -> String {
    let told = ["--server", &server.url, "--token", DEV];
    let all: Vec<_> = arguments.iter().chain(&told).map(|one| (*one).to_owned()).collect();
    let work = move || run(&all.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let output = tokio::task::spawn_blocking(work).await.expect("runs");
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test]
async fn what_a_lower_limit_would_not_let_profiles_have_is_proposed_and_done_only_when_asked() {
    let server = Server::start();
    families(&server).await;
    let none = server.get(PROPOSALS).await;
    assert_eq!([&none["data"], &none["cut"]], [&json!([]), &json!(false)], "{none}");
    assert!(none["components_read"].as_u64() >= Some(3), "{none}");
    let hint = limit(&server, 1).await.expect("a hint");
    assert!(hint.contains("the limit of user_id from 3 to 1"), "{hint}");
    assert!(hint.contains("`selfsame identity proposals --space dev`"), "{hint}");

    let found = server.get(PROPOSALS).await;
    let [home, house] = found["data"].as_array().expect("a list").as_slice() else {
        panic!("{found}")
    };
    assert_eq!(ids(&home["identifiers"])[..2], ["user_id:ada", "email:home@x.y"], "{home}");
    let excess = &home["excess"][0];
    assert_eq!(
        (&excess["rule"], &excess["type"], &excess["limit"], &excess["count"]),
        (&json!("identifier_value_limit"), &json!("user_id"), &json!(1), &json!(3)),
        "{home}"
    );
    assert_eq!(ids(&excess["over"]), ["user_id:bob", "user_id:eve"]);
    let link = &home["links"][0];
    assert_eq!(link["one"]["value"], "ada", "from whom it stays with: {link}");
    assert_eq!(link["links"].as_array().map(Vec::len), Some(2), "over the address: {link}");
    assert_eq!(link["links"][0]["event"]["message_id"], "ada1", "{link}");
    assert_eq!((&home["pair_count"], &home["profiles"]), (&json!(2), &json!(3)), "{home}");
    assert_eq!([&home["partial"], &home["large"]], [&json!(false), &json!(false)]);
    assert_eq!(home["problem"], Value::Null);
    assert_eq!(home["command"], "selfsame identity split --within-rules user_id:ada --space dev");
    assert_eq!(server.get("/api/spaces/dev/identity/health").await["over_rules"], 2);

    // Page by page.
    let first = server.get(&format!("{PROPOSALS}?limit=1")).await;
    assert_eq!((&first["data"][0], &first["cut"]), (home, &json!(true)));
    let next = first["next"].as_str().expect("a cursor");
    let second = server.get(&format!("{PROPOSALS}?limit=1&next={next}")).await;
    assert_eq!(&second["data"][0], house);
    let (status, wrong) = server.ask(Method::GET, &format!("{PROPOSALS}?next=x"), None).await;
    assert_eq!((status, &wrong["error"]["field"]), (StatusCode::BAD_REQUEST, &json!("next")));

    // The request, as it was proposed, shows what the proposal said; with `apply` it does it.
    let path = home["request"]["path"].as_str().expect("a path");
    let mut body = home["request"]["body"].clone();
    let shown = server.done(Method::POST, path, Some(body.clone())).await;
    assert_eq!([&shown["pairs"], &shown["applied"]], [&home["pairs"], &json!(false)]);
    assert_eq!(shown["after"].as_array().map(Vec::len), Some(3), "{shown}");
    body["apply"] = json!(true);
    let done = server.done(Method::POST, path, Some(body.clone())).await;
    assert_eq!([&done["applied"], &done["after"]], [&json!(true), &shown["after"]]);
    let (status, again) = server.ask(Method::POST, path, Some(body)).await;
    assert_eq!(status, StatusCode::CONFLICT, "{again}");
    let message = again["error"]["message"].as_str().expect("text");
    assert!(message.contains("keeps the rules in force"), "{message}");

    // So does the command.
    let said = command(&server, &["identity", "proposals"]).await;
    assert!(
        said.contains("3 values of user_id; the limit is 1: user_id:moe  user_id:mia"),
        "{said}"
    );
    assert!(said.contains("it would be 3 profiles"), "{said}");
    assert!(said.contains("1 profile has more than the rules in force let it"), "{said}");
    let line = said.lines().find(|line| line.trim().starts_with("selfsame ")).expect("a command");
    let proposed: Vec<_> = line.split_whitespace().skip(1).chain(["--yes"]).collect();
    let said = command(&server, &proposed).await;
    assert!(said.contains("done, by the record at"), "{said}");
    let said = command(&server, &["identity", "proposals"]).await;
    assert!(said.starts_with("no profile has more than the rules in force let it;"), "{said}");
    let all = command(&server, &["identity", "proposals", "--json"]).await;
    let all: Value = serde_json::from_str(&all).expect("JSON");
    assert_eq!([&all["data"], &all["next"]], [&json!([]), &Value::Null]);
    assert_eq!(server.get("/api/spaces/dev/identity/health").await["over_rules"], 0);
}

#[tokio::test]
async fn a_plan_of_files_says_that_a_limit_is_lower() {
    let server = Server::start();
    let folder = server.beside("workspace");
    let dir = folder.to_str().expect("text");
    command(&server, &["export", "--dir", dir]).await;
    let file = folder.join("spaces/dev.yaml");
    let text = std::fs::read_to_string(&file).expect("a file");
    std::fs::write(&file, text.replacen("count: 5\n", "count: 2\n", 1)).expect("written");
    for verb in ["plan", "apply"] {
        let said = command(&server, &[verb, dir]).await;
        assert!(said.contains("stricter than before: the limit of email from 5 to 2"), "{said}");
        assert!(said.contains("`selfsame identity proposals --space dev`"), "{said}");
    }
    std::fs::write(&file, text).expect("written");
    let said = command(&server, &["apply", dir]).await;
    assert!(!said.contains("stricter"), "{said}");
}

#[tokio::test]
async fn who_is_verified_cannot_be_taken_apart_and_the_remedy_is_said() {
    let server = Server::start();
    let change = json!({"kind": "server"});
    server.done(Method::PATCH, "/api/sources/dev", Some(change)).await;
    server.done(Method::POST, "/api/sources/dev/identity-keys", Some(json!({}))).await;
    families(&server).await;
    limit(&server, 1).await.expect("a hint");
    let found = server.get(PROPOSALS).await;
    let one = &found["data"][0];
    assert_eq!([&one["command"], &one["request"]], [&Value::Null, &Value::Null], "{found}");
    let problem = one["problem"].as_str().expect("text");
    assert!(problem.contains("verified") && problem.contains("identity publish"), "{problem}");
    assert_eq!(one["links"].as_array().map(Vec::len), Some(2), "{one}");
    let said = command(&server, &["identity", "proposals"]).await;
    assert!(said.contains(problem), "{said}");
}
