//! What an event shares with the rest of its request.

use std::borrow::Cow;

use crate::{EventType, Raw, Time};

/// What a request says once for all of its events: the envelope of a batch, and the route's type.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shared<'a> {
    /// The type that the route names.
    pub implied: Option<EventType>,
    /// The sender's clock when the request was sent.
    pub sent_at: Option<Time>,
    /// The batch's `context`, an object.
    pub context: Option<Raw<'a>>,
    /// The batch's `integrations`.
    pub integrations: Option<Raw<'a>>,
}

/// An event's `context`: its own keys, and those of its batch that it does not have itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The event's own.
    pub own: Option<Raw<'a>>,
    /// The batch's.
    pub shared: Option<Raw<'a>>,
}

impl<'a> Context<'a> {
    /// The value of a key.
    pub fn get(self, key: &str) -> Option<Raw<'a>> {
        let of = |context: Option<Raw<'a>>| context.and_then(|context| context.get(key));
        of(self.own).or_else(|| of(self.shared))
    }

    /// The value at the end of a path of keys.
    pub fn at(self, path: &[&str]) -> Option<Raw<'a>> {
        let (first, rest) = path.split_first()?;
        self.get(first)?.at(rest)
    }

    /// Both as one JSON object, the event's own keys first.
    pub fn merged(self) -> Option<Cow<'a, str>> {
        let (own, shared) = match (self.own, self.shared) {
            (Some(own), Some(shared)) => (own, shared),
            (own, shared) => return own.or(shared).map(|one| Cow::Borrowed(one.text())),
        };
        let mut merged = String::with_capacity(own.text().len() + shared.text().len());
        let mut push = |key: &str, value: Raw<'_>| {
            merged.push(if merged.is_empty() { '{' } else { ',' });
            merged.push_str(&serde_json::to_string(key).unwrap_or_default());
            merged.push(':');
            merged.push_str(value.text());
        };
        own.each_field(&mut push);
        shared.each_field(|key, value| {
            if own.get(key).is_none() {
                push(key, value);
            }
        });
        merged.push_str(if merged.is_empty() { "{}" } else { "}" });
        Some(Cow::Owned(merged))
    }
}
