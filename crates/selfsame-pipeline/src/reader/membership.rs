//! Why somebody is in an audience or out of it, or a trait has its value: each comparison of the definition by itself,
//! with what it is held against and the events that it looks at; of an account, also whom of its users a
//! condition holds for.
//!
//! What a comparison comes to is that of everything that is kept for the definition where it is in force, else
//! that of the events that were looked at. These are the newest of the timeline; of an account, of all of its users.

mod look;
mod parts;
mod tree;

use selfsame_event::{Collection, ProfileId, Time};
use selfsame_profile::EntryKey;

use super::{Found, LookupError};
use crate::computed::{Values, first_moment, outlines};
use crate::workspace::Definition;
use look::{Side, look};
use parts::Parts;
use tree::{Subject, Whole};

/// Why a definition comes to what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons {
    /// What it comes to now, as JSON.
    pub value: String,
    /// Its condition, or its value, taken apart.
    pub reason: Reason,
    /// How many events were looked at.
    pub events: u64,
    /// Whether there are older ones, which were not.
    pub is_cut: bool,
    /// Of an account: how many users count in it, and whether it may have more.
    pub users: Option<(u64, bool)>,
}

/// One part of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What it is.
    pub kind: ReasonKind,
    /// What it says, in the query language.
    pub text: String,
    /// Whether it holds; of a value, whether there is one.
    pub holds: bool,
    /// Of a comparison: what is compared, as JSON.
    pub value: Option<String>,
    /// The first moment at which it may be another one though nothing happens.
    pub until: Option<Time>,
    /// Whether a cap had a part in it.
    pub is_approximate: bool,
    /// How many events it looks at, of those that were looked at.
    pub event_count: u64,
    /// The newest of them.
    pub events: Vec<Counted>,
    /// Its parts.
    pub parts: Vec<Self>,
    /// Of what an account asks its users: for how many it holds.
    pub holding: Option<u64>,
    /// Of that: some of the users who decide it, those that were linked first.
    pub users: Vec<UserReason>,
}

/// Why a condition that an account asks holds for one of its users, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserReason {
    /// The user.
    pub profile: ProfileId,
    /// The condition, taken apart.
    pub reason: Reason,
}

/// What a part of a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonKind {
    /// All parts have to hold.
    And,
    /// One of them has to.
    Or,
    /// Its part must not hold.
    Not,
    /// It has to hold for one user of the account or more.
    Any,
    /// It has to hold for every user of the account, of whom there has to be one.
    All,
    /// The profile has to have an identifier of one of these types.
    Identifiers,
    /// A comparison.
    Comparison,
    /// A value.
    Value,
}

/// An event that a comparison looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its place in the timeline.
    pub key: EntryKey,
    /// Its name.
    pub name: String,
    /// Its message id.
    pub message_id: String,
    /// Whether it makes a difference by itself just now: one that left the window does not.
    pub counts: bool,
}

impl Found<'_> {
    /// Why a definition of its collection comes to what it does at that moment. Nothing where what it says cannot
    /// be read, or it is of the other collection.
    pub fn reasons(
        &self,
        definition: &Definition,
        now: Time,
    ) -> Result<Option<Reasons>, LookupError> {
        if definition.collection != self.collection() {
            return Ok(None);
        }
        let Ok(query) = definition.parsed() else { return Ok(None) };
        let Some(plans) = self.read.view.plans.get(self.read.slot) else { return Ok(None) };
        let Some(parts) = Parts::of(self.read, definition, &query) else { return Ok(None) };
        let tables = &self.read.view.tables;
        let key = self.read.in_space(self.id());
        let written = tables.computed.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let moments = tables.moments.read(&key, <[u8]>::to_vec)?.unwrap_or_default();
        let mut values = Values::read(&written, &moments).unwrap_or_default();
        let own = outlines(self.sections.iter().map(|(_, section)| section));
        let space = (&parts, plans.as_ref());
        let reasons = match self.collection() {
            Collection::Users => {
                self.bring_up_to(&mut values, &own, now);
                let mut side = Side::new(self.id(), own, values, &parts);
                let looked = look(space, &[self], std::slice::from_mut(&mut side), None, now)?;
                let whole = Whole { parts: &parts, plans, now };
                let reasons = Reasons::of(&query, &whole, &Subject::User(&side), looked);
                reasons.filtered(&definition.filter_by_external_ids, self)
            }
            Collection::Accounts => {
                self.bring_account_up_to(&mut values, first_moment(&moments), now)?;
                self.reasons_of_account(&query, space, (&own, values), now)?
            }
        };
        Ok(Some(reasons))
    }
}
