//! Values, each once: how often they were there, or when they last were.
//!
//! Invariant: which values stay at a cap is a function of the set of values that were added. They stay
//! in the order of a rank, up to the first for which there is no room: of counts by a hash, of what was
//! seen by when it last was. Where that first one is, is kept: what comes behind it does not stay either,
//! though there may be room for it.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_number};

use crate::datum::{Packed, put_length, read_length};
use crate::when::When;

/// Most values that are counted or listed one by one.
pub const MOST_VALUES: usize = 10_000;
/// What a value takes beside its own bytes.
const BESIDE: usize = 16;

/// How often each value was there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counts<'a> {
    /// By value.
    list: Vec<(Packed<'a>, u64)>,
    /// What they take.
    bytes: usize,
    /// Values of this rank and above are not kept.
    cut: Option<u64>,
}

/// When each value was last there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Seen<'a> {
    /// By value.
    list: Vec<(Packed<'a>, When)>,
    /// What they take.
    bytes: usize,
    /// The last of those that are no longer kept.
    cut: Option<Place>,
}

/// Where a value is among those that were seen: by when, those of one event by rank.
type Place = (When, u64);

fn size(value: Packed<'_>) -> usize {
    value.bytes().len() + BESIDE
}

impl<'a> Counts<'a> {
    /// Counts a value so many times more.
    pub(crate) fn add(&mut self, value: Packed<'a>, times: u64, most_bytes: usize) {
        match self.list.binary_search_by(|(known, _)| known.cmp(&value)) {
            Ok(at) => {
                if let Some((_, known)) = self.list.get_mut(at) {
                    *known += times;
                }
            }
            Err(_) if self.cut.is_some_and(|cut| value.rank() >= cut) => {}
            Err(at) => {
                self.list.insert(at, (value, times));
                self.bytes += size(value);
                self.fit(most_bytes);
            }
        }
    }

    pub(crate) fn combine(&mut self, other: Self, most_bytes: usize) {
        if let Some(cut) = other.cut {
            self.leave(cut);
        }
        for (value, times) in other.list {
            self.add(value, times, most_bytes);
        }
    }

    fn fit(&mut self, most_bytes: usize) {
        while self.list.len() > MOST_VALUES || self.bytes > most_bytes {
            match self.list.iter().map(|(value, _)| value.rank()).max() {
                Some(highest) => self.leave(highest),
                None => return,
            }
        }
    }

    /// Lets go of all from that rank on.
    fn leave(&mut self, rank: u64) {
        let cut = self.cut.map_or(rank, |cut| cut.min(rank));
        self.cut = Some(cut);
        self.list.retain(|(value, _)| value.rank() < cut);
        self.bytes = self.list.iter().map(|(value, _)| size(*value)).sum();
    }

    /// Whether there were more values than are kept.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// What it takes; once it has lost something, all that it may take.
    pub(crate) fn weight(&self, most_bytes: usize) -> usize {
        if self.is_cut() { most_bytes } else { self.bytes }
    }

    /// The text that was there most often, if it was so many times; of several, the first one.
    pub(crate) fn mode(&self, at_least: u64) -> Option<String> {
        // Values of several kinds may have one text.
        let mut values: Vec<_> =
            self.list.iter().map(|(value, times)| (value.value(), *times)).collect();
        let mut texts: Vec<_> =
            values.iter_mut().filter_map(|(value, times)| Some((value.text()?, *times))).collect();
        texts.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        texts.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            kept.1 += if is_same { next.1 } else { 0 };
            is_same
        });
        // The last of the greatest, seen from the end, is the first.
        let most = texts.into_iter().rev().max_by_key(|(_, times)| *times);
        most.filter(|(_, times)| *times >= at_least).map(|(text, _)| text.into_owned())
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        out.put(&[u8::from(self.cut.is_some())]);
        self.cut.into_iter().for_each(|cut| out.put(&cut.to_be_bytes()));
        put_length(out, self.list.len());
        for (value, times) in &self.list {
            out.put(value.bytes());
            put_number(out, *times);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let cut = match reader.byte()? {
            0 => None,
            _ => Some(u64::from_be_bytes(reader.array()?)),
        };
        let length = read_length(reader)?;
        // One more may be added.
        let mut all = Self { list: Vec::with_capacity(length + 1), bytes: 0, cut };
        for _ in 0..length {
            let value = Packed::read(reader)?;
            all.list.push((value, reader.number()?));
            all.bytes += size(value);
        }
        Some(all)
    }
}

impl<'a> Seen<'a> {
    /// A value was there.
    pub(crate) fn add(&mut self, value: Packed<'a>, when: When, most_bytes: usize) {
        match self.list.binary_search_by(|(known, _)| known.cmp(&value)) {
            Ok(at) => {
                if let Some((_, last)) = self.list.get_mut(at) {
                    *last = when.max(*last);
                }
            }
            Err(_) if self.cut.is_some_and(|cut| (when, value.rank()) <= cut) => {}
            Err(at) => {
                self.list.insert(at, (value, when));
                self.bytes += size(value);
                self.fit(most_bytes);
            }
        }
    }

    pub(crate) fn combine(&mut self, other: Self, most_bytes: usize) {
        // First what is known here may be later there.
        let (mut known, mut more) = (self.list.iter_mut().peekable(), Vec::new());
        for (value, when) in other.list {
            while known.next_if(|(before, _)| *before < value).is_some() {}
            match known.next_if(|(same, _)| *same == value) {
                Some((_, last)) => *last = when.max(*last),
                None => more.push((value, when)),
            }
        }
        if let Some(cut) = other.cut {
            self.leave(cut);
        }
        for (value, when) in more {
            self.add(value, when, most_bytes);
        }
    }

    fn fit(&mut self, most_bytes: usize) {
        while self.list.len() > MOST_VALUES || self.bytes > most_bytes {
            match self.list.iter().map(|(value, when)| (*when, value.rank())).min() {
                Some(oldest) => self.leave(oldest),
                None => return,
            }
        }
    }

    /// Lets go of all up to that one.
    fn leave(&mut self, place: Place) {
        let cut = self.cut.map_or(place, |cut| cut.max(place));
        self.cut = Some(cut);
        self.list.retain(|(value, when)| (*when, value.rank()) > cut);
        self.bytes = self.list.iter().map(|(value, _)| size(*value)).sum();
    }

    /// Forgets values that were last there at that time or before.
    pub(crate) fn forget(&mut self, until: Time) {
        self.list.retain(|(_, when)| when.time > until);
        self.bytes = self.list.iter().map(|(value, _)| size(*value)).sum();
        self.cut = self.cut.filter(|(when, _)| when.time > until);
    }

    /// When the last of those values was there that are no longer kept.
    pub(crate) fn cut(&self) -> Option<Time> {
        self.cut.map(|(when, _)| when.time)
    }

    /// What it takes; once it has lost something, all that it may take.
    pub(crate) fn weight(&self, most_bytes: usize) -> usize {
        if self.cut.is_some() { most_bytes } else { self.bytes }
    }

    /// The values that were there at that time or after, with the time.
    pub(crate) fn since(&self, start: Time) -> impl Iterator<Item = (Packed<'a>, Time)> {
        let seen = self.list.iter().map(|(value, when)| (*value, when.time));
        seen.filter(move |(_, time)| *time >= start)
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        out.put(&[u8::from(self.cut.is_some())]);
        if let Some((when, rank)) = self.cut {
            when.put(out);
            out.put(&rank.to_be_bytes());
        }
        put_length(out, self.list.len());
        for (value, when) in &self.list {
            out.put(value.bytes());
            when.put(out);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let cut = match reader.byte()? {
            0 => None,
            _ => Some((When::read(reader)?, u64::from_be_bytes(reader.array()?))),
        };
        let length = read_length(reader)?;
        let mut all = Self { list: Vec::with_capacity(length + 1), bytes: 0, cut };
        for _ in 0..length {
            let value = Packed::read(reader)?;
            all.list.push((value, When::read(reader)?));
            all.bytes += size(value);
        }
        Some(all)
    }
}

/// What [`Counts::add`] makes of what was written, for a value that was there before: nothing but it is read whole.
/// Says whether it is such a case.
pub(crate) fn count_again(written: &[u8], value: Packed<'_>, out: &mut impl Sink) -> bool {
    let found = || {
        let mut reader = Reader(written);
        if reader.byte()? != 0 {
            reader.array::<8>()?;
        }
        for _ in 0..read_length(&mut reader)? {
            let known = Packed::read(&mut reader)?;
            let before = written.len() - reader.left();
            let times = reader.number()?;
            if known == value {
                return Some((written.get(..before)?, times, reader.0));
            }
        }
        None
    };
    let Some((before, times, behind)) = found() else { return false };
    out.put(before);
    put_number(out, times + 1);
    out.put(behind);
    true
}

/// The same of [`Seen::add`], where nothing is forgotten.
pub(crate) fn see_again(
    written: &[u8],
    value: Packed<'_>,
    when: When,
    out: &mut impl Sink,
) -> bool {
    let found = || {
        let mut reader = Reader(written);
        if reader.byte()? != 0 {
            When::read(&mut reader)?;
            reader.array::<8>()?;
        }
        for _ in 0..read_length(&mut reader)? {
            let known = Packed::read(&mut reader)?;
            let before = written.len() - reader.left();
            let last = When::read(&mut reader)?;
            if known == value {
                return Some((written.get(..before)?, last, reader.0));
            }
        }
        None
    };
    let Some((before, last, behind)) = found() else { return false };
    out.put(before);
    when.max(last).put(out);
    out.put(behind);
    true
}

#[cfg(test)]
mod tests;
