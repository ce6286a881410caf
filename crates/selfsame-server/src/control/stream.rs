//! Numbers each second, as server-sent events.
//!
//! ```text
//! event: live       data: {the numbers, and how many samples this client was too slow for}
//! ```
//!
//! Each is also the sign that the connection is alive.

use std::sync::Arc;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;
use tokio::sync::mpsc;

use super::Control;
use super::asked::Asked;
use super::problem::{Code, Problem};
use super::shape::{Shape, Shapes, shape};
use super::table::Answer;
use crate::lines::Lines;

/// Samples that wait for one client.
const BUFFER: usize = 4;

shape! {
    /// Numbers of the node at a moment.
    pub(crate) struct LiveShown {
        /// When.
        at: String,
        /// The place behind the last folded record.
        position: String,
        /// Records that are written and not folded yet.
        lag: u64,
        /// Events folded into profiles.
        events: u64,
        /// Profiles.
        profiles: u64,
        /// Alerts that are raised.
        alerts: u64,
        /// How many samples this client was too slow for since the last that it got.
        skipped: u64,
        /// Every source.
        sources: Vec<LiveSource>,
        /// Every destination.
        destinations: Vec<LiveDestination>,
    }

    /// Numbers of a source.
    pub(crate) struct LiveSource {
        /// Its id.
        id: String,
        /// Events accepted, duplicates not counted.
        events: u64,
        /// Events that were there before.
        duplicates: u64,
        /// Events whose id was there before with other content.
        changed: u64,
        /// Events set aside.
        rejected: u64,
        /// Events accepted each second since the sample before.
        rate: f64,
    }

    /// Numbers of a destination; as in its status.
    pub(crate) struct LiveDestination {
        /// Its id.
        id: String,
        /// running, disabled, paused, down, or starting.
        state: String,
        /// Why it is paused.
        pause: Option<String>,
        /// Events since it began.
        accepted: u64,
        /// Events that the receiver took.
        delivered: u64,
        /// Events that it does not want.
        filtered: u64,
        /// Dead letters, and events in dead ranges.
        dead: u64,
        /// The rest.
        pending: u64,
        /// The part of `pending` that waits for a retry, or behind one.
        waiting: u64,
        /// How old the oldest event is that was read and has not ended.
        lag_seconds: f64,
        /// `none`, `notice` or `problem`.
        alarm: String,
        /// Why the last attempt failed.
        last_failure: Option<String>,
        /// Events that the receiver took each second since the sample before.
        delivered_rate: f64,
        /// Events that became dead letters each second since the sample before.
        dead_rate: f64,
    }
}

/// A stream of numbers.
pub(crate) struct Live(Response);

impl Answer for Live {
    const MEDIA: &'static str = "text/event-stream";

    fn describe(all: &mut Shapes) -> Value {
        LiveShown::schema(all)
    }

    fn answer(self, _: u16) -> Result<Response, Problem> {
        Ok(self.0)
    }
}

/// An answer that is sent as it comes.
pub(super) fn event_stream(receiver: mpsc::Receiver<Bytes>) -> Response {
    let mut response = Response::new(Body::new(Lines(receiver)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// Sends a client the numbers, beside what else it is sent.
pub(super) fn begin(control: &Control, client: mpsc::Sender<Bytes>) {
    let newest = control.live.watch(&control.node, &control.tasks);
    let tasks = control.tasks.clone();
    control.tasks.spawn("live numbers of a client", async move {
        tokio::select! {
            () = crate::live::send(newest, client) => {}
            () = tasks.stopping() => {}
        }
        Ok(())
    });
}

/// `GET /api/stream`
pub(crate) async fn follow(control: Control, _: Asked) -> Result<Live, Problem> {
    let permit = Arc::clone(&control.watchers).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::new(Code::Busy, "Too many clients watch."))?;
    let (sender, receiver) = mpsc::channel(BUFFER);
    let gone = sender.clone();
    begin(&control, sender);
    let tasks = control.tasks.clone();
    control.tasks.spawn("watcher", async move {
        let _permit = permit;
        tokio::select! {
            () = gone.closed() => {}
            () = tasks.stopping() => {}
        }
        Ok(())
    });
    Ok(Live(event_stream(receiver)))
}
