//! Where the members of a household are found: what the index keeps of addresses and cards, and the
//! id of a household.
//!
//! Address and family name may come on different events, so the index has the sections in which an
//! address came, whatever the name. Who reads looks at what each profile says now.
//!
//! ```text
//! index   space, digest of the address or card, anchor      the rows of declared traits, under
//!                                                           digests of other names
//! id      household: <8 bytes of that digest> <8 bytes of a digest of it and the name>, in hex
//! ```

use std::fmt;

use selfsame_event::{Digest, EventType, KeyHasher};
use selfsame_identity::{HouseholdBy, HouseholdKey};
use selfsame_profile::Role;

use crate::key::TraitIndexKey;
use crate::partition::Resolved;
use crate::row::Present;
use crate::state::State;

const PREFIX: &str = "household:";
/// The bytes of each half.
const HALF: usize = 8;

/// The id of a household: made from what its members have in common by a hash keyed with the
/// workspace's secret, so it is the same for as long as they say it, and says nothing of them but that
/// households whose first halves are equal have one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HouseholdId([u8; 2 * HALF]);

impl HouseholdId {
    /// The id of the household with that key in a space.
    pub(crate) fn of(hasher: &KeyHasher, space: u32, key: &HouseholdKey<'_>) -> Self {
        let place = place_digest(hasher, space, key.by, &key.place);
        let whole = hasher.digest(&[b"household", b"name", &place, key.name.as_bytes()]);
        let mut id = [0; 2 * HALF];
        id[..HALF].copy_from_slice(&place[..HALF]);
        id[HALF..].copy_from_slice(&whole[..HALF]);
        Self(id)
    }

    /// What every key of the index starts with that leads to its members.
    pub(crate) fn prefix(self, space: u32) -> Vec<u8> {
        [&space.to_be_bytes()[..], &self.0[..HALF]].concat()
    }

    /// Reads `household:…`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == 4 * HALF)?;
        let mut id = [0; 2 * HALF];
        for (byte, pair) in id.iter_mut().zip(digits.as_bytes().chunks(2)) {
            let is_plain = pair.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
            let pair = std::str::from_utf8(pair).ok().filter(|_| is_plain)?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(id))
    }
}

impl fmt::Display for HouseholdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What the index keeps of an address or a card.
fn place_digest(hasher: &KeyHasher, space: u32, by: HouseholdBy, place: &str) -> Digest {
    let by = by.word().as_bytes();
    hasher.digest(&[b"household", by, &space.to_le_bytes(), place.as_bytes()])
}

impl State {
    /// Adds the address and the card that an event gives a user to the index.
    pub(crate) fn index_household(&self, slot: usize, resolved: &Resolved<'_>) {
        let households = self.rules[slot].households();
        // Other events set no traits.
        let says = resolved.role == Role::User && resolved.event.kind == EventType::Identify;
        let Some(traits) = resolved.event.traits.filter(|_| says && !households.is_off()) else {
            return;
        };
        let anchor = resolved.anchor;
        for (by, place) in households.places(traits) {
            let value = place_digest(&self.hasher, anchor.space, by, &place);
            let key = TraitIndexKey { space: anchor.space, value, anchor: anchor.key };
            self.tables.trait_index.put(key, &Present);
        }
    }
}

#[cfg(test)]
mod tests;
