//! The rows of the state's tables, as the cached tables hold them: most as the bytes that the store
//! gets. These take a third of the memory that the decoded row would, and a checkpoint copies them.

use selfsame_event::{ItemPosition, Position, Time};
use selfsame_identity::{ApartRow, ComponentRow, EvidenceRow, IdentifierRow, LedgerRow, PeopleRow};
use selfsame_profile::{FoldEvent, Folded as What, Role, Rules, Section};
use selfsame_store::{Row, allocated};

/// A row as its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed(pub Box<[u8]>);

impl Row for Packed {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.into()))
    }

    fn heap_bytes(&self) -> usize {
        allocated(self.0.len())
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

    /// What an identifier is set apart from.
    pub fn apart(&self) -> Option<ApartRow> {
        ApartRow::decode(&self.0).ok()
    }

    /// Who came with a device.
    pub fn people(&self) -> Option<PeopleRow> {
        PeopleRow::decode(&self.0).ok()
    }

    /// The row of the merge ledger.
    pub fn ledger(&self) -> Option<LedgerRow> {
        LedgerRow::decode(&self.0).ok()
    }
}

/// Whose an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner([u8; IdentifierRow::BYTES]);

impl Owner {
    /// The owner of that row.
    pub fn new(row: IdentifierRow) -> Self {
        Self(row.encode())
    }

    /// The row.
    pub fn row(&self) -> IdentifierRow {
        IdentifierRow::decode(&self.0).expect("it was a row when it was made or read")
    }
}

impl Row for Owner {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        IdentifierRow::decode(bytes).ok().map(Self::new)
    }

    fn heap_bytes(&self) -> usize {
        0
    }
}

/// What was folded under an anchor, and up to which event: the number of the last event in its record,
/// then the section. Empty before the first event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded(Box<[u8]>);

/// Where a section is taken apart and put together again: its memory is used for all of them.
#[derive(Debug, Default)]
pub struct Workbench {
    section: Section,
    bytes: Vec<u8>,
}

impl Folded {
    /// Folds an event in, unless it is in already: the section may be written back between two events
    /// of one record.
    pub fn fold_once(
        &mut self,
        bench: &mut Workbench,
        event: &FoldEvent<'_>,
        role: Role,
        rules: &Rules<'_>,
    ) -> What {
        let Workbench { section, bytes } = bench;
        match self.0.split_first_chunk() {
            Some((last_item, packed)) => {
                assert!(section.restore(packed), "{SOUND}");
                let last = (section.folded_to(), u32::from_le_bytes(*last_item));
                if last >= (event.position, event.item) {
                    return What::default();
                }
            }
            None => *section = Section::default(),
        }
        let what = section.fold(event, role, rules);
        bytes.clear();
        bytes.extend_from_slice(&event.item.to_le_bytes());
        section.encode(bytes);
        if self.0.len() == bytes.len() {
            self.0.copy_from_slice(bytes);
        } else {
            self.0 = bytes.as_slice().into();
        }
        what
    }

    /// The row's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The section.
    pub fn section(&self) -> Section {
        let mut section = Section::default();
        if let Some((_, packed)) = self.0.split_first_chunk::<4>() {
            assert!(section.restore(packed), "{SOUND}");
        }
        section
    }

    /// The position of the last record of which something was folded in.
    pub fn folded_to(&self) -> Position {
        let packed = self.0.split_first_chunk::<4>().map(|(_, packed)| packed);
        packed.and_then(Section::peek).map_or_else(Position::default, |(folded_to, _)| folded_to)
    }
}

const SOUND: &str = "a section was one when it was folded or read";

impl Row for Folded {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (_, packed) = bytes.split_first_chunk::<4>()?;
        Section::decode(packed).ok().map(|_| Self(bytes.into()))
    }

    fn heap_bytes(&self) -> usize {
        allocated(self.0.len())
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

    fn heap_bytes(&self) -> usize {
        0
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

    fn heap_bytes(&self) -> usize {
        0
    }
}
