//! Retention: old segments go, the state stays, and nothing that is still needed goes.

#![expect(clippy::unwrap_used, reason = "a test of processes, which only time tells about")]

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::process::{Server, selfsame, text, wait_for};

const EVENTS: u64 = 12_000;

/// A folder with the workspace `dev` and settings that keep little.
fn small(folder: &Path, destination: Option<&Value>) -> (PathBuf, PathBuf) {
    let (data, config) = (folder.join("data"), folder.join("selfsame.toml"));
    std::fs::write(&config, "[log]\nsegment_bytes = 65536\nretention_bytes = 262144\n").unwrap();
    let server = Server::start(&data);
    if let Some(destination) = destination {
        let (status, body) = server.request("POST", "/api/destinations", &destination.to_string());
        assert_eq!(status, 201, "{body}");
    }
    server.stop();
    (data, config)
}

/// Text that does not become smaller when it is compressed.
fn noise(number: u64) -> String {
    let word = |step: u64| {
        let mixed = (number * 8 + step + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("{:016x}", mixed ^ (mixed >> 29))
    };
    (0..8).map(word).collect()
}

fn send(server: &Server, from: u64) {
    for start in (from..from + EVENTS).step_by(200) {
        let events = (start..start + 200).map(|number| {
            json!({ "type": "track", "event": "Seen", "userId": format!("u{}", number % 50),
                "messageId": format!("m{number}"), "properties": { "text": noise(number) } })
        });
        assert!(server.batch(&events.collect::<Vec<_>>()));
    }
    server.settle();
}

/// A number of the server's metrics.
fn metric(server: &Server, name: &str) -> Option<u64> {
    let text = server.text("/metrics");
    let line = text.lines().find(|line| line.split(' ').next() == Some(name))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn trimmed(server: &Server) -> Option<u64> {
    metric(server, "selfsame_log_first_offset").filter(|first| *first > 0)
}

#[test]
fn old_segments_go_and_the_state_is_the_same_with_and_without_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = small(folder.path(), None);
    let server = Server::serve(&data, &config);
    send(&server, 0);
    let events = "/v1/spaces/dev/collections/users/profiles/user_id:u7/events";
    let first = wait_for("old records are removed", || trimmed(&server));
    send(&server, EVENTS);
    let page = server.get(&format!("{events}?limit=300&sort=asc"));
    assert!(page["data"].is_array(), "{page}");
    let from = page["history_from"]["position"].as_str().expect("the log was trimmed").to_owned();
    assert!(from.strip_prefix("0-").unwrap().parse::<u64>().unwrap() >= first, "{from} {first}");
    let args = ["profile", "get", "user_id:u7", "--server", &server.url, "--token", "dev"];
    let shown = text(&selfsame(&args));
    assert!(shown.contains("older events are not kept: the log begins at 0-"), "{shown}");
    server.stop();

    let verify = || selfsame(&["verify", "--data", data.to_str().unwrap()]);
    let output = verify();
    assert!(output.status.success(), "{}", text(&output));
    // The state is a cache, also where the log no longer begins at its beginning.
    std::fs::remove_dir_all(data.join("state")).unwrap();
    let output = verify();
    assert!(output.status.success(), "{}", text(&output));

    let server = Server::serve(&data, &config);
    server.settle();
    assert_eq!(server.count("events"), 2 * EVENTS);
    // What was seen before the cut is still known.
    assert!(
        server.batch(&[
            json!({ "type": "track", "event": "Seen", "userId": "u0", "messageId": "m1" })
        ])
    );
    server.settle();
    assert_eq!(server.count("events"), 2 * EVENTS);

    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    let args = ["backup", backup.to_str().unwrap(), "--server", &server.url, "--token", "dev"];
    let output = selfsame(&args);
    assert!(output.status.success(), "{}", text(&output));
    let args =
        ["restore", backup.to_str().unwrap(), "--data", restored.to_str().unwrap(), "--verify"];
    let output = selfsame(&args);
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn a_destination_that_is_behind_holds_the_log() {
    let folder = tempfile::tempdir().unwrap();
    // Served by the other program, which does not deliver to this machine.
    let destination = json!({ "id": "behind", "name": "behind", "space": "dev", "url": "http://127.0.0.1:1/hook" });
    let (data, config) = small(folder.path(), Some(&destination));
    let server = Server::serve(&data, &config);
    send(&server, 0);
    wait_for("it is known what is needed", || {
        let wanted = metric(&server, "selfsame_retention_wanted_offset")?;
        metric(&server, "selfsame_retention_needed_offset").filter(|_| wanted > 0)
    });
    let passes = metric(&server, "selfsame_retention_passes_total").unwrap();
    wait_for("another pass", || {
        metric(&server, "selfsame_retention_passes_total").filter(|now| *now > passes + 1)
    });
    assert_eq!(trimmed(&server), None);
    let (status, body) = server.request("DELETE", "/api/destinations/behind", "");
    assert!(status < 300, "{body}");
    wait_for("old records are removed", || trimmed(&server));
}

#[test]
fn a_destination_beyond_its_lag_limit_is_paused_and_holds_no_log() {
    let folder = tempfile::tempdir().unwrap();
    // Served by the other program, which does not deliver to this machine.
    let destination = json!({ "id": "behind", "name": "behind", "space": "dev", "url": "http://127.0.0.1:1/hook" });
    let (data, config) = small(folder.path(), Some(&destination));
    let settings = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{settings}[deliver]\nlag_limit_bytes = 131072\n")).unwrap();
    let server = Server::serve(&data, &config);
    send(&server, 0);
    wait_for("old records are removed", || trimmed(&server));
    let shown = server.get("/api/destinations/behind");
    let status = &shown["status"];
    assert_eq!(
        (&status["state"], &status["pause"]),
        (&json!("paused"), &json!("behind")),
        "{shown}"
    );
    assert_eq!(status["alarm"], "problem");
    let number = |name: &str| status[name].as_u64().unwrap();
    let ended = number("delivered") + number("filtered") + number("dead") + number("pending");
    assert_eq!((number("accepted"), ended), (EVENTS, EVENTS), "{shown}");
    let ranges = server.get("/api/destinations/behind/dead-ranges");
    assert_eq!(ranges["events"], status["dead_in_ranges"], "{ranges} {shown}");
    assert!(number("dead_in_ranges") > EVENTS / 2, "{shown}");
    assert_eq!(ranges["data"][0]["reason"], "bytes", "{ranges}");
    let remote = ["--server", &server.url, "--token", "dev"];
    let doctor = |args: &[&str]| text(&selfsame(&[args, &remote].concat()));
    let listed = doctor(&["destination", "list"]);
    assert!(listed.contains("paused (behind)"), "{listed}");
    let listed = doctor(&["destination", "dead-ranges", "behind"]);
    assert!(listed.contains("beyond its bytes"), "{listed}");

    // What is gone stays dead, and is counted.
    let (status, body) = server.request("POST", "/api/destinations/behind/resume", "");
    assert!(status < 300, "{body}");
    let resent = doctor(&["destination", "resend", "behind", "--ranges"]);
    assert!(resent.contains("events are read again"), "{resent}");
    wait_for("the ranges are read", || {
        let shown = server.get("/api/destinations/behind");
        let number = |name: &str| shown["status"][name].as_u64();
        let ended =
            number("delivered")? + number("filtered")? + number("dead")? + number("pending")?;
        assert_eq!(number("accepted")?, ended, "{shown}");
        let ranges = server.get("/api/destinations/behind/dead-ranges");
        let is_read = ranges["data"].as_array()?.iter().all(|one| one["partly_gone"] == true);
        is_read.then_some(())
    });
}
