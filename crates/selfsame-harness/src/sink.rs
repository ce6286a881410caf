//! A webhook on this machine that takes whatever it is told of audiences, and notes when.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use selfsame_event::{Clock as _, SystemClock, Time};
use serde_json::Value;
use tokio::time::Instant;

use crate::listen::Listening;

/// One call of `Audience Entered` or `Audience Exited`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// When it came.
    pub(crate) at: Instant,
    pub(crate) wall: Time,
    pub(crate) message_id: String,
    /// Whom it names: a user id, else an anonymous id.
    pub(crate) to: String,
    pub(crate) audience: String,
    pub(crate) is_in: bool,
    /// Since when it is so.
    pub(crate) since: Time,
    /// When the server wrote it down.
    pub(crate) written: Time,
}

/// All that was heard, and how many calls were not understood.
#[derive(Debug, Default)]
struct Heard {
    told: Vec<Told>,
    unread: u64,
}

/// A webhook that listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
    _listening: Listening,
}

impl Sink {
    pub(crate) fn start() -> Result<Self> {
        let heard = Arc::<Mutex<Heard>>::default();
        let all = Arc::clone(&heard);
        let listening = Listening::start("sink", move |request| answer(request, Arc::clone(&all)))?;
        Ok(Self { address: listening.address, heard, _listening: listening })
    }

    /// How many calls came.
    pub(crate) fn count(&self) -> u64 {
        lock(&self.heard).told.len() as u64
    }

    /// What was heard since it was asked last, in the order in which it came.
    pub(crate) fn take(&self) -> Result<Vec<Told>> {
        let mut heard = lock(&self.heard);
        match heard.unread {
            0 => Ok(std::mem::take(&mut heard.told)),
            unread => Err(anyhow!("{unread} calls of the webhook could not be read")),
        }
    }
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(request: Request<Incoming>, heard: Arc<Mutex<Heard>>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    // What did not come whole is sent again.
    let Ok(body) = request.into_body().collect().await else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let (at, wall) = (Instant::now(), SystemClock::default().wall());
    let told = read(&body.to_bytes(), at, wall);
    let mut heard = lock(&heard);
    match told {
        Ok(told) => heard.told.push(told),
        Err(_) => heard.unread += 1,
    }
    drop(heard);
    response
}

fn read(body: &[u8], at: Instant, wall: Time) -> Result<Told> {
    let call: Value = serde_json::from_slice(body)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    let time = |name: &str| call[name].as_str().and_then(Time::parse).context("no time");
    let named = if call["userId"].is_string() { &call["userId"] } else { &call["anonymousId"] };
    Ok(Told {
        at,
        wall,
        message_id: text(&call["messageId"])?,
        to: text(named)?,
        audience: text(&call["properties"]["audience_key"])?,
        is_in: match call["event"].as_str() {
            Some("Audience Entered") => true,
            Some("Audience Exited") => false,
            _ => return Err(anyhow!("another event")),
        },
        since: time("timestamp")?,
        written: time("receivedAt")?,
    })
}

#[cfg(test)]
mod tests;
