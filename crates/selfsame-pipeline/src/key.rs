//! The keys of the state's tables. The space comes first in all of them that have one.

use selfsame_event::{IdentifierKey, ItemPosition, Position, ProfileId};
use selfsame_identity::{ComponentId, SetKey, Sighting};
use selfsame_store::RowKey;

/// A key of one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InSpace<K> {
    /// The number of the space.
    pub space: u32,
    /// The key in it.
    pub key: K,
}

impl RowKey for InSpace<IdentifierKey> {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.space.to_be_bytes()[..], &self.key.0].concat()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let key = Self { space: u32::from_be_bytes(take(rest)?), key: IdentifierKey(take(rest)?) };
        rest.is_empty().then_some(key)
    }
}

impl RowKey for InSpace<ProfileId> {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.space.to_be_bytes()[..], &self.key.to_bytes()].concat()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let space = u32::from_be_bytes(take(rest)?);
        let key = Self { space, key: ProfileId::from_bytes(take(rest)?) };
        rest.is_empty().then_some(key)
    }
}

impl RowKey for InSpace<ComponentId> {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.space.to_be_bytes()[..], &self.key.0.to_be_bytes()].concat()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let space = u32::from_be_bytes(take(rest)?);
        let key = ComponentId(u64::from_be_bytes(take(rest)?));
        rest.is_empty().then_some(Self { space, key })
    }
}

/// A set of identifiers under a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EvidenceKey {
    /// The number of the space.
    pub space: u32,
    /// The component.
    pub component: ComponentId,
    /// The set.
    pub set: SetKey,
}

impl EvidenceKey {
    /// What every key of a component starts with.
    pub fn prefix(space: u32, component: ComponentId) -> Vec<u8> {
        LedgerKey::prefix(space, component)
    }
}

impl RowKey for EvidenceKey {
    fn to_bytes(&self) -> Vec<u8> {
        let component = self.component.0.to_be_bytes();
        [&self.space.to_be_bytes()[..], &component, &self.set.0.to_be_bytes()].concat()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let space = u32::from_be_bytes(take(rest)?);
        let component = ComponentId(u64::from_be_bytes(take(rest)?));
        let set = SetKey(u128::from_be_bytes(take(rest)?));
        rest.is_empty().then_some(Self { space, component, set })
    }
}

/// A set of another profile that an identifier was on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SightingKey {
    /// The number of the space.
    pub space: u32,
    /// The sighting.
    pub sighting: Sighting,
}

impl SightingKey {
    /// What every key of an identifier starts with.
    pub fn prefix(space: u32, key: IdentifierKey) -> Vec<u8> {
        [&space.to_be_bytes()[..], &key.0].concat()
    }
}

impl RowKey for SightingKey {
    fn to_bytes(&self) -> Vec<u8> {
        let Sighting { key, component, set } = self.sighting;
        let mut bytes = Self::prefix(self.space, key);
        bytes.extend_from_slice(&component.0.to_be_bytes());
        bytes.extend_from_slice(&set.0.to_be_bytes());
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let space = u32::from_be_bytes(take(rest)?);
        let key = IdentifierKey(take(rest)?);
        let component = ComponentId(u64::from_be_bytes(take(rest)?));
        let set = SetKey(u128::from_be_bytes(take(rest)?));
        let sighting = Sighting { key, component, set };
        rest.is_empty().then_some(Self { space, sighting })
    }
}

/// A row of the merge ledger: under the component that survived or would have, in log order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerKey {
    /// The number of the space.
    pub space: u32,
    /// The component.
    pub component: ComponentId,
    /// The event.
    pub event: ItemPosition,
    /// The number of the row among those of the event.
    pub number: u8,
}

impl LedgerKey {
    /// What every key of a component starts with.
    pub fn prefix(space: u32, component: ComponentId) -> Vec<u8> {
        [&space.to_be_bytes()[..], &component.0.to_be_bytes()].concat()
    }
}

impl RowKey for LedgerKey {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Self::prefix(self.space, self.component);
        bytes.extend_from_slice(&self.event.record.offset.to_be_bytes());
        bytes.extend_from_slice(&self.event.index.to_be_bytes());
        bytes.push(self.number);
        bytes
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let space = u32::from_be_bytes(take(rest)?);
        let component = ComponentId(u64::from_be_bytes(take(rest)?));
        let record = Position::embedded(u64::from_be_bytes(take(rest)?));
        let event = record.item(u32::from_be_bytes(take(rest)?));
        let [number] = take(rest)?;
        rest.is_empty().then_some(Self { space, component, event, number })
    }
}

/// A full piece of a section's timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// The number of the space.
    pub space: u32,
    /// The section's anchor.
    pub anchor: IdentifierKey,
    /// The number of the piece.
    pub number: u32,
}

impl RowKey for ChunkKey {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.space.to_be_bytes()[..], &self.anchor.0, &self.number.to_be_bytes()].concat()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let space = u32::from_be_bytes(take(rest)?);
        let anchor = IdentifierKey(take(rest)?);
        let number = u32::from_be_bytes(take(rest)?);
        rest.is_empty().then_some(Self { space, anchor, number })
    }
}

/// A number in a bounded list: of a space's insights, or of what a source had rejected on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListKey {
    /// The space's or source's number.
    pub owner: u32,
    /// The day, in days since 1970; 0 where the list has none.
    pub day: u32,
    /// The number in the list.
    pub number: u32,
}

impl RowKey for ListKey {
    fn to_bytes(&self) -> Vec<u8> {
        [self.owner.to_be_bytes(), self.day.to_be_bytes(), self.number.to_be_bytes()].concat()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let mut number = || take(rest).map(u32::from_be_bytes);
        let key = Self { owner: number()?, day: number()?, number: number()? };
        rest.is_empty().then_some(key)
    }
}

/// An entry of the index over declared traits: a section in which a trait once had a value. Whether
/// the profile still has it is for the reader to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraitIndexKey {
    /// The number of the space.
    pub space: u32,
    /// A digest of the trait's name and value.
    pub value: [u8; 16],
    /// The section's anchor.
    pub anchor: IdentifierKey,
}

impl TraitIndexKey {
    /// What every key of a value starts with.
    pub fn prefix(space: u32, value: [u8; 16]) -> Vec<u8> {
        [&space.to_be_bytes()[..], &value].concat()
    }
}

impl RowKey for TraitIndexKey {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.space.to_be_bytes()[..], &self.value, &self.anchor.0].concat()
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let rest = &mut bytes;
        let space = u32::from_be_bytes(take(rest)?);
        let (value, anchor) = (take(rest)?, IdentifierKey(take(rest)?));
        rest.is_empty().then_some(Self { space, value, anchor })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(*taken)
}
