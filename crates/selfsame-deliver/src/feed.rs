//! What delivery reads: effects in order, and their bodies.
//!
//! The server implements [`Feed`] over the outbox and the log.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use selfsame_event::{Class, EventType, ItemPosition, ProfileId, Time};
use tokio::sync::watch;

use crate::connection::ConnectionId;
use crate::lag::{Measured, Question};
use crate::outcome::Withheld;
use crate::pages::Name;
use crate::told::{Heard, Telling};

/// What kind of thing happened: the code of an [`EventType`] (1 to 6), or a number of the server's
/// for derived events. Below 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EffectKind(pub u8);

impl From<EventType> for EffectKind {
    fn from(kind: EventType) -> Self {
        Self(kind.code())
    }
}

/// What an effect is about: what connections choose by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic {
    /// What happened.
    pub kind: EffectKind,
    /// To what, of a derived event; an event has none.
    pub subject: Option<u32>,
}

impl<K: Into<EffectKind>> From<K> for Topic {
    fn from(kind: K) -> Self {
        Self { kind: kind.into(), subject: None }
    }
}

/// One thing that connections may want to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// Where it is: unique, and ascending in the order of the feed.
    pub at: ItemPosition,
    /// Its identity: the same whenever it is derived again.
    pub id: [u8; 16],
    /// Whose it is. Effects of one profile are delivered in order.
    pub profile: ProfileId,
    /// What happened.
    pub kind: EffectKind,
    /// To what, of a derived event. Of the effects of one profile, kind and subject a newer one replaces
    /// older ones that were not sent yet.
    pub subject: Option<u32>,
    /// The log time of its record.
    pub log_time: Time,
}

impl Effect {
    /// What it is about.
    pub fn topic(&self) -> Topic {
        Topic { kind: self.kind, subject: self.subject }
    }
}

/// One request of those that deliver an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What it tells whom, where that is kept.
    pub tells: Option<Telling>,
    /// The JSON to deliver.
    pub body: Bytes,
}

/// A place in the feed and the number of effects before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedEnd {
    /// Every effect so far is before this place.
    pub at: ItemPosition,
    /// How many effects there ever were before this place, by the rules in force. Less for a later place
    /// only where rules were published in between by which some events are nobody's.
    pub effects: u64,
}

/// Some effects, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// Every effect at or behind the place asked for and before `next`.
    pub effects: Vec<Effect>,
    /// Where to read on. The place asked for if there was nothing.
    pub next: ItemPosition,
}

/// Why the feed could not be read. It is read again later.
#[derive(Debug, thiserror::Error)]
#[error("the feed cannot be read")]
pub struct FeedError {
    /// What the feed said.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
    /// Whether it is worth another try.
    pub class: Class,
}

impl FeedError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        self.class
    }
}

/// Why an effect has no body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It was erased. The effect ends, counted as withheld.
    #[error("the body was erased")]
    Erased,
    /// Consent or suppression forbid it now. The effect ends, counted as withheld.
    #[error("the profile does not allow it")]
    Suppressed,
    /// It is not to be sent, for this reason. The effect ends, counted as withheld or superseded.
    #[error("it is not to be sent: {}", .0.label())]
    Withheld(Withheld),
    /// It was removed with old log segments. The effect becomes a dead letter.
    #[error("the body was removed with old records")]
    Gone,
    /// What it depends on is not there yet, or not again, as after a crash. Tried again, without counting as an
    /// attempt.
    #[error("what it depends on is not there yet")]
    Early,
    /// It cannot be read now. Tried again, without counting as an attempt.
    #[error("the body cannot be read now")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl BodyError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Erased | Self::Gone => Class::Missing,
            Self::Suppressed | Self::Withheld(_) => Class::Denied,
            Self::Early | Self::Unavailable(_) => Class::Unavailable,
        }
    }
}

/// Where effects come from. Calls may read files: they are made on blocking threads.
pub trait Feed: Send + Sync + fmt::Debug + 'static {
    /// At most `max` effects from this place on.
    fn read(&self, from: ItemPosition, max: usize) -> Result<FeedPage, FeedError>;
    /// The JSON to deliver of an event. Read only when it is sent.
    fn body(&self, effect: &Effect) -> Result<Bytes, BodyError>;
    /// Says of each of these events which name it has, as its `event` has it; of those of which it says nothing
    /// that is not known.
    fn names(
        &self,
        _events: &[Effect],
        _say: &mut dyn FnMut(usize, Name<'_>),
    ) -> Result<(), FeedError> {
        Ok(())
    }
    /// The JSON of each of these events; none where [`Feed::body`] says why there is none.
    fn bodies(&self, events: &[Effect]) -> Vec<Option<Bytes>> {
        events.iter().map(|event| self.body(event).ok()).collect()
    }
    /// The requests that deliver an effect to a connection, whose receiver was told that much; made when
    /// it is sent. None where there is nothing to tell.
    fn calls(
        &self,
        effect: &Effect,
        connection: ConnectionId,
        heard: &Heard,
    ) -> Result<Vec<Call>, BodyError> {
        let _ = (connection, heard);
        Ok(vec![Call { tells: None, body: self.body(effect)? }])
    }
    /// Notes, by [`Heard::doubt`], whom a derived event may have told what: a process that ended suddenly may
    /// have sent it to a connection without writing that down.
    fn doubt(
        &self,
        effect: &Effect,
        connection: ConnectionId,
        heard: &Heard,
    ) -> Result<(), BodyError> {
        let _ = (effect, connection, heard);
        Ok(())
    }
    /// No process before this one, whose cursor was there, can have sent what is at this place or behind it.
    fn unsent(&self, cursor: ItemPosition) -> ItemPosition;
    /// The derived events that a connection wants to hear of now. It is at least as new as the end.
    fn wanted(&self, connection: ConnectionId) -> BTreeSet<Topic> {
        let _ = connection;
        BTreeSet::new()
    }
    /// Which of these events match a text that says which are meant. The server says what language that is.
    fn matches(&self, effects: &[Effect], text: &str) -> Result<Vec<bool>, FeedError>;
    /// The first place that can still be read, body and all.
    fn first(&self) -> ItemPosition;
    /// How far a place is from the end, and which places are near it.
    fn measure(&self, question: Question) -> Result<Measured, FeedError>;
    /// The end, as it moves. Only what is durable may show here.
    fn subscribe(&self) -> watch::Receiver<FeedEnd>;
}
