//! `POST /oauth2/token`: gives clients of sources access tokens for signed assertions.
//!
//! An assertion is taken once. What was taken is in memory until it would have expired, so an assertion
//! that somebody saw can be used a second time only behind a restart, within two minutes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::header::{CACHE_CONTROL, HOST, PRAGMA, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use selfsame_collect::oauth::{AssertionError, SCOPE, check_assertion};
use selfsame_event::Time;
use serde_json::json;

use crate::chance;
use crate::node::Node;
use crate::settings::CollectSettings;

/// Largest form.
const FORM_BYTES: usize = 16 << 10;
/// Assertions that are remembered. Beyond: `429`.
const REMEMBERED: usize = 50_000;
const GRANT: &str = "client_credentials";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[derive(Debug)]
struct Tokens {
    node: Arc<Node>,
    /// Audiences that are this server; the address of the request where there are none.
    audiences: Vec<String>,
    is_secure: bool,
    used: Mutex<Used>,
}

/// Assertions that were taken, and until when they would be taken again.
#[derive(Debug, Default)]
struct Used(HashMap<(String, [u8; 32]), Time>);

/// What became of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Now,
    Before,
    TooMany,
}

impl Used {
    fn take(&mut self, client: &str, once: [u8; 32], until: Time, now: Time) -> Taken {
        if self.0.len() >= REMEMBERED {
            self.0.retain(|_, until| *until > now);
        }
        if self.0.len() >= REMEMBERED {
            return Taken::TooMany;
        }
        match self.0.insert((client.to_owned(), once), until) {
            Some(before) if before > now => Taken::Before,
            _ => Taken::Now,
        }
    }
}

/// The routes.
pub(crate) fn router(node: &Arc<Node>, settings: &CollectSettings, is_secure: bool) -> Router {
    let audiences = settings.oauth_audiences.clone();
    let tokens = Tokens { node: Arc::clone(node), audiences, is_secure, used: Mutex::default() };
    Router::new()
        .route("/oauth2/token", post(token))
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .with_state(Arc::new(tokens))
}

/// An answer that is no token, as RFC 6749 has it.
fn refuse(status: StatusCode, error: &'static str, description: &str) -> Response {
    let body = json!({ "error": error, "error_description": description });
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

type Sent = Result<Form<Vec<(String, String)>>, FormRejection>;

/// The fields of a form; else the status of the answer, and what is wrong.
fn form(sent: Sent) -> Result<HashMap<String, String>, (StatusCode, &'static str)> {
    let Form(fields) = sent.map_err(|rejection| match rejection {
        FormRejection::InvalidFormContentType(_) => (
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body is a form: Content-Type: application/x-www-form-urlencoded.",
        ),
        _ => (StatusCode::BAD_REQUEST, "The form cannot be read, or is too large."),
    })?;
    let mut form = HashMap::new();
    for (name, value) in fields {
        if form.insert(name, value).is_some() {
            return Err((StatusCode::BAD_REQUEST, "A field of the form is there twice."));
        }
    }
    Ok(form)
}

async fn token(State(tokens): State<Arc<Tokens>>, headers: HeaderMap, sent: Sent) -> Response {
    let form = match form(sent) {
        Ok(form) => form,
        Err((status, why)) => return refuse(status, "invalid_request", why),
    };
    let field = |name: &str| form.get(name).map(String::as_str);
    let invalid = |why: &str| refuse(StatusCode::BAD_REQUEST, "invalid_request", why);
    match field("grant_type") {
        Some(GRANT) => {}
        Some(_) => {
            let why = "`grant_type` is client_credentials.";
            return refuse(StatusCode::BAD_REQUEST, "unsupported_grant_type", why);
        }
        None => return invalid("`grant_type` is missing: client_credentials."),
    }
    if field("scope").is_some_and(|scope| scope.split(' ').any(|one| one != SCOPE)) {
        let why = "The scope there is, is tracking_api:write.";
        return refuse(StatusCode::BAD_REQUEST, "invalid_scope", why);
    }
    if field("client_assertion_type") != Some(ASSERTION) {
        return invalid(
            "`client_assertion_type` is urn:ietf:params:oauth:client-assertion-type:jwt-bearer.",
        );
    }
    let Some(assertion) = field("client_assertion") else {
        return invalid("`client_assertion` is missing: a JWT signed by the client's private key.");
    };
    tokens.answer(assertion, &headers)
}

impl Tokens {
    fn answer(&self, assertion: &str, headers: &HeaderMap) -> Response {
        let now = self.node.clock.wall();
        let clients = self.node.keys.clients();
        let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let is_ours = |audience: &str| self.is_ours(audience, host);
        let asserted = check_assertion(assertion, |id| clients.by_id(id), is_ours, now);
        let asserted = match asserted {
            Ok(asserted) => asserted,
            Err(error) => {
                tracing::info!(%error, "an oauth client got no token");
                let (status, code) = match error {
                    AssertionError::Malformed | AssertionError::Algorithm => {
                        (StatusCode::BAD_REQUEST, "invalid_request")
                    }
                    _ => (StatusCode::UNAUTHORIZED, "invalid_client"),
                };
                return refuse(status, code, &format!("{error}."));
            }
        };
        let client = asserted.client;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        match used.take(&client.id, asserted.once, asserted.until, now) {
            Taken::Now => {}
            Taken::Before => {
                let why = "The assertion was used before: each needs a `jti` of its own.";
                return refuse(StatusCode::UNAUTHORIZED, "invalid_client", why);
            }
            Taken::TooMany => {
                let why = "Too many tokens were asked for in the last minutes.";
                let mut refused = refuse(StatusCode::TOO_MANY_REQUESTS, "slow_down", why);
                refused.headers_mut().insert(RETRY_AFTER, axum::http::HeaderValue::from(60));
                return refused;
            }
        }
        let Some(key) = clients.signer() else {
            let why = "The server is starting.";
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", why);
        };
        let token = key.issue(client, &chance::bytes(), now);
        let body = json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": client.token_seconds,
            "scope": SCOPE,
        });
        ([(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(body)).into_response()
    }

    /// Whether an audience is this server: one of the settings; without any, the address of this route, or
    /// of the folder that it is in, as the request names it.
    fn is_ours(&self, audience: &str, host: &str) -> bool {
        let trimmed = audience.trim_end_matches('/');
        if !self.audiences.is_empty() {
            return self.audiences.iter().any(|one| one.trim_end_matches('/') == trimmed);
        }
        let schemes: &[&str] = if self.is_secure { &["https"] } else { &["http", "https"] };
        !host.is_empty()
            && schemes.iter().any(|scheme| {
                let base = format!("{scheme}://{host}/oauth2");
                trimmed == base || trimmed == format!("{base}/token")
            })
    }
}

#[cfg(test)]
mod tests;
