//! What can be wrong with a request, as Segment's codes say it.

use std::borrow::Cow;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use selfsame_event::{Class, Position};
use selfsame_pipeline::{JsonObject, LookupError};

/// A code of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The word in the answer.
    pub code: &'static str,
    /// The status that it comes with.
    pub status: u16,
    /// What is wrong.
    pub about: &'static str,
    /// What to do next.
    pub hint: &'static str,
}

macro_rules! codes {
    ($($(#[doc = $about:literal])+ $name:ident = $code:literal, $status:literal, $hint:literal;)+) => {
        $(const $name: ErrorCode = ErrorCode {
            code: $code,
            status: $status,
            about: concat!($($about),+),
            hint: $hint,
        };)+

        /// Every code that the Profile API answers with.
        pub const ERRORS: &[ErrorCode] = &[$($name),+];
    };
}

codes! {
    /// A parameter or a part of the path is wrong.
    VALIDATION = "validation_error", 400, "The message names the parameter; correct it.";
    /// The body of a batch is wrong.
    BODY = "invalid_request_error", 400, "Send a body as the message says.";
    /// No token, or one that may not read this space.
    TOKEN = "authentication_error", 401, "Send the token as the user name of Basic authorization, or as a bearer token.";
    /// Who asks is known and may not read profiles.
    PERMISSION = "authorization_error", 403, "Use a token or sign in as a member with the permission `events`.";
    /// No such profile, space, collection or resource.
    MISSING = "not_found", 404, "Check the identifier, also its type; the profile may not be there yet: see `?wait_for=`.";
    /// The resource does not have that method.
    METHOD = "invalid_request_error", 405, "Reads are GET; a batch is POST.";
    /// The record that `?wait_for=` names did not show in time.
    NOT_YET = "position_not_reached", 503, "Ask again after `Retry-After`; the engine is behind.";
    /// The state is being opened, or cannot be read just now.
    OPENING = "unavailable", 503, "Ask again after `Retry-After`.";
    /// The profile could not be read.
    INTERNAL = "internal_error", 500, "Look at the server's log, and report it.";
}

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
    /// Who asks is known, and may not read profiles.
    #[error("Reading profiles needs the permission `events`.")]
    Permission,
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
            Self::Token | Self::Permission => Class::Denied,
            Self::Profile | Self::Missing(_) => Class::Missing,
            Self::NotYet(_) => Class::Unavailable,
            Self::Read(error) => error.class(),
            Self::Ended => Class::Bug,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => VALIDATION,
            Self::Body(_) => BODY,
            Self::Method => METHOD,
            Self::Token => TOKEN,
            Self::Permission => PERMISSION,
            Self::Profile | Self::Missing(_) => MISSING,
            Self::NotYet(_) => NOT_YET,
            Self::Read(error) if error.class() == Class::Unavailable => OPENING,
            Self::Read(_) | Self::Ended => INTERNAL,
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
        let ErrorCode { code, status, .. } = self.code();
        let error =
            JsonObject::default().text("code", code).text("message", &self.to_string()).finish();
        let mut response = json(JsonObject::default().raw("error", &error).finish());
        *response.status_mut() =
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
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
