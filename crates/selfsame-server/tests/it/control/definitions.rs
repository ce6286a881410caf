//! Audiences and computed traits: made over a history, in force while events flow, read everywhere.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{DEV, Server, eventually, run};

pub(super) const AT: &str = "/api/spaces/dev/definitions";
const PUT: Method = Method::PUT;

pub(super) async fn order(server: &Server, user: &str, price: f64) {
    let event = json!({
        "userId": user, "event": "Order Completed", "properties": { "price": price },
    });
    assert_eq!(server.send(DEV, "track", event).await, StatusCode::OK);
}

/// Makes a definition, or changes it.
pub(super) async fn set(server: &Server, id: &str, kind: &str, query: &str) -> Value {
    let body = json!({ "kind": kind, "query": query });
    server.done(PUT, &format!("{AT}/{id}"), Some(body)).await
}

/// Waits until a definition is in force and everybody was looked at.
pub(super) async fn live(server: &Server, id: &str) -> Value {
    eventually(id, async || {
        let shown = server.get(&format!("{AT}/{id}")).await;
        (shown["state"] == "live").then_some(shown)
    })
    .await
}

pub(super) async fn traits(server: &Server, user: &str, query: &str) -> Value {
    let path = format!("/v1/spaces/dev/collections/users/profiles/user_id:{user}/traits?{query}");
    server.get(&path).await["traits"].clone()
}

/// Users u0 to u5, of whom each has as many orders as its number says.
pub(super) async fn world() -> Server {
    let server = Server::start();
    for user in 0..6 {
        let id = format!("u{user}");
        let person = json!({ "userId": id, "traits": { "plan": "free", "spent": "custom" } });
        assert_eq!(server.send(DEV, "identify", person).await, StatusCode::OK);
        for number in 0..user {
            order(&server, &id, 1.5 + f64::from(number)).await;
        }
    }
    server.folded().await;
    server
}

async fn members(server: &Server, id: &str) -> Vec<String> {
    let answer = server.get(&format!("{AT}/{id}/members?identifiers=true")).await;
    let user = |one: &Value| {
        let ids = one["identifiers"].as_array().expect("identifiers");
        let user = ids.iter().find(|id| id["type"] == "user_id").expect("a user id");
        user["value"].as_str().expect("text").to_owned()
    };
    let mut users: Vec<_> = answer["data"].as_array().expect("a list").iter().map(user).collect();
    users.sort();
    assert_eq!(answer["total"], users.len());
    users
}

#[tokio::test]
async fn definitions_over_a_history_are_in_force_for_what_was_and_what_comes() {
    let server = world().await;
    let query = "event('Order Completed').count()>=3  AND event('Refund').count() = 0";
    let made = set(&server, "regular", "audience", query).await;
    assert_eq!(
        made["query"], "event('Order Completed').count() >= 3 AND event('Refund').count() = 0",
        "printed in the one way"
    );
    assert_eq!((&made["kind"], &made["name"]), (&json!("audience"), &json!("regular")));
    assert!(["computing", "evaluating", "live"].contains(&made["state"].as_str().expect("text")));
    set(&server, "spent", "computed_trait", "event('Order Completed').sum(property('price'))")
        .await;
    set(&server, "orders", "computed_trait", "event('Order Completed').count()").await;
    set(&server, "never", "audience", "event('Refund').count() = 0").await;
    for id in ["spent", "orders", "never"] {
        live(&server, id).await;
    }
    let shown = live(&server, "regular").await;
    assert_eq!((&shown["members"], &shown["progress"]), (&json!(3), &Value::Null));
    assert_eq!(shown["query_in_force"], shown["query"]);
    assert!(shown["since"].is_string() && shown["history_from"].is_null(), "{shown}");
    assert_eq!(members(&server, "regular").await, ["u3", "u4", "u5"]);
    assert_eq!(members(&server, "never").await.len(), 6);

    // In, by an event; and out.
    order(&server, "u2", 10.0).await;
    server.folded().await;
    assert_eq!(members(&server, "regular").await, ["u2", "u3", "u4", "u5"]);
    let refund = json!({ "userId": "u5", "event": "Refund" });
    server.send(DEV, "track", refund).await;
    server.folded().await;
    assert_eq!(members(&server, "regular").await, ["u2", "u3", "u4"]);
    let counts = server.get(&format!("{AT}/regular/counts")).await;
    assert_eq!(counts["members"], 3);
    let day = &counts["days"][0];
    assert_eq!(
        (&day["entered"], &day["exited"], &day["members"]),
        (&json!(4), &json!(1), &json!(3))
    );

    let of = async |user: &str, query: &str| traits(&server, user, query).await;
    assert_eq!(
        of("u2", "").await,
        json!({ "never": true, "orders": 3, "plan": "free", "regular": true, "spent": 14 }),
        "what a definition comes to is read before what an event set"
    );
    assert_eq!(of("u5", "class=audience").await, json!({ "never": false, "regular": false }));
    assert_eq!(of("u0", "class=audience").await, json!({ "never": true }), "absent before entry");
    assert_eq!(of("u0", "class=computed_trait").await, json!({ "orders": 0 }));
    assert_eq!(of("u0", "class=custom").await, json!({ "plan": "free" }));
    assert_eq!(of("u3", "include=regular,spent").await, json!({ "regular": true, "spent": 7.5 }));
    let verbose = of("u2", "include=regular,orders&verbose=true").await;
    assert_eq!(verbose["orders"], json!({ "value": 3, "class": "computed_trait" }));
    assert_eq!(verbose["regular"]["class"], "audience");
    assert!(verbose["regular"]["updated_at"].is_string(), "{verbose}");
}

#[tokio::test]
async fn whoever_is_in_a_window_leaves_it_though_nothing_happens() {
    let server = world().await;
    set(&server, "now", "audience", "event('Order Completed').within(2 seconds).count() >= 1")
        .await;
    live(&server, "now").await;
    order(&server, "u0", 1.0).await;
    server.folded().await;
    assert_eq!(traits(&server, "u0", "class=audience").await, json!({ "now": true }));
    eventually("the exit", async || {
        (traits(&server, "u0", "class=audience").await == json!({ "now": false })).then_some(())
    })
    .await;
    eventually("the count", async || {
        (server.get(&format!("{AT}/now")).await["members"] == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_edit_keeps_the_earlier_version_in_force_until_the_new_one_is() {
    let server = world().await;
    set(&server, "a", "audience", "event('Order Completed').count() >= 4").await;
    live(&server, "a").await;
    assert_eq!(members(&server, "a").await, ["u4", "u5"]);
    let edited = set(&server, "a", "audience", "event('Order Completed').count() >= 2").await;
    assert_ne!(edited["state"], "computing", "{edited}");
    eventually("the new version", async || {
        (live(&server, "a").await["members"] == 4).then_some(())
    })
    .await;
    assert_eq!(members(&server, "a").await, ["u2", "u3", "u4", "u5"]);
    // Printed in another way it is the same: nothing is computed again.
    let same = set(&server, "a", "audience", "event('Order Completed').count()>=2").await;
    assert_eq!(same["state"], "live");
}

#[tokio::test]
async fn a_server_that_is_killed_while_it_computes_goes_on() {
    let server = world().await;
    set(&server, "a", "audience", "event('Order Completed').count() >= 4").await;
    set(&server, "b", "audience", "event('Order Completed').sum(property('price')) > 100").await;
    let server = server.again();
    live(&server, "a").await;
    live(&server, "b").await;
    assert_eq!(members(&server, "a").await, ["u4", "u5"]);
    assert_eq!(members(&server, "b").await, [""; 0]);
    let server = server.again();
    assert_eq!(live(&server, "a").await["members"], 2);
    assert_eq!(traits(&server, "u4", "class=audience").await, json!({ "a": true }));
}

#[tokio::test]
async fn what_is_wrong_with_a_definition_is_said_with_its_place() {
    let server = Server::start();
    let put =
        async |id: &str, body: Value| server.ask(PUT, &format!("{AT}/{id}"), Some(body)).await;
    let query = "event('A').count() >= 1\n  AND evnt('B').count() = 0";
    let (status, answer) = put("a", json!({ "kind": "audience", "query": query })).await;
    let error = &answer["error"];
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &json!("definition_invalid")));
    let place = &error["places"][0];
    assert_eq!((&place["line"], &place["column"]), (&json!(2), &json!(7)), "{answer}");
    assert_eq!(place["shown"], "    AND evnt('B').count() = 0\n        ^^^^");
    assert!(place["message"].as_str().expect("text").contains("did you mean `event`?"), "{answer}");
    assert_eq!(error["field"], "query");

    let of = |query: &str| json!({ "kind": "audience", "query": query });
    let test = json!({ "value": { "trait": "x" }, "test": "equal", "with": { "bool": true } });
    for (body, code, part) in [
        (of("property('p') = 1"), "definition_invalid", "line 1, column 1"),
        (of("entity('e').count() > 1"), "definition_invalid", "needs tables"),
        (of("trait('a') = true"), "definition_invalid", "in a circle"),
        (json!({ "kind": "audience", "query": test }), "definition_invalid", "at /test"),
        (json!({ "kind": "audience", "query": 3 }), "invalid", "`query`"),
        (json!({ "kind": "list", "query": "" }), "invalid", "kind"),
        (json!({ "kind": "audience" }), "invalid", "missing field"),
        (
            json!({ "kind": "audience", "query": "trait('x') = 1", "destinations": [{ "destination": "no" }] }),
            "invalid",
            "no destination `no`",
        ),
    ] {
        let (status, answer) = put("a", body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body} {answer}");
        assert_eq!(answer["error"]["code"], code, "{body} {answer}");
        let text = answer.to_string();
        assert!(text.contains(part), "{part} is not in {text}");
    }
    for (method, path) in [
        (Method::GET, format!("{AT}/none")),
        (Method::DELETE, format!("{AT}/none")),
        (Method::GET, format!("{AT}/none/members")),
        (Method::GET, format!("{AT}/none/counts")),
        (Method::GET, "/api/spaces/none/definitions".to_owned()),
    ] {
        let (status, answer) = server.ask(method, &path, None).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path} {answer}");
    }
    assert_eq!(server.get(AT).await["data"], json!([]), "nothing was made");
}

#[tokio::test]
async fn a_definition_is_also_json_and_is_removed_when_nothing_reads_it() {
    let server = Server::start();
    let made = set(&server, "seen", "computed_trait", "event('A').count()").await;
    assert_eq!(made["expression"], json!({ "event": "A", "reduce": "count" }));
    assert_eq!(made["members"], Value::Null);
    let body = json!({
        "kind": "audience", "name": "Often", "description": "Came often.", "public": true,
        "query": { "value": { "trait": "seen" }, "test": "at_least", "with": { "number": "3" } },
    });
    let often = server.done(PUT, &format!("{AT}/often"), Some(body.clone())).await;
    assert_eq!(
        (&often["query"], &often["expression"], &often["public"], &often["description"]),
        (&json!("trait('seen') >= 3"), &body["query"], &json!(true), &json!("Came often."))
    );
    let ids = async |query: &str| {
        let list = server.get(&format!("{AT}{query}")).await["data"].clone();
        let list = list.as_array().expect("a list").iter().map(|one| one["id"].clone());
        list.collect::<Vec<_>>()
    };
    assert_eq!(ids("").await, [json!("often"), json!("seen")]);
    assert_eq!(ids("?kind=audience").await, [json!("often")]);
    let (status, answer) = server.ask(Method::DELETE, &format!("{AT}/seen"), None).await;
    assert_eq!((status, &answer["error"]["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    assert!(answer.to_string().contains("often"), "{answer}");
    let kind = json!({ "kind": "computed_trait", "query": "event('A').count()" });
    let (status, answer) = server.ask(PUT, &format!("{AT}/often"), Some(kind)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a kind does not change: {answer}");
    let (status, _) = server.ask(Method::GET, &format!("{AT}/seen/members"), None).await;
    assert_eq!(status, StatusCode::CONFLICT);
    server.done(Method::DELETE, &format!("{AT}/often"), None).await;
    server.done(Method::DELETE, &format!("{AT}/seen"), None).await;
    assert_eq!(ids("").await, Vec::<Value>::new());
}

#[tokio::test]
async fn members_come_in_pages_and_as_files() {
    let server = world().await;
    set(&server, "all", "audience", "event('Refund').count() = 0").await;
    live(&server, "all").await;
    let whole = server.get(&format!("{AT}/all/members?limit=100")).await;
    let whole = whole["data"].as_array().expect("a list");
    assert_eq!(whole.len(), 6);
    for limit in [1, 4, 6] {
        let (mut all, mut next) = (Vec::new(), String::new());
        loop {
            let page = server.get(&format!("{AT}/all/members?limit={limit}{next}")).await;
            all.extend(page["data"].as_array().expect("a list").iter().cloned());
            match page["next"].as_str() {
                Some(cursor) => next = format!("&next={cursor}"),
                None => break,
            }
        }
        assert_eq!(&all, whole, "pages of {limit}");
    }
    let file = async |name: &str| {
        let answer = server.request(Method::GET, &format!("{AT}/all/{name}")).send().await;
        let answer = answer.expect("an answer");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        assert!(answer.headers()["content-disposition"].to_str().expect("text").contains("all."));
        (kind, answer.text().await.expect("all of it"))
    };
    let (kind, csv) = file("members.csv").await;
    assert_eq!(kind, "text/csv; charset=utf-8");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("profile_id,since"));
    let ids: Vec<_> = lines.filter_map(|line| line.split(',').next()).collect();
    assert_eq!(
        ids,
        whole.iter().map(|one| one["profile_id"].as_str().expect("text")).collect::<Vec<_>>()
    );
    let (_, csv) = file("members.csv?identifiers=true").await;
    let head = csv.lines().next().expect("a head");
    assert!(
        head.starts_with("profile_id,since,user_id,") && head.ends_with(",identifiers"),
        "{head}"
    );
    let row = csv.lines().find(|line| line.contains(",u3,")).expect("a row");
    assert!(row.ends_with(r#""[{""type"":""user_id"",""value"":""u3""}]""#), "{row}");
    let (kind, lines) = file("members.jsonl?identifiers=true").await;
    assert_eq!((kind.as_str(), lines.lines().count()), ("application/x-ndjson", 6));
    for line in lines.lines() {
        let member: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(member["identifiers"][0]["type"], "user_id");
    }
    let (status, _) = server.ask(Method::GET, &format!("{AT}/all/members?next=x"), None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_command_line_makes_shows_and_removes_them() {
    let server = world().await;
    let ask = |arguments: &[&str]| {
        let flags = ["--server", &server.url, "--token", DEV];
        let output = run(&[arguments, &flags].concat(), &[]);
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("text"))
    };
    let query = "event('Order Completed').count() >= 4";
    let arguments = ["audience", "set", "regular", "--query", query, "--name", "Regular", "--wait"];
    let (is_done, said) = ask(&arguments);
    assert!(
        is_done && said.contains("state        live") && said.contains("members      2"),
        "{said}"
    );
    let file = server.beside("query.txt");
    std::fs::write(&file, "event('Order Completed').sum(property('price'))").expect("written");
    let file = file.to_str().expect("text");
    let (is_done, said) =
        ask(&["trait", "set", "spent", "--file", file, "--public", "true", "--wait"]);
    assert!(is_done && said.contains("public"), "{said}");
    let (is_done, said) = ask(&["audience", "list"]);
    assert!(
        is_done && said.starts_with("regular  live") && said.contains("2 members  Regular"),
        "{said}"
    );
    let (_, said) = ask(&["trait", "list"]);
    assert!(said.starts_with("spent  live") && !said.contains("regular"), "{said}");
    // What is not given stays.
    let (is_done, said) = ask(&["audience", "set", "regular", "--description", "They come back."]);
    assert!(
        is_done && said.contains("for          They come back.") && said.contains(query),
        "{said}"
    );
    let (is_done, said) = ask(&["audience", "get", "regular"]);
    assert!(is_done && said.starts_with("regular  Regular (audience)"), "{said}");
    let (is_done, said) = ask(&["audience", "get", "spent"]);
    assert!(!is_done && said.contains("selfsame trait get spent"), "{said}");
    let (is_done, said) = ask(&["audience", "members", "regular"]);
    assert!(is_done && said.contains("user_id:u4") && said.contains("user_id:u5"), "{said}");
    let (is_done, said) = ask(&["audience", "members", "regular", "--format", "csv"]);
    assert!(is_done && said.lines().count() == 3, "{said}");
    let (is_done, said) = ask(&["profile", "get", "user_id:u4"]);
    assert!(
        is_done && said.contains("audience since ") && said.contains("computed_trait"),
        "{said}"
    );

    let (is_done, said) = ask(&["audience", "set", "bad", "--query", "event('A').count() >== 1"]);
    assert!(
        !is_done && said.contains("\n  event('A').count() >== 1\n                       ^"),
        "{said}"
    );
    let (is_done, said) = ask(&["audience", "set", "bad"]);
    assert!(!is_done && said.contains("--query or --file"), "{said}");
    let (is_done, said) = ask(&["trait", "remove", "spent"]);
    assert!(is_done && said.contains("removed spent"), "{said}");
    let (is_done, said) = ask(&["trait", "remove", "spent"]);
    assert!(!is_done && said.contains("there is no computed trait `spent`"), "{said}");
}

#[tokio::test]
async fn definitions_of_accounts_are_made_read_and_previewed_as_those_of_users() {
    let server = world().await;
    for (user, company) in [("u0", "small"), ("u1", "small"), ("u4", "big"), ("u5", "big")] {
        let call = json!({ "userId": user, "groupId": company, "traits": { "plan": "gold" } });
        assert_eq!(server.send(DEV, "group", call).await, StatusCode::OK);
    }
    let orders = "event('Order Completed').count()";
    let new =
        |kind: &str, query: &str| json!({ "kind": kind, "collection": "accounts", "query": query });
    let put =
        async |id: &str, body: Value| server.ask(PUT, &format!("{AT}/{id}"), Some(body)).await;
    let made = put("orders", new("computed_trait", orders)).await.1;
    assert_eq!((&made["collection"], &made["query"]), (&json!("accounts"), &json!(orders)));
    let query = "trait('plan') = 'gold' AND ALL event('Order Completed').count() >= 4";
    put("busy", new("audience", query)).await;
    let shown = live(&server, "busy").await;
    live(&server, "orders").await;
    assert_eq!((&shown["members"], &shown["query"]), (&json!(1), &json!(query)));
    let of = async |company: &str, query: &str| {
        let path = format!("/v1/spaces/dev/collections/accounts/profiles/group_id:{company}");
        server.get(&format!("{path}/traits?{query}")).await["traits"].clone()
    };
    assert_eq!(of("big", "").await, json!({ "busy": true, "orders": 9, "plan": "gold" }));
    assert_eq!(of("small", "class=computed_trait").await, json!({ "orders": 1 }));
    assert_eq!(of("big", "class=audience").await, json!({ "busy": true }));
    // Of a user they are nothing.
    assert_eq!(traits(&server, "u4", "").await, json!({ "plan": "free", "spent": "custom" }));

    let page = server.get(&format!("{AT}/busy/members?identifiers=true")).await;
    let ids = &page["data"][0]["identifiers"];
    assert_eq!(ids, &json!([{ "type": "group_id", "value": "big" }]), "{page}");
    let call = json!({ "userId": "u1", "groupId": "big" });
    assert_eq!(server.send(DEV, "group", call).await, StatusCode::OK);
    eventually("the account to leave", async || {
        (server.get(&format!("{AT}/busy")).await["members"] == 0).then_some(())
    })
    .await;
    assert_eq!(of("big", "").await, json!({ "busy": false, "orders": 10, "plan": "gold" }));

    let mut wish = new("audience", "any(event('Order Completed').count() >= 5)");
    let found = previewed(&server, wish.clone()).await["preview"].clone();
    assert_eq!((&found["profiles"], &found["size"]), (&json!(2), &json!(1)), "{found}");
    assert_eq!(found["identifiers"], json!({ "group_id": 1 }));
    wish["collection"] = json!("users");
    let (_, refused) = server.ask(Method::POST, "/api/spaces/dev/preview", Some(wish)).await;
    assert_eq!(refused["error"]["code"], "definition_invalid", "{refused}");
    let why = server.get(&format!("{AT}/busy/why?of=group_id:big")).await;
    assert_eq!((&why["value"], &why["users"]), (&json!(false), &json!(3)), "{why}");
    let [plan, all] = [0, 1].map(|place: usize| &why["reason"]["parts"][place]);
    assert_eq!((&plan["holds"], &plan["value"]), (&json!(true), &json!("gold")));
    assert_eq!((&all["kind"], &all["holding"]), (&json!("all"), &json!(2)), "{all}");
    let users = all["users"].as_array().expect("a list");
    assert_eq!((users.len(), &users[0]["reason"]["value"]), (1, &json!(1)), "u1 decides: {all}");
    assert_eq!(users[0]["reason"]["events"][0]["name"], "Order Completed");
    let (status, refused) =
        server.ask(Method::GET, &format!("{AT}/busy/why?of=user_id:u4"), None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "no type of accounts: {refused}");
    let line = ["audience", "why", "busy", "group_id:big", "--server", &server.url, "--token", DEV];
    let told = run(&line, &[]);
    let text = String::from_utf8(told.stdout).expect("text");
    for part in ["it holds for 2", "of 3 users", "no   event('Order Completed').count() >= 4"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let mut public = new("audience", query);
    public["public"] = json!(true);
    let (_, refused) = put("busy", public).await;
    assert_eq!(refused["error"]["code"], "definition_invalid", "{refused}");
    let users = json!({ "kind": "audience", "query": "event('A').count() >= 1" });
    let (_, refused) = put("busy", users).await;
    assert_eq!(refused["error"]["code"], "definition_invalid", "{refused}");

    let query = "any(event('Order Completed').within(1 day).count() >= 1)";
    let line = ["audience", "set", "lively", "--of", "accounts", "--query", query, "--wait"];
    let said = run(&[&line[..], &["--server", &server.url, "--token", DEV]].concat(), &[]);
    let text = String::from_utf8([said.stdout, said.stderr].concat()).expect("text");
    assert!(text.contains("of           accounts"), "{text}");
    assert!(text.contains("members      2"), "{text}");
}

async fn previewed(server: &Server, wish: Value) -> Value {
    server.done(Method::POST, "/api/spaces/dev/preview", Some(wish)).await;
    eventually("the preview", async || {
        let shown = server.get("/api/spaces/dev/preview").await;
        (shown["state"] != "running").then_some(shown)
    })
    .await
}

#[tokio::test]
async fn a_preview_says_who_would_be_in_and_makes_nothing() {
    let server = world().await;
    set(&server, "some", "audience", "event('Order Completed').count() >= 1").await;
    live(&server, "some").await;
    let query = "event('Order Completed').count() >= 4";
    let wish = json!({ "kind": "audience", "query": query, "overlap": "some", "sample": 1 });
    let shown = previewed(&server, wish).await;
    let found = &shown["preview"];
    assert_eq!((&shown["state"], &shown["query"]), (&json!("done"), &json!(query)));
    assert_eq!((&found["profiles"], &found["size"]), (&json!(6), &json!(2)), "{found}");
    assert_eq!((&found["overlap"], &found["entering"]), (&json!(2), &Value::Null));
    assert_eq!(found["identifiers"], json!({ "user_id": 2 }));
    assert_eq!(found["sample"].as_array().map(Vec::len), Some(1));
    let wish = json!({ "kind": "audience", "query": query, "replaces": "some" });
    let found = previewed(&server, wish).await["preview"].clone();
    assert_eq!((&found["entering"], &found["leaving"]), (&json!(0), &json!(3)));
    let value = "event('Order Completed').sum(property('price'))";
    let wish = json!({ "kind": "computed_trait", "query": value });
    let found = previewed(&server, wish).await["preview"].clone();
    assert_eq!((&found["size"], &found["entering"]), (&json!(5), &Value::Null), "{found}");
    assert_eq!(server.get(AT).await["data"].as_array().map(Vec::len), Some(1), "nothing was made");

    let wrong = json!({ "kind": "audience", "query": "event('A').count()" });
    let refused = server.ask(Method::POST, "/api/spaces/dev/preview", Some(wrong)).await.1;
    assert_eq!(refused["error"]["code"], "definition_invalid", "{refused}");
    let unknown = json!({ "kind": "audience", "query": query, "overlap": "none" });
    let refused = server.ask(Method::POST, "/api/spaces/dev/preview", Some(unknown)).await.1;
    assert_eq!(refused["error"]["field"], "overlap", "{refused}");
}

#[tokio::test]
async fn why_somebody_is_in_or_out_is_said_with_the_events_that_decided() {
    let server = world().await;
    let query = "event('Order Completed').count() >= 3 AND NOT event('Refund').count() >= 1";
    set(&server, "regular", "audience", query).await;
    live(&server, "regular").await;
    let why = async |of: &str| server.get(&format!("{AT}/regular/why?of={of}")).await;
    let inside = why("user_id:u4").await;
    assert_eq!((&inside["value"], &inside["events"]), (&json!(true), &json!(5)), "{inside}");
    let orders = &inside["reason"]["parts"][0];
    assert_eq!(orders["text"], "event('Order Completed').count() >= 3");
    assert_eq!((&orders["value"], &orders["event_count"]), (&json!(4), &json!(4)), "{orders}");
    assert_eq!(orders["events"][0]["counts"], true);
    let outside = why("user_id:u2").await;
    assert_eq!((&outside["value"], &outside["reason"]["kind"]), (&json!(false), &json!("and")));
    let parts = &outside["reason"]["parts"];
    assert_eq!((&parts[0]["holds"], &parts[0]["value"]), (&json!(false), &json!(2)));
    assert_eq!((&parts[1]["kind"], &parts[1]["holds"]), (&json!("not"), &json!(true)), "{parts}");
    let (status, _) =
        server.ask(Method::GET, &format!("{AT}/regular/why?of=user_id:x"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let arguments = ["audience", "why", "regular", "user_id:u2"];
    let told = run(&[&arguments[..], &["--server", &server.url, "--token", DEV]].concat(), &[]);
    let text = String::from_utf8(told.stdout).expect("text");
    assert!(text.contains("no   event('Order Completed').count() >= 3"), "{text}");
    assert!(text.contains("it is 2"), "{text}");
}
