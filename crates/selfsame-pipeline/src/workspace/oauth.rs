//! The OAuth clients of a source: who may get tokens to send to it.

use serde::{Deserialize, Serialize};

/// The OAuth of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OAuth {
    /// Whether a request without a token of one of the clients is refused.
    #[serde(default)]
    pub required: bool,
    /// The clients.
    #[serde(default)]
    pub clients: Vec<OAuthClient>,
}

/// A client, which signs its assertions with a private key of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthClient {
    /// Its id, one in the workspace: the `sub` of assertions.
    pub id: String,
    /// How long its tokens are good for.
    pub token_seconds: u64,
    /// Its public keys; more than one while they are rotated.
    pub keys: Vec<OAuthKey>,
}

/// A public key of a client: RSA or P-256, PEM or JWK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuthKey {
    /// The `kid` of assertions.
    pub id: String,
    /// Its text.
    pub public_key: String,
}

impl OAuth {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
