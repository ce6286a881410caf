//! What speaks to receivers that are no webhooks. The server implements it; delivery only asks.
//!
//! A connection with a tool has actions. An effect is opened first: that says which of the actions want
//! it. Then they are carried out one after the other, in the order of their numbers, each with an outcome
//! of its own. Nothing here decides when: turns, retries and counting are the lane's.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use selfsame_event::Clock;

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
}

/// Something to be delivered, looked at.
pub trait Letter: Send + Sync {
    /// The actions that want it; the whole where none does.
    fn wanted_by(&self) -> Share;

    /// Carries out an action. Ends in its time, whatever the receiver does.
    fn carry<'a>(&'a self, action: u8, job: Job<'a>) -> Carrying<'a>;
}

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
