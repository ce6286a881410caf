//! What browsers are told about other sites' pages.

use hyper::HeaderMap;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, HeaderName, HeaderValue, ORIGIN, VARY,
};

use crate::CollectConfig;

/// Names the codes of the events of a request that were set aside.
pub(crate) const REJECTED: HeaderName = HeaderName::from_static("x-selfsame-rejected");
/// The last record that a request became.
pub(crate) const POSITION: HeaderName = HeaderName::from_static("x-selfsame-position");

const ALLOWED_HEADERS: &str = "Content-Type, Authorization, X-Retry-Count";
const MOST_REQUESTED_BYTES: usize = 512;

/// Lets any page read an answer; with credentials only the pages of configured origins.
pub(crate) fn open(config: &CollectConfig, request: &HeaderMap, answer: &mut HeaderMap) {
    let mut origin = HeaderValue::from_static("*");
    if !config.credential_origins.is_empty() {
        answer.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(sender) = request.get(ORIGIN)
            && config.credential_origins.iter().any(|known| known.as_bytes() == sender.as_bytes())
        {
            origin = sender.clone();
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "Retry-After, X-RateLimit-Reset, X-Selfsame-Rejected, X-Selfsame-Position",
        ),
    );
}

/// Answers a preflight: what every SDK sends, and whatever else this page has configured.
pub(crate) fn preflight(config: &CollectConfig, request: &HeaderMap, answer: &mut HeaderMap) {
    open(config, request, answer);
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    let mut allowed = ALLOWED_HEADERS.to_owned();
    let requested = request.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|v| v.to_str().ok());
    let requested = requested.filter(|list| list.len() <= MOST_REQUESTED_BYTES).unwrap_or("");
    for name in requested.split(',').map(str::trim) {
        let known = ALLOWED_HEADERS.split(", ").any(|known| known.eq_ignore_ascii_case(name));
        if !known && HeaderName::from_bytes(name.as_bytes()).is_ok() {
            allowed.push_str(", ");
            allowed.push_str(name);
        }
    }
    let allowed = HeaderValue::from_str(&allowed);
    answer.insert(
        ACCESS_CONTROL_ALLOW_HEADERS,
        allowed.unwrap_or(HeaderValue::from_static(ALLOWED_HEADERS)),
    );
}
