//! Goldens: an event and settings, and the exact requests that they become.
//!
//! A file `destinations/ID/golden/NAME.yaml` is `{action, settings, event or events, mapping?, auth?,
//! now?, replies?}` and what comes of it: `requests`, `ends`. `UPDATE_EXPECT=1` writes the latter.

use std::fs;
use std::path::Path;

use selfsame_destinations::{Connection, Done, Manifest, Next, Refusal, Reply};
use serde_json::{Value, json};

use crate::manifests::{catalogue, root};

#[test]
fn every_golden_renders_to_what_it_says() {
    let update = std::env::vars().any(|(name, value)| name == "UPDATE_EXPECT" && value == "1");
    let mut wrong = Vec::new();
    for manifest in catalogue().iter() {
        let folder = root().join("destinations").join(&manifest.id).join("golden");
        let mut covered = Vec::new();
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("a golden");
            let mut golden: Value = serde_yaml_ng::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            covered.push(golden["action"].as_str().expect("an action").to_owned());
            let (requests, ends) = render(manifest, &golden);
            if update {
                golden["requests"] = Value::Array(requests);
                golden["ends"] = json!(ends);
                write(&path, &golden);
            } else if golden["requests"] != Value::Array(requests.clone())
                || golden["ends"] != json!(ends)
            {
                let requests = serde_json::to_string_pretty(&requests).expect("JSON");
                wrong.push(format!("{}: {requests}\nends {ends}", path.display()));
            }
        }
        for action in manifest.actions() {
            if !covered.contains(&action.key) {
                wrong.push(format!("{}.{} has no golden", manifest.id, action.key));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn write(path: &Path, golden: &Value) {
    let text = serde_yaml_ng::to_string(&plain(golden)).expect("YAML");
    fs::write(path, text).expect("a golden that can be written");
}

/// The same for YAML, which would write numbers of any precision as objects.
fn plain(value: &Value) -> serde_yaml_ng::Value {
    use serde_yaml_ng::Value as Yaml;
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(flag) => Yaml::Bool(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Yaml::from(whole),
            (None, number) => Yaml::from(number.expect("a number")),
        },
        Value::String(text) => Yaml::from(text.as_str()),
        Value::Array(list) => Yaml::Sequence(list.iter().map(plain).collect()),
        Value::Object(map) => {
            let pairs = map.iter().map(|(name, value)| (Yaml::from(name.as_str()), plain(value)));
            Yaml::Mapping(pairs.collect())
        }
    }
}

/// What comes of a golden: the requests, and how it ends.
fn render(manifest: &Manifest, golden: &Value) -> (Vec<Value>, String) {
    let settings = manifest.check_settings(golden["settings"].clone()).expect("settings");
    let mapping = golden.get("mapping");
    let action = golden["action"].as_str().expect("an action");
    let subscription = manifest.subscription(action, mapping).expect("a mapping");
    let connection = Connection {
        settings: &settings,
        auth: &golden["auth"],
        audience: &golden["audience"],
        now_ms: golden["now"].as_i64().unwrap_or(1_764_000_000_000),
    };
    let events = golden["events"].as_array();
    let exchange = match events {
        Some(events) => {
            manifest.batch_exchange(&subscription, events, connection).map(|(exchange, _)| exchange)
        }
        None => manifest.exchange(&subscription, &golden["event"], connection),
    };
    let mut exchange = match exchange {
        Ok(exchange) => exchange,
        Err(refusal) => return (Vec::new(), refused(&refusal)),
    };
    let replies = golden["replies"].as_array().cloned().unwrap_or_default();
    let (mut requests, mut reply) = (Vec::<Value>::new(), None::<Reply>);
    loop {
        match exchange.next(reply.as_ref()) {
            Next::Send(request) => {
                reply = Some(answer(replies.get(requests.len())));
                requests.push(request.shown());
            }
            Next::Done(Done::Refused(refusal)) => return (requests, refused(&refusal)),
            Next::Done(Done::Answered { step, verdict }) => {
                return (requests, format!("{step} answered: {:?}", verdict.outcome));
            }
            Next::Done(Done::Delivered) => return (requests, "delivered".to_owned()),
            Next::Done(Done::Skipped) => return (requests, "skipped".to_owned()),
        }
    }
}

fn refused(refusal: &Refusal) -> String {
    format!("refused: {refusal}")
}

/// The answer to a request: 200 and nothing where none is given.
pub(crate) fn answer(value: Option<&Value>) -> Reply {
    Reply::from_json(value).expect("a status")
}
