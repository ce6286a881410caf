//! One event of the wire format, read from its JSON without copying.

use std::borrow::Cow;

use crate::context::{Context, Shared};
use crate::cursor::{Checking, Cursor, Walking};
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
    write_key: Option<Raw<'a>>,
    property_keys: Keys,
    trait_keys: Keys,
    said: ContextSays<'a>,
    tokens: Vec<Raw<'a>>,
    fingerprint: u32,
}

/// The keys directly in an object.
#[derive(Default)]
struct Keys {
    count: usize,
    longest: usize,
}

/// What is checked of an event's own context.
#[derive(Default)]
struct ContextSays<'a> {
    consent: Option<Raw<'a>>,
    device: Option<Raw<'a>>,
    direct: Option<Raw<'a>>,
    token: Option<Raw<'a>>,
}

/// The key in `context` of the token that proves the event's user id.
pub const IDENTITY_TOKEN: &str = "identityToken";

impl<'a> Fields<'a> {
    /// Passes over an object and takes what it says. The fingerprint is only taken of a text that
    /// was checked before.
    fn take<const CHECKED: bool>(&mut self, cursor: &mut Cursor<'a, CHECKED>) -> Option<Raw<'a>> {
        cursor.object(|key, cursor| {
            let value = match key {
                "properties" => self.property_keys.take(cursor)?,
                "traits" => self.trait_keys.take(cursor)?,
                "context" => self.said.take(cursor, &mut self.tokens)?,
                _ => cursor.value()?,
            };
            if !CHECKED && !CHANGED_BY_A_RETRY.contains(&key) {
                let of_key = crc32c::crc32c_append(self.fingerprint, key.as_bytes());
                self.fingerprint = crc32c::crc32c_append(of_key, value.text().as_bytes());
            }
            if let Some(slot) = self.slot(key) {
                *slot = Some(value).filter(|value| !value.is_null());
            }
            Some(())
        })
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<Raw<'a>>> {
        Some(match key {
            "type" => &mut self.kind,
            "messageId" => &mut self.message_id,
            "userId" => &mut self.user_id,
            "anonymousId" => &mut self.anonymous_id,
            "groupId" => &mut self.group_id,
            "previousId" => &mut self.previous_id,
            "event" => &mut self.event,
            "name" => &mut self.name,
            "category" => &mut self.category,
            "timestamp" => &mut self.timestamp,
            "originalTimestamp" => &mut self.original_timestamp,
            "sentAt" => &mut self.sent_at,
            "properties" => &mut self.properties,
            "traits" => &mut self.traits,
            "context" => &mut self.context,
            "integrations" => &mut self.integrations,
            "writeKey" => &mut self.write_key,
            _ => return None,
        })
    }
}

impl Keys {
    fn take<'a, const CHECKED: bool>(
        &mut self,
        cursor: &mut Cursor<'a, CHECKED>,
    ) -> Option<Raw<'a>> {
        *self = Self::default();
        if cursor.peek()? != b'{' {
            return cursor.value();
        }
        cursor.object(|key, cursor| {
            self.count += 1;
            self.longest = self.longest.max(key.len());
            cursor.value().map(drop)
        })
    }

    fn check(&self) -> Result<(), Refusal> {
        match self {
            _ if self.count > limits::PROPERTIES => Err(Refusal::TooManyProperties),
            _ if self.longest > limits::KEY_BYTES => Err(Refusal::KeyTooLong),
            _ => Ok(()),
        }
    }
}

impl<'a> ContextSays<'a> {
    fn take<const CHECKED: bool>(
        &mut self,
        cursor: &mut Cursor<'a, CHECKED>,
        tokens: &mut Vec<Raw<'a>>,
    ) -> Option<Raw<'a>> {
        *self = Self::default();
        if cursor.peek()? != b'{' {
            return cursor.value();
        }
        cursor.object(|key, cursor| {
            let value = Some(cursor.value()?);
            match key {
                "consent" => self.consent = value,
                "device" => self.device = value,
                "direct" => self.direct = value,
                IDENTITY_TOKEN => {
                    self.token = value;
                    tokens.extend(value);
                }
                _ => {}
            }
            Some(())
        })
    }

    fn check(&self) -> Result<(), Refusal> {
        if let Some(advertising) = self.device.and_then(|device| device.get("advertisingId"))
            && !matches!(advertising.kind(), Kind::String | Kind::Null)
        {
            return Err(Refusal::AdvertisingIdNotString);
        }
        match self.consent.filter(|consent| !consent.is_null()) {
            Some(consent) => check_consent(consent),
            None => Ok(()),
        }
    }
}

/// An item of a body, as it was found in the pass that checked its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// The whole item as it came.
    pub raw: Raw<'a>,
    /// Its own `writeKey`.
    pub write_key: Option<Raw<'a>>,
    /// What [`Event::read`] will say of it, whatever it shares with others. Of a valid event: what
    /// its own context says of `direct`, if anything.
    pub verdict: Result<Option<bool>, Refusal>,
    /// What its own context says of `identityToken`, if anything.
    pub token: Option<Raw<'a>>,
    /// Every value that has that key, wherever the key or the context is repeated: none of them may
    /// be kept.
    pub tokens: Vec<Raw<'a>>,
}

impl<'a> Event<'a> {
    /// Checks the text of an item and the event in it, in one pass. `None` if it is not JSON within
    /// the bounds of the cursor.
    pub fn find(cursor: &mut Checking<'a>, implied: Option<EventType>) -> Option<Found<'a>> {
        if cursor.peek()? != b'{' {
            let verdict = Err(Refusal::NotObject);
            let raw = cursor.value()?;
            return Some(Found { raw, write_key: None, verdict, token: None, tokens: Vec::new() });
        }
        let mut fields = Fields::default();
        let raw = fields.take(cursor)?;
        let shared = Shared { implied, ..Shared::default() };
        let verdict = Self::accept(raw, &fields, &shared);
        let verdict = verdict.map(|_| fields.said.direct.map(|raw| raw.bool() == Some(true)));
        let Fields { write_key, said, tokens, .. } = fields;
        Some(Found { raw, write_key, verdict, token: said.token, tokens })
    }

    /// Reads one event. What it shares with the rest of its request fills what it does not say
    /// itself, except for the type: the one that the route names wins.
    pub fn read(raw: Raw<'a>, shared: &Shared<'a>) -> Result<Self, Refusal> {
        if raw.kind() != Kind::Object {
            return Err(Refusal::NotObject);
        }
        let mut fields = Fields::default();
        fields.take(&mut Walking::over(raw));
        let time = |value: Option<Raw<'_>>| Time::parse(&value?.string()?);
        Ok(Self {
            original_timestamp: time(fields.timestamp).or_else(|| time(fields.original_timestamp)),
            sent_at: time(fields.sent_at).or(shared.sent_at),
            fingerprint: fields.fingerprint,
            ..Self::accept(raw, &fields, shared)?
        })
    }

    /// Everything that an event can be refused for, and nothing that it cannot: times and the
    /// fingerprint are left out.
    fn accept(raw: Raw<'a>, fields: &Fields<'a>, shared: &Shared<'a>) -> Result<Self, Refusal> {
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
            original_timestamp: None,
            sent_at: None,
            properties: object(fields.properties, Refusal::PropertiesNotObject)?,
            traits: object(fields.traits, Refusal::TraitsNotObject)?,
            context: Context {
                own: object(fields.context, Refusal::ContextNotObject)?,
                shared: shared.context,
            },
            integrations: fields.integrations.or(shared.integrations),
            fingerprint: 0,
            raw,
        };
        event.check_ids()?;
        fields.property_keys.check()?;
        fields.trait_keys.check()?;
        fields.said.check()?;
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
