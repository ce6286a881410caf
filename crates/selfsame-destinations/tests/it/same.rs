//! Whether a request is the recorded one.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use url::Url;

/// Headers that name the program which sends: ours is another one.
const OF_SENDER: &[&str] = &["user-agent", "x-algolia-agent"];

/// How a request differs from the recorded one.
pub(crate) fn differs(ours: &Value, wanted: &Value) -> Option<String> {
    // An answer that was recorded without its names leaves the word that JavaScript makes of them in what follows.
    let address = |value: &Value| {
        let text = value["url"].as_str().unwrap_or_default();
        Url::parse(&text.replace("/undefined:", "/:")).ok()
    };
    let said = |what: &str| Some(format!("{what}\n   ours {ours}\n wanted {wanted}"));
    if ours["method"] != wanted["method"] {
        return said("method");
    }
    if address(ours) != address(wanted) {
        return said("address");
    }
    let empty = Map::new();
    let headers = wanted["headers"].as_object().unwrap_or(&empty);
    let rendered = ours["headers"].as_object().unwrap_or(&empty);
    // A recording without its token has the word that JavaScript makes of it.
    let lacks = |value: &Value| value.as_str().is_some_and(|text| text.ends_with("undefined"));
    let told =
        headers.iter().filter(|(name, value)| !OF_SENDER.contains(&name.as_str()) && !lacks(value));
    for (name, value) in told {
        if !same_header(rendered.get(name), value) {
            return said(&format!("header {name}"));
        }
    }
    let is_more =
        |name: &&String| !headers.contains_key(*name) && !OF_SENDER.contains(&name.as_str());
    if let Some(more) = rendered.keys().find(is_more) {
        return said(&format!("one more header, {more}"));
    }
    if !same(&body(ours), &body(wanted)) {
        return said("body");
    }
    None
}

/// Parameters of a media type are left to whoever sends.
fn same_header(ours: Option<&Value>, wanted: &Value) -> bool {
    let plain = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    };
    ours.is_some_and(|ours| {
        ours == wanted
            || plain(ours) == plain(wanted)
                && wanted.as_str().is_some_and(|text| text.contains(';') && text.contains('/'))
    })
}

/// A body; of a form the pairs, with what is JSON in them read.
fn body(request: &Value) -> Value {
    if let Some(json) = request.get("json") {
        return json.clone();
    }
    let form = |value: &Value| {
        let kind = value["headers"]["content-type"].as_str().unwrap_or_default();
        kind.starts_with("application/x-www-form-urlencoded")
    };
    let text = request.get("form").or_else(|| request.get("text"));
    let text = text.and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(text) = text else { return Value::Null };
    if !form(request) {
        return serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    }
    // What was not there is the word that JavaScript makes of it.
    let there = |(_, value): &(Cow<'_, str>, Cow<'_, str>)| value != "undefined";
    let pairs = url::form_urlencoded::parse(text.as_bytes()).filter(there).map(|(name, value)| {
        let read = serde_json::from_str(&value).unwrap_or_else(|_| json!(value));
        json!([name, read])
    });
    pairs.collect()
}

/// Whether two values are the same, numbers by what they are and not by how they are written.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let key = |(name, value): (&String, &Value)| {
                other.get(name).is_some_and(|there| same(value, there))
            };
            one.len() == other.len() && one.iter().all(key)
        }
        (one, other) => one == other,
    }
}
