//! Requests of exchanges as the outbound client takes them, and its answers as exchanges read them.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use selfsame_deliver::{Answer, Failure, Outbound, Request as Outgoing};
use selfsame_destinations::{Reply, Request};
use serde_json::{Map, Value};

/// A request to be sent, with its method.
pub(crate) fn outgoing(
    request: &Request,
    outbound: &Outbound,
    timeout: Duration,
    allow_loopback: bool,
) -> Result<(Method, Outgoing), Failure> {
    let url = request.url.clone();
    outbound.permits(&url, allow_loopback).map_err(|_| Failure::Blocked)?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| Failure::Bug)?;
    let mut headers = HeaderMap::with_capacity(request.headers.len());
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Failure::Unmapped)?;
        // A header has letters of one byte each; the renderer has no others.
        let letters: Option<Vec<u8>> =
            value.chars().map(|letter| u8::try_from(letter).ok()).collect();
        let value = letters.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
        headers.insert(name, value.ok_or(Failure::Unmapped)?);
    }
    let body = request.body.text().to_owned().into();
    Ok((method, Outgoing { url, headers, body, timeout, allow_loopback }))
}

/// An answer, as expressions read it.
pub(crate) fn reply(answer: &Answer) -> Reply {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        match headers.get_mut(name.as_str()) {
            Some(Value::String(before)) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            _ => drop(headers.insert(name.as_str().to_owned(), Value::String(value.into_owned()))),
        }
    }
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Reply { status: answer.status, headers, body }
}
