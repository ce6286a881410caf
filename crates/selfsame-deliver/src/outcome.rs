//! How an attempt ended, and what a receiver's answer means.
//!
//! As Standard Webhooks has it: any 2xx is success and everything else is a failure, redirects
//! included. All failures are retried for the whole span, 4xx too: receivers answer 401 or 404 while
//! somebody sets them up, and an event must outlive a bad afternoon. What differs:
//!
//! | answer | failure | besides the retry |
//! |---|---|---|
//! | 410 | gone | the connection is paused until somebody resumes it |
//! | 429, 502, 503, 504 | throttled | `Retry-After` holds the whole connection |
//! | 401, 403, 404, 405, 407, 451 | denied | |
//! | other 4xx | refused | |
//! | other 5xx | server | |
//! | 1xx, 3xx, other | unexpected | |
//! | no answer | timeout, connect, tls, protocol, blocked | |
//!
//! What the answers of other receivers mean is for the connection's tool to say (tool.rs). Of those an
//! event may be refused for what it is (rejected, unmapped): it is dead at once, and holds up nothing.
//! A receiver that does not take the credentials (unauthorized) gets nothing more until somebody looks.

use std::time::Duration;

use selfsame_event::Class;

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal, $class:ident;)*) => {
        /// Why an attempt failed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Failure { $($(#[$doc])* $name = $code,)* }

        impl Failure {
            /// Every failure.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word that metrics and JSON use.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }

            /// What whoever set the destination up can do about it.
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)* }
            }
        }
    };
}

failures! {
    /// It does not take this request.
    Refused = 1, "refused", Invalid;
    /// It does not take requests from us, or not there.
    Denied = 2, "denied", Denied;
    /// It says that it is gone for good.
    Gone = 3, "gone", Missing;
    /// It wants fewer requests, or is away for a while.
    Throttled = 4, "throttled", Limited;
    /// It failed.
    Server = 5, "server", Unavailable;
    /// It answered with something that is neither success nor error, such as a redirect.
    Unexpected = 6, "unexpected", Invalid;
    /// It did not answer in time.
    Timeout = 7, "timeout", Unavailable;
    /// There was no connection.
    Connect = 8, "connect", Unavailable;
    /// The answer was not HTTP, or broke off.
    Protocol = 9, "protocol", Unavailable;
    /// The address is not one that may be sent to.
    Blocked = 10, "blocked", Denied;
    /// The name has no address.
    Resolve = 11, "resolve", Unavailable;
    /// The body was removed with old records before it was delivered.
    BodyGone = 12, "body_gone", Missing;
    /// The attempt broke a rule of ours.
    Bug = 13, "bug", Bug;
    /// It refuses the event for what it is: another try would be refused too.
    Rejected = 14, "rejected", Invalid;
    /// No request can be made of the event.
    Unmapped = 15, "unmapped", Invalid;
    /// It does not take the credentials of the connection.
    Unauthorized = 16, "unauthorized", Denied;
}

impl Failure {
    /// Whether another try of the same event would fail too, so that it is given up at once.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::BodyGone | Self::Rejected | Self::Unmapped)
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|failure| *failure as u8 == code)
    }
}

macro_rules! withheld {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $label:literal;)*) => {
        /// Why an effect was not sent when it was its turn.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Withheld { $($(#[$doc])* $name = $code,)* }

        impl Withheld {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word that JSON uses.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$name => $label,)* }
            }
        }
    };
}

withheld! {
    /// It was erased.
    Erased = 101, "erased";
    /// Consent or suppression.
    Suppressed = 102, "suppressed";
    /// A newer change of the same thing came before it was sent.
    Superseded = 104, "superseded";
    /// Everybody whom it would tell knows it already, or never heard otherwise.
    Unchanged = 105, "unchanged";
    /// Whose it was is nobody any more.
    Nobody = 106, "nobody";
    /// The connection does not want to hear of it any more.
    Unwanted = 107, "unwanted";
    /// The profile has no identifier of those that the connection is told by.
    Unnamed = 108, "unnamed";
    /// No action of the connection wants it.
    Unmatched = 109, "unmatched";
    /// The action found nothing to send.
    Skipped = 110, "skipped";
    /// The replay that it was part of was ended.
    Cancelled = 111, "cancelled";
    /// The event's own `integrations` leave the connection out.
    Excluded = 112, "integrations";
}

impl Withheld {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| *reason as u8 == code)
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered {
        /// The status, 2xx.
        status: u16,
    },
    /// The receiver did not take it.
    Failed {
        /// Why.
        failure: Failure,
        /// The status, where there was an answer.
        status: Option<u16>,
        /// What it asked for.
        retry_after: Option<Duration>,
    },
    /// It may not be sent any more.
    Withheld(Withheld),
    /// Nothing was sent, for a reason of our own that will pass.
    Postponed,
}

impl Outcome {
    /// What an answer means.
    pub fn of_status(status: u16, retry_after: Option<Duration>) -> Self {
        let failure = match status {
            200..=299 => return Self::Delivered { status },
            410 => Failure::Gone,
            429 | 502 | 503 | 504 => Failure::Throttled,
            401 | 403 | 404 | 405 | 407 | 451 => Failure::Denied,
            400..=499 => Failure::Refused,
            500..=599 => Failure::Server,
            _ => Failure::Unexpected,
        };
        Self::Failed { failure, status: Some(status), retry_after }
    }

    /// Whether the receiver may have taken it though the attempt failed.
    pub(crate) fn is_unsure(self) -> bool {
        match self {
            Self::Failed { failure, .. } => matches!(
                failure,
                Failure::Throttled
                    | Failure::Server
                    | Failure::Unexpected
                    | Failure::Timeout
                    | Failure::Protocol
                    | Failure::Bug
            ),
            Self::Delivered { .. } | Self::Withheld(_) | Self::Postponed => false,
        }
    }

    /// A failure without an answer.
    pub fn failed(failure: Failure) -> Self {
        Self::Failed { failure, status: None, retry_after: None }
    }

    /// The word that metrics use.
    pub fn label(self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Failed { failure, .. } => failure.label(),
            Self::Withheld(Withheld::Superseded) => "superseded",
            Self::Withheld(_) => "withheld",
            Self::Postponed => "postponed",
        }
    }
}

#[cfg(test)]
mod tests;
