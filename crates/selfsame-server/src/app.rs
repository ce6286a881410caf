//! What answers requests: the collector first, everything else by its router.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::header::{HeaderValue, RETRY_AFTER};
use hyper::{Request, Response, StatusCode};
use selfsame_collect::{Collector, Peer};
use tower::ServiceExt as _;

use crate::intake::{KeyTable, LogIntake};
use crate::listen::Door;

/// Everything that answers, once the server is ready.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) collector: Collector<LogIntake, Arc<KeyTable>>,
    /// Everything but collecting.
    pub(crate) main: Router,
    /// The Control API and the metrics, where they have a door of their own.
    pub(crate) control: Router,
}

/// What answers requests. Until it is ready, the answer is `503`.
#[derive(Debug, Default)]
pub(crate) struct App {
    ready: OnceLock<Ready>,
}

impl App {
    /// Begins to answer.
    pub(crate) fn open(&self, ready: Ready) {
        if self.ready.set(ready).is_err() {
            tracing::error!("the server was made ready twice");
        }
    }

    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
        door: Door,
    ) -> Response<Body> {
        let Some(ready) = self.ready.get() else {
            return starting(request.uri().path());
        };
        if door == Door::Main
            && let Some(route) = ready.collector.route(request.method(), request.uri().path())
        {
            return ready.collector.answer(route, request, peer).await.map(Body::new);
        }
        let router = match door {
            Door::Main => &ready.main,
            Door::Control => &ready.control,
        };
        match router.clone().oneshot(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

fn starting(path: &str) -> Response<Body> {
    if path == "/healthz" {
        return (StatusCode::OK, "alive\n").into_response();
    }
    let body = r#"{"success":false,"code":"starting","message":"The server is starting.","error":"The server is starting."}"#;
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
