//! What definitions read of a profile: its sections, as far as they read them.

use selfsame_audience::Keeps;
use selfsame_event::{Collection, IdentifierKey, ProfileId};
use selfsame_identity::{Anchors, ComponentId};
use selfsame_profile::{Outline, Section};
use smallvec::SmallVec;

use crate::key::InSpace;
use crate::row::{self, Owner};
use crate::state::{State, StateError};

/// What definitions read of a section, wherever it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portion<'a> {
    /// The packed traits.
    pub(crate) traits: &'a [u8],
    /// What is kept of the events.
    pub(crate) keeps: Keeps<'a>,
}

impl<'a> From<&Outline<'a>> for Portion<'a> {
    fn from(outline: &Outline<'a>) -> Self {
        Self { traits: outline.traits, keeps: Keeps::Row(outline.computed) }
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

    /// Shows what definitions read of a profile, where it lies.
    pub(super) fn look_at<T>(
        &self,
        space: u32,
        anchors: &Anchors,
        look: impl FnOnce(&[Portion<'_>]) -> T,
    ) -> Result<T, StateError> {
        let keys = anchors.keys.iter().map(|key| InSpace { space, key: *key });
        let keys: SmallVec<[_; 4]> = keys.collect();
        let table = &self.tables.partition(anchors.profile).sections;
        Ok(table.view_all(&keys, |rows| {
            let portions = rows.iter().filter_map(|row| row::portion(*row));
            look(&portions.collect::<SmallVec<[Portion<'_>; 4]>>())
        })?)
    }

    /// The key of the values of a profile.
    pub(super) fn values_key(&self, slot: usize, key: ProfileId) -> InSpace<ProfileId> {
        InSpace { space: u32::try_from(slot).unwrap_or(u32::MAX), key }
    }
}
