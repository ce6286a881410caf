//! `GET /oauth2/callback`: a person comes back from a vendor, where they agreed that a destination acts for them.
//!
//! ```text
//! POST /api/destinations/ID/authorize      a state and a verifier are drawn, and kept for ten minutes
//!   -> the vendor's page, with the state and the hash of the verifier
//!   -> GET /oauth2/callback?code&state     the state is taken once; the code is redeemed with the verifier
//!   -> tokens, sealed with the destination
//! ```
//!
//! The route needs no token: the browser that comes back has none. What it may do is what the state was drawn
//! for, by somebody who had one: give one destination the tokens of a code. What was begun is memory, and ends with
//! the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use selfsame_deliver::Job;
use selfsame_destinations::{Code, Consent};
use sha2::{Digest as _, Sha256};

use crate::chance;
use crate::node::Node;

/// Where a vendor sends people back to.
pub(crate) const CALLBACK: &str = "/oauth2/callback";
/// How long somebody may take to agree, in microseconds.
const PATIENCE: u64 = 600 * 1_000_000;
/// Consents that are waited for at once; beyond, the oldest is given up.
const MOST: usize = 32;
/// How long the vendor may take to give tokens.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(30);
/// The longest parameter that is looked at.
const LONGEST: usize = 8 << 10;

/// Consents that were begun, by their states.
#[derive(Debug, Default)]
pub(crate) struct Consents(Mutex<BTreeMap<String, Begun>>);

/// A consent that was begun.
#[derive(Clone)]
struct Begun {
    destination: String,
    redirect_uri: String,
    verifier: String,
    /// In microseconds of the monotonic clock.
    until: u64,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Begun").field("destination", &self.destination).finish_non_exhaustive()
    }
}

/// Draws a text that nobody guesses.
fn drawn() -> String {
    URL_SAFE_NO_PAD.encode(chance::bytes::<32>())
}

impl Consents {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one; `make` makes the address of what a person is sent to the vendor with.
    pub(crate) fn begin<T>(
        &self,
        destination: &str,
        redirect_uri: &str,
        now: u64,
        make: impl FnOnce(Consent<'_>) -> Option<T>,
    ) -> Option<T> {
        let (state, verifier) = (drawn(), drawn());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let made = make(Consent { redirect_uri, state: &state, challenge: &challenge })?;
        let mut all = self.lock();
        all.retain(|_, begun| begun.until > now);
        while all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, begun)| begun.until);
            let Some(oldest) = oldest.map(|(state, _)| state.clone()) else { break };
            all.remove(&oldest);
        }
        let (destination, redirect_uri) = (destination.to_owned(), redirect_uri.to_owned());
        all.insert(state, Begun { destination, redirect_uri, verifier, until: now + PATIENCE });
        Some(made)
    }

    /// Takes the one of a state, once.
    fn take(&self, state: &str, now: u64) -> Option<Begun> {
        self.lock().remove(state).filter(|begun| begun.until > now)
    }
}

/// The route.
pub(crate) fn router(node: &Arc<Node>) -> Router {
    Router::new().route(CALLBACK, get(callback)).with_state(Arc::clone(node))
}

async fn callback(
    State(node): State<Arc<Node>>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let of = |name: &str| {
        let found = query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|value| value.len() <= LONGEST)
    };
    let begun =
        of("state").and_then(|state| node.consents.take(state, node.clock.monotonic_micros()));
    let Some(begun) = begun else {
        let said = "Nobody waits for this any more. Begin again: `selfsame destination authorize`.";
        return page(StatusCode::BAD_REQUEST, said);
    };
    let Some(code) = of("code") else {
        let why = of("error_description").or_else(|| of("error")).unwrap_or("it gave no code");
        let why: String = why.chars().filter(|letter| !letter.is_control()).take(300).collect();
        return page(StatusCode::BAD_REQUEST, &format!("The vendor did not agree: {why}."));
    };
    match redeem(&node, &begun, code).await {
        Ok(()) => {
            tracing::info!(destination = %begun.destination, "a destination has tokens");
            let said = format!("{} has its tokens. This page can be closed.", begun.destination);
            page(StatusCode::OK, &said)
        }
        Err(why) => page(StatusCode::BAD_GATEWAY, &format!("There are no tokens: {why}.")),
    }
}

async fn redeem(node: &Node, begun: &Begun, code: &str) -> Result<(), String> {
    let view = node.view().ok_or("the server is starting")?;
    let mut destinations = view.meta.workspace.destinations.iter();
    let found = destinations.find(|one| one.id == begun.destination).cloned();
    drop(view);
    let destination = found.ok_or("the destination is not there any more")?;
    let tool = destination.tool.as_ref().ok_or("the destination is none of the catalogue")?;
    let connector = node.connectors.connector(&destination, tool, &node.vault);
    let connector = connector.map_err(|why| why.to_string())?;
    let Begun { redirect_uri, verifier, .. } = begun;
    let job = Job {
        key: "consent",
        outbound: &node.outbound,
        allow_loopback: node.allow_loopback(),
        timeout: ANSWER,
        clock: &*node.clock,
    };
    let auth = connector.redeem(Code { code, redirect_uri, verifier }, job).await;
    let auth = auth.map_err(|carried| match carried.note.is_empty() {
        true => carried.outcome.label().to_owned(),
        false => carried.note,
    })?;
    node.keep(&destination.id, auth).await.map_err(|error| {
        tracing::error!(destination = %destination.id, %error, "tokens were not kept");
        "they could not be kept".to_owned()
    })
}

/// A page with one sentence.
fn page(status: StatusCode, said: &str) -> Response {
    let mut text = String::new();
    for letter in said.chars() {
        match letter {
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '&' => text.push_str("&amp;"),
            '"' => text.push_str("&quot;"),
            other => text.push(other),
        }
    }
    let html =
        format!("<!doctype html><meta charset=\"utf-8\"><title>Selfsame</title><p>{text}</p>\n");
    let mut response = (status, html).into_response();
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
