//! The identity graph's rows of one space, over the cached tables.

use std::sync::Arc;

use selfsame_event::IdentifierKey;
use selfsame_identity::{
    ComponentId, ComponentRow, EvidenceRow, IdentifierRow, Known, Rows, SetKey,
};
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
        self.tables.identifiers.view(&self.key(key), Owner::row)
    }

    fn set_identifier(&mut self, key: IdentifierKey, row: IdentifierRow) -> Result<(), StoreError> {
        self.tables.identifiers.put(self.key(key), Owner::new(row));
        Ok(())
    }

    fn component(&mut self, id: ComponentId) -> Result<Option<Arc<ComponentRow>>, StoreError> {
        let row = self.tables.components.view(&self.key(id), Packed::component)?;
        let damaged = StoreError::Row { table: Table::Components.name() };
        row.map(|row| row.map(Arc::new).ok_or(damaged)).transpose()
    }

    fn known(&mut self, id: ComponentId, set: SetKey) -> Result<Option<Known>, StoreError> {
        let read = |packed: &Packed| Known::read(&packed.0, set);
        let known = self.tables.components.view(&self.key(id), read)?;
        let damaged = |_| StoreError::Row { table: Table::Components.name() };
        known.transpose().map_err(damaged)
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
        Ok(self.tables.evidence.view(&key, |_| ())?.is_some())
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
