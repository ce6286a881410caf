//! Identity tokens on events: what becomes of the record.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use selfsame_event::{RecordKind, TokenVerdict};
use serde_json::{Value, json};

use crate::world::{SECRET, World};

/// A token of the browsers' source for a user, an hour long from the clock's noon.
fn token(user: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let payload = json!({"sub": user, "aud": "browser", "exp": 1_800_003_600});
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "k1"})), part(&payload));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes())))
}

/// Every byte that is durable.
fn durable(world: &World) -> String {
    let mut text = String::new();
    for record in world.records() {
        text.push_str(&String::from_utf8_lossy(&record.head.encode()));
        record.items.iter().for_each(|item| text.push_str(&String::from_utf8_lossy(item)));
    }
    text
}

#[tokio::test]
async fn the_token_goes_and_what_it_was_found_to_be_stays() {
    let world = World::default();
    let token = token("ada");
    let body = format!(
        r#"{{"writeKey":"browser","userId":"ada","anonymousId":"a","n": 1.500,"context":{{"identityToken":"{token}","locale":"de"}}}}"#
    );
    assert_eq!(world.post("/v1/identify", body.clone(), &[]).await.status, 200);
    let [record] = world.records().try_into().unwrap();
    assert_eq!(record.head.tokens, [(0, TokenVerdict::Valid)]);
    let expected = body.replace(&format!(r#""identityToken":"{token}","#), "");
    assert_eq!(record.items[0], expected);
}

#[tokio::test]
async fn an_event_without_a_token_is_recorded_as_it_always_was() {
    let world = World::default();
    let body = r#"{"writeKey":"browser","userId":"ada","context":{"a" : 1}}"#;
    assert_eq!(world.post("/v1/identify", body, &[]).await.status, 200);
    let record = &world.records()[0];
    assert_eq!((record.head.encode()[0], &record.items[0][..]), (1, body.as_bytes()));
}

#[tokio::test]
async fn a_token_that_proves_nothing_loses_no_event() {
    let world = World::default();
    let good = token("ada");
    let cases = [
        (json!(good), "eve", TokenVerdict::Subject),
        (json!(format!("{good}x")), "ada", TokenVerdict::Signature),
        (json!("rubbish"), "ada", TokenVerdict::Malformed),
        (json!(7), "ada", TokenVerdict::Malformed),
        (json!({"nested": [good]}), "ada", TokenVerdict::Malformed),
    ];
    for (index, (token, user, verdict)) in cases.iter().enumerate() {
        let body =
            json!({"writeKey": "browser", "userId": user, "context": {"identityToken": token}});
        let answer = world.post("/v1/identify", body.to_string(), &[]).await;
        assert_eq!((answer.status, &*answer.body), (200, &br#"{"success":true}"#[..]));
        assert_eq!(world.records()[index].head.tokens, [(0, *verdict)], "{token}");
    }
    let other = json!({"writeKey": "mobile", "userId": "ada", "context": {"identityToken": good}});
    world.post("/v1/identify", other.to_string(), &[]).await;
    assert_eq!(world.records()[cases.len()].head.tokens, [(0, TokenVerdict::NoKey)]);
    assert!(!durable(&world).contains("oken") && !durable(&world).contains("rubbish"));
}

#[tokio::test]
async fn each_event_of_a_batch_has_its_own_and_the_batch_has_one_for_the_rest() {
    let world = World::default();
    let body = json!({
        "writeKey": "browser",
        "context": {"identityToken": token("ada"), "app": {"name": "shop"}},
        "batch": [
            {"type": "page", "anonymousId": "a"},
            {"type": "page", "anonymousId": "a", "userId": "ada"},
            {"type": "page", "userId": "eve"},
            {"type": "page", "userId": "bob", "context": {"identityToken": token("bob")}},
            {"type": "page", "userId": "ada", "context": {"identityToken": null}},
            {"type": "track", "userId": "ada", "context": {"identityToken": token("ada")}},
        ],
    });
    assert_eq!(world.post("/v1/batch", body.to_string(), &[]).await.status, 200);
    let events = &world.of_kind(RecordKind::Events)[0];
    let expected = [(1, TokenVerdict::Valid), (2, TokenVerdict::Subject), (3, TokenVerdict::Valid)];
    assert_eq!(events.head.tokens, expected);
    assert_eq!(events.head.context.as_deref(), Some(r#"{"app":{"name":"shop"}}"#));
    // The last one lacks its `event`: it is set aside, without its token.
    assert_eq!(world.of_kind(RecordKind::Rejected)[0].items.len(), 1);
    assert!(!durable(&world).contains("identityToken"), "{}", durable(&world));
}

#[tokio::test]
async fn tokens_stay_with_their_events_when_some_ask_for_an_address() {
    let world = World::default();
    let bad = json!({"identityToken": "x"});
    let body = json!({"writeKey": "server", "batch": [
        {"type": "page", "userId": "a", "context": {"direct": true}},
        {"type": "page", "userId": "b"},
        {"type": "page", "userId": "c", "context": {"identityToken": "x", "direct": true}},
        {"type": "page", "userId": "d", "context": bad},
    ]});
    assert_eq!(world.post("/v1/batch", body.to_string(), &[]).await.status, 200);
    let records = world.of_kind(RecordKind::Events);
    let tokens = records.iter().map(|record| (record.items.len(), record.head.tokens.clone()));
    let expected = (2, vec![(1, TokenVerdict::Malformed)]);
    assert_eq!(tokens.collect::<Vec<_>>(), [expected.clone(), expected]);
}
