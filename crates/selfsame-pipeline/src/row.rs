//! The rows of the state's tables, as the cached tables hold them: most as the bytes that the store
//! gets. These take a third of the memory that the decoded row would, and a checkpoint copies them.
//!
//! A section is the number of the last event in its record that was folded in, then the section.

use selfsame_audience::{Keeps, Loose};
use selfsame_event::{ItemPosition, Position, Time};
use selfsame_identity::{
    Anchors, ApartRow, ComponentRow, EvidenceRow, IdentifierRow, LedgerRow, PeopleRow,
};
use selfsame_profile::{FoldEvent, Folded, Outline, Role, Rules, Section};
use selfsame_store::{Becomes, Changing, Shown, Value};

use crate::computed::{Portion, Values};
use crate::hot::HotSection;

/// The component of that row.
pub(crate) fn component(row: &[u8]) -> Option<ComponentRow> {
    ComponentRow::decode(row).ok()
}

/// Under which identifiers the events of the profile of that row are folded.
pub(crate) fn anchors(row: &[u8]) -> Option<Anchors> {
    Anchors::read(row).ok()
}

/// The evidence of that row.
pub(crate) fn evidence(row: &[u8]) -> Option<EvidenceRow> {
    EvidenceRow::decode(row).ok()
}

/// What the identifier of that row is set apart from.
pub(crate) fn apart(row: &[u8]) -> Option<ApartRow> {
    ApartRow::decode(row).ok()
}

/// Who came with the device of that row.
pub(crate) fn people(row: &[u8]) -> Option<PeopleRow> {
    PeopleRow::decode(row).ok()
}

/// The row of the merge ledger.
pub(crate) fn ledger(row: &[u8]) -> Option<LedgerRow> {
    LedgerRow::decode(row).ok()
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

impl Value for Owner {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        IdentifierRow::decode(bytes).ok().map(Self::new)
    }
}

/// What a section keeps for definitions, to be changed.
pub(crate) enum Keeping<'r, 'o> {
    /// A row. Another one is put there, and said whether it was.
    Row(&'r [u8], &'o mut Vec<u8>),
    /// Each part by itself.
    Loose(&'o mut Loose),
}

/// Where a section is taken apart and put together again: its memory is used for all of them.
#[derive(Debug, Default)]
pub(crate) struct Workbench {
    section: Section,
    bytes: Vec<u8>,
    /// What a section keeps for definitions.
    kept: Vec<u8>,
}

impl Workbench {
    /// Changes what a section keeps for definitions, unless that item of a record has done so: the section
    /// may be written back between two items. Answers the row that it makes, if it makes one.
    pub(crate) fn keep_once(
        &mut self,
        row: Option<&[u8]>,
        position: Position,
        item: u32,
        keep: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Option<&[u8]> {
        let Self { section, bytes, .. } = self;
        let (last_item, packed) = row.and_then(<[u8]>::split_first_chunk)?;
        let computed = section.restore_apart(packed).expect(SOUND);
        if (section.folded_to(), u32::from_le_bytes(*last_item)) >= (position, item) {
            return None;
        }
        section.reach(position);
        bytes.clear();
        bytes.extend_from_slice(&item.to_le_bytes());
        section.encode_with(&keep(computed), bytes);
        Some(bytes)
    }

    /// Folds an event into a section, or into a new one, unless it is in already: the section may be
    /// written back between two events of one record. Answers what becomes of it. `keep` changes what the section
    /// keeps for definitions, if there are any.
    pub(crate) fn fold_once(
        &mut self,
        row: Changing<'_, HotSection>,
        event: &FoldEvent<'_>,
        (role, rules): (Role, &Rules<'_>),
        keep: Option<impl FnOnce(Keeping<'_, '_>) -> bool>,
    ) -> (Becomes<'_>, Folded) {
        let Self { section, bytes, kept } = self;
        let row = match row {
            Changing::New => None,
            Changing::Together(row) => Some(row),
            Changing::Apart(hot) => {
                let (is_new, folded) = hot.fold_once(event, role, rules, |kept| {
                    if let Some(keep) = keep {
                        keep(Keeping::Loose(kept));
                    }
                });
                return (if is_new { Becomes::Changed } else { Becomes::Same }, folded);
            }
        };
        let mut computed: &[u8] = &[];
        match row.and_then(<[u8]>::split_first_chunk) {
            Some((last_item, packed)) => {
                computed = section.restore_apart(packed).expect(SOUND);
                let last = (section.folded_to(), u32::from_le_bytes(*last_item));
                if last >= (event.position, event.item) {
                    return (Becomes::Same, Folded::default());
                }
            }
            None => *section = Section::default(),
        }
        let folded = section.fold(event, role, rules);
        if keep.is_some_and(|keep| keep(Keeping::Row(computed, kept))) {
            computed = kept;
        }
        bytes.clear();
        bytes.extend_from_slice(&event.item.to_le_bytes());
        section.encode_with(computed, bytes);
        (Becomes::Row(bytes), folded)
    }
}

/// A row of the table of sections.
pub(crate) type SectionRow<'a> = Shown<'a, HotSection>;

/// The section of that row.
pub(crate) fn section(row: SectionRow<'_>) -> Section {
    let mut section = Section::default();
    match row {
        Shown::Together(row) => {
            if let Some((_, packed)) = row.split_first_chunk::<4>() {
                assert!(section.restore(packed), "{SOUND}");
            }
        }
        Shown::Apart(hot) => {
            let mut kept = Vec::new();
            hot.kept().put(&mut kept);
            section.clone_from(hot.section());
            section.keep(&kept);
        }
    }
    section
}

/// The position of the last record of which something was folded into the section of that row.
pub(crate) fn folded_to(row: SectionRow<'_>) -> Position {
    match row {
        Shown::Together(row) => {
            let packed = row.split_first_chunk::<4>().map(|(_, packed)| packed);
            let peeked = packed.and_then(Section::peek);
            peeked.map_or_else(Position::default, |(folded_to, _)| folded_to)
        }
        Shown::Apart(hot) => hot.section().folded_to(),
    }
}

/// What definitions read of the section of that row.
pub(crate) fn portion(row: SectionRow<'_>) -> Option<Portion<'_>> {
    match row {
        Shown::Together(row) => {
            let outline = Outline::read(row.split_first_chunk::<4>()?.1)?;
            Some(Portion::from(&outline))
        }
        Shown::Apart(hot) => {
            let traits = hot.section().outline().traits;
            Some(Portion { traits, keeps: Keeps::Loose(hot.kept()) })
        }
    }
}

/// Whether that row says what definitions came to.
pub(crate) fn is_values(row: &[u8]) -> bool {
    Values::check(row)
}

/// Whether that row is a section.
pub(crate) fn is_section(row: &[u8]) -> bool {
    row.split_first_chunk::<4>().is_some_and(|(_, packed)| Section::decode(packed).is_ok())
}

pub(crate) const SOUND: &str = "a section was one when it was folded or read";

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

impl Value for Listed {
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
}

/// A row that only has a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Present;

impl Value for Present {
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(bytes: &[u8]) -> Option<Self> {
        bytes.is_empty().then_some(Self)
    }
}
