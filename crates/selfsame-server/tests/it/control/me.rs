//! What a page is told of its own visitor, and everything that was thought of to be told of another.

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::definitions::{AT, live};
use super::server::Server;
use super::verified::{BACKEND, SITE, attacks, bad_tokens, send, token, world};

const TOKEN: &str = "x-selfsame-identity-token";

/// Asks as a page does.
async fn ask(server: &Server, query: &str, token: Option<&str>) -> (StatusCode, HeaderMap, Value) {
    let mut request = server.http.get(server.at(&format!("/v1/me?{query}")));
    if let Some(token) = token {
        request = request.header(TOKEN, token);
    }
    let answer = request.header("origin", "https://shop.example").send().await.expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.json().await.expect("JSON"))
}

async fn me(server: &Server, device: &str, token: Option<&str>) -> Value {
    let query = format!("writeKey={SITE}&anonymousId={device}");
    let (status, _, answer) = ask(server, &query, token).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    answer
}

fn nothing() -> Value {
    json!({ "audiences": {}, "traits": {} })
}

/// A definition that browsers may read, and one that they may not, of every kind.
async fn define(server: &Server) {
    // Only the shop's backend says so, and only of the victim.
    send(server, BACKEND, "track", json!({ "userId": "victim", "event": "Gold" })).await;
    for (id, kind, query, public) in [
        ("known", "audience", "event('Gold').count() >= 1", true),
        ("secret", "audience", "event('Gold').count() >= 1", false),
        ("visits", "computed_trait", "event('Visit').count()", true),
        ("hidden", "computed_trait", "event('Visit').count()", false),
    ] {
        let body = json!({ "kind": kind, "query": query, "public": public });
        server.done(Method::PUT, &format!("{AT}/{id}"), Some(body)).await;
    }
    for id in ["known", "secret", "visits", "hidden"] {
        live(server, id).await;
    }
}

async fn visit(server: &Server, device: &str) {
    send(server, SITE, "track", json!({ "anonymousId": device, "event": "Visit" })).await;
}

#[tokio::test]
async fn a_page_is_told_what_is_public_of_its_visitor() {
    let server = world(false).await;
    define(&server).await;
    visit(&server, "d1").await;
    visit(&server, "d1").await;
    assert_eq!(
        me(&server, "d1", None).await,
        json!({ "audiences": {}, "traits": { "visits": 2 } })
    );
    assert_eq!(me(&server, "nobody", None).await, nothing());
    // In a space that guards nobody, a device speaks for whoever signed in on it.
    let victim = me(&server, "a1", None).await;
    assert_eq!(victim, json!({ "audiences": { "known": true }, "traits": { "visits": 0 } }));
    // A definition that is no longer public is no longer told.
    let body = json!({ "kind": "audience", "query": "event('Gold').count() >= 1" });
    server.done(Method::PUT, &format!("{AT}/known"), Some(body)).await;
    assert_eq!(me(&server, "a1", None).await["audiences"], json!({}));
}

#[tokio::test]
async fn browsers_of_any_page_may_read_the_answer_and_no_cache_keeps_it() {
    let server = world(false).await;
    let (status, headers, _) = ask(&server, &format!("writeKey={SITE}&anonymousId=x"), None).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["cache-control"], "private, no-store");
    assert!(!headers.contains_key("x-selfsame-position"), "positions tell how much is sent");
    let preflight = server.http.request(Method::OPTIONS, server.at("/v1/me"));
    let preflight = preflight.header("access-control-request-headers", TOKEN);
    let preflight = preflight.header("origin", "https://shop.example").send().await;
    let preflight = preflight.expect("an answer");
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    let allowed = preflight.headers()["access-control-allow-headers"].to_str().expect("text");
    assert!(allowed.contains(TOKEN) && allowed.contains("Authorization"), "{allowed}");
    let basic = server.http.get(server.at("/v1/me?anonymousId=x")).basic_auth(SITE, Some(""));
    assert_eq!(basic.send().await.expect("an answer").status(), StatusCode::OK);
}

#[tokio::test]
async fn a_question_that_is_wrong_says_so() {
    let server = world(true).await;
    for (query, status, code) in [
        ("anonymousId=x", 400, "missing_write_key"),
        ("writeKey=nobodys&anonymousId=x", 401, "unknown_write_key"),
        (&*format!("writeKey={SITE}"), 400, "missing_anonymous_id"),
        (&*format!("writeKey={SITE}&anonymousId="), 400, "missing_anonymous_id"),
        (&*format!("writeKey={SITE}&anonymousId=a&anonymousId=b"), 400, "invalid_parameter"),
        (&*format!("writeKey={SITE}&anonymousId=%ff"), 400, "invalid_parameter"),
    ] {
        let (answered, headers, answer) = ask(&server, query, None).await;
        assert_eq!((answered.as_u16(), &answer["code"]), (status, &json!(code)), "{query}");
        assert_eq!(headers["access-control-allow-origin"], "*", "a page can read why");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let answer = server.http.request(method, server.at("/v1/me")).send().await;
        assert_eq!(answer.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn a_person_of_a_guarded_space_is_told_of_with_a_token_only() {
    let server = world(true).await;
    define(&server).await;
    visit(&server, "a1").await;
    visit(&server, "a9").await;
    let ada = json!({ "audiences": { "known": true }, "traits": { "visits": 1 } });
    // The device is the victim's own; whoever has its id need not be the victim.
    assert_eq!(me(&server, "a1", None).await, nothing());
    assert_eq!(me(&server, "a1", Some(&token("victim"))).await, ada);
    let (_, _, by_token) = ask(&server, &format!("writeKey={SITE}"), Some(&token("victim"))).await;
    assert_eq!(by_token, ada, "a token needs no device");
    // Devices of nobody known need no proof.
    let stranger = json!({ "audiences": {}, "traits": { "visits": 1 } });
    assert_eq!(me(&server, "a9", None).await, stranger);
    // A token is its own user's, whatever device it comes with.
    assert_eq!(me(&server, "a1", Some(&token("eve"))).await, nothing());
    assert_eq!(me(&server, "a9", Some(&token("victim"))).await, ada);
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_refused_and_never_the_stranger() {
    let server = world(true).await;
    define(&server).await;
    let mine = token("eve");
    for (bad, code) in bad_tokens() {
        let Some(bad) = bad.as_str().filter(|bad| *bad != mine) else { continue };
        let query = format!("writeKey={SITE}&anonymousId=a1");
        let (status, _, answer) = ask(&server, &query, Some(bad)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{code}: {answer}");
        assert_eq!(answer["code"], "identity_token", "{code}");
        assert!(!answer.to_string().contains("known"), "{answer}");
    }
    // Signed for this site, and not for the key of another source.
    let query = format!("writeKey={BACKEND}&anonymousId=a1");
    let (status, _, answer) = ask(&server, &query, Some(&token("victim"))).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "{answer}");
}

#[tokio::test]
async fn nothing_that_a_stranger_sends_makes_the_answer_that_of_a_person() {
    let server = world(true).await;
    define(&server).await;
    for (number, (route, event)) in attacks().into_iter().enumerate() {
        send(&server, SITE, route, event.clone()).await;
        let after = me(&server, "a9", None).await;
        // Of a device that says to be somebody nothing is told; else that it visited nothing.
        let visits_nothing = json!({ "audiences": {}, "traits": { "visits": 0 } });
        assert!([nothing(), visits_nothing].contains(&after), "attack {number} {event}: {after}");
    }
    for device in ["victim", "ada@b.c", "user_id:victim", "a1%00", "A1", "a1%20"] {
        assert_eq!(me(&server, device, None).await, nothing(), "{device}");
    }
    // Parameters that a page might try.
    for more in ["userId=victim", "user_id=victim", "identityToken=x", "email=ada@b.c"] {
        let query = format!("writeKey={SITE}&anonymousId=a9&{more}");
        let (_, _, answer) = ask(&server, &query, None).await;
        assert_eq!(answer["audiences"].get("known"), None, "{more}: {answer}");
    }
}
