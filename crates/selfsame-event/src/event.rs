//! One event of the wire format, read from its JSON without copying.

use std::borrow::Cow;

use crate::context::{Context, Shared};
use crate::limits;
use crate::raw::{Kind, Raw};
use crate::{EventType, Refusal, Time};

/// An accepted event: every field is checked, absent ones (missing, `null`, or an empty id) are
/// `None`.
#[derive(Debug, Clone)]
pub struct Event<'a> {
    /// Which of the six calls.
    pub kind: EventType,
    /// The sender's id of the event. Where it is missing, the fold derives one from the record id.
    pub message_id: Option<Cow<'a, str>>,
    /// `userId`
    pub user_id: Option<Cow<'a, str>>,
    /// `anonymousId`
    pub anonymous_id: Option<Cow<'a, str>>,
    /// `groupId`
    pub group_id: Option<Cow<'a, str>>,
    /// `previousId`
    pub previous_id: Option<Cow<'a, str>>,
    /// `event`, of a track call.
    pub event: Option<Cow<'a, str>>,
    /// `name`, of a page or screen.
    pub name: Option<Cow<'a, str>>,
    /// `category`, of a page or screen.
    pub category: Option<Cow<'a, str>>,
    /// The sender's clock when the call was made (`timestamp`, else `originalTimestamp`).
    pub original_timestamp: Option<Time>,
    /// The sender's clock when the event was sent.
    pub sent_at: Option<Time>,
    /// `properties`, an object.
    pub properties: Option<Raw<'a>>,
    /// `traits`, an object.
    pub traits: Option<Raw<'a>>,
    /// `context`, the event's own and its batch's.
    pub context: Context<'a>,
    /// `integrations`, the event's own or its batch's, whatever it is.
    pub integrations: Option<Raw<'a>>,
    /// A checksum of what the event says, without what a retry changes: two events of one
    /// `messageId` with other checksums are not the same event.
    pub fingerprint: u32,
    /// The whole event as it came.
    pub raw: Raw<'a>,
}

/// Keys that a client may write anew when it sends an event again.
const CHANGED_BY_A_RETRY: [&str; 3] = ["sentAt", "writeKey", "_metadata"];

/// The values of an event's top-level keys, before they are checked.
#[derive(Default)]
struct Fields<'a> {
    kind: Option<Raw<'a>>,
    message_id: Option<Raw<'a>>,
    user_id: Option<Raw<'a>>,
    anonymous_id: Option<Raw<'a>>,
    group_id: Option<Raw<'a>>,
    previous_id: Option<Raw<'a>>,
    event: Option<Raw<'a>>,
    name: Option<Raw<'a>>,
    category: Option<Raw<'a>>,
    timestamp: Option<Raw<'a>>,
    original_timestamp: Option<Raw<'a>>,
    sent_at: Option<Raw<'a>>,
    properties: Option<Raw<'a>>,
    traits: Option<Raw<'a>>,
    context: Option<Raw<'a>>,
    integrations: Option<Raw<'a>>,
    fingerprint: u32,
}

impl<'a> Fields<'a> {
    fn read(raw: Raw<'a>) -> Self {
        let mut fields = Self::default();
        raw.each_field(|key, value| {
            if !CHANGED_BY_A_RETRY.contains(&key) {
                let of_key = crc32c::crc32c_append(fields.fingerprint, key.as_bytes());
                fields.fingerprint = crc32c::crc32c_append(of_key, value.text().as_bytes());
            }
            let slot = match key {
                "type" => &mut fields.kind,
                "messageId" => &mut fields.message_id,
                "userId" => &mut fields.user_id,
                "anonymousId" => &mut fields.anonymous_id,
                "groupId" => &mut fields.group_id,
                "previousId" => &mut fields.previous_id,
                "event" => &mut fields.event,
                "name" => &mut fields.name,
                "category" => &mut fields.category,
                "timestamp" => &mut fields.timestamp,
                "originalTimestamp" => &mut fields.original_timestamp,
                "sentAt" => &mut fields.sent_at,
                "properties" => &mut fields.properties,
                "traits" => &mut fields.traits,
                "context" => &mut fields.context,
                "integrations" => &mut fields.integrations,
                _ => return,
            };
            *slot = Some(value).filter(|value| !value.is_null());
        });
        fields
    }
}

impl<'a> Event<'a> {
    /// Reads one event. What it shares with the rest of its request fills what it does not say
    /// itself, except for the type: the one that the route names wins.
    pub fn read(raw: Raw<'a>, shared: &Shared<'a>) -> Result<Self, Refusal> {
        if raw.kind() != Kind::Object {
            return Err(Refusal::NotObject);
        }
        let fields = Fields::read(raw);
        let named = || EventType::from_name(&fields.kind?.string()?);
        let kind = shared.implied.or_else(named).ok_or(Refusal::TypeUnknown)?;
        let event = Self {
            kind,
            message_id: message_id(fields.message_id)?,
            user_id: id(fields.user_id)?,
            anonymous_id: id(fields.anonymous_id)?,
            group_id: id(fields.group_id)?,
            previous_id: id(fields.previous_id)?,
            event: track_name(kind, fields.event)?,
            name: page_text(kind, fields.name, Refusal::NameNotString, false)?,
            category: page_text(kind, fields.category, Refusal::CategoryNotString, true)?,
            original_timestamp: time(fields.timestamp).or_else(|| time(fields.original_timestamp)),
            sent_at: time(fields.sent_at).or(shared.sent_at),
            properties: object(fields.properties, Refusal::PropertiesNotObject)?,
            traits: object(fields.traits, Refusal::TraitsNotObject)?,
            context: Context {
                own: object(fields.context, Refusal::ContextNotObject)?,
                shared: shared.context,
            },
            integrations: fields.integrations.or(shared.integrations),
            fingerprint: fields.fingerprint,
            raw,
        };
        event.check_ids()?;
        event.check_keys()?;
        if let Some(context) = event.context.own {
            check_context(context)?;
        }
        Ok(event)
    }

    /// When it happened, by the receiver's clock: the sender's clock is corrected by how far it was
    /// off when the event was sent, and nothing happens after it was received.
    pub fn happened_at(&self, received_at: Time) -> Time {
        self.corrected_at(received_at).min(received_at)
    }

    /// The corrected timestamp, which may lie in the future: `receivedAt - (sentAt - original)`.
    pub fn corrected_at(&self, received_at: Time) -> Time {
        match (self.original_timestamp, self.sent_at) {
            (Some(original), Some(sent)) => {
                Time::from_micros(received_at.micros() - (sent.micros() - original.micros()))
            }
            (Some(original), None) => original,
            (None, _) => received_at,
        }
    }

    fn check_ids(&self) -> Result<(), Refusal> {
        let known = self.user_id.is_some() || self.anonymous_id.is_some();
        match self.kind {
            EventType::Alias if self.user_id.is_none() || self.previous_id.is_none() => {
                Err(Refusal::IdRequired)
            }
            EventType::Group if self.group_id.is_none() => Err(Refusal::IdRequired),
            _ if known => Ok(()),
            _ => Err(Refusal::NoId),
        }
    }

    fn check_keys(&self) -> Result<(), Refusal> {
        for object in [self.properties, self.traits].into_iter().flatten() {
            // An object of so few bytes can have neither too many keys nor a key that is too long.
            if object.text().len() <= limits::KEY_BYTES {
                continue;
            }
            let (mut count, mut longest) = (0_usize, 0_usize);
            object.each_field(|key, _| {
                count += 1;
                longest = longest.max(key.len());
            });
            if count > limits::PROPERTIES {
                return Err(Refusal::TooManyProperties);
            }
            if longest > limits::KEY_BYTES {
                return Err(Refusal::KeyTooLong);
            }
        }
        Ok(())
    }
}

fn id(value: Option<Raw<'_>>) -> Result<Option<Cow<'_, str>>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let text = value.string().ok_or(Refusal::IdNotString)?;
    Ok(Some(text).filter(|text| !text.trim().is_empty()))
}

fn message_id(value: Option<Raw<'_>>) -> Result<Option<Cow<'_, str>>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    let text = value.string().ok_or(Refusal::MessageIdNotString)?;
    let too_long =
        text.len() > limits::MESSAGE_ID_CHARS && text.chars().count() > limits::MESSAGE_ID_CHARS;
    if too_long {
        Err(Refusal::MessageIdTooLong)
    } else {
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

fn track_name(kind: EventType, value: Option<Raw<'_>>) -> Result<Option<Cow<'_, str>>, Refusal> {
    if kind != EventType::Track {
        return Ok(None);
    }
    let text = value.ok_or(Refusal::EventNotDefined)?.string().ok_or(Refusal::EventNotString)?;
    if text.is_empty() { Err(Refusal::EventNotDefined) } else { Ok(Some(text)) }
}

fn page_text(
    kind: EventType,
    value: Option<Raw<'_>>,
    refusal: Refusal,
    may_be_empty: bool,
) -> Result<Option<Cow<'_, str>>, Refusal> {
    if !matches!(kind, EventType::Page | EventType::Screen) {
        return Ok(None);
    }
    let Some(value) = value else { return Ok(None) };
    let text = value.string().ok_or(refusal)?;
    if text.is_empty() && !may_be_empty { Err(refusal) } else { Ok(Some(text)) }
}

fn object(value: Option<Raw<'_>>, refusal: Refusal) -> Result<Option<Raw<'_>>, Refusal> {
    match value {
        Some(value) if value.kind() != Kind::Object => Err(refusal),
        value => Ok(value),
    }
}

fn time(value: Option<Raw<'_>>) -> Option<Time> {
    Time::parse(&value?.string()?)
}

fn check_context(context: Raw<'_>) -> Result<(), Refusal> {
    let (mut consent, mut device) = (None, None);
    context.each_field(|key, value| match key {
        "consent" => consent = Some(value),
        "device" => device = Some(value),
        _ => {}
    });
    if let Some(advertising) = device.and_then(|device| device.get("advertisingId"))
        && !matches!(advertising.kind(), Kind::String | Kind::Null)
    {
        return Err(Refusal::AdvertisingIdNotString);
    }
    match consent.filter(|consent| !consent.is_null()) {
        Some(consent) => check_consent(consent),
        None => Ok(()),
    }
}

fn check_consent(consent: Raw<'_>) -> Result<(), Refusal> {
    if consent.kind() != Kind::Object {
        return Err(Refusal::ConsentNotObject);
    }
    let preferences = consent.get("categoryPreferences").filter(|value| !value.is_null());
    let preferences = preferences.ok_or(Refusal::ConsentPreferencesMissing)?;
    if preferences.kind() != Kind::Object {
        return Err(Refusal::ConsentNotObject);
    }
    let mut all_bool = true;
    preferences.each_field(|_, value| all_bool &= value.kind() == Kind::Bool);
    if !all_bool {
        return Err(Refusal::ConsentNotBool);
    }
    match consent.get("version") {
        Some(version) if !matches!(version.kind(), Kind::Number | Kind::Null) => {
            Err(Refusal::ConsentVersionNotNumber)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
