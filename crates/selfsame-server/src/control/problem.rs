//! What can go wrong with a request: one table of codes.

use std::borrow::Cow;

use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use selfsame_deliver::{
    AttemptsError, CausesError, CommandError, FeedError, LedgerError, StandingError,
};
use selfsame_event::Class;
use selfsame_log::ReadError;
use selfsame_pipeline::workspace::{ChangeError, Role};
use selfsame_store::StoreError;
use serde_json::{Value, json};

use super::permission::Permission;
use crate::access::Forged;
use crate::connectors::NotReady;
use crate::definition::Wrong;
use crate::members::{Busy, MembersError, Refused};
use crate::node::SubmitError;
use crate::vault::VaultError;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $class:ident, $status:literal, $hint:literal;)+) => {
        /// The code of an error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];

            /// The word on the wire.
            pub(crate) const fn word(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What the caller can do about it, as a class.
            pub(crate) const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)+ }
            }

            /// The status.
            pub(crate) const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// What is wrong.
            #[cfg(test)]
            pub(crate) const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }

            /// What to do next.
            pub(crate) const fn hint(self) -> &'static str {
                match self { $(Self::$name => $hint,)+ }
            }
        }
    };
}

codes! {
    /// No token and no session, or none that is accepted.
    Unauthorized = "unauthorized", Denied, 401, "Send `Authorization: Bearer TOKEN` with a token of this workspace, or sign in.";
    /// The e-mail address or the password is wrong.
    WrongPassword = "wrong_password", Denied, 401, "Check both. Who has lost the password gets a link for another one from an administrator, or by `selfsame member link`.";
    /// Who asks may not do this; `permission` names what they lack.
    Forbidden = "forbidden", Denied, 403, "Use a token or sign in as a member with that permission.";
    /// A change by a session came without the header that the console's pages send.
    ConsoleHeaderMissing = "console_header_missing", Denied, 403, "Send `x-selfsame-console: 1`, or use a token.";
    /// A password or a one-time link was sent in the clear.
    NotSecure = "not_secure", Denied, 403, "Use https, or the machine itself. Behind a proxy that ends TLS, name it in `collect.trusted_proxies`, and have it send `X-Forwarded-Proto`.";
    /// The one-time link was used, has expired, or never was.
    LinkEnded = "link_ended", Missing, 410, "Ask for another one: `selfsame member link`. As long as there is no member, each start of the server prints one.";
    /// Too many wrong passwords.
    TooManyAttempts = "too_many_attempts", Limited, 429, "Wait as `Retry-After` says.";
    /// A page of another site sent the request.
    ForeignOrigin = "foreign_origin", Denied, 403, "Changes are accepted from the server's own pages and from programs that send no `Origin`.";
    /// No source has the write key.
    UnknownWriteKey = "unknown_write_key", Denied, 403, "Give a write key that `GET /api/sources` lists.";
    /// The write key was revoked.
    RevokedWriteKey = "revoked_write_key", Denied, 403, "Give a write key of the source that is not revoked.";
    /// No such route.
    NoRoute = "no_route", Missing, 404, "GET /api/openapi.json lists every route.";
    /// The route has no such method.
    NoMethod = "no_method", Invalid, 405, "GET /api/openapi.json lists every route with its methods.";
    /// No such thing.
    NotFound = "not_found", Missing, 404, "List what there is, and check the id.";
    /// The body is not JSON.
    NotJson = "not_json", Invalid, 415, "Send a JSON object with `Content-Type: application/json`.";
    /// The body is too large.
    TooLarge = "too_large", Invalid, 413, "A body has at most 1 MiB, one of `POST /api/import` at most 8 MiB.";
    /// The body did not come whole.
    Incomplete = "incomplete", Invalid, 400, "Send the whole body within 30 seconds, one of `POST /api/import` within 120.";
    /// A field or parameter is wrong.
    Invalid = "invalid", Invalid, 400, "Correct the field and send the request again.";
    /// Identity rules that do not hold together.
    RulesInvalid = "rules_invalid", Invalid, 400, "Correct the rules; nothing was changed.";
    /// A definition that says nothing that can be computed.
    DefinitionInvalid = "definition_invalid", Invalid, 400, "Correct the definition; nothing was changed. docs/reference/definitions.md says what there is.";
    /// Code that is no function.
    FunctionInvalid = "function_invalid", Invalid, 400, "Correct the code; nothing was changed. `selfsame function test` runs it without a server.";
    /// A URL that may not be sent to.
    UrlRefused = "url_refused", Invalid, 400, "Give an http or https URL whose host has a public address.";
    /// The backup cannot be made there.
    BackupFailed = "backup_failed", Invalid, 422, "Name a folder that is empty or not there, on a disk of the server with room for it.";
    /// Something with that id or value is there.
    Taken = "taken", Conflict, 409, "Choose another one, or change the one that is there.";
    /// What is there does not allow it.
    Conflict = "conflict", Conflict, 409, "Read the current state, then decide again.";
    /// Too many at once.
    Busy = "busy", Limited, 429, "Try again in a moment.";
    /// The engine or the disk is not there.
    Unavailable = "unavailable", Unavailable, 503, "Try again in a moment; if it stays so, look at the server's log.";
    /// Stored bytes are wrong, or a rule of ours is broken.
    Internal = "internal", Bug, 500, "Look at the server's log, and report it.";
}

/// Why a request gets no answer.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    message: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    places: Vec<Value>,
    permission: Option<Permission>,
    /// After how many seconds it is worth another try, where that is known.
    after: Option<u64>,
    /// Who did this, where the request does not say it.
    acted: Option<Acted>,
}

/// Who an answer is about, where the request does not say it: who signs in.
#[derive(Debug, Clone)]
pub(crate) struct Acted(pub(crate) String);

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        let places = Vec::new();
        Self { code, message, field: None, places, permission: None, after: None, acted: None }
    }

    /// Nobody known asks.
    pub(crate) fn stranger() -> Self {
        let message = "The token or session is missing, unknown or has ended.";
        Self::new(Code::Unauthorized, message)
    }

    /// Who asks lacks a permission.
    pub(crate) fn lacks(role: Role, permission: Permission) -> Self {
        let (role, word) = (role.word(), permission.word());
        let message = format!("This needs the permission `{word}`, which the role {role} lacks.");
        Self { permission: Some(permission), ..Self::new(Code::Forbidden, message) }
    }

    /// Says how many seconds to wait.
    #[must_use]
    pub(crate) fn after(mut self, seconds: u64) -> Self {
        self.after = Some(seconds);
        self
    }

    /// Says who did this.
    #[must_use]
    pub(crate) fn by(mut self, who: &str) -> Self {
        self.acted = Some(Acted(who.to_owned()));
        self
    }

    /// A field or parameter that is wrong.
    pub(crate) fn field(
        field: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(Code::Invalid, message).at(field)
    }

    /// Something that is not there.
    pub(crate) fn missing(kind: &str, id: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no {kind} `{id}`."))
    }

    /// What is wrong, as a sentence.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Says which field it is about.
    #[must_use]
    pub(crate) fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// What is wrong with a definition, each with its place.
    pub(crate) fn definition(wrong: &[Wrong]) -> Self {
        let message = wrong.iter().map(Wrong::to_string).collect::<Vec<_>>().join("; ");
        let place = |one: &Wrong| {
            let mut place = json!({ "message": one.sentence });
            if let Some(spot) = &one.spot {
                place["line"] = spot.line.into();
                place["column"] = spot.column.into();
                place["shown"] = spot.to_string().into();
            }
            place
        };
        let places = wrong.iter().map(place).collect();
        Self { places, ..Self::new(Code::DefinitionInvalid, message).at("query") }
    }

    /// A failure of ours, whose causes go into the log and not into the answer.
    pub(super) fn of(class: Class, error: &(dyn std::error::Error + 'static)) -> Self {
        if matches!(class, Class::Unavailable | Class::Limited) {
            tracing::warn!(error, "a request of the control api was not answered");
            return Self::new(Code::Unavailable, "The server cannot do this now.");
        }
        tracing::error!(error, "a request of the control api was not answered");
        Self::new(Code::Internal, "The server failed.")
    }

    /// The state is just being opened.
    pub(crate) fn opening() -> Self {
        Self::new(Code::Unavailable, "The state is being opened.")
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        Self::of(error.class(), &error)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::of(error.class(), &error)
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        Self::of(error.class(), &error)
    }
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        Self::of(error.class(), &error)
    }
}

impl From<CausesError> for Problem {
    fn from(error: CausesError) -> Self {
        match error {
            CausesError::Command(error) => error.into(),
            CausesError::Attempts(error) => error.into(),
        }
    }
}

impl From<AttemptsError> for Problem {
    fn from(error: AttemptsError) -> Self {
        Self::of(error.class(), &error)
    }
}

impl From<StandingError> for Problem {
    fn from(error: StandingError) -> Self {
        match error {
            StandingError::Command(error) => error.into(),
            StandingError::Attempts(error) => error.into(),
        }
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Unknown => {
                Self::new(Code::Unavailable, "Deliveries to this destination have not begun yet.")
            }
            CommandError::Stopped => Self::new(Code::Unavailable, "Deliveries are not running."),
        }
    }
}

impl From<NotReady> for Problem {
    fn from(why: NotReady) -> Self {
        Self::new(Code::Conflict, format!("The destination cannot be spoken to: {why}."))
    }
}

impl From<MembersError> for Problem {
    fn from(error: MembersError) -> Self {
        Self::of(Class::Unavailable, &error)
    }
}

impl From<Refused> for Problem {
    fn from(why: Refused) -> Self {
        match why {
            Refused::NoMember => Self::new(Code::NotFound, "There is no such member."),
            Refused::Taken => {
                Self::new(Code::Taken, "Somebody has this e-mail address already.").at("email")
            }
            Refused::LastOwner => {
                let message = "This is the last owner; without one nobody could make another.";
                Self::new(Code::Conflict, message)
            }
            Refused::NoLink => {
                Self::new(Code::LinkEnded, "The link was used, has expired, or never was.")
            }
        }
    }
}

impl From<Forged> for Problem {
    fn from(why: Forged) -> Self {
        match why {
            Forged::Foreign => {
                Self::new(Code::ForeignOrigin, "A page of another site sent this request.")
            }
            Forged::NoHeader => Self::new(
                Code::ConsoleHeaderMissing,
                "A change by a session came without the header `x-selfsame-console`.",
            ),
        }
    }
}

impl From<Busy> for Problem {
    fn from(_: Busy) -> Self {
        Self::new(Code::Busy, "Too many sign in at once.")
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        Self::of(Class::Unavailable, &error)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Change(ChangeError::Unknown { kind, id }) => Self::missing(kind, &id),
            SubmitError::Change(ChangeError::Taken { what }) => {
                Self::new(Code::Taken, format!("{what} is taken."))
            }
            SubmitError::Change(ChangeError::Identity { reason }) => {
                Self::new(Code::Conflict, format!("Nothing was changed: {reason}."))
            }
            SubmitError::Change(ChangeError::Definition { reason }) => {
                let message = format!("The definition is not valid: {reason}.");
                Self::new(Code::DefinitionInvalid, message)
            }
            SubmitError::Change(ChangeError::Function { reason }) => {
                Self::new(Code::Conflict, format!("Nothing was changed: {reason}."))
            }
            SubmitError::Change(error) => Self::new(Code::RulesInvalid, error.to_string()),
            SubmitError::Append(ref append) => Self::of(append.class(), &error),
            SubmitError::Stopped => Self::of(Class::Unavailable, &error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, message, field, places, permission, after, acted } = self;
        let mut error = json!({ "code": code.word(), "message": message, "hint": code.hint() });
        if let Some(field) = field {
            error["field"] = json!(field);
        }
        if !places.is_empty() {
            error["places"] = places.into();
        }
        if let Some(permission) = permission {
            error["permission"] = permission.word().into();
        }
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, axum::Json(json!({ "error": error }))).into_response();
        response.extensions_mut().insert(code);
        if let Some(acted) = acted {
            response.extensions_mut().insert(acted);
        }
        let headers = response.headers_mut();
        if code == Code::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if code.class().is_retryable() {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.unwrap_or(1)));
        }
        if code == Code::NoMethod {
            headers
                .entry(ALLOW)
                .or_insert(HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE"));
        }
        response
    }
}

#[cfg(test)]
mod tests;
