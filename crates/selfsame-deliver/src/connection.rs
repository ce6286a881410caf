//! A connection: one destination as somebody set it up. Plain data, passed in by the server.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfsame_event::Class;

use crate::feed::{EffectKind, FeedEnd, Topic};
use crate::tool::{Before, Spoken};

/// The identity of a connection, drawn by the server; part of every idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub [u8; 16]);

impl ConnectionId {
    /// Reads what [`ConnectionId`] is shown as.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(Self(id.to_be_bytes()))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which effects a connection wants: events by their kind, derived events by kind and subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    kinds: u64,
    derived: Option<Arc<BTreeSet<Topic>>>,
}

impl Filter {
    /// Every kind of event.
    pub const ALL: Self = Self { kinds: u64::MAX, derived: None };

    /// These kinds of events only.
    pub fn only(kinds: impl IntoIterator<Item = EffectKind>) -> Self {
        let kinds = kinds.into_iter().fold(0, |mask, kind| mask | bit(kind));
        Self { kinds, derived: None }
    }

    /// The same events, and these derived ones.
    pub fn with_derived(&self, derived: BTreeSet<Topic>) -> Self {
        let derived = (!derived.is_empty()).then(|| Arc::new(derived));
        Self { kinds: self.kinds, derived }
    }

    pub(crate) fn bits(&self) -> u64 {
        self.kinds
    }

    pub(crate) fn derived(&self) -> impl Iterator<Item = &Topic> {
        self.derived.iter().flat_map(|derived| derived.iter())
    }

    pub(crate) fn from_bits(kinds: u64) -> Self {
        Self { kinds, derived: None }
    }

    /// Whether this is wanted.
    pub fn accepts(&self, topic: impl Into<Topic>) -> bool {
        let topic = topic.into();
        match topic.subject {
            None => self.kinds & bit(topic.kind) != 0,
            Some(_) => self.derived.as_ref().is_some_and(|derived| derived.contains(&topic)),
        }
    }
}

fn bit(kind: EffectKind) -> u64 {
    1_u64.checked_shl(u32::from(kind.0)).unwrap_or(0)
}

/// Where a connection begins that the ledger does not know yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the effects that come from now on.
    Now,
    /// At a place of the feed.
    At(FeedEnd),
}

/// A key that signs webhooks.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// Why a text is not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// It does not begin with `whsec_`.
    #[error("a webhook secret begins with `whsec_`")]
    Prefix,
    /// What follows is not base64.
    #[error("a webhook secret is base64 after its prefix")]
    Base64,
    /// The key is too short or too long.
    #[error("a webhook secret has 24 to 64 bytes, this one has {0}")]
    Length(usize),
}

impl SecretError {
    /// What the caller can do about it.
    pub fn class(self) -> Class {
        Class::Invalid
    }
}

const PREFIX: &str = "whsec_";

impl Secret {
    /// Reads `whsec_` and the base64 of 24 to 64 bytes.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretError::Prefix)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError::Base64)?;
        if (24..=64).contains(&key.len()) {
            Ok(Self(key))
        } else {
            Err(SecretError::Length(key.len()))
        }
    }

    /// A secret of these bytes, drawn by the caller.
    pub fn from_bytes(key: [u8; 32]) -> Self {
        Self(key.to_vec())
    }

    /// The text that [`Secret::parse`] reads; shown to whoever sets up the receiver.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// In which order the events of a profile go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Each after those before it.
    #[default]
    Strict,
    /// The same, but for one that failed for five minutes: then the others do not wait for it any more.
    Relaxed,
}

/// A connection: a webhook, or one that is spoken to by a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its identity.
    pub id: ConnectionId,
    /// What people call it.
    pub name: String,
    /// The names that an event's `integrations` have for it; the first of them that is there decides.
    pub called: Arc<[String]>,
    /// What speaks to its receiver. Without one it is a webhook, and the address and the keys are its.
    pub tool: Option<Spoken>,
    /// What changes or drops what a webhook is sent, if something does.
    pub before: Option<Before>,
    /// Where it sends to.
    pub url: String,
    /// The key that signs.
    pub secret: Secret,
    /// The key before, while receivers still know it only: then both sign.
    pub previous_secret: Option<Secret>,
    /// Which kinds of events it wants; the others count as filtered. Which derived events it wants is the
    /// feed's to say.
    pub filter: Filter,
    /// Whether it sends. Its cursor waits while it does not.
    pub enabled: bool,
    /// Whether it may send to this machine: for the demo and tests.
    pub allow_loopback: bool,
    /// Whether later events of a profile wait for one that fails for as long as it takes.
    pub order: Order,
    /// How many requests at once, at least 1.
    pub concurrency: usize,
    /// How long a request may take in all.
    pub timeout: Duration,
    /// Where it begins if it is new.
    pub start: Start,
}

impl Connection {
    /// A connection with the usual numbers: 16 requests at once, 30 seconds each.
    pub fn new(id: ConnectionId, url: impl Into<String>, secret: Secret) -> Self {
        Self {
            id,
            name: String::new(),
            called: Arc::default(),
            tool: None,
            before: None,
            url: url.into(),
            secret,
            previous_secret: None,
            filter: Filter::ALL,
            enabled: true,
            allow_loopback: false,
            order: Order::Strict,
            concurrency: 16,
            timeout: Duration::from_secs(30),
            start: Start::Now,
        }
    }
}

#[cfg(test)]
mod tests;
