//! A profile as of a time: its events up to then, folded again.
//!
//! The identity is that of now: these are the events of the profile as it is known today, which had
//! happened by that time. Only events that set traits or links are read, besides the first and last
//! one. What the log no longer has is missing, and counted.

use std::collections::BTreeMap;

use selfsame_event::{Collection, Event, EventType, IdentifierKey, Time};
use selfsame_profile::{
    Entry, FoldEvent, Limits, Placed, ProfileView, Role, Rules, Section, Sections,
};

use super::events::{Bodies, ProfileEvent};
use super::found::{LinkedProfile, Metadata, metadata};
use super::{Found, LookupError, SpaceRead};

/// A profile as of a time.
#[derive(Debug)]
pub struct AsOf {
    sections: Vec<(IdentifierKey, Section)>,
    /// How many of its events had happened.
    pub events: u64,
    /// How many of those that matter the log no longer has.
    pub missing: u64,
}

impl AsOf {
    /// Its sections as one profile.
    pub fn view(&self) -> ProfileView<'_> {
        let sections: Sections<'_> =
            self.sections.iter().map(|(anchor, section)| (*anchor, section)).collect();
        ProfileView { events: self.events, ..sections.combine(&Limits::default()) }
    }

    /// Its first and last event; none where nothing had happened.
    pub fn metadata(&self) -> Option<Metadata> {
        metadata(&self.view())
    }
}

impl<'s> Found<'s> {
    /// The profile as of a time.
    pub fn as_of(&self, until: Time) -> Result<AsOf, LookupError> {
        let entries = self.entries_until(until)?;
        let events = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        let ends =
            [entries.first(), entries.last()].map(|end| end.map(|placed| placed.entry.key.time));
        // Of one time, message ids say which event is the first or the last.
        let matters = |entry: &Entry| {
            let kinds: &[EventType] = match self.collection {
                Collection::Users => &[EventType::Identify, EventType::Group],
                Collection::Accounts => &[EventType::Group],
            };
            kinds.contains(&entry.kind) || ends.contains(&Some(entry.key.time))
        };
        let mut bodies = Bodies::new(&*self.read.log);
        let mut sections: BTreeMap<usize, Section> = BTreeMap::new();
        let mut missing = 0;
        for Placed { section, entry } in entries.iter().filter(|placed| matters(&placed.entry)) {
            match bodies.event(entry.key)? {
                Some(event) => self.fold(&event, sections.entry(*section).or_default())?,
                None => missing += 1,
            }
        }
        let anchored =
            sections.into_iter().map(|(index, section)| (self.sections[index].0, section));
        Ok(AsOf { sections: anchored.collect(), events, missing })
    }

    /// The profiles that it had links to.
    pub fn links_as_of(&self, as_of: &AsOf) -> Result<Vec<LinkedProfile<'s>>, LookupError> {
        self.links_of(&as_of.view())
    }

    fn fold(&self, found: &ProfileEvent, section: &mut Section) -> Result<(), LookupError> {
        let Some(shown) = found.json() else { return Ok(()) };
        let event = &shown.event;
        let role = match self.collection {
            Collection::Users => Role::User,
            Collection::Accounts => Role::Account,
        };
        let record = found.record();
        let fold = FoldEvent {
            event,
            message_id: &shown.message_id,
            record: record.id,
            item: found.key.item,
            position: record.position,
            source: found.source(),
            happened_at: found.key.time,
            received_at: record.time,
            link: self.read.other_end(event, self.collection)?,
        };
        let rules = Rules { space_id: &self.read.space().id, limits: Limits::default() };
        section.fold(&fold, role, &rules);
        Ok(())
    }
}

impl SpaceRead {
    /// The identifier at the other end of a group call: the most trusted one that is known.
    fn other_end(
        &self,
        event: &Event<'_>,
        collection: Collection,
    ) -> Result<Option<IdentifierKey>, LookupError> {
        if event.kind != EventType::Group {
            return Ok(None);
        }
        let claims = self.claims(event);
        let others = match collection {
            Collection::Users => claims.accounts.as_slice(),
            Collection::Accounts => claims.users.as_slice(),
        };
        for claim in others {
            let key = self.in_space(claim.key);
            if self.view.tables.identifiers.read(&key, |_| ())?.is_some() {
                return Ok(Some(claim.key));
            }
        }
        Ok(None)
    }
}
