//! Rows in memory, for tests and for trying rules out.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use selfsame_event::IdentifierKey;

use crate::apart::ApartRow;
use crate::people::PeopleRow;
use crate::row::{
    ComponentId, ComponentRow, EvidenceRow, IdentifierRow, Rows, SetKey, Sighting, WholeRows,
};

/// The rows of one space in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryRows {
    /// By key.
    pub identifiers: BTreeMap<IdentifierKey, IdentifierRow>,
    /// By number.
    pub components: BTreeMap<ComponentId, Arc<ComponentRow>>,
    /// By component and set.
    pub evidence: BTreeMap<(ComponentId, SetKey), EvidenceRow>,
    /// Identifiers on sets of others.
    pub sightings: BTreeSet<Sighting>,
    /// By key.
    pub apart: BTreeMap<IdentifierKey, ApartRow>,
    /// Who came with devices.
    pub people: BTreeMap<IdentifierKey, PeopleRow>,
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

    fn evidence(
        &mut self,
        id: ComponentId,
        set: SetKey,
    ) -> Result<Option<EvidenceRow>, Infallible> {
        Ok(self.evidence.get(&(id, set)).cloned())
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

    fn set_sighting(&mut self, sighting: Sighting) -> Result<(), Infallible> {
        self.sightings.insert(sighting);
        Ok(())
    }

    fn has_apart(&mut self) -> bool {
        !self.apart.is_empty()
    }

    fn apart(&mut self, key: IdentifierKey) -> Result<Option<ApartRow>, Infallible> {
        Ok(self.apart.get(&key).cloned())
    }

    fn set_apart(&mut self, key: IdentifierKey, row: ApartRow) -> Result<(), Infallible> {
        self.apart.insert(key, row);
        Ok(())
    }

    fn people(&mut self, device: IdentifierKey) -> Result<Option<PeopleRow>, Infallible> {
        Ok(self.people.get(&device).cloned())
    }

    fn set_people(&mut self, device: IdentifierKey, row: PeopleRow) -> Result<(), Infallible> {
        self.people.insert(device, row);
        Ok(())
    }
}

impl WholeRows for MemoryRows {
    fn evidence_under(
        &mut self,
        components: &BTreeSet<ComponentId>,
        most: usize,
    ) -> Result<Vec<(ComponentId, SetKey, EvidenceRow)>, Infallible> {
        let under = |id: &ComponentId| {
            let of = (*id, SetKey(0))..=(*id, SetKey(u128::MAX));
            self.evidence.range(of).map(|((id, set), row)| (*id, *set, row.clone()))
        };
        Ok(components.iter().flat_map(under).take(most.saturating_add(1)).collect())
    }

    fn sightings(
        &mut self,
        keys: &BTreeSet<IdentifierKey>,
        most: usize,
    ) -> Result<Vec<Sighting>, Infallible> {
        let of = |key: &IdentifierKey| {
            let sighting = |component, set| Sighting { key: *key, component, set };
            let first = sighting(ComponentId(0), SetKey(0));
            let last = sighting(ComponentId(u64::MAX), SetKey(u128::MAX));
            self.sightings.range(first..=last).copied()
        };
        Ok(keys.iter().flat_map(of).take(most.saturating_add(1)).collect())
    }

    fn remove_identifier(&mut self, key: IdentifierKey) -> Result<(), Infallible> {
        self.identifiers.remove(&key);
        Ok(())
    }

    fn remove_component(&mut self, id: ComponentId) -> Result<(), Infallible> {
        self.components.remove(&id);
        Ok(())
    }

    fn remove_evidence(&mut self, id: ComponentId, set: SetKey) -> Result<(), Infallible> {
        self.evidence.remove(&(id, set));
        Ok(())
    }

    fn remove_sighting(&mut self, sighting: Sighting) -> Result<(), Infallible> {
        self.sightings.remove(&sighting);
        Ok(())
    }

    fn remove_apart(&mut self, key: IdentifierKey) -> Result<(), Infallible> {
        self.apart.remove(&key);
        Ok(())
    }
}
