//! Profiles as JSON, in Segment's shapes.

use selfsame_event::{Collection, EventType, Raw};
use selfsame_pipeline::{
    ExternalId, Found, HistoryFrom, Household, Households, JsonArray, JsonObject, LinkedProfile,
    MergeRow, Metadata, ProfileEvent, SpaceRead, Standing,
};

use crate::problem::Problem;

/// Where a page ends.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    pub(crate) next: Option<String>,
    pub(crate) limit: usize,
}

impl Cursor {
    pub(crate) fn show(&self, url: &str) -> String {
        let has_more = if self.next.is_some() { "true" } else { "false" };
        JsonObject::default()
            .text("url", url)
            .raw("has_more", has_more)
            .text("next", self.next.as_deref().unwrap_or_default())
            .raw("limit", &self.limit.to_string())
            .finish()
    }
}

/// The address of a part of a profile, without parameters.
pub(crate) fn url(found: &Found<'_>, part: &str) -> String {
    let (space, collection) = (&found.space().space().id, found.collection().name());
    format!("/v1/spaces/{space}/collections/{collection}/profiles/{}/{part}", found.id())
}

/// One identifier.
pub(crate) fn external_id(found: &Found<'_>, id: &ExternalId<'_>) -> String {
    JsonObject::default()
        .text("source_id", found.space().source_id(id.source))
        .text("collection", found.collection().name())
        .text("id", id.value)
        .text("type", id.kind)
        .text("created_at", &id.created_at.to_string())
        .text("encoding", "none")
        .text_if("first_message_id", id.message_id)
        .finish()
}

/// The first and last event; empty where there is none.
pub(crate) fn metadata(read: &SpaceRead, metadata: Option<&Metadata>) -> String {
    let Some(metadata) = metadata else { return "{}".to_owned() };
    JsonObject::default()
        .text("created_at", &metadata.created_at.to_string())
        .text("updated_at", &metadata.updated_at.to_string())
        .raw("expires_at", "null")
        .text("first_message_id", &metadata.first_message_id)
        .text("first_source_id", read.source_id(metadata.first_source))
        .text("last_message_id", &metadata.last_message_id)
        .text("last_source_id", read.source_id(metadata.last_source))
        .finish()
}

/// What a profile has links to.
#[derive(Debug)]
pub(crate) struct Links<'s> {
    /// The profiles at the other end of group calls.
    pub(crate) linked: Vec<LinkedProfile<'s>>,
    /// Its households, one for each rule.
    pub(crate) households: Households<'s>,
}

/// The first links.
pub(crate) fn links(links: &Links<'_>, limit: usize) -> String {
    let linked = links.linked.iter().map(|link| {
        let ids = link.profile.external_ids().map(|id| external_id(&link.profile, &id));
        self::link(link.profile.collection().name(), ids.collect())
    });
    let households = links.households.iter().filter_map(household);
    linked.chain(households).take(limit).collect::<JsonArray>().finish()
}

fn link(collection: &str, mut ids: JsonArray) -> String {
    JsonObject::default()
        .text("to_collection", collection)
        .raw("external_ids", &ids.finish())
        .finish()
}

/// A household as an account. Its identifier came to be when its second member did, and by no source.
fn household(one: &Household<'_>) -> Option<String> {
    let (Some(id), Standing::Members(members)) = (one.id, &one.standing) else { return None };
    let mut since: Vec<_> = members.iter().map(|member| member.since).collect();
    since.sort_unstable();
    let id = JsonObject::default()
        .text("source_id", "")
        .text("collection", Collection::Accounts.name())
        .text("id", &id.to_string())
        .text("type", "household_id")
        .text("created_at", &since.get(1)?.to_string())
        .text("encoding", "none")
        .finish();
    Some(link(Collection::Accounts.name(), JsonArray::from_iter([id])))
}

/// The history of merges.
pub(crate) fn merges(read: &SpaceRead, merges: &[MergeRow]) -> String {
    let row = |row: &MergeRow| {
        let mut ids: JsonArray = row
            .identifiers
            .iter()
            .map(|id| JsonObject::default().text("type", &id.kind).text("id", &id.value).finish())
            .collect();
        JsonObject::default()
            .raw("merged", if row.merged { "true" } else { "false" })
            .text("into", &row.profile.to_string())
            .text("from", &row.other.to_string())
            .text_if("refused_by", row.refused_by)
            .text("timestamp", &row.event_time.to_string())
            .text("received_at", &row.log_time.to_string())
            .text("event", &row.event.to_string())
            .text("source_id", read.source_id(row.source))
            .raw("external_ids", &ids.finish())
            .finish()
    };
    merges.iter().map(row).collect::<JsonArray>().finish()
}

/// Where the log begins, from which events are read.
pub(crate) fn history_from(from: HistoryFrom) -> String {
    JsonObject::default()
        .text("position", &from.position.to_string())
        .text_if("received_at", from.received_at.map(|time| time.to_string()).as_deref())
        .finish()
}

/// One event of a profile.
pub(crate) fn event(found: &Found<'_>, shown: &ProfileEvent) -> Result<String, Problem> {
    let read = found.space();
    let Some(json) = shown.json() else { return Ok("null".to_owned()) };
    let event = &json.event;
    let collection = found.collection().name();
    let ids = read.external_ids_of(found, event).into_iter().map(|(kind, value)| {
        JsonObject::default()
            .text("collection", collection)
            .text("type", &kind)
            .text("id", &value)
            .text("encoding", "none")
            .finish()
    });
    let mut out = JsonObject::default();
    out.raw("external_ids", &ids.collect::<JsonArray>().finish())
        .raw("context", &json.context())
        .text("type", event.kind.name())
        .text("message_id", &json.message_id)
        .text("source_id", read.source_id(shown.source()))
        .text("timestamp", &shown.time().to_string());
    let page = event.name.as_deref().filter(|_| event.kind != EventType::Track);
    match (event.properties, page) {
        (properties, Some(name)) => {
            let properties = properties.unwrap_or_else(|| Raw::trusted("{}"));
            let mut with_name = JsonObject::with(properties);
            if properties.get("page_name").is_none() {
                with_name.text("page_name", name);
            }
            out.raw("properties", &with_name.finish());
        }
        (properties, None) => {
            out.raw("properties", properties.map_or("{}", Raw::text));
        }
    }
    if let Some(traits) = event.traits {
        out.raw("traits", traits.text());
    }
    out.text_if("event", json.name().as_deref());
    let user = match found.collection() {
        Collection::Users => Some(found.id()),
        Collection::Accounts => read.user_of(event)?,
    };
    let mut related = JsonObject::default();
    related.text_if("users", user.map(|id| id.to_string()).as_deref());
    if found.collection() == Collection::Accounts {
        related.text("accounts", &found.id().to_string());
    }
    out.raw("related", &related.finish());
    Ok(out.finish())
}
