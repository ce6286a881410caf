//! What is hardly one person's: found in the data, tried out, blocked; and an undo that only the whole log allows.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{DEV, Server, eventually, run};

/// What a command printed, and whether it was well.
async fn said(server: &Server, arguments: &[&str]) -> (bool, String) {
    let mut all: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
    all.extend(["--server", &server.url, "--token", DEV].map(str::to_owned));
    let work = move || run(&all.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let output = tokio::task::spawn_blocking(work).await.expect("runs");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text.into_owned())
}

#[tokio::test]
async fn an_address_that_stands_for_nobody_is_found_and_proposed_for_blocking() {
    let server = Server::start();
    for person in 0..12 {
        let device = format!("a{person}");
        let signs_in = json!({"userId": format!("u{person}"), "anonymousId": device, "messageId": format!("s{person}")});
        let traits = json!({ "email": "None@x.y" });
        let writes =
            json!({"anonymousId": device, "messageId": format!("w{person}"), "traits": traits});
        for event in [signs_in, writes] {
            assert!(server.send(DEV, "identify", event).await.is_success());
        }
    }
    // Somebody who browses in private has many devices, and they are nobody else's.
    for visit in 0..20 {
        let event = json!({"userId": "private", "anonymousId": format!("p{visit}"), "messageId": format!("p{visit}")});
        assert!(server.send(DEV, "identify", event).await.is_success());
    }
    server.folded().await;
    let health = server.get("/api/spaces/dev/identity/health").await;
    let wanted = health["wanted"].as_array().expect("a list");
    assert_eq!(wanted[0]["id"], json!({"type": "email", "value": "none@x.y"}), "{health}");
    assert_eq!([&wanted[0]["profiles"], &wanted[0]["sets"]], [&json!(11), &json!(11)], "{health}");
    let command = "selfsame identity try --block email:none@x.y --space dev";
    assert_eq!(wanted[0]["block"], command);
    assert!(wanted[1..].iter().all(|one| one["block"].is_null()), "{health}");
    assert!(!health["wanted"].to_string().contains("private"), "{health}");
    let [alarm] = health["alarms"].as_array().expect("alarms").as_slice() else {
        panic!("{health}")
    };
    assert_eq!(alarm["kind"], "shared_identifier");
    let (is_well, shown) = said(&server, &["identity", "health"]).await;
    assert!(is_well && shown.contains(&format!("if it is nobody's: {command}")), "{shown}");

    // The command does what it says, and publishing has it done.
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let (is_well, shown) = said(&server, &arguments).await;
    assert!(is_well && shown.contains("limits and blocks met"), "{shown}");
    assert!(shown.contains("id_value_blocked"), "{shown}");
    let publish = ["identity", "publish", "--block", "email:none@x.y", "--yes"];
    let (is_well, shown) = said(&server, &publish).await;
    assert!(is_well && shown.contains("in force from the first event on"), "{shown}");
    let health = server.get("/api/spaces/dev/identity/health").await;
    assert_eq!(health["alarms"], json!([]), "{health}");
    for (block, says) in
        [("none@x.y", "type:value"), ("shoe:9", "no type `shoe`; there are user_id")]
    {
        let (is_well, shown) = said(&server, &["identity", "try", "--block", block]).await;
        assert!(!is_well && shown.contains(says), "{shown}");
    }
    let (is_well, shown) = said(&server, &["identity", "try"]).await;
    assert!(!is_well && shown.contains("<FILE>"), "{shown}");
}

#[tokio::test]
async fn how_large_profiles_are_is_kept_day_by_day() {
    let server = Server::start();
    let event = json!({"userId": "ada", "anonymousId": "phone", "messageId": "m1"});
    assert!(server.send(DEV, "identify", event).await.is_success());
    server.folded().await;
    let graph = eventually("a look at the graph", async || {
        let health = server.get("/api/spaces/dev/identity/health").await;
        Some(health["days"][0]["graph"].clone()).filter(|graph| !graph.is_null())
    })
    .await;
    assert_eq!(graph["sizes"].as_array().map(Vec::len), Some(6), "{graph}");
    assert_eq!([&graph["giants"], &graph["shared"]], [&json!(0), &json!(0)], "{graph}");
    let metrics = server.http.get(server.at("/metrics")).bearer_auth(DEV).send().await;
    let metrics = metrics.expect("an answer").text().await.expect("text");
    let shown = "selfsame_graph_giant_profiles{space=\"dev\",collection=\"users\"} 0";
    assert!(metrics.contains(shown), "{metrics}");
}

#[tokio::test]
async fn a_device_that_moved_is_set_apart_by_publishing_the_rules_in_force() {
    let server = Server::start();
    let mut rules = server.get("/api/spaces/dev/rules").await;
    rules["strategy"] = json!("link");
    server.done(Method::PUT, "/api/spaces/dev/rules", Some(rules)).await;
    for (number, user) in ["ada", "bob", "ada"].iter().enumerate() {
        let event =
            json!({"userId": user, "anonymousId": "tablet", "messageId": format!("m{number}")});
        assert!(server.send(DEV, "identify", event).await.is_success());
        server.folded().await;
    }
    let undo = "/api/spaces/dev/identity/undo";
    let mut wish = json!({ "apart": ["user_id:ada", "anonymous_id:tablet"], "by": "support" });
    let (status, refused) = server.ask(Method::POST, undo, Some(wish.clone())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(refused.to_string().contains("--publish"), "{refused}");
    let ended = async || {
        eventually("the end of the job", async || {
            let job = server.get("/api/spaces/dev/rules/job").await;
            (job["state"] != "running").then_some(job)
        })
        .await
    };
    wish["publish"] = json!(true);
    let begun = server.done(Method::POST, undo, Some(wish.clone())).await;
    assert_eq!([&begun["publishing"], &begun["applied"]], [&json!(true), &json!(false)]);
    assert_eq!(begun["pairs"].as_array().map(Vec::len), Some(1), "{begun}");
    let job = ended().await;
    assert_eq!([&job["job"], &job["state"]], [&json!("try"), &json!("done")], "{job}");
    assert_eq!(job["report"]["users"]["unchanged"], 0, "{job}");
    assert_eq!(server.get("/api/spaces/dev/identity/apart").await["data"], json!([]));
    for (wrong, expected) in [
        (json!({ "apart": ["user_id:ada", "user_id:nobody"] }), StatusCode::NOT_FOUND),
        (json!({ "lift": ["user_id:ada", "user_id:bob"] }), StatusCode::NOT_FOUND),
        (json!({ "split": ["user_id:bob"], "from": "user_id:ada" }), StatusCode::CONFLICT),
    ] {
        let mut wrong = wrong;
        wrong["publish"] = json!(true);
        let (status, answer) = server.ask(Method::POST, undo, Some(wrong)).await;
        assert_eq!(status, expected, "{answer}");
    }

    let split = ["identity", "split", "anonymous_id:tablet", "--from", "user_id:ada", "--publish"];
    let (is_well, shown) = said(&server, &split).await;
    assert!(is_well && shown.contains("nothing was changed: give --yes"), "{shown}");
    assert!(shown.contains("anonymous_id:tablet"), "{shown}");
    let (is_well, shown) = said(&server, &[&split[..], &["--yes"]].concat()).await;
    assert!(is_well && shown.contains("in force from the first event on"), "{shown}");
    let why = async |to: &str| -> Value {
        let path = "/api/spaces/dev/identity/why?from=anonymous_id:tablet&to=user_id:";
        server.get(&format!("{path}{to}")).await["verdict"].clone()
    };
    assert_eq!(why("ada").await, "different_profiles");
    assert_eq!(why("bob").await, "same_profile");
    let listed = server.get("/api/spaces/dev/identity/apart").await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
    let lift = ["identity", "lift", "user_id:ada", "anonymous_id:tablet", "--publish", "--yes"];
    let (is_well, shown) = said(&server, &lift).await;
    assert!(is_well, "{shown}");
    assert_eq!(why("ada").await, "same_profile");
}
