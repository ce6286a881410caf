//! Who may use the APIs: tokens, compared by their hashes.

use std::sync::Arc;

use selfsame_pipeline::Shared;
use subtle::ConstantTimeEq;

use crate::bootstrap::token_hash;

/// The tokens of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Tokens(pub(crate) Arc<Shared>);

impl Tokens {
    /// Whether the token is one of the workspace's, and not revoked.
    pub(crate) fn allows(&self, token: &str) -> bool {
        let meta = self.0.meta();
        let hash = token_hash(token);
        let mut found = false;
        for known in &meta.workspace.tokens {
            let same: bool = known.hash.as_bytes().ct_eq(hash.as_bytes()).into();
            found |= same && !known.revoked;
        }
        found
    }
}

impl selfsame_profile_api::Tokens for Tokens {
    /// Tokens are the workspace's: each reads every space of it.
    fn allows(&self, token: &str, _: &str) -> bool {
        self.allows(token)
    }

    fn knows(&self, token: &str) -> bool {
        self.allows(token)
    }
}
