//! `POST /fn/{write key}`: requests of other programs become events by the function of a source.
//!
//! **Invariant:** what is answered 200 was durable before. A function that fails has made nothing: of the
//! events that it emitted before, none is written.
//!
//! Whoever sends is told by the status whether to come again: 503 where the function asked for that or was
//! too slow, 429 where there are too many, 400 where the same request would come to the same.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use axum::{Json, Router};
use selfsame_collect::{Collector, Lookup, Made, NotMade, Problem, SourceSettings, Sources as _};
use selfsame_event::Class;
use selfsame_functions::{Emitted, Family, Fault, Input, Returned};
use selfsame_pipeline::workspace::FunctionPlace;
use serde_json::json;

use crate::function::{NotCalled, sentence};
use crate::intake::{KeyTable, LogIntake};
use crate::node::Node;

/// Largest body.
const BODY_BYTES: usize = 512 << 10;
/// How long a body may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// When a call that failed for now is worth another.
const AGAIN_SECONDS: u64 = 60;

/// What takes the events.
pub(crate) type Taker = Collector<LogIntake, Arc<KeyTable>>;

struct Way {
    node: Arc<Node>,
    collector: Arc<Taker>,
}

/// The route.
pub(crate) fn router(node: &Arc<Node>, collector: &Arc<Taker>) -> Router {
    let way = Way { node: Arc::clone(node), collector: Arc::clone(collector) };
    let methods: MethodRouter<Arc<Way>> = post(take).fallback(no_method);
    Router::new().route("/fn/{key}", methods).with_state(Arc::new(way))
}

async fn no_method() -> Response {
    let mut response = refuse(&Refused::of(Problem::MethodUnknown));
    response.headers_mut().insert(axum::http::header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// A request that became no event.
struct Refused {
    status: StatusCode,
    code: &'static str,
    message: String,
    again: Option<u64>,
}

impl Refused {
    fn of(problem: Problem) -> Self {
        let again = problem.class().is_retryable().then_some(1);
        let (status, code) = (problem.status(), problem.code());
        Self { status, code, message: problem.sentence().to_owned(), again }
    }

    fn not_made(not: NotMade) -> Self {
        let refused = Self::of(not.problem);
        let again = not.retry_after.map(|after| after.as_secs().max(1)).or(refused.again);
        Self { again, ..refused }
    }

    fn fault(fault: &Fault) -> Self {
        let (status, again) = match (fault.kind.family(), fault.class()) {
            (Family::Retry, Class::Limited) => (StatusCode::TOO_MANY_REQUESTS, Some(1)),
            (Family::Retry, _) => (StatusCode::SERVICE_UNAVAILABLE, Some(AGAIN_SECONDS)),
            _ => (StatusCode::BAD_REQUEST, None),
        };
        let message = format!("{}: {}", fault.name, sentence(fault));
        Self { status, code: fault.kind.label(), message, again }
    }
}

fn refuse(refused: &Refused) -> Response {
    let Refused { status, code, message, again } = refused;
    let body = json!({ "success": false, "code": code, "message": message, "error": message });
    let mut response = (*status, Json(body)).into_response();
    if let Some(seconds) = again {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
    }
    response
}

async fn take(
    State(way): State<Arc<Way>>,
    Path(key): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match way.take(&key, &uri, &headers, body).await {
        Ok(made) => {
            let set_aside: Vec<_> = made.refused.iter().map(|(_, why)| why.code()).collect();
            let mut answer = json!({ "success": true, "events": made.accepted });
            if !set_aside.is_empty() {
                answer["set_aside"] = json!(set_aside);
            }
            let mut response = (StatusCode::OK, Json(answer)).into_response();
            let at = made.last.and_then(|at| HeaderValue::try_from(at.to_string()).ok());
            response.headers_mut().extend(at.map(|at| (POSITION, at)));
            response
        }
        Err(refused) => refuse(&refused),
    }
}

const POSITION: axum::http::HeaderName = axum::http::HeaderName::from_static("x-selfsame-position");

impl Way {
    async fn take(
        &self,
        key: &str,
        uri: &Uri,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Made, Refused> {
        let source = self.source(key, headers)?;
        let place = self.place(source)?;
        let input = Input::Request {
            url: address(uri, headers),
            headers: shown(headers),
            body: read(body).await?,
        };
        let called = self.node.functions.call(&place, input).await;
        let report = called.map_err(|not| match not {
            NotCalled::None => no_function(),
            NotCalled::Locked(why) => {
                tracing::error!(error = %why, "a function's setting cannot be opened");
                Refused::of(Problem::Unavailable)
            }
        })?;
        match report.result {
            Ok(Returned::Emitted(Emitted { events, .. })) => {
                self.collector.take_made(source, &events).await.map_err(Refused::not_made)
            }
            Ok(_) => Ok(Made::default()),
            // It looked at the request and wants nothing of it.
            Err(fault) if fault.kind.family() == Family::Filtered => Ok(Made::default()),
            Err(fault) => Err(Refused::fault(&fault)),
        }
    }

    /// The source of the key, if whoever sends may send to it.
    fn source(&self, key: &str, headers: &HeaderMap) -> Result<SourceSettings, Refused> {
        let source = match self.node.keys.by_key(key) {
            Lookup::Active(source) => source,
            Lookup::Revoked => return Err(Refused::of(Problem::KeyRevoked)),
            Lookup::Unknown => return Err(Refused::of(Problem::KeyUnknown)),
        };
        if source.oauth {
            let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
            let token = token.ok_or_else(|| Refused::of(Problem::AccessMissing))?;
            let now = self.node.clock.wall();
            self.node.keys.authorize(source.number, token, now).map_err(Refused::of)?;
        }
        Ok(source)
    }

    fn place(&self, source: SourceSettings) -> Result<FunctionPlace, Refused> {
        let view = self.node.view().ok_or_else(|| Refused::of(Problem::Stopping))?;
        let id = view.meta.workspace.source(source.number).map(|source| source.id.clone());
        let place = FunctionPlace::Source(id.ok_or_else(|| Refused::of(Problem::KeyUnknown))?);
        if self.node.functions.is_used(&place) { Ok(place) } else { Err(no_function()) }
    }
}

fn no_function() -> Refused {
    Refused {
        status: StatusCode::NOT_FOUND,
        code: "no_function",
        message: "This source has no function: give it one with `selfsame source function`."
            .to_owned(),
        again: None,
    }
}

async fn read(body: Body) -> Result<String, Refused> {
    let read = tokio::time::timeout(PATIENCE, to_bytes(body, BODY_BYTES)).await;
    let bytes: Bytes = match read {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error))
            if std::error::Error::source(&error)
                .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>()) =>
        {
            let message = format!("The body has more than {} KiB.", BODY_BYTES >> 10);
            let (status, code) = (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large");
            return Err(Refused { status, code, message, again: None });
        }
        Ok(Err(_)) => return Err(Refused::of(Problem::BodyBroken)),
        Err(_) => return Err(Refused::of(Problem::BodyTooSlow)),
    };
    String::from_utf8(bytes.into()).map_err(|_| {
        let message = "The body is no text in UTF-8.".to_owned();
        Refused { status: StatusCode::BAD_REQUEST, code: "body_not_text", message, again: None }
    })
}

/// What the sender called, without the key.
fn address(uri: &Uri, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(|authority| authority.as_str()));
    let is_host = |host: &&str| url_host(host);
    let host = host.filter(is_host).unwrap_or("localhost");
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("https://{host}/fn{query}")
}

fn url_host(host: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(allowed)
}

/// The headers that are texts, by their names in lower case.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let pair = |(name, value): (&axum::http::HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let mut shown: Vec<_> = headers.iter().filter_map(pair).collect();
    if !headers.contains_key(CONTENT_TYPE) {
        shown.push((CONTENT_TYPE.as_str().to_owned(), "application/json".to_owned()));
    }
    shown
}
