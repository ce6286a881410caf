//! The identity graph's rows of one space, over the cached tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use selfsame_event::IdentifierKey;
use selfsame_identity::{
    ApartRow, ComponentId, ComponentRow, EvidenceRow, IdentifierRow, Known, PeopleRow, Rows,
    SetKey, Sighting, WholeRows,
};
use selfsame_store::{RowKey, StoreError, Table};

use crate::key::{EvidenceKey, InSpace, SightingKey};
use crate::row::{self, Owner, Present};
use crate::tables::Tables;

/// The rows of one space, to be written by the engine or read by anybody.
#[derive(Debug)]
pub struct Graph<'t> {
    /// The tables.
    pub tables: &'t Tables,
    /// The number of the space.
    pub space: u32,
    /// Whether any identifiers of the space are set apart.
    pub has_apart: bool,
}

impl<'t> Graph<'t> {
    fn key<K>(&self, key: K) -> InSpace<K> {
        InSpace { space: self.space, key }
    }

    /// Says that a row of an identifier was written, where a plan is just made from such rows.
    fn note_key(&self, key: IdentifierKey) {
        self.tables.drafts.note(Some(self.key(key)), None);
    }

    /// The same of a component's row, or of one under it.
    fn note_under(&self, id: ComponentId) {
        self.tables.drafts.note(None, Some(self.key(id)));
    }
}

impl Rows for Graph<'_> {
    type Error = StoreError;

    fn identifier(&mut self, key: IdentifierKey) -> Result<Option<IdentifierRow>, StoreError> {
        self.tables.identifiers.view(&self.key(key), Owner::row)
    }

    fn set_identifier(&mut self, key: IdentifierKey, row: IdentifierRow) -> Result<(), StoreError> {
        self.tables.identifiers.put(self.key(key), &Owner::new(row));
        self.note_key(key);
        Ok(())
    }

    fn component(&mut self, id: ComponentId) -> Result<Option<Arc<ComponentRow>>, StoreError> {
        let row = self.tables.components.view(&self.key(id), row::component)?;
        let damaged = StoreError::Row { table: Table::Components.name() };
        row.map(|row| row.map(Arc::new).ok_or(damaged)).transpose()
    }

    fn known(&mut self, id: ComponentId, set: SetKey) -> Result<Option<Known>, StoreError> {
        let read = |packed: &[u8]| Known::read(packed, set);
        let known = self.tables.components.view(&self.key(id), read)?;
        let damaged = |_| StoreError::Row { table: Table::Components.name() };
        known.transpose().map_err(damaged)
    }

    fn set_component(&mut self, id: ComponentId, row: ComponentRow) -> Result<(), StoreError> {
        self.tables.components.put(self.key(id), &row.encode());
        self.note_under(id);
        Ok(())
    }

    fn evidence(
        &mut self,
        component: ComponentId,
        set: SetKey,
    ) -> Result<Option<EvidenceRow>, StoreError> {
        let key = EvidenceKey { space: self.space, component, set };
        let row = self.tables.evidence.view(&key, row::evidence)?;
        let damaged = StoreError::Row { table: Table::Evidence.name() };
        row.map(|row| row.ok_or(damaged)).transpose()
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
        self.tables.evidence.put(key, &row.encode());
        self.note_under(component);
        Ok(())
    }

    fn set_sighting(&mut self, sighting: Sighting) -> Result<(), StoreError> {
        self.tables.sightings.put(SightingKey { space: self.space, sighting }, &Present);
        self.note_key(sighting.key);
        Ok(())
    }

    fn has_apart(&mut self) -> bool {
        self.has_apart
    }

    fn apart(&mut self, key: IdentifierKey) -> Result<Option<ApartRow>, StoreError> {
        if !self.has_apart {
            return Ok(None);
        }
        let row = self.tables.apart.view(&self.key(key), row::apart)?;
        let damaged = StoreError::Row { table: Table::Apart.name() };
        row.map(|row| row.ok_or(damaged)).transpose()
    }

    fn set_apart(&mut self, key: IdentifierKey, row: ApartRow) -> Result<(), StoreError> {
        self.tables.apart.put(self.key(key), &row.encode());
        self.note_key(key);
        Ok(())
    }

    fn people(&mut self, device: IdentifierKey) -> Result<Option<PeopleRow>, StoreError> {
        let row = self.tables.people.view(&self.key(device), row::people)?;
        let damaged = StoreError::Row { table: Table::People.name() };
        row.map(|row| row.ok_or(damaged)).transpose()
    }

    fn set_people(&mut self, device: IdentifierKey, row: PeopleRow) -> Result<(), StoreError> {
        self.tables.people.put(self.key(device), &row.encode());
        Ok(())
    }
}

impl WholeRows for Graph<'_> {
    fn evidence_under(
        &mut self,
        components: &BTreeSet<ComponentId>,
        most: usize,
    ) -> Result<Vec<(ComponentId, SetKey, EvidenceRow)>, StoreError> {
        let prefixes = components.iter().map(|id| EvidenceKey::prefix(self.space, *id));
        let (mut rows, mut is_damaged) = (Vec::new(), false);
        self.tables.evidence.scan_prefixes(&prefixes.collect(), |key, packed| {
            match (EvidenceKey::from_bytes(key), row::evidence(packed)) {
                (Some(key), Some(row)) => rows.push((key.component, key.set, row)),
                _ => is_damaged = true,
            }
            rows.len() <= most && !is_damaged
        })?;
        match is_damaged {
            true => Err(StoreError::Row { table: Table::Evidence.name() }),
            false => Ok(rows),
        }
    }

    fn sightings(
        &mut self,
        keys: &BTreeSet<IdentifierKey>,
        most: usize,
    ) -> Result<Vec<Sighting>, StoreError> {
        let prefixes = keys.iter().map(|key| SightingKey::prefix(self.space, *key));
        let (mut sightings, mut is_damaged) = (Vec::new(), false);
        self.tables.sightings.scan_prefixes(&prefixes.collect(), |key, _| {
            match SightingKey::from_bytes(key) {
                Some(key) => sightings.push(key.sighting),
                None => is_damaged = true,
            }
            sightings.len() <= most && !is_damaged
        })?;
        match is_damaged {
            true => Err(StoreError::Row { table: Table::Sightings.name() }),
            false => Ok(sightings),
        }
    }

    fn remove_identifier(&mut self, key: IdentifierKey) -> Result<(), StoreError> {
        self.tables.identifiers.remove(self.key(key));
        self.note_key(key);
        Ok(())
    }

    fn remove_component(&mut self, id: ComponentId) -> Result<(), StoreError> {
        self.tables.components.remove(self.key(id));
        self.note_under(id);
        Ok(())
    }

    fn remove_evidence(&mut self, component: ComponentId, set: SetKey) -> Result<(), StoreError> {
        self.tables.evidence.remove(EvidenceKey { space: self.space, component, set });
        self.note_under(component);
        Ok(())
    }

    fn remove_sighting(&mut self, sighting: Sighting) -> Result<(), StoreError> {
        self.tables.sightings.remove(SightingKey { space: self.space, sighting });
        self.note_key(sighting.key);
        Ok(())
    }

    fn remove_apart(&mut self, key: IdentifierKey) -> Result<(), StoreError> {
        self.tables.apart.remove(self.key(key));
        self.note_key(key);
        Ok(())
    }
}
