//! Carries on what definitions need beyond the step of a record: the history of their streams, putting
//! them in force, and the first evaluation of every profile.
//!
//! It works from what the state says is missing, so it can be stopped and begun again at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use selfsame_event::{Class, Collection, Position, ProfileId, RecordId, RecordKind};
use selfsame_log::{AppendError, Item, Log, LogRead, NewRecord};
use selfsame_store::{RowKey, StoreError};

use super::facts::{Announcing, Progress};
use super::history::{History, HistoryError};
use super::record::ComputedRecord;
use super::row::{Held, Values};
use crate::identity::key_of;
use crate::key::InSpace;
use crate::row;
use crate::shared::{Shared, View};

/// How many rows or profiles one record has at most.
const ITEMS: usize = 1_000;
/// How many accounts one record names at most, each of which has some hundred users.
const ACCOUNTS: usize = 50;
/// How many bytes of rows one record has at most, about.
const ROW_BYTES: usize = 1 << 20;

/// Why definitions could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// The history could not be folded.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The state failed.
    #[error("the state store failed")]
    Store(#[from] StoreError),
    /// A record could not be appended.
    #[error("a record of computed values could not be appended")]
    Append(#[from] AppendError),
}

impl ComputeError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        match self {
            Self::History(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Append(_) => Class::Unavailable,
        }
    }
}

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComputeStage {
    /// The log is read.
    History,
    /// What was kept of it goes to the state.
    HandOver,
    /// Every profile is evaluated.
    Profiles,
    /// A destination that was connected is told how things are.
    Announcing,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComputeStatus {
    /// The id of the space.
    pub space: String,
    /// The numbers of the definitions that it is for.
    pub definitions: Vec<u32>,
    /// What is being done.
    pub stage: ComputeStage,
    /// Records of the log, rows or profiles that are done.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// Carries on what definitions need.
pub struct Compute {
    /// What the engine shows.
    pub shared: Arc<Shared>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// What was decided about its events.
    pub outbox: Arc<dyn LogRead>,
    /// Where the history is folded.
    pub folder: PathBuf,
    /// Draws the id of a record.
    pub draw: Box<dyn Fn() -> RecordId + Send>,
}

impl std::fmt::Debug for Compute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compute")
    }
}

type GoesOn<'a> = &'a mut dyn FnMut(&ComputeStatus) -> bool;

impl Compute {
    /// Does the next thing that is to be done for some space, and says whether there was one. It asks now
    /// and then whether to go on.
    ///
    /// It waits for a state that is folded again after a crash: one from before says that there is
    /// to do what was done, and a history that is handed over twice counts twice.
    pub fn step(&self, goes_on: GoesOn<'_>) -> Result<bool, ComputeError> {
        if !self.is_caught_up() {
            return Ok(self.shared.view().is_some());
        }
        let Some(view) = self.shared.view() else { return Ok(false) };
        for (slot, counts) in view.meta.spaces.iter().enumerate() {
            let computing = &counts.computing;
            let is_new =
                |progress: &Progress| progress.live.as_ref().is_some_and(|live| !live.is_announced);
            let new = computing.definitions.iter().filter(|(_, progress)| is_new(progress));
            let new: BTreeSet<u32> = new.map(|(number, _)| *number).collect();
            // Accounts ask what their users came to.
            let (of_users, of_accounts) = by_collection(&view, slot, new);
            // What readers evaluate for themselves meanwhile comes first.
            let of_each = [(Collection::Users, &of_users), (Collection::Accounts, &of_accounts)];
            let first = of_each.into_iter().find(|(_, new)| !new.is_empty());
            if let Some(of) = first.filter(|_| computing.reassessing) {
                return self.walk(view, slot, of, goes_on).map(|()| true);
            }
            let partial = computing.partial_streams();
            let begun = computing.handed.as_ref().map(|handed| {
                let is_of = |(stream, _): &(u32, u64)| handed.streams.contains(stream);
                partial.clone().into_iter().filter(is_of).collect::<BTreeMap<_, _>>()
            });
            if !partial.is_empty() {
                let streams = begun.filter(|begun| !begun.is_empty()).unwrap_or(partial);
                return self.hand_over(view, slot, &streams, goes_on).map(|()| true);
            }
            if computing.definitions.values().any(|progress| progress.next.is_some()) {
                return self.put_in_force(&view, slot, &BTreeSet::new()).map(|()| true);
            }
            if let Some(of) = first {
                return self.walk(view, slot, of, goes_on).map(|()| true);
            }
            let mut waiting = computing.definitions.iter();
            let waiting = waiting.find_map(|(definition, progress)| {
                Some((*definition, progress.announcing.clone()?))
            });
            if let Some((definition, begun)) = waiting {
                let of = (slot, definition);
                return self.announce(view, of, &begun, goes_on).map(|()| true);
            }
        }
        Ok(false)
    }

    /// Whether the state is at least as new as what was emitted, perhaps after a while.
    fn is_caught_up(&self) -> bool {
        const PAUSE: Duration = Duration::from_millis(1);
        const PATIENCE: u32 = 100;
        let emitted = self.outbox.end();
        for _ in 0..PATIENCE {
            if self.shared.folded() >= emitted {
                return true;
            }
            std::thread::park_timeout(PAUSE);
        }
        false
    }

    fn hand_over(
        &self,
        view: View,
        slot: usize,
        streams: &BTreeMap<u32, u64>,
        goes_on: GoesOn<'_>,
    ) -> Result<(), ComputeError> {
        let begun = Begun::of(&view, slot);
        let computing = &view.meta.spaces[slot].computing;
        let names: BTreeSet<u32> = match &computing.handed {
            Some(handed) => handed.streams.clone(),
            None => streams.keys().copied().collect(),
        };
        let waiting = computing.definitions.iter().filter(|(_, one)| one.next.is_some());
        let mut status = ComputeStatus {
            space: begun.space.clone(),
            definitions: waiting.map(|(number, _)| *number).collect(),
            stage: ComputeStage::History,
            done: 0,
            total: streams.values().copied().max().unwrap_or(0),
        };
        let after = computing.handed.as_ref().and_then(|handed| key_of(&handed.last));
        let plans = Arc::clone(&view.plans[slot]);
        let folded = History::fold(
            (&*self.log, &*self.outbox),
            &view,
            begun.number,
            (&plans.plans, streams),
            &self.folder,
            &mut |position, _| {
                status.done = position.offset;
                goes_on(&status)
            },
        )?;
        drop(view);
        let Some(history) = folded else { return Ok(()) };
        (status.stage, status.done) = (ComputeStage::HandOver, 0);
        status.total = history.anchors();
        let Begun { space, under, .. } = begun;
        let head = ComputedRecord::Rows { space, under, streams: names.clone() };
        let (mut items, mut bytes) = (Vec::new(), 0);
        let mut failed = None;
        let mut is_stopped = false;
        history.each_behind(after, |anchor, row| {
            let row = plans.plans.hand_over(row);
            bytes += row.len();
            items.push([&anchor.0[..], &row].concat());
            if items.len() < ITEMS && bytes < ROW_BYTES {
                return true;
            }
            bytes = 0;
            status.done += u64::try_from(items.len()).unwrap_or(0);
            match self.append(&head, std::mem::take(&mut items)) {
                Ok(()) => is_stopped = !goes_on(&status),
                Err(error) => failed = Some(error),
            }
            failed.is_none() && !is_stopped
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        if is_stopped {
            return Ok(());
        }
        if !items.is_empty() {
            self.append(&head, items)?;
        }
        history.remove()?;
        match self.shared.view() {
            Some(view) if Begun::of(&view, slot).under == under => {
                self.put_in_force(&view, slot, &names)
            }
            // Rules were published meanwhile: what was handed over is of other people.
            _ => Ok(()),
        }
    }

    /// Puts those versions in force whose streams are whole, or will be with these.
    fn put_in_force(
        &self,
        view: &View,
        slot: usize,
        streams: &BTreeSet<u32>,
    ) -> Result<(), ComputeError> {
        let Begun { space, under, .. } = Begun::of(view, slot);
        let computing = &view.meta.spaces[slot].computing;
        let is_whole = |stream: &u32| {
            streams.contains(stream)
                || computing.streams.get(stream).is_some_and(|stream| stream.is_whole)
        };
        let ready = computing.definitions.iter().filter_map(|(number, progress)| {
            let next = progress.next.as_ref()?;
            next.streams.iter().all(is_whole).then_some((*number, next.since))
        });
        let versions = ready.collect();
        let head = ComputedRecord::Live { space, under, streams: streams.clone(), versions };
        self.append(&head, Vec::new())
    }

    /// Has every profile of a collection evaluated that there is.
    fn walk(
        &self,
        view: View,
        slot: usize,
        (collection, definitions): (Collection, &BTreeSet<u32>),
        goes_on: GoesOn<'_>,
    ) -> Result<(), ComputeError> {
        let Begun { number, space, under } = Begun::of(&view, slot);
        let mut profiles = Vec::new();
        view.tables.components.scan(&number.to_be_bytes(), |key, packed| {
            let is_of_it = InSpace::<selfsame_identity::ComponentId>::from_bytes(key)
                .is_some_and(|key| key.key.collection() == collection);
            let row = row::component(packed).filter(|row| is_of_it && row.parent.is_none());
            profiles.extend(row.and_then(|row| row.profile()));
            true
        })?;
        drop(view);
        profiles.sort_unstable();
        profiles.dedup();
        let mut status = ComputeStatus {
            space: space.clone(),
            definitions: definitions.iter().copied().collect(),
            stage: ComputeStage::Profiles,
            done: 0,
            total: u64::try_from(profiles.len()).unwrap_or(0),
        };
        let items = match collection {
            Collection::Users => ITEMS,
            Collection::Accounts => ACCOUNTS,
        };
        let mut pieces = profiles.chunks(items).peekable();
        loop {
            let piece: &[ProfileId] = pieces.next().unwrap_or_default();
            let is_last = pieces.peek().is_none();
            let (space, definitions) = (space.clone(), definitions.clone());
            let head = ComputedRecord::Walk { space, under, definitions, is_last };
            let items = piece.iter().map(|profile| profile.to_bytes().to_vec()).collect();
            self.append(&head, items)?;
            status.done += u64::try_from(piece.len()).unwrap_or(0);
            if is_last || !goes_on(&status) {
                return Ok(());
            }
        }
    }

    /// Says again what a definition comes to for every profile.
    fn announce(
        &self,
        view: View,
        (slot, definition): (usize, u32),
        begun: &Announcing,
        goes_on: GoesOn<'_>,
    ) -> Result<(), ComputeError> {
        let Begun { number, space, under } = Begun::of(&view, slot);
        let after = begun.after.as_deref().and_then(ProfileId::parse);
        let (mut profiles, mut done) = (Vec::new(), 0);
        view.tables.computed.scan(&number.to_be_bytes(), |key, row| {
            let Some(InSpace { key: profile, .. }) = InSpace::<ProfileId>::from_bytes(key) else {
                return true;
            };
            let values = Values::decode(row).unwrap_or_default();
            match values.get(definition).map(|row| row.held) {
                None | Some(Held::Default) => {}
                Some(_) if after.is_some_and(|after| profile <= after) => done += 1,
                Some(_) => profiles.push(profile),
            }
            true
        })?;
        drop(view);
        // A row that was written while it was looked for may have been there twice.
        profiles.sort_unstable();
        profiles.dedup();
        let mut status = ComputeStatus {
            space: space.clone(),
            definitions: vec![definition],
            stage: ComputeStage::Announcing,
            done,
            total: done + u64::try_from(profiles.len()).unwrap_or(0),
        };
        let mut pieces = profiles.chunks(ITEMS).peekable();
        loop {
            let piece: &[ProfileId] = pieces.next().unwrap_or_default();
            let is_last = pieces.peek().is_none();
            let space = space.clone();
            let head = ComputedRecord::Announce { space, under, definition, is_last };
            let items = piece.iter().map(|profile| profile.to_bytes().to_vec()).collect();
            self.append(&head, items)?;
            status.done += u64::try_from(piece.len()).unwrap_or(0);
            if is_last || !goes_on(&status) {
                return Ok(());
            }
        }
    }

    /// Appends a record and waits until it is folded, so that never more than one is under way.
    fn append(&self, head: &ComputedRecord, items: Vec<Vec<u8>>) -> Result<(), ComputeError> {
        const PAUSE: Duration = Duration::from_millis(1);
        const PATIENCE: u32 = 60_000;
        let record = NewRecord {
            id: (self.draw)(),
            kind: RecordKind::Computed as u8,
            head: Bytes::from(head.encode()),
            items: items.into_iter().map(|item| Item::Body(Bytes::from(item))).collect(),
        };
        let at: Position = self.log.append_wait(record)?.position;
        for _ in 0..PATIENCE {
            if self.shared.folded() > at {
                break;
            }
            std::thread::park_timeout(PAUSE);
        }
        Ok(())
    }
}

/// The numbers of definitions of users, and of those of accounts.
fn by_collection(
    view: &View,
    slot: usize,
    numbers: BTreeSet<u32>,
) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let workspace = &view.meta.workspace;
    let of_space = workspace.spaces.get(slot).map(|space| workspace.definitions_of(&space.id));
    let of_accounts: BTreeSet<u32> = of_space
        .into_iter()
        .flatten()
        .filter(|one| one.collection == Collection::Accounts)
        .map(|one| one.number)
        .collect();
    numbers.into_iter().partition(|number| !of_accounts.contains(number))
}

/// A space, and by which rules the state was folded that its work is begun from.
struct Begun {
    number: u32,
    space: String,
    under: Option<u64>,
}

impl Begun {
    fn of(view: &View, slot: usize) -> Self {
        let space = view.meta.workspace.spaces.get(slot);
        let (number, space) =
            space.map(|space| (space.number, space.id.clone())).unwrap_or_default();
        let under = view.meta.published.get(&space).copied().unwrap_or(0);
        Self { number, space, under: Some(under) }
    }
}
