//! Data folders of every format that was ever released are opened by today's program, and a newer
//! one is refused.
//!
//! `fixtures/data/vN.tar.gz` is a data folder in the format N, made by `selfsame dev` of that time,
//! with the room that was made ahead in its files taken off.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use crate::process::{Server, selfsame, text};

/// Unpacks plain files of a tar archive.
fn unpack(archive: &Path, to: &Path) {
    let mut tar = Vec::new();
    let file = std::fs::File::open(archive).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut tar).unwrap();
    let mut rest = tar.as_slice();
    while let Some((header, behind)) = rest.split_at_checked(512) {
        let field = |from: usize, length: usize| {
            let bytes = &header[from..from + length];
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(length);
            std::str::from_utf8(&bytes[..end]).unwrap().trim().to_owned()
        };
        let (name, kind) = (field(0, 100), header[156]);
        if name.is_empty() {
            break;
        }
        let size = usize::from_str_radix(&field(124, 12), 8).unwrap();
        let path = Path::new(&name);
        assert!(
            path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        );
        match kind {
            b'5' => std::fs::create_dir_all(to.join(path)).unwrap(),
            b'0' => std::fs::write(to.join(path), &behind[..size]).unwrap(),
            other => panic!("{name} is of the kind {other}"),
        }
        rest = &behind[size.next_multiple_of(512)..];
    }
}

fn fixture(name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/data");
    unpack(&fixtures.join(name), &data);
    (folder, data)
}

#[test]
fn the_first_format_is_opened_and_goes_on() {
    let (_folder, data) = fixture("v1.tar.gz");
    let output = selfsame(&["verify", "--data", data.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output));
    let server = Server::start(&data);
    server.settle();
    let counts = ["events", "profiles", "duplicates", "rejected"].map(|name| server.count(name));
    assert_eq!(counts, [25, 10, 1, 2]);
    let ada = "/v1/spaces/dev/collections/users/profiles";
    let by_user = server.get(&format!("{ada}/user_id:ada"));
    let by_merged = server.get(&format!("{ada}/anonymous_id:a2"));
    assert_eq!(by_user["id"], by_merged["id"]);
    assert_eq!(by_user["traits"]["plan"]["name"], "pro", "{by_user}");
    assert_eq!(by_user["merges"].as_array().map(Vec::len), Some(1), "{by_user}");
    let destinations = server.get("/api/destinations");
    assert_eq!(destinations["data"][0]["id"], "hook", "{destinations}");
    // Its secret is from before there was a vault.
    assert_eq!(destinations["data"][0]["locked"], false, "{destinations}");
    assert_eq!(destinations["data"][0]["secret_ends"].as_str().unwrap().len(), 4);
    let again =
        serde_json::json!({ "type": "page", "userId": "grace", "name": "Home", "messageId": "f5" });
    assert!(server.batch(&[again]));
    server.settle();
    assert_eq!(server.count("duplicates"), 2);
}

#[test]
fn the_first_format_without_its_state_is_folded_anew() {
    let (_folder, data) = fixture("v1.tar.gz");
    std::fs::remove_dir_all(data.join("state")).unwrap();
    let server = Server::start(&data);
    server.settle();
    assert_eq!(["events", "profiles"].map(|name| server.count(name)), [25, 10]);
}

#[test]
fn a_newer_format_is_refused() {
    let (_folder, data) = fixture("v1.tar.gz");
    std::fs::write(data.join("format"), "selfsame-data 2\n").unwrap();
    let output = selfsame(&["verify", "--data", data.to_str().unwrap()]);
    assert!(
        !output.status.success() && text(&output).contains("Use a newer selfsame"),
        "{}",
        text(&output)
    );
}
