//! Rules that are tried out and published over the whole history.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::definitions::{AT, live, set, traits};
use super::server::{DEV, Server, eventually, run};

const RULES: &str = "/api/spaces/dev/rules";

/// A family that shares a phone and an address.
async fn family() -> Server {
    let server = Server::start();
    let events = [
        json!({"userId": "ada", "anonymousId": "phone", "messageId": "m1",
               "traits": {"email": "home@x.y", "plan": "pro"}}),
        json!({"userId": "bob", "anonymousId": "laptop", "messageId": "m2"}),
        json!({"userId": "eve", "anonymousId": "phone", "messageId": "m3"}),
        json!({"anonymousId": "phone", "messageId": "m4", "traits": {"email": "home@x.y"}}),
    ];
    for event in events {
        assert!(server.send(DEV, "identify", event).await.is_success());
        server.folded().await;
    }
    server
}

/// Rules in which two people may share a profile.
async fn loose(server: &Server) -> Value {
    let mut rules = server.get(RULES).await;
    rules["types"][0]["limit"]["count"] = json!(2);
    rules
}

/// The job once it has ended.
async fn ended(server: &Server) -> Value {
    eventually("the end of the job", async || {
        let job = server.get(&format!("{RULES}/job")).await;
        (job["state"] != "running").then_some(job)
    })
    .await
}

async fn profile(server: &Server, id: &str) -> Value {
    let path = format!("/v1/spaces/dev/collections/users/profiles/{id}/external_ids");
    let request = server.http.get(server.at(&path)).basic_auth(DEV, Some(""));
    request.send().await.expect("an answer").json().await.expect("JSON")
}

#[tokio::test]
async fn a_trial_says_what_publishing_then_does() {
    let server = family().await;
    let rules = loose(&server).await;
    let (status, job) =
        server.ask(Method::POST, &format!("{RULES}/try"), Some(rules.clone())).await;
    assert_eq!((status, &job["job"]), (StatusCode::ACCEPTED, &json!("try")), "{job}");
    let job = ended(&server).await;
    let users = &job["report"]["users"];
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!([&users["before"], &users["after"]], [&json!(3), &json!(2)], "{job}");
    assert_eq!([&users["merged"], &users["merged_of"]], [&json!(1), &json!(2)]);
    assert_eq!(job["report"]["events_moved"], 1, "Eve's own event: {job}");
    let limit = json!([{"kind": "identifier_value_limit_exceeded", "before": 1, "after": 0}]);
    assert_eq!(job["report"]["violations"], limit, "the phone was left out of Eve's event");
    let sample = &users["samples"][0];
    assert_eq!((&sample["what"], &sample["other_count"]), (&json!("merged"), &json!(2)));
    assert_eq!(server.get(RULES).await["types"][0]["limit"]["count"], 1, "nothing was changed");

    server.done(Method::POST, &format!("{RULES}/publish"), Some(rules.clone())).await;
    let job = ended(&server).await;
    assert_eq!(job["state"], "done", "{job}");
    assert_eq!([&job["profiles_before"], &job["profiles_after"]], [&json!(3), &json!(2)]);
    assert_eq!(server.get(RULES).await, rules);
    let ids = |answer: &Value| answer["data"].as_array().map(Vec::len);
    let (ada, eve) = (profile(&server, "user_id:ada").await, profile(&server, "user_id:eve").await);
    assert_eq!((ids(&ada), &ada), (Some(4), &eve), "both are one, with phone and address");

    // It stays so, and what comes later is judged by it.
    let server = server.again();
    let later = json!({"userId": "eve", "messageId": "m5", "traits": {"email": "eve@x.y"}});
    assert!(server.send(DEV, "identify", later).await.is_success());
    server.folded().await;
    assert_eq!(ids(&profile(&server, "user_id:ada").await), Some(5));
}

#[tokio::test]
async fn a_trial_says_who_enters_and_leaves_and_publishing_does_it() {
    let server = family().await;
    for (user, id) in [("ada", "b1"), ("eve", "b2"), ("bob", "b3")] {
        let event = json!({"userId": user, "event": "Bought", "messageId": id});
        assert!(server.send(DEV, "track", event).await.is_success());
    }
    server.folded().await;
    set(&server, "regular", "audience", "event('Bought').count() >= 2").await;
    set(&server, "bought", "computed_trait", "event('Bought').count()").await;
    for id in ["regular", "bought"] {
        live(&server, id).await;
    }
    let file = server.beside("rules.yaml");
    let rules = loose(&server).await;
    std::fs::write(&file, rules.to_string()).expect("writes");
    let (file, url) = (file.to_str().expect("UTF-8").to_owned(), server.url.clone());
    let work =
        move || run(&["identity", "try", &file, "--server", &url, "--token", DEV], &[]).stdout;
    let shown = tokio::task::spawn_blocking(work).await.expect("runs");
    let shown = String::from_utf8(shown).expect("UTF-8");
    for line in ["audiences, of which 1 of 1 change", "profiles would enter", "1, 1 -> 2"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    let report = &ended(&server).await["report"];
    let [regular, bought] = [0, 1].map(|place: usize| &report["definitions"][place]);
    let numbers = ["before", "after", "enter", "leave", "changed"];
    assert_eq!(numbers.map(|name| &regular[name]), [0, 1, 1, 0, 0].map(Value::from).each_ref());
    assert_eq!(numbers.map(|name| &bought[name]), [3, 2, 0, 0, 1].map(Value::from).each_ref());
    let sample = &regular["samples"][0];
    assert_eq!((&sample["before"], &sample["after"]), (&json!([false, false]), &json!(true)));

    server.done(Method::POST, &format!("{RULES}/publish"), Some(rules)).await;
    let job = ended(&server).await;
    assert_eq!(job["state"], "done", "{job}");
    // Whoever reads is answered at once; members are listed once everybody was evaluated.
    assert_eq!(traits(&server, "eve", "include=bought,regular").await["bought"], 2);
    assert_eq!(live(&server, "regular").await["members"], 1);
    let members = server.get(&format!("{AT}/regular/members")).await;
    assert_eq!(members["data"][0]["profile_id"], sample["profile_id"], "{members}");
    let bought = traits(&server, "bob", "include=bought,regular").await;
    assert_eq!((&bought["bought"], &bought["regular"]), (&json!(1), &Value::Null));

    // An account is of other people then, too.
    let definition = json!({
        "name": "loyal", "kind": "audience", "collection": "accounts",
        "query": "all(event('Bought').count() >= 2)",
    });
    server.done(Method::PUT, &format!("{AT}/loyal"), Some(definition)).await;
    let event = json!({"userId": "eve", "groupId": "home", "messageId": "g1"});
    assert!(server.send(DEV, "group", event).await.is_success());
    server.folded().await;
    assert_eq!(live(&server, "loyal").await["members"], 1);
    let mut rules = server.get(RULES).await;
    rules["types"][0]["limit"]["count"] = json!(1);
    server.done(Method::POST, &format!("{RULES}/try"), Some(rules.clone())).await;
    let report = &ended(&server).await["report"];
    let loyal = &report["definitions"][2];
    assert_eq!(numbers.map(|name| &loyal[name]), [1, 0, 0, 1, 0].map(Value::from).each_ref());
    server.done(Method::POST, &format!("{RULES}/publish"), Some(rules)).await;
    let job = ended(&server).await;
    assert_eq!(job["state"], "done", "{job}");
    eventually("everybody to be evaluated", async || {
        (live(&server, "loyal").await["members"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_commands_show_the_difference_and_make_it_when_told_so() {
    let server = family().await;
    let file = server.beside("rules.yaml");
    let rules = serde_json::to_string(&loose(&server).await).expect("JSON is YAML");
    std::fs::write(&file, format!("id: dev\nrules: {rules}\n")).expect("writes");
    let file = file.to_str().expect("UTF-8");
    let command = async |arguments: &[&str]| {
        let all = [&["identity"], arguments, &["--server", &server.url, "--token", DEV]].concat();
        let all: Vec<_> = all.iter().map(|one| (*one).to_owned()).collect();
        let work = move || run(&all.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
        let output = tokio::task::spawn_blocking(work).await.expect("runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (is_done, shown, complaint) = command(&["try", file]).await;
    assert!(is_done && shown.contains("would be made of several"), "{shown}{complaint}");
    assert!(shown.contains("user_id:eve"), "an example is named: {shown}");
    let (is_done, shown, _) = command(&["publish", file]).await;
    assert!(is_done && shown.contains("give --yes"), "{shown}");
    assert_eq!(server.get(RULES).await["types"][0]["limit"]["count"], 1);
    let (is_done, shown, complaint) = command(&["publish", file, "--yes"]).await;
    assert!(is_done && shown.contains("2 profiles, 3 before"), "{shown}{complaint}");
    assert_eq!(server.get(RULES).await["types"][0]["limit"]["count"], 2);

    std::fs::write(file, "types: [{ name: user_id, priority: 0 }]").expect("writes");
    let (is_done, _, complaint) = command(&["try", file]).await;
    assert!(!is_done && complaint.contains("priorities start at 1"), "{complaint}");
    std::fs::write(file, "kinds: []").expect("writes");
    let (is_done, _, complaint) = command(&["try", file]).await;
    assert!(!is_done && complaint.contains("unknown field `kinds`"), "{complaint}");
}

#[tokio::test]
async fn an_undo_that_stops_at_a_device_that_moved_is_done_under_rules_that_move_none() {
    let server = Server::start();
    let mut rules = server.get(RULES).await;
    rules["strategy"] = json!("link");
    server.done(Method::PUT, RULES, Some(rules.clone())).await;
    for (number, person) in ["ada", "bob"].iter().enumerate() {
        let id = format!("m{number}");
        let event = json!({"userId": person, "anonymousId": "tablet", "messageId": id});
        assert!(server.send(DEV, "identify", event).await.is_success());
        server.folded().await;
    }
    assert_eq!(profile(&server, "user_id:bob").await["data"].as_array().map(Vec::len), Some(2));
    for person in ["ada", "bob"] {
        let path = format!("/api/spaces/dev/identity/merges?of=user_id:{person}");
        let merges = server.get(&path).await;
        let row = &merges["data"][0];
        assert_eq!((&merges["total"], &row["merged"]), (&json!(1), &json!(false)), "{merges}");
        assert_eq!(row["device"], json!({"type": "anonymous_id", "value": "tablet"}), "{merges}");
        assert_eq!(row["event"]["message_id"], "m1", "{merges}");
        let own = if person == "bob" { "into" } else { "from" };
        assert_eq!(row[own], merges["profile_id"], "{merges}");
    }
    let undo = "/api/spaces/dev/identity/undo";
    let wish = json!({ "apart": ["user_id:bob", "anonymous_id:tablet"] });
    let (status, refused) = server.ask(Method::POST, undo, Some(wish)).await;
    let message = refused["error"]["message"].as_str().expect("text");
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    assert!(message.contains("publishing the rules in force with it"), "{message}");

    // No device ever moved under these: the tablet is Ada's, and can be set apart from her.
    rules["strategy"] = json!("isolate");
    server.done(Method::POST, &format!("{RULES}/publish"), Some(rules.clone())).await;
    assert_eq!(ended(&server).await["state"], "done");
    let wish = json!({ "apart": ["user_id:ada", "anonymous_id:tablet"], "apply": true });
    let done = server.done(Method::POST, undo, Some(wish)).await;
    assert_eq!(done["applied"], true, "{done}");
    let ids = |answer: &Value| answer["data"].as_array().map(Vec::len);
    let of = async |person: &str| ids(&profile(&server, &format!("user_id:{person}")).await);
    assert_eq!([of("ada").await, of("bob").await], [Some(1), Some(2)], "it is Bob's then");

    // Or the tablet identifies nobody.
    let blocked = rules["types"].as_array_mut().expect("types").iter_mut();
    for rule in blocked.filter(|rule| rule["name"] == "anonymous_id") {
        rule["blocked"] = json!({ "exact": ["tablet"] });
    }
    rules["strategy"] = json!("link");
    server.done(Method::POST, &format!("{RULES}/publish"), Some(rules)).await;
    assert_eq!(ended(&server).await["state"], "done");
    assert_eq!([of("ada").await, of("bob").await], [Some(1), Some(1)]);
}

#[tokio::test]
async fn a_job_that_cannot_be_says_why() {
    let server = family().await;
    let (status, answer) = server.ask(Method::GET, &format!("{RULES}/job"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{answer}");
    let wrong = json!({"types": [{"name": "user_id", "priority": 0}]});
    for deed in ["try", "publish"] {
        let (status, answer) =
            server.ask(Method::POST, &format!("{RULES}/{deed}"), Some(wrong.clone())).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::BAD_REQUEST, &json!("rules_invalid"))
        );
        let path = format!("/api/spaces/nowhere/rules/{deed}");
        let (status, _) = server.ask(Method::POST, &path, Some(loose(&server).await)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
