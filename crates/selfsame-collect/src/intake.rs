//! The way into the log, as far as collecting has to know it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use selfsame_event::{Class, Position, RecordKind};

/// Takes records into the log.
pub trait Intake: Send + Sync + 'static {
    /// Appends one record (the head as bytes, the items as slices of the request's body) and
    /// resolves when it is durable.
    ///
    /// Dropping the future does not take the record back.
    fn append(
        &self,
        kind: RecordKind,
        head: Vec<u8>,
        items: Vec<Bytes>,
    ) -> impl Future<Output = Result<Receipt, IntakeError>> + Send;
}

impl<T: Intake> Intake for Arc<T> {
    fn append(
        &self,
        kind: RecordKind,
        head: Vec<u8>,
        items: Vec<Bytes>,
    ) -> impl Future<Output = Result<Receipt, IntakeError>> + Send {
        T::append(self, kind, head, items)
    }
}

/// That a record is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Where it is.
    pub position: Position,
}

/// Why a record was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IntakeError {
    /// Too many records wait to become durable.
    #[error("too many records wait to be written")]
    Backlog {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// There is no room left on the disk.
    #[error("the disk is full")]
    Full,
    /// The server is starting or stopping.
    #[error("the server is starting or stopping")]
    Stopping,
    /// The log cannot be written.
    #[error("the log cannot be written")]
    Unavailable,
}

impl IntakeError {
    /// What the one who sent the request can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Backlog { .. } | Self::Full => Class::Limited,
            Self::Stopping | Self::Unavailable => Class::Unavailable,
        }
    }
}
