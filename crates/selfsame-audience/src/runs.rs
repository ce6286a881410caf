//! Sessions: runs of events in which no two neighbours are more than a gap apart.
//!
//! The newest few are kept, each with its total. Events that come late may join two of them; one that
//! would have joined a run that has left makes the value approximate, and is said to.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_time};

use crate::datum::{Datum, put_length, read_length};
use crate::total::{Kind, Total, put_moment, read_moment};
use crate::when::When;

/// Most runs that are kept, the newest.
pub const MOST_RUNS: usize = 16;

/// A run of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// Its first event.
    pub(crate) start: Time,
    /// Its last event.
    pub(crate) end: Time,
    /// What it comes to.
    pub(crate) total: Total,
}

/// The newest runs, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Runs {
    list: Vec<Run>,
    cut: Option<Time>,
}

impl Runs {
    /// Adds one event.
    pub(crate) fn fold<'d>(
        &mut self,
        kind: Kind,
        gap: i64,
        when: When,
        values: impl IntoIterator<Item = &'d Datum>,
    ) {
        let mut total = Total::new(kind);
        total.fold(kind, when, values);
        self.list.push(Run { start: when.time, end: when.time, total });
        self.join(kind, gap);
    }

    /// Adds the runs of another list.
    pub(crate) fn combine(&mut self, kind: Kind, gap: i64, other: Self) {
        self.cut = self.cut.max(other.cut);
        self.list.extend(other.list);
        self.join(kind, gap);
    }

    fn join(&mut self, kind: Kind, gap: i64) {
        self.list.sort_by_key(|run| run.start);
        let mut joined: Vec<Run> = Vec::with_capacity(self.list.len());
        for run in self.list.drain(..) {
            match joined.last_mut().filter(|last| run.start <= last.end.plus_micros(gap)) {
                Some(last) => {
                    last.end = last.end.max(run.end);
                    last.total.combine(kind, run.total);
                }
                None => joined.push(run),
            }
        }
        let over = joined.len().saturating_sub(MOST_RUNS);
        self.cut = self.cut.max(joined.drain(..over).map(|run| run.end).max());
        self.list = joined;
    }

    /// The last run, and whether it may have begun before what is kept.
    pub(crate) fn last(&self, gap: i64) -> Option<(&Run, bool)> {
        let last = self.list.last()?;
        Some((last, self.cut.is_some_and(|cut| last.start <= cut.plus_micros(gap))))
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        put_moment(out, self.cut);
        put_length(out, self.list.len());
        for run in &self.list {
            put_time(out, run.start);
            put_time(out, run.end);
            run.total.put(out);
        }
    }

    pub(crate) fn read(kind: Kind, reader: &mut Reader<'_>) -> Option<Self> {
        let cut = read_moment(reader)?;
        let mut list = Vec::with_capacity(read_length(reader)?);
        for _ in 0..list.capacity() {
            let (start, end) = (reader.time()?, reader.time()?);
            list.push(Run { start, end, total: Total::read(kind, reader)? });
        }
        Some(Self { list, cut })
    }
}
