//! What is durably known of a connection: the fold of its ledger records.
//!
//! Invariant, after every step: the effects that the cursor has passed are exactly those delivered,
//! filtered, dead or aside ([`Image::is_balanced`]).

use std::collections::BTreeMap;

use selfsame_event::{ItemPosition, Time};

use crate::connection::ConnectionId;
use crate::feed::FeedEnd;
use crate::lag::Measured;
use crate::range::DeadRange;
use crate::record::{Aside, Counts, DeadLetter, Entry, Record, SnapshotPart, Step};
use crate::replay::Replay;
use crate::share::Share;
use crate::status::Pause;
use crate::told::Told;

/// Entries of a snapshot part: about 100 bytes each, so that a part stays far below the record
/// limit of the ledger.
const PART_ENTRIES: usize = 2_000;
/// Things told in a snapshot part: about 30 bytes each.
const PART_TOLD: usize = 50_000;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Image {
    /// Effects of the feed before the connection began.
    pub(crate) started: u64,
    pub(crate) cursor: ItemPosition,
    pub(crate) counts: Counts,
    pub(crate) paused: Option<Pause>,
    pub(crate) aside: BTreeMap<ItemPosition, Aside>,
    pub(crate) dead: BTreeMap<ItemPosition, DeadLetter>,
    /// For how many the dead letters count.
    pub(crate) dead_units: u64,
    /// By their beginnings.
    pub(crate) ranges: BTreeMap<ItemPosition, DeadRange>,
    /// What was told. Attempts note it themselves, so that it is ahead of the steps while they are made.
    pub(crate) told: Told,
}

impl Image {
    pub(crate) fn begin(start: FeedEnd) -> Self {
        Self { started: start.effects, cursor: start.at, ..Self::default() }
    }

    pub(crate) fn apply(&mut self, step: &Step) {
        self.cursor = step.cursor;
        self.counts = step.counts;
        self.paused = step.paused;
        for at in &step.resent {
            let resent = self.dead.remove(at);
            self.dead_units -= resent.map_or(0, |letter| letter.share.units());
        }
        for dead in &step.dead {
            self.aside.remove(&dead.effect.at);
            self.bury(*dead);
        }
        // Behind the dead: of one effect an action may have died while another one waits.
        for aside in &step.aside {
            self.aside.insert(aside.effect.at, *aside);
        }
        for at in &step.ended {
            self.aside.remove(at);
        }
        for range in &step.ranges {
            self.ranges.insert(range.from, range.clone());
        }
        for from in &step.dropped {
            self.ranges.remove(from);
        }
    }

    /// Adds a dead letter. Of an effect of which other actions had died before, there is one.
    fn bury(&mut self, letter: DeadLetter) {
        let before = self.dead.get(&letter.effect.at).map(|before| before.share);
        let share = before.map_or(letter.share, |before| before.and(letter.share));
        self.dead_units += share.units();
        self.dead_units -= before.map_or(0, Share::units);
        self.dead.insert(letter.effect.at, DeadLetter { share, ..letter });
    }

    /// Whether every unit of the effects that the cursor passed is accounted for exactly once.
    pub(crate) fn is_balanced(&self) -> bool {
        let Counts { looked, delivered, filtered, extra, .. } = self.counts;
        let in_ranges: u64 = self.ranges.values().map(|range| range.events).sum();
        let aside: u64 = self.aside.values().map(|aside| aside.share.units()).sum();
        looked + extra == delivered + filtered + in_ranges + aside + self.dead_units
    }

    /// The earliest place that the log has to keep. What waits and what died counts as long as it is
    /// within the limits; a cursor that is not moves on by itself. `oldest` is how long ago a letter
    /// may have died.
    pub(crate) fn needed_from(&self, measured: &Measured, oldest: Option<Time>) -> ItemPosition {
        let within = measured.young.max(measured.near);
        let aside = self.aside.range(within..).next().map(|(at, _)| *at);
        let dead = self.dead_needs(measured, oldest);
        let resending = self.ranges.values().filter(|range| range.is_resending);
        let resending = resending.map(|range| range.at).min();
        [aside, dead, resending].into_iter().flatten().fold(self.cursor, ItemPosition::min)
    }

    /// The earliest place that its dead letters need, as far as they are within the limits.
    pub(crate) fn dead_needs(
        &self,
        measured: &Measured,
        oldest: Option<Time>,
    ) -> Option<ItemPosition> {
        let is_fresh = |letter: &DeadLetter| oldest.is_none_or(|oldest| letter.died >= oldest);
        let mut dead = self.dead.range(measured.near..).filter(|(_, letter)| is_fresh(letter));
        dead.next().map(|(at, _)| *at)
    }

    /// All of it, in parts that are each a record.
    pub(crate) fn snapshot(&self) -> Vec<SnapshotPart> {
        let mut asides = self.aside.values().copied().peekable();
        let mut deads = self.dead.values().copied().peekable();
        let told = self.told.all();
        let mut told = told.chunks(PART_TOLD).peekable();
        let mut parts = Vec::new();
        loop {
            let aside: Vec<_> = asides.by_ref().take(PART_ENTRIES).collect();
            let dead: Vec<_> = deads.by_ref().take(PART_ENTRIES - aside.len()).collect();
            let told_here = told.next().unwrap_or_default().to_vec();
            let last = asides.peek().is_none() && deads.peek().is_none() && told.peek().is_none();
            let part = u32::try_from(parts.len()).unwrap_or(u32::MAX);
            let Self { started, cursor, counts, paused, .. } = *self;
            let ranges =
                if part == 0 { self.ranges.values().cloned().collect() } else { Vec::new() };
            parts.push(SnapshotPart {
                part,
                last,
                started,
                cursor,
                counts,
                paused,
                aside,
                dead,
                ranges,
                told: told_here,
            });
            if last {
                return parts;
            }
        }
    }

    fn join(parts: Vec<SnapshotPart>) -> Self {
        let mut image = Self::default();
        for part in parts {
            let SnapshotPart { started, cursor, counts, paused, .. } = part;
            image = Self { started, cursor, counts, paused, ..image };
            image.ranges.extend(part.ranges.into_iter().map(|range| (range.from, range)));
            image.aside.extend(part.aside.into_iter().map(|aside| (aside.effect.at, aside)));
            part.dead.into_iter().for_each(|dead| image.bury(dead));
            part.told.into_iter().for_each(|tell| image.told.note(tell));
        }
        image
    }
}

/// One connection as the ledger has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) image: Image,
    /// The first record that is needed to know this again.
    pub(crate) from: u64,
    /// Whether it began just now: nothing was sent that was not written down.
    pub(crate) is_new: bool,
    /// What it is, if it is a replay.
    pub(crate) replay: Option<Replay>,
    /// The newest record that says so.
    replay_from: u64,
    parts: Vec<SnapshotPart>,
    parts_from: u64,
}

impl Known {
    pub(crate) fn begin(start: FeedEnd, from: u64) -> Self {
        Self { image: Image::begin(start), from, ..Self::default() }
    }

    /// A replay that was asked for.
    pub(crate) fn of_replay(replay: Replay, from: u64) -> Self {
        let start = FeedEnd { at: replay.wish.from, effects: 0 };
        Self { replay: Some(replay), replay_from: from, ..Self::begin(start, from) }
    }
}

/// All connections as the ledger has them.
#[derive(Debug, Default)]
pub(crate) struct Images(pub(crate) BTreeMap<ConnectionId, Known>);

impl Images {
    /// Takes out the replays of a connection, with their ids.
    pub(crate) fn take_replays(&mut self, of: ConnectionId) -> Vec<(ConnectionId, Known)> {
        let is_of = |known: &Known| known.replay.as_ref().is_some_and(|one| one.connection == of);
        self.0.extract_if(.., |_, known| is_of(known)).collect()
    }

    /// Takes the next record of the ledger.
    ///
    /// A step of a connection whose beginning was released belongs to what a snapshot behind it
    /// says, and is passed over; so is a snapshot whose last part never came.
    pub(crate) fn take(&mut self, offset: u64, record: Record) {
        match record.entry {
            Entry::Started(start) => {
                self.0.insert(record.connection, Known::begin(start, offset));
            }
            Entry::Removed => {
                self.0.remove(&record.connection);
            }
            Entry::Step(step) => {
                if let Some(known) = self.0.get_mut(&record.connection) {
                    known.parts.clear();
                    known.image.apply(&step);
                    step.told.iter().for_each(|tell| known.image.told.note(*tell));
                }
            }
            Entry::Snapshot(part) => self.take_part(offset, record.connection, part),
            Entry::Replay(replay) => match self.0.get_mut(&record.connection) {
                Some(known) => (known.replay, known.replay_from) = (Some(replay), offset),
                None => {
                    self.0.insert(record.connection, Known::of_replay(replay, offset));
                }
            },
        }
    }

    fn take_part(&mut self, offset: u64, connection: ConnectionId, part: SnapshotPart) {
        if part.part > 0 && !self.0.contains_key(&connection) {
            return;
        }
        let known = self.0.entry(connection).or_default();
        if part.part == 0 {
            known.parts.clear();
            known.parts_from = offset;
        }
        if part.part as usize != known.parts.len() {
            return;
        }
        let last = part.last;
        known.parts.push(part);
        if last {
            known.image = Image::join(std::mem::take(&mut known.parts));
            // What a replay is stands right before what is known of it.
            known.from = match known.replay {
                Some(_) => known.replay_from,
                None => known.parts_from,
            };
        }
    }
}

#[cfg(test)]
mod tests;
