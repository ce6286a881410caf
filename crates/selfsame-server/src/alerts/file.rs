//! What is raised, on disk.
//!
//! ```text
//! DIR/alerts.json    {"selfsame_alerts": 1, "memory": {…}}, replaced whole
//! ```
//!
//! **Invariants:** the file is one that was written whole; one of a newer format is refused, and one that
//! cannot be read is put aside, so that at worst what is raised is told again.

use std::io;
use std::path::{Path, PathBuf};

use selfsame_alert::Memory;
use serde::{Deserialize, Serialize};

use crate::whole_file;

const FORMAT: u32 = 1;

#[derive(Deserialize)]
struct Version {
    selfsame_alerts: u32,
}

#[derive(Serialize, Deserialize)]
struct Content<M> {
    selfsame_alerts: u32,
    memory: M,
}

/// A file of alerts that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AlertsFileError {
    #[error("the file of alerts {} cannot be used", .file.display())]
    Io {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the file of alerts {} has format {found}; this program reads up to {FORMAT}. Use a newer selfsame", .file.display())]
    Newer { file: PathBuf, found: u32 },
}

impl AlertsFileError {
    pub(super) fn stopped(file: &Path) -> Self {
        Self::Io { file: file.to_owned(), source: io::Error::other("the writing ended early") }
    }
}

/// What was kept; nothing, where there is no file yet.
pub(super) fn read(file: &Path) -> Result<Memory, AlertsFileError> {
    let failed = |source| AlertsFileError::Io { file: file.to_owned(), source };
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Memory::default()),
        Err(source) => return Err(failed(source)),
    };
    if let Ok(Version { selfsame_alerts: found }) = serde_json::from_slice(&text)
        && found > FORMAT
    {
        return Err(AlertsFileError::Newer { file: file.to_owned(), found });
    }
    match serde_json::from_slice::<Content<Memory>>(&text) {
        Ok(content) => Ok(content.memory),
        Err(error) => {
            tracing::error!(file = %file.display(), %error, "what is raised cannot be read, and is put aside");
            std::fs::rename(file, file.with_extension("json.damaged")).map_err(failed)?;
            Ok(Memory::default())
        }
    }
}

/// Keeps it: when this returns, it is on disk.
pub(super) fn write(file: &Path, memory: &Memory) -> Result<(), AlertsFileError> {
    let failed = |source| AlertsFileError::Io { file: file.to_owned(), source };
    let content = Content { selfsame_alerts: FORMAT, memory };
    let text = serde_json::to_vec(&content).map_err(|error| failed(error.into()))?;
    whole_file::replace(file, &text).map_err(failed)
}

#[cfg(test)]
mod tests;
