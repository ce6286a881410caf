//! The first records of a log: a workspace, a space, a source and a token.

use selfsame_identity::RuleSet;
use selfsame_pipeline::workspace::{
    BrowserSdk, Change, DedupeScope, Identity, Role, Source, SourceKind, Token, WriteKey,
};
use sha2::{Digest as _, Sha256};

use crate::chance;
use crate::node::{Node, SubmitError};

/// Traits that can be searched from the first event on.
const INDEXED_TRAITS: [&str; 6] = ["email", "phone", "name", "firstName", "lastName", "username"];

/// The names and secrets that a new workspace begins with.
#[derive(Debug, Clone)]
pub(crate) struct FirstNames {
    pub(crate) space: String,
    pub(crate) source: String,
    pub(crate) write_key: String,
    pub(crate) token: String,
}

impl FirstNames {
    /// Those of a real server: drawn, and shown once.
    pub(crate) fn drawn() -> Self {
        Self {
            space: "default".to_owned(),
            source: "default".to_owned(),
            write_key: chance::token("", 32),
            token: chance::token("sfs_", 43),
        }
    }

    /// Those of a server for tests: known to everybody.
    pub(crate) fn known(name: &str) -> Self {
        let name = name.to_owned();
        Self { space: name.clone(), source: name.clone(), write_key: name.clone(), token: name }
    }
}

/// The hash of a token, as the configuration keeps it.
pub(crate) fn token_hash(token: &str) -> String {
    let hash = Sha256::digest(token.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the workspace if there is none. Says whether it did.
pub(crate) async fn first_start(node: &Node, names: &FirstNames) -> Result<bool, SubmitError> {
    let is_new = node.view().is_some_and(|view| view.meta.workspace.secret.is_empty());
    if !is_new {
        return Ok(false);
    }
    let secret = chance::bytes::<32>().iter().map(|byte| format!("{byte:02x}")).collect();
    let changes = [
        Change::Create { name: names.space.clone(), secret },
        Change::SetSpace {
            id: names.space.clone(),
            name: names.space.clone(),
            rules: RuleSet::default(),
            indexed_traits: INDEXED_TRAITS.map(str::to_owned).to_vec(),
        },
        Change::SetSource(Source {
            number: 0,
            id: names.source.clone(),
            name: names.source.clone(),
            space: names.space.clone(),
            write_keys: vec![WriteKey { key: names.write_key.clone(), revoked: false }],
            strict: false,
            dedupe: DedupeScope::default(),
            kind: SourceKind::Any,
            browser_sdk: BrowserSdk::Selfsame,
            identity: Identity::default(),
        }),
        Change::AddToken(Token {
            id: "first".to_owned(),
            name: "made at the first start".to_owned(),
            hash: token_hash(&names.token),
            revoked: false,
            role: Role::Owner,
        }),
    ];
    for change in &changes {
        node.change(change).await?;
    }
    Ok(true)
}
