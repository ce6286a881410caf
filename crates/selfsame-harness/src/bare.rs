//! The bare server: the least a collector can do for a request, to compare the real one with.
//!
//! It reads the body, appends it to a file, syncs the file once for all bodies that came while the
//! last sync ran, and answers. It stands on the same HTTP stack as the real server and looks at
//! nothing: no key, no JSON, no identity. What the real server does beyond this is what it costs.

use std::convert::Infallible;
use std::fs::File;
use std::io::{IoSlice, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

/// Most bodies that wait for a sync.
const WAITING: usize = 4_096;
/// Most bodies of one group.
const GROUP: usize = 1_024;

#[derive(Debug, clap::Args)]
pub(crate) struct Bare {
    /// The folder of its file.
    #[arg(long)]
    data: PathBuf,
    /// Where it listens.
    #[arg(long, value_parser = crate::http::loopback)]
    listen: SocketAddr,
}

struct Append {
    body: Vec<Bytes>,
    done: oneshot::Sender<()>,
}

impl Bare {
    pub(crate) async fn run(&self) -> Result<()> {
        std::fs::create_dir_all(&self.data)?;
        let file = File::options().create(true).append(true).open(self.data.join("bodies"))?;
        let listener = TcpListener::bind(self.listen).await.context("listening")?;
        serve(listener, file).await
    }
}

/// Serves until the file fails.
pub(crate) async fn serve(listener: TcpListener, file: File) -> Result<()> {
    let (appends, waiting) = mpsc::channel(WAITING);
    let mut writer = tokio::task::spawn_blocking(move || append_all(file, waiting));
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                tokio::spawn(connection(stream, appends.clone()));
            }
            ended = &mut writer => return ended?.context("writing"),
        }
    }
}

async fn connection(stream: TcpStream, appends: mpsc::Sender<Append>) {
    let service = service_fn(move |request| answer(request, appends.clone()));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    // A connection that breaks is its client's affair.
    http.serve_connection(TokioIo::new(stream), service).await.ok();
}

async fn answer(
    request: Request<Incoming>,
    appends: mpsc::Sender<Append>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() == Method::GET {
        return Ok(Response::new(Full::default()));
    }
    let (mut body, mut incoming) = (Vec::new(), request.into_body());
    while let Some(frame) = incoming.frame().await {
        match frame.map(hyper::body::Frame::into_data) {
            Ok(Ok(bytes)) => body.push(bytes),
            Ok(Err(_trailers)) => {}
            Err(_) => return Ok(status(StatusCode::BAD_REQUEST)),
        }
    }
    let (done, synced) = oneshot::channel();
    if appends.send(Append { body, done }).await.is_err() || synced.await.is_err() {
        return Ok(status(StatusCode::SERVICE_UNAVAILABLE));
    }
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"success\":true}")));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Writes and syncs group after group. After a failure nothing more is answered.
fn append_all(mut file: File, mut waiting: mpsc::Receiver<Append>) -> std::io::Result<()> {
    let mut group = Vec::with_capacity(GROUP);
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        let mut slices: Vec<IoSlice<'_>> = group
            .iter()
            .flat_map(|append: &Append| append.body.iter().map(|b| IoSlice::new(b)))
            .collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            let written = file.write_vectored(rest)?;
            IoSlice::advance_slices(&mut rest, written);
        }
        rustix::fs::fdatasync(&file)?;
        for append in group.drain(..) {
            // A client that went away is not waiting.
            append.done.send(()).ok();
        }
    }
    Ok(())
}
