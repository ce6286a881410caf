//! What folding is told besides the event.

use selfsame_event::{Event, IdentifierKey, PackedText, Position, RecordId, SourceNumber, Time};

use crate::stamp::Stamp;
use crate::timeline::Entry;

/// One event, and what its record and the identity decisions say about it.
#[derive(Debug, Clone, Copy)]
pub struct FoldEvent<'a> {
    /// The event.
    pub event: &'a Event<'a>,
    /// Its message id, or the one that was derived from its record.
    pub message_id: &'a str,
    /// The record it came in.
    pub record: RecordId,
    /// Which item of the record it is.
    pub item: u32,
    /// Where the record is.
    pub position: Position,
    /// The source it came from.
    pub source: SourceNumber,
    /// Effective event time: corrected, and not after it was received.
    pub happened_at: Time,
    /// Log time.
    pub received_at: Time,
    /// Of a group call, the anchor of the section at the other end: the account's for the user's
    /// section, the user's for the account's.
    pub link: Option<IdentifierKey>,
}

impl<'a> FoldEvent<'a> {
    pub(crate) fn stamp(&self) -> Stamp<'a> {
        Stamp {
            time: self.happened_at,
            message_id: PackedText::new(self.message_id),
            record: self.record,
            item: self.item,
            source: self.source,
        }
    }

    pub(crate) fn entry(&self) -> Entry {
        let name = self.event.event.as_deref().unwrap_or_default();
        let kind = self.event.kind;
        Entry::new(self.happened_at, self.record, self.position, self.item, kind, name)
    }
}

/// Which kind of section an event is folded into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Of a user: identify calls set traits.
    User,
    /// Of an account: group calls set traits.
    Account,
}

/// What a section holds at most. What is over is chosen by a fixed rank, never by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Trait keys, removed ones among them.
    pub traits: usize,
    /// Links to sections at the other end of group calls.
    pub links: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { traits: 1_000, links: 500 }
    }
}

/// The settings that folding needs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// The id of this space. What an event says of itself as coming from this space sets no traits:
    /// it is our own output coming back. Empty: no event does.
    pub space_id: &'a str,
    /// The caps.
    pub limits: Limits,
}
