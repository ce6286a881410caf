//! Totals by period of the calendar: of the newest two that events fell in.
//!
//! The current period and the one before it are always among these: there is no event in a later one.
//! Events of older ones are ignored.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_time};

use crate::datum::{Datum, put_length, read_length};
use crate::total::{Kind, Total};
use crate::when::When;

const MOST_PERIODS: usize = 2;

/// The newest periods with events, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Periods(Vec<(Time, Total)>);

impl Periods {
    /// Adds one event to the period that begins at `start`.
    pub(crate) fn fold<'d>(
        &mut self,
        kind: Kind,
        start: Time,
        when: When,
        values: impl IntoIterator<Item = &'d Datum>,
    ) {
        if let Some(total) = self.slot(kind, start) {
            total.fold(kind, when, values);
        }
    }

    /// Adds the totals of another list.
    pub(crate) fn combine(&mut self, kind: Kind, other: Self) {
        for (start, more) in other.0 {
            if let Some(total) = self.slot(kind, start) {
                total.combine(kind, more);
            }
        }
    }

    /// The total of the period that begins there.
    pub(crate) fn of(&self, start: Time) -> Option<&Total> {
        self.0.iter().find(|(known, _)| *known == start).map(|(_, total)| total)
    }

    fn slot(&mut self, kind: Kind, start: Time) -> Option<&mut Total> {
        let at = match self.0.binary_search_by_key(&start, |(known, _)| *known) {
            Ok(at) => at,
            Err(0) if self.0.len() >= MOST_PERIODS => return None,
            Err(at) => {
                self.0.insert(at, (start, Total::new(kind)));
                let over = self.0.len().saturating_sub(MOST_PERIODS);
                self.0.drain(..over);
                at - over
            }
        };
        self.0.get_mut(at).map(|(_, total)| total)
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        put_length(out, self.0.len());
        for (start, total) in &self.0 {
            put_time(out, *start);
            total.put(out);
        }
    }

    pub(crate) fn read(kind: Kind, reader: &mut Reader<'_>) -> Option<Self> {
        let mut list = Vec::with_capacity(read_length(reader)?);
        for _ in 0..list.capacity() {
            list.push((reader.time()?, Total::read(kind, reader)?));
        }
        Some(Self(list))
    }
}
