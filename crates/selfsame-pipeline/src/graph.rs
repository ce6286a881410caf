//! The identity graph's rows of one space, over the cached tables.

use std::sync::Arc;

use selfsame_event::IdentifierKey;
use selfsame_identity::{ComponentId, ComponentRow, EvidenceRow, IdentifierRow, Rows, SetKey};
use selfsame_store::{StoreError, Table};

use crate::key::{EvidenceKey, InSpace};
use crate::row::{Owner, Packed};
use crate::tables::Tables;

/// The rows of one space, to be written by the engine or read by anybody.
#[derive(Debug)]
pub struct Graph<'t> {
    /// The tables.
    pub tables: &'t Tables,
    /// The number of the space.
    pub space: u32,
    /// The number of the next component.
    pub next_component: u64,
}

impl<'t> Graph<'t> {
    /// The rows of a space, for a reader: it makes no components.
    pub fn read_only(tables: &'t Tables, space: u32) -> Self {
        Self { tables, space, next_component: u64::MAX }
    }

    fn key<K>(&self, key: K) -> InSpace<K> {
        InSpace { space: self.space, key }
    }
}

impl Rows for Graph<'_> {
    type Error = StoreError;

    fn identifier(&mut self, key: IdentifierKey) -> Result<Option<IdentifierRow>, StoreError> {
        Ok(self.tables.identifiers.get(&self.key(key))?.map(|owner| owner.0))
    }

    fn set_identifier(&mut self, key: IdentifierKey, row: IdentifierRow) -> Result<(), StoreError> {
        self.tables.identifiers.put(self.key(key), Owner(row));
        Ok(())
    }

    fn component(&mut self, id: ComponentId) -> Result<Option<Arc<ComponentRow>>, StoreError> {
        let Some(packed) = self.tables.components.get(&self.key(id))? else { return Ok(None) };
        let row = packed.component().ok_or(StoreError::Row { table: Table::Components.name() })?;
        Ok(Some(Arc::new(row)))
    }

    fn set_component(&mut self, id: ComponentId, row: ComponentRow) -> Result<(), StoreError> {
        self.tables.components.put(self.key(id), Packed(row.encode().into()));
        Ok(())
    }

    fn next_component(&mut self) -> Result<ComponentId, StoreError> {
        let id = ComponentId(self.next_component);
        self.next_component += 1;
        Ok(id)
    }

    fn has_evidence(&mut self, component: ComponentId, set: SetKey) -> Result<bool, StoreError> {
        let key = EvidenceKey { space: self.space, component, set };
        Ok(self.tables.evidence.get(&key)?.is_some())
    }

    fn set_evidence(
        &mut self,
        component: ComponentId,
        set: SetKey,
        row: EvidenceRow,
    ) -> Result<(), StoreError> {
        let key = EvidenceKey { space: self.space, component, set };
        self.tables.evidence.put(key, Packed(row.encode().into()));
        Ok(())
    }
}
