//! What streams keep of the events before they were asked for, folded aside.
//!
//! The decisions of the outbox say under which anchor each event was folded, so nobody is resolved again.
//! Where there is more than memory should hold, it is in a store of its own; it is made anew if it is lost.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use selfsame_audience::{Plans, When};
use selfsame_event::{Class, EventsHead, IdentifierKey, Position, RecordKind};
use selfsame_log::{LogRead, ReadError, Record};
use selfsame_store::{Batch, CachedTable, Durability, RowKey, ScanOrder, Store, StoreError, Table};

use super::anchors::Anchors;
use super::step::seen;
use crate::decision::{Decision, Verdict};
use crate::key::InSpace;
use crate::shared::View;

const READ_BYTES: usize = 2 << 20;
/// Memory for rows.
const MEMORY: usize = 64 << 20;
/// After how many rows that changed they are written.
const DIRTY_ROWS: usize = 50_000;

/// Why the history could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The log or the outbox cannot be read.
    #[error("the log cannot be read")]
    Read(#[from] ReadError),
    /// The store failed.
    #[error("the store of the history failed")]
    Store(#[from] StoreError),
    /// The folder cannot be made.
    #[error("the folder of the history cannot be made")]
    Folder(#[source] std::io::Error),
    /// A record or what was decided about it is damaged.
    #[error("record {0} or what was decided about it is damaged")]
    Record(Position),
}

impl HistoryError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::Read(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Folder(_) => Class::Unavailable,
            Self::Record(_) => Class::Corrupt,
        }
    }
}

/// What streams keep of a history, by anchor.
#[derive(Debug)]
pub struct History {
    table: CachedTable<InSpace<IdentifierKey>, [u8]>,
    store: Store,
    folder: PathBuf,
    space: u32,
    dirty: usize,
    /// Events that were looked at.
    pub events: u64,
}

impl History {
    fn open(folder: &Path, space: u32) -> Result<Self, HistoryError> {
        clear(folder)?;
        let store = Store::open(folder)?;
        let table = CachedTable::new(store.clone(), Table::Sections, MEMORY).with_filter()?;
        Ok(Self { table, store, folder: folder.to_owned(), space, dirty: 0, events: 0 })
    }

    /// Folds what is in the log of a space: of each stream, the events before the record that asked for
    /// it. Nothing where it is told not to go on; it is asked after each piece of the log.
    pub fn fold(
        (log, outbox): (&dyn LogRead, &dyn LogRead),
        view: &View,
        space: u32,
        (plans, streams): (&Plans, &BTreeMap<u32, u64>),
        folder: &Path,
        goes_on: &mut dyn FnMut(Position, u64) -> bool,
    ) -> Result<Option<Self>, HistoryError> {
        let mut history = Self::open(folder, space)?;
        let mut anchors = Anchors::new(view, space);
        let end = streams.values().copied().max().unwrap_or(0);
        let end = log.first().max(Position::embedded(end));
        let mut next = log.first().max(outbox.first());
        while next < end {
            let records = log.read(next, READ_BYTES)?;
            let mut decided = VecDeque::<Record>::new();
            for record in records.iter().take_while(|record| record.position < end) {
                next = record.position.next();
                if RecordKind::from_code(record.kind) != Some(RecordKind::Events) {
                    continue;
                }
                if anchors.are_other(record.position.offset) {
                    history.fold_record(view, plans, streams, record, |index| {
                        Ok(anchors.of(view, record.position.offset, index)?)
                    })?;
                    continue;
                }
                while decided.front().is_some_and(|one| one.position < record.position) {
                    decided.pop_front();
                }
                if decided.is_empty() {
                    decided.extend(outbox.read(record.position, READ_BYTES)?);
                }
                let decisions = decided.front().filter(|one| one.position == record.position);
                let decisions = decisions.ok_or(HistoryError::Record(record.position))?;
                let decided = |index: u32| {
                    let place = usize::try_from(index).unwrap_or(usize::MAX);
                    let decision = decisions.items.get(place).and_then(|item| item.body());
                    let decision = decision.and_then(|row| Decision::decode(row));
                    let damaged = || HistoryError::Record(record.position);
                    Ok(match decision.ok_or_else(damaged)?.verdict {
                        Verdict::Accepted(accepted) if accepted.space == space => {
                            Some(accepted.anchor)
                        }
                        _ => None,
                    })
                };
                history.fold_record(view, plans, streams, record, decided)?;
            }
            history.table.shrink();
            if history.dirty >= DIRTY_ROWS {
                history.write_back()?;
            }
            if !goes_on(next, history.events) {
                return Ok(None);
            }
        }
        history.write_back()?;
        Ok(Some(history))
    }

    fn fold_record(
        &mut self,
        view: &View,
        plans: &Plans,
        streams: &BTreeMap<u32, u64>,
        record: &Record,
        mut anchor_of: impl FnMut(u32) -> Result<Option<IdentifierKey>, HistoryError>,
    ) -> Result<(), HistoryError> {
        let damaged = || HistoryError::Record(record.position);
        let head = EventsHead::decode(&record.head).map_err(|_| damaged())?;
        let source = view.meta.workspace.source(head.source);
        let source = source.map_or("", |source| &source.id);
        let offset = record.position.offset;
        let wants = |stream: u32| streams.get(&stream).is_some_and(|since| offset < *since);
        for (index, item) in (0_u32..).zip(record.items.iter()) {
            let Some(anchor) = anchor_of(index)? else { continue };
            let Some(body) = item.body() else { continue };
            let Ok(event) = head.event(body) else { continue };
            self.events += 1;
            let when = When::new(event.happened_at(record.time), record.id, index);
            let seen = seen(&event, when, source);
            let key = InSpace { space: self.space, key: anchor };
            let mut is_kept = false;
            let mut kept = Vec::new();
            self.table.update(key, |row| {
                let row = row.unwrap_or_default();
                let wants = (wants, &mut Vec::new());
                is_kept = plans.fold_into(row, &seen, record.time, wants, &mut kept);
                (is_kept.then_some(&*kept), ())
            })?;
            self.dirty += usize::from(is_kept);
        }
        Ok(())
    }

    fn write_back(&mut self) -> Result<(), HistoryError> {
        self.dirty = 0;
        let mut keys = self.table.take_dirty();
        keys.sort_unstable();
        for keys in keys.chunks(4_096) {
            let mut batch = Batch::default();
            keys.iter().for_each(|key| self.table.write_back(key, &mut batch, |_| ()));
            self.store.commit(batch, Durability::Later)?;
            self.table.written(keys);
        }
        Ok(())
    }

    /// What is kept under an anchor.
    pub(crate) fn row(
        &self,
        anchor: &InSpace<IdentifierKey>,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.table.read(anchor, <[u8]>::to_vec)
    }

    /// How many anchors there are, about.
    pub(crate) fn anchors(&self) -> u64 {
        self.store.rows_about(Table::Sections)
    }

    /// Shows what is kept under the anchors behind one, in their order, until told to stop.
    pub(crate) fn each_behind(
        &self,
        after: Option<IdentifierKey>,
        mut visit: impl FnMut(IdentifierKey, &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.store.scan(Table::Sections, &[], ScanOrder::Forwards, |key, row| {
            let Some(InSpace { key, .. }) = InSpace::<IdentifierKey>::from_bytes(key) else {
                return true;
            };
            after.is_some_and(|after| key <= after) || visit(key, row)
        })
    }

    /// Removes it from the disk.
    pub(crate) fn remove(self) -> Result<(), HistoryError> {
        let Self { table, store, folder, .. } = self;
        drop((table, store));
        clear(&folder)
    }
}

fn clear(folder: &Path) -> Result<(), HistoryError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(HistoryError::Folder(error))
        }
        _ => Ok(()),
    }
}
