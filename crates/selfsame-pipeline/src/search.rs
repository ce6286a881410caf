//! Finding profiles by the value of a trait.

use selfsame_event::{Digest, KeyHasher, Raw};

/// What the index keeps of a trait's value.
pub fn trait_digest(hasher: &KeyHasher, name: &str, value: Raw<'_>) -> Digest {
    hasher.digest(&[b"trait", name.as_bytes(), value.text().as_bytes()])
}
