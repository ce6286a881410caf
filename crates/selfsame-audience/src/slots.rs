//! What happened when, for windows over which something is added up.
//!
//! Every event has a slot of its own, as long as there is room. Beyond, events share slots that are a
//! minute long, then an hour, then a day, the oldest ones first; and where even days are too many, the
//! oldest days leave.
//!
//! A *grain* says how coarse that is: before a time, slots are those of a level, from it on those of the
//! level below. Grains are in an order, level first, in which each one only joins slots of the one before
//! it. The grain of a set of events is the first one under which there is room for its slots. More events
//! never need fewer slots, so the grain only grows, and this holds:
//!
//! - what is kept is a function of the set of events, whatever their order;
//! - two sections combine to what one section of all their events keeps.
//!
//! An event that no window reaches any more is none of the set. When all slots of a level are such, new
//! events are as fine again as the level below.
//!
//! ```text
//! level | where it is not 0: up to when | cut | where totals hold texts: what all slots weigh
//! a chain, for each slot by its first event: its last event, how long after the first | its total
//!                where totals hold texts: most bytes that one of its events gave
//! ```
//!
//! An event that gets a slot behind all others is added to the bytes ([`add_newest`]), and a window is added up from
//! them ([`Written`]).

mod written;

pub(crate) use self::written::Written;
use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink};
use smallvec::SmallVec;

use crate::chain::Chain;
use crate::datum::{Packed, put_length, read_length};
use crate::moment::{put_after, put_moment, read_after, read_moment};
use crate::total::{Kind, Total};
use crate::when::When;

/// Most slots that are kept of a stream.
pub const MOST_SLOTS: usize = 4_096;
/// Most bytes that slots take whose totals hold nothing but numbers, which are all of one size here.
pub(crate) const SMALL_BYTES: usize = MOST_SLOTS * BESIDE;
/// Most bytes that slots take whose totals hold texts.
pub(crate) const LARGE_BYTES: usize = 48 * 1024;
/// Most of them for the values of one slot.
pub(crate) const ONE_SLOT_BYTES: usize = LARGE_BYTES / 2;
/// What a slot takes beside texts.
const BESIDE: usize = 8;

const MINUTE: i64 = 60_000_000;
/// How long the slots of a level are, in microseconds.
const LENGTHS: [i64; 4] = [1, MINUTE, 60 * MINUTE, 24 * 60 * MINUTE];
/// The level at which days leave.
const LEAVING: u8 = 4;

/// Events that are added up together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot<'a> {
    /// The time of the first.
    pub(crate) first: Time,
    /// The time of the last.
    pub(crate) last: Time,
    pub(crate) total: Total<'a>,
    /// Most bytes that one of them gave.
    widest: usize,
}

/// How coarse slots are: before `until` those of the level, from there on those of the level below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Grain {
    level: u8,
    until: Time,
}

/// Slots, by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slots<'a> {
    list: Vec<Slot<'a>>,
    grain: Grain,
    /// When the newest of those events happened that have left.
    pub(crate) cut: Option<Time>,
}

impl Grain {
    const FINEST: Self = Self { level: 0, until: Time::EPOCH };

    fn level(self, time: Time) -> u8 {
        if time < self.until { self.level } else { self.level.saturating_sub(1) }
    }

    /// In which slot a time is: when the slot begins. It is in one of the same level as every other time
    /// that has the same answer, because the border of levels is one of slots.
    fn slot(self, time: Time) -> i64 {
        let length = LENGTHS.get(usize::from(self.level(time))).copied().unwrap_or(i64::MAX);
        time.micros() - time.micros() % length
    }

    /// When the slot of that level ends that a time is in.
    fn end(level: u8, time: Time) -> Time {
        let length = LENGTHS.get(usize::from(level)).or(LENGTHS.last()).copied().unwrap_or(1);
        time.plus_micros(length - time.micros() % length)
    }
}

impl<'a> Slot<'a> {
    /// The slot of one event.
    fn of(kind: Kind, when: When, values: impl IntoIterator<Item = Packed<'a>>) -> Self {
        let mut widest = 0;
        let mut total = Total::new(kind);
        let values = values.into_iter().inspect(|value| widest = value.bytes().len().max(widest));
        total.fold(kind, when, values);
        let widest = if kind.is_small() { 0 } else { widest };
        Self { first: when.time, last: when.time, total, widest }
    }

    /// It without when it begins.
    fn put(&self, kind: Kind, out: &mut impl Sink) {
        put_after(out, self.last, self.first);
        self.total.put(out);
        if !kind.is_small() {
            put_length(out, self.widest);
        }
    }

    fn read(kind: Kind, first: Time, reader: &mut Reader<'a>) -> Option<Self> {
        let last = read_after(reader, first)?;
        let total = Total::read(kind, reader)?;
        let widest = if kind.is_small() { 0 } else { usize::try_from(reader.number()?).ok()? };
        Some(Self { first, last, total, widest })
    }

    fn weight(&self, kind: Kind) -> usize {
        BESIDE
            + match (&self.total, kind) {
                (Total::Counts(counts), Kind::Counts(most)) => counts.weight(most),
                (Total::Seen(seen), Kind::Seen(most)) => seen.weight(most),
                _ => self.widest,
            }
    }

    fn join(&mut self, kind: Kind, other: Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.widest = self.widest.max(other.widest);
        self.total.combine(kind, other.total);
    }
}

impl<'a> Slots<'a> {
    pub(crate) fn new() -> Self {
        Self { list: Vec::new(), grain: Grain::FINEST, cut: None }
    }

    /// Adds one event.
    pub(crate) fn fold(
        &mut self,
        kind: Kind,
        when: When,
        values: impl IntoIterator<Item = Packed<'a>>,
    ) {
        let time = when.time;
        if self.grain.level(time) == LEAVING {
            self.cut = self.cut.max(Some(time));
            return;
        }
        let slot = Slot::of(kind, when, values);
        let key = self.grain.slot(time);
        // Most events are newer than all others.
        let at = match self.list.last().is_none_or(|last| self.grain.slot(last.first) < key) {
            true => Err(self.list.len()),
            false => self.list.binary_search_by_key(&key, |known| self.grain.slot(known.first)),
        };
        match at.map(|at| self.list.get_mut(at)) {
            Ok(Some(known)) => known.join(kind, slot),
            Ok(None) => {}
            Err(at) => self.list.insert(at, slot),
        }
        self.fit(kind);
    }

    /// Adds the slots of another list.
    pub(crate) fn combine(&mut self, kind: Kind, other: Self) {
        self.cut = self.cut.max(other.cut);
        self.grain = self.grain.max(other.grain);
        self.list.extend(other.list);
        self.list.sort_by_key(|slot| slot.first);
        let (grain, all) = (self.grain, std::mem::take(&mut self.list));
        for slot in all {
            if grain.level(slot.first) == LEAVING {
                self.cut = self.cut.max(Some(slot.last));
                continue;
            }
            match self.list.last_mut() {
                Some(last) if grain.slot(last.first) == grain.slot(slot.first) => {
                    last.join(kind, slot);
                }
                _ => self.list.push(slot),
            }
        }
        self.fit(kind);
    }

    /// Forgets what happened at that time or before: no window reaches it any more.
    pub(crate) fn forget(&mut self, until: Time) {
        let gone = self.list.iter().take_while(|slot| slot.last <= until).count();
        self.list.drain(..gone);
        self.cut = self.cut.filter(|cut| *cut > until);
        while self.grain.level > 0
            && (self.grain.until <= until || self.list.is_empty() && self.cut.is_none())
        {
            let level = self.grain.level - 1;
            let newest = self.list.last().map(|slot| Grain::end(level, slot.last));
            self.grain = match newest.filter(|_| level > 0) {
                Some(until) => Grain { level, until },
                None => Grain::FINEST,
            };
        }
    }

    /// Makes slots coarser until there is room for them.
    fn fit(&mut self, kind: Kind) {
        let most = if kind.is_small() { SMALL_BYTES } else { LARGE_BYTES };
        if self.list.len() * BESIDE <= most && kind.is_small() {
            return;
        }
        let mut weight: usize = self.list.iter().map(|slot| slot.weight(kind)).sum();
        while weight > most || self.list.len() > MOST_SLOTS {
            let level = self.grain.level.max(1);
            weight = match level {
                LEAVING.. => return self.leave(kind, weight, most),
                _ => self.coarsen(kind, level, weight, most),
            };
            if weight > most || self.list.len() > MOST_SLOTS {
                self.grain = Grain { level: level + 1, until: Time::EPOCH };
            }
        }
    }

    /// Joins the oldest slots to ones of a level, as few as have to be. Returns what all then take.
    fn coarsen(&mut self, kind: Kind, level: u8, mut weight: usize, most: usize) -> usize {
        let mut number = self.list.len();
        let mut joined: Vec<Slot<'a>> = Vec::with_capacity(number);
        let mut rest = std::mem::take(&mut self.list).into_iter().peekable();
        while weight > most || number > MOST_SLOTS {
            let Some(mut slot) = rest.next() else { break };
            let end = Grain::end(level, slot.first);
            weight -= slot.weight(kind);
            while let Some(next) = rest.next_if(|next| next.first < end) {
                weight -= next.weight(kind);
                number -= 1;
                slot.join(kind, next);
            }
            weight += slot.weight(kind);
            self.grain = self.grain.max(Grain { level, until: end });
            joined.push(slot);
        }
        joined.extend(rest);
        self.list = joined;
        weight
    }

    /// Lets the oldest days leave.
    fn leave(&mut self, kind: Kind, mut weight: usize, most: usize) {
        let mut gone = 0;
        for slot in &self.list {
            if weight <= most && self.list.len() - gone <= MOST_SLOTS {
                break;
            }
            weight -= slot.weight(kind);
            gone += 1;
            self.cut = self.cut.max(Some(slot.last));
            let until = Grain::end(LEAVING, slot.first);
            self.grain = self.grain.max(Grain { level: LEAVING, until });
        }
        self.list.drain(..gone);
    }

    /// The slots, by time.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Slot<'a>> {
        self.list.iter()
    }

    /// Writes it as part of a row.
    pub(crate) fn put(&self, kind: Kind, out: &mut impl Sink) {
        let weight = || self.list.iter().map(|slot| slot.weight(kind)).sum();
        let weight = (!kind.is_small()).then(weight);
        Front { grain: self.grain, cut: self.cut, weight }.put(out);
        Chain::put_all(out, &self.list, |slot| slot.first, |slot, out| slot.put(kind, out));
    }

    pub(crate) fn read(kind: Kind, reader: &mut Reader<'a>) -> Option<Self> {
        let Front { grain, cut, .. } = Front::read(kind, reader)?;
        let chain = Chain::read(reader)?;
        let mut list = Vec::with_capacity(chain.number + 1);
        let mut walk = chain.walk();
        for _ in 0..chain.number {
            list.push(walk.next(|first, reader| Slot::read(kind, first, reader))?);
        }
        list.reverse();
        Some(Self { list, grain, cut })
    }

    /// Writes it in the form that records have: the oldest first, without an end.
    pub(crate) fn put_plain(&self, kind: Kind, out: &mut impl Sink) {
        Front { grain: self.grain, cut: self.cut, weight: None }.put(out);
        put_length(out, self.list.len());
        let mut before = Time::EPOCH;
        for slot in &self.list {
            put_after(out, slot.first, before);
            slot.put(kind, out);
            before = slot.first;
        }
    }

    pub(crate) fn read_plain(kind: Kind, reader: &mut Reader<'a>) -> Option<Self> {
        let Front { grain, cut, .. } = Front::read(Kind::Count, reader)?;
        let length = read_length(reader)?;
        let mut all = Self { list: Vec::with_capacity(length), grain, cut };
        let mut before = Time::EPOCH;
        for _ in 0..length {
            before = read_after(reader, before)?;
            all.list.push(Slot::read(kind, before, reader)?);
        }
        Some(all)
    }
}

/// What stands before the slots.
#[derive(Debug, Clone, Copy)]
struct Front {
    grain: Grain,
    cut: Option<Time>,
    /// What all slots weigh, where totals hold texts.
    weight: Option<usize>,
}

impl Front {
    fn put(self, out: &mut impl Sink) {
        out.put(&[self.grain.level]);
        if self.grain.level > 0 {
            put_after(out, self.grain.until, Time::EPOCH);
        }
        put_moment(out, self.cut);
        self.weight.into_iter().for_each(|weight| put_length(out, weight));
    }

    fn read(kind: Kind, reader: &mut Reader<'_>) -> Option<Self> {
        let level = reader.byte()?;
        let until = if level > 0 { read_after(reader, Time::EPOCH)? } else { Time::EPOCH };
        let grain = Grain { level: level.min(LEAVING), until };
        let cut = read_moment(reader)?;
        let weight =
            if kind.is_small() { None } else { Some(usize::try_from(reader.number()?).ok()?) };
        Some(Self { grain, cut, weight })
    }
}

/// What [`Slots::forget`] and then [`Slots::fold`] make of what was written, for an event that gets a slot behind all
/// others while there is room: nothing else is read but what leaves. Says whether it is such a case.
pub(crate) fn add_newest<'a>(
    written: &'a [u8],
    kind: Kind,
    when: When,
    values: impl IntoIterator<Item = Packed<'a>>,
    until: Time,
    out: &mut Vec<u8>,
) -> bool {
    let mut reader = Reader(written);
    let Some(mut front) = Front::read(kind, &mut reader) else { return false };
    let Some(chain) = Chain::read(&mut reader) else { return false };
    let (grain, time) = (front.grain, when.time);
    // Coarse slots that are forgotten may make what comes fine again.
    let is_fine = grain.level == 0 || grain.until > until && grain.level(time) != LEAVING;
    let is_newer = chain.number > 0 && time > chain.newest;
    if !is_fine || !is_newer || grain.slot(chain.newest) >= grain.slot(time) {
        return false;
    }
    front.cut = front.cut.filter(|cut| *cut > until);
    let mut blocks = Vec::new();
    let mut rest = chain;
    if chain.oldest <= until {
        let read = |first, reader: &mut Reader<'a>| {
            let slot = Slot::read(kind, first, reader)?;
            Some((slot.last, slot.weight(kind)))
        };
        let weight = &mut front.weight;
        let goes = |_, (last, own): (Time, usize)| {
            if let Some(weight) = weight.as_mut().filter(|_| last <= until) {
                *weight = weight.saturating_sub(own);
            }
            last <= until
        };
        let Some(left) = chain.without(&mut blocks, read, goes) else { return false };
        rest = left;
    }
    let slot = Slot::of(kind, when, values);
    if let Some(weight) = &mut front.weight {
        *weight += slot.weight(kind);
        if *weight > LARGE_BYTES {
            return false;
        }
    }
    if rest.number == 0 || rest.number >= MOST_SLOTS {
        return false;
    }
    front.put(out);
    let mut entry: SmallVec<[u8; 64]> = SmallVec::new();
    slot.put(kind, &mut entry);
    rest.put_with(out, time, &entry);
    true
}

#[cfg(test)]
mod tests;
