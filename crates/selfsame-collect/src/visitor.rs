//! Who asks what a page may know of its own visitor: a write key, the id of the device, and a token
//! where somebody has signed in.
//!
//! ```text
//! GET /v1/me?writeKey=…&anonymousId=…          or the key as the user name of Basic authorization
//! X-Selfsame-Identity-Token: …                 a token is in no address, where logs would have it
//! ```
//!
//! A token that proves nothing is an error, and not the visitor without it: a page would take the one
//! answer for the other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use percent_encoding::percent_decode_str;
use selfsame_event::{Clock, SourceNumber, TokenVerdict, limits};

use crate::respond::{self, Answer};
use crate::{CollectConfig, Lookup, Problem, Sources, cors, credential};

const TOKEN: HeaderName = HeaderName::from_static("x-selfsame-identity-token");

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub struct Visitor {
    /// The source of the write key.
    pub source: SourceNumber,
    /// The id that the device says to have.
    pub anonymous_id: Option<String>,
    /// The user that a token proves.
    pub user_id: Option<String>,
}

/// Ids are personal data: `Debug` shows which there are.
impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor")
            .field("source", &self.source)
            .field("has_device", &self.anonymous_id.is_some())
            .field("is_proven", &self.user_id.is_some())
            .finish()
    }
}

/// Why a visitor is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VisitorError {
    /// The write key, or the server.
    #[error("{}", .0.sentence())]
    Problem(Problem),
    /// The token.
    #[error("{}", .0.sentence())]
    Token(TokenVerdict),
    /// Neither a device nor a token.
    #[error("Give `anonymousId`, the id of the device, or a token of whoever has signed in.")]
    Nobody,
    /// A parameter that is no id, or is there twice.
    #[error("`{0}` is there twice, too long, or not percent-encoded UTF-8.")]
    Parameter(&'static str),
    /// The state is being opened, or cannot be read.
    #[error("The profile cannot be read just now; ask again later.")]
    Unavailable,
    /// Too many visitors ask.
    #[error("Too many visitors ask at once; ask again later.")]
    Busy,
}

impl VisitorError {
    /// The code in the answer.
    pub fn code(self) -> &'static str {
        match self {
            Self::Problem(problem) => problem.code(),
            Self::Token(_) => "identity_token",
            Self::Nobody => "missing_anonymous_id",
            Self::Parameter(_) => "invalid_parameter",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
        }
    }

    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Problem(problem) => problem.status(),
            Self::Token(_) => StatusCode::UNAUTHORIZED,
            Self::Nobody | Self::Parameter(_) => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl From<Problem> for VisitorError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Finds out who asks, and answers as browsers of any page read it.
pub struct Visitors<S> {
    config: CollectConfig,
    sources: S,
    clock: Arc<dyn Clock>,
}

impl<S> fmt::Debug for Visitors<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitors").finish_non_exhaustive()
    }
}

impl<S: Sources> Visitors<S> {
    /// Visitors of the pages that send to these sources.
    pub fn new(config: CollectConfig, sources: S, clock: Arc<dyn Clock>) -> Self {
        Self { config, sources, clock }
    }

    /// Who asks.
    pub fn visitor(&self, parts: &Parts) -> Result<Visitor, VisitorError> {
        let query = parts.uri.query().unwrap_or_default();
        let in_query = parameter(query, "writeKey")?;
        let key = credential::of(&parts.headers).or(in_query).ok_or(Problem::KeyMissing)?;
        let source = match self.sources.by_key(&key) {
            Lookup::Active(settings) => settings.number,
            Lookup::Revoked => return Err(Problem::KeyRevoked.into()),
            Lookup::Unknown => return Err(Problem::KeyUnknown.into()),
        };
        let anonymous_id = parameter(query, "anonymousId")?;
        let token = parts.headers.get(TOKEN).map(|token| token.to_str());
        let user_id = match token {
            None => None,
            Some(Err(_)) => return Err(VisitorError::Token(TokenVerdict::Malformed)),
            Some(Ok(token)) => {
                let keys = self.sources.token_keys(source);
                let user = keys.subject(token.trim(), &key, self.clock.wall());
                Some(user.map_err(VisitorError::Token)?)
            }
        };
        match (&anonymous_id, &user_id) {
            (None, None) => Err(VisitorError::Nobody),
            _ => Ok(Visitor { source, anonymous_id, user_id }),
        }
    }

    /// The answer to a page, or why there is none.
    pub fn answer(&self, request: &HeaderMap, told: Result<String, VisitorError>) -> Answer {
        let told_later = told.as_ref().err().copied();
        let mut answer = match told {
            Ok(json) => respond::answer(StatusCode::OK, "application/json", json),
            Err(VisitorError::Problem(problem)) => {
                let usual = Duration::from_secs(self.config.retry_after_seconds.into());
                respond::problem(problem, usual)
            }
            Err(error) => respond::failure(error.status(), error.code(), &error.to_string()),
        };
        let is_passing = matches!(told_later, Some(VisitorError::Unavailable | VisitorError::Busy));
        let headers = answer.headers_mut();
        if is_passing {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        cors::open(&self.config, request, headers);
        answer
    }

    /// The answer to a browser that asks whether it may ask.
    pub fn preflight(&self, request: &HeaderMap) -> Answer {
        let mut answer: Response<_> = respond::empty(StatusCode::NO_CONTENT);
        cors::preflight(&self.config, request, answer.headers_mut());
        answer
    }
}

/// A parameter of a query, decoded; none where it is missing or empty.
fn parameter(query: &str, name: &'static str) -> Result<Option<String>, VisitorError> {
    let wrong = VisitorError::Parameter(name);
    let mut found = None;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key != name {
            continue;
        }
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8().map_err(|_| wrong)?.into_owned();
        if value.chars().count() > limits::IDENTIFIER_CHARS || found.replace(value).is_some() {
            return Err(wrong);
        }
    }
    Ok(found.filter(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests;
