//! A webhook on this machine that takes whatever it is told of audiences, and notes when.
//!
//! It has a thread of its own, so that what it hears does not wait for the load.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use selfsame_event::{Clock as _, SystemClock, Time};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

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
    _stop: oneshot::Sender<()>,
    _thread: JoinHandle<()>,
}

impl Sink {
    pub(crate) fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let (address, heard) = (listener.local_addr()?, Arc::<Mutex<Heard>>::default());
        let (stop, stopped) = oneshot::channel();
        let all = Arc::clone(&heard);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serve = move || runtime.block_on(serve(listener, all, stopped));
        let thread = std::thread::Builder::new().name("sink".to_owned()).spawn(serve)?;
        Ok(Self { address, heard, _stop: stop, _thread: thread })
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

async fn serve(
    listener: std::net::TcpListener,
    heard: Arc<Mutex<Heard>>,
    mut stopped: oneshot::Receiver<()>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    tokio::spawn(connection(stream, Arc::clone(&heard)));
                }
            }
        }
    }
}

async fn connection(stream: TcpStream, heard: Arc<Mutex<Heard>>) {
    stream.set_nodelay(true).ok();
    let service = service_fn(move |request| answer(request, Arc::clone(&heard)));
    let http = hyper::server::conn::http1::Builder::new();
    // A server that is killed breaks its connections.
    http.serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn answer(
    request: Request<Incoming>,
    heard: Arc<Mutex<Heard>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::default());
    // What did not come whole is sent again.
    let Ok(body) = request.into_body().collect().await else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return Ok(response);
    };
    let (at, wall) = (Instant::now(), SystemClock::default().wall());
    let told = read(&body.to_bytes(), at, wall);
    let mut heard = lock(&heard);
    match told {
        Ok(told) => heard.told.push(told),
        Err(_) => heard.unread += 1,
    }
    drop(heard);
    Ok(response)
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
