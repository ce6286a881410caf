//! An event as it is shown and delivered: Segment's stored form, with what the log adds.
//!
//! The values of properties, traits, context and integrations are copied as the text they came as.

use std::borrow::Cow;

use selfsame_event::{Class, Event, EventType, EventsHead, Raw, Refusal};
use selfsame_log::Record;

use super::json::JsonObject;
use crate::step::derived_message_id;

/// Why an event cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The record has no item of that number.
    #[error("the record has no item {index}")]
    Item {
        /// The number.
        index: u32,
    },
    /// The event was accepted by rules that have changed since.
    #[error("the event is not one any more")]
    Refused(#[source] Refusal),
}

impl RenderError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Item { .. } => Class::Missing,
            Self::Refused(_) => Class::Invalid,
        }
    }
}

/// The JSON of an event of a record; none where its body was erased. `head` is the record's head.
pub fn render_event(
    record: &Record,
    head: &EventsHead,
    index: u32,
) -> Result<Option<String>, RenderError> {
    let item = usize::try_from(index).ok().and_then(|index| record.items.get(index));
    let Some(body) = item.ok_or(RenderError::Item { index })?.body() else { return Ok(None) };
    let event = head.event(body).map_err(RenderError::Refused)?;
    let mut out = JsonObject::default();
    out.text("type", event.kind.name());
    out.text("messageId", &message_id(&event, record, index));
    let ids = [
        ("userId", &event.user_id),
        ("anonymousId", &event.anonymous_id),
        ("groupId", &event.group_id),
        ("previousId", &event.previous_id),
        ("event", &event.event),
        ("name", &event.name),
        ("category", &event.category),
    ];
    for (key, value) in ids {
        out.text_if(key, value.as_deref());
    }
    let (needs_properties, needs_traits) = match event.kind {
        EventType::Track | EventType::Page | EventType::Screen => (true, false),
        EventType::Identify | EventType::Group => (false, true),
        EventType::Alias => (false, false),
    };
    for (key, value, is_needed) in
        [("properties", event.properties, needs_properties), ("traits", event.traits, needs_traits)]
    {
        if let Some(text) = value.map(Raw::text).or(is_needed.then_some("{}")) {
            out.raw(key, text);
        }
    }
    out.raw("context", &context(&event, head));
    if let Some(integrations) = event.integrations {
        out.raw("integrations", integrations.text());
    }
    out.text("timestamp", &event.happened_at(record.time).to_string());
    let times = [("originalTimestamp", event.original_timestamp), ("sentAt", event.sent_at)];
    for (key, time) in times {
        out.text_if(key, time.map(|time| time.to_string()).as_deref());
    }
    out.text("receivedAt", &record.time.to_string());
    Ok(Some(out.finish()))
}

/// The sender's id of an event, or the one derived from its record.
pub(super) fn message_id<'e>(event: &'e Event<'_>, record: &Record, index: u32) -> Cow<'e, str> {
    match event.message_id.as_deref() {
        Some(id) => Cow::Borrowed(id),
        None => Cow::Owned(derived_message_id(record.id, index)),
    }
}

/// The event's context and its batch's. The address is the request's, unless the event says one.
pub(super) fn context(event: &Event<'_>, head: &EventsHead) -> String {
    let merged = event.context.merged().unwrap_or(Cow::Borrowed("{}"));
    match head.ip.as_deref().filter(|_| event.context.get("ip").is_none()) {
        Some(ip) => JsonObject::with(Raw::trusted(&merged)).text("ip", ip).finish(),
        None => merged.into_owned(),
    }
}
