//! `tail`, `trace`, `profile` and `doctor`, as an operator uses them.

#![expect(clippy::disallowed_methods, reason = "a test of processes, which only time tells about")]

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::json;

use crate::process::{Server, program, selfsame, text};

fn run(server: &Server, args: &[&str]) -> (bool, String) {
    let output = selfsame(&[args, &["--server", &server.url, "--token", "dev"]].concat());
    (output.status.success(), text(&output))
}

fn world(folder: &tempfile::TempDir) -> Server {
    let server = Server::start(&folder.path().join("data"));
    assert!(server.batch(&[
        json!({ "type": "identify", "userId": "ada", "messageId": "m1",
            "traits": { "email": "ada@example.com", "note": "\u{1b}[2Jgone" } }),
        json!({ "type": "track", "event": "Bought", "userId": "ada", "messageId": "m2" }),
    ]));
    server.settle();
    server
}

#[test]
fn a_profile_is_shown_by_any_of_its_identifiers() {
    let folder = tempfile::tempdir().unwrap();
    let server = world(&folder);
    for id in ["user_id:ada", "email:ada@example.com"] {
        let (found, shown) = run(&server, &["profile", "get", id]);
        assert!(found, "{shown}");
        for part in ["use_", "ada@example.com", "Bought", "\\u{1b}[2Jgone", "events: 2"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        assert!(!shown.contains('\u{1b}'));
    }
    let (_, json) = run(&server, &["profile", "get", "user_id:ada", "--json", "--events", "1"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["events"][0]["event"], "Bought");
    assert_eq!(json["profile"]["traits"]["email"]["value"], "ada@example.com", "{json}");
    let (found, shown) = run(&server, &["profile", "get", "user_id:nobody"]);
    assert!(!found && shown.contains("there is no profile user_id:nobody"), "{shown}");
    let (found, shown) = run(&server, &["profile", "search", "ada@example.com"]);
    assert!(found && shown.contains("user_id:ada"), "{shown}");
    let (found, shown) = run(&server, &["profile", "search", "email=ada@example.com"]);
    assert!(found && shown.contains("user_id:ada"), "{shown}");
}

#[test]
fn a_trace_has_every_hop() {
    let folder = tempfile::tempdir().unwrap();
    let server = world(&folder);
    let (found, shown) = run(&server, &["trace", "m1"]);
    assert!(found, "{shown}");
    for part in
        ["identify  m1", "received", "decided    accepted", "Profile created", "no destination"]
    {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let (found, shown) = run(&server, &["trace", "nothing"]);
    assert!(!found && shown.contains("no event of the log has the messageId nothing"), "{shown}");
}

#[test]
fn identity_is_explained_in_lines_and_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let server = world(&folder);
    let why = ["identity", "why", "user_id:ada", "email:ada@example.com"];
    let (found, shown) = run(&server, &why);
    assert!(found, "{shown}");
    for part in
        ["one profile: use_", "user_id:ada mapped with email:ada@example.com", "identify", "m1"]
    {
        assert!(shown.contains(part), "{part} is not in {shown}");
    }
    let (_, json) = run(&server, &[&why[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["links"][0]["event"]["message_id"], "m1");
    let (found, shown) = run(&server, &["identity", "why", "user_id:ada", "user_id:nobody"]);
    assert!(found && shown.contains("user_id:nobody is on no profile"), "{shown}");
    let (found, shown) = run(&server, &["identity", "merges", "user_id:ada"]);
    assert!(found && shown.contains("never merged"), "{shown}");
    let (found, shown) = run(&server, &["identity", "health"]);
    assert!(found && shown.contains("1 profiles") && shown.contains("2 identifiers"), "{shown}");
    for (args, says) in [
        (["identity", "why", "ada", "user_id:x"].as_slice(), "give type:value"),
        (&["identity", "why", "shoe:9", "user_id:x"], "there is no type `shoe`"),
        (&["identity", "merges", "user_id:nobody"], "selfsame profile search"),
        (&["identity", "health", "--space", "other"], "There is no space `other`"),
    ] {
        let (found, shown) = run(&server, args);
        assert!(!found && shown.contains(says), "{says} is not in {shown}");
    }
}

#[test]
fn tail_follows_what_is_decided() {
    let folder = tempfile::tempdir().unwrap();
    let server = world(&folder);
    let mut tail = program()
        .args([
            "tail",
            "--count",
            "2",
            "--event",
            "Seen",
            "--server",
            &server.url,
            "--token",
            "dev",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    // Sent again and again: nothing says from outside that the command has begun to follow.
    let stop = std::sync::atomic::AtomicBool::new(false);
    let lines: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                for name in ["Other", "Seen"] {
                    assert!(
                        server.batch(&[json!({ "type": "track", "event": name, "userId": "b" })])
                    );
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        });
        let lines = lines.map(Result::unwrap).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        lines
    });
    assert!(tail.wait().unwrap().success());
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert!(
            line.contains("Seen") && line.contains("accepted") && line.contains("user:b"),
            "{line}"
        );
    }
}

#[test]
fn the_doctor_looks_at_a_running_server_and_at_a_stopped_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let address = |server: &Server| server.url.trim_start_matches("http://").to_owned();
    let check = |args: &[&str]| {
        let output = selfsame(&[&["doctor", "--data", data.to_str().unwrap()], args].concat());
        (output.status.success(), text(&output))
    };
    let (_, shown) = check(&[]);
    assert!(shown.contains("there is none at"), "{shown}");
    let server = world(&folder);
    let listen = address(&server);
    let (well, shown) = check(&["--listen", &listen]);
    assert!(
        well && shown.contains("answers and is ready") && shown.contains("0 requests"),
        "{shown}"
    );
    let (well, shown) = check(&["--listen", "127.0.0.1:1"]);
    assert!(!well && shown.contains("PROBLEM  server"), "{shown}");
    server.stop();
    let (well, shown) = check(&["--listen", &listen]);
    assert!(well && shown.contains("is free") && shown.contains("records 0 to"), "{shown}");
    std::fs::write(data.join("format"), "selfsame-data 999\n").unwrap();
    let (well, shown) = check(&["--listen", &listen]);
    assert!(!well && shown.contains("format 999"), "{shown}");
}

#[test]
fn every_metric_of_a_running_server_is_in_the_reference_with_its_type() {
    let folder = tempfile::tempdir().unwrap();
    let server = world(&folder);
    let shown = server.text("/metrics");
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let families: Vec<_> =
        shown.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    assert!(families.len() > 20, "{shown}");
    for (name, kind) in families {
        // Without buckets a histogram is shown as a summary.
        let kind = if kind == "summary" { "histogram" } else { kind };
        let row = format!("| `{name}` | {kind} | ");
        assert!(page.contains(&row), "{row} is not in the reference");
        assert!(shown.contains(&format!("# HELP {name} ")), "{name} has no help");
    }
    assert!(shown.lines().any(|line| line == r#"selfsame_engine_events_total{space="dev"} 2"#));
}
