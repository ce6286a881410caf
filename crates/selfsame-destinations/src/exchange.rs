//! The requests that one event, or a batch of them, becomes, one after the other.
//!
//! An exchange decides and does nothing: it is asked for the next request, is told what was answered,
//! and is asked again. The same events, settings and answers give the same requests, so an exchange
//! that was interrupted is carried on by being told again what was answered before.

use std::borrow::Cow;

use selfsame_mapping::Scope;
use serde_json::{Map, Value, json};

use crate::answer::{Outcome, Reply, Verdict, verdict};
use crate::manifest::{Lets, Manifest, Requirement, Step, Subscription};
use crate::request::{Request, RequestError};

/// Most requests of an exchange.
pub const MAX_REQUESTS: usize = 1_000;

/// Whom requests are sent for, and when.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'c> {
    /// Its settings, secrets included.
    pub settings: &'c Value,
    /// `access_token` and what else OAuth has left; null without.
    pub auth: &'c Value,
    /// What an audience is at the destination; null for other events.
    pub audience: &'c Value,
    /// The moment, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Why nothing is sent for an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The mapping fails on it.
    #[error("the mapping fails at {pointer}: {reason}")]
    Mapping {
        /// Where in the mapping.
        pointer: String,
        /// Why.
        reason: String,
    },
    /// What the mapping gives is not what the fields need.
    #[error("{}", .0.join("; "))]
    Payload(Vec<String>),
    /// A requirement does not hold.
    #[error("{0}")]
    Requirement(String),
    /// A request cannot be made of it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It would take too many requests.
    #[error("it would take more than {MAX_REQUESTS} requests")]
    TooMany,
    /// The action sends no batches.
    #[error("the action sends no batches")]
    NoBatch,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Send this, and say what was answered.
    Send(Box<Request>),
    /// There is nothing more to send.
    Done(Done),
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Everything was sent and found good.
    Delivered,
    /// The manifest says that nothing is sent for such events.
    Skipped,
    /// Nothing can be sent.
    Refused(Refusal),
    /// A request was answered otherwise.
    Answered {
        /// The step.
        step: String,
        /// What the answer means.
        verdict: Verdict,
    },
}

/// A value in reach, the exchange's own or somebody else's.
type Held<'e> = (String, Cow<'e, Value>);

/// The requests of one event or of a batch.
#[derive(Debug)]
pub struct Exchange<'e> {
    manifest: &'e Manifest,
    steps: &'e [Step],
    now_ms: i64,
    held: Vec<Held<'e>>,
    replies: Value,
    at: usize,
    /// The list of the step under way, and how many of it were sent.
    each: Option<(Vec<Value>, usize)>,
    sent: usize,
    waits: bool,
    skipped: bool,
    /// Of a batch: which of its events are in it.
    members: Vec<usize>,
}

fn scope<'s>(held: &'s [Held<'_>], now_ms: i64) -> Scope<'s> {
    held.iter().fold(Scope::at(now_ms), |scope, (name, value)| scope.with(name, value))
}

fn take<'e>(held: &mut Vec<Held<'e>>, lets: &Lets, now_ms: i64) {
    for (name, tree) in lets {
        let value = tree.value(&scope(held, now_ms));
        // What is undefined hides nothing that an earlier value of the name could show.
        held.retain(|(one, _)| one != name);
        if let Some(value) = value {
            held.push((name.clone(), Cow::Owned(value)));
        }
    }
}

fn demand(require: &[Requirement], scope: &Scope<'_>) -> Result<(), Refusal> {
    match require.iter().find(|one| !one.that.holds(scope)) {
        Some(one) => Err(Refusal::Requirement(one.message.text(scope).unwrap_or_default())),
        None => Ok(()),
    }
}

impl Manifest {
    /// The exchange of one event.
    ///
    /// # Errors
    ///
    /// Nothing is sent for it.
    pub fn exchange<'e>(
        &'e self,
        subscription: &'e Subscription,
        event: &'e Value,
        connection: Connection<'e>,
    ) -> Result<Exchange<'e>, Refusal> {
        let Some(action) = self.action(&subscription.action) else {
            return Err(Refusal::Payload(vec![format!("no action `{}`", subscription.action)]));
        };
        let prepared = self.prepare(subscription, event, connection, true)?;
        let mut exchange = self.begin(&action.steps, connection.now_ms, prepared.held);
        exchange.skipped = prepared.skipped;
        Ok(exchange)
    }

    /// The exchange of several events, and those that are not in it.
    ///
    /// # Errors
    ///
    /// Nothing is sent for any of them.
    pub fn batch_exchange<'e>(
        &'e self,
        subscription: &'e Subscription,
        events: &'e [Value],
        connection: Connection<'e>,
    ) -> Result<(Exchange<'e>, Vec<(usize, Refusal)>), Refusal> {
        let action = self.action(&subscription.action);
        let Some(batch) = action.and_then(|action| action.batch.as_ref()) else {
            return Err(Refusal::NoBatch);
        };
        let (mut payloads, mut items, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut members = Vec::new();
        let mut refused = Vec::new();
        for (index, event) in events.iter().enumerate() {
            match self.prepare(subscription, event, connection, false) {
                Ok(prepared) if prepared.skipped => {}
                Ok(mut prepared) => {
                    payloads.push(prepared.payload);
                    kept.push(event.clone());
                    members.push(index);
                    let item = prepared.held.pop().filter(|(name, _)| name == "item");
                    items.push(item.map_or(Value::Null, |(_, item)| item.into_owned()));
                }
                Err(refusal) => refused.push((index, refusal)),
            }
        }
        let mut held = self.base(subscription, connection);
        let empty = payloads.is_empty();
        for (name, list) in [("payloads", payloads), ("items", items), ("events", kept)] {
            held.push((name.to_owned(), Cow::Owned(Value::Array(list))));
        }
        take(&mut held, &self.lets, connection.now_ms);
        take(&mut held, &batch.lets, connection.now_ms);
        if !empty {
            demand(&batch.require, &scope(&held, connection.now_ms))?;
        }
        let mut exchange = self.begin(&batch.steps, connection.now_ms, held);
        exchange.skipped = empty;
        exchange.members = members;
        Ok((exchange, refused))
    }

    /// The exchange that deletes a person, where the destination can; the event has their ids.
    pub fn deletion_exchange<'e>(
        &'e self,
        event: &'e Value,
        connection: Connection<'e>,
    ) -> Option<Exchange<'e>> {
        let mut held = self.around(connection);
        held.push(("event".to_owned(), Cow::Borrowed(event)));
        Some(self.begin(self.deletion()?, connection.now_ms, held))
    }

    /// The exchange that makes an audience, or looks for one, where the destination can.
    pub fn audience_exchange<'e>(
        &'e self,
        make: bool,
        connection: Connection<'e>,
    ) -> Option<Exchange<'e>> {
        let audience = self.audience.as_ref()?;
        let steps = if make { &audience.create } else { &audience.get };
        Some(self.begin(steps.as_deref()?, connection.now_ms, self.around(connection)))
    }

    /// What the destination calls an audience, by the answer to the last request of its exchange.
    pub fn audience_id(&self, reply: &Reply, connection: Connection<'_>) -> Option<Value> {
        let shown = reply.shown();
        let scope =
            Scope::at(connection.now_ms).with("audience", connection.audience).with("r", &shown);
        self.audience.as_ref()?.external_id.as_ref()?.value(&scope)
    }

    /// The exchange that asks for the choices of a field, where the manifest says how.
    pub fn choices_exchange<'e>(
        &'e self,
        field: &str,
        event: &'e Value,
        connection: Connection<'e>,
    ) -> Option<Exchange<'e>> {
        let (_, dynamic) = self.dynamic_fields.iter().find(|(name, _)| name == field)?;
        let mut held = self.around(connection);
        held.push(("event".to_owned(), Cow::Borrowed(event)));
        Some(self.begin(&dynamic.steps, connection.now_ms, held))
    }

    /// The choices of a field, by the answer: a list of `{label, value}`.
    pub fn choices(&self, field: &str, reply: &Reply) -> Option<Value> {
        let (_, dynamic) = self.dynamic_fields.iter().find(|(name, _)| name == field)?;
        let shown = reply.shown();
        dynamic.choices.value(&Scope::at(0).with("r", &shown))
    }

    /// What an event has to have in common with the others of its batch, where its action sends batches.
    ///
    /// # Errors
    ///
    /// Nothing is sent for the event.
    pub fn batch_key(
        &self,
        subscription: &Subscription,
        event: &Value,
        connection: Connection<'_>,
    ) -> Result<Option<Vec<Value>>, Refusal> {
        let action = self.action(&subscription.action);
        let Some(batch) = action.and_then(|action| action.batch.as_ref()) else { return Ok(None) };
        let prepared = self.prepare(subscription, event, connection, false)?;
        let scope = scope(&prepared.held, connection.now_ms);
        let key = batch.key.iter().map(|one| one.value(&scope).unwrap_or(Value::Null));
        Ok(Some(key.collect()))
    }

    fn begin<'e>(&'e self, steps: &'e [Step], now_ms: i64, held: Vec<Held<'e>>) -> Exchange<'e> {
        Exchange {
            manifest: self,
            steps,
            now_ms,
            held,
            replies: Value::Object(Map::new()),
            at: 0,
            each: None,
            sent: 0,
            waits: false,
            skipped: false,
            members: Vec::new(),
        }
    }

    fn around<'e>(&self, connection: Connection<'e>) -> Vec<Held<'e>> {
        vec![
            ("settings".to_owned(), Cow::Borrowed(connection.settings)),
            ("auth".to_owned(), Cow::Borrowed(connection.auth)),
            ("audience".to_owned(), Cow::Borrowed(connection.audience)),
        ]
    }

    fn base<'e>(
        &self,
        subscription: &'e Subscription,
        connection: Connection<'e>,
    ) -> Vec<Held<'e>> {
        let mut held = self.around(connection);
        held.push(("sync".to_owned(), Cow::Borrowed(&subscription.sync)));
        held.push(("action".to_owned(), Cow::Owned(json!(subscription.action))));
        held
    }

    /// What one event is for its action: the payload, and every value of the manifest.
    fn prepare<'e>(
        &'e self,
        subscription: &'e Subscription,
        event: &'e Value,
        connection: Connection<'e>,
        single: bool,
    ) -> Result<Prepared<'e>, Refusal> {
        let action = self.action(&subscription.action).ok_or(Refusal::NoBatch)?;
        let payload = subscription.mapping.try_resolve(event).map_err(|failure| {
            Refusal::Mapping { pointer: failure.pointer, reason: failure.reason }
        })?;
        let payload = action.fields.without_empty(payload, single);
        let payload = action.fields.accept(payload, connection.now_ms).map_err(Refusal::Payload)?;
        let mut held = self.base(subscription, connection);
        held.push(("event".to_owned(), Cow::Borrowed(event)));
        held.push(("payload".to_owned(), Cow::Owned(payload.clone())));
        take(&mut held, &self.lets, connection.now_ms);
        take(&mut held, &action.lets, connection.now_ms);
        demand(&action.require, &scope(&held, connection.now_ms))?;
        let skipped =
            action.skip.as_ref().is_some_and(|skip| skip.holds(&scope(&held, connection.now_ms)));
        if let Some(item) = &action.item {
            let item = item.value(&scope(&held, connection.now_ms)).unwrap_or(Value::Null);
            held.push(("item".to_owned(), Cow::Owned(item)));
        }
        Ok(Prepared { held, payload, skipped })
    }
}

struct Prepared<'e> {
    held: Vec<Held<'e>>,
    payload: Value,
    skipped: bool,
}

impl Exchange<'_> {
    /// Of a batch: the places of the events that are in it, in order; the others were refused or have nothing
    /// to send.
    pub fn members(&self) -> &[usize] {
        &self.members
    }

    /// The next request, behind the answer to the one before.
    pub fn next(&mut self, reply: Option<&Reply>) -> Next {
        if self.skipped {
            return Next::Done(Done::Skipped);
        }
        if let Some(reply) = reply.filter(|_| self.waits)
            && let Some(done) = self.answered(reply)
        {
            return Next::Done(done);
        }
        match self.send() {
            Ok(Some(request)) => Next::Send(Box::new(request)),
            Ok(None) if self.sent == 0 => Next::Done(Done::Skipped),
            Ok(None) => Next::Done(Done::Delivered),
            Err(refusal) => Next::Done(Done::Refused(refusal)),
        }
    }

    fn hold(&mut self, name: &str, value: Value) {
        self.held.retain(|(one, _)| one != name);
        self.held.push((name.to_owned(), Cow::Owned(value)));
    }

    /// The request of the step under way, or of the next one that is taken.
    fn send(&mut self) -> Result<Option<Request>, Refusal> {
        while let Some(step) = self.steps.get(self.at) {
            self.hold("steps", self.replies.clone());
            if self.each.is_none() {
                let scope = scope(&self.held, self.now_ms);
                if step.when.as_ref().is_some_and(|when| !when.holds(&scope)) {
                    self.at += 1;
                    continue;
                }
                if let Some(each) = &step.each {
                    let list = match each.evaluate(&scope) {
                        Value::Array(list) => list,
                        _ => Vec::new(),
                    };
                    self.each = Some((list, 0));
                }
            }
            if let Some((list, sent)) = &self.each {
                let Some(one) = list.get(*sent).cloned() else {
                    self.each = None;
                    self.at += 1;
                    continue;
                };
                let index = *sent;
                self.hold("one", one);
                self.hold("index", json!(index));
            }
            take(&mut self.held, &step.lets, self.now_ms);
            let scope = scope(&self.held, self.now_ms);
            demand(&step.require, &scope)?;
            let mut request = step.request.render(&self.manifest.defaults, &scope)?;
            if step.request.auth {
                self.manifest.auth.apply(&mut request, &scope, self.now_ms)?;
            }
            for hmac in &self.manifest.sign {
                hmac.apply(&mut request, &scope)?;
            }
            if self.sent == MAX_REQUESTS {
                return Err(Refusal::TooMany);
            }
            self.sent += 1;
            self.waits = true;
            return Ok(Some(request));
        }
        Ok(None)
    }

    /// What the answer to the step under way means, if it ends the exchange.
    fn answered(&mut self, reply: &Reply) -> Option<Done> {
        self.waits = false;
        let step = self.steps.get(self.at)?;
        let shown = reply.shown();
        let around = scope(&self.held, self.now_ms).with("r", &shown);
        let id = Value::String(step.id.clone());
        let verdict = verdict(
            &self.manifest.responses,
            step.ok.as_ref(),
            reply,
            &around.clone().with("step", &id),
        );
        if verdict.outcome != Outcome::Ok {
            return Some(Done::Answered { step: step.id.clone(), verdict });
        }
        let fails = step.fail.as_ref().and_then(|fail| {
            let value = fail.value(&around)?;
            (!matches!(value, Value::Null | Value::Bool(false)))
                .then(|| crate::request::text(&value))
        });
        if let Some(message) = fails {
            return Some(Done::Refused(Refusal::Requirement(message.unwrap_or_default())));
        }
        let stops = step.stop.as_ref().is_some_and(|stop| stop.holds(&around));
        if let (Some(_), Value::Object(replies)) = (&self.each, &mut self.replies) {
            let list = replies.entry(step.id.clone()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(shown);
            }
        } else {
            self.replies[step.id.as_str()] = shown;
        }
        match &mut self.each {
            Some((_, sent)) => *sent += 1,
            None => self.at += 1,
        }
        stops.then_some(Done::Delivered)
    }
}

#[cfg(test)]
mod tests;
