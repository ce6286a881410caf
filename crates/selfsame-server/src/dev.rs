//! `/test/…` of `selfsame dev`: did what a test sent arrive as it should?
//!
//! ```text
//! GET  /test/good   what was accepted since the last reset. 200 if nothing was bad, else 409
//! GET  /test/bad    what was not: rejected, without an identifier, or changed under the same id
//! POST /test/reset  both lists begin anew here
//! ```
//!
//! Both lists take `?type=track&event=Order%20Completed`, and `limit` (100) for how many events are
//! shown. `/test/good?at_least=3` is `409` as well until three events match. A repetition of an
//! event is good: it is counted as a duplicate and not listed again.
//!
//! **Invariants:**
//! - every event whose request was answered before shows in exactly one of the lists, or is counted
//!   as a duplicate: a list waits until all of that is folded;
//! - a reset takes nothing away. Profiles and the log stay; the lists only begin later.

mod scan;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use selfsame_event::Position;
use selfsame_log::LogRead;
use serde::Deserialize;
use serde_json::json;

use crate::node::Node;
use scan::{Report, scan};

const SHOWN: usize = 100;

/// Which events a test asks about.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    r#type: Option<String>,
    event: Option<String>,
    at_least: Option<u64>,
    limit: Option<usize>,
}

#[derive(Debug)]
struct Tests {
    node: Arc<Node>,
    /// The offset of the first record that the lists show.
    since: AtomicU64,
}

/// The routes for tests. The lists begin at the end of the log as it is now.
pub(crate) fn router(node: &Arc<Node>) -> Router {
    let since = AtomicU64::new(node.log.end().offset);
    Router::new()
        .route("/test/good", get(good))
        .route("/test/bad", get(bad))
        .route("/test/reset", post(reset))
        .with_state(Arc::new(Tests { node: Arc::clone(node), since }))
}

async fn good(State(tests): State<Arc<Tests>>, Query(wanted): Query<Wanted>) -> Response {
    let at_least = wanted.at_least.unwrap_or(0);
    let report = match tests.report(wanted).await {
        Ok(report) => report,
        Err(response) => return *response,
    };
    let ok = report.bad == 0 && report.good >= at_least;
    let hint = match report.bad {
        0 if ok => None,
        0 => Some(format!("{} of at least {at_least} events are there", report.good)),
        count => Some(format!("{count} were not good; GET /test/bad says which and why")),
    };
    let body = json!({
        "ok": ok,
        "good": report.good,
        "bad": report.bad,
        "duplicates": report.duplicates,
        "hint": hint,
        "events": report.good_events,
    });
    (if ok { StatusCode::OK } else { StatusCode::CONFLICT }, Json(body)).into_response()
}

async fn bad(State(tests): State<Arc<Tests>>, Query(wanted): Query<Wanted>) -> Response {
    match tests.report(wanted).await {
        Ok(report) => {
            Json(json!({ "bad": report.bad, "events": report.bad_events })).into_response()
        }
        Err(response) => *response,
    }
}

async fn reset(State(tests): State<Arc<Tests>>) -> Response {
    let end = tests.node.log.end();
    tests.since.store(end.offset, Ordering::Release);
    Json(json!({ "ok": true, "position": end.to_string() })).into_response()
}

impl Tests {
    /// What came since the last reset, once all of it is folded.
    async fn report(self: &Arc<Self>, wanted: Wanted) -> Result<Report, Box<Response>> {
        let end = self.node.log.end();
        let failed = |text: String| {
            let body = Json(json!({ "ok": false, "message": text }));
            Box::new((StatusCode::SERVICE_UNAVAILABLE, body).into_response())
        };
        if !self.node.folded(end).await {
            return Err(failed("the engine has stopped".to_owned()));
        }
        let tests = Arc::clone(self);
        let since = Position::embedded(self.since.load(Ordering::Acquire));
        let scanning =
            tokio::task::spawn_blocking(move || scan(&tests.node, since..end, &wanted)).await;
        match scanning {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed("the log could not be read".to_owned())),
        }
    }
}
