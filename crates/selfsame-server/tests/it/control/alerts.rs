//! Alerts: raised once and cleared once, told to webhooks, Slack and mail servers.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::receiver::{Got, Receiver};
use super::server::{DEV, Server, eventually, run};
use crate::mail_server::MailServer;

/// What a webhook was told, of one alert. A kill between telling and noting it has it told again, under
/// the same id.
fn told(receiver: &Receiver, alert: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let got = receiver
        .got()
        .into_iter()
        .map(|got| serde_json::from_str::<Value>(&got.body).expect("JSON"));
    let mut seen = BTreeSet::new();
    got.filter(|body| body["data"]["alert"] == alert && seen.insert(text(&body["id"])))
        .map(|body| (text(&body["type"]), text(&body["data"]["subject"])))
        .collect()
}

fn turned(turned: &str, subject: &str) -> (String, String) {
    (format!("alert.{turned}"), subject.to_owned())
}

async fn webhook(server: &Server, receiver: &Receiver) -> String {
    let wanted = json!({ "kind": "webhook", "settings": { "url": receiver.url } });
    let set = server.done(Method::PUT, "/api/alert-channels/team", Some(wanted)).await;
    assert_eq!(set["channel"]["problem"], Value::Null, "{set}");
    set["secret"].as_str().expect("one was drawn").to_owned()
}

/// A destination whose receiver is gone, so that it is paused.
async fn paused(server: &Server) -> Receiver {
    let gone = Receiver::start().await;
    gone.answer(410);
    let new = json!({ "id": "hooks", "name": "Hooks", "url": gone.url });
    server.done(Method::POST, "/api/destinations", Some(new)).await;
    let event = json!({ "event": "Seen", "userId": "ada@example.com" });
    assert_eq!(server.send(DEV, "track", event).await, StatusCode::OK);
    gone
}

/// The alert by default, quicker to be cleared.
async fn quick(server: &Server) {
    let there = server.get("/api/alerts/destination-paused").await;
    assert_eq!((&there["origin"], &there["severity"]), (&json!("default"), &json!("critical")));
    let wanted = json!({
        "name": there["name"], "when": there["when"], "severity": "critical", "clear_after": "0s",
    });
    let set = server.done(Method::PUT, "/api/alerts/destination-paused", Some(wanted)).await;
    assert_eq!((&set["origin"], &set["clear_after"]), (&json!("changed"), &json!("0s")));
}

#[tokio::test]
async fn a_paused_destination_is_told_once_over_a_kill_and_cleared_once() {
    let server = Server::start();
    let team = Receiver::start().await;
    let secret = webhook(&server, &team).await;
    quick(&server).await;
    let gone = paused(&server).await;
    eventually("the alert", async || {
        (told(&team, "destination-paused") == [turned("raised", "hooks")]).then_some(())
    })
    .await;
    let Got { headers, body } = team.got().remove(0);
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(headers["webhook-id"], body["id"].as_str().expect("an id"));
    assert!(headers["webhook-signature"].to_str().expect("text").starts_with("v1,"));
    assert_eq!(body["data"]["severity"], "critical");
    let message = body["data"]["message"].as_str().expect("a message");
    assert_eq!(message, "the receiver answered that it is gone (410); somebody has to resume it");
    assert!(!body.to_string().contains("ada@example.com"), "{body}");
    eventually("that it is noted", async || {
        let history = server.get("/api/alert-history?alert=destination-paused").await;
        (history["data"][0]["told"]["team"] == "sent").then_some(())
    })
    .await;

    let server = server.again();
    // Another alert is told: it was looked, and the first was not raised again.
    let disk = json!({ "when": { "kind": "disk_low", "percent": 1, "bytes": 1_u64 << 60 } });
    server.done(Method::PUT, "/api/alerts/no-room", Some(disk)).await;
    eventually("the other alert", async || {
        (told(&team, "no-room") == [turned("raised", "data")]).then_some(())
    })
    .await;
    let shown = server.get("/api/alerts/destination-paused").await;
    assert_eq!(shown["raised"][0]["subject"], "hooks", "{shown}");
    assert_eq!(told(&team, "destination-paused"), [turned("raised", "hooks")]);
    let metrics = server.plain(Method::GET, "/metrics").send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("selfsame_alerts_raised{alert=\"destination-paused\""), "{metrics}");

    // Deliveries begin a moment after the rest.
    eventually("the destination", async || {
        let shown = server.get("/api/destinations/hooks").await;
        (shown["status"]["state"] == "paused").then_some(())
    })
    .await;
    gone.answer(200);
    server.done(Method::POST, "/api/destinations/hooks/resume", None).await;
    eventually("the end", async || {
        let wanted = [turned("raised", "hooks"), turned("cleared", "hooks")];
        (told(&team, "destination-paused") == wanted).then_some(())
    })
    .await;
    // What somebody removes is over.
    server.done(Method::DELETE, "/api/alerts/no-room", None).await;
    eventually("the end of the other", async || {
        (told(&team, "no-room") == [turned("raised", "data"), turned("cleared", "data")])
            .then_some(())
    })
    .await;
    assert_eq!(told(&team, "destination-paused").len(), 2);
    let shown = server.get("/api/alert-channels/team").await;
    assert!(!shown.to_string().contains(&secret), "{shown}");
}

#[tokio::test]
async fn what_is_silent_is_told_afterwards() {
    let server = Server::start();
    let team = Receiver::start().await;
    webhook(&server, &team).await;
    let silence = json!({ "length": "1h", "subject": "hooks" });
    server.done(Method::PUT, "/api/alerts/destination-paused/silence", Some(silence)).await;
    paused(&server).await;
    eventually("that it is raised", async || {
        let shown = server.get("/api/alerts/destination-paused").await;
        (shown["raised"][0]["subject"] == "hooks").then_some(())
    })
    .await;
    // It is silent over a restart too.
    let server = server.again();
    let tested = server.done(Method::POST, "/api/alert-channels/team/test", None).await;
    assert_eq!(tested, json!({ "sent": true, "problem": null }));
    assert_eq!(told(&team, "test"), [turned("test", "channel")]);
    let shown = server.get("/api/alerts/destination-paused").await;
    assert_eq!(shown["silences"][0]["subject"], "hooks", "{shown}");
    assert_eq!(told(&team, "destination-paused"), []);
    let ended = run(
        &["alert", "unsilence", "destination-paused", "--server", &server.url],
        &[("SELFSAME_TOKEN", DEV)],
    );
    assert!(ended.status.success(), "{ended:?}");
    eventually("the alert", async || {
        (told(&team, "destination-paused") == [turned("raised", "hooks")]).then_some(())
    })
    .await;
    for (wanted, field) in [
        (json!({ "length": "31d" }), "length"),
        (json!({ "length": "0s" }), "length"),
        (json!({ "length": "1h", "subject": "" }), "subject"),
    ] {
        let path = "/api/alerts/destination-paused/silence";
        let (status, body) = server.ask(Method::PUT, path, Some(wanted)).await;
        assert_eq!((status.as_u16(), &body["error"]["field"]), (400, &json!(field)), "{body}");
    }
}

#[tokio::test]
async fn slack_and_mail_are_told() {
    let server = Server::start();
    let slack = Receiver::start().await;
    let mail = MailServer::start(&[]).await;
    let wanted = json!({ "kind": "slack", "secrets": { "url": slack.url } });
    let set = server.done(Method::PUT, "/api/alert-channels/chat", Some(wanted)).await;
    assert!(!set.to_string().contains(&slack.url), "the address is the secret: {set}");
    let wanted = json!({ "kind": "email", "settings": {
        "host": "127.0.0.1", "port": mail.port, "security": "none",
        "from": "Selfsame <cdp@example.com>", "to": ["ops@example.com", "boss@example.com"],
    } });
    server.done(Method::PUT, "/api/alert-channels/mail", Some(wanted)).await;
    let disk = json!({
        "name": "<No> & room", "when": { "kind": "disk_low", "percent": 1, "bytes": 1_u64 << 60 },
        "severity": "critical",
    });
    server.done(Method::PUT, "/api/alerts/no-room", Some(disk)).await;
    let posted = eventually("Slack's message", async || slack.got().pop()).await;
    let posted: Value = serde_json::from_str(&posted.body).expect("JSON");
    let text = posted["text"].as_str().expect("a text");
    assert!(text.starts_with("*Critical: &lt;No&gt; &amp; room (data)*\ndata: "), "{text}");
    let got = eventually("the mail", async || mail.got().pop()).await;
    assert_eq!(got.from, "<cdp@example.com>");
    assert_eq!(got.to, ["<ops@example.com>", "<boss@example.com>"]);
    for part in [
        "From: Selfsame <cdp@example.com>\r\n",
        "Subject: Critical: <No> & room (data)\r\n",
        "Message-ID: <alert_",
        "MiB are free where the data folder is.",
        "Alert no-room of the workspace",
    ] {
        assert!(got.text.contains(part), "no {part:?} in {}", got.text);
    }
    let tested = server.done(Method::POST, "/api/alert-channels/mail/test", None).await;
    assert_eq!(tested, json!({ "sent": true, "problem": null }));
    eventually("the second mail", async || (mail.got().len() == 2).then_some(())).await;
    assert_eq!(slack.got().len(), 1);
}

#[tokio::test]
async fn nothing_goes_in_the_clear_to_a_mail_server_that_has_to_speak_tls() {
    let server = Server::start();
    let mail = MailServer::start(&["AUTH PLAIN LOGIN"]).await;
    let settings = |more: Value| {
        let mut settings = json!({
            "host": "127.0.0.1", "port": mail.port, "from": "cdp@example.com",
            "to": ["ops@example.com"],
        });
        for (name, value) in more.as_object().expect("an object") {
            settings[name] = value.clone();
        }
        settings
    };
    let password = "correct horse battery staple";
    let wanted = json!({
        "kind": "email", "settings": settings(json!({ "user": "cdp" })),
        "secrets": { "password": password },
    });
    let set = server.done(Method::PUT, "/api/alert-channels/mail", Some(wanted.clone())).await;
    assert_eq!((&set["channel"]["has_secret"], &set["secret"]), (&json!(true), &Value::Null));
    let tested = server.done(Method::POST, "/api/alert-channels/mail/test", None).await;
    let problem = tested["problem"].as_str().expect("a problem");
    assert_eq!(problem, "the mail server does not speak TLS for that name");
    assert!(mail.got().is_empty());
    let lines = mail.lines();
    assert!(
        lines.iter().all(|line| !line.starts_with("AUTH") && !line.starts_with("MAIL")),
        "{lines:?}"
    );

    // The password that is there does not go to another server.
    let mut elsewhere = wanted.clone();
    elsewhere["settings"]["host"] = json!("mail.example.com");
    elsewhere.as_object_mut().expect("an object").remove("secrets");
    for (wanted, field) in [
        (elsewhere, "secrets.password"),
        (
            json!({ "kind": "email", "settings": settings(json!({ "user": "cdp", "security": "none" })),
                "secrets": { "password": password } }),
            "settings.security",
        ),
        (json!({ "kind": "email", "settings": settings(json!({ "to": [] })) }), "secrets.password"),
        (
            json!({ "kind": "email", "settings": settings(
            json!({ "user": "cdp", "to": ["a@b.c\r\nBcc: x@y.z"] })),
            "secrets": { "password": password } }),
            "settings.to",
        ),
        (json!({ "kind": "webhook", "settings": { "url": "http://10.0.0.1/x" } }), "settings.url"),
        (json!({ "kind": "webhook", "settings": { "path": "x" } }), "settings.path"),
        (json!({ "kind": "slack" }), "secrets.url"),
        (json!({ "kind": "pager" }), "kind"),
    ] {
        let path = "/api/alert-channels/mail";
        let (status, body) = server.ask(Method::PUT, path, Some(wanted.clone())).await;
        assert_eq!(
            (status.as_u16(), &body["error"]["field"]),
            (400, &json!(field)),
            "{wanted}: {body}"
        );
    }
    // What is stored of it is sealed.
    let mut folders = vec![server.data()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("a file");
            let holds = bytes.windows(password.len()).any(|one| one == password.as_bytes());
            assert!(!holds, "{} holds the password", path.display());
        }
    }
}

#[tokio::test]
async fn alerts_and_channels_are_files() {
    let server = Server::start();
    let folder = server.beside("files");
    let dir = folder.to_str().expect("UTF-8");
    let command = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--server", &server.url]);
        let done = run(
            &all,
            &[
                ("SELFSAME_TOKEN", DEV),
                ("HOOK_SECRET", "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="),
            ],
        );
        assert!(done.status.success(), "{arguments:?}: {done:?}");
        String::from_utf8(done.stdout).expect("UTF-8")
    };
    command(&["export", "--dir", dir]);
    let path = folder.join("alerts/disk-low.yaml");
    assert!(!path.exists(), "a later version may better what nobody changed");
    assert!(command(&["plan", dir]).contains("Nothing to do"));
    for kind in ["alerts", "alert-channels"] {
        std::fs::create_dir_all(folder.join(kind)).expect("a folder");
    }
    let text = "id: disk-low\nname: The disk is nearly full\nseverity: critical\nwhen:\n  kind: disk_low\n  percent: 20\n";
    std::fs::write(&path, text).expect("written");
    let receiver = Receiver::start().await;
    let channel = format!(
        "id: team\nname: Team\nkind: webhook\nsettings:\n  url: {}\nsecrets_env:\n  secret: HOOK_SECRET\n",
        receiver.url
    );
    std::fs::write(folder.join("alert-channels/team.yaml"), channel).expect("written");
    let own = "id: web-silent\nname: The web is silent\nwhen:\n  kind: source_silent\n  sources: [dev]\n  after: 15m\nchannels: [team]\n";
    std::fs::write(folder.join("alerts/web-silent.yaml"), own).expect("written");
    let planned = command(&["plan", dir]);
    for part in
        ["+ alert channel team", "+ alert web-silent", "~ alert disk-low", "when.percent: 10 -> 20"]
    {
        assert!(planned.contains(part), "no {part} in {planned}");
    }
    let applied = command(&["apply", dir]);
    assert!(!applied.contains("whsec_"), "{applied}");
    assert!(command(&["apply", dir]).contains("Nothing to do"));
    assert_eq!(server.get("/api/alerts/web-silent").await["when"]["after"], "15m");
    assert_eq!(server.get("/api/alerts/disk-low").await["origin"], "changed");
    std::fs::remove_file(&path).expect("removed");
    command(&["export", "--dir", dir]);
    let text = std::fs::read_to_string(&path).expect("what was changed");
    assert!(text.contains("percent: 20"), "{text}");
    let channel = std::fs::read_to_string(folder.join("alert-channels/team.yaml")).expect("it");
    assert!(
        channel.contains("secret: HOOK_SECRET") && !channel.contains("whsec_MDEy"),
        "{channel}"
    );
    let (status, body) = server.ask(Method::DELETE, "/api/alert-channels/team", None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{body}");
    for file in ["alerts/disk-low.yaml", "alerts/web-silent.yaml", "alert-channels/team.yaml"] {
        std::fs::remove_file(folder.join(file)).expect("removed");
    }
    let removed = command(&["apply", "--prune", dir]);
    assert!(
        removed.contains("- alert web-silent") && !removed.contains("- alert destination-paused"),
        "{removed}"
    );
    let there = server.get("/api/alerts/disk-low").await;
    assert_eq!((&there["origin"], &there["when"]["percent"]), (&json!("default"), &json!(10)));
    let (status, _) = server.ask(Method::DELETE, "/api/alerts/disk-low", None).await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn wrong_alerts_are_refused_with_the_field() {
    let server = Server::start();
    for (when, field) in [
        (json!({ "kind": "nothing" }), "when.kind"),
        (json!({ "kind": "disk_low", "percent": 0 }), "when.percent"),
        (json!({ "kind": "source_silent", "sources": ["none"] }), "when.sources"),
        (json!({ "kind": "destination_paused", "destinations": ["none"] }), "when.destinations"),
        (
            json!({ "kind": "audience_size", "percent": 10, "audiences": ["dev/none"] }),
            "when.audiences",
        ),
        (json!({ "kind": "identity_health", "alarms": ["none"] }), "when.alarms"),
    ] {
        let wanted = json!({ "when": when });
        let (status, body) = server.ask(Method::PUT, "/api/alerts/wrong", Some(wanted)).await;
        assert_eq!(
            (status.as_u16(), &body["error"]["field"]),
            (400, &json!(field)),
            "{when}: {body}"
        );
    }
}
