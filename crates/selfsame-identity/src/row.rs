//! What is stored about the graph, and the trait through which it is reached.
//!
//! ```text
//! identifier key  ->  IdentifierRow   where it was mapped, and whether events are folded under it
//! component       ->  ComponentRow    members, parent, counts
//! component, set  ->  EvidenceRow     identifiers once seen together on an event
//! identifier, component, set          a sighting: it was on that set, and is not of that profile
//! identifier      ->  ApartRow        what it may never share a profile with
//! device          ->  PeopleRow       who came with it, where the rules ask for that
//! ```
//!
//! A component is what one mapping created. Events take nothing but devices out of it: when it is merged away it gets
//! a parent and keeps what it had, while the parent's row takes its members in as well. So the row of a
//! root holds the whole profile. Evidence is the *skeleton* of the history: what an unmerge resolves
//! again ([`crate::plan`]). The sets of a profile are under its components; sightings lead from an
//! identifier to the sets of others that it was on.
//!
//! **Invariants:** a parent is older (has the smaller number) than its child; members are in order of
//! position and rank; every member's identifier row names the component that mapped it, which is the
//! first that did unless it is a device that moved.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use selfsame_event::{
    Collection, IdentifierKey, ItemPosition, ProfileId, RecordId, SourceNumber, Time,
};
use smallvec::SmallVec;

use crate::apart::ApartRow;
use crate::number::TypeNumber;
use crate::people::PeopleRow;
use crate::skeleton::PreviousSeen;

/// The number of a component: smaller is older. It is made from the place of the event that created
/// the component, so that an unmerge, which resolves again, gives the numbers that the history would
/// have had.
///
/// ```text
/// offset of the record: 40 bits | item: 19 | 0, or 1 + rank of one left over: 4 | is of accounts: 1
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ComponentId(pub u64);

impl ComponentId {
    /// The number of the component that an event creates.
    pub fn created_at(position: ItemPosition, collection: Collection) -> Self {
        Self::numbered(position, collection, 0)
    }

    /// The number of a component of an identifier that no event maps, though events are folded under
    /// it: see [`crate::plan`]. Or that of a shared device: an event that has one is not undone.
    pub(crate) fn left_over(position: ItemPosition, collection: Collection, rank: u8) -> Self {
        Self::numbered(position, collection, u64::from(rank.min(14)) + 1)
    }

    /// Of what the component is.
    pub fn collection(self) -> Collection {
        if self.0 & 1 == 1 { Collection::Accounts } else { Collection::Users }
    }

    fn numbered(position: ItemPosition, collection: Collection, number: u64) -> Self {
        let (offset, item) = (position.record.offset, u64::from(position.index));
        debug_assert!(offset < 1 << 40 && item < 1 << 19, "{position} is beyond all limits");
        Self(offset << 24 | item << 5 | number << 1 | u64::from(collection == Collection::Accounts))
    }
}

/// The row of one identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifierRow {
    /// The component that mapped it. Follow parents from here to the profile.
    pub component: ComponentId,
    /// Its type.
    pub number: TypeNumber,
    /// Whether events are folded under it: it was the anchor of one.
    pub anchored: bool,
    /// Whether a verified claim of it was folded.
    pub verified: bool,
    /// The log time of the mapping.
    pub mapped_at: Time,
}

/// One identifier of a component.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// Its type.
    pub number: TypeNumber,
    /// Its place among the identifiers of the event that mapped it: 0 is the most trusted.
    pub rank: u8,
    /// Whether events are folded under it. The identifier row is the truth; the root has this copy.
    pub anchored: bool,
    /// Whether a verified claim of it was folded. The identifier row is the truth here too.
    pub verified: bool,
    /// Whether it is set apart from another: then there is a row that says from which.
    pub is_apart: bool,
    /// Its key.
    pub key: IdentifierKey,
    /// Its value.
    pub value: Box<str>,
    /// The log time of the mapping.
    pub mapped_at: Time,
    /// The event time of the mapping, by which windows count.
    pub event_time: Time,
    /// The event that mapped it.
    pub position: ItemPosition,
    /// That event's source.
    pub source: SourceNumber,
    /// That event's message id.
    pub message_id: Option<Box<str>>,
}

/// The row of one component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ComponentRow {
    /// What it was merged into.
    pub parent: Option<ComponentId>,
    /// Merges that the profile consists of.
    pub merges: u32,
    /// Distinct sets of identifiers recorded under this component, apart from the one that it began
    /// with.
    pub sets: u32,
    /// Prints of the first of these sets: most events carry one of them, and need no other row.
    pub prints: SmallVec<[u64; 2]>,
    /// Whether there were more sets than are recorded.
    pub sets_overflowed: bool,
    /// Its identifiers; of a root, those of everything merged into it too.
    pub members: Vec<Member>,
}

/// Of how many sets a component's row has prints.
const PRINTS: usize = 16;

impl Member {
    /// Whether one event mapped both.
    pub(crate) fn is_of_event_of(&self, other: &Self) -> bool {
        let event = |it: &Self| (it.position, it.mapped_at, it.event_time, it.source);
        event(self) == event(other) && self.message_id == other.message_id
    }
}

impl ComponentRow {
    /// The members that the component began with: its first event mapped them. Of the root of several
    /// components they are the root's, as it is the oldest. No evidence is kept of their being seen
    /// together, because they say it themselves.
    pub fn birth(&self) -> impl Iterator<Item = &Member> {
        let first = self.members.first();
        self.members
            .iter()
            .take_while(move |member| first.is_some_and(|one| member.is_of_event_of(one)))
    }

    /// Whether the set is the one that the component began with, or one of those with a print. A print
    /// is half of a keyed hash's sum: two sets of one component do not share it by chance, and nobody
    /// outside can make them.
    pub(crate) fn has_set(&self, set: SetKey) -> bool {
        self.prints.contains(&set.print())
            || self.birth().nth(1).is_some() && self.is_born_with(set)
    }

    /// Whether the set is the one that the component began with.
    pub(crate) fn is_born_with(&self, set: SetKey) -> bool {
        SetKey::of(self.birth().map(|member| member.key)) == set
    }

    /// What is to be known of the row for most events.
    pub fn known(&self, set: SetKey) -> Option<Known> {
        let (profile, has_set) = (self.profile()?, self.has_set(set));
        Some(Known { parent: self.parent, profile, has_set, verified: self.is_verified() })
    }

    /// Whether the profile is of somebody who is known to be who it says: a verified claim named it by
    /// more than a device.
    pub fn is_verified(&self) -> bool {
        self.members.iter().any(|member| member.verified && !member.number.is_device())
    }

    /// Whether the profile is of somebody: it holds more than devices.
    pub fn is_known(&self) -> bool {
        self.members.iter().any(|member| !member.number.is_device())
    }

    /// Whether there are sets without a print.
    pub(crate) fn has_more_sets(&self) -> bool {
        usize::try_from(self.sets).is_ok_and(|sets| sets > self.prints.len())
    }

    /// Counts a set that is new.
    pub(crate) fn add_set(&mut self, set: SetKey) {
        self.sets += 1;
        if self.prints.len() < PRINTS {
            self.prints.push(set.print());
        }
    }

    /// Under which identifiers the events of the profile are folded.
    pub fn anchors(&self) -> Option<Anchors> {
        let anchored = self.members.iter().filter(|member| member.anchored);
        let keys = anchored.map(|member| member.key).collect();
        let (parent, profile, kinds) = (self.parent, self.profile()?, self.kinds());
        Some(Anchors { parent, profile, keys, kinds })
    }

    /// The types of its identifiers, each once, in the order of the members.
    pub fn kinds(&self) -> Kinds {
        let mut kinds = Kinds::new();
        for member in &self.members {
            if !kinds.contains(&member.number) {
                kinds.push(member.number);
            }
        }
        kinds
    }

    /// The id of the profile: the candidate of its earliest mapped identifier.
    pub fn profile(&self) -> Option<ProfileId> {
        self.members.first().map(|first| ProfileId::candidate(first.mapped_at, first.key))
    }
}

/// What most events need of the row of a component: they bring nothing new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What it was merged into.
    pub parent: Option<ComponentId>,
    /// The id of the profile, if it was not.
    pub profile: ProfileId,
    /// Whether the set is the one that it began with, or one with a print.
    pub has_set: bool,
    /// Whether it holds a verified identifier that is not a device's.
    pub verified: bool,
}

/// Under which identifiers the events of a profile are folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchors {
    /// What the component was merged into; of one that was, the rest is not all of its profile.
    pub parent: Option<ComponentId>,
    /// The id of the profile.
    pub profile: ProfileId,
    /// The identifiers, in the order of the members.
    pub keys: SmallVec<[IdentifierKey; 2]>,
    /// The types of all identifiers of the profile.
    pub kinds: Kinds,
}

/// Types of identifiers, each once.
pub type Kinds = SmallVec<[TypeNumber; 6]>;

/// Where and when an event is: what evidence says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The event's place in the log; its `index` is the item of the record.
    pub position: ItemPosition,
    /// The record's id.
    pub record: RecordId,
    /// The event's source.
    pub source: SourceNumber,
    /// The effective event time.
    pub event_time: Time,
    /// The log time.
    pub log_time: Time,
}

/// What became of an identifier that was on an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fate {
    /// It is mapped and linked.
    Kept = 0,
    /// It was demoted.
    Demoted = 1,
    /// The cap on mappings stopped it.
    Stopped = 2,
}

/// An identifier as evidence names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its type.
    pub number: TypeNumber,
    /// Its key.
    pub key: IdentifierKey,
    /// What became of it.
    pub fate: Fate,
}

/// Identifiers seen together, by the first event that had exactly these.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EvidenceRow {
    /// That event.
    pub first: Stamp,
    /// Later events with these, in order: those after which the graph, resolved again, may differ
    /// (see [`crate::plan`]).
    pub again: Vec<Stamp>,
    /// Whether there were more than [`crate::AGAIN`] of these.
    pub is_cut: bool,
    /// The identifiers, the most trusted first, and what the first event made of them.
    pub identifiers: SmallVec<[Seen; 4]>,
    /// The values of those that are not kept, in the same order: no other row has them.
    pub unmapped: Vec<Box<str>>,
    /// Of alias calls, what their `previousId` may be.
    pub previous: Option<Box<PreviousSeen>>,
}

impl EvidenceRow {
    /// The last event that it names.
    pub fn last(&self) -> &Stamp {
        self.again.last().unwrap_or(&self.first)
    }

    /// The identifiers but for an alias call's `previousId`, as events claim them.
    pub(crate) fn claimed(&self) -> impl Iterator<Item = &Seen> {
        let previous = self.previous.as_ref().and_then(|previous| previous.chosen);
        self.identifiers.iter().filter(move |seen| Some(seen.key) != previous)
    }
}

/// An identifier that was on a set of another profile: the profile of the set does not hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sighting {
    /// The identifier.
    pub key: IdentifierKey,
    /// The component that the set is recorded under.
    pub component: ComponentId,
    /// The set.
    pub set: SetKey,
}

/// The key of a set of identifiers: the sum of their keys. These come from a keyed hash, so nobody
/// outside can make two sets with one sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SetKey(pub u128);

impl SetKey {
    /// The key of these identifiers, in whatever order.
    pub fn of(keys: impl IntoIterator<Item = IdentifierKey>) -> Self {
        let sum = |sum: u128, key: IdentifierKey| sum.wrapping_add(u128::from_le_bytes(key.0));
        Self(keys.into_iter().fold(0, sum))
    }

    /// The key of the same identifiers where some of them were left out as not verified: should they all
    /// be believed one day, that is another set.
    pub(crate) fn in_doubt(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// The key of the set of an alias call, whose `previousId` may be either of two: what it is, depends
    /// on the history, and the key does not.
    pub(crate) fn of_alias(self, previous: &PreviousSeen) -> Self {
        let number = |key: IdentifierKey| u128::from_le_bytes(key.0);
        let readings = previous.readings().map(|reading| number(reading.key));
        Self(
            readings
                .zip([3_u128, 5])
                .fold(self.0, |sum, (key, times)| sum.wrapping_add(key.wrapping_mul(times))),
        )
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    pub(crate) fn print(self) -> u64 {
        self.0 as u64
    }
}

/// The rows of one space, of both collections. What is set is read back at once; the owner makes it
/// durable, and drops all of it when resolving fails.
pub trait Rows {
    /// Why a row cannot be read or written.
    type Error: std::error::Error + 'static;

    /// The row of an identifier.
    fn identifier(&mut self, key: IdentifierKey) -> Result<Option<IdentifierRow>, Self::Error>;
    /// Writes the row of an identifier.
    fn set_identifier(&mut self, key: IdentifierKey, row: IdentifierRow)
    -> Result<(), Self::Error>;
    /// The row of a component.
    fn component(&mut self, id: ComponentId) -> Result<Option<Arc<ComponentRow>>, Self::Error>;
    /// What the row of a component says of that set; none if there is no such component.
    fn known(&mut self, id: ComponentId, set: SetKey) -> Result<Option<Known>, Self::Error> {
        Ok(self.component(id)?.and_then(|row| row.known(set)))
    }
    /// Writes the row of a component.
    fn set_component(&mut self, id: ComponentId, row: ComponentRow) -> Result<(), Self::Error>;
    /// The evidence of that set that is recorded under the component.
    fn evidence(
        &mut self,
        id: ComponentId,
        set: SetKey,
    ) -> Result<Option<EvidenceRow>, Self::Error>;
    /// Whether evidence of that set is recorded under the component.
    fn has_evidence(&mut self, id: ComponentId, set: SetKey) -> Result<bool, Self::Error> {
        Ok(self.evidence(id, set)?.is_some())
    }
    /// Records evidence under a component.
    fn set_evidence(
        &mut self,
        id: ComponentId,
        set: SetKey,
        row: EvidenceRow,
    ) -> Result<(), Self::Error>;
    /// Records that an identifier was on a set of another profile.
    fn set_sighting(&mut self, sighting: Sighting) -> Result<(), Self::Error>;
    /// Whether any identifier is kept apart from another.
    fn has_apart(&mut self) -> bool;
    /// What an identifier is kept apart from.
    fn apart(&mut self, key: IdentifierKey) -> Result<Option<ApartRow>, Self::Error>;
    /// Writes what an identifier is kept apart from.
    fn set_apart(&mut self, key: IdentifierKey, row: ApartRow) -> Result<(), Self::Error>;
    /// Who came with a device.
    fn people(&mut self, device: IdentifierKey) -> Result<Option<PeopleRow>, Self::Error>;
    /// Writes who came with a device.
    fn set_people(&mut self, device: IdentifierKey, row: PeopleRow) -> Result<(), Self::Error>;
}

/// The rows, read and changed as an unmerge needs them.
pub trait WholeRows: Rows {
    /// The evidence under these components. Once there are more than `most` rows, the rest may be left
    /// out.
    fn evidence_under(
        &mut self,
        components: &BTreeSet<ComponentId>,
        most: usize,
    ) -> Result<Vec<(ComponentId, SetKey, EvidenceRow)>, Self::Error>;
    /// The sightings of these identifiers. Once there are more than `most`, the rest may be left out.
    fn sightings(
        &mut self,
        keys: &BTreeSet<IdentifierKey>,
        most: usize,
    ) -> Result<Vec<Sighting>, Self::Error>;
    /// Removes the row of an identifier.
    fn remove_identifier(&mut self, key: IdentifierKey) -> Result<(), Self::Error>;
    /// Removes the row of a component.
    fn remove_component(&mut self, id: ComponentId) -> Result<(), Self::Error>;
    /// Removes evidence.
    fn remove_evidence(&mut self, id: ComponentId, set: SetKey) -> Result<(), Self::Error>;
    /// Removes a sighting.
    fn remove_sighting(&mut self, sighting: Sighting) -> Result<(), Self::Error>;
    /// Removes what an identifier is kept apart from.
    fn remove_apart(&mut self, key: IdentifierKey) -> Result<(), Self::Error>;
}

/// Values are personal data: `Debug` shows the type and the key only.
impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Member({}:…, {:?}, {})", self.number.0, self.key, self.position)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({}:…, {:?}, {:?})", self.number.0, self.key, self.fate)
    }
}
