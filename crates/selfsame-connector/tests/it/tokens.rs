//! Access tokens that are fetched.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use selfsame_deliver::{Failure, Pause};
use serde_json::{Value, json};

use crate::receiver::{Answer, Got, Receiver, ok};
use crate::world::{World, config, manifest, mapped, track};

const WITH_TOKENS: &str = r#"
manifest: 1
id: test
name: Test
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
  client_secret: {type: password, required: true}
auth:
  oauth2:
    token_url: '{{ raw(settings.base) }}/token'
    client_id: our-client
    client_secret: =settings.client_secret
responses:
  - {when: =r.status == 401, outcome: refresh_auth}
actions:
  send:
    title: Send
    trigger: type = "track"
    fields:
      name: {type: string, required: true, default: {'@path': $.event}}
    request: {url: '{{ raw(settings.base) }}/send', json: {name: =payload.name}}
"#;

fn world(receiver: &Receiver, auth: Value, events: usize) -> World {
    let mappings = [mapped(0, "send", "type = \"track\"", Value::Null)];
    let settings = json!({"base": receiver.url(), "client_secret": "our-secret"});
    let events = (0..events).map(|index| {
        track(&char::from(b'a' + u8::try_from(index).expect("few")).to_string(), "Hi")
    });
    World::start(config(&manifest(WITH_TOKENS), settings, auth, &mappings), events.collect())
}

/// A receiver that takes only the newest of the tokens that it gives out.
fn giving(given: Arc<AtomicUsize>) -> impl Fn(&Got) -> Answer + Send + Sync {
    move |got| match got.line.as_str() {
        "POST /token" => {
            let number = given.fetch_add(1, Ordering::SeqCst) + 1;
            let old = number - 1;
            let wanted = format!(
                "grant_type=refresh_token&refresh_token=refresh-{old}&client_id=our-client&client_secret=our-secret"
            );
            assert_eq!(got.body, wanted, "a refresh token is good for once");
            ok(&json!({"access_token": format!("access-{number}"), "expires_in": 3600,
                "refresh_token": format!("refresh-{number}"), "token_type": "Bearer"})
            .to_string())
        }
        _ => {
            let newest = format!("Bearer access-{}", given.load(Ordering::SeqCst));
            if got.headers["authorization"] == newest {
                ok("")
            } else {
                (401, "", "old".to_owned())
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_fetched_once_for_all_that_wait() {
    let given = Arc::new(AtomicUsize::new(0));
    let receiver = Receiver::start(giving(Arc::clone(&given))).await;
    let auth = json!({"access_token": "of-yesterday", "refresh_token": "refresh-0"});
    let world = world(&receiver, auth, 12);
    let status = world.done(12).await;
    assert_eq!((status.delivered, status.last_failure), (12, None));
    assert_eq!(given.load(Ordering::SeqCst), 1, "of twelve that were refused one fetched another");
    for offset in 0..12 {
        assert_eq!(world.tried(offset).await.len(), 1, "it is one attempt");
    }
    let kept = world.kept.0.lock().expect("nobody panicked").clone();
    assert_eq!(kept.len(), 1, "the old refresh token is worth nothing any more");
    assert_eq!(
        (&kept[0]["refresh_token"], &kept[0]["access_token"]),
        (&json!("refresh-1"), &json!("access-1"))
    );
}

#[tokio::test]
async fn without_an_access_token_one_is_fetched_first() {
    let given = Arc::new(AtomicUsize::new(0));
    let receiver = Receiver::start(giving(Arc::clone(&given))).await;
    let world = world(&receiver, json!({"refresh_token": "refresh-0"}), 1);
    world.done(1).await;
    assert_eq!(receiver.lines(), ["POST /token", "POST /send"]);
}

#[tokio::test]
async fn where_no_token_is_given_out_it_pauses_and_says_why() {
    let receiver = Receiver::start(|got| match got.line.as_str() {
        "POST /token" => {
            let said = json!({"error": "invalid_grant", "error_description": "our-secret is gone"});
            (400, "", said.to_string())
        }
        _ => (401, "", String::new()),
    })
    .await;
    let world = world(&receiver, json!({"refresh_token": "refresh-0"}), 4);
    let status = world.until(|status| status.pause == Some(Pause::Denied)).await;
    assert_eq!((status.pending, status.dead), (4, 0));
    assert_eq!(status.last_failure, Some(Failure::Unauthorized));
    assert_eq!(receiver.lines(), ["POST /token"], "a refusal is believed for a while");
    let said = &world.tried(0).await[0];
    assert_eq!(said.2, "access token: invalid_grant: *** is gone");
}
