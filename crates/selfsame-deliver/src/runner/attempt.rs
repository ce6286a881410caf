//! One attempt to deliver: the requests that an effect needs, one after the other.

use std::sync::Arc;

use selfsame_event::Time;

use crate::connection::Connection;
use crate::deliverer::{Parts, log_chain};
use crate::feed::{BodyError, Call};
use crate::lane::{Report, Send, Taken, Try};
use crate::metrics;
use crate::outcome::{Failure, Outcome, Withheld};
use crate::pages::Pages;
use crate::told::{Heard, Tell, Telling, Told};
use crate::tool::{Body, Carried, Job, Letter};
use crate::webhook;

/// What the attempts of a connection are made with, as it is configured now.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) parts: Parts,
    pub(super) connection: Arc<Connection>,
    pub(super) pages: Arc<Pages>,
    pub(super) told: Told,
}

impl Around {
    pub(super) fn attempt(&self, send: Send) -> Attempt<'_> {
        Attempt { around: self, send }
    }

    /// Makes one attempt. Each request ends in the connection's time, whatever the receiver does.
    pub(super) async fn make(&self, send: Send) -> Report {
        let (started, began) = self.now();
        let attempt = self.attempt(send);
        let ended = match send.effect.subject {
            // In a box: events, of which there are more, need less.
            Some(_) => Box::pin(attempt.run(self.told.of(&send.effect), started)).await,
            None => attempt.send_event(started).await,
        };
        ended.report(started, self.took_ms(began))
    }

    /// The time, and that of a clock that nobody sets.
    pub(super) fn now(&self) -> Moment {
        (self.parts.clock.wall(), self.parts.clock.monotonic_micros())
    }

    pub(super) fn took_ms(&self, began: u64) -> u32 {
        let took = self.parts.clock.monotonic_micros().saturating_sub(began) / 1_000;
        u32::try_from(took).unwrap_or(u32::MAX)
    }

    /// What an action is carried out with.
    pub(super) fn job<'j>(&'j self, key: &'j str) -> Job<'j> {
        Job {
            key,
            outbound: &self.parts.outbound,
            allow_loopback: self.connection.allow_loopback,
            timeout: self.connection.timeout,
            clock: &*self.parts.clock,
        }
    }

    pub(super) fn tried(&self, action: u8, carried: Carried, (started, began): Moment) -> Try {
        let Carried { outcome, note } = carried;
        Try { action, outcome, started, took_ms: self.took_ms(began), note }
    }
}

/// The time, and that of a clock that nobody sets.
pub(super) type Moment = (Time, u64);

/// Counts what was not sent, by the reason: the whole, or each of its actions.
pub(super) fn count_withheld(outcome: Outcome, taken: Option<&Taken>) {
    let of_actions = taken.into_iter().flat_map(|taken| &taken.tries).map(|one| one.outcome);
    for outcome in of_actions.chain(taken.is_none().then_some(outcome)) {
        if let Outcome::Withheld(reason) = outcome {
            ::metrics::counter!(metrics::WITHHELD, "reason" => reason.label()).increment(1);
        }
    }
}

pub(super) struct Attempt<'a> {
    pub(super) around: &'a Around,
    pub(super) send: Send,
}

/// How an attempt ended.
#[derive(Clone)]
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

/// How an attempt ends for which there is no body.
fn outcome_of(error: &BodyError) -> Outcome {
    match error {
        BodyError::Erased => Outcome::Withheld(Withheld::Erased),
        BodyError::Suppressed => Outcome::Withheld(Withheld::Suppressed),
        BodyError::Withheld(reason) => Outcome::Withheld(*reason),
        BodyError::Gone => Outcome::failed(Failure::BodyGone),
        BodyError::Early => Outcome::Postponed,
        BodyError::Unavailable(_) => {
            log_chain(error, "a body could not be read, trying again");
            Outcome::Postponed
        }
    }
}

impl Attempt<'_> {
    /// Delivers an event. It tells nobody anything that is kept.
    async fn send_event(&self, now: Time) -> Ended {
        let read = self.around.pages.body(&self.send.effect).await;
        let body = match self.meant(read) {
            Ok(body) => body,
            Err(outcome) => return Ended::quiet(outcome, Vec::new()),
        };
        match &self.around.connection.tool {
            Some(tool) => match Arc::clone(&tool.0).open_shared(&body) {
                Ok(letter) => Box::pin(self.act(&[(None, &*letter)], Heard::nothing())).await,
                Err(failure) => Ended::quiet(Outcome::failed(failure), Vec::new()),
            },
            None => {
                let call = Call { tells: None, body: body.bytes().clone() };
                let (outcome, note) = self.call(&call, now).await;
                Ended { outcome, note, told: Vec::new(), taken: None }
            }
        }
    }

    /// What an event is, by what was read of it, or how the attempt ends.
    pub(super) fn meant(&self, read: Result<Body, BodyError>) -> Result<Body, Outcome> {
        let body = read.map_err(|error| outcome_of(&error))?;
        match body.allows(&self.around.connection.called) {
            true => Ok(body),
            false => Err(Outcome::Withheld(Withheld::Excluded)),
        }
    }

    async fn run(&self, heard: Heard, now: Time) -> Ended {
        let quiet = |outcome| Ended::quiet(outcome, Vec::new());
        let (calls, heard) = match self.calls(heard).await {
            (Ok(calls), Some(heard)) => (calls, heard),
            (Ok(_), None) => return quiet(Outcome::Postponed),
            (Err(outcome), _) => return quiet(outcome),
        };
        // Somebody else tells one of them something just now: then there is less to tell, or more. That
        // holds for nothing to tell, too: who is just being told that somebody entered has to hear the end.
        let Some(_reserved) = self.around.told.reserve(&heard, &calls) else {
            return quiet(Outcome::Postponed);
        };
        if calls.is_empty() {
            return quiet(Outcome::Withheld(Withheld::Unchanged));
        }
        if self.send.effect.subject.is_some() && !self.is_still_so(&calls).await {
            return quiet(Outcome::Postponed);
        }
        if let Some(tool) = &self.around.connection.tool {
            let open = |call: &Call| Arc::clone(&tool.0).open(&call.body);
            let letters: Result<Vec<Box<dyn Letter>>, Failure> = calls.iter().map(open).collect();
            return match letters {
                Ok(letters) => {
                    let tells = calls.iter().map(|call| call.tells);
                    let letters = letters.iter().map(|letter| &**letter);
                    let opened: Vec<_> = tells.zip(letters).collect();
                    self.act(&opened, heard).await
                }
                Err(failure) => quiet(Outcome::failed(failure)),
            };
        }
        self.hook(calls, heard, now).await
    }

    /// Sends a webhook one request for each call. The first that is not taken ends it; one that is dropped
    /// in front of it is not to be sent, and known.
    async fn hook(&self, calls: Vec<Call>, heard: Heard, now: Time) -> Ended {
        let (mut last, mut told) = ((Outcome::Postponed, String::new()), Vec::new());
        for call in calls {
            let (outcome, note) = self.call(&call, now).await;
            let value = match outcome {
                Outcome::Delivered { .. } | Outcome::Withheld(_) => call.tells.map(|one| one.value),
                outcome if outcome.is_unsure() => Some(Telling::UNSURE),
                _ => None,
            };
            let key = call.tells.and_then(|one| heard.key(&one.to));
            if let (Some(key), Some(value)) = (key, value) {
                let tell = Tell { key, value };
                self.around.told.note(tell);
                told.push(tell);
            }
            match (outcome, last.0) {
                // What was sent counts.
                (Outcome::Withheld(_), Outcome::Delivered { .. }) => {}
                (Outcome::Delivered { .. } | Outcome::Withheld(_), _) => last = (outcome, note),
                (Outcome::Failed { .. } | Outcome::Postponed, _) => {
                    return Ended { outcome, note, told, taken: None };
                }
            }
        }
        let (outcome, note) = last;
        Ended { outcome, note, told, taken: None }
    }

    /// Whether the same is to be told now that nobody else tells them anything. The end may have been
    /// found to be news to nobody after this was looked up, and before that was known.
    async fn is_still_so(&self, calls: &[Call]) -> bool {
        let tells = |calls: &[Call]| calls.iter().map(|call| call.tells).collect::<Vec<_>>();
        let (again, _) = self.calls(self.around.told.of(&self.send.effect)).await;
        again.is_ok_and(|again| tells(&again) == tells(calls))
    }

    /// What is to be sent, and what was found to be known by whom.
    async fn calls(&self, heard: Heard) -> (Result<Vec<Call>, Outcome>, Option<Heard>) {
        let (feed, effect) = (Arc::clone(&self.around.parts.feed), self.send.effect);
        let connection = self.around.connection.id;
        let read = move || (feed.calls(&effect, connection, &heard), heard);
        let (read, heard) = match tokio::task::spawn_blocking(read).await {
            Ok((read, heard)) => (read, Some(heard)),
            Err(error) => {
                log_chain(&error, "reading a body ended");
                return (Err(Outcome::failed(Failure::Bug)), None);
            }
        };
        let calls = read.map_err(|error| outcome_of(&error));
        (calls, heard)
    }

    async fn call(&self, call: &Call, now: Time) -> (Outcome, String) {
        let (effect, connection) = (&self.send.effect.id, &*self.around.connection);
        let key = match &call.tells {
            Some(telling) => webhook::key_to(effect, connection.id, &telling.to),
            None => webhook::key(effect, connection.id),
        };
        let outbound = &self.around.parts.outbound;
        let body = match &connection.before {
            Some(before) => match before.0.change(&call.body).await {
                Ok(body) => body,
                Err(carried) => return (carried.outcome, carried.note),
            },
            None => call.body.clone(),
        };
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
