//! The Control API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use selfsame_log::LogRead;
use serde_json::json;

use crate::node::Node;
use crate::tokens::Tokens;

#[derive(Clone)]
struct Control {
    node: Arc<Node>,
    tokens: Tokens,
}

/// `/api`.
pub(crate) fn router(node: &Arc<Node>, tokens: &Tokens) -> Router {
    let control = Control { node: Arc::clone(node), tokens: tokens.clone() };
    Router::new().route("/api/state", get(state)).with_state(control)
}

async fn state(State(control): State<Control>, headers: HeaderMap) -> Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
    if !token.is_some_and(|token| control.tokens.allows(token)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Some(view) = control.node.view() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let sum = |of: fn(&selfsame_pipeline::SpaceMeta) -> u64| view.meta.spaces.iter().map(of).sum::<u64>();
    let duplicates: u64 = view.meta.sources.iter().map(|source| source.duplicates).sum();
    let folded = control.node.shared.folded();
    Json(json!({
        "position": folded.to_string(),
        "events": sum(|space| space.events),
        "profiles": sum(|space| space.profiles),
        "duplicates": duplicates,
        "lag": control.node.log.end().offset.saturating_sub(folded.offset),
    }))
    .into_response()
}
