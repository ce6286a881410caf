//! What Selfsame makes of some identifiers: one profile and its newest events, as the page shows them.

use std::collections::BTreeMap;

use selfsame_event::{Collection, EventType, Raw};
use selfsame_pipeline::{EventQuery, Found, LookupError, ProfileEvent, Reader};
use selfsame_profile::Query;
use serde::Serialize;
use serde_json::value::RawValue;

use super::ids::Ids;

const EVENTS: usize = 50;

/// A profile and its newest events.
#[derive(Debug, Serialize)]
pub(super) struct Me {
    pub(super) profile: Option<Profile>,
    events: Vec<Arrival>,
    position: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Profile {
    pub(super) id: String,
    created_at: String,
    identifiers: Vec<Identifier>,
    traits: BTreeMap<String, Box<RawValue>>,
    events_total: u64,
    merges: Vec<Merge>,
}

#[derive(Debug, Serialize)]
struct Identifier {
    r#type: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Merge {
    at: String,
    parent: String,
    child: String,
    identifiers: Vec<Identifier>,
}

#[derive(Debug, Serialize)]
struct Arrival {
    message_id: String,
    r#type: &'static str,
    event: Option<String>,
    timestamp: String,
    received_at: String,
    anonymous_id: Option<String>,
    user_id: Option<String>,
    profile_id: String,
}

/// Enough of a profile to see that something about it has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The profile's id.
    pub(super) profile: Option<String>,
    events: u64,
    identifiers: usize,
}

/// The mark of the profile that holds one of these.
pub(super) fn mark(reader: &Reader, space: &str, ids: &Ids) -> Result<Mark, LookupError> {
    let read = reader.space(space)?;
    for reference in ids.references() {
        if let Some(found) = read.find(Collection::Users, &reference)? {
            return Ok(Mark {
                profile: Some(found.id().to_string()),
                events: found.view().events,
                identifiers: found.external_ids().count(),
            });
        }
    }
    Ok(Mark::default())
}

/// The profile that holds one of these, with its events.
pub(super) fn look(reader: &Reader, space: &str, ids: &Ids) -> Result<Me, LookupError> {
    let read = reader.space(space)?;
    let position = read.position().map(|position| position.to_string());
    for reference in ids.references() {
        if let Some(found) = read.find(Collection::Users, &reference)? {
            let events = arrivals(&found)?;
            return Ok(Me { profile: Some(profile(&found)?), events, position });
        }
    }
    Ok(Me { profile: None, events: Vec::new(), position })
}

fn profile(found: &Found<'_>) -> Result<Profile, LookupError> {
    let identifiers = found
        .external_ids()
        .map(|one| Identifier { r#type: one.kind.to_owned(), value: one.value.to_owned() });
    let view = found.view();
    let value = |text: Raw<'_>| RawValue::from_string(text.text().to_owned()).ok();
    let traits = view.traits().filter_map(|one| Some((one.key.to_owned(), value(one.value?)?)));
    let merges = found.merges()?.into_iter().filter(|row| row.merged).map(|row| Merge {
        at: row.log_time.to_string(),
        parent: row.profile.to_string(),
        child: row.other.to_string(),
        identifiers: row
            .identifiers
            .into_iter()
            .map(|by| Identifier { r#type: by.kind, value: by.value })
            .collect(),
    });
    Ok(Profile {
        id: found.id().to_string(),
        created_at: found.metadata().map(|known| known.created_at.to_string()).unwrap_or_default(),
        identifiers: identifiers.collect(),
        traits: traits.collect(),
        events_total: view.events,
        merges: merges.collect(),
    })
}

fn arrivals(found: &Found<'_>) -> Result<Vec<Arrival>, LookupError> {
    let range = Query { limit: EVENTS, ..Query::default() };
    let page = found.events(&EventQuery { range, ..EventQuery::default() })?;
    let profile = found.id().to_string();
    Ok(page.events.iter().filter_map(|event| arrival(event, &profile)).collect())
}

fn arrival(found: &ProfileEvent, profile: &str) -> Option<Arrival> {
    let json = found.json()?;
    let event = &json.event;
    let owned = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
    Some(Arrival {
        message_id: found.message_id(),
        r#type: event.kind.name(),
        event: match event.kind {
            EventType::Page | EventType::Screen => owned(&event.name),
            _ => owned(&event.event),
        },
        timestamp: found.time().to_string(),
        received_at: json.received_at.to_string(),
        anonymous_id: owned(&event.anonymous_id),
        user_id: owned(&event.user_id),
        profile_id: profile.to_owned(),
    })
}
