//! `selfsame import`: every line once, whatever happens.

#![expect(clippy::unwrap_used, reason = "a test of processes, which only time tells about")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Output;

use crate::process::{Server, program, selfsame, text, wait_for};

fn import(server: &Server, file: &Path, more: &[&str]) -> Output {
    let file = file.to_str().unwrap();
    let fixed = ["import", file, "--write-key", "dev", "--server", &server.url, "--token", "dev"];
    selfsame(&[&fixed, more].concat())
}

/// The number that the summary has behind a word.
fn number(output: &Output, word: &str) -> u64 {
    let text = text(output);
    let line = text.lines().find(|line| line.starts_with(word));
    let line = line.unwrap_or_else(|| panic!("no {word} in {text}"));
    line.split_whitespace().last().unwrap().parse().unwrap()
}

fn events(count: u64) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let user = number % 50;
        writeln!(
            text,
            r#"{{"type":"track","event":"Bought","userId":"u{user}","timestamp":"2024-01-01T00:00:00Z","properties":{{"n":{number}}}}}"#
        )
        .unwrap();
        text
    })
}

#[test]
fn a_file_counts_once_and_invalid_lines_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let file = folder.path().join("events.jsonl");
    let text_of =
        events(3) + "\nnot json\n" + &events(2) + "{\"type\":\"track\",\"userId\":\"a\"}\n";
    std::fs::write(&file, text_of).unwrap();

    let first = import(&server, &file, &[]);
    assert!(first.status.success(), "{}", text(&first));
    let counts = ["lines", "accepted", "already there", "invalid"].map(|word| number(&first, word));
    assert_eq!(counts, [7, 5, 0, 2]);
    assert!(text(&first).contains("line 5: event_not_object: The line is not valid JSON"));
    assert!(text(&first).contains("line 8: event_not_defined"), "{}", text(&first));

    let again = import(&server, &file, &["--strict"]);
    let counts = ["lines", "accepted", "already there", "invalid"].map(|word| number(&again, word));
    assert_eq!(counts, [7, 0, 7, 0]);
    server.settle();
    assert_eq!(server.count("events"), 5);
    assert_eq!(server.count("profiles"), 3);
    let url = "/v1/spaces/dev/collections/users/profiles/user_id:u1/events";
    let shown = server.get(url);
    assert_eq!(shown["data"][0]["timestamp"], "2024-01-01T00:00:00.000Z", "{shown}");
}

#[test]
fn strict_fails_where_a_line_is_invalid() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let file = folder.path().join("events.jsonl");
    std::fs::write(&file, "[]\n").unwrap();
    assert_eq!(import(&server, &file, &["--strict"]).status.code(), Some(1));
}

#[test]
fn an_import_goes_on_after_client_and_server_were_killed() {
    const LINES: u64 = 60_000;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = Server::start(&data);
    let file = folder.path().join("events.jsonl");
    std::fs::write(&file, events(LINES)).unwrap();
    let mut child = program()
        .args(["import", file.to_str().unwrap(), "--write-key", "dev"])
        .args(["--server", &server.url, "--token", "dev"])
        .spawn()
        .unwrap();
    wait_for("some events", || (server.count("events") > 2_000).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    server.kill();

    let server = Server::start(&data);
    server.settle();
    let before = server.count("events");
    assert!((2_000..LINES).contains(&before), "{before}");
    let output = import(&server, &file, &[]);
    assert_eq!(number(&output, "lines"), LINES, "{}", text(&output));
    assert_eq!(number(&output, "accepted") + number(&output, "already there"), LINES);
    server.settle();
    assert_eq!(server.count("events"), LINES);
    assert_eq!(number(&import(&server, &file, &[]), "already there"), LINES);
}

#[test]
fn a_compressed_csv_becomes_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let file = folder.path().join("people.csv.gz");
    let csv = "user_id,email,age:number\nada,ada@example.com,36\ngrace,\"grace@example.com\",85\n";
    let mut packed = flate2::write::GzEncoder::new(
        std::fs::File::create(&file).unwrap(),
        flate2::Compression::default(),
    );
    packed.write_all(csv.as_bytes()).unwrap();
    packed.finish().unwrap();

    let output = import(&server, &file, &[]);
    assert_eq!(number(&output, "accepted"), 2, "{}", text(&output));
    let url = "/v1/spaces/dev/collections/users/profiles/email:ada@example.com/traits";
    let traits = server.get(url);
    assert_eq!(traits["traits"]["age"], 36, "{traits}");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"));
    let file = folder.path().join("events.jsonl");
    std::fs::write(&file, events(1)).unwrap();
    let file = file.to_str().unwrap();
    let run = |args: &[&str]| {
        let output = selfsame(&[&["import", file, "--server", &server.url][..], args].concat());
        assert_eq!(output.status.code(), Some(1));
        text(&output)
    };
    let no_token = run(&["--write-key", "dev"]);
    assert!(no_token.contains("SELFSAME_TOKEN"), "{no_token}");
    let wrong_key = run(&["--write-key", "nobody", "--token", "dev"]);
    assert!(wrong_key.contains("No source has this write key"), "{wrong_key}");
    let url = server.url.clone();
    drop(server);
    let gone = selfsame(&["import", file, "--write-key", "dev", "--server", &url]);
    assert!(text(&gone).contains("selfsame serve"), "{}", text(&gone));
}
