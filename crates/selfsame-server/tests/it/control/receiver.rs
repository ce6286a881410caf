//! A receiver of webhooks on a loopback port.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

/// One request that came.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) url: String,
    status: Arc<AtomicU16>,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let receiver = Self { url, status: Arc::new(AtomicU16::new(200)), got: Arc::default() };
        let app = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    /// What it answers from now on.
    pub(super) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().expect("no test panics here").clone()
    }
}

async fn take(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let body = String::from_utf8(body.to_vec()).expect("text");
    receiver.got.lock().expect("no test panics here").push(Got { headers, body });
    let status = receiver.status.load(Ordering::Relaxed);
    (StatusCode::from_u16(status).expect("a status"), "noted\u{1b}[31m")
}
