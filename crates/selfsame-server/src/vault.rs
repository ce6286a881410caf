//! The vault: secrets are sealed before they become records, and opened where they are used.
//!
//! ```text
//! sealed:1:KEY:base64url( nonce: 12 | ChaCha20-Poly1305 of the secret | tag: 16 )
//! ```
//!
//! `KEY` names the key: the first 16 digits of its SHA-256. What a secret is for is authenticated with
//! it, so that a sealed text cannot be moved to where it would be sent to somebody else. The fold sees
//! sealed texts only, so the state stays a function of the log. Texts without the prefix are from
//! before there was a vault, and are taken as they are.
//!
//! The keys are in a file of their own, one a line, `sfk_` and base64url of 32 bytes; the first one
//! seals, all of them open. Backups leave it out unless they are asked to take it.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use selfsame_collect::oauth::AccessKey;
use selfsame_pipeline::workspace::{Destination, IdentityKey, TokenAlgorithm, Tool, Workspace};
use sha2::{Digest as _, Sha256};

use crate::chance;

/// The name of the key file in a data folder.
pub(crate) const KEY_FILE: &str = "key";
const PREFIX: &str = "sealed:1:";
const KEY_PREFIX: &str = "sfk_";
/// What tells the key of access tokens from others that may be derived one day.
const ACCESS: &[u8] = b"selfsame access tokens 1";
const HEAD: &str = "# Seals the secrets of this data folder. Keep a copy apart from backups: without it they cannot be opened.\n";

/// The keys of a data folder. `Debug` shows where they are.
pub(crate) struct Vault {
    file: PathBuf,
    keys: RwLock<Vec<VaultKey>>,
}

struct VaultKey {
    id: String,
    key: LessSafeKey,
    /// Makes and checks access tokens; derived from the same bytes.
    access: AccessKey,
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    #[error("the key file {} cannot be used", .file.display())]
    Io {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(
        "line {line} of the key file {} is no key: a key is `sfk_` and the base64url of 32 bytes",
        .file.display()
    )]
    NotAKey { file: PathBuf, line: usize },
}

/// A secret that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Locked {
    #[error("it is sealed with the key {0}, which is not in the key file")]
    NoKey(String),
    #[error("it is damaged, or was sealed for something else")]
    Damaged,
}

/// What a secret is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'p> {
    /// Signing what is sent to a destination.
    Destination(&'p str),
    /// Speaking to a destination of the catalogue.
    Tool(&'p str),
    /// Checking identity tokens: of a source, with a key's id.
    IdentityKey(&'p str, &'p str),
    /// Signing in: the whole file of members.
    Members,
    /// Telling a channel of alerts, by its id.
    AlertChannel(&'p str),
    /// Being told to a function: of a place where it is used, with the setting's name.
    Setting(&'p str, &'p str),
}

impl fmt::Display for Purpose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination(id) => write!(f, "destination {id}"),
            Self::Tool(id) => write!(f, "settings of destination {id}"),
            Self::Members => f.write_str("members"),
            Self::AlertChannel(id) => write!(f, "alert channel {id}"),
            Self::IdentityKey(source, key) => write!(f, "identity key {key} of source {source}"),
            Self::Setting(place, name) => write!(f, "setting {name} of the function of {place}"),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("file", &self.file).finish_non_exhaustive()
    }
}

impl VaultKey {
    fn new(bytes: &[u8]) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?);
        let digest = Sha256::digest(bytes);
        let id: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let parent = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let derived = hmac::sign(&parent, ACCESS).as_ref().try_into().ok()?;
        let access = AccessKey::new(&id, &derived);
        Some(Self { id, key, access })
    }
}

/// The key file of a data folder: the one of the settings, or the one in the folder.
pub(crate) fn file_of(setting: &Path, root: &Path) -> PathBuf {
    if setting.as_os_str().is_empty() { root.join(KEY_FILE) } else { setting.to_owned() }
}

impl Vault {
    /// Reads the key file. It need not be there.
    pub(crate) fn open(file: PathBuf) -> Result<Self, VaultError> {
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(VaultError::Io { file, source }),
        };
        let mut keys = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let bytes =
                text.strip_prefix(KEY_PREFIX).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            match bytes.and_then(|bytes| VaultKey::new(&bytes)) {
                Some(key) => keys.push(key),
                None => return Err(VaultError::NotAKey { file, line }),
            }
        }
        Ok(Self { file, keys: RwLock::new(keys) })
    }

    /// Draws a key if there is none yet, and writes it where only this user can read it.
    pub(crate) fn ensure_key(&self) -> Result<(), VaultError> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !keys.is_empty() {
            return Ok(());
        }
        let bytes = chance::bytes::<32>();
        let failed = |source| VaultError::Io { file: self.file.clone(), source };
        let text = format!("{HEAD}{KEY_PREFIX}{}\n", URL_SAFE_NO_PAD.encode(bytes));
        let mut file = OpenOptions::new();
        // A file without a key in it may be there.
        file.write(true).create(true).append(true).mode(0o600);
        let mut file = file.open(&self.file).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        if let Some(folder) = self.file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        }
        keys.extend(VaultKey::new(&bytes));
        Ok(())
    }

    /// The key file.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Copies the key file, for this user only.
    pub(crate) fn copy_to(&self, path: &Path) -> io::Result<()> {
        let text = std::fs::read(&self.file)?;
        let mut copy = OpenOptions::new();
        let mut copy = copy.write(true).create_new(true).mode(0o600).open(path)?;
        copy.write_all(&text)?;
        copy.sync_all()
    }

    /// The ids of the keys.
    pub(crate) fn ids(&self) -> Vec<String> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|key| key.id.clone()).collect()
    }

    /// What makes access tokens, first, and what checks them.
    pub(crate) fn access_keys(&self) -> Vec<AccessKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|key| key.access.clone()).collect()
    }

    /// Whether others than this user can read the key file.
    pub(crate) fn is_exposed(&self) -> bool {
        std::fs::metadata(&self.file).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
    }

    /// Seals a secret.
    pub(crate) fn seal(&self, purpose: Purpose<'_>, secret: &str) -> Result<String, VaultError> {
        self.ensure_key()?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.first().expect("there is one");
        let nonce = chance::bytes::<NONCE_LEN>();
        let mut bytes = secret.as_bytes().to_vec();
        let aad = Aad::from(purpose.to_string().into_bytes());
        key.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
            .expect("a secret is far shorter than what the cipher takes");
        let sealed = URL_SAFE_NO_PAD.encode([&nonce[..], &bytes].concat());
        Ok(format!("{PREFIX}{}:{sealed}", key.id))
    }

    /// Opens a text that was sealed for this; one from before there was a vault is what it says.
    pub(crate) fn unseal(&self, purpose: Purpose<'_>, text: &str) -> Result<String, Locked> {
        let Some(rest) = text.strip_prefix(PREFIX) else { return Ok(text.to_owned()) };
        let (id, sealed) = rest.split_once(':').ok_or(Locked::Damaged)?;
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.iter().find(|key| key.id == id);
        let key = key.ok_or_else(|| Locked::NoKey(id.to_owned()))?;
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| Locked::Damaged)?;
        let (nonce, bytes) = bytes.split_first_chunk().ok_or(Locked::Damaged)?;
        let mut bytes = bytes.to_vec();
        let aad = Aad::from(purpose.to_string().into_bytes());
        let opened = key.key.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut bytes);
        let opened = opened.map_err(|_| Locked::Damaged)?;
        String::from_utf8(opened.to_vec()).map_err(|_| Locked::Damaged)
    }

    /// The secrets of a destination, newest first.
    pub(crate) fn secrets(&self, destination: &Destination) -> Result<Vec<String>, Locked> {
        let purpose = Purpose::Destination(&destination.id);
        destination.secrets.iter().map(|text| self.unseal(purpose, text)).collect()
    }

    /// What a destination of the catalogue keeps secret, as it was sealed.
    pub(crate) fn tool(&self, destination: &str, tool: &Tool) -> Result<String, Locked> {
        self.unseal(Purpose::Tool(destination), &tool.sealed)
    }

    /// The text of a key that checks identity tokens: a secret, or a public key, which is not sealed.
    pub(crate) fn identity_key(&self, source: &str, key: &IdentityKey) -> Result<String, Locked> {
        match key.algorithm {
            TokenAlgorithm::Es256 => Ok(key.key.0.clone()),
            TokenAlgorithm::Hs256 => self.unseal(Purpose::IdentityKey(source, &key.id), &key.key.0),
        }
    }

    /// Whose secrets cannot be opened, and why.
    pub(crate) fn locked(&self, workspace: &Workspace) -> Vec<(String, Locked)> {
        let mut locked = Vec::new();
        for destination in &workspace.destinations {
            let why = self.secrets(destination).err();
            let purpose = Purpose::Destination(&destination.id);
            locked.extend(why.map(|why| (purpose.to_string(), why)));
            if let Some(tool) = destination.tool.as_ref().filter(|tool| !tool.sealed.is_empty()) {
                let why = self.tool(&destination.id, tool).err();
                let purpose = Purpose::Tool(&destination.id);
                locked.extend(why.map(|why| (purpose.to_string(), why)));
            }
        }
        for source in &workspace.sources {
            for key in &source.identity.keys {
                let why = self.identity_key(&source.id, key).err();
                let purpose = Purpose::IdentityKey(&source.id, &key.id);
                locked.extend(why.map(|why| (purpose.to_string(), why)));
            }
        }
        for channel in workspace.alert_channels.iter().filter(|one| !one.sealed.is_empty()) {
            let purpose = Purpose::AlertChannel(&channel.id);
            let why = self.unseal(purpose, &channel.sealed).err();
            locked.extend(why.map(|why| (purpose.to_string(), why)));
        }
        for (place, used) in &workspace.function_uses {
            let Some(function) = workspace.function(&used.function) else { continue };
            let place = place.to_string();
            for field in function.settings.iter().filter(|field| field.secret) {
                let sealed = used.settings.get(&field.name).and_then(|value| value.as_str());
                let purpose = Purpose::Setting(&place, &field.name);
                let why = sealed.and_then(|sealed| self.unseal(purpose, sealed).err());
                locked.extend(why.map(|why| (purpose.to_string(), why)));
            }
        }
        locked
    }
}

#[cfg(test)]
mod tests;
