//! What speaks to receivers that are no webhooks. The server implements it; delivery only asks.
//!
//! A connection with a tool has actions. An effect is opened first: that says which of the actions want
//! it. Then they are carried out one after the other, in the order of their numbers, each with an outcome
//! of its own. Nothing here decides when: turns, retries and counting are the lane's.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use selfsame_event::{Clock, Time};
use serde_json::Value;

use crate::feed::EffectKind;
use crate::integrations;
use crate::outbound::Outbound;
use crate::outcome::{Failure, Outcome};
use crate::share::Share;

/// What a connection speaks to its receiver with. Two are equal only if they are the same one.
#[derive(Debug, Clone)]
pub struct Spoken(pub Arc<dyn Tool>);

impl PartialEq for Spoken {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Spoken {}

/// Speaks to a receiver.
pub trait Tool: Send + Sync + fmt::Debug + 'static {
    /// Looks at what is to be delivered.
    ///
    /// # Errors
    ///
    /// Nothing can ever be made of it.
    fn open(self: Arc<Self>, body: &Bytes) -> Result<Box<dyn Letter>, Failure>;

    /// Until when nothing is to be sent, for a reason that the receiver does not have to say again: what it
    /// allows for a day is used up.
    fn waits_until(&self, now: Time) -> Option<Time> {
        let _ = now;
        None
    }

    /// Looks at an event that others may look at, too.
    ///
    /// # Errors
    ///
    /// Nothing can ever be made of it.
    fn open_shared(self: Arc<Self>, body: &Body) -> Result<Box<dyn Letter>, Failure> {
        self.open(body.bytes())
    }

    /// How many events of one person it may be given at once, of which it says which go in order.
    fn together(&self) -> usize {
        1
    }

    /// How many events it may be given at once, of whomever: about what goes in one of its requests.
    fn at_once(&self) -> usize {
        self.together()
    }

    /// The events that it may want. Others are filtered without being opened.
    fn interests(&self) -> Vec<Interest> {
        vec![Interest::all()]
    }
}

/// Events that somebody may want: those of these types and names. None: any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interest {
    /// Of these types.
    pub kinds: Option<BTreeSet<EffectKind>>,
    /// With an `event` that is one of these.
    pub names: Option<BTreeSet<String>>,
}

impl Interest {
    /// All of them.
    pub fn all() -> Self {
        Self { kinds: None, names: None }
    }

    pub(crate) fn has_kind(&self, kind: EffectKind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }
}

/// The JSON of an event. Whoever parses it first does so for all that have it.
#[derive(Debug, Clone)]
pub struct Body(Arc<Read>);

#[derive(Debug)]
struct Read {
    bytes: Bytes,
    value: OnceLock<Option<Arc<Value>>>,
    /// Whether it may say who gets it.
    chooses: OnceLock<bool>,
}

impl Body {
    /// A body that nobody has parsed.
    pub fn new(bytes: Bytes) -> Self {
        Self(Arc::new(Read { bytes, value: OnceLock::new(), chooses: OnceLock::new() }))
    }

    /// Its text.
    pub fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// Whether it is for a connection that its `integrations` call so.
    pub(crate) fn allows(&self, names: &[String]) -> bool {
        let may_choose = || integrations::may_choose(&self.0.bytes);
        !*self.0.chooses.get_or_init(may_choose) || integrations::allows(&self.0.bytes, names)
    }

    /// What it is; none where it is no JSON.
    pub fn value(&self) -> Option<Arc<Value>> {
        let parse = || serde_json::from_slice(&self.0.bytes).ok().map(Arc::new);
        self.0.value.get_or_init(parse).clone()
    }
}

/// Something to be delivered, looked at.
pub trait Letter: Any + Send + Sync {
    /// The actions that want it; the whole where none does.
    fn wanted_by(&self) -> Share;

    /// Carries out an action. Ends in its time, whatever the receiver does.
    fn carry<'a>(&'a self, action: u8, job: Job<'a>) -> Carrying<'a>;

    /// With which others an action takes an event.
    fn company(&self, action: u8) -> Company {
        let _ = action;
        Company::None
    }

    /// Carries out an action that takes several events at once, for events that the same tool opened; those of one
    /// person follow each other in their order. Of an event behind one of the same person that has to be tried
    /// again it says that it was not tried.
    fn carry_all<'a>(&'a self, action: u8, riders: &'a [Rider<'a>]) -> CarryingAll<'a> {
        Box::pin(async move {
            let mut all = Vec::with_capacity(riders.len());
            for rider in riders {
                all.push(rider.letter.carry(action, rider.job).await);
            }
            all
        })
    }
}

/// With which others an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Company {
    /// With none.
    None,
    /// With those of other people.
    Others,
    /// With those of other people, and with others of its person in their order.
    InOrder,
}

/// One of several events that go at once.
#[derive(Clone, Copy)]
pub struct Rider<'a> {
    /// The event.
    pub letter: &'a dyn Letter,
    /// Whose it is: the same for those of one person.
    pub person: usize,
    /// What it is carried out with.
    pub job: Job<'a>,
}

impl fmt::Debug for Rider<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rider").field("person", &self.person).finish_non_exhaustive()
    }
}

/// What stands in front of a webhook. Two are equal only if they are the same one.
#[derive(Debug, Clone)]
pub struct Before(pub Arc<dyn Change>);

impl PartialEq for Before {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Before {}

/// Changes what a webhook is sent.
pub trait Change: Send + Sync + fmt::Debug + 'static {
    /// What is sent in place of this; or how the attempt ends. Ends in its time.
    fn change<'a>(&'a self, body: &'a Bytes) -> Changing<'a>;
}

/// A change under way.
pub type Changing<'a> = Pin<Box<dyn Future<Output = Result<Bytes, Carried>> + Send + 'a>>;

/// What an action is carried out with.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The idempotency key of the effect, connection, action and recipient: the same at every attempt.
    pub key: &'a str,
    /// The way out.
    pub outbound: &'a Outbound,
    /// Whether this machine may be sent to.
    pub allow_loopback: bool,
    /// How long a request may take in all, where the tool does not say so.
    pub timeout: Duration,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// An action under way.
pub type Carrying<'a> = Pin<Box<dyn Future<Output = Carried> + Send + 'a>>;

/// An action under way for several events.
pub type CarryingAll<'a> = Pin<Box<dyn Future<Output = Vec<Carried>> + Send + 'a>>;

/// How an action went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// How it ended.
    pub outcome: Outcome,
    /// What there is to say about it: the beginning of a failed answer, or why nothing was sent.
    pub note: String,
}

impl Carried {
    /// One about which there is nothing to say.
    pub fn quiet(outcome: Outcome) -> Self {
        Self { outcome, note: String::new() }
    }
}
