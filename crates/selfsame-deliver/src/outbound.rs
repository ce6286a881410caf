//! The only way out: one HTTP client that sends to public addresses and nowhere else.
//!
//! **Invariants:**
//! - every address that is dialled was checked: names by the resolver that hands addresses to the
//!   connector, so that there is nothing between check and use; literals, in any spelling that a URL
//!   allows, before the request;
//! - http and https only; no redirect is followed; no proxy of the environment is used;
//! - of an answer at most 64 KiB are read;
//! - a request ends in time, whatever the receiver does.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, Url, redirect};
use selfsame_event::{Class, Time};
use tokio::time::timeout_at;

use crate::outcome::Failure;

mod resolve;

pub use resolve::{Resolver, Resolving, SystemResolver};

/// Most of an answer's body that is read.
pub const ANSWER_BYTES: usize = 64 * 1024;

/// Settings of the outbound client.
#[derive(Debug, Clone)]
pub struct OutboundConfig {
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// The only ports that may be sent to; `None`: any.
    pub ports: Option<Vec<u16>>,
    /// What the client calls itself.
    pub user_agent: String,
    /// Open connections kept for each host.
    pub idle_per_host: usize,
}

impl Default for OutboundConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            ports: None,
            user_agent: concat!("Selfsame/", env!("CARGO_PKG_VERSION")).to_owned(),
            idle_per_host: 16,
        }
    }
}

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the outbound client cannot be made")]
pub struct OutboundError(#[source] reqwest::Error);

impl OutboundError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        Class::Bug
    }
}

/// Why a URL may not be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It is not a URL with a host.
    #[error("not a URL with a host")]
    Invalid,
    /// Its scheme is neither http nor https.
    #[error("only http and https are allowed")]
    Scheme,
    /// It holds a user name or a password.
    #[error("a user name or password in a URL is not allowed")]
    Credentials,
    /// Its port is not among those allowed.
    #[error("port {0} is not allowed")]
    Port(u16),
    /// Its host is an address that is not public.
    #[error("the address is not public")]
    Address,
    /// Its host name has no public address.
    #[error("the host has no public address")]
    Host,
    /// Its host name has no address.
    #[error("the host has no address")]
    Unknown,
}

impl UrlError {
    /// What the caller can do about it.
    pub fn class(self) -> Class {
        match self {
            Self::Invalid => Class::Invalid,
            Self::Scheme | Self::Credentials | Self::Port(_) | Self::Address | Self::Host => {
                Class::Denied
            }
            Self::Unknown => Class::Unavailable,
        }
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where to.
    pub url: Url,
    /// Besides those that HTTP itself needs.
    pub headers: HeaderMap,
    /// What.
    pub body: Bytes,
    /// In all, the answer included.
    pub timeout: Duration,
    /// Whether this machine may be sent to.
    pub allow_loopback: bool,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What it asked for: seconds, or the time until a date.
    pub retry_after: Option<Duration>,
    /// Its headers.
    pub headers: HeaderMap,
    /// The first [`ANSWER_BYTES`] of its body.
    pub body: Bytes,
}

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    config: Arc<OutboundConfig>,
    resolver: Arc<dyn Resolver>,
    public: Client,
    loopback: Client,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbound").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Outbound {
    /// A client. The process must have installed a rustls crypto provider before.
    pub fn new(config: OutboundConfig, resolver: Arc<dyn Resolver>) -> Result<Self, OutboundError> {
        let public = client(&config, &resolver, false)?;
        let loopback = client(&config, &resolver, true)?;
        Ok(Self { config: Arc::new(config), resolver, public, loopback })
    }

    /// Checks what can be known of a URL without asking for its host's addresses.
    pub fn check(&self, url: &str, allow_loopback: bool) -> Result<Url, UrlError> {
        let url = Url::parse(url.trim()).map_err(|_| UrlError::Invalid)?;
        self.permits(&url, allow_loopback)?;
        Ok(url)
    }

    /// The same, of a URL that was read.
    pub fn permits(&self, url: &Url, allow_loopback: bool) -> Result<(), UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlError::Credentials);
        }
        let port = url.port_or_known_default().ok_or(UrlError::Invalid)?;
        if self.config.ports.as_ref().is_some_and(|ports| !ports.contains(&port)) {
            return Err(UrlError::Port(port));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(UrlError::Invalid)?;
        match literal(host) {
            Some(address) if !resolve::may_dial(address, allow_loopback) => Err(UrlError::Address),
            _ => Ok(()),
        }
    }

    /// Checks a URL and the addresses that its host has now: for whoever saves it. What counts is
    /// the check at each request.
    pub async fn check_host(&self, url: &str, allow_loopback: bool) -> Result<Url, UrlError> {
        let url = self.check(url, allow_loopback)?;
        let host = url.host_str().ok_or(UrlError::Invalid)?;
        if literal(host).is_none() {
            self.addresses(host, allow_loopback).await?;
        }
        Ok(url)
    }

    /// The addresses of a host that may be dialled: for whoever speaks another protocol than HTTP. What is
    /// dialled has to be one of these.
    pub async fn addresses(
        &self,
        host: &str,
        allow_loopback: bool,
    ) -> Result<Vec<IpAddr>, UrlError> {
        let mut found = match literal(host) {
            Some(address) => vec![address],
            None => self.resolver.resolve(host).await.map_err(|_| UrlError::Unknown)?,
        };
        if found.is_empty() {
            return Err(UrlError::Unknown);
        }
        found.retain(|address| resolve::may_dial(*address, allow_loopback));
        if found.is_empty() { Err(UrlError::Host) } else { Ok(found) }
    }

    /// Sends a POST and reads the answer. `now` is for a `Retry-After` that is a date.
    pub async fn post(&self, request: Request, now: Time) -> Result<Answer, Failure> {
        self.send(Method::POST, request, now).await
    }

    /// Sends a request of any method and reads the answer.
    pub async fn send(
        &self,
        method: Method,
        request: Request,
        now: Time,
    ) -> Result<Answer, Failure> {
        let Request { url, headers, body, timeout, allow_loopback } = request;
        self.permits(&url, allow_loopback).map_err(|_| Failure::Blocked)?;
        let client = if allow_loopback { &self.loopback } else { &self.public };
        let until = tokio::time::Instant::now() + timeout;
        let sending = client.request(method, url).headers(headers).body(body).send();
        let sent = timeout_at(until, sending).await.map_err(|_| Failure::Timeout)?;
        let mut response = sent.map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let retry_after = retry_after(&headers, now);
        let mut body = BytesMut::new();
        // The status is what counts: a body that breaks off or comes too slowly is cut there.
        while body.len() < ANSWER_BYTES
            && let Ok(Ok(Some(chunk))) = timeout_at(until, response.chunk()).await
        {
            let room = ANSWER_BYTES - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        }
        Ok(Answer { status, retry_after, headers, body: body.freeze() })
    }
}

fn client(
    config: &OutboundConfig,
    resolver: &Arc<dyn Resolver>,
    allow_loopback: bool,
) -> Result<Client, OutboundError> {
    Client::builder()
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout)
        .pool_max_idle_per_host(config.idle_per_host)
        .pool_idle_timeout(Duration::from_secs(60))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .dns_resolver(Arc::new(resolve::Guard::new(Arc::clone(resolver), allow_loopback)))
        .build()
        .map_err(OutboundError)
}

/// The address that a URL's host is, if it is one. URLs have written it in the usual way by now.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

fn failure(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<resolve::Blocked>() {
            return Failure::Blocked;
        }
        if error.is::<resolve::NoAddress>() {
            return Failure::Resolve;
        }
        cause = error.source();
    }
    if error.is_timeout() {
        Failure::Timeout
    } else if error.is_connect() {
        Failure::Connect
    } else {
        Failure::Protocol
    }
}

fn retry_after(headers: &HeaderMap, now: Time) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at = crate::http_date::parse(text)?;
    u64::try_from(at.micros() - now.micros()).ok().map(Duration::from_micros)
}

/// An address with no port: the connector puts the URL's in.
pub(crate) fn without_port(address: IpAddr) -> SocketAddr {
    SocketAddr::new(address, 0)
}

#[cfg(test)]
mod tests;
