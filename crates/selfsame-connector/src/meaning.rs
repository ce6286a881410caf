//! What the end of an exchange means for the delivery.
//!
//! | the manifest says | outcome | family |
//! |---|---|---|
//! | `ok` | delivered | |
//! | `retry` | server | tried again over 72 hours, in its turn |
//! | `throttle` | throttled | the same, and the connection waits as long as it is told |
//! | `reject`, or nothing can be made of the event | rejected, unmapped | dead at once, holds up nothing |
//! | `auth_error` | unauthorized | three in a row pause the connection |

use std::time::Duration;

use selfsame_deliver::{Carried, Failure, Outcome as Delivery, Withheld, webhook};
use selfsame_destinations::{Done, Outcome, Refusal, Reply, Verdict};

use crate::mask::Mask;

/// Most characters of a note.
const NOTE_BYTES: usize = 1_024;

/// What the end of an exchange comes to. `last` is the answer to its last request, and what that asked
/// for.
pub(crate) fn of(done: &Done, last: Option<(&Reply, Option<Duration>)>, mask: &Mask) -> Carried {
    let status = last.map(|(reply, _)| reply.status);
    match done {
        Done::Delivered => Carried::quiet(Delivery::Delivered { status: status.unwrap_or(200) }),
        Done::Skipped => Carried::quiet(Delivery::Withheld(Withheld::Skipped)),
        Done::Refused(refusal) => refused(refusal, status, mask),
        Done::Answered { step, verdict } => {
            let outcome = outcome_of(verdict, last);
            Carried { outcome, note: said(step, verdict, last.map(|(reply, _)| reply), mask) }
        }
    }
}

/// What it comes to that nothing can be sent, or that an answer is not what it has to be.
pub(crate) fn refused(refusal: &Refusal, status: Option<u16>, mask: &Mask) -> Carried {
    let failure = if status.is_some() { Failure::Rejected } else { Failure::Unmapped };
    let outcome = Delivery::Failed { failure, status, retry_after: None };
    Carried { outcome, note: note(&mask.text(&refusal.to_string())) }
}

/// What a verdict comes to.
pub(crate) fn outcome_of(verdict: &Verdict, last: Option<(&Reply, Option<Duration>)>) -> Delivery {
    let status = last.map(|(reply, _)| reply.status);
    let after = verdict.after_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let retry_after = after.or_else(|| last.and_then(|(_, after)| after));
    let failure = match verdict.outcome {
        Outcome::Ok => return Delivery::Delivered { status: status.unwrap_or(200) },
        Outcome::Retry => Failure::Server,
        Outcome::Throttle => Failure::Throttled,
        Outcome::AuthError | Outcome::RefreshAuth => Failure::Unauthorized,
        // Of one event there is nothing to split.
        Outcome::Reject | Outcome::PerItem | Outcome::SplitBatch => Failure::Rejected,
    };
    Delivery::Failed { failure, status, retry_after }
}

fn said(step: &str, verdict: &Verdict, reply: Option<&Reply>, mask: &Mask) -> String {
    let said = match (&verdict.message, reply) {
        (Some(message), _) if !message.is_empty() => message.clone(),
        (_, Some(reply)) => reply.body.clone(),
        (_, None) => String::new(),
    };
    let step = if step == "request" { String::new() } else { format!("{step}: ") };
    note(&format!("{step}{}", mask.text(&said)))
}

/// A text of the outside, to be kept and shown.
pub(crate) fn note(text: &str) -> String {
    let mut end = text.len().min(NOTE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    webhook::note(text.get(..end).unwrap_or_default().as_bytes())
}
