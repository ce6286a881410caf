//! How the senders of a source prove who they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::OAuth;

/// How the senders of a source prove who they are. While a source of a space has a key, the space
/// guards its people: see docs/concepts/identity.md, "Verified identifiers".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// The keys that check identity tokens. More than one while they are rotated.
    #[serde(default)]
    pub keys: Vec<IdentityKey>,
    /// Whether a user id is left out of an event that proves nothing, unless it comes from a device of
    /// that user which a verified event named.
    #[serde(default)]
    pub required: bool,
    /// Which clients may send, with tokens.
    #[serde(default, skip_serializing_if = "OAuth::is_default")]
    pub oauth: OAuth,
}

/// A key that checks identity tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityKey {
    /// Its id: the `kid` of tokens.
    pub id: String,
    /// By which algorithm its signatures are made.
    pub algorithm: TokenAlgorithm,
    /// The secret of HS256 or the public key of ES256.
    pub key: KeyText,
}

/// An algorithm of identity tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256: who checks could sign.
    Hs256,
    /// ECDSA on P-256 with SHA-256: the key that checks is public.
    Es256,
}

/// The text of a key: a public one as it is, a secret sealed by whoever writes it here. Those of early
/// logs are not sealed. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyText(pub String);

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(…)")
    }
}

impl Identity {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl TokenAlgorithm {
    /// The name in a token's head.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Es256 => "ES256",
        }
    }
}
