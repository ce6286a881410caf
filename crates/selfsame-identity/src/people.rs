//! How many people a device came with: by that a shared device is known.
//!
//! Where the rules ask for it, a device has a row of the user ids that came with it on an event,
//! whatever became of either. So the row is a function of the events alone: no merge and no undo
//! changes it. In a guarded space only a user id counts that the event proves, or anybody could make a
//! stranger's device a shared one.

use selfsame_event::IdentifierKey;

use crate::claim::{Claim, Trust};
use crate::compile::Rules;
use crate::row::Rows;
use crate::trust::USER_ID;

/// Most people that are counted, and so the most that rules can ask for.
pub const MOST_PEOPLE: usize = 32;

/// The user ids that came with a device, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeopleRow {
    pub(crate) users: Vec<IdentifierKey>,
}

impl PeopleRow {
    /// How many people they are, at most [`MOST_PEOPLE`].
    pub fn count(&self) -> usize {
        self.users.len()
    }

    /// Adds a user id. Says whether the row changed.
    pub(crate) fn add(&mut self, user: IdentifierKey) -> bool {
        let place = self.users.binary_search(&user);
        let is_new = place.is_err() && self.users.len() < MOST_PEOPLE;
        if let Err(place) = place
            && is_new
        {
            self.users.insert(place, user);
        }
        is_new
    }
}

impl Trust {
    /// Whether a claim names somebody whom devices on its event are counted for.
    pub(crate) fn counts(self, claim: &Claim<'_>) -> bool {
        claim.number == USER_ID && (self == Self::Unguarded || self.verifies(claim, false))
    }
}

/// Whether an event whose identifiers are all of one profile has to be looked at in full: a device on it
/// is shared, or came with somebody new.
pub(crate) fn asks_for_more<R: Rows>(
    claims: &[Claim<'_>],
    trust: Trust,
    rules: &Rules,
    rows: &mut R,
) -> Result<bool, R::Error> {
    let Some(most) = rules.shared_devices() else { return Ok(false) };
    for device in claims.iter().filter(|claim| claim.number.is_device()) {
        let row = rows.people(device.key)?.unwrap_or_default();
        let is_new = |claim: &Claim<'_>| trust.counts(claim) && !row.users.contains(&claim.key);
        if row.count() >= most || claims.iter().any(is_new) {
            return Ok(true);
        }
    }
    Ok(false)
}
