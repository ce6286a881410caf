//! Vendors without recorded cases: a mock that takes only what they say they take.
//!
//! `vendor/ID.yaml` has the operations that a vendor publishes, as small schemas with their source named.
//! Every request of every golden of that destination, and those that delete a person, have to be
//! one of them, and each of them is rendered by something.

use std::collections::BTreeSet;
use std::fs;

use selfsame_destinations::{Connection, Manifest, Next};
use serde_json::{Map, Value, json};

use crate::golden::answer;
use crate::manifests::{catalogue, root};

const VENDORS: &[(&str, &str)] = &[
    ("discord", include_str!("vendor/discord.yaml")),
    ("mailchimp", include_str!("vendor/mailchimp.yaml")),
    ("microsoft-teams", include_str!("vendor/microsoft-teams.yaml")),
    ("zendesk", include_str!("vendor/zendesk.yaml")),
];

struct Vendor(Value);

impl Vendor {
    fn read(text: &str) -> Self {
        let mut document: serde_yaml_ng::Value = serde_yaml_ng::from_str(text).expect("YAML");
        for _ in 0..4 {
            document.apply_merge().expect("anchors");
        }
        Self(serde_yaml_ng::from_value(document).expect("a vendor"))
    }

    /// The place of the operation that a request is, or what is wrong with it.
    fn take(&self, request: &Value) -> Result<usize, String> {
        let url = url::Url::parse(text(&request["url"])).map_err(|error| error.to_string())?;
        let host = url.host_str().unwrap_or_default();
        if !is_match(text(&self.0["hosts"]), host) {
            return Err(format!("{host} is no host of theirs"));
        }
        let operations = self.0["operations"].as_array().expect("operations");
        let fits = |one: &Value| {
            one["method"] == request["method"] && self.is_path(text(&one["path"]), url.path())
        };
        let place = operations.iter().position(fits);
        let place = place.ok_or_else(|| format!("no {} {}", request["method"], url.path()))?;
        let operation = &operations[place];
        let query: Map<String, Value> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), json!(value))).collect();
        let known = &operation["query"];
        check(&json!({ "type": "object", "properties": known }), &json!(query), "the query")?;
        for (name, schema) in operation["headers"].as_object().into_iter().flatten() {
            check(schema, &request["headers"][name], name)?;
        }
        let body = &request["json"];
        match operation.get("body") {
            Some(schema) => check(schema, body, "the body")?,
            None if body.is_null() => {}
            None => return Err("it has a body".to_owned()),
        }
        let most = operation["max_bytes"].as_u64().unwrap_or(u64::MAX);
        if body.to_string().len() as u64 > most {
            return Err(format!("it has more than {most} bytes"));
        }
        Ok(place)
    }

    fn is_path(&self, pattern: &str, path: &str) -> bool {
        let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
        loop {
            match (patterns.next(), parts.next()) {
                (None, None) => return true,
                (Some("{rest}"), Some(_)) => return true,
                (Some(pattern), Some(part)) if pattern.starts_with('{') => {
                    let name = pattern.trim_start_matches('{');
                    let (name, behind) = name.split_once('}').expect("a name");
                    let Some(part) = part.strip_suffix(behind) else { return false };
                    if !is_match(text(&self.0["patterns"][name]), part) {
                        return false;
                    }
                }
                (one, other) if one == other => {}
                _ => return false,
            }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_match(pattern: &str, text: &str) -> bool {
    regex::Regex::new(pattern).expect("a pattern").is_match(text)
}

/// Whether a value is of one of the kinds that a schema names.
fn is_of(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number % 1.0 == 0.0),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no such kind: {other}"),
    };
    match kinds {
        Value::Array(kinds) => kinds.iter().any(|kind| is(text(kind))),
        kind => is(text(kind)),
    }
}

/// The part of JSON Schema that the vendors' files need; a property that is not named is refused.
fn check(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    if let Some(kinds) = schema.get("type").filter(|kinds| !is_of(kinds, value)) {
        return Err(format!("{at} has to be {kinds}, and is {value}"));
    }
    if let Some(choices) = schema["enum"].as_array().filter(|choices| !choices.contains(value)) {
        return Err(format!("{at} has to be one of {choices:?}, and is {value}"));
    }
    if let Some(shapes) = schema["oneOf"].as_array() {
        let fits = shapes.iter().filter(|shape| check(shape, value, at).is_ok()).count();
        return if fits == 1 {
            Ok(())
        } else {
            Err(format!("{at} is {fits} of its shapes: {value}"))
        };
    }
    let size = match value {
        Value::String(text) => Some((text.chars().count(), "Length")),
        Value::Array(items) => Some((items.len(), "Items")),
        _ => None,
    };
    if let Some((size, kind)) = size {
        let bound = |name: &str| schema[format!("{name}{kind}")].as_u64();
        if bound("min").is_some_and(|least| (size as u64) < least)
            || bound("max").is_some_and(|most| size as u64 > most)
        {
            return Err(format!("{at} has {size}"));
        }
    }
    if let Some(number) = value.as_f64()
        && (schema["minimum"].as_f64().is_some_and(|least| number < least)
            || schema["maximum"].as_f64().is_some_and(|most| number > most))
    {
        return Err(format!("{at} is out of its bounds: {number}"));
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !is_match(pattern, text)
    {
        return Err(format!("{at} does not match {pattern}: {text}"));
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        check(&schema["items"], item, &format!("{at}[{place}]"))?;
    }
    let Some(fields) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(text(name)) {
            return Err(format!("{at} has no {name}"));
        }
    }
    for (name, field) in fields {
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (Some(schema), _) => check(schema, field, &format!("{at}.{name}"))?,
            (None, Value::Bool(true)) => {}
            (None, schema @ Value::Object(_)) => check(schema, field, &format!("{at}.{name}"))?,
            (None, _) => return Err(format!("{at} may not have {name}")),
        }
    }
    Ok(())
}

/// The requests of the goldens, each with where it is.
fn requests(id: &str) -> Vec<(String, Value)> {
    let folder = root().join("destinations").join(id).join("golden");
    let mut requests = Vec::new();
    for entry in fs::read_dir(folder).expect("goldens") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a golden");
        let golden: Value = serde_yaml_ng::from_str(&text).expect("YAML");
        let all = golden["requests"].as_array().cloned().unwrap_or_default();
        requests.extend(all.into_iter().map(|one| (path.display().to_string(), one)));
    }
    requests
}

/// The requests that delete a person.
fn deletion(manifest: &Manifest, given: &Value) -> Vec<(String, Value)> {
    let settings = manifest.check_settings(given["settings"].clone()).expect("settings");
    let (settings, none) = (&settings, &Value::Null);
    let connection = Connection { settings, auth: none, audience: none, now_ms: 0 };
    let mut exchange = manifest.deletion_exchange(&given["event"], connection).expect("it deletes");
    let (mut requests, mut reply) = (Vec::new(), None);
    while let Next::Send(request) = exchange.next(reply.as_ref()) {
        reply = Some(answer(given["replies"].get(requests.len())));
        requests.push(("the deletion".to_owned(), request.shown()));
    }
    requests
}

#[test]
fn vendors_take_what_is_rendered() {
    let catalogue = catalogue();
    let mut wrong = Vec::new();
    for (id, document) in VENDORS {
        let vendor = Vendor::read(document);
        let manifest = catalogue.get(id).expect("a manifest");
        let mut all = requests(id);
        if let Some(given) = vendor.0.get("deletion") {
            all.extend(deletion(manifest, given));
        }
        let mut used = BTreeSet::new();
        for (place, request) in &all {
            match vendor.take(request) {
                Ok(operation) => drop(used.insert(operation)),
                Err(why) => wrong.push(format!("{place}: {why}\n{request}")),
            }
        }
        let operations = vendor.0["operations"].as_array().expect("operations").iter();
        for (_, one) in operations.enumerate().filter(|(place, _)| !used.contains(place)) {
            wrong.push(format!("{id}: nothing renders {} {}", one["method"], one["path"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The mock refuses what a vendor would refuse.
#[test]
fn vendors_take_nothing_else() {
    let vendor = Vendor::read(VENDORS[3].1);
    let ticket =
        json!({ "ticket": { "subject": "a", "comment": { "body": "b" }, "priority": "high" } });
    let request = json!({
        "method": "POST", "url": "https://acme.zendesk.com/api/v2/tickets.json",
        "headers": { "idempotency-key": "m-1" }, "json": ticket,
    });
    assert!(vendor.take(&request).is_ok());
    let refused = |pointer: &str, value: Value, why: &str| {
        let mut request = request.clone();
        *request.pointer_mut(pointer).expect("a part") = value;
        let said = vendor.take(&request).expect_err(pointer);
        assert!(said.contains(why), "{said}");
    };
    refused("/method", json!("PUT"), "no \"PUT\"");
    refused("/url", json!("https://acme.example/api/v2/tickets.json"), "no host of theirs");
    refused("/url", json!("https://acme.zendesk.com/api/v2/ticket.json"), "no \"POST\"");
    refused("/url", json!("https://acme.zendesk.com/api/v2/tickets.json?a=1"), "may not have a");
    refused("/headers/idempotency-key", json!(""), "has 0");
    refused("/json/ticket/priority", json!("highest"), "one of");
    refused("/json/ticket/comment", json!({ "text": "b" }), "may not have text");
    refused("/json/ticket/comment/body", json!(1), "has to be \"string\"");
    refused("/json/ticket", json!({ "subject": "a" }), "has no \"comment\"");
}
