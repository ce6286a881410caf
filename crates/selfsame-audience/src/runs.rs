//! Sessions: runs of events in which no two neighbours are more than a gap apart.
//!
//! The newest few are kept, each with its total. Events that come late may join two of them; one that
//! would have joined a run that has left makes the value approximate, and is said to.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_time};

use crate::datum::{Packed, put_length, read_length};
use crate::moment::{put_after, put_moment, read_after, read_moment};
use crate::total::{Kind, Total};
use crate::when::When;

/// Most runs that are kept, the newest.
pub const MOST_RUNS: usize = 16;
/// Most bytes for the values of one run.
pub(crate) const ONE_RUN_BYTES: usize = 2 * 1024;

/// A run of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    /// Its first event.
    pub(crate) start: Time,
    /// Its last event.
    pub(crate) end: Time,
    /// What it comes to.
    pub(crate) total: Total<'a>,
}

impl Run<'_> {
    /// Takes in another one that begins in it or soon after.
    fn join(&mut self, kind: Kind, other: Self) {
        self.end = self.end.max(other.end);
        self.total.combine(kind, other.total);
    }
}

/// The newest runs, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Runs<'a> {
    list: Vec<Run<'a>>,
    cut: Option<Time>,
}

impl<'a> Runs<'a> {
    /// Adds one event.
    pub(crate) fn fold(
        &mut self,
        kind: Kind,
        gap: i64,
        when: When,
        values: impl IntoIterator<Item = Packed<'a>>,
    ) {
        let mut total = Total::new(kind);
        total.fold(kind, when, values);
        let run = Run { start: when.time, end: when.time, total };
        match self.list.last_mut() {
            // As most events do, it goes on with the last run.
            Some(last) if last.start <= run.start && run.start <= last.end.plus_micros(gap) => {
                last.join(kind, run);
            }
            _ => {
                self.list.push(run);
                self.join(kind, gap);
            }
        }
    }

    /// Adds the runs of another list.
    pub(crate) fn combine(&mut self, kind: Kind, gap: i64, other: Self) {
        self.cut = self.cut.max(other.cut);
        self.list.extend(other.list);
        self.join(kind, gap);
    }

    fn join(&mut self, kind: Kind, gap: i64) {
        self.list.sort_by_key(|run| run.start);
        let mut joined: Vec<Run<'a>> = Vec::with_capacity(self.list.len());
        for run in self.list.drain(..) {
            match joined.last_mut().filter(|last| run.start <= last.end.plus_micros(gap)) {
                Some(last) => last.join(kind, run),
                None => joined.push(run),
            }
        }
        let over = joined.len().saturating_sub(MOST_RUNS);
        self.cut = self.cut.max(joined.drain(..over).map(|run| run.end).max());
        self.list = joined;
    }

    /// The last run, and whether it may have begun before what is kept.
    pub(crate) fn last(&self, gap: i64) -> Option<(&Run<'a>, bool)> {
        let last = self.list.last()?;
        Some((last, self.cut.is_some_and(|cut| last.start <= cut.plus_micros(gap))))
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        put_moment(out, self.cut);
        put_length(out, self.list.len());
        for run in &self.list {
            put_time(out, run.start);
            put_after(out, run.end, run.start);
            run.total.put(out);
        }
    }

    pub(crate) fn read(kind: Kind, reader: &mut Reader<'a>) -> Option<Self> {
        let cut = read_moment(reader)?;
        let length = read_length(reader)?;
        let mut list = Vec::with_capacity(length + 1);
        for _ in 0..length {
            let start = reader.time()?;
            let end = read_after(reader, start)?;
            list.push(Run { start, end, total: Total::read(kind, reader)? });
        }
        Some(Self { list, cut })
    }
}

/// What [`Runs::fold`] makes of what was written, for an event that goes on with the last run, or begins one behind it
/// where there is room: the others are not read as more than bytes. Says whether it is such a case.
pub(crate) fn add_last<'a>(
    written: &'a [u8],
    (kind, gap): (Kind, i64),
    when: When,
    values: impl IntoIterator<Item = Packed<'a>>,
    out: &mut impl Sink,
) -> bool {
    let read = || {
        let mut reader = Reader(written);
        read_moment(&mut reader)?;
        let cut = written.len() - reader.left();
        let length = read_length(&mut reader)?;
        let (mut last, runs) = (None, reader.0);
        for _ in 0..length {
            let start = reader.time()?;
            let before = written.get(..written.len() - reader.left())?;
            let end = read_after(&mut reader, start)?;
            last = Some((start, end, before, Total::read(kind, &mut reader)?));
        }
        let cut = written.get(..cut)?;
        last.filter(|_| reader.left() == 0).map(|last| (cut, length, runs, last))
    };
    let Some((cut, length, runs, (start, end, before, mut total))) = read() else { return false };
    if when.time < start {
        return false;
    }
    if when.time <= end.plus_micros(gap) {
        out.put(before);
        put_after(out, end.max(when.time), start);
        total.fold(kind, when, values);
    } else if length < MOST_RUNS {
        out.put(cut);
        put_length(out, length + 1);
        out.put(runs);
        put_time(out, when.time);
        put_after(out, when.time, when.time);
        total = Total::new(kind);
        total.fold(kind, when, values);
    } else {
        return false;
    }
    total.put(out);
    true
}
