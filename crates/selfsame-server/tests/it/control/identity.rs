//! Identity, explained.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{DEV, Server, eventually, run};

const WHY: &str = "/api/spaces/dev/identity/why";

/// A phone whose owner signs in, another name for the phone, and a second user of it.
async fn world() -> Server {
    let server = Server::start();
    let events = [
        ("page", json!({"anonymousId": "phone", "name": "Home", "messageId": "m1"})),
        ("identify", json!({"userId": "ada", "messageId": "m2", "traits": {"email": "ada@b.c"}})),
        (
            "track",
            json!({"userId": "ada", "anonymousId": "phone", "event": "In", "messageId": "m3"}),
        ),
        ("alias", json!({"userId": "ada", "previousId": "tablet", "messageId": "m4"})),
        ("identify", json!({"userId": "bob", "anonymousId": "phone", "messageId": "m5"})),
        ("identify", json!({"userId": "ada", "messageId": "m6", "traits": {"email": "null"}})),
        ("track", json!({"userId": "eve", "event": "In", "messageId": "m7"})),
    ];
    for (route, event) in events {
        assert!(server.send(DEV, route, event).await.is_success());
        server.folded().await;
    }
    server
}

#[tokio::test]
async fn a_path_names_the_events_that_link_two_identifiers() {
    let server = world().await;
    let why = server.get(&format!("{WHY}?from=email:ADA@b.c&to=anonymous_id:phone")).await;
    assert_eq!(why["verdict"], "same_profile", "{why}");
    let links = why["links"].as_array().expect("links");
    let step = |link: &Value| {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (
            text(&link["from"]["value"]),
            text(&link["to"]["value"]),
            text(&link["event"]["message_id"]),
        )
    };
    let steps: Vec<_> = links.iter().map(step).collect();
    let expected = [("ada@b.c", "ada", "m2"), ("ada", "phone", "m3")];
    assert_eq!(steps, expected.map(|(from, to, id)| (from.into(), to.into(), id.into())));
    assert_eq!((&links[0]["effect"], &links[1]["effect"]), (&json!("mapped"), &json!("merged")));
    assert_eq!(
        (&links[1]["event"]["name"], &links[1]["event"]["source"]),
        (&json!("In"), &json!("dev"))
    );
    let rule = json!({"kind": "deterministic", "from_priority": 1, "to_priority": 6});
    assert_eq!(links[1]["rule"], rule);
    assert!(links[1]["into"].is_string() && links[1]["into"] != links[1]["merged"]);
    assert_eq!(
        (&why["cut"], &why["from"]["profile_id"]),
        (&json!(false), &why["to"]["profile_id"])
    );

    let alias = server.get(&format!("{WHY}?from=user_id:ada&to=anonymous_id:tablet")).await;
    assert_eq!(alias["links"][0]["event"]["type"], "alias", "{alias}");
    let same = server.get(&format!("{WHY}?from=user_id:ada&to=user_id:ada")).await;
    assert_eq!(same["links"], json!([]));
}

#[tokio::test]
async fn what_is_apart_names_the_limit_or_that_nothing_is_recorded() {
    let server = world().await;
    let why = server.get(&format!("{WHY}?from=user_id:bob&to=user_id:ada")).await;
    assert_eq!((&why["verdict"], &why["refusal_count"]), (&json!("different_profiles"), &json!(1)));
    let refusal = &why["refusals"][0];
    assert_eq!(refusal["rule"], "identifier_value_limit_exceeded");
    assert_eq!(refusal["left_out"], json!({"type": "anonymous_id", "value": "phone"}));
    assert_eq!(refusal["event"]["message_id"], "m5");
    let over = json!({"type": "user_id", "limit": 1, "window": "ever", "count": 2});
    assert_eq!(why["limits"], json!([over]));
    let met = json!({"type": "user_id", "limit": 1, "window": "ever"});
    assert_eq!(refusal["limit"], met, "{refusal}");
    let merges = server.get("/api/spaces/dev/identity/merges?of=user_id:bob").await;
    assert_eq!(merges["data"][0]["limit"], met, "{merges}");

    // The limit of then, whatever it is now.
    let mut rules = server.get("/api/spaces/dev/rules").await;
    rules["types"][0]["limit"]["count"] = json!(3);
    server.done(Method::PUT, "/api/spaces/dev/rules", Some(rules)).await;
    let later = server.get(&format!("{WHY}?from=user_id:bob&to=user_id:ada")).await;
    assert_eq!((&later["refusals"][0]["limit"], &later["limits"]), (&met, &json!([])), "{later}");
    let strangers = server.get(&format!("{WHY}?from=user_id:eve&to=user_id:ada")).await;
    assert_eq!((&strangers["refusal_count"], &strangers["refusals"]), (&json!(0), &json!([])));
    assert!(strangers["sentence"].as_str().expect("text").contains("No event is recorded"));
}

#[tokio::test]
async fn what_is_on_no_profile_names_what_stopped_it() {
    let server = world().await;
    let why = server.get(&format!("{WHY}?from=email:null&to=user_id:nobody")).await;
    assert_eq!(why["verdict"], "no_profile", "{why}");
    assert_eq!(why["from"]["stopped"]["rule"], "id_value_blocked");
    assert_eq!(why["from"]["stopped"]["event"]["message_id"], "m6");
    assert_eq!(why["from"]["stopped"]["event"]["source"], "dev");
    assert_eq!((&why["from"]["stopped_count"], &why["to"]["stopped"]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn what_a_limit_kept_off_every_profile_names_that_limit() {
    let server = Server::start();
    for number in 0..7 {
        let traits = json!({ "email": format!("{number}@b.c") });
        let event = json!({"userId": "ada", "messageId": format!("m{number}"), "traits": traits});
        assert!(server.send(DEV, "identify", event).await.is_success());
    }
    server.folded().await;
    let why = server.get(&format!("{WHY}?from=email:6@b.c&to=user_id:ada")).await;
    let stopped = &why["from"]["stopped"];
    assert_eq!(stopped["rule"], "identifier_value_limit_exceeded", "{why}");
    let met = json!({"type": "email", "limit": 5, "window": "ever"});
    assert_eq!((&stopped["limit"], &stopped["event"]["message_id"]), (&met, &json!("m6")), "{why}");
    let trace = server.get("/api/trace?message_id=m6").await;
    let notes = trace["data"][0]["event"]["notes"].as_array().expect("notes");
    let shown: Vec<_> = notes.iter().map(|note| (&note["sentence"], &note["violation"])).collect();
    let limit = (&json!("Identifier value limit exceeded"), &json!(true));
    let which = (&json!("Limit that was met"), &json!(false));
    assert_eq!(shown, [limit, which], "{trace}");
    assert_eq!([&notes[1]["identifier"], &notes[1]["value"]], [&json!("email"), &json!("5")]);
}

#[tokio::test]
async fn merges_are_listed_with_the_events_that_made_or_refused_them() {
    let server = world().await;
    let merges = server.get("/api/spaces/dev/identity/merges?of=email:ada@b.c").await;
    let rows = merges["data"].as_array().expect("rows");
    assert_eq!((rows.len(), &merges["total"]), (1, &json!(1)), "{merges}");
    assert_eq!((&rows[0]["merged"], &rows[0]["event"]["message_id"]), (&json!(true), &json!("m3")));
    assert_eq!(rows[0]["into"], merges["profile_id"]);
    let old = rows[0]["from"].as_str().expect("an id");
    let by_old = server.get(&format!("/api/spaces/dev/identity/merges?of={old}")).await;
    assert_eq!(by_old, merges);
    let bob = server.get("/api/spaces/dev/identity/merges?of=user_id:bob").await;
    assert_eq!(bob["data"][0]["refused_by"], "identifier_value_limit", "{bob}");
}

#[tokio::test]
async fn health_counts_sizes_limits_and_wanted_identifiers() {
    let server = world().await;
    let health = server.get("/api/spaces/dev/identity/health").await;
    let sizes: Vec<_> = health["sizes"]
        .as_array()
        .expect("sizes")
        .iter()
        .map(|size| size["profiles"].as_u64().expect("a number"))
        .collect();
    // Bob and Eve have one identifier, Ada has four.
    assert_eq!(sizes, [2, 0, 1, 0, 0, 0], "{health}");
    assert_eq!((&health["profiles"], &health["merges"]), (&json!(3), &json!(1)));
    assert_eq!(health["largest"][0]["identifiers"], 4);
    assert_eq!(health["violations"]["identifier_value_limit_exceeded"], 1);
    let wanted = &health["wanted"][0];
    assert_eq!(wanted["id"], json!({"type": "anonymous_id", "value": "phone"}));
    assert_eq!((&wanted["profiles"], &wanted["sets"]), (&json!(1), &json!(1)));
    assert_eq!(health["cut"], false);
    let [day] = health["days"].as_array().expect("days").as_slice() else { panic!("{health}") };
    let of = |name: &str| day[name].as_u64().expect("a count");
    assert_eq!(["events", "unattached"].map(of), [7, 0], "{day}");
    assert_eq!(["profiles", "merges", "violations"].map(of), [4, 1, 2], "{day}");
    assert_eq!(health["alarms"], json!([]), "seven events are no reason for any");
    let metrics = server.http.get(server.at("/metrics")).bearer_auth(DEV).send().await;
    let metrics = metrics.expect("an answer").text().await.expect("text");
    let met = "selfsame_engine_violations_total{space=\"dev\",kind=\"identifier_value_limit_exceeded\"} 1";
    assert!(metrics.contains(met), "{metrics}");
}

#[tokio::test]
async fn a_kiosk_that_many_people_sign_in_at_raises_an_alarm_without_its_value() {
    let server = Server::start();
    for person in 0..11 {
        let id = format!("m{person}");
        let event =
            json!({"userId": format!("u{person}"), "anonymousId": "kiosk", "messageId": id});
        assert!(server.send(DEV, "identify", event).await.is_success());
    }
    server.folded().await;
    let health = server.get("/api/spaces/dev/identity/health").await;
    let [alarm] = health["alarms"].as_array().expect("alarms").as_slice() else {
        panic!("{health}")
    };
    assert_eq!(alarm["kind"], "shared_identifier", "{alarm}");
    let message = alarm["message"].as_str().expect("text");
    assert!(message.contains("anonymous_id") && message.contains("10 other profiles"), "{message}");
    assert!(!message.contains("kiosk"), "{message}");
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_says_what_is_wrong() {
    let server = Server::start();
    let cases = [
        ("why?from=ada&to=user_id:ada", "from", "user_id:42"),
        ("why?from=user_id:ada", "to", "user_id:42"),
        ("why?from=user_id:&to=user_id:ada", "from", "user_id:42"),
        ("why?from=shoe:9&to=user_id:ada", "from", "user_id, email"),
        ("why?from=group_id:9&to=user_id:ada", "from", "no type `group_id`"),
        ("why?from=user_id:a&to=user_id:b&collection=dogs", "collection", "users or accounts"),
        ("merges?of=ada", "of", "user_id:42"),
        ("health?limit=0", "limit", "from 1 to 100"),
    ];
    for (query, field, says) in cases {
        let path = format!("/api/spaces/dev/identity/{query}");
        let (status, answer) = server.ask(Method::GET, &path, None).await;
        assert_eq!((status, &answer["error"]["field"]), (StatusCode::BAD_REQUEST, &json!(field)));
        assert!(answer["error"]["message"].as_str().expect("text").contains(says), "{answer}");
    }
    for path in ["dev/identity/merges?of=user_id:x", "no/identity/why?from=user_id:a&to=user_id:b"]
    {
        let path = format!("/api/spaces/{path}");
        let (status, answer) = server.ask(Method::GET, &path, None).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::NOT_FOUND, &json!("not_found"))
        );
    }
}

#[tokio::test]
async fn an_undo_is_planned_done_listed_and_lifted() {
    let server = world().await;
    let base = "/api/spaces/dev/identity";
    let mut wish = json!({ "apart": ["user_id:ada", "anonymous_id:phone"], "by": "support" });
    let (status, plan) =
        server.ask(Method::POST, &format!("{base}/undo"), Some(wish.clone())).await;
    assert_eq!(status, StatusCode::OK, "{plan}");
    assert_eq!(
        (&plan["applied"], plan["after"].as_array().map(Vec::len)),
        (&json!(false), Some(2))
    );
    assert_eq!(plan["others"].as_array().map(Vec::len), Some(1), "bob gets the phone");
    assert_eq!(server.get(&format!("{base}/apart")).await["data"], json!([]));

    wish["apply"] = json!(true);
    let (status, done) =
        server.ask(Method::POST, &format!("{base}/undo"), Some(wish.clone())).await;
    assert_eq!((status, &done["applied"]), (StatusCode::OK, &json!(true)), "{done}");
    assert_eq!((&done["before"], &done["after"]), (&plan["before"], &plan["after"]));
    let why = server.get(&format!("{WHY}?from=user_id:ada&to=anonymous_id:phone")).await;
    assert_eq!(
        (&why["verdict"], &why["set_apart"][0]["by"]),
        (&json!("different_profiles"), &json!("support"))
    );
    let list = server.get(&format!("{base}/apart")).await;
    assert_eq!(
        (&list["data"][0]["times"], &list["data"][0]["last"]["message_id"]),
        (&json!(1), &json!("m3")),
        "{list}"
    );

    let lift = json!({ "lift": ["user_id:ada", "anonymous_id:phone"], "apply": true });
    let (status, lifted) =
        server.ask(Method::POST, &format!("{base}/undo"), Some(lift.clone())).await;
    assert_eq!((status, &lifted["after"]), (StatusCode::OK, &plan["before"]), "{lifted}");
    assert_eq!(server.get(&format!("{base}/apart")).await["data"], json!([]));
}

#[tokio::test]
async fn an_undo_that_cannot_be_is_refused_with_what_is_wrong() {
    let server = world().await;
    let path = "/api/spaces/dev/identity/undo";
    for (wish, expected) in [
        (json!({}), StatusCode::BAD_REQUEST),
        (json!({ "apart": ["user_id:ada"] }), StatusCode::BAD_REQUEST),
        (json!({ "apart": ["user_id:ada", "colour:red"] }), StatusCode::BAD_REQUEST),
        (json!({ "apart": ["user_id:ada", "user_id:ada"] }), StatusCode::BAD_REQUEST),
        (json!({ "apart": ["user_id:nobody", "user_id:ada"] }), StatusCode::NOT_FOUND),
        (json!({ "unmerge": "ada" }), StatusCode::BAD_REQUEST),
        (json!({ "split": ["user_id:bob"], "from": "user_id:ada" }), StatusCode::CONFLICT),
        (json!({ "split": ["user_id:bob"] }), StatusCode::BAD_REQUEST),
        (json!({ "lift": ["user_id:ada", "user_id:bob"] }), StatusCode::NOT_FOUND),
    ] {
        let (status, answer) = server.ask(Method::POST, path, Some(wish.clone())).await;
        assert_eq!(status, expected, "{wish}: {answer}");
    }
    for pair in [["user_id:nobody", "user_id:ada"], ["user_id:ada", "user_id:nobody"]] {
        let (_, answer) = server.ask(Method::POST, path, Some(json!({ "apart": pair }))).await;
        let message = answer["error"]["message"].as_str().expect("text");
        assert!(message.contains("user_id:nobody"), "the one that no event had: {message}");
    }
}

/// A till with which so many people came, each with an address of their own.
async fn till(server: &Server, people: usize) {
    for first in (0..people).step_by(500) {
        let batch: Vec<_> = (first..people.min(first + 500))
            .map(|person| {
                json!({"type": "page", "userId": format!("u{person}"), "anonymousId": "till",
                       "messageId": format!("m{person}")})
            })
            .collect();
        let request = server.http.post(server.at("/v1/batch")).basic_auth(DEV, Some(""));
        let answer = request.json(&json!({ "batch": batch })).send().await.expect("an answer");
        assert!(answer.status().is_success());
    }
    server.folded().await;
}

#[tokio::test]
async fn what_is_too_much_for_a_step_is_undone_by_a_job() {
    let server = Server::start();
    till(&server, 10_050).await;
    let undo = "/api/spaces/dev/identity/undo";
    let (status, job) = server.ask(Method::GET, &format!("{undo}/job"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{job}");
    let mut wish = json!({ "apart": ["user_id:u0", "anonymous_id:till"] });
    let ended = async || {
        eventually("the end of the job", async || {
            let job = server.get(&format!("{undo}/job")).await;
            (job["state"] != "running").then_some(job)
        })
        .await
    };
    // It is shown by a job as well, which changes nothing.
    let begun = server.done(Method::POST, undo, Some(wish.clone())).await;
    assert_eq!(
        (&begun["large"], &begun["job"], &begun["sets"], &begun["after"]),
        (&json!(true), &json!(true), &json!(10_050), &json!([]))
    );
    let job = ended().await;
    let shown = &job["undo"];
    assert_eq!((&job["state"], &shown["applied"]), (&json!("done"), &json!(false)), "{job}");
    assert_eq!([&job["of"], &shown["large"]], [&json!(10_050), &json!(true)], "{job}");
    assert!(job["resolved"].as_u64() > Some(5_000), "it said how far it was: {job}");
    assert!(shown["after"].as_array().map(Vec::len) > Some(1), "{job}");
    let apart = server.get("/api/spaces/dev/identity/apart").await;
    assert_eq!(apart["data"], json!([]), "nothing was changed");

    wish["apply"] = json!(true);
    let begun = server.done(Method::POST, undo, Some(wish)).await;
    assert_eq!((&begun["job"], &begun["applied"]), (&json!(true), &json!(false)), "{begun}");
    let job = ended().await;
    assert_eq!((&job["state"], &job["undo"]["applied"]), (&json!("done"), &json!(true)), "{job}");
    assert_eq!(
        [&job["undo"]["before"], &job["undo"]["after"]],
        [&shown["before"], &shown["after"]]
    );
    let apart = server.get("/api/spaces/dev/identity/apart").await;
    assert_eq!(apart["data"].as_array().map(Vec::len), Some(1), "{apart}");

    // The command waits for the job, and says what became of it.
    let url = server.url.clone();
    let lift = async |yes: &'static [&'static str]| {
        let url = url.clone();
        let work = move || {
            let told = ["user_id:u0", "anonymous_id:till", "--server", &url, "--token", DEV];
            run(&[&["identity", "lift"][..], &told, yes].concat(), &[])
        };
        let output = tokio::task::spawn_blocking(work).await.expect("runs");
        let said = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let said = lift(&[]).await;
    assert!(said.contains("10050 sets of identifiers are resolved again, by a job"), "{said}");
    assert!(said.contains("afterwards") && said.contains("give --yes to do it"), "{said}");
    let said = lift(&["--yes"]).await;
    assert!(said.contains("10050 sets of identifiers are resolved again, by a job"), "{said}");
    assert!(said.contains("done, by the record at"), "{said}");
    // Told to stop when it has ended, it stays as it is.
    let job = server.done(Method::DELETE, &format!("{undo}/job"), None).await;
    assert_eq!(job["state"], "done");
}
