//! Finding profiles by the value of a trait: what the index keeps of one.

use selfsame_event::{Digest, KeyHasher, Raw};

/// What the index keeps of a trait's value. A string counts by what it says, however it is escaped;
/// any other value by its text.
pub(crate) fn trait_digest(hasher: &KeyHasher, name: &str, value: Raw<'_>) -> Digest {
    match value.string() {
        Some(text) => text_digest(hasher, name, &text),
        None => hasher.digest(&[b"trait", name.as_bytes(), b"value", value.text().as_bytes()]),
    }
}

/// [`trait_digest`] of a string.
pub(crate) fn text_digest(hasher: &KeyHasher, name: &str, text: &str) -> Digest {
    hasher.digest(&[b"trait", name.as_bytes(), b"text", text.as_bytes()])
}
