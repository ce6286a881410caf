//! What answers requests: the collector first, everything else by its router.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use selfsame_collect::Peer;
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::listen::Door;
use crate::source_function::Taker;

/// Everything that answers, once the server is ready.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) collector: Arc<Taker>,
    /// Everything but collecting.
    pub(crate) main: Router,
    /// The Control API and the metrics, where they have a door of their own.
    pub(crate) control: Router,
}

/// How long a request that came before the server was ready waits for it. A client that is told to
/// come again waits for a second or more, and a start takes less than that as a rule.
const PATIENCE: Duration = Duration::from_secs(5);

/// What answers requests. Those that come before it is ready wait a while; then the answer is `503`.
#[derive(Debug, Default)]
pub(crate) struct App {
    ready: OnceLock<Ready>,
    opened: watch::Sender<bool>,
}

impl App {
    /// Begins to answer.
    pub(crate) fn open(&self, ready: Ready) {
        if self.ready.set(ready).is_err() {
            tracing::error!("the server was made ready twice");
        }
        self.opened.send_replace(true);
    }

    /// What answers, if it is there soon enough for a request of this path.
    async fn ready(&self, path: &str) -> Option<&Ready> {
        if self.ready.get().is_none() && !is_probe(path) {
            let mut opened = self.opened.subscribe();
            // Whether it came in time is seen below.
            drop(tokio::time::timeout(PATIENCE, opened.wait_for(|opened| *opened)).await);
        }
        self.ready.get()
    }

    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        door: Door,
    ) -> Response<Body> {
        let Some(ready) = self.ready(request.uri().path()).await else {
            return starting(request.uri().path());
        };
        if door == Door::Main
            && let Some(route) = ready.collector.route(request.method(), request.uri().path())
        {
            return ready.collector.answer(route, request, peer).await.map(Body::new);
        }
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let router = match door {
            Door::Main => &ready.main,
            Door::Control => &ready.control,
        };
        match router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Whether the path asks how the server is: that is answered at once.
fn is_probe(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}

fn starting(path: &str) -> Response<Body> {
    if path == "/healthz" {
        return (StatusCode::OK, "alive\n").into_response();
    }
    let body = r#"{"success":false,"code":"starting","message":"The server is starting.","error":"The server is starting."}"#;
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if !is_probe(path) {
        // The body of the request was not read, so nothing can follow it.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
