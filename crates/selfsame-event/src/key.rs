//! Keys that stand for identifiers, and the profile ids made from them.
//!
//! Both come from a hash keyed with the workspace's secret, which is a record of the log: replaying
//! the log gives the same ids, while nobody outside can craft two identifiers with one key, or guess
//! from a profile id whose it is.

use std::fmt;

use crate::{Collection, Identifier, Time};

/// 16 bytes of a keyed hash of (space, collection, type, value).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentifierKey(pub [u8; 16]);

impl fmt::Debug for IdentifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentifierKey(")?;
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…)")
    }
}

/// 16 bytes of a hash of anything else that needs an identity of its own.
pub type Digest = [u8; 16];

/// Makes keys. One per workspace.
#[derive(Clone)]
pub struct KeyHasher {
    secret: [u8; 32],
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(…)")
    }
}

impl KeyHasher {
    /// Keys made with this secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret }
    }

    /// The key of an identifier in a space.
    pub fn identifier(
        &self,
        space: u32,
        collection: Collection,
        kind: &str,
        value: &str,
    ) -> IdentifierKey {
        let domain = [b'i', collection as u8];
        IdentifierKey(self.digest(&[
            &domain,
            &space.to_le_bytes(),
            kind.as_bytes(),
            value.as_bytes(),
        ]))
    }

    /// The key of an identifier in a space.
    pub fn of(&self, space: u32, collection: Collection, identifier: &Identifier) -> IdentifierKey {
        self.identifier(space, collection, &identifier.kind, &identifier.value)
    }

    /// A digest of parts, each with its length, so that no two lists of parts are alike.
    pub fn digest(&self, parts: &[&[u8]]) -> Digest {
        // One contiguous message is several times cheaper to hash than many small updates.
        let mut message = [0_u8; 512];
        let length: usize = parts.iter().map(|part| part.len() + 4).sum();
        let hash = if length <= message.len() {
            let mut at = 0;
            for part in parts {
                let size = u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes();
                message[at..at + 4].copy_from_slice(&size);
                message[at + 4..at + 4 + part.len()].copy_from_slice(part);
                at += 4 + part.len();
            }
            blake3::keyed_hash(&self.secret, &message[..length])
        } else {
            let mut hasher = blake3::Hasher::new_keyed(&self.secret);
            for part in parts {
                hasher.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
                hasher.update(part);
            }
            hasher.finalize()
        };
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash.as_bytes()[..16]);
        digest
    }
}

/// The id of a profile: the candidate id of its earliest mapped identifier.
///
/// `use_` and 27 characters of base 62: four bytes of seconds since 2014-05-13 (as a KSUID has them)
/// and the identifier's key. So an id that was ever issued names the identifier it was made from,
/// and is looked up as "the profile that holds this identifier" without a table of old ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId([u8; 20]);

const KSUID_EPOCH_SECONDS: i64 = 1_400_000_000;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const TEXT_LENGTH: usize = 27;

impl ProfileId {
    /// The candidate id of an identifier that was first mapped at that log time.
    pub fn candidate(mapped_at: Time, key: IdentifierKey) -> Self {
        let seconds = mapped_at.micros() / 1_000_000 - KSUID_EPOCH_SECONDS;
        let seconds = u32::try_from(seconds.max(0)).unwrap_or(u32::MAX);
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&key.0);
        Self(bytes)
    }

    /// The identifier that this id was made from.
    pub fn key(self) -> IdentifierKey {
        let mut key = [0; 16];
        key.copy_from_slice(&self.0[4..]);
        IdentifierKey(key)
    }

    /// The 20 bytes of the id.
    pub fn to_bytes(self) -> [u8; 20] {
        self.0
    }

    /// The id of these 20 bytes.
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// Reads `use_…`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("use_").filter(|digits| digits.len() == TEXT_LENGTH)?;
        let mut bytes = [0_u8; 20];
        for digit in digits.bytes() {
            let mut carry = ALPHABET.iter().position(|letter| *letter == digit)?;
            for byte in bytes.iter_mut().rev() {
                carry += usize::from(*byte) * 62;
                *byte = u8::try_from(carry & 0xff).expect("masked to a byte");
                carry >>= 8;
            }
            if carry != 0 {
                return None;
            }
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut number = self.0;
        let mut digits = [b'0'; TEXT_LENGTH];
        for digit in digits.iter_mut().rev() {
            let mut rest = 0_u32;
            for byte in &mut number {
                let value = rest * 256 + u32::from(*byte);
                *byte = u8::try_from(value / 62).expect("the rest is below 62");
                rest = value % 62;
            }
            *digit = ALPHABET[rest as usize];
        }
        f.write_str("use_")?;
        f.write_str(std::str::from_utf8(&digits).expect("the alphabet is ASCII"))
    }
}

#[cfg(test)]
mod tests;
