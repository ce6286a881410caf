//! The rows of the state's tables, as the cached tables hold them.

use std::sync::Arc;

use selfsame_event::{ItemPosition, Position, Time};
use selfsame_identity::{ComponentRow, EvidenceRow, IdentifierRow, LedgerRow};
use selfsame_profile::{FoldEvent, Folded as What, Role, Rules, Section};
use selfsame_store::Row;

/// What a row costs besides its own bytes: key, status and the empty places of a hash table. A row
/// with bytes of its own adds an eighth for the allocator.
const TABLE_BYTES: usize = 80;

/// A row of the identity crate, kept as its bytes: a component is read far less often than it is
/// held, and its bytes take a third of the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed(pub Arc<[u8]>);

impl Row for Packed {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.into()))
    }

    fn memory(&self) -> usize {
        self.0.len() + self.0.len() / 8 + TABLE_BYTES
    }
}

impl Packed {
    /// The component.
    pub fn component(&self) -> Option<ComponentRow> {
        ComponentRow::decode(&self.0).ok()
    }

    /// The evidence.
    pub fn evidence(&self) -> Option<EvidenceRow> {
        EvidenceRow::decode(&self.0).ok()
    }

    /// The row of the merge ledger.
    pub fn ledger(&self) -> Option<LedgerRow> {
        LedgerRow::decode(&self.0).ok()
    }
}

/// Whose an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner(pub IdentifierRow);

impl Row for Owner {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.encode());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        IdentifierRow::decode(bytes).ok().map(Self)
    }

    fn memory(&self) -> usize {
        TABLE_BYTES + 12
    }
}

/// What was folded under an anchor, and up to which event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// The section.
    pub section: Section,
    /// The last event folded in, by its record and its number in it. The section may be written back
    /// between two events of one record.
    last_item: u32,
}

impl Folded {
    /// Folds an event in, unless it is in already.
    pub fn fold_once(&mut self, event: &FoldEvent<'_>, role: Role, rules: &Rules<'_>) -> What {
        let last = (self.section.folded_to(), self.last_item);
        if self.section.events() > 0 && last >= (event.position, event.item) {
            return What::default();
        }
        self.last_item = event.item;
        self.section.fold(event, role, rules)
    }

    /// The position of the last record of which something was folded in.
    pub fn folded_to(&self) -> Position {
        self.section.folded_to()
    }
}

impl Row for Folded {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.last_item.to_le_bytes());
        self.section.encode(out);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (last_item, rest) = bytes.split_first_chunk()?;
        let section = Section::decode(rest).ok()?;
        Some(Self { section, last_item: u32::from_le_bytes(*last_item) })
    }

    fn memory(&self) -> usize {
        self.section.memory_bytes() + self.section.memory_bytes() / 8 + TABLE_BYTES
    }
}

/// An event in a bounded list, and one byte that says why it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// The event.
    pub event: ItemPosition,
    /// Its log time.
    pub at: Time,
    /// The number of the refusal, or of the verdict or note.
    pub why: u8,
}

impl Row for Listed {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.event.record.offset.to_le_bytes());
        out.extend_from_slice(&self.event.index.to_le_bytes());
        out.extend_from_slice(&self.at.micros().to_le_bytes());
        out.push(self.why);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (offset, rest) = bytes.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (at, rest) = rest.split_first_chunk()?;
        let [why] = rest else { return None };
        let record = Position::embedded(u64::from_le_bytes(*offset));
        Some(Self {
            event: record.item(u32::from_le_bytes(*index)),
            at: Time::from_micros(i64::from_le_bytes(*at)),
            why: *why,
        })
    }

    fn memory(&self) -> usize {
        64
    }
}

/// A row that only has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present;

impl Row for Present {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(Self)
    }

    fn memory(&self) -> usize {
        64
    }
}
