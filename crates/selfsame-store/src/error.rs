//! What can go wrong with the store.

use selfsame_event::Class;

/// A failure of the embedded store, or rows that this build cannot read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine reported an error.
    #[error("failed to {action} the state store")]
    Engine {
        /// What was being done.
        action: &'static str,
        /// The engine's own words.
        #[source]
        source: Box<fjall::Error>,
    },
    /// A row does not decode.
    #[error("a row of table `{table}` is damaged or from a newer version")]
    Row {
        /// The table's name.
        table: &'static str,
    },
    /// The store was written by a newer program.
    #[error("the state store has format {found}; this program reads up to {known}")]
    Newer {
        /// The format on disk.
        found: u32,
        /// The newest format that this build knows.
        known: u32,
    },
}

impl StoreError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Engine { .. } => Class::Unavailable,
            Self::Row { .. } => Class::Corrupt,
            Self::Newer { .. } => Class::Conflict,
        }
    }
}
