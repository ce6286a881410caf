//! What is kept of the history so that it can be resolved again: each set of identifiers that was
//! seen together, with the events after which the outcome may differ.
//!
//! The first event of a set is enough where limits have no windows and rules stay as they are: a set
//! that was refused once is refused again, because profiles only grow, and one that was joined brings
//! nothing new. A later event with the set counts only if it
//! - mapped or merged something, or is the first under its anchor;
//! - was refused while a limit had a window: at another time it might not be;
//! - was refused under other rules than the time before;
//! - is an alias call, whose `previousId` is one identifier or another by what is known by then.
//!
//! These are kept too, at most [`AGAIN`] of a set. The last event of a set is not: it would have to be
//! written by every event that brings nothing new, and changes nothing that these do not.

use selfsame_event::IdentifierKey;

use crate::claim::{Claim, Previous};
use crate::compile::Rules;
use crate::number::TypeNumber;
use crate::row::{ComponentRow, EvidenceRow, Fate, Seen, Stamp};

/// Most sets of identifiers recorded under one component. Beyond: its row says so.
pub const EVIDENCE_SETS: u32 = 10_000;
/// Most later events that are kept of one set. Beyond: its row says so.
pub const AGAIN: usize = 1_000;

/// What the `previousId` of alias calls may be: which, depends on what is known by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSeen {
    /// Read as an anonymous id.
    pub anonymous: Option<Reading>,
    /// Read as a user id.
    pub user: Option<Reading>,
    /// Which of them it was on the first event; none where the event named it anyway.
    pub chosen: Option<IdentifierKey>,
}

/// An identifier that a value may be.
#[derive(Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its type.
    pub number: TypeNumber,
    /// Its key.
    pub key: IdentifierKey,
    /// Its value.
    pub value: Box<str>,
}

/// Values are personal data: `Debug` shows the type and the key only.
impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reading({}:…, {:?})", self.number.0, self.key)
    }
}

impl Reading {
    fn of(claim: &Claim<'_>) -> Self {
        Self { number: claim.number, key: claim.key, value: claim.value.as_ref().into() }
    }
}

impl PreviousSeen {
    pub(crate) fn of(previous: &Previous<'_>, chosen: Option<IdentifierKey>) -> Self {
        let reading = |claim: &Option<Claim<'_>>| claim.as_ref().map(Reading::of);
        Self { anonymous: reading(&previous.anonymous), user: reading(&previous.user), chosen }
    }

    /// Everything that it may be.
    pub fn readings(&self) -> impl Iterator<Item = &Reading> {
        self.anonymous.iter().chain(&self.user)
    }
}

/// What an event did with a set that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeat {
    /// Whether it mapped or merged something, or opened a section.
    pub(crate) changed: bool,
    /// Whether a limit, cap or pair was met.
    pub(crate) refused: bool,
    /// Whether it is an alias call.
    pub(crate) is_alias: bool,
    /// Whether identifiers were left out as not verified.
    pub(crate) is_in_doubt: bool,
}

impl Repeat {
    /// Whether the event may have to be kept, as far as can be said without the row of the set.
    pub(crate) fn may_count(self, rules: &Rules, home: &ComponentRow) -> bool {
        let is_newer =
            || home.members.first().is_none_or(|member| member.position.record < rules.since());
        self.changed || self.is_alias || self.refused && (rules.has_windows() || is_newer())
    }

    /// Whether it has to be kept, given what is kept of the set.
    pub(crate) fn counts(self, rules: &Rules, row: &EvidenceRow, stamp: &Stamp) -> bool {
        let is_other_time = || {
            let mut known = std::iter::once(&row.first).chain(&row.again);
            rules.has_windows() && !known.any(|one| one.event_time == stamp.event_time)
        };
        let is_newer = row.last().position.record < rules.since();
        self.changed || self.is_alias || self.refused && (is_newer || is_other_time())
    }
}

impl EvidenceRow {
    /// Keeps a later event with the set. Says whether the row changed.
    pub(crate) fn add(&mut self, stamp: Stamp) -> bool {
        let has_room = self.again.len() < AGAIN;
        if has_room {
            self.again.push(stamp);
        }
        has_room || !std::mem::replace(&mut self.is_cut, true)
    }

    /// The identifiers that the first event left out, with their values.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = (&Seen, &str)> {
        let left_out = self.identifiers.iter().filter(|seen| seen.fate != Fate::Kept);
        left_out.zip(self.unmapped.iter().map(|value| &**value))
    }
}
