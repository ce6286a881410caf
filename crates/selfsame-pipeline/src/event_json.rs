//! An event as it is shown and delivered: what the sender said, with the receiver's times.
//!
//! Values are copied as the text they came in: a number keeps every digit.

use std::borrow::Cow;

use selfsame_event::{Event, EventType, EventsHead, Raw, Refusal, Time};
use selfsame_log::Record;

use crate::step::derived_message_id;

/// One event of a record, ready to be written as JSON.
#[derive(Debug)]
pub struct EventJson<'a> {
    /// The event.
    pub event: Event<'a>,
    /// Its message id, or the one derived from its record.
    pub message_id: Cow<'a, str>,
    /// When it happened, by the receiver's clock.
    pub timestamp: Time,
    /// When it was received.
    pub received_at: Time,
    ip: Option<&'a str>,
}

impl<'a> EventJson<'a> {
    /// The event of an item.
    pub fn of(
        record: &Record,
        head: &'a EventsHead,
        index: u32,
        item: &'a [u8],
    ) -> Result<Self, Refusal> {
        let event = head.event(item)?;
        let message_id = match &event.message_id {
            Some(id) => id.clone(),
            None => Cow::Owned(derived_message_id(record.id, index)),
        };
        let timestamp = event.happened_at(record.time);
        let ip = head.ip.as_deref();
        Ok(Self { event, message_id, timestamp, received_at: record.time, ip })
    }

    /// The name that definitions and the Profile API use: pages and screens have one too.
    pub fn name(&self) -> Option<Cow<'_, str>> {
        match self.event.kind {
            EventType::Page => Some("Page Viewed".into()),
            EventType::Screen => Some("Screen Viewed".into()),
            _ => self.event.event.as_deref().map(Cow::Borrowed),
        }
    }

    /// `context`, with the address that the event came from where it does not say one.
    pub fn context(&self) -> Cow<'_, str> {
        let context = self.event.context.merged().unwrap_or(Cow::Borrowed("{}"));
        match self.ip.filter(|_| self.event.context.get("ip").is_none()) {
            Some(ip) => Cow::Owned(with_member(&context, "ip", ip)),
            None => context,
        }
    }

    /// The event as one JSON object, and after its own members these texts.
    pub fn with(&self, more: &[(&str, &str)]) -> String {
        let event = &self.event;
        let mut out = Object::new();
        out.text("type", event.kind.name());
        out.text("messageId", &self.message_id);
        let texts = [
            ("anonymousId", &event.anonymous_id),
            ("userId", &event.user_id),
            ("groupId", &event.group_id),
            ("previousId", &event.previous_id),
            ("event", &event.event),
            ("name", &event.name),
            ("category", &event.category),
        ];
        for (key, value) in texts {
            if let Some(value) = value {
                out.text(key, value);
            }
        }
        for (key, value) in [("properties", event.properties), ("traits", event.traits)] {
            if let Some(value) = value {
                out.raw(key, value.text());
            }
        }
        out.raw("context", &self.context());
        if let Some(integrations) = event.integrations.map(Raw::text) {
            out.raw("integrations", integrations);
        }
        let times = [
            ("originalTimestamp", event.original_timestamp),
            ("sentAt", event.sent_at),
            ("receivedAt", Some(self.received_at)),
            ("timestamp", Some(self.timestamp)),
        ];
        for (key, time) in times {
            if let Some(time) = time {
                out.text(key, &time.to_string());
            }
        }
        more.iter().for_each(|(key, value)| out.text(key, value));
        out.finish()
    }
}

/// A JSON object that is being written.
#[derive(Debug)]
pub struct Object(String);

impl Object {
    /// An object without members.
    pub fn new() -> Self {
        Self(String::with_capacity(512))
    }

    /// Adds a string.
    pub fn text(&mut self, key: &str, value: &str) {
        self.raw(key, &quoted(value));
    }

    /// Adds a value that is JSON already.
    pub fn raw(&mut self, key: &str, json: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quoted(key));
        self.0.push(':');
        self.0.push_str(json);
    }

    /// The text of the object.
    pub fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn with_member(object: &str, key: &str, value: &str) -> String {
    let mut out = Object::new();
    for (key, value) in Raw::trusted(object).fields() {
        out.raw(&key, value.text());
    }
    out.text(key, value);
    out.finish()
}
