use reqwest::Method;
use serde_json::{Value, json};

use super::receiver::Receiver;
use super::server::{DEV, Server, eventually, run};

const POST: Method = Method::POST;

/// The request of an attempt, rendered again, is the one that came.
async fn rendered(server: &Server, receiver: &Receiver, position: &str) {
    let path = format!("/api/destinations/crm/attempts/{position}/requests");
    let rendered = server.get(&path).await;
    let request = &rendered["requests"][0];
    let got = receiver.got().last().expect("it came").clone();
    assert_eq!(request["body"], serde_json::from_str::<Value>(&got.body).expect("JSON"));
    assert_eq!(request["headers"]["webhook-id"], got.headers["webhook-id"].to_str().expect("text"));
    assert_eq!(request["url"], receiver.url);
}

#[tokio::test]
async fn attempts_are_searched_also_behind_a_kill_and_requests_are_rendered_again() {
    let receiver = Receiver::start().await;
    let server = Server::start();
    server.done(POST, "/api/destinations", Some(json!({"name": "CRM", "url": receiver.url}))).await;
    let status = async |server: &Server, name: &'static str, wanted: u64| {
        eventually(name, async || {
            let shown = server.get("/api/destinations/crm").await;
            (shown["status"][name] == wanted).then_some(())
        })
        .await;
    };
    let buy = |user: &str, id: &str| json!({"userId": user, "event": "Bought", "messageId": id});
    server.send(DEV, "track", buy("ada", "m1")).await;
    server.send(DEV, "track", buy("bob", "m2")).await;
    status(&server, "delivered", 2).await;
    receiver.answer(422);
    server.send(DEV, "track", buy("ada", "m3")).await;
    status(&server, "waiting", 1).await;
    let check = async |server: &Server| {
        let base = "/api/destinations/crm/attempts";
        let count = |found: &Value| found["data"].as_array().map(Vec::len);
        let all = server.get(base).await;
        assert_eq!((count(&all), &all["older_removed"]), (Some(3), &json!(false)), "{all}");
        assert!(all["reaches_back_to"].is_string());
        let failed = server.get(&format!("{base}?status=failed")).await;
        assert_eq!(count(&failed), Some(1), "{failed}");
        let attempt = &failed["data"][0]["attempt"];
        assert_eq!(
            (&attempt["status"], &attempt["note"]),
            (&json!(422), &json!("noted\\u{1b}[31m"))
        );
        for (query, wanted) in [
            ("profile=user_id:ada", 2),
            ("profile=user_id:ada&status=delivered", 1),
            ("since=1h", 3),
            ("since=2100-01-01T00:00:00Z", 0),
            ("replay=0", 3),
            ("replay=1", 0),
        ] {
            let found = server.get(&format!("{base}?{query}")).await;
            assert_eq!(count(&found), Some(wanted), "{query}: {found}");
        }
        let first = server.get(&format!("{base}?limit=2")).await;
        let next = first["next"].as_str().expect("there is more").to_owned();
        let second = server.get(&format!("{base}?limit=2&next={next}")).await;
        assert_eq!((count(&second), &second["next"]), (Some(1), &Value::Null));
        failed["data"][0]["position"].as_str().expect("a place").to_owned()
    };
    let position = check(&server).await;
    rendered(&server, &receiver, &position).await;
    let url = server.url.clone();
    let told = tokio::task::spawn_blocking(move || {
        let end = ["--server", url.as_str(), "--token", DEV];
        let listed =
            run(&[&["destination", "attempts", "crm", "--message", "m3"][..], &end].concat(), &[]);
        let shown = run(&[&["destination", "attempt", "crm", &position][..], &end].concat(), &[]);
        [listed, shown].map(|output| String::from_utf8(output.stdout).expect("text"))
    });
    let [listed, shown] = told.await.expect("no panic");
    assert!(
        listed.contains("refused    422") && listed.contains("1 attempts; all since"),
        "{listed}"
    );
    assert!(
        shown.contains("webhook-id: msg_") && shown.contains("\"messageId\":\"m3\""),
        "{shown}"
    );

    let server = server.again();
    status(&server, "waiting", 1).await;
    check(&server).await;
}

#[tokio::test]
async fn what_cannot_be_searched_is_said() {
    let (server, receiver) = (Server::start(), Receiver::start().await);
    server.done(POST, "/api/destinations", Some(json!({"name": "CRM", "url": receiver.url}))).await;
    eventually("the destination to begin", async || {
        let shown = server.get("/api/destinations/crm").await;
        (shown["status"]["state"] == "running").then_some(())
    })
    .await;
    for (query, field) in [
        ("status=lost", "status"),
        ("next=x", "next"),
        ("since=soon", "since"),
        ("answers=maybe", "answers"),
        ("profile=nobody", "profile"),
        ("position=7", "position"),
    ] {
        let path = format!("/api/destinations/crm/attempts?{query}");
        let (status, answer) = server.ask(Method::GET, &path, None).await;
        assert_eq!((status.as_u16(), &answer["error"]["field"]), (400, &json!(field)), "{answer}");
    }
    let (status, _) =
        server.ask(Method::GET, "/api/destinations/crm/attempts/0-99999.0/requests", None).await;
    assert_eq!(status.as_u16(), 404);
}
