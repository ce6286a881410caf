//! Fold: one partition of the profiles, and the records that partitions exchange.
//!
//! A profile lives in the partition that its id hashes to; the sections of its anchors live with it.
//! When profiles merge, the child's sections may have to move. They do so as records: the resolver
//! tells the old partition to *release* anchors and the new one to *expect* them; the old one answers
//! with *adopt*, a record of the new partition. Until then events of these anchors wait there.
//!
//! Invariants: nothing crosses partitions except by these records; an anchor's events are folded in
//! log order, by one partition at a time; so a section is the same for any number of partitions.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use selfsame_event::{Event, IdentifierKey, Position, ProfileId, RecordId, SourceNumber, Time};
use selfsame_profile::{FoldEvent, Linked, Role, Rules};
use selfsame_store::{Becomes, Changing, Shown, StoreError};

use crate::hot::HotSection;
use crate::key::{ChunkKey, InSpace};
use crate::row::{Keeping, Workbench};
use crate::tables::{PartitionTables, Tables};

/// A section's key.
pub(crate) type Anchor = InSpace<IdentifierKey>;

/// An event with its identity decided, on its way into one section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolved<'a> {
    /// The section.
    pub(crate) anchor: Anchor,
    /// The section's kind.
    pub(crate) role: Role,
    /// The event.
    pub(crate) event: &'a Event<'a>,
    /// Its message id, or the one derived from its record.
    pub(crate) message_id: &'a str,
    /// Its record's id.
    pub(crate) record: RecordId,
    /// Its record's position.
    pub(crate) position: Position,
    /// Its number in the record.
    pub(crate) item: u32,
    /// Its source.
    pub(crate) source: SourceNumber,
    /// When it happened.
    pub(crate) happened_at: Time,
    /// When it was received.
    pub(crate) received_at: Time,
    /// The section at the other end of a group call.
    pub(crate) link: Option<IdentifierKey>,
}

/// A record of a partition.
#[derive(Debug)]
pub(crate) enum PartitionRecord {
    /// Send these sections to another partition.
    Release {
        /// Their keys.
        anchors: Vec<Anchor>,
        /// The partition that gets them.
        to: u32,
    },
    /// These sections will come; their events wait until then.
    Expect {
        /// Their keys.
        anchors: Vec<Anchor>,
    },
    /// Here they are.
    Adopt {
        /// Each with what was folded so far, if anything was.
        sections: Vec<(Anchor, Option<Vec<u8>>)>,
    },
}

/// What folding an event met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Met {
    /// Trait keys that the cap refused or pushed out.
    pub(crate) traits_refused: u32,
    /// Traits whose value is too large.
    pub(crate) traits_too_large: u32,
    /// Whether a link was refused or pushed out at the cap.
    pub(crate) link_refused: bool,
}

/// One partition: the sections of its profiles.
#[derive(Debug)]
pub(crate) struct Partition {
    tables: Arc<Tables>,
    number: usize,
    expected: BTreeSet<Anchor>,
    bench: Workbench,
}

/// The partition of a profile.
pub(crate) fn partition_of(profile: ProfileId, partitions: u32) -> u32 {
    let key = profile.key().0;
    let hash = u64::from_le_bytes([key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7]]);
    u32::try_from(hash % u64::from(partitions.max(1))).unwrap_or(0)
}

impl Partition {
    /// The partition of that number. Its tables are nobody else's to write.
    pub(crate) fn new(tables: Arc<Tables>, number: usize) -> Self {
        Self { tables, number, expected: BTreeSet::new(), bench: Workbench::default() }
    }

    fn own(&self) -> &PartitionTables {
        &self.tables.partitions[self.number]
    }

    /// Whether the section has to arrive before events can be folded into it.
    pub(crate) fn awaits(&self, anchor: &Anchor) -> bool {
        self.expected.contains(anchor)
    }

    /// Takes a record in. The answer is for another partition.
    pub(crate) fn take(
        &mut self,
        record: PartitionRecord,
    ) -> Result<Option<(u32, PartitionRecord)>, StoreError> {
        match record {
            PartitionRecord::Release { anchors, to } => {
                let take = |anchor| Ok((anchor, self.own().sections.release(&anchor)?));
                let sections = anchors.into_iter().map(take).collect::<Result<_, StoreError>>()?;
                Ok(Some((to, PartitionRecord::Adopt { sections })))
            }
            PartitionRecord::Expect { anchors } => {
                self.expected.extend(anchors);
                Ok(None)
            }
            PartitionRecord::Adopt { sections } => {
                for (anchor, section) in sections {
                    self.expected.remove(&anchor);
                    if let Some(section) = section {
                        self.own().sections.put(anchor, Shown::Together(&section));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Changes what a section keeps for definitions, once for each item of a record. Where there is no such
    /// section, there is nothing to change.
    pub(crate) fn add_history(
        &mut self,
        anchor: Anchor,
        position: Position,
        item: u32,
        keep: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Result<(), StoreError> {
        let Self { tables, number, bench, .. } = self;
        let own = &tables.partitions[*number];
        own.sections.change(
            anchor,
            |_| None,
            |row| {
                let put_together;
                let row = match row {
                    Changing::New => None,
                    Changing::Together(row) => Some(row),
                    Changing::Apart(hot) => {
                        put_together = hot.row();
                        Some(put_together.as_slice())
                    }
                };
                let new = bench.keep_once(row, position, item, keep);
                (new.map_or(Becomes::Same, Becomes::Row), ())
            },
        )
    }

    /// Folds an event into its section. One that the section has already is passed over.
    pub(crate) fn fold(
        &mut self,
        resolved: &Resolved<'_>,
        rules: &Rules<'_>,
        keep: Option<impl FnOnce(Keeping<'_, '_>) -> bool>,
    ) -> Result<Met, StoreError> {
        debug_assert!(!self.awaits(&resolved.anchor), "the caller waits for the section first");
        let event = FoldEvent {
            event: resolved.event,
            message_id: resolved.message_id,
            record: resolved.record,
            item: resolved.item,
            position: resolved.position,
            source: resolved.source,
            happened_at: resolved.happened_at,
            received_at: resolved.received_at,
            link: resolved.link,
        };
        let anchor = resolved.anchor;
        let Self { tables, number, bench, .. } = self;
        let own = &tables.partitions[*number];
        let is_kept = keep.is_some();
        let take_apart = |row: &[u8]| if is_kept { HotSection::of(row) } else { None };
        let folded = own.sections.change(anchor, take_apart, |row| {
            let (row, folded) = bench.fold_once(row, &event, (resolved.role, rules), keep);
            // While the section is locked: whoever writes the section back after this sees the chunk.
            if let Some(chunk) = &folded.chunk {
                let InSpace { space, key: anchor } = anchor;
                let key = ChunkKey { space, anchor, number: chunk.number() };
                own.chunks.put(key, chunk.bytes());
            }
            (row, folded)
        })?;
        Ok(Met {
            traits_refused: folded.traits_refused + folded.traits_displaced,
            traits_too_large: folded.traits_too_large,
            link_refused: matches!(folded.link, Linked::Refused | Linked::Displaced),
        })
    }
}

/// Records under way between partitions, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Exchange(VecDeque<(u32, PartitionRecord)>);

impl Exchange {
    /// Sends a record.
    pub(crate) fn send(&mut self, to: u32, record: PartitionRecord) {
        self.0.push_back((to, record));
    }

    /// Lets every partition take what is for it, until nothing is under way.
    pub(crate) fn settle(&mut self, partitions: &mut [Partition]) -> Result<(), StoreError> {
        while let Some((to, record)) = self.0.pop_front() {
            let Some(partition) = partitions.get_mut(usize::try_from(to).unwrap_or(usize::MAX))
            else {
                continue;
            };
            self.0.extend(partition.take(record)?);
        }
        Ok(())
    }
}
