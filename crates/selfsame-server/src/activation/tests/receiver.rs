//! A receiver of webhooks on a loopback port.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

/// A request that was taken.
#[derive(Debug, Clone)]
pub(super) struct Got {
    /// The idempotency key.
    pub(super) key: String,
    pub(super) body: Value,
}

#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) url: String,
    status: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<Got>>>,
    refused: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let status = Arc::new(AtomicU16::new(200));
        let receiver = Self { url, status, taken: Arc::default(), refused: Arc::default() };
        let app = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    /// What it answers from now on.
    pub(super) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// The changes that it took.
    pub(super) fn taken(&self) -> Vec<Got> {
        self.taken.lock().expect("no test panics here").clone()
    }

    /// The changes that it refused.
    pub(super) fn refused(&self) -> Vec<Got> {
        self.refused.lock().expect("no test panics here").clone()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let status = receiver.status.load(Ordering::Relaxed);
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let key = headers["webhook-id"].to_str().expect("text").to_owned();
    if body["context"]["personas"].is_object() {
        let list = if status < 300 { &receiver.taken } else { &receiver.refused };
        list.lock().expect("no test panics here").push(Got { key, body });
    }
    StatusCode::from_u16(status).expect("a status")
}
