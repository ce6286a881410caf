//! Backups of the running server, on its own disk.

use std::path::PathBuf;
use std::sync::Arc;

use selfsame_log::LogRead as _;

use super::Control;
use super::asked::Asked;
use super::problem::{Code, Problem};
use super::shape::shape;
use crate::backup;

shape! {
    /// Where a backup is to be made.
    #[serde(deny_unknown_fields)]
    pub(crate) struct BackupRequest {
        /// A folder of the server's machine: absolute, empty or not there.
        dir: String,
        /// Whether the key that seals secrets goes into it; no where not given.
        with_key: Option<bool>,
    }

    /// A backup that was made.
    pub(crate) struct BackupDone {
        /// The place behind the last record that is in it.
        position: u64,
        /// How many files it has.
        files: u64,
        /// How many bytes they have.
        bytes: u64,
    }
}

/// `POST /api/backup`
pub(crate) async fn make(
    control: Control,
    _: Asked,
    request: BackupRequest,
) -> Result<BackupDone, Problem> {
    let dir = PathBuf::from(request.dir);
    if !dir.is_absolute() {
        return Err(Problem::field("dir", "`dir` is an absolute path."));
    }
    // What was acknowledged before this is in the backup.
    let until = control.node.log.end();
    let node = Arc::clone(&control.node);
    let with_key = request.with_key.unwrap_or(false);
    let make = move || backup::make(node.folder.root(), &dir, &node.vault, with_key);
    let made = tokio::task::spawn_blocking(make).await;
    match made {
        Ok(Ok(manifest)) if manifest.position >= until.offset => Ok(BackupDone {
            position: manifest.position,
            files: u64::try_from(manifest.files.len()).unwrap_or(u64::MAX),
            bytes: manifest.files.iter().map(|file| file.bytes).sum(),
        }),
        Ok(Ok(_)) => {
            tracing::error!("a backup's log is shorter than the log was");
            let message =
                "The copied log is shorter than the log was; the backup is not to be used.";
            Err(Problem::new(Code::Internal, message))
        }
        Ok(Err(error)) => {
            let message = format!("{error:#}");
            tracing::warn!(error = %message, "a backup was not made");
            Err(Problem::new(Code::BackupFailed, message))
        }
        Err(_) => Err(Problem::new(Code::Internal, "The backup ended early.")),
    }
}
