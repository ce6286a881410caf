//! Why a call did not do what it should, and what becomes of its event.

use selfsame_event::Class;
use serde::{Deserialize, Serialize};

/// A call that ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{name}: {message}")]
pub struct Fault {
    /// What kind of end it was.
    pub kind: FaultKind,
    /// The name of the error that was thrown, or of the limit.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Where in the function; empty where that is not known.
    pub stack: String,
}

/// What becomes of the event of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// It is not for this destination. Counted as filtered.
    Filtered,
    /// It would come to the same again: a dead letter.
    Refused,
    /// Later it may go well.
    Retry,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $label:literal $family:ident $class:ident;)+) => {
        /// The kinds of ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum FaultKind {
            $($(#[$doc])* $kind,)+
        }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The word that records, metrics and JSON use.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$kind => $label,)+
                }
            }

            /// What becomes of the event.
            pub const fn family(self) -> Family {
                match self {
                    $(Self::$kind => Family::$family,)+
                }
            }

            /// What the one who sent it can do.
            pub const fn class(self) -> Class {
                match self {
                    $(Self::$kind => Class::$class,)+
                }
            }
        }
    };
}

kinds! {
    /// `EventNotSupported`, or a type of event without a handler.
    Unsupported "unsupported_event_type" Filtered Invalid;
    /// `DropEvent`, or an insert function that returned nothing.
    Dropped "dropped" Filtered Invalid;
    /// `InvalidEventPayload`.
    InvalidPayload "invalid_event_payload" Refused Invalid;
    /// `ValidationError`.
    Validation "validation_error" Refused Invalid;
    /// `RetryError`.
    Retry "retry" Retry Unavailable;
    /// Any other error, or something else that was thrown.
    Failed "bad_request" Refused Invalid;
    /// The function cannot be read.
    Syntax "syntax_error" Refused Invalid;
    /// It took too long, waiting included.
    Timeout "timeout" Retry Unavailable;
    /// It used too much processor time.
    Processor "processor_limit" Refused Limited;
    /// It used too much memory.
    Memory "memory_limit" Refused Limited;
    /// It returned too much.
    Output "output_limit" Refused Limited;
    /// It waits for something that nothing will bring.
    Stuck "never_ends" Refused Invalid;
    /// It returned what cannot be taken, such as a list in place of an event.
    Returned "unusable_result" Refused Invalid;
    /// It used far more processor time than it may before the engine looked at the time.
    GivenUp "given_up" Refused Limited;
    /// Its code was given up or crashed before, and is not run again.
    LockedOut "locked_out" Refused Limited;
    /// The process that it ran in ended.
    Crashed "crashed" Retry Unavailable;
    /// There are too many calls.
    Busy "busy" Retry Limited;
    /// The server is stopping.
    Stopping "stopping" Retry Unavailable;
}

impl Fault {
    /// A fault that is ours to word.
    pub(crate) fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        let name = kind.label().to_owned();
        Self { kind, name, message: message.into(), stack: String::new() }
    }

    /// What the one who sent it can do.
    pub fn class(&self) -> Class {
        self.kind.class()
    }

    /// A fault of an error that the function threw, by the error's name.
    pub(crate) fn thrown(name: String, message: String, stack: &str) -> Self {
        let kind = match name.as_str() {
            "EventNotSupported" => FaultKind::Unsupported,
            "DropEvent" => FaultKind::Dropped,
            "InvalidEventPayload" => FaultKind::InvalidPayload,
            "ValidationError" => FaultKind::Validation,
            "RetryError" => FaultKind::Retry,
            "InternalError" if message.starts_with("out of memory") => FaultKind::Memory,
            // What the engine throws where there is no room for an error.
            "Error" if message == "null" => FaultKind::Memory,
            _ => FaultKind::Failed,
        };
        let message = match hint(&name, &message) {
            Some(hint) => format!("{message}. {hint}"),
            None => message,
        };
        // The frames of what surrounds a function say nothing to its author.
        let frames = stack.lines().filter(|line| line.contains("function.js"));
        let stack = frames.map(str::trim_end).collect::<Vec<_>>().join("\n");
        Self { kind, name, message: bounded(message), stack: bounded(stack) }
    }
}

/// At most so much is kept of a text that a function made.
fn bounded(mut text: String) -> String {
    const MOST: usize = 4 << 10;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}

/// What to do about something that Segment's functions have and these do not.
fn hint(name: &str, message: &str) -> Option<String> {
    let missing = message.strip_suffix(" is not defined").filter(|_| name == "ReferenceError")?;
    let instead = match missing {
        "require" | "module" | "exports" => "Functions have no modules; what there is, is global",
        "process" => "Functions have no environment: put what they need into settings",
        "moment" => "`Date` reads and writes ISO 8601 times",
        "Intl" => "Numbers and dates have to be written without locales",
        "fetchretrylib" => "Throw RetryError, and the event is tried again",
        "AbortController" | "AbortSignal" => "A call ends by itself when its time is up",
        "jsonwebtoken" => {
            "`crypto.createHmac` signs; a token that is signed so is two base64url texts and the signature"
        }
        "AWS" | "google" | "hubspotlib" | "jsforce" | "mailchimplib" | "nodemailjet" | "OAuth"
        | "sendgrid" | "skyflowlib" | "stripe" | "twilio" => "Call its HTTP interface with `fetch`",
        "libphonenumberjslib" | "winstonlib" | "xml" | "xml2js" | "zlib" => {
            "That library is not part of Selfsame"
        }
        _ => return None,
    };
    Some(format!("{instead} (docs/reference/functions.md has the list)."))
}

#[cfg(test)]
mod tests;
