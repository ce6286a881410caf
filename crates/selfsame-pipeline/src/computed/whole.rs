//! What definitions read of a profile: its sections, as far as they read them.

use selfsame_event::{Collection, IdentifierKey, ProfileId};
use selfsame_identity::{Anchors, ComponentId};
use selfsame_profile::{Outline, Section};
use smallvec::SmallVec;

use crate::key::InSpace;
use crate::row::{self, Owner};
use crate::state::{State, StateError};

/// Sections, as far as definitions read them, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    bytes: Vec<u8>,
    /// Of each section, where its traits end, and where the rest does.
    ends: SmallVec<[(usize, usize); 4]>,
}

impl Whole {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn add(&mut self, section: Outline<'_>) {
        self.bytes.extend_from_slice(section.traits);
        let traits = self.bytes.len();
        self.bytes.extend_from_slice(section.computed);
        self.ends.push((traits, self.bytes.len()));
    }

    /// The sections.
    pub(crate) fn sections(&self) -> SmallVec<[Outline<'_>; 4]> {
        let mut start = 0;
        let part = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or_default();
        let sections = self.ends.iter().map(|(traits, end)| {
            let section = Outline { traits: part(start, *traits), computed: part(*traits, *end) };
            start = *end;
            section
        });
        sections.collect()
    }
}

/// What definitions read of these sections.
pub(crate) fn outlines<'a>(
    sections: impl IntoIterator<Item = &'a Section>,
) -> SmallVec<[Outline<'a>; 4]> {
    sections.into_iter().map(Section::outline).collect()
}

impl State {
    /// The profile that holds an identifier.
    pub(super) fn root(
        &self,
        space: u32,
        key: IdentifierKey,
    ) -> Result<Option<Anchors>, StateError> {
        let owner = self.tables.identifiers.read(&InSpace { space, key }, Owner::row)?;
        owner.map_or(Ok(None), |owner| self.root_of(space, owner.component))
    }

    /// The profile that a component is part of.
    pub(super) fn root_of(
        &self,
        space: u32,
        mut component: ComponentId,
    ) -> Result<Option<Anchors>, StateError> {
        if component.collection() != Collection::Users {
            return Ok(None);
        }
        loop {
            let key = InSpace { space, key: component };
            let Some(row) = self.tables.components.read(&key, row::anchors)?.flatten() else {
                return Ok(None);
            };
            match row.parent {
                Some(parent) if parent < component => component = parent,
                Some(_) => return Ok(None),
                None => return Ok(Some(row)),
            }
        }
    }

    /// Reads what definitions read of a profile.
    pub(super) fn read_whole(
        &self,
        space: u32,
        anchors: &Anchors,
        whole: &mut Whole,
    ) -> Result<(), StateError> {
        whole.clear();
        let table = &self.tables.partition(anchors.profile).sections;
        for key in &anchors.keys {
            let key = InSpace { space, key: *key };
            table.view(&key, |row| row::outline(row).map(|section| whole.add(section)))?;
        }
        Ok(())
    }

    /// The key of the values of a profile.
    pub(super) fn values_key(&self, slot: usize, key: ProfileId) -> InSpace<ProfileId> {
        InSpace { space: u32::try_from(slot).unwrap_or(u32::MAX), key }
    }
}
