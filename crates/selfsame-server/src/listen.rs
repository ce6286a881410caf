//! Connections: plain or TLS, bounded in number and patience, each request to the right place.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use selfsame_collect::Peer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::app::App;
use crate::tasks::Tasks;
use crate::tls::Certificates;

const DRAIN: Duration = Duration::from_secs(8);

/// How connections are served.
#[derive(Debug, Clone)]
pub(crate) struct ListenConfig {
    pub(crate) connections: usize,
    pub(crate) header_timeout: Duration,
    pub(crate) certificates: Option<Arc<Certificates>>,
}

/// Which of the two doors a connection came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// SDKs, Profile API, and the Control API unless it has a door of its own.
    Main,
    /// The Control API and the metrics alone.
    Control,
}

/// Serves a listener until tasks are to stop; then lets requests under way end.
pub(crate) async fn serve(
    listener: TcpListener,
    door: Door,
    app: Arc<App>,
    config: ListenConfig,
    tasks: Tasks,
) -> anyhow::Result<()> {
    let permits = Arc::new(Semaphore::new(config.connections));
    let graceful = Arc::new(GracefulShutdown::new());
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(&permits).acquire_owned() => permit?,
            () = tasks.stopping() => break,
        };
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(error = %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = tasks.stopping() => break,
        };
        let (app, config, watcher) = (Arc::clone(&app), config.clone(), graceful.watcher());
        tokio::task::spawn(async move {
            connection(stream, address, door, app, config, watcher).await;
            drop(permit);
        });
    }
    drop(listener);
    let graceful = Arc::into_inner(graceful);
    if let Some(graceful) = graceful
        && tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err()
    {
        tracing::warn!("requests were still under way when the server stopped");
    }
    Ok(())
}

type Watcher = hyper_util::server::graceful::Watcher;

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    door: Door,
    app: Arc<App>,
    config: ListenConfig,
    watcher: Watcher,
) {
    // Answers are small and awaited: waiting to fill a packet would only delay them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match &config.certificates {
        None => speak(stream, Peer { address, secure: false }, door, app, &config, watcher).await,
        Some(certificates) => {
            let accept = certificates.acceptor().accept(stream);
            if let Ok(Ok(stream)) = tokio::time::timeout(config.header_timeout, accept).await {
                speak(stream, Peer { address, secure: true }, door, app, &config, watcher).await;
            }
        }
    }
}

async fn speak<S>(
    stream: S,
    peer: Peer,
    door: Door,
    app: Arc<App>,
    config: &ListenConfig,
    watcher: Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let app = Arc::clone(&app);
        async move { Ok::<Response<Body>, Infallible>(app.answer(request, peer, door).await) }
    });
    let io = TokioIo::new(stream);
    // Clients hang up as they like; that is not worth a line.
    if peer.secure {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(config.header_timeout);
        builder.http2().timer(TokioTimer::new()).max_concurrent_streams(100);
        let connection = builder.serve_connection(io, service).into_owned();
        drop(watcher.watch(connection).await);
    } else {
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(config.header_timeout);
        drop(watcher.watch(builder.serve_connection(io, service)).await);
    }
}
