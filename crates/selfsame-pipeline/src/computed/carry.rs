//! The steps of records that carry on what takes longer than a step.

use std::collections::BTreeSet;
use std::sync::Arc;

use selfsame_event::{Collection, IdentifierKey, ProfileId, Time};
use selfsame_log::Record;

use super::facts::{Handed, Version};
use super::ranks::Ranks;
use super::record::ComputedRecord;
use super::step::{Absorbed, At};
use super::wanted::Wanted;
use crate::identity::hex;
use crate::key::InSpace;
use crate::partition::partition_of;
use crate::state::{State, StateError};
use crate::workspace::ChangeError;

impl State {
    /// A record that carries on what takes longer than a step.
    pub(crate) fn computed(
        &mut self,
        record: &Record,
    ) -> Result<Result<(), ChangeError>, StateError> {
        let damaged = || StateError::Record { position: record.position };
        let head: ComputedRecord = serde_json::from_slice(&record.head).map_err(|_| damaged())?;
        match head {
            ComputedRecord::Tick { due, space, profile } => {
                let key = ProfileId::parse(&profile).ok_or_else(damaged)?;
                let due = Time::from_micros(due).min(record.time);
                if self.recall.is_on() {
                    self.recall_tick((due, InSpace { space, key }), record.time)?;
                    return Ok(Ok(()));
                }
                while let Some((due, key)) = self.timers.first((due, InSpace { space, key })) {
                    self.compute_at(key, due, record.time)?;
                }
            }
            ComputedRecord::Accounts { space } => {
                if let Some(slot) = self.slot_of(&space) {
                    self.compute_accounts(slot, record)?;
                }
            }
            ComputedRecord::Rows { space, under, streams } => {
                if let Some(slot) = self.carries(&space, under) {
                    self.take_rows(slot, streams, record)?;
                }
            }
            ComputedRecord::Live { space, under, streams, versions } => {
                if let Some(slot) = self.carries(&space, under) {
                    self.put_in_force(slot, &streams, &versions);
                }
            }
            ComputedRecord::Walk { space, under, definitions, is_last } => {
                if let Some(slot) = self.carries(&space, under) {
                    self.walk(slot, &definitions, is_last, record)?;
                }
            }
            ComputedRecord::Announce { space, under, definition, is_last } => {
                if let Some(slot) = self.carries(&space, under) {
                    self.announce_again(slot, definition, is_last, record)?;
                }
            }
        }
        Ok(Ok(()))
    }

    /// Adds the history of streams to what is kept of the events since.
    fn take_rows(
        &mut self,
        slot: usize,
        streams: BTreeSet<u32>,
        record: &Record,
    ) -> Result<(), StateError> {
        let space = u32::try_from(slot).unwrap_or(u32::MAX);
        let plans = Arc::clone(&self.plans[slot]);
        let handed = self.meta.spaces[slot].computing.handed.clone();
        let handed = handed.filter(|handed| handed.streams == streams);
        let mut last = handed.map(|handed| handed.last).unwrap_or_default();
        for (index, item) in (0_u32..).zip(record.items.iter()) {
            let Some((anchor, kept)) = item.body().and_then(|body| body.split_first_chunk()) else {
                continue;
            };
            let key = IdentifierKey(*anchor);
            let name = hex(key);
            // What was handed over is in already.
            if name <= last {
                continue;
            }
            last = name;
            let Some(root) = self.root(space, key)? else { continue };
            let profile = root.profile;
            let count = u32::try_from(self.partitions.len()).unwrap_or(u32::MAX);
            let partition = partition_of(profile, count);
            let partition = usize::try_from(partition).unwrap_or(0);
            let anchor = InSpace { space, key };
            self.partitions[partition].add_history(anchor, record.position, index, |row| {
                plans.plans.take_over(row, kept)
            })?;
        }
        Arc::make_mut(&mut self.meta.spaces[slot].computing).handed =
            Some(Handed { streams, last });
        Ok(())
    }

    fn put_in_force(&mut self, slot: usize, streams: &BTreeSet<u32>, versions: &[(u32, u64)]) {
        let computing = Arc::make_mut(&mut self.meta.spaces[slot].computing);
        for stream in streams {
            if let Some(stream) = computing.streams.get_mut(stream) {
                stream.is_whole = true;
            }
        }
        if computing.handed.as_ref().is_some_and(|handed| handed.streams == *streams) {
            computing.handed = None;
        }
        for (number, since) in versions {
            let Some(progress) = computing.definitions.get_mut(number) else { continue };
            let is_whole = |version: &Version| {
                let mut kept = version.streams.iter().map(|stream| computing.streams.get(stream));
                kept.all(|stream| stream.is_some_and(|stream| stream.is_whole))
            };
            if progress.next.as_ref().is_some_and(|next| next.since == *since && is_whole(next)) {
                progress.live = progress.next.take();
                self.recall.put_in_force(u32::try_from(slot).unwrap_or(u32::MAX), *number);
            }
        }
        computing.drop_unread();
        self.plan(slot, None);
    }

    fn walk(
        &mut self,
        slot: usize,
        definitions: &BTreeSet<u32>,
        is_last: bool,
        record: &Record,
    ) -> Result<(), StateError> {
        let plans = Arc::clone(&self.plans[slot]);
        let reassessing = self.meta.spaces[slot].computing.reassessing;
        let mut readers: Vec<usize> =
            definitions.iter().filter_map(|number| plans.rank_of(*number)).collect();
        // Who reads them may have been evaluated since they are in force, as if nothing were in them.
        let mut ranks: Ranks = readers.iter().copied().collect();
        while let Some(rank) = readers.pop() {
            readers.extend(plans.readers_of(rank).filter(|reader| ranks.insert(*reader)));
        }
        for body in record.items.iter().filter_map(selfsame_log::Item::body) {
            let Ok(profile) = <[u8; 20]>::try_from(body.as_ref()) else { continue };
            let profile = ProfileId::from_bytes(profile);
            let key = self.values_key(slot, profile);
            if self.collection_of(key)? == Collection::Accounts {
                self.walk_account(key, record.time)?;
                if reassessing && !self.recall.is_on() {
                    self.say_who_is_out(key, &plans, definitions, record.time)?;
                }
                continue;
            }
            if self.recall.is_on() {
                self.recall_walked(slot, profile, ranks, record.time)?;
                continue;
            }
            self.compute_due(slot, profile, record.time)?;
            let wanted = Wanted::Some(ranks);
            let at = At { is_before_accounts: reassessing, ..At::moment(record.time) };
            self.compute(key, wanted, at, &Absorbed::default())?;
            if reassessing {
                self.say_who_is_out(key, &plans, definitions, record.time)?;
            }
        }
        self.recall_rest()?;
        if is_last {
            let computing = Arc::make_mut(&mut self.meta.spaces[slot].computing);
            for number in definitions {
                let progress = computing.definitions.get_mut(number);
                if let Some(live) = progress.and_then(|progress| progress.live.as_mut()) {
                    live.is_announced = true;
                }
            }
            computing.reassessing &= computing.is_anybody_waiting();
            self.plan(slot, None);
        }
        Ok(())
    }
}
