//! Answers as SDKs read them: JSON objects, never an empty body where one is expected.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use selfsame_event::{Class, Position};
use serde_json::json;

use crate::Problem;
use crate::cors::{POSITION, REJECTED};

/// What every route answers with.
pub(crate) type Answer = Response<Full<Bytes>>;

/// SDKs compare this text.
const SUCCESS: &[u8] = br#"{"success":true}"#;
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
/// A transparent image of one pixel.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\
    \x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x01D\x00;";

/// An answer with a body.
pub(crate) fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// An answer without one.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// Everything is durable.
pub(crate) fn success() -> Answer {
    answer(StatusCode::OK, "application/json", Bytes::from_static(SUCCESS))
}

/// Not taken, and why.
pub(crate) fn problem(problem: Problem, retry_after: Duration) -> Answer {
    let mut answer = failure(problem.status(), problem.code(), problem.sentence());
    let headers = answer.headers_mut();
    if matches!(problem.class(), Class::Limited | Class::Unavailable) {
        let seconds = HeaderValue::from(whole_seconds(retry_after));
        headers.insert(RETRY_AFTER, seconds.clone());
        if problem.class() == Class::Limited {
            headers.insert(RATE_LIMIT_RESET, seconds);
        }
    }
    if problem == Problem::MethodUnknown {
        headers.insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    }
    answer
}

/// A failure in the words that SDKs look for: Python wants `code` and `message`, Ruby `error`.
pub(crate) fn failure(status: StatusCode, code: &str, message: &str) -> Answer {
    let body = json!({ "success": false, "code": code, "message": message, "error": message });
    answer(status, "application/json", body.to_string())
}

/// The image, whatever happened.
pub(crate) fn pixel() -> Answer {
    let mut answer = answer(StatusCode::OK, "image/gif", Bytes::from_static(PIXEL));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Names the codes of what was set aside.
pub(crate) fn rejected(answer: &mut Answer, codes: &str) {
    if let Ok(codes) = HeaderValue::from_str(codes) {
        answer.headers_mut().insert(REJECTED, codes);
    }
}

/// Names the last record that the request became, as `?wait_for=` of the Profile API takes it.
pub(crate) fn positioned(mut answer: Answer, last: Option<Position>) -> Answer {
    let position = last.filter(|_| answer.status() == StatusCode::OK);
    if let Some(position) = position.and_then(|at| HeaderValue::try_from(at.to_string()).ok()) {
        answer.headers_mut().insert(POSITION, position);
    }
    answer
}

/// Browsers read whole seconds only, and zero is no advice.
fn whole_seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}
