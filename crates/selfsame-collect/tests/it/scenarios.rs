//! Runs every case of `tests/data/*.toml`: a request, its answer, and what became durable.
//!
//! A case says only what it is about; but what becomes durable is always compared, so a case that
//! names no events also says that there are none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use selfsame_collect::CollectConfig;
use selfsame_event::RecordKind;
use serde::Deserialize;

use crate::world::{Answer, World, gzip, owned, request};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Settings of the collector for the whole file.
    #[serde(default)]
    config: CollectConfig,
    /// What a browser is told; every answer of the file has it.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Method and path.
    request: String,
    /// The user of Basic authorization.
    basic: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    gzip: bool,
    /// The address that the connection came from.
    from: Option<String>,
    #[serde(default = "ok")]
    status: u16,
    /// The exact body of the answer.
    answer: Option<String>,
    /// The code in the answer.
    code: Option<String>,
    /// The header that names what was set aside.
    rejected: Option<String>,
    /// Headers that the answer has; an empty text means that it does not have it.
    #[serde(default)]
    expect: BTreeMap<String, String>,
    /// Paths into the JSON of the answer, and their values.
    #[serde(default)]
    json: BTreeMap<String, toml::Value>,
    /// The accepted events: type and ids, in order.
    #[serde(default)]
    events: Vec<String>,
    /// The codes of the refused events, in order.
    #[serde(default)]
    refused: Vec<String>,
    /// The address in the head of the events.
    ip: Option<String>,
    /// The time of sending in the head of the events.
    sent_at: Option<String>,
    /// The shared context in the head of the events.
    context: Option<String>,
}

fn ok() -> u16 {
    200
}

/// Every event as its type and ids.
fn accepted(world: &World) -> Vec<String> {
    let mut lines = Vec::new();
    for record in world.of_kind(RecordKind::Events) {
        for item in &record.items {
            let event = record.head.event(item).unwrap();
            let ids = [&event.user_id, &event.anonymous_id, &event.group_id, &event.previous_id];
            let mut line = event.kind.to_string();
            for id in ids.into_iter().flatten() {
                write!(line, " {id}").unwrap();
            }
            lines.push(line);
        }
    }
    lines
}

fn refused(world: &World) -> Vec<String> {
    let records = world.of_kind(RecordKind::Rejected);
    let codes = records.iter().flat_map(|record| {
        assert_eq!(record.items.len(), record.head.refusals.len());
        record.head.refusals.iter().map(|refusal| refusal.code().to_owned())
    });
    codes.collect()
}

/// What differs from what the case says.
fn differences(
    case: &Case,
    answer: &Answer,
    world: &World,
    common: &BTreeMap<String, String>,
) -> String {
    let mut out = String::new();
    let mut check = |what: &str, expected: &str, found: &str| {
        if expected != found {
            writeln!(out, "  {what}: expected {expected:?}, found {found:?}").unwrap();
        }
    };
    let text = String::from_utf8_lossy(&answer.body);
    check("status", &case.status.to_string(), &answer.status.to_string());
    check(
        "rejected",
        case.rejected.as_deref().unwrap_or(""),
        answer.header("x-selfsame-rejected").unwrap_or(""),
    );
    if let Some(expected) = &case.answer {
        check("answer", expected, &text);
    }
    if let Some(expected) = &case.code {
        check("code", expected, &answer.code());
        let json = answer.json();
        check("success", "false", &json["success"].to_string());
        check("error", &json["message"].to_string(), &json["error"].to_string());
    }
    for (name, expected) in common.iter().chain(&case.expect) {
        check(name, expected, answer.header(name).unwrap_or(""));
    }
    for (path, expected) in &case.json {
        let expected = serde_json::to_value(expected).unwrap();
        let found = answer.json().pointer(path).cloned().unwrap_or_default();
        check(path, &expected.to_string(), &found.to_string());
    }
    check("events", &case.events.join("; "), &accepted(world).join("; "));
    check("refused", &case.refused.join("; "), &refused(world).join("; "));
    let records = world.records();
    let head = records.first().map(|record| record.head.clone()).unwrap_or_default();
    for (what, expected, found) in [
        ("ip", &case.ip, head.ip),
        ("sent_at", &case.sent_at, head.sent_at.map(|time| time.to_string())),
        ("context", &case.context, head.context),
    ] {
        if let Some(expected) = expected {
            check(what, expected, &found.unwrap_or_default());
        }
    }
    out
}

async fn run(case: &Case, file: &File) -> String {
    let mut world = World::new(file.config.clone());
    if let Some(from) = &case.from {
        world.peer.address = from.parse().unwrap();
    }
    let (method, path) = case.request.trim().split_once(' ').unwrap();
    let mut headers = case.headers.clone();
    if let Some(key) = &case.basic {
        let value = format!("Basic {}", STANDARD.encode(format!("{key}:")));
        headers.insert("authorization".to_owned(), value);
    }
    let mut body = case.body.trim().as_bytes().to_vec();
    if case.gzip {
        headers.insert("content-encoding".to_owned(), "gzip".to_owned());
        body = gzip(&body);
    }
    let answer = world.send(request(method, path, &owned(&headers), body)).await;
    assert_eq!(world.collector.in_flight_bytes(), 0);
    differences(case, &answer, &world, &file.headers)
}

#[tokio::test(flavor = "current_thread")]
async fn every_case_is_answered_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let (mut failures, mut count) = (String::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: File = toml::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in &file.case {
            count += 1;
            let found = run(case, &file).await;
            if !found.is_empty() {
                let name = path.file_name().unwrap().to_string_lossy();
                writeln!(failures, "{name}: {}\n{found}", case.name).unwrap();
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(count > 100, "only {count} cases were found");
}
