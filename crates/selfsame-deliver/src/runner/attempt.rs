//! One attempt to deliver.

use std::sync::Arc;

use selfsame_event::Time;

use crate::connection::Connection;
use crate::deliverer::{Parts, log_chain};
use crate::feed::{BodyError, Effect};
use crate::lane::Report;
use crate::outcome::{Failure, Outcome, Withheld};
use crate::webhook;

/// Makes one attempt. Ends in the connection's time, whatever the receiver does.
pub(super) async fn make(parts: Parts, connection: Arc<Connection>, effect: Effect) -> Report {
    let started = parts.clock.wall();
    let began = parts.clock.monotonic_micros();
    let (outcome, note) = outcome(&parts, &connection, effect, started).await;
    let took = parts.clock.monotonic_micros().saturating_sub(began) / 1_000;
    Report { outcome, started, took_ms: u32::try_from(took).unwrap_or(u32::MAX), note }
}

async fn outcome(
    parts: &Parts,
    connection: &Connection,
    effect: Effect,
    now: Time,
) -> (Outcome, String) {
    let feed = Arc::clone(&parts.feed);
    let quiet = |outcome| (outcome, String::new());
    let body = match tokio::task::spawn_blocking(move || feed.body(&effect)).await {
        Ok(Ok(body)) => body,
        Ok(Err(BodyError::Erased)) => return quiet(Outcome::Withheld(Withheld::Erased)),
        Ok(Err(BodyError::Suppressed)) => return quiet(Outcome::Withheld(Withheld::Suppressed)),
        Ok(Err(BodyError::Gone)) => return quiet(Outcome::failed(Failure::BodyGone)),
        Ok(Err(error @ BodyError::Unavailable(_))) => {
            log_chain(&error, "a body could not be read, trying again");
            return quiet(Outcome::Postponed);
        }
        Err(error) => {
            log_chain(&error, "reading a body ended");
            return quiet(Outcome::failed(Failure::Bug));
        }
    };
    let key = webhook::key(&effect.id, connection.id);
    let Ok(request) = webhook::request(&parts.outbound, connection, &key, body, now) else {
        return quiet(Outcome::failed(Failure::Blocked));
    };
    match parts.outbound.post(request, now).await {
        Ok(answer) => match Outcome::of_status(answer.status, answer.retry_after) {
            outcome @ Outcome::Delivered { .. } => quiet(outcome),
            outcome => (outcome, webhook::note(&answer.body)),
        },
        Err(failure) => quiet(Outcome::failed(failure)),
    }
}
