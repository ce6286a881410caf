//! What became of changes.

use std::collections::BTreeMap;

use selfsame_event::RecordId;

use super::ChangeError;

/// What became of changes, kept until the one who asked has read it.
#[derive(Debug, Default)]
pub struct ChangeResults {
    results: BTreeMap<RecordId, Result<(), ChangeError>>,
}

impl ChangeResults {
    const KEPT: usize = 1_000;

    /// Notes what became of a change.
    pub fn note(&mut self, id: RecordId, result: Result<(), ChangeError>) {
        if self.results.len() >= Self::KEPT {
            self.results.clear();
        }
        self.results.insert(id, result);
    }

    /// Takes what became of a change.
    pub fn take(&mut self, id: RecordId) -> Option<Result<(), ChangeError>> {
        self.results.remove(&id)
    }
}
