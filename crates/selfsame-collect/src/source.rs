//! The sources, as far as collecting has to know them.

use std::sync::Arc;

use selfsame_event::{SourceNumber, Time};

use crate::{Problem, TokenKeys};

/// Finds sources by their write keys. Asked once per request: cheap, and without a lock.
pub trait Sources: Send + Sync + 'static {
    /// The source of a write key.
    fn by_key(&self, key: &str) -> Lookup;
    /// The identity keys of a source. Asked only when an event has a token.
    fn token_keys(&self, source: SourceNumber) -> Arc<TokenKeys>;
    /// Whether a token allows to send to a source. Asked only where the source needs one.
    fn authorize(&self, source: SourceNumber, token: &str, now: Time) -> Result<(), Problem>;
}

impl<T: Sources> Sources for Arc<T> {
    fn by_key(&self, key: &str) -> Lookup {
        T::by_key(self, key)
    }

    fn token_keys(&self, source: SourceNumber) -> Arc<TokenKeys> {
        T::token_keys(self, source)
    }

    fn authorize(&self, source: SourceNumber, token: &str, now: Time) -> Result<(), Problem> {
        T::authorize(self, source, token, now)
    }
}

/// What is known of a write key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// It belongs to a source.
    Active(SourceSettings),
    /// It belonged to a source.
    Revoked,
    /// Nobody has it.
    Unknown,
}

/// What a source says about collecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceSettings {
    /// Its number in records.
    pub number: SourceNumber,
    /// Whether an invalid event is answered 400 instead of 200. For tests of a tracking code; SDKs
    /// drop or repeat a whole batch on it.
    pub strict: bool,
    /// Who sends to it.
    pub kind: SourceKind,
    /// Which script its browsers get.
    pub browser_sdk: BrowserSdk,
    /// Whether a request needs a token of one of its OAuth clients.
    pub oauth: bool,
}

/// Which script browsers of a source get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrowserSdk {
    /// Segment's.
    Official,
    /// Ours.
    Selfsame,
}

/// Who sends to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// Browsers: the address of the connection is the sender's own.
    Browser,
    /// Apps on phones: the address of the connection is the sender's own.
    Mobile,
    /// Servers: the address of the connection says nothing about a customer.
    Server,
    /// Not said: the route decides, as browsers and phones have routes of their own.
    #[default]
    ByRoute,
}

impl SourceKind {
    /// Whether the address of the connection is the customer's; `by_route`: what the route says.
    pub(crate) fn is_client(self, by_route: bool) -> bool {
        match self {
            Self::Browser | Self::Mobile => true,
            Self::Server => false,
            Self::ByRoute => by_route,
        }
    }
}
