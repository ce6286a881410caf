//! A profile that was found: its identifiers, and the sections under them.

use selfsame_event::{Collection, IdentifierKey, Position, ProfileId, SourceNumber, Time};
use selfsame_identity::{ComponentId, ComponentRow, Member};
use selfsame_profile::{Limits, ProfileView, Section, Sections};
use selfsame_store::{StoreError, Table};

use super::{LookupError, SpaceRead};
use crate::row;

/// How often a profile is read again because it was merged meanwhile.
const ATTEMPTS: usize = 8;

/// A profile, as it was when it was read.
#[derive(Debug)]
pub struct Found<'s> {
    pub(super) read: &'s SpaceRead,
    pub(super) id: ProfileId,
    pub(super) collection: Collection,
    pub(super) component: ComponentId,
    pub(super) row: ComponentRow,
    pub(super) sections: Vec<(IdentifierKey, Section)>,
}

/// One identifier of a profile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExternalId<'a> {
    /// Its key.
    pub key: IdentifierKey,
    /// The name of its type.
    pub kind: &'a str,
    /// Its value.
    pub value: &'a str,
    /// Event time of the event that mapped it.
    pub created_at: Time,
    /// That event's source.
    pub source: SourceNumber,
    /// That event's message id.
    pub message_id: Option<&'a str>,
}

/// Values are personal data: `Debug` shows the type only.
impl std::fmt::Debug for ExternalId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExternalId({}:…)", self.kind)
    }
}

/// The first and last event of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Event time of the first event.
    pub created_at: Time,
    /// Event time of the last event.
    pub updated_at: Time,
    /// The first event's message id.
    pub first_message_id: String,
    /// The first event's source.
    pub first_source: SourceNumber,
    /// The last event's message id.
    pub last_message_id: String,
    /// The last event's source.
    pub last_source: SourceNumber,
}

/// A profile at the other end of group calls.
#[derive(Debug)]
pub struct LinkedProfile<'s> {
    /// Event time of the first group call that named it.
    pub since: Time,
    /// The profile.
    pub profile: Found<'s>,
}

impl<'s> Found<'s> {
    pub(super) fn read(
        read: &'s SpaceRead,
        collection: Collection,
        mut component: ComponentId,
    ) -> Result<Self, LookupError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let (id, packed, row) = read.root(component)?;
            let sections = read_sections(read, &row)?;
            let same = |now: &[u8]| *now == packed;
            let is_same = read.view.tables.components.read(&read.in_space(id), same)?;
            if attempt < ATTEMPTS && is_same != Some(true) {
                component = id;
                continue;
            }
            let damaged = || StoreError::Row { table: Table::Components.name() };
            let profile = row.profile().ok_or_else(damaged)?;
            return Ok(Self { read, id: profile, collection, component: id, row, sections });
        }
    }

    /// The profile's id.
    pub fn id(&self) -> ProfileId {
        self.id
    }

    /// Which kind of profile it is.
    pub fn collection(&self) -> Collection {
        self.collection
    }

    /// The last record that shows; none before the first is folded.
    pub fn position(&self) -> Option<Position> {
        self.read.position
    }

    /// The space that it was read in.
    pub fn space(&self) -> &'s SpaceRead {
        self.read
    }

    /// Its sections as one profile.
    pub fn view(&self) -> ProfileView<'_> {
        let sections: Sections<'_> =
            self.sections.iter().map(|(anchor, section)| (*anchor, section)).collect();
        sections.combine(&Limits::default())
    }

    /// Its identifiers, in the order in which they were mapped.
    pub fn external_ids(&self) -> impl Iterator<Item = ExternalId<'_>> {
        self.row.members.iter().map(|member| self.external_id(member))
    }

    pub(super) fn external_id<'a>(&'a self, member: &'a Member) -> ExternalId<'a> {
        ExternalId {
            key: member.key,
            kind: self.read.type_name(member.number).map_or("", |(_, name)| name),
            value: &member.value,
            created_at: member.event_time,
            source: member.source,
            message_id: member.message_id.as_deref(),
        }
    }

    /// Its first and last event; none where nothing was folded yet.
    pub fn metadata(&self) -> Option<Metadata> {
        metadata(&self.view())
    }

    /// The profiles at the other end of its group calls, the earliest link first.
    pub fn links(&self) -> Result<Vec<LinkedProfile<'s>>, LookupError> {
        self.links_of(&self.view())
    }

    pub(super) fn links_of(
        &self,
        view: &ProfileView<'_>,
    ) -> Result<Vec<LinkedProfile<'s>>, LookupError> {
        let mut links = view.links.clone();
        links.sort_by_key(|link| (link.since, link.anchor));
        let mut linked: Vec<LinkedProfile<'s>> = Vec::with_capacity(links.len());
        for link in links {
            let Some(profile) = self.read.find_key(self.other_collection(), link.anchor)? else {
                continue;
            };
            if !linked.iter().any(|one| one.profile.component == profile.component) {
                linked.push(LinkedProfile { since: link.since, profile });
            }
        }
        Ok(linked)
    }

    /// The collection of the profiles that it has links to.
    pub fn other_collection(&self) -> Collection {
        match self.collection {
            Collection::Users => Collection::Accounts,
            Collection::Accounts => Collection::Users,
        }
    }

    /// Whether an identifier is one of its own.
    pub(super) fn holds(&self, key: IdentifierKey) -> bool {
        self.row.members.iter().any(|member| member.key == key)
    }
}

pub(super) fn metadata(view: &ProfileView<'_>) -> Option<Metadata> {
    let (first, last) = (view.first?, view.last?);
    Some(Metadata {
        created_at: first.time,
        updated_at: last.time,
        first_message_id: first.message_id.to_string(),
        first_source: first.source,
        last_message_id: last.message_id.to_string(),
        last_source: last.source,
    })
}

fn read_sections(
    read: &SpaceRead,
    row: &ComponentRow,
) -> Result<Vec<(IdentifierKey, Section)>, LookupError> {
    let Some(profile) = row.profile() else { return Ok(Vec::new()) };
    let table = &read.view.tables.partition(profile).sections;
    let mut sections = Vec::with_capacity(2);
    for member in row.members.iter().filter(|member| member.anchored) {
        let section = table.read(&read.in_space(member.key), row::section)?;
        sections.extend(section.map(|section| (member.key, section)));
    }
    Ok(sections)
}
