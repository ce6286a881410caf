//! Which of an event's identifiers may be believed: what keeps a public key from taking a person over.
//!
//! A profile is *verified* once a verified claim named it by more than a device. An event of a public
//! source reaches one verified profile at most: that of the user whom its token proves, or else that
//! of the first known device on it. Every other identifier of a verified profile is left out of the
//! event, so it joins nothing and changes nothing there. Profiles that nobody verified are reached as
//! ever.
//!
//! A device is *known* to its profile as part of it; where the source requires proof, only once it
//! came on a verified event. A name proves nothing: anybody may know an e-mail address.

use smallvec::SmallVec;

use crate::claim::{Claim, Trust};
use crate::decide::{Candidate, Root};
use crate::known::Found;
use crate::number::TypeNumber;
use crate::row::{ComponentId, Known};
use crate::verdict::Verdict;

/// The number of `user_id`.
pub(crate) const USER_ID: TypeNumber = TypeNumber(0);

impl Trust {
    /// Whether it verifies a claim of the event.
    pub(crate) fn verifies(self, claim: &Claim<'_>, is_previous: bool) -> bool {
        match self {
            Self::Sender => true,
            Self::Token { user, .. } => {
                !is_previous && (claim.key == user || claim.number.is_device())
            }
            Self::Unguarded | Self::None { .. } => false,
        }
    }

    /// Whether the event may take a device from somebody who is known to be who the profile says.
    pub(crate) fn may_take(self, claim: &Claim<'_>, is_previous: bool) -> bool {
        self == Self::Unguarded || self.verifies(claim, is_previous)
    }

    /// Whether a device makes its profile known to such an event.
    fn knows(self, claim: &Claim<'_>, is_verified: bool) -> bool {
        let required = match self {
            Self::Token { required, .. } | Self::None { required } => required,
            Self::Unguarded | Self::Sender => false,
        };
        claim.number.is_device() && (is_verified || !required)
    }

    /// Whether an event whose identifiers are all of one profile, and known to be, has to be looked at
    /// in full: it may have to be left out, or it verifies something.
    pub(crate) fn asks_for_more(self, claims: &[Claim<'_>], found: &Found, root: &Known) -> bool {
        let rows = || claims.iter().zip(found.iter().flatten());
        match self {
            Self::Unguarded => false,
            Self::Sender => rows().any(|(_, row)| !row.verified),
            Self::Token { user, .. } => {
                let is_new = rows().any(|(one, row)| self.verifies(one, false) && !row.verified);
                is_new || !claims.iter().any(|claim| claim.key == user)
            }
            Self::None { required } => {
                let is_guarded =
                    root.verified || required && claims.iter().any(|claim| claim.number == USER_ID);
                is_guarded && !rows().any(|(claim, row)| self.knows(claim, row.verified))
            }
        }
    }
}

/// Puts the identifiers that may not be believed behind the others, and gives how many the others are.
/// Both keep their order.
pub(crate) fn set_apart(
    ids: &mut SmallVec<[Candidate<'_>; 4]>,
    roots: &[Root],
    trust: Trust,
) -> usize {
    let user = match trust {
        Trust::Unguarded | Trust::Sender => return ids.len(),
        Trust::Token { user, .. } => Some(user),
        Trust::None { .. } => None,
    };
    let is_verified =
        |root: ComponentId| roots.iter().any(|(other, row)| *other == root && row.is_verified());
    let is_proven = |id: &Candidate<'_>| !id.is_previous && Some(id.claim.key) == user;
    let known = |id: &&Candidate<'_>| trust.knows(id.claim, id.verified);
    let of_user = ids.iter().find(|id| is_proven(id)).and_then(|id| id.root);
    let of_device =
        || ids.iter().filter(known).filter_map(|id| id.root).find(|root| is_verified(*root));
    let home = of_user.or_else(of_device);
    let has_device = |root: ComponentId| ids.iter().filter(known).any(|id| id.root == Some(root));
    let is_required = trust == Trust::None { required: true };
    let may_be_believed = |id: &Candidate<'_>| {
        let is_elsewhere = id.root.is_some_and(|root| is_verified(root) && home != Some(root));
        let is_unproven =
            is_required && id.claim.number == USER_ID && !id.root.is_some_and(has_device);
        is_proven(id) || !is_elsewhere && !is_unproven
    };
    let believed: SmallVec<[bool; 4]> = ids.iter().map(may_be_believed).collect();
    let mut parts = [SmallVec::<[Candidate<'_>; 4]>::new(), SmallVec::new()];
    for (mut id, is_believed) in ids.drain(..).zip(believed) {
        id.left_out = (!is_believed).then_some(Verdict::Unverified);
        parts[usize::from(!is_believed)].push(id);
    }
    let [first, rest] = parts;
    let count = first.len();
    ids.extend(first);
    ids.extend(rest);
    count
}
