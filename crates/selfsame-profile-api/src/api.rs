//! The router, and what its routes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::HeaderValue;
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use selfsame_event::{Clock, Position, Time};
use selfsame_pipeline::{Reader, SpaceRead};
use tokio::sync::Semaphore;

use crate::asked::token;
use crate::problem::{Problem, json};
use crate::table::ROUTES;

/// For how long a request may wait for a record to show.
const WAIT: Duration = Duration::from_secs(5);
/// How many reads of one profile go on at once.
const READS: usize = 32;
/// How many reads of many profiles or of the past go on at once: each may take long.
const SCANS: usize = 2;
const BODY_BYTES: usize = 256 << 10;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const POSITION: HeaderName = HeaderName::from_static("x-selfsame-position");

/// Says who may read.
pub trait Tokens: Send + Sync + 'static {
    /// Whether who asks may read that space, or, where none is named, what is of no space. `token` is
    /// the one of the request, if it has one; the rest is in its head.
    fn entry(&self, parts: &Parts, token: Option<&str>, space: Option<&str>) -> Entry;
}

/// What becomes of a request to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// It is answered.
    Granted,
    /// Nobody known asks, or nobody who has to do with that space.
    Unknown,
    /// Who asks is known, and may not.
    Refused,
}

/// What the routes share. Cheap to clone.
#[derive(Clone)]
pub struct ProfileApi {
    reader: Reader,
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
    reads: Arc<Semaphore>,
    scans: Arc<Semaphore>,
}

impl fmt::Debug for ProfileApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileApi").field("reader", &self.reader).finish_non_exhaustive()
    }
}

/// How long a read may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// A few rows.
    Read,
    /// Many rows, or bodies from the log.
    Scan,
}

impl ProfileApi {
    /// An API over that reader. Values that change as time passes are those of the clock's time.
    pub fn new(reader: Reader, tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Self {
        let (reads, scans) = (Semaphore::new(READS).into(), Semaphore::new(SCANS).into());
        Self { reader, tokens, clock, reads, scans }
    }

    /// The time of an answer.
    pub(crate) fn now(&self) -> Time {
        self.clock.wall()
    }

    /// Lets a request in, or says why not.
    pub(crate) fn admit(&self, parts: &Parts, space: Option<&str>) -> Result<(), Problem> {
        let token = token(&parts.headers);
        match self.tokens.entry(parts, token.as_deref(), space) {
            Entry::Granted => Ok(()),
            Entry::Unknown => Err(Problem::Token),
            Entry::Refused => Err(Problem::Permission),
        }
    }

    /// Answers from the state, on a thread that may wait for the disk.
    pub(crate) async fn answer(
        &self,
        space: String,
        wait_for: Option<Position>,
        cost: Cost,
        work: impl FnOnce(&SpaceRead) -> Result<String, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        if let Some(position) = wait_for.filter(|position| !self.reader.shows(*position)) {
            let shown = tokio::time::timeout(WAIT, self.reader.wait_for(position)).await;
            if shown != Ok(true) {
                return Err(Problem::NotYet(position));
            }
        }
        let permits = match cost {
            Cost::Read => &self.reads,
            Cost::Scan => &self.scans,
        };
        let permit = Arc::clone(permits).acquire_owned().await.map_err(|_| Problem::Ended)?;
        let reader = self.reader.clone();
        let read = move || {
            let _permit = permit;
            let read = reader.space(&space)?;
            Ok::<_, Problem>((work(&read)?, read.position()))
        };
        let (text, position) =
            tokio::task::spawn_blocking(read).await.map_err(|_| Problem::Ended)??;
        let mut response = json(text);
        if let Some(position) = position.and_then(|at| HeaderValue::try_from(at.to_string()).ok()) {
            response.headers_mut().insert(POSITION, position);
        }
        Ok(response)
    }
}

/// The routes, for a server of any state: merge this into its own, at its root.
pub fn router<S>(api: ProfileApi) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut routes = Router::new();
    for route in ROUTES {
        routes = routes.route(route.path, (route.serve)());
    }
    routes
        .method_not_allowed_fallback(async || Problem::Method)
        .route("/v1/spaces/{space}/{*rest}", any(async || Problem::Missing("The resource")))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn(with_request_id))
        .with_state(api)
}

async fn with_request_id(request: Request, next: Next) -> Response {
    let mut bytes = [0; 16];
    let mut response = match getrandom::fill(&mut bytes) {
        Ok(()) => next.run(request).await,
        Err(_) => Problem::Ended.into_response(),
    };
    let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
