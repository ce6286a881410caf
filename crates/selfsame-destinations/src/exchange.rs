//! The requests that one event, or a batch of them, becomes, one after the other.
//!
//! An exchange decides and does nothing: it is asked for the next request, is told what was answered,
//! and is asked again. The same events, settings and answers give the same requests, so an exchange
//! that was interrupted is carried on by being told again what was answered before.

use std::borrow::Cow;

use selfsame_mapping::{Item, Scope};
use serde_json::Value;

use crate::answer::{Outcome, Reply, Verdict, verdict};
use crate::field::Around;
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

/// The requests of one event or of a batch.
#[derive(Debug)]
pub struct Exchange<'e> {
    manifest: &'e Manifest,
    steps: &'e [Step],
    now_ms: i64,
    scope: Scope<'e>,
    /// What was answered, by step.
    replies: Vec<(&'e str, Answers<'e>)>,
    at: usize,
    /// The list of the step under way, and how many of it were sent.
    each: Option<(Vec<Item<'e>>, usize)>,
    sent: usize,
    waits: bool,
    skipped: bool,
    /// Of a batch: which of its events are in it.
    members: Vec<usize>,
}

/// The answer to a step, or one for each item of its list.
#[derive(Debug)]
enum Answers<'e> {
    One(Item<'e>),
    Each(Vec<Item<'e>>),
}

fn take<'e>(scope: &mut Scope<'e>, lets: &'e Lets) {
    for (name, tree) in lets {
        let item = tree.item(scope);
        scope.set(name, item);
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
        event: impl Into<Item<'e>>,
        connection: Connection<'e>,
    ) -> Result<Exchange<'e>, Refusal> {
        let Some(action) = self.action(&subscription.action) else {
            return Err(Refusal::Payload(vec![format!("no action `{}`", subscription.action)]));
        };
        let prepared = self.prepare(subscription, event.into(), connection, true)?;
        let mut exchange = self.begin(&action.steps, connection.now_ms, prepared.scope);
        exchange.skipped = prepared.skipped;
        Ok(exchange)
    }

    /// The exchange of several events, and those that are not in it.
    ///
    /// # Errors
    ///
    /// Nothing is sent for any of them.
    pub fn batch_exchange<'e, I: Into<Item<'e>>>(
        &'e self,
        subscription: &'e Subscription,
        events: impl IntoIterator<Item = I>,
        connection: Connection<'e>,
    ) -> Result<(Exchange<'e>, Vec<(usize, Refusal)>), Refusal> {
        let action = self.action(&subscription.action);
        let Some(batch) = action.and_then(|action| action.batch.as_ref()) else {
            return Err(Refusal::NoBatch);
        };
        let (mut payloads, mut items, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut members = Vec::new();
        let mut refused = Vec::new();
        for (index, event) in events.into_iter().enumerate() {
            let event = event.into();
            match self.prepare(subscription, event.clone(), connection, false) {
                Ok(prepared) if prepared.skipped => {}
                Ok(prepared) => {
                    payloads.push(prepared.scope.get("payload"));
                    items.push(match prepared.scope.get("item") {
                        Item::Undefined => Item::Null,
                        item => item,
                    });
                    kept.push(event);
                    members.push(index);
                }
                Err(refusal) => refused.push((index, refusal)),
            }
        }
        let mut scope = self.base(subscription, connection);
        let empty = payloads.is_empty();
        for (name, list) in [("payloads", payloads), ("items", items), ("events", kept)] {
            scope.set(name, Item::list(list));
        }
        take(&mut scope, &batch.lets);
        if !empty {
            demand(&batch.require, &scope)?;
        }
        let mut exchange = self.begin(&batch.steps, connection.now_ms, scope);
        exchange.skipped = empty;
        exchange.members = members;
        Ok((exchange, refused))
    }

    /// The exchange that deletes a person, where the destination can; the event has their ids.
    pub fn deletion_exchange<'e>(
        &'e self,
        event: impl Into<Item<'e>>,
        connection: Connection<'e>,
    ) -> Option<Exchange<'e>> {
        let scope = self.around(connection).with("event", event);
        Some(self.begin(self.deletion()?, connection.now_ms, scope))
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
        let around = Scope::at(connection.now_ms).with("audience", connection.audience);
        let scope = around.with("r", reply.shown());
        self.audience.as_ref()?.external_id.as_ref()?.value(&scope)
    }

    /// The exchange that asks for the choices of a field, where the manifest says how.
    pub fn choices_exchange<'e>(
        &'e self,
        field: &str,
        event: impl Into<Item<'e>>,
        connection: Connection<'e>,
    ) -> Option<Exchange<'e>> {
        let (_, dynamic) = self.dynamic_fields.iter().find(|(name, _)| name == field)?;
        let scope = self.around(connection).with("event", event);
        Some(self.begin(&dynamic.steps, connection.now_ms, scope))
    }

    /// The choices of a field, by the answer: a list of `{label, value}`.
    pub fn choices(&self, field: &str, reply: &Reply) -> Option<Value> {
        let (_, dynamic) = self.dynamic_fields.iter().find(|(name, _)| name == field)?;
        dynamic.choices.value(&Scope::at(0).with("r", reply.shown()))
    }

    /// What an event has to have in common with the others of its batch, where its action sends batches.
    ///
    /// # Errors
    ///
    /// Nothing is sent for the event.
    pub fn batch_key<'e>(
        &'e self,
        subscription: &'e Subscription,
        event: impl Into<Item<'e>>,
        connection: Connection<'e>,
    ) -> Result<Option<Vec<Value>>, Refusal> {
        let action = self.action(&subscription.action);
        let Some(batch) = action.and_then(|action| action.batch.as_ref()) else { return Ok(None) };
        if batch.key.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let scope = self.prepare(subscription, event.into(), connection, false)?.scope;
        let key = batch.key.iter().map(|one| one.value(&scope).unwrap_or(Value::Null));
        Ok(Some(key.collect()))
    }

    fn begin<'e>(&'e self, steps: &'e [Step], now_ms: i64, scope: Scope<'e>) -> Exchange<'e> {
        Exchange {
            manifest: self,
            steps,
            now_ms,
            scope,
            replies: Vec::new(),
            at: 0,
            each: None,
            sent: 0,
            waits: false,
            skipped: false,
            members: Vec::new(),
        }
    }

    fn around<'e>(&self, connection: Connection<'e>) -> Scope<'e> {
        Scope::at(connection.now_ms)
            .with("settings", connection.settings)
            .with("auth", connection.auth)
            .with("audience", connection.audience)
    }

    fn base<'e>(&self, subscription: &'e Subscription, connection: Connection<'e>) -> Scope<'e> {
        self.around(connection)
            .with("sync", &subscription.sync)
            .with("action", Item::Text(&subscription.action))
    }

    /// What one event is for its action: the payload, and every value that the action needs.
    pub(crate) fn prepare<'e>(
        &'e self,
        subscription: &'e Subscription,
        event: Item<'e>,
        connection: Connection<'e>,
        single: bool,
    ) -> Result<Prepared<'e>, Refusal> {
        let action = self.action(&subscription.action).ok_or(Refusal::NoBatch)?;
        let payload = subscription.mapping.item(&event).map_err(|failure| Refusal::Mapping {
            pointer: failure.pointer,
            reason: failure.reason,
        })?;
        let around = Around { single, now_ms: connection.now_ms };
        let payload = action.fields.payload(payload, around).map_err(Refusal::Payload)?;
        let mut scope =
            self.base(subscription, connection).with("event", event).with("payload", payload);
        take(&mut scope, if single { &action.lets } else { &action.lets_of_event });
        demand(&action.require, &scope)?;
        let skipped = action.skip.as_ref().is_some_and(|skip| skip.holds(&scope));
        if let Some(item) = &action.item {
            let item = item.item(&scope);
            scope.set("item", if item.is_undefined() { Item::Null } else { item });
        }
        Ok(Prepared { scope, skipped })
    }
}

/// An event, ready for its action.
pub(crate) struct Prepared<'e> {
    pub(crate) scope: Scope<'e>,
    /// Whether nothing is sent of it.
    pub(crate) skipped: bool,
}

impl<'e> Exchange<'e> {
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

    /// What was answered so far, as expressions see it.
    fn steps_item(&self) -> Item<'e> {
        let shown = |answers: &Answers<'e>| match answers {
            Answers::One(item) => item.clone(),
            Answers::Each(items) => Item::list(items.clone()),
        };
        let fields = self.replies.iter();
        Item::object(fields.map(|(id, one)| (Cow::Borrowed(*id), shown(one))).collect())
    }

    /// The request of the step under way, or of the next one that is taken.
    fn send(&mut self) -> Result<Option<Request>, Refusal> {
        while let Some(step) = self.steps.get(self.at) {
            if self.each.is_none() {
                let steps = self.steps_item();
                self.scope.set("steps", steps);
                if step.when.as_ref().is_some_and(|when| !when.holds(&self.scope)) {
                    self.at += 1;
                    continue;
                }
                if let Some(each) = &step.each {
                    self.each = Some((each.item(&self.scope).into_elements(), 0));
                }
            }
            if let Some((list, sent)) = &self.each {
                let Some(one) = list.get(*sent).cloned() else {
                    self.each = None;
                    self.at += 1;
                    continue;
                };
                let index = u32::try_from(*sent).unwrap_or(u32::MAX);
                self.scope.set("one", one);
                self.scope.set("index", Item::Number(f64::from(index)));
            }
            take(&mut self.scope, &step.lets);
            let scope = &self.scope;
            demand(&step.require, scope)?;
            let mut request = step.request.render(&self.manifest.defaults, scope)?;
            if step.request.auth {
                self.manifest.auth.apply(&mut request, scope, self.now_ms)?;
            }
            for hmac in &self.manifest.sign {
                hmac.apply(&mut request, scope)?;
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
        if self.steps.len() == 1 && step.is_plain() && self.manifest.responses.is_empty() {
            // Nothing is read of the answer but its status.
            let verdict = verdict(&[], None, reply, &self.scope);
            self.at += 1;
            let is_good = verdict.outcome == Outcome::Ok;
            return (!is_good).then(|| Done::Answered { step: step.id.clone(), verdict });
        }
        let shown = reply.shown();
        let around = self.scope.clone().with("r", shown.clone());
        let verdict = verdict(
            &self.manifest.responses,
            step.ok.as_ref(),
            reply,
            &around.clone().with("step", Item::Text(&step.id)),
        );
        if verdict.outcome != Outcome::Ok {
            return Some(Done::Answered { step: step.id.clone(), verdict });
        }
        let fails = step.fail.as_ref().and_then(|fail| {
            let value = fail.item(&around);
            let is_none = matches!(value, Item::Undefined | Item::Null | Item::Bool(false));
            (!is_none).then(|| value.to_text().unwrap_or_default())
        });
        if let Some(message) = fails {
            return Some(Done::Refused(Refusal::Requirement(message)));
        }
        let stops = step.stop.as_ref().is_some_and(|stop| stop.holds(&around));
        if let Some((_, sent)) = &mut self.each {
            *sent += 1;
            match self.replies.last_mut() {
                Some((id, Answers::Each(answers))) if *id == step.id => answers.push(shown),
                _ => self.replies.push((&step.id, Answers::Each(vec![shown]))),
            }
        } else {
            self.at += 1;
            self.replies.push((&step.id, Answers::One(shown)));
        }
        stops.then_some(Done::Delivered)
    }
}

#[cfg(test)]
mod tests;
