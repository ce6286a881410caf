//! What resolving an event decided.

use selfsame_event::{IdentifierKey, ProfileId};
use smallvec::SmallVec;

use crate::apart::Pair;
use crate::number::TypeNumber;
use crate::row::{ComponentId, Seen, Stamp};
use crate::rule::Limit;
use crate::verdict::Verdict;

/// What resolving decided about one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whose event it is; none if nothing on it identifies a user.
    pub user: Option<Resolution>,
    /// Which account it names.
    pub account: Option<Resolution>,
    /// The link that a group call makes.
    pub link: Option<Link>,
    /// Identifiers that were left out of an event that is nobody's: all that it had.
    pub left_out: Vec<Violation>,
}

/// Which profile of one collection an event belongs to, and what that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The profile's root component.
    pub component: ComponentId,
    /// The profile's id.
    pub profile: ProfileId,
    /// The identifier under which the event is folded.
    pub anchor: IdentifierKey,
    /// The anchor's type.
    pub anchor_number: TypeNumber,
    /// Whether this event created the profile.
    pub created: bool,
    /// Whether this is the first event under its anchor.
    pub opens_section: bool,
    /// Every identifier of the event, the most trusted first, with what became of it. Those kept are
    /// the event's `external_ids`.
    pub identifiers: SmallVec<[Seen; 4]>,
    /// Identifiers that are new to the profile, the most trusted first.
    pub mapped: Vec<Mapped>,
    /// Identifiers of the profile that were verified for the first time, the most trusted first.
    pub verified: Vec<Mapped>,
    /// Identifiers that were left out, and why.
    pub violations: Vec<Violation>,
    /// Merges that the event caused, the oldest child first.
    pub merges: Vec<Merge>,
    /// Links that the event asked for and did not get, unless it is known that these identifiers do not:
    /// a shared device asks for the same again with every event.
    pub refused: Vec<Refused>,
    /// Pairs that are set apart, and that the event would have brought together.
    pub met: Vec<Pair>,
    /// Devices that left one profile for another, the most trusted first.
    pub moved: Vec<MovedDevice>,
    /// What the ledger has of these. Of one set of identifiers only as many events are listed as are kept.
    pub handed: Vec<Handed>,
    /// Identifiers under which events were folded before, and whose profile has another id now.
    pub relocated: Vec<Relocated>,
    /// Whether the event is the first with exactly these identifiers, and was recorded as evidence.
    pub is_evidence: bool,
}

/// A new identifier of a profile, or one with something new about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// Its type.
    pub number: TypeNumber,
    /// Its key.
    pub key: IdentifierKey,
}

/// A device that left a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovedDevice {
    /// Its type.
    pub number: TypeNumber,
    /// Its key.
    pub key: IdentifierKey,
    /// The id that the profile had which it left.
    pub from: ProfileId,
    /// The id of the profile that has it now.
    pub to: ProfileId,
    /// The component of the profile that it left.
    pub left: ComponentId,
    /// The component of the profile that has it now.
    pub entered: ComponentId,
    /// Whether it is alone there: it is shared, and so is nobody's.
    pub is_alone: bool,
}

/// An identifier whose profile has another id than before the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relocated {
    /// The identifier.
    pub key: IdentifierKey,
    /// The id before.
    pub from: ProfileId,
    /// The id now.
    pub to: ProfileId,
}

/// A limit or cap that the event met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub verdict: Verdict,
    /// Of limits on a type, that limit.
    pub limit: Option<MetLimit>,
    /// The type of the identifier that was left out, or that asked for the merge.
    pub number: TypeNumber,
    /// That identifier.
    pub key: IdentifierKey,
}

/// A limit on a type, as it was when an event met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetLimit {
    /// The type, of which there would have been too many values.
    pub number: TypeNumber,
    /// How many one profile might have.
    pub limit: Limit,
}

/// One profile became part of another. Everything needed to explain it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The older profile, which survives.
    pub parent: ComponentId,
    /// The younger one.
    pub child: ComponentId,
    /// The survivor's profile id.
    pub parent_profile: ProfileId,
    /// The profile id that the child had.
    pub child_profile: ProfileId,
    /// The most trusted identifier of the event that the parent had.
    pub parent_by: IdentifierKey,
    /// The most trusted identifier of the event that the child had.
    pub child_by: IdentifierKey,
}

/// Two profiles that an event would have joined, and that stay two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Which rule kept them apart.
    pub verdict: Verdict,
    /// The profile that the event belongs to or that would have survived.
    pub component: ComponentId,
    /// The other one.
    pub other: ComponentId,
    /// The id of the first.
    pub profile: ProfileId,
    /// The id of the other.
    pub other_profile: ProfileId,
    /// The identifier of the event that the other profile has.
    pub by: IdentifierKey,
    /// Of limits on a type, that limit. Rows that an older program wrote do not have it.
    pub limit: Option<MetLimit>,
}

/// A device that left one profile for another, as one of the two lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handed {
    /// The profile that lists it.
    pub component: ComponentId,
    /// The other one.
    pub other: ComponentId,
    /// The id of the first, after the event if it got the device, before if it lost it.
    pub profile: ProfileId,
    /// The id of the other.
    pub other_profile: ProfileId,
    /// The device.
    pub device: IdentifierKey,
    /// Whether the profile that lists it got it.
    pub is_gained: bool,
}

/// A user belongs to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The identifier under which the user's event is folded.
    pub user_anchor: IdentifierKey,
    /// The identifier under which the account's event is folded.
    pub account_anchor: IdentifierKey,
}

/// One row of the merge ledger: a link made or refused, and the event that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// What happened.
    pub entry: LedgerEntry,
    /// The event.
    pub stamp: Stamp,
    /// The event's identifiers.
    pub identifiers: SmallVec<[Seen; 4]>,
}

/// What a row of the merge ledger says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerEntry {
    /// Two profiles became one.
    Merged(Merge),
    /// Two profiles stayed two.
    Refused(Refused),
    /// A device left one profile for another.
    Handed(Handed),
}

impl LedgerRow {
    /// The component that it is listed under: the one that survived or would have. A device that moved is
    /// listed under both.
    pub fn component(&self) -> ComponentId {
        match self.entry {
            LedgerEntry::Merged(merge) => merge.parent,
            LedgerEntry::Refused(refused) => refused.component,
            LedgerEntry::Handed(handed) => handed.component,
        }
    }
}

impl MovedDevice {
    /// What each of the two profiles lists.
    pub(crate) fn handed(&self) -> [Handed; 2] {
        let (is_gained, device) = (true, self.key);
        let (component, other) = (self.entered, self.left);
        let (profile, other_profile) = (self.to, self.from);
        let got = Handed { component, other, profile, other_profile, device, is_gained };
        let lost = Handed {
            component: other,
            other: component,
            profile: other_profile,
            other_profile: profile,
            is_gained: false,
            ..got
        };
        [got, lost]
    }
}

impl Resolution {
    /// The rows that this event adds to the merge ledger.
    pub fn ledger(&self, stamp: Stamp) -> impl Iterator<Item = LedgerRow> {
        let merged = self.merges.iter().map(|merge| LedgerEntry::Merged(*merge));
        let refused = self.refused.iter().map(|refused| LedgerEntry::Refused(*refused));
        let handed = self.handed.iter().map(|handed| LedgerEntry::Handed(*handed));
        merged.chain(refused).chain(handed).map(move |entry| LedgerRow {
            entry,
            stamp,
            identifiers: self.identifiers.clone(),
        })
    }
}
