//! One attempt to deliver: the requests that an effect needs, one after the other.

use std::sync::Arc;

use selfsame_event::Time;

use crate::connection::Connection;
use crate::deliverer::{Parts, log_chain};
use crate::feed::{BodyError, Call};
use crate::lane::{Report, Send, Taken};
use crate::outcome::{Failure, Outcome, Withheld};
use crate::told::{Heard, Tell, Telling, Told};
use crate::webhook;

/// Makes one attempt. Each request ends in the connection's time, whatever the receiver does.
pub(super) async fn make(
    parts: Parts,
    connection: Arc<Connection>,
    send: Send,
    told: Told,
) -> Report {
    let started = parts.clock.wall();
    let began = parts.clock.monotonic_micros();
    let heard = told.of(&send.effect, send.is_doubtful);
    let attempt = Attempt { parts: &parts, connection: &connection, send, told };
    let Ended { outcome, note, told, taken } = attempt.run(heard, started).await;
    let took = parts.clock.monotonic_micros().saturating_sub(began) / 1_000;
    let took_ms = u32::try_from(took).unwrap_or(u32::MAX);
    Report { outcome, started, took_ms, note, told, taken }
}

pub(super) struct Attempt<'a> {
    pub(super) parts: &'a Parts,
    pub(super) connection: &'a Connection,
    pub(super) send: Send,
    pub(super) told: Told,
}

/// How an attempt ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) note: String,
    pub(super) told: Vec<Tell>,
    pub(super) taken: Option<Taken>,
}

impl Ended {
    /// One about which there is nothing to say.
    pub(super) fn quiet(outcome: Outcome, told: Vec<Tell>) -> Self {
        Self { outcome, note: String::new(), told, taken: None }
    }
}

impl Attempt<'_> {
    async fn run(&self, heard: Heard, now: Time) -> Ended {
        let is_doubtful = heard.is_doubtful();
        let (calls, heard) = self.calls(heard).await;
        let mut told = heard.as_ref().map(Heard::doubted).unwrap_or_default();
        let (calls, heard) = match (calls, heard) {
            (Ok(calls), Some(heard)) => (calls, heard),
            (Ok(_), None) => return Ended::quiet(Outcome::Postponed, told),
            (Err(outcome), _) => return Ended::quiet(outcome, told),
        };
        // Somebody else tells one of them something just now: then there is less to tell, or more. That
        // holds for nothing to tell, too: who is just being told that somebody entered has to hear the end.
        let Some(_reserved) = self.told.reserve(&heard, &calls) else {
            return Ended::quiet(Outcome::Postponed, told);
        };
        if calls.is_empty() {
            return Ended::quiet(Outcome::Withheld(Withheld::Unchanged), told);
        }
        if self.send.effect.subject.is_some() && !self.is_still_so(&calls, is_doubtful).await {
            return Ended::quiet(Outcome::Postponed, told);
        }
        if let Some(tool) = &self.connection.tool {
            return self.act(tool, &calls, heard, told).await;
        }
        let mut last = None;
        for call in calls {
            let (outcome, note) = self.call(&call, now).await;
            let value = match outcome {
                Outcome::Delivered { .. } => call.tells.map(|one| one.value),
                outcome if outcome.is_unsure() => Some(Telling::UNSURE),
                _ => None,
            };
            let key = call.tells.and_then(|one| heard.key(&one.to));
            if let (Some(key), Some(value)) = (key, value) {
                let tell = Tell { key, value };
                self.told.note(tell);
                told.push(tell);
            }
            if !matches!(outcome, Outcome::Delivered { .. }) {
                return Ended { outcome, note, told, taken: None };
            }
            last = Some(outcome);
        }
        Ended::quiet(last.unwrap_or(Outcome::Postponed), told)
    }

    /// Whether the same is to be told now that nobody else tells them anything. The end may have been
    /// found to be news to nobody after this was looked up, and before that was known.
    async fn is_still_so(&self, calls: &[Call], is_doubtful: bool) -> bool {
        let tells = |calls: &[Call]| calls.iter().map(|call| call.tells).collect::<Vec<_>>();
        let (again, _) = self.calls(self.told.of(&self.send.effect, is_doubtful)).await;
        again.is_ok_and(|again| tells(&again) == tells(calls))
    }

    /// What is to be sent, and what was found to be known by whom.
    async fn calls(&self, heard: Heard) -> (Result<Vec<Call>, Outcome>, Option<Heard>) {
        let (feed, effect) = (Arc::clone(&self.parts.feed), self.send.effect);
        let connection = self.connection.id;
        let read = move || (feed.calls(&effect, connection, &heard), heard);
        let (read, heard) = match tokio::task::spawn_blocking(read).await {
            Ok((read, heard)) => (read, Some(heard)),
            Err(error) => {
                log_chain(&error, "reading a body ended");
                return (Err(Outcome::failed(Failure::Bug)), None);
            }
        };
        let calls = read.map_err(|error| match error {
            BodyError::Erased => Outcome::Withheld(Withheld::Erased),
            BodyError::Suppressed => Outcome::Withheld(Withheld::Suppressed),
            BodyError::Withheld(reason) => Outcome::Withheld(reason),
            BodyError::Gone => Outcome::failed(Failure::BodyGone),
            BodyError::Early => Outcome::Postponed,
            BodyError::Unavailable(_) => {
                log_chain(&error, "a body could not be read, trying again");
                Outcome::Postponed
            }
        });
        (calls, heard)
    }

    async fn call(&self, call: &Call, now: Time) -> (Outcome, String) {
        let (effect, connection) = (&self.send.effect.id, self.connection);
        let key = match &call.tells {
            Some(telling) => webhook::key_to(effect, connection.id, &telling.to),
            None => webhook::key(effect, connection.id),
        };
        let outbound = &self.parts.outbound;
        let body = call.body.clone();
        let Ok(request) = webhook::request(outbound, connection, &key, body, now) else {
            return (Outcome::failed(Failure::Blocked), String::new());
        };
        match outbound.post(request, now).await {
            Ok(answer) => match Outcome::of_status(answer.status, answer.retry_after) {
                outcome @ Outcome::Delivered { .. } => (outcome, String::new()),
                outcome => (outcome, webhook::note(&answer.body)),
            },
            Err(failure) => (Outcome::failed(failure), String::new()),
        }
    }
}
