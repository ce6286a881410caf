//! Rows in memory, for tests and for trying rules out.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use selfsame_event::IdentifierKey;

use crate::row::{ComponentId, ComponentRow, EvidenceRow, IdentifierRow, Rows, SetKey};

/// The rows of one space in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryRows {
    /// By key.
    pub identifiers: BTreeMap<IdentifierKey, IdentifierRow>,
    /// By number.
    pub components: BTreeMap<ComponentId, Arc<ComponentRow>>,
    /// By component and set.
    pub evidence: BTreeMap<(ComponentId, SetKey), EvidenceRow>,
    /// The number of the next component.
    pub next: u64,
}

impl Rows for MemoryRows {
    type Error = Infallible;

    fn identifier(&mut self, key: IdentifierKey) -> Result<Option<IdentifierRow>, Infallible> {
        Ok(self.identifiers.get(&key).copied())
    }

    fn set_identifier(&mut self, key: IdentifierKey, row: IdentifierRow) -> Result<(), Infallible> {
        self.identifiers.insert(key, row);
        Ok(())
    }

    fn component(&mut self, id: ComponentId) -> Result<Option<Arc<ComponentRow>>, Infallible> {
        Ok(self.components.get(&id).map(Arc::clone))
    }

    fn set_component(&mut self, id: ComponentId, row: ComponentRow) -> Result<(), Infallible> {
        self.components.insert(id, Arc::new(row));
        Ok(())
    }

    fn next_component(&mut self) -> Result<ComponentId, Infallible> {
        let id = ComponentId(self.next);
        self.next += 1;
        Ok(id)
    }

    fn has_evidence(&mut self, id: ComponentId, set: SetKey) -> Result<bool, Infallible> {
        Ok(self.evidence.contains_key(&(id, set)))
    }

    fn set_evidence(
        &mut self,
        id: ComponentId,
        set: SetKey,
        row: EvidenceRow,
    ) -> Result<(), Infallible> {
        self.evidence.insert((id, set), row);
        Ok(())
    }
}
