//! What an event says about who it is from.

use std::borrow::Cow;
use std::fmt;

use selfsame_event::{IdentifierKey, KeyHasher};
use smallvec::SmallVec;

use crate::number::TypeNumber;

/// Makes the keys of one space's identifiers.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'k> {
    /// The workspace's hasher.
    pub hasher: &'k KeyHasher,
    /// The number of the space.
    pub space: u32,
}

/// One identifier found on an event, as it is compared.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim<'e> {
    /// Its type.
    pub number: TypeNumber,
    /// Its type's priority: 1 is the most trusted.
    pub priority: u16,
    /// Its key.
    pub key: IdentifierKey,
    /// Its value.
    pub value: Cow<'e, str>,
}

/// A value that was found and does not identify.
#[derive(Clone, PartialEq, Eq)]
pub struct Unfit<'e> {
    /// Its type.
    pub number: TypeNumber,
    /// Its value.
    pub value: Cow<'e, str>,
}

/// The `previousId` of an alias call. It is an anonymous id or a user id, whichever is known, and an
/// anonymous id if neither is; a reading that is blocked or not listed is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous<'e> {
    /// Read as an anonymous id.
    pub anonymous: Option<Claim<'e>>,
    /// Read as a user id.
    pub user: Option<Claim<'e>>,
}

/// How far what an event says about who it is from is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Nobody proves anything in its space, so nothing is doubted either.
    #[default]
    Unguarded,
    /// Its sender holds a secret: all of it is verified.
    Sender,
    /// A token proves one identifier, and what the event says of the devices is taken with it.
    Token {
        /// The user id that it proves.
        user: IdentifierKey,
        /// As below.
        required: bool,
    },
    /// Nothing proves it.
    None {
        /// Whether a user id has to be proven, and a device to have come on a verified event to be
        /// known.
        required: bool,
    },
}

/// Everything an event says about who it is from.
///
/// Invariant: `users` and `accounts` each hold an identifier once, the most trusted first (ties: the
/// smaller value first).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims<'e> {
    /// Identifiers of the user.
    pub users: SmallVec<[Claim<'e>; 4]>,
    /// Identifiers of the account.
    pub accounts: SmallVec<[Claim<'e>; 1]>,
    /// The `previousId` of an alias call.
    pub previous: Option<Box<Previous<'e>>>,
    /// Values that the rules block.
    pub blocked: Vec<Unfit<'e>>,
    /// Values over [`selfsame_event::limits::IDENTIFIER_CHARS`].
    pub too_long: Vec<Unfit<'e>>,
    /// Elements of `context.externalIds` that lack one of their four members.
    pub malformed: u32,
    /// Whether this is a group call, which links its user to its account.
    pub links: bool,
    /// Of `users`, its `userId`: what a token proves.
    pub user: Option<IdentifierKey>,
    /// How far what it says of its user is proven.
    pub trust: Trust,
}

/// Values are personal data: `Debug` shows the type only.
impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({}:…, {:?})", self.number.0, self.key)
    }
}

/// Values are personal data: `Debug` shows the type only.
impl fmt::Debug for Unfit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unfit({}:…)", self.number.0)
    }
}
