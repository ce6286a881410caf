//! Replays the requests that official SDKs send, from `fixtures/requests` of the workspace.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use selfsame_event::RecordKind;
use serde::Deserialize;
use serde_json::Value;

use crate::world::{World, gzip, owned, request};

#[derive(Debug, Deserialize)]
struct Fixture {
    name: String,
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    gzip: bool,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
struct Expect {
    status: u16,
    #[serde(default)]
    events: Vec<Value>,
}

/// The durable events as JSON, with the type that they were read as.
fn events(world: &World) -> Vec<Value> {
    let mut events = Vec::new();
    for record in world.of_kind(RecordKind::Events) {
        for item in &record.items {
            let mut value: Value = serde_json::from_slice(item).unwrap();
            value["type"] = record.head.event(item).unwrap().kind.name().into();
            events.push(value);
        }
    }
    events
}

async fn replay(fixture: &Fixture) {
    let name = &fixture.name;
    let basic = STANDARD.encode("server:");
    let fill = |text: &str| text.replace("{{writeKey}}", "server").replace("{{basic}}", &basic);
    let headers: BTreeMap<_, _> = fixture
        .headers
        .iter()
        .filter(|(header, _)| !header.eq_ignore_ascii_case("content-length"))
        .map(|(header, value)| (header.to_ascii_lowercase(), fill(value)))
        .collect();
    let mut body = fill(&fixture.body).into_bytes();
    let mut headers = headers;
    if fixture.gzip {
        body = gzip(&body);
        headers.entry("content-encoding".to_owned()).or_insert_with(|| "gzip".to_owned());
    }
    let world = World::default();
    let request = request(&fixture.method, &fill(&fixture.path), &owned(&headers), body);
    let answer = world.send(request).await;
    assert_eq!(answer.status, fixture.expect.status, "{name}: {answer:?}");
    let found = events(&world);
    assert_eq!(found.len(), fixture.expect.events.len(), "{name}: {answer:?}");
    for (found, expected) in found.iter().zip(&fixture.expect.events) {
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&found[key], value, "{name}: {key}");
        }
    }
    if fixture.expect.status == 200 && !fixture.expect.events.is_empty() && fixture.method == "POST"
    {
        assert_eq!(answer.body, r#"{"success":true}"#, "{name}");
    }
}

#[tokio::test]
async fn every_recorded_request_is_answered_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/requests");
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    let paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    let paths = paths.iter().filter(|path| path.to_string_lossy().ends_with(".http.json"));
    let mut count = 0;
    for path in paths {
        let text = std::fs::read_to_string(path).unwrap();
        let fixture: Fixture = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        replay(&fixture).await;
        count += 1;
    }
    assert!(count > 0, "no fixture was found in {}", folder.display());
}
