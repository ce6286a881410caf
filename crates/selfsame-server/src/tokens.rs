//! Who may use the APIs by a token: tokens are compared by their hashes.

use std::sync::Arc;

use selfsame_pipeline::Shared;
use selfsame_pipeline::workspace::Role;
use subtle::ConstantTimeEq;

use crate::bootstrap::token_hash;

/// The tokens of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Tokens(pub(crate) Arc<Shared>);

impl Tokens {
    /// The id and the role of a token, if it is one of the workspace's, and not revoked.
    pub(crate) fn of(&self, token: &str) -> Option<(String, Role)> {
        let meta = self.0.meta();
        let hash = token_hash(token);
        let mut found = None;
        for known in &meta.workspace.tokens {
            let same: bool = known.hash.as_bytes().ct_eq(hash.as_bytes()).into();
            if same && !known.revoked {
                found = Some((known.id.clone(), known.role));
            }
        }
        found
    }
}
