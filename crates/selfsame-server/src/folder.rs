//! The data folder: what is where in it, its format, and that one process has it.
//!
//! ```text
//! DIR/format        the name and version of the layout
//! DIR/lock          held by the process that has the folder
//! DIR/key           what seals secrets, unless the settings put it elsewhere
//! DIR/log/          the event log
//! DIR/outbox/       decisions, one record for each of the log
//! DIR/ledger/N/     what destinations of space N answered
//! DIR/exchanges/    what was answered to exchanges of several requests that are under way
//! DIR/attempts/N/   the newest attempts of deliveries of space N, to be searched
//! DIR/state/        the fold of the log: a cache
//! DIR/state.next/   its successor, while rules are published over the whole history
//! DIR/history/      what new definitions keep of the events so far, while it is computed
//! DIR/function-logs/ what the last calls of functions came to, and printed
//! DIR/alerts.json   what is raised, and who is still to be told of it
//! DIR/graph-days.json how large profiles were on the newest days
//! DIR/members.json  who may sign in, sealed
//! DIR/audit/        who did what
//! DIR/trial/        two graphs, while rules are tried out
//! ```

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// The version of the layout.
pub(crate) const FORMAT: u32 = 1;
/// The file of members.
pub(crate) const MEMBERS: &str = "members.json";
/// The folder of the audit log.
pub(crate) const AUDIT: &str = "audit";
const NAME: &str = "selfsame-data";

/// A data folder that this process has.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Held as long as the folder is.
    _lock: File,
}

/// A folder that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error("the data folder {} is in use by another selfsame process", .0.display())]
    InUse(PathBuf),
    #[error("{} is not a selfsame data folder, and not empty", .0.display())]
    Foreign(PathBuf),
    #[error("the data folder {} has format {found}; this program reads up to {FORMAT}. Use a newer selfsame", .folder.display())]
    Newer { folder: PathBuf, found: u32 },
    #[error("there is no data folder at {}", .0.display())]
    Missing(PathBuf),
    #[error("the data folder {} cannot be used", .folder.display())]
    Io {
        folder: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl Folder {
    /// Takes the folder, and makes it if it is not there.
    pub(crate) fn open_or_create(root: &Path) -> Result<Self, FolderError> {
        let failed = |source| FolderError::Io { folder: root.to_owned(), source };
        std::fs::create_dir_all(root).map_err(failed)?;
        if !root.join("format").exists() {
            let mut entries = std::fs::read_dir(root).map_err(failed)?;
            if entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != "lock")) {
                return Err(FolderError::Foreign(root.to_owned()));
            }
        }
        let folder = Self::lock(root)?;
        if !root.join("format").exists() {
            let temporary = root.join("format.new");
            let file = File::create(&temporary).map_err(failed)?;
            io::Write::write_all(&mut &file, format!("{NAME} {FORMAT}\n").as_bytes())
                .and_then(|()| file.sync_all())
                .and_then(|()| std::fs::rename(&temporary, root.join("format")))
                .and_then(|()| File::open(root)?.sync_all())
                .map_err(failed)?;
        }
        folder.check()?;
        Ok(folder)
    }

    /// Takes a folder that is there.
    pub(crate) fn open(root: &Path) -> Result<Self, FolderError> {
        if !root.join("format").exists() {
            return Err(FolderError::Missing(root.to_owned()));
        }
        let folder = Self::lock(root)?;
        folder.check()?;
        Ok(folder)
    }

    fn lock(root: &Path) -> Result<Self, FolderError> {
        let failed = |source| FolderError::Io { folder: root.to_owned(), source };
        let lock = File::create(root.join("lock")).map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { root: root.to_owned(), _lock: lock }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(FolderError::InUse(root.to_owned())),
            Err(error) => Err(failed(error.into())),
        }
    }

    fn check(&self) -> Result<(), FolderError> {
        let failed = |source| FolderError::Io { folder: self.root.clone(), source };
        let text = std::fs::read_to_string(self.root.join("format")).map_err(failed)?;
        let version = text.trim().strip_prefix(NAME).and_then(|rest| rest.trim().parse().ok());
        match version {
            Some(found) if found > FORMAT => {
                Err(FolderError::Newer { folder: self.root.clone(), found })
            }
            Some(_) => Ok(()),
            None => Err(FolderError::Foreign(self.root.clone())),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.root.join("outbox")
    }

    pub(crate) fn attempts(&self, space: u32) -> PathBuf {
        self.root.join("attempts").join(space.to_string())
    }

    pub(crate) fn ledger(&self, space: u32) -> PathBuf {
        self.root.join("ledger").join(space.to_string())
    }

    pub(crate) fn exchanges(&self) -> PathBuf {
        self.root.join("exchanges")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    pub(crate) fn history(&self) -> PathBuf {
        self.root.join("history")
    }

    pub(crate) fn preview(&self) -> PathBuf {
        self.root.join("preview")
    }

    pub(crate) fn function_logs(&self) -> PathBuf {
        self.root.join("function-logs")
    }

    pub(crate) fn graph_days(&self) -> PathBuf {
        self.root.join("graph-days.json")
    }

    pub(crate) fn alerts(&self) -> PathBuf {
        self.root.join("alerts.json")
    }

    pub(crate) fn members(&self) -> PathBuf {
        self.root.join(MEMBERS)
    }

    pub(crate) fn audit(&self) -> PathBuf {
        self.root.join(AUDIT)
    }

    pub(crate) fn trial(&self) -> PathBuf {
        self.root.join("trial")
    }
}
