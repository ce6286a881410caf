//! The requests of functions, through the one way out.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use selfsame_deliver::{ANSWER_BYTES, Failure, Outbound, Request};
use selfsame_event::Clock;
use selfsame_functions::{Fetch, FetchReply, FetchRequest, FetchResponse};
use tokio::runtime::Handle;

/// How long a request may take. The call that waits for it ends before.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Headers that the client itself writes.
const OWN: &[&str] =
    &["connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"];

/// Sends what functions ask for.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) outbound: Outbound,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether this machine may be sent to.
    pub(crate) allow_loopback: bool,
    /// Where requests run.
    pub(crate) runtime: Handle,
}

impl Fetch for Outside {
    fn fetch(&self, request: FetchRequest, reply: FetchReply) {
        let outside = self.clone();
        self.runtime.spawn(async move { reply.answer(outside.send(request).await) });
    }
}

impl Outside {
    async fn send(&self, request: FetchRequest) -> Result<FetchResponse, String> {
        let url = self.outbound.check(&request.url, self.allow_loopback);
        let url = url.map_err(|error| error.to_string())?;
        let method = Method::from_bytes(request.method.as_bytes());
        let method = method.map_err(|_| format!("there is no method {}", request.method))?;
        let wanted = Request {
            url,
            headers: headers(&request.headers)?,
            body: request.body.into(),
            timeout: TIMEOUT,
            allow_loopback: self.allow_loopback,
        };
        let sent = self.outbound.send(method, wanted, self.clock.wall()).await;
        let answer = sent.map_err(|failure| sentence(failure).to_owned())?;
        let shown = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        Ok(FetchResponse {
            status: answer.status,
            headers: answer.headers.iter().filter_map(shown).collect(),
            is_cut: answer.body.len() >= ANSWER_BYTES,
            body: answer.body.into(),
        })
    }
}

/// Why there is no answer, for the author of the function.
const fn sentence(failure: Failure) -> &'static str {
    match failure {
        Failure::Timeout => "there was no answer in time",
        Failure::Connect => "there was no connection",
        Failure::Protocol => "the answer was not HTTP, or broke off",
        Failure::Blocked => "the address is not public",
        Failure::Resolve => "the host has no address",
        _ => "the request could not be sent",
    }
}

fn headers(given: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        if OWN.contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let key = HeaderName::try_from(name.as_str());
        let key = key.map_err(|_| format!("`{name}` cannot name a header"))?;
        let value = HeaderValue::try_from(value.as_str());
        let value = value.map_err(|_| format!("the value of the header `{name}` cannot be one"))?;
        headers.append(key, value);
    }
    Ok(headers)
}
