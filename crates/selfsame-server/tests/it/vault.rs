//! Secrets are nowhere in the data folder, and need their key.

#![expect(clippy::unwrap_used, reason = "a test of processes, which only time tells about")]

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::process::{Server, selfsame, text, wait_for};

const HOOK: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNS: &str = "a-secret-of-identity-tokens-that-nobody-may-see";

/// The files below a folder that have these bytes in them.
fn having(folder: &Path, wanted: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(having(&path, wanted));
        } else if std::fs::read(&path).unwrap().windows(wanted.len()).any(|part| part == wanted) {
            found.push(path.display().to_string());
        }
    }
    found
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with a destination and an identity key whose secrets are known here.
fn folder_with_secrets(data: &Path) {
    let server = Server::start(data);
    let hook = json!({ "id": "the-hook", "name": "hook", "space": "dev", "secret": HOOK,
        "url": "http://127.0.0.1:9/hook" });
    let (status, body) = server.request("POST", "/api/destinations", &hook.to_string());
    assert_eq!((status, &body["secret"]), (201, &json!(HOOK)), "{body}");
    let key = json!({ "id": "the-key", "secret": SIGNS }).to_string();
    let (status, body) = server.request("POST", "/api/sources/dev/identity-keys", &key);
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["source"]["identity_keys"][0]["secret_ends"], "-see", "{body}");
    assert!(server.batch(&[json!({ "type": "track", "event": "A", "userId": "u" })]));
    server.settle();
    server.stop();
}

#[test]
fn no_file_of_the_data_folder_has_a_secret_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    folder_with_secrets(&data);
    // What is looked for could be seen if it were there.
    assert!(!having(&data, b"the-hook").is_empty());
    assert!(!having(&data, b"the-key").is_empty());
    let raw = STANDARD.decode(HOOK.strip_prefix("whsec_").unwrap()).unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    for secret in [&HOOK.as_bytes()[6..], &raw, hex(&raw).as_bytes(), SIGNS.as_bytes()] {
        assert_eq!(having(&data, secret), [""; 0]);
    }
    let key = std::fs::read_to_string(data.join("key")).unwrap();
    let key = key.lines().find(|line| line.starts_with("sfk_")).unwrap();
    assert_eq!(having(&data, key.as_bytes()).len(), 1, "the key is in its own file only");

    let exported = folder.path().join("exported");
    let server = Server::start(&data);
    let args = ["export", "--dir", path(&exported), "--server", &server.url, "--token", "dev"];
    let output = selfsame(&args);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(having(&exported, SIGNS.as_bytes()), [""; 0]);
    assert_eq!(having(&exported, b"sealed:"), [""; 0], "nor its sealed form");
}

#[test]
fn without_its_key_a_server_says_what_it_needs_and_can_be_given_new_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("selfsame.toml"));
    folder_with_secrets(&data);
    std::fs::rename(data.join("key"), folder.path().join("elsewhere")).unwrap();
    let started = selfsame(&["serve", "--data", path(&data), "--listen", "127.0.0.1:0"]);
    let said = text(&started);
    assert!(!started.status.success(), "{said}");
    for part in ["destination the-hook", "identity key the-key of source dev", "server.key_file"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!data.join("key").exists(), "no other key takes its place");

    let elsewhere = path(&folder.path().join("elsewhere")).to_owned();
    std::fs::write(&config, format!("[server]\nkey_file = \"{elsewhere}\"\n")).unwrap();
    let server = Server::serve(&data, &config);
    let shown = server.get("/api/destinations/the-hook");
    assert_eq!((&shown["locked"], &shown["secret_ends"]), (&json!(false), &json!("LaSw")));
    server.stop();

    std::fs::write(&config, "[server]\nstart_locked = true\n").unwrap();
    let server = Server::serve(&data, &config);
    let shown = server.get("/api/destinations/the-hook");
    assert_eq!((&shown["locked"], &shown["secret_ends"]), (&json!(true), &json!("")));
    let status = wait_for("it begins, and waits", || {
        let shown = server.get("/api/destinations/the-hook");
        Some(shown["status"].clone()).filter(|status| status["accepted"] == 1)
    });
    assert_eq!((&status["state"], &status["pending"]), (&json!("disabled"), &json!(1)), "{status}");
    let (status, body) = server.request("POST", "/api/destinations/the-hook/test", "");
    assert_eq!(status, 409, "{body}");
    let keys = server.get("/api/sources/dev/identity-keys");
    assert_eq!(
        (&keys["data"][0]["locked"], &keys["data"][0]["secret_ends"]),
        (&json!(true), &json!(null))
    );
    let rotate = "/api/destinations/the-hook/secret/rotate";
    let (status, body) = server.request("POST", rotate, "{}");
    assert_eq!(status, 200, "{body}");
    let shown = server.get("/api/destinations/the-hook");
    assert_eq!((&shown["locked"], &shown["rotating"]), (&json!(false), &json!(false)), "{shown}");
}

#[test]
fn a_backup_has_the_key_only_if_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    folder_with_secrets(&data);
    let (without, with) = (folder.path().join("without"), folder.path().join("with"));
    let made = text(&selfsame(&["backup", path(&without), "--data", path(&data), "--no-hash"]));
    assert!(made.contains("is NOT in the backup"), "{made}");
    assert!(having(&without, b"sfk_").is_empty());
    assert!(having(&without, SIGNS.as_bytes()).is_empty());
    let restored = folder.path().join("restored");
    let said = text(&selfsame(&["restore", path(&without), "--data", path(&restored)]));
    assert!(said.contains("put it at") && said.contains("server.key_file"), "{said}");
    assert!(!restored.join("key").exists());

    let server = Server::start(&data);
    let remote = ["--no-hash", "--with-key", "--server", &server.url, "--token", "dev"];
    let made = text(&selfsame(&[&["backup", path(&with)][..], &remote].concat()));
    assert!(made.contains("is in the backup: keep it as secret"), "{made}");
    let restored = folder.path().join("restored-with");
    let said = text(&selfsame(&["restore", path(&with), "--data", path(&restored)]));
    assert!(said.contains("is in the backup"), "{said}");
    let again = Server::start(&restored);
    assert_eq!(again.get("/api/destinations/the-hook")["locked"], false);
}
