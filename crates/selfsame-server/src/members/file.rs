//! Members, sessions and links, on disk.
//!
//! ```text
//! DIR/members.json    {"selfsame_members": 1, "sealed": "sealed:1:…"}, replaced whole
//! ```
//!
//! What is sealed is the [`Content`] as JSON: without the key file nobody reads e-mail addresses out of a
//! data folder or a backup, or guesses passwords at it.
//!
//! **Invariants:** the file is one that was written whole; one of a newer format, and one that the key
//! does not open, is refused and left as it is.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::content::Content;
use crate::vault::{Locked, Purpose, Vault, VaultError};
use crate::whole_file;

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope {
    selfsame_members: u32,
    #[serde(default)]
    sealed: String,
}

/// A file of members that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MembersError {
    #[error("the file of members {} cannot be used", .file.display())]
    Io {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the file of members {} has format {found}; this program reads up to {FORMAT}. Use a newer selfsame", .file.display())]
    Newer { file: PathBuf, found: u32 },
    #[error("the file of members {} is damaged. Restore it from a backup, or move it away: then a one-time link makes the first member again", .file.display())]
    Damaged { file: PathBuf },
    #[error("members cannot be sealed")]
    Vault(#[from] VaultError),
}

impl MembersError {
    pub(super) fn stopped(file: &Path) -> Self {
        Self::Io { file: file.to_owned(), source: io::Error::other("the writing ended early") }
    }
}

/// What was kept; nothing, where there is no file yet. The inner error: it cannot be opened.
pub(super) fn read(file: &Path, vault: &Vault) -> Result<Result<Content, Locked>, MembersError> {
    let damaged = || MembersError::Damaged { file: file.to_owned() };
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Content::default())),
        Err(source) => return Err(MembersError::Io { file: file.to_owned(), source }),
    };
    let envelope: Envelope = serde_json::from_slice(&text).map_err(|_| damaged())?;
    if envelope.selfsame_members > FORMAT {
        let found = envelope.selfsame_members;
        return Err(MembersError::Newer { file: file.to_owned(), found });
    }
    match vault.unseal(Purpose::Members, &envelope.sealed) {
        Ok(text) => serde_json::from_str(&text).map(Ok).map_err(|_| damaged()),
        Err(why) => Ok(Err(why)),
    }
}

/// The file as a backup has it: everybody who is a member, nobody signed in and no link, so that a
/// restored server revives no session that had ended. None where there is nobody; as it is, where the key
/// does not open it.
pub(crate) fn for_backup(file: &Path, vault: &Vault) -> Result<Option<Vec<u8>>, MembersError> {
    if !file.exists() {
        return Ok(None);
    }
    match read(file, vault)? {
        Ok(content) if content.members.is_empty() => Ok(None),
        Ok(content) => sealed(&content.members_only(), vault).map(Some),
        Err(_) => {
            let failed = |source| MembersError::Io { file: file.to_owned(), source };
            std::fs::read(file).map(Some).map_err(failed)
        }
    }
}

/// What is to be written.
pub(super) fn sealed(content: &Content, vault: &Vault) -> Result<Vec<u8>, MembersError> {
    let text = serde_json::to_string(&content.kept()).expect("it has no maps with odd keys");
    let sealed = vault.seal(Purpose::Members, &text)?;
    let envelope = Envelope { selfsame_members: FORMAT, sealed };
    Ok(serde_json::to_vec(&envelope).expect("it has no maps with odd keys"))
}

/// Keeps it: when this returns, it is on disk.
pub(super) fn write(file: &Path, sealed: &[u8]) -> Result<(), MembersError> {
    let failed = |source| MembersError::Io { file: file.to_owned(), source };
    whole_file::replace(file, sealed).map_err(failed)
}
