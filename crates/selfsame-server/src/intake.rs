//! The way of collected events into the log, and of write keys to their sources.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use rustc_hash::FxHashMap;
use selfsame_collect::oauth::{AccessKey, Client, ClientKey, check_access};
use selfsame_collect::{
    BrowserSdk, Intake, IntakeError, Lookup, Problem, Receipt, SourceKind, SourceSettings, Sources,
    TokenKeys,
};
use selfsame_event::{RecordKind, SourceNumber, Time};
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
    clients: RwLock<Arc<Clients>>,
}

/// The OAuth clients of all sources.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    by_id: FxHashMap<Box<str>, Client>,
    keys: Vec<AccessKey>,
}

impl Clients {
    fn of(workspace: &Workspace, vault: &Vault) -> Self {
        let mut by_id = FxHashMap::default();
        for source in &workspace.sources {
            for client in &source.identity.oauth.clients {
                // They were checked before they became part of the configuration.
                let keys = client.keys.iter();
                let keys = keys.filter_map(|key| ClientKey::read(&key.id, &key.public_key).ok());
                let known = Client {
                    id: client.id.clone(),
                    source: SourceNumber(source.number),
                    token_seconds: client.token_seconds,
                    keys: keys.collect(),
                };
                by_id.insert(client.id.as_str().into(), known);
            }
        }
        Self { by_id, keys: vault.access_keys() }
    }

    /// A client.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Client> {
        self.by_id.get(id)
    }

    /// What makes access tokens.
    pub(crate) fn signer(&self) -> Option<&AccessKey> {
        self.keys.first()
    }
}

impl KeyTable {
    /// Takes the keys of this configuration.
    pub(crate) fn load(&self, workspace: &Workspace, vault: &Vault) {
        let mut keys = FxHashMap::default();
        for source in &workspace.sources {
            let settings = SourceSettings {
                number: SourceNumber(source.number),
                oauth: source.identity.oauth.required,
                strict: source.strict,
                browser_sdk: match source.browser_sdk {
                    workspace::BrowserSdk::Official => BrowserSdk::Official,
                    workspace::BrowserSdk::Selfsame => BrowserSdk::Selfsame,
                },
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
        let clients = Arc::new(Clients::of(workspace, vault));
        *self.clients.write().unwrap_or_else(PoisonError::into_inner) = clients;
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

impl KeyTable {
    /// The OAuth clients.
    pub(crate) fn clients(&self) -> Arc<Clients> {
        Arc::clone(&self.clients.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Sources for KeyTable {
    fn authorize(&self, source: SourceNumber, token: &str, now: Time) -> Result<(), Problem> {
        let clients = self.clients();
        let is_there = |id: &str| clients.by_id(id).is_some_and(|client| client.source == source);
        check_access(token, &clients.keys, source, is_there, now)
    }

    fn by_key(&self, key: &str) -> Lookup {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(key).copied().unwrap_or(Lookup::Unknown)
    }

    fn token_keys(&self, source: SourceNumber) -> Arc<TokenKeys> {
        let keys = self.identity_keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&source).map(Arc::clone).unwrap_or_default()
    }
}
