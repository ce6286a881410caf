//! `/demo/…`: a shop whose every click goes through a browser SDK, and beside it what Selfsame
//! makes of the one who clicks.
//!
//! ```text
//! GET  /demo/shop, /demo/assets/*   the page, with our browser SDK
//! GET  /demo/shop/official          the same with Segment's
//! GET  /demo/config                 the write key and where to send
//! GET  /demo/me?ids=                a profile and its newest events
//! GET  /demo/live?ids=              the same as server-sent events, whenever it changes
//! GET  /demo/inbox?limit=           what the webhook destination delivered
//! GET  /demo/status                 figures
//! POST /demo/webhook                the receiver of the webhook destination
//! ```
//!
//! Nothing here knows more than a customer could: events come in by the collector's routes, over
//! HTTP, and what is shown was folded, or delivered and signed.

mod dice;
mod ids;
mod inbox;
mod live;
mod me;
mod shoppers;
mod start;
mod story;
mod tally;

use std::sync::Arc;

use axum::extract::{Path, Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use selfsame_pipeline::{LookupError, Reader};
use serde::Deserialize;
use serde_json::json;

use crate::assets;
use crate::bootstrap::FirstNames;
use crate::chance;
use crate::node::Node;
use crate::tasks::Tasks;
use ids::Ids;
use inbox::{Inbox, Received};
use tally::Tally;

pub(crate) use start::{Stay, start};

/// The name of the demo's space, source, write key and API token.
pub(crate) const NAME: &str = "demo";

/// Who may sign in to the demo's console: known to everybody, as everything of it is.
pub(crate) const OWNER: (&str, &str) = ("demo@example.com", "selfsame-demo");

/// One demo. Its parts come to life in this order: settings, routes, shoppers.
#[derive(Debug)]
pub(crate) struct Demo {
    inbox: Inbox,
    tally: Tally,
    /// Events a second of the synthetic shoppers.
    rate: u32,
}

/// What the routes need.
#[derive(Debug)]
struct Routes {
    demo: Arc<Demo>,
    node: Arc<Node>,
    reader: Reader,
    tasks: Tasks,
}

impl Demo {
    /// A demo whose shoppers send so many events a second.
    pub(crate) fn new(rate: u32) -> Self {
        Self { inbox: Inbox::new(chance::bytes()), tally: Tally::default(), rate }
    }

    /// The names of its workspace.
    pub(crate) fn names() -> FirstNames {
        FirstNames::known(NAME)
    }
}

/// The routes of a demo.
pub(crate) fn router(demo: &Arc<Demo>, node: &Arc<Node>, tasks: &Tasks) -> Router {
    let routes = Routes {
        demo: Arc::clone(demo),
        node: Arc::clone(node),
        reader: node.reader(),
        tasks: tasks.clone(),
    };
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/demo/shop") }))
        .route("/demo", get(|| async { Redirect::temporary("/demo/shop") }))
        .route("/demo/", get(|| async { Redirect::temporary("/demo/shop") }))
        .route("/demo/shop", get(|| page("index.html")))
        .route("/demo/shop/", get(|| page("index.html")))
        .route("/demo/shop/official", get(|| page("official.html")))
        .route("/demo/assets/{name}", get(asset))
        .route("/demo/config", get(config))
        .route("/demo/me", get(me_route))
        .route("/demo/live", get(live_route))
        .route("/demo/inbox", get(inbox_route))
        .route("/demo/status", get(status))
        .route("/demo/webhook", post(webhook))
        .with_state(Arc::new(routes))
}

/// One of the pages of the shop: with our SDK, or with Segment's.
async fn page(name: &'static str) -> Response {
    if assets::shop(name).is_some() {
        return file(name, "no-cache");
    }
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::NOT_FOUND, headers, Html(assets::NOT_BUILT_PAGE)).into_response()
}

/// Names of assets have a digest of their content in them.
async fn asset(Path(name): Path<String>) -> Response {
    file(&format!("assets/{name}"), "public, max-age=31536000, immutable")
}

fn file(path: &str, cache: &'static str) -> Response {
    match assets::shop(path) {
        Some((bytes, kind)) => {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, cache),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, bytes).into_response()
        }
        None => (StatusCode::NOT_FOUND, assets::NOT_BUILT).into_response(),
    }
}

async fn config(headers: HeaderMap) -> Response {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = format!("http://{}", host.unwrap_or("127.0.0.1"));
    Json(json!({ "writeKey": NAME, "space": NAME, "host": host })).into_response()
}

async fn me_route(State(routes): State<Arc<Routes>>, RawQuery(query): RawQuery) -> Response {
    let ids = match Ids::read(query.as_deref()) {
        Ok(ids) => ids,
        Err(reason) => return (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response(),
    };
    let reader = routes.reader.clone();
    match tokio::task::spawn_blocking(move || me::look(&reader, NAME, &ids)).await {
        Ok(Ok(me)) => ([(header::CACHE_CONTROL, "no-store")], Json(me)).into_response(),
        Ok(Err(error)) => unavailable(&error),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn live_route(State(routes): State<Arc<Routes>>, RawQuery(query): RawQuery) -> Response {
    match Ids::read(query.as_deref()) {
        Ok(ids) => live::follow(routes, ids).await.unwrap_or_else(|error| unavailable(&error)),
        Err(reason) => (StatusCode::BAD_REQUEST, format!("{reason}\n")).into_response(),
    }
}

fn unavailable(error: &LookupError) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
}

#[derive(Debug, Deserialize)]
struct Limit {
    limit: Option<usize>,
}

async fn inbox_route(
    State(routes): State<Arc<Routes>>,
    Query(Limit { limit }): Query<Limit>,
) -> Response {
    let listing = routes.demo.inbox.list(limit.unwrap_or(50));
    ([(header::CACHE_CONTROL, "no-store")], Json(listing)).into_response()
}

async fn status(State(routes): State<Arc<Routes>>) -> Response {
    let (events, profiles) = tally::counts(&routes.node);
    Json(json!({
        "events_total": events,
        "events_per_second": routes.demo.tally.rate(),
        "profiles_total": profiles,
        "deliveries_total": routes.demo.inbox.total(),
        "shoppers_rate": routes.demo.rate,
    }))
    .into_response()
}

async fn webhook(State(routes): State<Arc<Routes>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    match routes.demo.inbox.receive(&headers, &body, routes.node.clock.wall()) {
        Received::Kept | Received::Known => StatusCode::NO_CONTENT,
        Received::BadSignature => StatusCode::UNAUTHORIZED,
        Received::Unreadable => StatusCode::BAD_REQUEST,
    }
}
