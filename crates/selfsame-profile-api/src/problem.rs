//! What can be wrong with a request, as Segment's codes say it.

use std::borrow::Cow;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use selfsame_event::{Class, Position};
use selfsame_pipeline::{JsonObject, LookupError};

/// Why a request gets no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A parameter or part of the path is wrong.
    #[error("{0}")]
    Invalid(Cow<'static, str>),
    /// The body is wrong.
    #[error("{0}")]
    Body(Cow<'static, str>),
    /// No token, or one that may not read this space.
    #[error("The access token is missing or not valid for this space.")]
    Token,
    /// No such profile.
    #[error("Profile was not found.")]
    Profile,
    /// No such space, collection or route.
    #[error("{0} was not found.")]
    Missing(&'static str),
    /// The route has no such method.
    #[error("This resource does not have that method.")]
    Method,
    /// The record that was waited for does not show yet.
    #[error("Position {0} does not show yet.")]
    NotYet(Position),
    /// The state cannot be read.
    #[error("The profile could not be read.")]
    Read(#[source] LookupError),
    /// A read ended without an answer.
    #[error("The profile could not be read.")]
    Ended,
}

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Space => Self::Missing("Space"),
            error => Self::Read(error),
        }
    }
}

impl Problem {
    /// A wrong parameter.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(message.into())
    }

    /// What the caller can do about it.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Invalid(_) | Self::Body(_) | Self::Method => Class::Invalid,
            Self::Token => Class::Denied,
            Self::Profile | Self::Missing(_) => Class::Missing,
            Self::NotYet(_) => Class::Unavailable,
            Self::Read(error) => error.class(),
            Self::Ended => Class::Bug,
        }
    }

    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "validation_error"),
            Self::Body(_) => (StatusCode::BAD_REQUEST, "invalid_request_error"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request_error"),
            Self::Token => (StatusCode::UNAUTHORIZED, "authentication_error"),
            Self::Profile | Self::Missing(_) => (StatusCode::NOT_FOUND, "not_found"),
            Self::NotYet(_) => (StatusCode::SERVICE_UNAVAILABLE, "position_not_reached"),
            Self::Read(error) if error.class() == Class::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            Self::Read(_) | Self::Ended => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match &self {
            Self::Read(error) if error.class() == Class::Unavailable => {
                tracing::warn!(error = error as &dyn std::error::Error, "a profile was not read");
            }
            Self::Read(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "a profile was not read");
            }
            Self::Ended => tracing::error!("a read of a profile ended without an answer"),
            _ => {}
        }
        let (status, code) = self.status_and_code();
        let error =
            JsonObject::default().text("code", code).text("message", &self.to_string()).finish();
        let mut response = json(JsonObject::default().raw("error", &error).finish());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if self.class() == Class::Unavailable {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(self, Self::Token) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
        }
        response
    }
}

/// An answer of JSON text.
pub(crate) fn json(text: String) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
