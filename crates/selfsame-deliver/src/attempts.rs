//! Attempts, kept so that they can be searched: of each connection the newest, within a size and an age.
//!
//! ```text
//! FOLDER/<connection>/NNNNNNNN.open                              the newest file, appended to
//! FOLDER/<connection>/NNNNNNNN_<first>_<last>_<low>_<high>       one that is full: the times of its first
//!                                                                and last attempt, and which events it has
//! ```
//!
//! The ledger is what counts; this is what can be looked at. A step's attempts come here once the step is
//! in the ledger, without a sync of their own. What a crash loses is taken from the ledger again, as far
//! as the ledger has it: it keeps the beginning of a receiver's answer, and lets go of no record before the
//! attempts of it are synced here.
//!
//! **Invariants:**
//! - a connection's files have at most its limit of bytes, and one block more; the oldest goes first;
//! - a delivered attempt takes about 22 bytes, a failed one besides that what the receiver answered;
//! - a row is in the same place of the same file for ever, so that a search goes on where it was.

mod block;
mod files;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use selfsame_event::{Class, ItemPosition, ProfileId, Time};

use crate::connection::ConnectionId;
use crate::record::Attempt;
use files::Files;
pub use search::{AttemptPage, AttemptPlace, AttemptQuery, FoundAttempt, Wanted};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Bytes of a connection.
    pub bytes: u64,
    /// How old an attempt may be.
    pub age: Duration,
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self { bytes: 256 << 20, age: Duration::from_secs(7 * 24 * 3_600) }
    }
}

/// Why attempts could not be kept or read.
#[derive(Debug, thiserror::Error)]
#[error("the attempts of a connection cannot be used")]
pub struct AttemptsError {
    /// What the file system said.
    #[from]
    source: io::Error,
}

impl AttemptsError {
    /// What the caller can do about it.
    pub fn class(&self) -> Class {
        Class::Unavailable
    }
}

/// By what a profile is found among attempts: a part of the key of the identifier that its id is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileMark(pub(crate) [u8; 8]);

impl ProfileMark {
    /// The mark of a profile by the key of one of its identifiers: each may have been what the id that an
    /// event had was made of.
    pub fn of_key(key: [u8; 16]) -> Self {
        Self(key.first_chunk().copied().unwrap_or_default())
    }

    /// The mark of a profile by its id.
    pub fn of(profile: ProfileId) -> Self {
        Self::of_key(profile.key().0)
    }
}

/// An attempt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) attempt: Attempt,
    /// None where it was taken from the ledger.
    pub(crate) profile: Option<ProfileMark>,
}

/// Whose attempts: a connection's, and of which of its replays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) connection: ConnectionId,
    /// 0 for live events.
    pub(crate) replay: u32,
}

/// The attempts of all connections of a ledger.
#[derive(Debug)]
pub struct AttemptLog {
    /// Where it keeps them; in memory where there is none.
    folder: Option<PathBuf>,
    limits: AttemptLimits,
    files: Mutex<BTreeMap<ConnectionId, Arc<Mutex<Files>>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AttemptLog {
    /// What is kept in memory, and ends with the process.
    pub fn in_memory(limits: AttemptLimits) -> Self {
        Self { folder: None, limits, files: Mutex::default() }
    }

    /// What is kept in a folder, which is made if it is not there.
    pub fn open(folder: PathBuf, limits: AttemptLimits) -> Result<Self, AttemptsError> {
        std::fs::create_dir_all(&folder)?;
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&folder)? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(ConnectionId::parse) else { continue };
            let of = Files::open(Some(folder.join(&name)), limits)?;
            files.insert(id, Arc::new(Mutex::new(of)));
        }
        Ok(Self { folder: Some(folder), limits, files: Mutex::new(files) })
    }

    fn find(&self, connection: ConnectionId) -> Option<Arc<Mutex<Files>>> {
        lock(&self.files).get(&connection).cloned()
    }

    fn of(&self, connection: ConnectionId) -> Result<Arc<Mutex<Files>>, AttemptsError> {
        let mut files = lock(&self.files);
        if let Some(of) = files.get(&connection) {
            return Ok(Arc::clone(of));
        }
        let folder = self.folder.as_ref().map(|folder| folder.join(connection.to_string()));
        let of = Arc::new(Mutex::new(Files::open(folder, self.limits)?));
        files.insert(connection, Arc::clone(&of));
        Ok(of)
    }

    /// Keeps the attempts of a step, which is in the ledger at that offset.
    pub(crate) fn append(
        &self,
        whose: Whose,
        ledger: u64,
        rows: &[Kept],
    ) -> Result<(), AttemptsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let of = self.of(whose.connection)?;
        lock(&of).append(ledger, whose.replay, rows)?;
        Ok(())
    }

    /// Whether the attempts of a step of the ledger were kept before this process began.
    pub(crate) fn has(&self, connection: ConnectionId, ledger: u64) -> bool {
        self.find(connection).is_some_and(|of| lock(&of).has(ledger))
    }

    /// What the ledger has and this had not is kept now.
    pub(crate) fn is_whole(&self) {
        lock(&self.files).values().for_each(|of| lock(of).forget_steps());
    }

    /// Removes what is too old.
    pub(crate) fn expire(&self, connection: ConnectionId, now: Time) -> Result<(), AttemptsError> {
        if let Some(of) = self.find(connection) {
            lock(&of).expire(now)?;
        }
        Ok(())
    }

    /// Removes all that is of other connections.
    pub(crate) fn retain(&self, known: &BTreeSet<ConnectionId>) -> Result<(), AttemptsError> {
        let gone: Vec<_> = {
            let mut files = lock(&self.files);
            files.extract_if(.., |id, _| !known.contains(id)).collect()
        };
        for (_, of) in gone {
            lock(&of).remove()?;
        }
        Ok(())
    }

    /// Syncs what was appended.
    pub(crate) fn sync(&self) -> Result<(), AttemptsError> {
        let all: Vec<_> = lock(&self.files).values().cloned().collect();
        for of in all {
            lock(&of).sync()?;
        }
        Ok(())
    }

    /// Every attempt to deliver an effect that is kept, oldest first, with whose it is.
    pub(crate) fn at(
        &self,
        at: ItemPosition,
    ) -> Result<Vec<(ConnectionId, FoundAttempt)>, AttemptsError> {
        let all: Vec<_> = lock(&self.files).iter().map(|(id, of)| (*id, Arc::clone(of))).collect();
        let mut found = Vec::new();
        for (id, of) in all {
            let parts = lock(&of).parts();
            let query = AttemptQuery { at: vec![at], limit: usize::MAX, ..AttemptQuery::default() };
            let mut page = search::search(parts.clone(), &query)?;
            let mut rows = page.rows;
            while let Some(before) = page.next {
                let query = AttemptQuery { before: Some(before), ..query.clone() };
                page = search::search(parts.clone(), &query)?;
                rows.append(&mut page.rows);
            }
            found.extend(rows.into_iter().rev().map(|row| (id, row)));
        }
        Ok(found)
    }

    /// Gives every attempt that is kept of effects from one place to another, both included, oldest first,
    /// with the number of its replay. A file at a time is in memory. Says when the oldest attempt of the
    /// connection began that is kept.
    pub(crate) fn between(
        &self,
        connection: ConnectionId,
        (low, high): (ItemPosition, ItemPosition),
        mut take: impl FnMut(u32, Attempt),
    ) -> Result<Option<Time>, AttemptsError> {
        let parts = self.find(connection).map(|of| lock(&of).parts()).unwrap_or_default();
        let reaches_back_to =
            parts.iter().find(|part| part.low <= part.high).map(|part| part.first);
        for part in parts.into_iter().filter(|part| part.low <= high && part.high >= low) {
            let (blocks, _) = block::blocks(&part.read()?);
            for block in blocks {
                let within = |kept: &Kept| (low..=high).contains(&kept.attempt.at);
                let rows = block.rows.into_iter().filter(within);
                rows.for_each(|kept| take(block.replay, kept.attempt));
            }
        }
        Ok(reaches_back_to)
    }

    /// Looks for attempts of a connection, newest first. How much is read is bounded.
    pub(crate) fn search(
        &self,
        connection: ConnectionId,
        query: &AttemptQuery,
    ) -> Result<AttemptPage, AttemptsError> {
        let parts = self.find(connection).map(|of| lock(&of).parts()).unwrap_or_default();
        search::search(parts, query)
    }
}

#[cfg(test)]
mod tests;
