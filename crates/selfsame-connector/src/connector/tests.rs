use serde_json::json;

use super::*;
use crate::config::check;
use crate::journal::Journal;

const TEXT: &str = "
manifest: 1
id: test
name: Test
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings: {key: {type: password}}
actions:
  send: {title: Send, request: {url: https://example.com/a}}
";

#[derive(Debug)]
struct Nowhere;

impl Keep for Nowhere {
    fn keep(&self, _: &Value) {}
}

fn connector(auth: &Value, key: &str, before: Option<&Connector>) -> Connector {
    let manifest = Arc::new(Manifest::read("test/manifest.yaml", TEXT).expect("a manifest"));
    let config = check(&manifest, json!({"key": key}), auth.clone(), &[]).expect("a config");
    let notes = Arc::new(Journal::in_memory()).of("test");
    Connector::new(config, Arc::new(Nowhere), notes, before)
}

/// Two that renew the same refresh token would make it worthless for each other.
#[test]
fn the_next_one_of_a_connection_has_the_same_tokens_unless_they_were_replaced() {
    let (old, fetched) = (json!({"refresh_token": "1"}), json!({"refresh_token": "2"}));
    let mut first = connector(&old, "a", None);
    let shares = |before: &Connector, auth: &Value, key: &str| {
        let next = connector(auth, key, Some(before));
        Arc::ptr_eq(&next.credentials, &before.credentials)
    };
    assert!(shares(&first, &old, "a"));
    assert!(!shares(&first, &old, "b"), "the client's secret is another one");
    assert!(!shares(&first, &fetched, "a"), "somebody gave it other tokens");
    first.credentials = Arc::new(Credentials::new(fetched.clone(), &Mask::default()));
    assert!(shares(&first, &fetched, "a"), "it fetched them itself, and they were kept");
}
