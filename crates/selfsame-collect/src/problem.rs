//! Every answer that is not a success. One table: code, status, class, sentence.

use std::time::Duration;

use hyper::StatusCode;
use selfsame_event::Class;

use crate::IntakeError;

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $class:ident, $code:literal, $sentence:literal;)+) => {
        /// Why a request was not taken. (Why an event was set aside is a
        /// [`Refusal`](selfsame_event::Refusal).)
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Problem { $($(#[$doc])* $name,)+ }

        impl Problem {
            /// Every problem.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code in the answer and in metrics.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The status of the answer.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What the one who asked can do about it.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)+ }
            }

            /// One sentence for the one who asked.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }
        }
    };
}

problems! {
    /// No write key anywhere, or an empty one.
    KeyMissing = BAD_REQUEST, Invalid, "missing_write_key", "There is no write key: send it as `writeKey` in the body, or as the user name of Basic authorization.";
    /// Nobody has this key.
    KeyUnknown = UNAUTHORIZED, Denied, "unknown_write_key", "No source has this write key.";
    /// The key was taken back.
    KeyRevoked = UNAUTHORIZED, Denied, "revoked_write_key", "This write key was revoked.";
    /// The source wants a token, and there is none.
    AccessMissing = UNAUTHORIZED, Denied, "missing_token", "This source takes events only with an OAuth access token: get one at POST /oauth2/token, and send it as `Authorization: Bearer TOKEN` with the write key in the body.";
    /// A token that does not allow to send here.
    AccessInvalid = UNAUTHORIZED, Denied, "invalid_token", "The access token is not one of this source's clients.";
    /// A token that is over.
    AccessExpired = UNAUTHORIZED, Denied, "expired_token", "The access token has expired: get another one at POST /oauth2/token.";
    /// Not JSON in UTF-8.
    JsonInvalid = BAD_REQUEST, Invalid, "invalid_json", "The body is not valid JSON in UTF-8.";
    /// Nested too deeply.
    JsonDeep = BAD_REQUEST, Invalid, "json_too_deep", "The body is nested too deeply: an event may have 32 levels.";
    /// Too many values.
    JsonWide = BAD_REQUEST, Invalid, "json_too_many_values", "The event has more than 50,000 values.";
    /// Larger than the route takes.
    BodyTooLarge = BAD_REQUEST, Invalid, "body_too_large", "The body is too large: one event may have 32 KiB, a batch 500 KiB, both counted without compression.";
    /// The connection ended before the body did.
    BodyBroken = BAD_REQUEST, Invalid, "body_incomplete", "The body ended before it was complete.";
    /// The body came too slowly.
    BodyTooSlow = REQUEST_TIMEOUT, Invalid, "body_too_slow", "The body came too slowly.";
    /// A compression other than gzip, or several.
    EncodingUnknown = BAD_REQUEST, Invalid, "unsupported_encoding", "`Content-Encoding` may be gzip, once, or absent.";
    /// Not gzip.
    GzipInvalid = BAD_REQUEST, Invalid, "invalid_gzip", "The body is not valid gzip, as its `Content-Encoding` says.";
    /// Grows beyond reason.
    GzipBomb = BAD_REQUEST, Invalid, "gzip_ratio", "The body grows too much when it is decompressed.";
    /// A batch that is not an object.
    BatchNotObject = BAD_REQUEST, Invalid, "batch_not_object", "The body of a batch must be a JSON object with a `batch` array.";
    /// An object without a batch.
    BatchMissing = BAD_REQUEST, Invalid, "batch_missing", "This route takes batches, and the body has no `batch` array; single events go to /v1/track, /v1/identify, /v1/page, /v1/screen, /v1/group or /v1/alias.";
    /// A method that the route does not have.
    MethodUnknown = METHOD_NOT_ALLOWED, Invalid, "method_not_allowed", "This address takes events by POST.";
    /// No settings for this key.
    SettingsMissing = NOT_FOUND, Missing, "unknown_write_key", "No source has this write key.";
    /// The host that the request names cannot be one.
    HostInvalid = BAD_REQUEST, Invalid, "invalid_host", "The `Host` of the request is missing or not a host.";
    /// The browser SDK was not built in.
    ScriptMissing = NOT_FOUND, Missing, "script_not_built", "The browser SDK is not part of this build: run `make web`, then build the server again.";
    /// No such part of the browser SDK.
    BundleMissing = NOT_FOUND, Missing, "unknown_bundle", "The browser SDK has no part of that name.";
    /// Too many bytes of bodies at once.
    Busy = TOO_MANY_REQUESTS, Limited, "too_many_bytes_in_flight", "The server holds as many bytes of requests as it may; send this again later.";
    /// Too many records wait.
    Backlog = TOO_MANY_REQUESTS, Limited, "queue_full", "Too many requests wait to be written; send this again later.";
    /// The disk is full.
    DiskFull = TOO_MANY_REQUESTS, Limited, "disk_full", "The server has no room left; send this again later.";
    /// Starting or stopping.
    Stopping = SERVICE_UNAVAILABLE, Unavailable, "stopping", "The server is starting or stopping; send this again.";
    /// The log cannot be written.
    Unavailable = SERVICE_UNAVAILABLE, Unavailable, "unavailable", "The server cannot write its log; send this again later.";
}

impl Problem {
    /// The problem that it is where a record was not taken, and when to try again where that is known.
    pub(crate) fn of_intake(error: IntakeError) -> (Self, Option<Duration>) {
        match error {
            IntakeError::Backlog { retry_after } => (Self::Backlog, Some(retry_after)),
            IntakeError::Full => (Self::DiskFull, None),
            IntakeError::Stopping => (Self::Stopping, None),
            IntakeError::Unavailable => (Self::Unavailable, None),
        }
    }
}
