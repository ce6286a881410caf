//! What is known of the definitions of a space: which version is in force, and what is kept for it.

use std::collections::{BTreeMap, BTreeSet};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::workspace::Definition;

/// What is known of the definitions of a space.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Computing {
    /// The number of the next stream.
    pub next_stream: u32,
    /// The streams that sections keep, by number.
    pub streams: BTreeMap<u32, StreamSince>,
    /// The definitions, by number.
    pub definitions: BTreeMap<u32, Progress>,
    /// How far the history of streams has been handed over.
    pub handed: Option<Handed>,
    /// Rules were published, and not every profile has been evaluated since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reassessing: bool,
}

/// Definitions that are kept from the first record on, because rules are published that hold from there on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The offset of a record: before it, these are in place of what is configured.
    pub until: u64,
    /// They, as they are configured at that record.
    pub definitions: Vec<Definition>,
}

/// From where a stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSince {
    /// The offset of the record that asked for it: what is behind it is kept as it comes.
    pub since: u64,
    /// Whether what is before that record is kept too.
    pub is_whole: bool,
}

/// Streams whose history is being handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// Their numbers.
    pub streams: BTreeSet<u32>,
    /// The last anchor that was handed over, in hex: they come in order.
    pub last: String,
}

/// The versions of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// The one in force.
    pub live: Option<Version>,
    /// The one that is being computed.
    pub next: Option<Version>,
    /// Whether the values of the one in force are kept.
    #[serde(default)]
    pub is_stored: bool,
    /// The destinations that are told of its changes, each with the offset of the record that made it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connected: BTreeMap<String, u64>,
    /// How far a destination that was connected since is told how things are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcing: Option<Announcing>,
}

/// How far it is said again what a definition comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Announcing {
    /// The last profile that it was said of: they come in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A version of a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// What it says.
    pub query: String,
    /// The numbers of its streams, in the order in which it names them.
    pub streams: Vec<u32>,
    /// The offset of the record that asked for it.
    pub since: u64,
    /// Whether every profile has been evaluated since it is in force.
    #[serde(default)]
    pub is_announced: bool,
}

/// Who is in an audience, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Members {
    /// How many are in it.
    pub count: u64,
    /// The newest day on which somebody entered or left, and its numbers.
    today: u32,
    now: [u64; 3],
    /// The days before it. Shared: every batch shows readers a copy of these facts.
    past: Arc<BTreeMap<u32, [u64; 3]>>,
}

impl Computing {
    /// The streams of which the history is missing.
    pub fn partial_streams(&self) -> BTreeMap<u32, u64> {
        let partial = self.streams.iter().filter(|(_, stream)| !stream.is_whole);
        partial.map(|(number, stream)| (*number, stream.since)).collect()
    }

    /// Notes of which definitions values are kept. Of one that had none, every profile is to be evaluated;
    /// one that nobody waits for waits for nothing.
    pub(super) fn note_stored(
        &mut self,
        is_awaited: impl Fn(u32) -> bool,
        is_stored: impl Fn(u32) -> bool,
    ) {
        for (number, progress) in &mut self.definitions {
            let Some(live) = &mut progress.live else { continue };
            let is_stored = is_stored(*number);
            if !is_awaited(*number) {
                live.is_announced = true;
            } else if is_stored && !progress.is_stored {
                live.is_announced = false;
            }
            progress.is_stored = is_stored;
        }
    }

    /// Whether some profile was not evaluated since a version is in force.
    pub(super) fn is_anybody_waiting(&self) -> bool {
        let mut live = self.definitions.values().filter_map(|progress| progress.live.as_ref());
        live.any(|live| !live.is_announced)
    }

    /// Forgets streams that no version reads.
    pub(super) fn drop_unread(&mut self) {
        let versions = self.definitions.values().flat_map(Progress::versions);
        let read: BTreeSet<u32> =
            versions.flat_map(|version| version.streams.iter().copied()).collect();
        self.streams.retain(|number, _| read.contains(number));
        if let Some(handed) = &self.handed
            && !handed.streams.iter().any(|stream| self.streams.contains_key(stream))
        {
            self.handed = None;
        }
    }
}

impl Progress {
    /// The versions that there are.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.live.iter().chain(&self.next)
    }

    /// What was asked for last.
    pub fn newest(&self) -> Option<&Version> {
        self.next.as_ref().or(self.live.as_ref())
    }
}

impl Members {
    /// For how many days numbers are kept.
    const DAYS_KEPT: usize = 400;

    /// Of each of the newest days of log time on which somebody entered or left: how many entered, how many
    /// exited, and how many were in it after the last of them.
    pub fn days(&self) -> impl Iterator<Item = (u32, [u64; 3])> {
        let today = (self.now != [0; 3]).then_some((self.today, self.now));
        self.past.iter().map(|(day, numbers)| (*day, *numbers)).chain(today)
    }

    pub(super) fn note(&mut self, day: u32, enters: bool) {
        self.count = if enters { self.count + 1 } else { self.count.saturating_sub(1) };
        let count = self.count;
        if let Some(numbers) = self.of_day(day, true) {
            numbers[usize::from(!enters)] += 1;
            numbers[2] = count;
        }
    }

    /// One who was in it is no profile of its own any more.
    pub(super) fn merged(&mut self, day: u32) {
        self.count = self.count.saturating_sub(1);
        let count = self.count;
        if let Some(numbers) = self.of_day(day, false) {
            numbers[2] = count;
        }
    }

    /// The numbers of a day; of one that has none yet, if they are to be made.
    fn of_day(&mut self, day: u32, makes: bool) -> Option<&mut [u64; 3]> {
        if day > self.today && makes {
            if self.now != [0; 3] {
                let past = Arc::make_mut(&mut self.past);
                past.insert(self.today, self.now);
                while past.len() >= Self::DAYS_KEPT {
                    past.pop_first();
                }
            }
            (self.today, self.now) = (day, [0; 3]);
        }
        if day >= self.today {
            return (day == self.today).then_some(&mut self.now);
        }
        let past = Arc::make_mut(&mut self.past);
        if makes { Some(past.entry(day).or_default()) } else { past.get_mut(&day) }
    }
}

#[cfg(test)]
mod tests;
