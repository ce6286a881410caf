//! What can go wrong, and what to do about it.

use std::io;
use std::path::PathBuf;

use selfsame_event::{Class, ItemPosition};

/// Why a run could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The file system refused.
    #[error("dedupe run {} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// The bytes are not those that were written. Rebuild from the log.
    #[error("dedupe run {} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which part.
        what: &'static str,
    },
    /// A newer program wrote it.
    #[error("dedupe run {} has version {found}, which this program does not know", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
    },
}

impl RunError {
    /// What the caller can do.
    pub fn class(&self) -> Class {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => Class::Corrupt,
            Self::Io { .. } => Class::Unavailable,
            Self::Damaged { .. } | Self::Version { .. } => Class::Corrupt,
        }
    }
}

/// Why an id got no verdict. Nothing has changed; the same call may be made again.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// Events must be shown in log order.
    #[error("dedupe was shown {at} after {last}")]
    Order {
        /// What was shown.
        at: ItemPosition,
        /// What was shown before.
        last: ItemPosition,
    },
    /// A set belongs to one partition.
    #[error("dedupe was shown {at}, but belongs to partition {partition}")]
    Partition {
        /// What was shown.
        at: ItemPosition,
        /// The partition of this set.
        partition: u32,
    },
    /// The item number has no room in the packed form, or no checkpoint was made for 2^40 records.
    #[error("dedupe has no room for position {at}")]
    Reach {
        /// What was shown.
        at: ItemPosition,
    },
    /// A run that may hold the id cannot be read.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl AdmitError {
    /// What the caller can do.
    pub fn class(&self) -> Class {
        match self {
            Self::Order { .. } | Self::Partition { .. } | Self::Reach { .. } => Class::Bug,
            Self::Run(error) => error.class(),
        }
    }
}

/// Why a set could not be opened. The log has what is needed to build it again.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be used.
    #[error("dedupe folder {} cannot be used", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: io::Error,
    },
    /// The manifest's bytes are not those that were handed out.
    #[error("the dedupe manifest is damaged: {0}")]
    Manifest(&'static str),
    /// The manifest was written by a newer program.
    #[error("the dedupe manifest has version {0}, which this program does not know")]
    ManifestVersion(u32),
    /// A file that the manifest names is not there.
    #[error("dedupe run {} is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file that the manifest names is damaged, or another one.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl OpenError {
    /// What the caller can do.
    pub fn class(&self) -> Class {
        match self {
            Self::Io { .. } => Class::Unavailable,
            Self::Manifest(_) | Self::ManifestVersion(_) | Self::Missing { .. } => Class::Corrupt,
            Self::Run(error) => error.class(),
        }
    }
}
