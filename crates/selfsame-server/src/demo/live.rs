//! `/demo/live`: what happens to some identifiers, as server-sent events.
//!
//! **Invariants:**
//! - what changed after the answer began is told within [`PAUSE`] of being folded;
//! - a slow reader gets the newest state, not every one in between; deliveries it missed are in the
//!   inbox;
//! - the stream ends when the server stops, so that it does not hold the server up.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use selfsame_pipeline::LookupError;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};

use super::ids::Ids;
use super::inbox::Delivery;
use super::me::{self, Mark};
use super::{NAME, Routes};
use crate::lines::Lines;

/// The least time between two looks at a profile.
const PAUSE: Duration = Duration::from_millis(100);
/// How often a line is sent to see whether the reader is still there.
const BEAT: Duration = Duration::from_secs(15);

/// Begins to follow. Only what changes from here on is told.
pub(super) async fn follow(routes: Arc<Routes>, ids: Ids) -> Result<Response, LookupError> {
    let folded = routes.node.shared.subscribe();
    let news = routes.demo.inbox.subscribe();
    let (lines, receiver) = mpsc::channel(64);
    let mark = me::mark(&routes.reader, NAME, &ids)?;
    // The first bytes make the headers leave at once.
    drop(lines.send(Bytes::from_static(b": following\n\n")).await);
    let follower = Follower { routes, ids: Arc::new(ids), mark, lines, again: false };
    tokio::spawn(follower.run(folded, news));
    let mut response = Body::new(Lines(receiver)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

struct Follower {
    routes: Arc<Routes>,
    ids: Arc<Ids>,
    mark: Mark,
    lines: mpsc::Sender<Bytes>,
    /// Whether the last look could not see.
    again: bool,
}

impl Follower {
    /// Until the reader is gone or the server stops.
    async fn run(
        mut self,
        mut folded: watch::Receiver<u64>,
        mut news: broadcast::Receiver<Arc<Delivery>>,
    ) {
        let tasks = self.routes.tasks.clone();
        let mut beat = tokio::time::interval(BEAT);
        let mut next_look = tokio::time::Instant::now();
        let mut is_due = false;
        beat.reset();
        loop {
            let is_told = tokio::select! {
                changed = folded.changed(), if !is_due => {
                    is_due = changed.is_ok();
                    is_due
                }
                () = tokio::time::sleep_until(next_look), if is_due => {
                    next_look = tokio::time::Instant::now() + PAUSE;
                    folded.mark_unchanged();
                    let is_told = self.look().await;
                    is_due = std::mem::take(&mut self.again);
                    is_told
                }
                delivery = news.recv() => match delivery {
                    Ok(delivery) if self.is_followed(&delivery) => self.tell("inbox", &delivery).await,
                    Ok(_) | Err(RecvError::Lagged(_)) => true,
                    Err(RecvError::Closed) => false,
                },
                _ = beat.tick() => self.lines.send(Bytes::from_static(b":\n\n")).await.is_ok(),
                () = self.lines.closed() => false,
                () = tasks.stopping() => false,
            };
            if !is_told {
                return;
            }
        }
    }

    /// Tells the state if it is another one. `false` when nobody listens any more.
    async fn look(&mut self) -> bool {
        let (reader, ids, before) =
            (self.routes.reader.clone(), Arc::clone(&self.ids), self.mark.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let mark = me::mark(&reader, NAME, &ids)?;
            let changed = mark != before;
            Ok::<_, LookupError>((
                mark,
                changed.then(|| me::look(&reader, NAME, &ids)).transpose()?,
            ))
        });
        match looked.await {
            Ok(Ok((mark, me))) => {
                self.mark = mark;
                match me {
                    Some(me) => self.tell("change", &me).await,
                    None => true,
                }
            }
            // The state is being opened anew: what changed is still to be told.
            Ok(Err(_)) => {
                self.again = true;
                true
            }
            Err(_) => false,
        }
    }

    fn is_followed(&self, delivery: &Delivery) -> bool {
        self.ids.has("anonymous_id", delivery.anonymous_id.as_deref())
            || self.ids.has("user_id", delivery.user_id.as_deref())
            || self.mark.profile.is_some() && self.mark.profile == delivery.profile_id
    }

    async fn tell(&self, name: &str, what: &impl Serialize) -> bool {
        match serde_json::to_string(what) {
            // JSON has no line breaks, so one line of data will do.
            Ok(json) => {
                self.lines.send(format!("event: {name}\ndata: {json}\n\n").into()).await.is_ok()
            }
            Err(_) => true,
        }
    }
}
