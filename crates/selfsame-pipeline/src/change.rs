//! The step of a change of the configuration.

use selfsame_log::Record;

use crate::meta::SpaceMeta;
use crate::state::{State, StateError};
use crate::workspace::{Change, ChangeError, Since};

impl State {
    /// Applies a change of the configuration, and makes what follows from it.
    pub(crate) fn change(
        &mut self,
        record: &Record,
    ) -> Result<Result<(), ChangeError>, StateError> {
        let mut change: Change = serde_json::from_slice(&record.head)
            .map_err(|_| StateError::Record { position: record.position })?;
        if let Change::SetDestination(destination) = &mut change {
            let space = self.meta.workspace.space(&destination.space).map(|space| space.number);
            let counts = space.and_then(|space| self.meta.spaces.get(usize::try_from(space).ok()?));
            let events = counts.map_or(0, SpaceMeta::deliveries);
            destination.since = Since { offset: record.position.offset, events };
            if let Some(tool) = &mut destination.tool {
                let mut known = self.meta.workspace.destinations.iter();
                let before = known.find(|one| one.id == destination.id);
                let place = (record.position.offset, record.time);
                tool.follow(before.and_then(|one| one.tool.as_ref()), place);
            }
        }
        if let Change::SetFunction(function) = &mut change {
            let place = (record.position.offset, record.time);
            function.follow(self.meta.workspace.function(&function.id), place);
        }
        let space = match &change {
            Change::SetSpace { id, .. } => Some(id.clone()),
            Change::PublishRules { space, .. } => Some(space.clone()),
            _ => None,
        };
        let defined = match &change {
            Change::SetDefinition(definition) => Some(definition.space.clone()),
            Change::RemoveDefinition { space, .. } => Some(space.clone()),
            _ => None,
        };
        let published = match &change {
            Change::PublishRules { space, effects, identity, .. } => {
                Some((space.clone(), *effects, identity.clone()))
            }
            _ => None,
        };
        let made = match &change {
            Change::SetSpace { id, .. } if self.meta.workspace.space(id).is_none() => {
                Some(id.clone())
            }
            _ => None,
        };
        let mut changed = self.meta.workspace.clone();
        if let Err(error) = changed.apply(change) {
            return Ok(Err(error));
        }
        if let Some(space) = space {
            let offset = record.position.offset;
            let in_force = self.meta.published.get(&space).copied();
            if published.is_some() && in_force.is_none_or(|in_force| in_force < offset) {
                return Err(StateError::Published { position: record.position });
            }
            // Rules that were published later hold here already.
            if let Some(later) = self.published.get(&space).filter(|one| offset < one.offset)
                && let Some(known) = changed.spaces.iter_mut().find(|known| known.id == space)
            {
                known.rules = later.rules.clone();
            }
        }
        self.meta.workspace = changed;
        self.meta.note_rules(record.position.offset);
        self.configure()?;
        if let Some(space) = made {
            self.settle(&space);
            self.begin_apart(&space)?;
        }
        if let Some(space) = defined {
            self.define(&space, record.position.offset);
        }
        self.connect();
        if let Some((space, effects, identity)) = published {
            self.end_apart(&space, identity.as_ref(), record.time)?;
            self.reassess(&space, record.position.offset, effects);
        }
        Ok(Ok(()))
    }
}
