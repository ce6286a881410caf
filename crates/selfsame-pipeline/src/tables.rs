//! The tables of the state, decoded and cached. The engine writes them, any thread reads them.
//!
//! Two kinds, by when their rows are written back:
//! - **exact**: only by the batch that ends a checkpoint, so on disk they are always as of its
//!   position;
//! - **fuzzy** (sections, chunks): at any time behind the durable end of the outbox. A section says
//!   up to which record it is folded, so that folding again passes over what it has; a chunk never
//!   changes once it is full.

use selfsame_event::{IdentifierKey, ProfileId};
use selfsame_identity::{ComponentId, Sizes};
use selfsame_store::{Batch, CachedTable, Either, Row, RowKey, Store, StoreError, Table};

use crate::draft::Drafts;
use crate::hot::HotSection;
use crate::key::{ChunkKey, EvidenceKey, InSpace, LedgerKey, ListKey, SightingKey, TraitIndexKey};
use crate::partition::partition_of;
use crate::row::{Listed, Owner, Present, is_section, is_values};

/// How much memory the hot rows may take, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryBudget {
    /// Sections.
    pub sections: usize,
    /// Identifiers.
    pub identifiers: usize,
    /// Components.
    pub components: usize,
    /// Everything else together.
    pub other: usize,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self { sections: 340 << 20, identifiers: 100 << 20, components: 160 << 20, other: 20 << 20 }
    }
}

/// Every cached table of a state.
#[derive(Debug)]
pub struct Tables {
    /// The store below.
    pub store: Store,
    /// Whose each identifier is. Exact.
    pub identifiers: CachedTable<InSpace<IdentifierKey>, Owner>,
    /// The members of each component. Exact.
    pub components: CachedTable<InSpace<ComponentId>, [u8]>,
    /// Identifiers seen together. Exact.
    pub evidence: CachedTable<EvidenceKey, [u8]>,
    /// Identifiers on sets of other profiles. Exact.
    pub sightings: CachedTable<SightingKey, Present>,
    /// What identifiers are set apart from. Exact.
    pub apart: CachedTable<InSpace<IdentifierKey>, [u8]>,
    /// Who came with a device. Exact.
    pub people: CachedTable<InSpace<IdentifierKey>, [u8]>,
    /// Merges made and refused. Exact.
    pub ledger: CachedTable<LedgerKey, [u8]>,
    /// What definitions came to for each profile. Exact.
    pub computed: CachedTable<InSpace<ProfileId>, [u8]>,
    /// When to look at them again. Exact.
    pub moments: CachedTable<InSpace<ProfileId>, [u8]>,
    /// Sections in which a declared trait had a value. Exact.
    pub trait_index: CachedTable<TraitIndexKey, Present>,
    /// Events that were set aside. Exact.
    pub rejected: CachedTable<ListKey, Listed>,
    /// Limits, blocks and duplicates that events met. Exact.
    pub insights: CachedTable<ListKey, Listed>,
    /// The sections, by partition. Fuzzy.
    pub partitions: Vec<PartitionTables>,
    /// Plans of large changes of who is who, made beside the fold.
    pub drafts: Drafts,
}

/// The tables of one partition of the profiles.
#[derive(Debug)]
pub struct PartitionTables {
    /// What was folded under each anchor.
    pub sections: CachedTable<InSpace<IdentifierKey>, Either<HotSection>>,
    /// Full pieces of timelines.
    pub chunks: CachedTable<ChunkKey, [u8]>,
}

/// The keys of rows that are in a batch, to be marked clean when it is committed.
#[derive(Debug, Default)]
pub struct ExactKeys {
    identifiers: Vec<InSpace<IdentifierKey>>,
    components: Vec<InSpace<ComponentId>>,
    evidence: Vec<EvidenceKey>,
    sightings: Vec<SightingKey>,
    apart: Vec<InSpace<IdentifierKey>>,
    people: Vec<InSpace<IdentifierKey>>,
    ledger: Vec<LedgerKey>,
    computed: Vec<InSpace<ProfileId>>,
    moments: Vec<InSpace<ProfileId>>,
    trait_index: Vec<TraitIndexKey>,
    rejected: Vec<ListKey>,
    insights: Vec<ListKey>,
}

impl ExactKeys {
    /// Puts them in the order of the store.
    pub fn sort(&mut self) {
        self.identifiers.sort_unstable();
        self.components.sort_unstable();
        self.evidence.sort_unstable();
        self.sightings.sort_unstable();
        self.apart.sort_unstable();
        self.people.sort_unstable();
        self.ledger.sort_unstable();
        self.computed.sort_unstable();
        self.moments.sort_unstable();
        self.trait_index.sort_unstable();
        self.rejected.sort_unstable();
        self.insights.sort_unstable();
    }
}

impl Tables {
    /// The partition of a profile.
    pub fn partition(&self, profile: ProfileId) -> &PartitionTables {
        let count = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
        let index = usize::try_from(partition_of(profile, count)).unwrap_or(0);
        &self.partitions[index]
    }

    /// The tables over that store.
    pub fn new(
        store: Store,
        budget: MemoryBudget,
        partitions: u32,
        undo: Sizes,
    ) -> Result<Self, StoreError> {
        let other = budget.other / 9;
        let share = budget.sections / usize::try_from(partitions.max(1)).unwrap_or(1);
        let partition = |_| {
            Ok(PartitionTables {
                sections: CachedTable::new(store.clone(), Table::Sections, share)
                    .checked(is_section)
                    .with_filter()?,
                chunks: CachedTable::new(store.clone(), Table::Chunks, other),
            })
        };
        let identifiers = CachedTable::new(store.clone(), Table::Identifiers, budget.identifiers);
        Ok(Self {
            identifiers: identifiers.with_filter()?,
            components: CachedTable::new(store.clone(), Table::Components, budget.components),
            evidence: CachedTable::new(store.clone(), Table::Evidence, other),
            sightings: CachedTable::new(store.clone(), Table::Sightings, other),
            apart: CachedTable::new(store.clone(), Table::Apart, other).with_filter()?,
            people: CachedTable::new(store.clone(), Table::People, other).with_filter()?,
            ledger: CachedTable::new(store.clone(), Table::Ledger, other),
            computed: CachedTable::new(store.clone(), Table::Computed, budget.sections / 4)
                .checked(is_values)
                .with_filter()?,
            moments: CachedTable::new(store.clone(), Table::Moments, budget.sections / 8)
                .with_filter()?,
            trait_index: CachedTable::new(store.clone(), Table::TraitIndex, other),
            rejected: CachedTable::new(store.clone(), Table::Rejected, other),
            insights: CachedTable::new(store.clone(), Table::Insights, other),
            partitions: (0..partitions.max(1)).map(partition).collect::<Result<_, StoreError>>()?,
            drafts: Drafts::new(undo),
            store,
        })
    }

    /// Lets rows leave where there are too many. Called once per batch.
    pub fn shrink(&self) {
        self.identifiers.shrink();
        self.components.shrink();
        self.evidence.shrink();
        self.sightings.shrink();
        self.apart.shrink();
        self.people.shrink();
        self.ledger.shrink();
        self.computed.shrink();
        self.moments.shrink();
        self.trait_index.shrink();
        self.rejected.shrink();
        self.insights.shrink();
        for partition in &self.partitions {
            partition.sections.shrink();
            partition.chunks.shrink();
        }
    }

    /// Freezes the exact tables as they are now, and names what is to be written of them.
    pub fn freeze_exact(&self) -> ExactKeys {
        ExactKeys {
            identifiers: self.identifiers.freeze(),
            components: self.components.freeze(),
            evidence: self.evidence.freeze(),
            sightings: self.sightings.freeze(),
            apart: self.apart.freeze(),
            people: self.people.freeze(),
            ledger: self.ledger.freeze(),
            computed: self.computed.freeze(),
            moments: self.moments.freeze(),
            trait_index: self.trait_index.freeze(),
            rejected: self.rejected.freeze(),
            insights: self.insights.freeze(),
        }
    }

    /// Puts these rows into a batch, as they were when they were frozen.
    pub fn write_exact(&self, keys: &ExactKeys, batch: &mut Batch) {
        write_frozen(&self.identifiers, &keys.identifiers, batch);
        write_frozen(&self.components, &keys.components, batch);
        write_frozen(&self.evidence, &keys.evidence, batch);
        write_frozen(&self.sightings, &keys.sightings, batch);
        write_frozen(&self.apart, &keys.apart, batch);
        write_frozen(&self.people, &keys.people, batch);
        write_frozen(&self.ledger, &keys.ledger, batch);
        write_frozen(&self.computed, &keys.computed, batch);
        write_frozen(&self.moments, &keys.moments, batch);
        write_frozen(&self.trait_index, &keys.trait_index, batch);
        write_frozen(&self.rejected, &keys.rejected, batch);
        write_frozen(&self.insights, &keys.insights, batch);
    }

    /// Says that the batch with these rows is committed.
    pub fn exact_written(&self, keys: &ExactKeys) {
        self.identifiers.written(&keys.identifiers);
        self.components.written(&keys.components);
        self.evidence.written(&keys.evidence);
        self.sightings.written(&keys.sightings);
        self.apart.written(&keys.apart);
        self.people.written(&keys.people);
        self.ledger.written(&keys.ledger);
        self.computed.written(&keys.computed);
        self.moments.written(&keys.moments);
        self.trait_index.written(&keys.trait_index);
        self.rejected.written(&keys.rejected);
        self.insights.written(&keys.insights);
    }

    /// Memory and rows by table, for metrics.
    pub fn memory(&self) -> Vec<(&'static str, (usize, usize))> {
        let mut memory = vec![
            ("identifiers", self.identifiers.memory()),
            ("components", self.components.memory()),
            ("evidence", self.evidence.memory()),
            ("sightings", self.sightings.memory()),
            ("apart", self.apart.memory()),
            ("people", self.people.memory()),
            ("ledger", self.ledger.memory()),
            ("computed", self.computed.memory()),
            ("moments", self.moments.memory()),
            ("trait_index", self.trait_index.memory()),
            ("rejected", self.rejected.memory()),
            ("insights", self.insights.memory()),
        ];
        for partition in &self.partitions {
            memory.push(("sections", partition.sections.memory()));
            memory.push(("chunks", partition.chunks.memory()));
        }
        memory
    }
}

fn write_frozen<K: RowKey, V: Row + ?Sized>(
    table: &CachedTable<K, V>,
    keys: &[K],
    batch: &mut Batch,
) {
    keys.iter().for_each(|key| table.write_frozen(key, batch));
}
