//! Attempts that the ledger has and that were not kept to be searched, because a crash came between.

use std::collections::BTreeMap;

use crate::attempts::{Kept, Whose};
use crate::connection::ConnectionId;
use crate::image::Images;
use crate::record::{Entry, Record};
use crate::shared::Shared;

/// What is missing, by the id that the ledger knows it by.
#[derive(Debug, Default)]
pub(super) struct Missing(BTreeMap<ConnectionId, Vec<(Whose, u64, Vec<Kept>)>>);

impl Missing {
    /// Looks at the next record of the ledger, before the images take it.
    pub(super) fn take(&mut self, offset: u64, record: &Record, images: &Images, shared: &Shared) {
        let id = record.connection;
        let step = match &record.entry {
            // A connection of that id which begins again behind this has nothing to do with it.
            Entry::Removed => return drop(self.0.remove(&id)),
            Entry::Step(step) => step,
            Entry::Started(_) | Entry::Snapshot(_) | Entry::Replay(_) => return,
        };
        // Of what is not known any more nothing can be missing: it is behind what is.
        let Some(known) = images.0.get(&id) else { return };
        let whose = match &known.replay {
            Some(replay) => Whose { connection: replay.connection, replay: replay.number },
            None => Whose { connection: id, replay: 0 },
        };
        if step.attempts.is_empty() || shared.attempts.has(whose.connection, offset) {
            return;
        }
        let rows = step.attempts.iter().cloned();
        let rows = rows.map(|attempt| Kept { attempt, profile: None }).collect();
        self.0.entry(id).or_default().push((whose, offset, rows));
    }

    /// Keeps it.
    pub(super) fn keep(self, shared: &Shared) {
        let mut all: Vec<_> = self.0.into_values().flatten().collect();
        all.sort_by_key(|(_, offset, _)| *offset);
        for (whose, offset, rows) in all {
            shared.keep(whose, offset, &rows);
        }
        shared.attempts.is_whole();
    }
}
