//! Saying again what a definition comes to, for a destination that is told of it from now on.
//!
//! It is said of every profile that it ever came to something for, also of who is out of an audience
//! again: a destination that was told of the definition before may still have them in. Whoever knows it
//! already is told nothing (the ledger of deliveries has what each one knows).

use std::collections::BTreeMap;
use std::sync::Arc;

use selfsame_event::ProfileId;
use selfsame_log::{Item, Record};

use super::facts::Announcing;
use super::row::Held;
use crate::effect::{Effect, What};
use crate::state::{State, StateError};
use crate::workspace::Workspace;

impl State {
    /// Notes which destinations are told of each definition, after a change of the configuration.
    pub(crate) fn connect(&mut self) {
        for (space, counts) in self.meta.workspace.spaces.iter().zip(&mut self.meta.spaces) {
            for (number, connected) in connected(&self.meta.workspace, &space.id) {
                let known = counts.computing.definitions.get(&number);
                if known.is_none_or(|known| known.connected == connected) {
                    continue;
                }
                let computing = Arc::make_mut(&mut counts.computing);
                let Some(known) = computing.definitions.get_mut(&number) else { continue };
                let is_new = |(id, since): (&String, &u64)| known.connected.get(id) != Some(since);
                if connected.is_empty() {
                    known.announcing = None;
                } else if connected.iter().any(is_new) && known.live.is_some() {
                    known.announcing = Some(Announcing::default());
                }
                known.connected = connected;
            }
        }
    }

    /// Says again what a definition comes to for the profiles that a record names.
    pub(super) fn announce_again(
        &mut self,
        slot: usize,
        definition: u32,
        is_last: bool,
        record: &Record,
    ) -> Result<(), StateError> {
        let progress = self.meta.spaces[slot].computing.definitions.get(&definition);
        if progress.is_none_or(|progress| progress.announcing.is_none()) {
            return Ok(());
        }
        let mut after = None;
        for body in record.items.iter().filter_map(Item::body) {
            let Ok(profile) = <[u8; 20]>::try_from(body.as_ref()) else { continue };
            let profile = ProfileId::from_bytes(profile);
            after = Some(profile.to_string());
            // What is folded again has said it already.
            if self.recall.is_on() {
                continue;
            }
            let key = self.values_key(slot, profile);
            let written = self.written(key)?;
            let values = written.read();
            let (json, at) = match values.get(definition).map(|row| row.held) {
                Some(Held::In(since)) => ("true".into(), since),
                Some(Held::Out(since)) => ("false".into(), since),
                Some(Held::Json(json)) => (json.into(), record.time),
                Some(Held::Default) | None => continue,
            };
            let (space, cause, what) = (key.space, None, What::Announced(json));
            let is_told = true;
            self.effects.push(Effect { space, profile, definition, at, cause, is_told, what });
        }
        self.recall_rest()?;
        let computing = Arc::make_mut(&mut self.meta.spaces[slot].computing);
        if let Some(progress) = computing.definitions.get_mut(&definition) {
            progress.announcing = (!is_last).then_some(Announcing { after });
        }
        Ok(())
    }
}

/// The destinations that are told of each definition of a space, by its number.
fn connected(workspace: &Workspace, space: &str) -> BTreeMap<u32, BTreeMap<String, u64>> {
    let since = |id: &String| {
        let destination = workspace.destinations.iter().find(|one| one.id == *id)?;
        (destination.space == space).then(|| (id.clone(), destination.since.offset))
    };
    let of = workspace.definitions_of(space).map(|definition| {
        let told = definition.destinations.iter().map(|one| &one.destination);
        (definition.number, told.filter_map(since).collect())
    });
    of.collect()
}
