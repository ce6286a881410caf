//! The timeline of a profile, with the bodies of its events from the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use selfsame_event::{
    Collection, Event, EventsHead, IdentifierKey, Position, ProfileId, RecordKind, SourceNumber,
    Time,
};
use selfsame_identity::{Claims, Keys};
use selfsame_log::{Item, LogRead, ReadError, Record};
use selfsame_profile::{Chunk, ChunkError, Entry, EntryKey, NameKey, Order, Query, Section};

use super::{Found, LookupError, SpaceRead};
use crate::event_json::EventJson;
use crate::key::ChunkKey;
use crate::step::derived_message_id;

/// How many bodies one page reads at most to find events by name.
const BODIES: usize = 20_000;
/// About how many bytes of bodies one page holds at most.
const PAGE_BYTES: usize = 16 << 20;
/// How many records are kept at hand: a record often has many of the events of a page.
const RECORDS_AT_HAND: usize = 64;

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventQuery {
    /// Their times, their order, where to go on, and how many.
    pub range: Query,
    /// Only events of these names, if there are any.
    pub include: Vec<String>,
    /// No events of these names.
    pub exclude: Vec<String>,
}

/// One page of a timeline.
#[derive(Debug)]
pub struct EventPage {
    /// Its events, in the order asked for.
    pub events: Vec<ProfileEvent>,
    /// Behind which entry the next page begins; none where there are no more.
    pub next: Option<EntryKey>,
}

/// An event of a timeline with its body.
#[derive(Debug, Clone)]
pub struct ProfileEvent {
    /// Its place in the timeline.
    pub key: EntryKey,
    /// Its record, with no other item and no head: a page does not keep whole records in memory.
    record: Record,
    head: Arc<EventsHead>,
}

impl ProfileEvent {
    /// The event, ready to be shown; none where it was accepted by rules that have changed since.
    pub fn json(&self) -> Option<EventJson<'_>> {
        EventJson::of(&self.record, &self.head, self.key.item, self.body()?).ok()
    }

    fn body(&self) -> Option<&Bytes> {
        self.record.items.first()?.body()
    }

    /// Its source.
    pub fn source(&self) -> SourceNumber {
        self.head.source
    }

    /// The record that it came in, without its head and other items.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    /// When it happened.
    pub fn time(&self) -> Time {
        self.key.time
    }

    /// Its message id, or the one derived from its record.
    pub fn message_id(&self) -> String {
        match self.json() {
            Some(event) => event.message_id.into_owned(),
            None => derived_message_id(self.record.id, self.key.item),
        }
    }

    fn is_wanted(&self, query: &EventQuery) -> bool {
        let Some(event) = self.json() else { return false };
        let name = event.name();
        let is_in = |names: &[String]| {
            name.as_ref().is_some_and(|name| names.iter().any(|one| one == name))
        };
        (query.include.is_empty() || is_in(&query.include)) && !is_in(&query.exclude)
    }
}

impl Found<'_> {
    /// One page of its timeline. Events whose bodies were erased are left out.
    pub fn events(&self, query: &EventQuery) -> Result<EventPage, LookupError> {
        let included: Vec<NameKey> = query.include.iter().map(|name| NameKey::of(name)).collect();
        let mut bodies = Bodies::new(&*self.read.log);
        let (mut events, mut last_read, mut failed) = (Vec::new(), None, None);
        let (mut left, mut bytes) = (query.range.limit.saturating_add(BODIES), 0);
        let accept = |entry: &Entry| {
            let may_be = || entry.name().is_some_and(|name| included.contains(&name));
            if failed.is_some() || left == 0 || !included.is_empty() && !may_be() {
                return false;
            }
            left -= 1;
            last_read = Some(entry.key);
            match bodies.event(entry.key) {
                Ok(Some(event)) if event.is_wanted(query) => {
                    bytes += event.body().map_or(0, Bytes::len);
                    if bytes >= PAGE_BYTES {
                        left = 0;
                    }
                    events.push(event);
                    true
                }
                Ok(_) => false,
                Err(error) => {
                    failed = Some(error);
                    false
                }
            }
        };
        let page = self.page(&query.range, accept)?;
        if let Some(error) = failed {
            return Err(error);
        }
        events.truncate(query.range.limit);
        let next = match () {
            () if page.more => page.entries.last().map(|placed| placed.entry.key),
            () if left == 0 => last_read,
            () => None,
        };
        Ok(EventPage { events, next })
    }

    /// One page of the merged entries of its sections.
    pub(super) fn page(
        &self,
        query: &Query,
        accept: impl FnMut(&Entry) -> bool,
    ) -> Result<selfsame_profile::Page, LookupError> {
        let sections: Vec<&Section> = self.sections.iter().map(|(_, section)| section).collect();
        selfsame_profile::page(&sections, query, accept, |section, number| {
            self.chunk(self.sections[section].0, number)
        })
    }

    fn chunk(&self, anchor: IdentifierKey, number: u32) -> Result<Chunk, LookupError> {
        let key = ChunkKey { space: self.read.space().number, anchor, number };
        let table = &self.read.view.tables.partition(self.id).chunks;
        let stored = table.read(&key, <[u8]>::to_vec)?;
        Ok(Chunk::decode(number, stored.ok_or(ChunkError)?)?)
    }

    /// Every entry up to a time, the earliest first, each with the index of its section.
    pub(super) fn entries_until(
        &self,
        until: Time,
    ) -> Result<Vec<selfsame_profile::Placed>, LookupError> {
        let query =
            Query { to: until, order: Order::OldestFirst, limit: usize::MAX, ..Query::default() };
        Ok(self.page(&query, |_| true)?.entries)
    }
}

impl SpaceRead {
    /// The identifiers that an event claims, by the rules of now.
    pub(super) fn claims<'e>(&self, event: &'e Event<'_>) -> Claims<'e> {
        let keys = Keys { hasher: &self.view.hasher, space: self.space().number };
        selfsame_identity::extract(event, &self.compiled.rules, &keys)
    }

    /// The identifiers of an event that its profile holds: type and value.
    pub fn external_ids_of(&self, found: &Found<'_>, event: &Event<'_>) -> Vec<(String, String)> {
        let claims = self.claims(event);
        let side = match found.collection {
            Collection::Users => claims.users.as_slice(),
            Collection::Accounts => claims.accounts.as_slice(),
        };
        let held = side.iter().filter(|claim| found.holds(claim.key)).filter_map(|claim| {
            let (_, name) = self.type_name(claim.number)?;
            Some((name.to_owned(), claim.value.clone().into_owned()))
        });
        held.collect()
    }

    /// The profile of the user that an event is from.
    pub fn user_of(&self, event: &Event<'_>) -> Result<Option<ProfileId>, LookupError> {
        for claim in &self.claims(event).users {
            if let Some(profile) = self.profile_of(claim.key)? {
                return Ok(Some(profile));
            }
        }
        Ok(None)
    }
}

/// Reads bodies from the log.
pub(super) struct Bodies<'l> {
    log: &'l dyn LogRead,
    at_hand: BTreeMap<Position, (Record, Arc<EventsHead>)>,
}

impl<'l> Bodies<'l> {
    pub(super) fn new(log: &'l dyn LogRead) -> Self {
        Self { log, at_hand: BTreeMap::new() }
    }

    /// The event of an entry; none where its body is no longer there.
    pub(super) fn event(&mut self, key: EntryKey) -> Result<Option<ProfileEvent>, LookupError> {
        let position = key.position;
        if !self.at_hand.contains_key(&position) {
            let record = match self.log.get(position) {
                Ok(record) => record,
                Err(ReadError::Trimmed { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let is_events = RecordKind::from_code(record.kind) == Some(RecordKind::Events);
            let head = EventsHead::decode(&record.head).ok().filter(|_| is_events);
            let head = head.ok_or(LookupError::Record { position })?;
            if self.at_hand.len() >= RECORDS_AT_HAND {
                self.at_hand.clear();
            }
            self.at_hand.insert(position, (record, Arc::new(head)));
        }
        let Some((record, head)) = self.at_hand.get(&position) else { return Ok(None) };
        let item = usize::try_from(key.item).ok().and_then(|index| record.items.get(index));
        let Some(body) = item.and_then(Item::body) else { return Ok(None) };
        let alone = Item::Body(Bytes::copy_from_slice(body));
        let record = Record { head: Bytes::new(), items: [alone].into(), ..record.clone() };
        let event = ProfileEvent { key, record, head: Arc::clone(head) };
        Ok(event.json().is_some().then_some(event))
    }
}
