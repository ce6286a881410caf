//! The way of collected events into the log, and of write keys to their sources.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use selfsame_collect::{
    Intake, IntakeError, Lookup, Receipt, SourceKind, SourceSettings, Sources, TokenKeys,
};
use selfsame_event::{RecordKind, SourceNumber};
use selfsame_log::{AppendError, Item, Log, NewRecord, SegmentLog};
use selfsame_pipeline::workspace::{self, Workspace};

use crate::chance;
use crate::control::checker;
use crate::vault::Vault;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Appends to the log of the data folder.
#[derive(Debug, Clone)]
pub(crate) struct LogIntake(pub(crate) Arc<SegmentLog>);

impl Intake for LogIntake {
    async fn append(
        &self,
        kind: RecordKind,
        head: Vec<u8>,
        items: Vec<Bytes>,
    ) -> Result<Receipt, IntakeError> {
        let record = NewRecord {
            id: chance::record_id(),
            kind: kind as u8,
            head: head.into(),
            items: items.into_iter().map(Item::Body).collect(),
        };
        match self.0.append(record).await {
            Ok(appended) => Ok(Receipt { position: appended.position }),
            Err(AppendError::Backlog { .. }) => {
                Err(IntakeError::Backlog { retry_after: RETRY_AFTER })
            }
            Err(AppendError::Full(_)) => Err(IntakeError::Full),
            Err(AppendError::Closed) => Err(IntakeError::Stopping),
            Err(AppendError::Failed(_) | AppendError::TooLarge { .. }) => {
                Err(IntakeError::Unavailable)
            }
        }
    }
}

/// The write keys of the workspace, by key.
#[derive(Debug, Default)]
pub(crate) struct KeyTable {
    keys: RwLock<Arc<FxHashMap<Box<str>, Lookup>>>,
    identity_keys: RwLock<Arc<FxHashMap<SourceNumber, Arc<TokenKeys>>>>,
}

impl KeyTable {
    /// Takes the keys of this configuration.
    pub(crate) fn load(&self, workspace: &Workspace, vault: &Vault) {
        let mut keys = FxHashMap::default();
        for source in &workspace.sources {
            let settings = SourceSettings {
                number: SourceNumber(source.number),
                strict: source.strict,
                kind: match source.kind {
                    workspace::SourceKind::Any => SourceKind::ByRoute,
                    workspace::SourceKind::Browser => SourceKind::Browser,
                    workspace::SourceKind::Mobile => SourceKind::Mobile,
                    workspace::SourceKind::Server => SourceKind::Server,
                },
            };
            keys.extend(source.write_keys.iter().map(|key| {
                let lookup = if key.revoked { Lookup::Revoked } else { Lookup::Active(settings) };
                (key.key.as_str().into(), lookup)
            }));
        }
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        let guarded = workspace.sources.iter().filter(|source| !source.identity.keys.is_empty());
        // They were checked before they became part of the configuration. A key that cannot be opened
        // checks nothing, so what it signed proves nothing.
        let token_keys = |source: &workspace::Source| {
            let open = |key: &workspace::IdentityKey| {
                checker(key, &vault.identity_key(&source.id, key).ok()?).ok()
            };
            TokenKeys(source.identity.keys.iter().filter_map(open).collect())
        };
        let identity_keys =
            guarded.map(|source| (SourceNumber(source.number), Arc::new(token_keys(source))));
        let identity_keys = Arc::new(identity_keys.collect());
        *self.identity_keys.write().unwrap_or_else(PoisonError::into_inner) = identity_keys;
    }
}

impl Sources for KeyTable {
    fn by_key(&self, key: &str) -> Lookup {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(key).copied().unwrap_or(Lookup::Unknown)
    }

    fn token_keys(&self, source: SourceNumber) -> Arc<TokenKeys> {
        let keys = self.identity_keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&source).map(Arc::clone).unwrap_or_default()
    }
}
