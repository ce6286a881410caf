//! Totals by period of the calendar: of the newest two that events fell in.
//!
//! The current period and the one before it are always among these: there is no event in a later one.
//! Events of older ones are ignored.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink, put_time};

use crate::calendar::Calendar;
use crate::datum::{Packed, put_length, read_length};
use crate::total::{Kind, Total};
use crate::when::When;

pub(crate) const MOST_PERIODS: usize = 2;
/// Most bytes for the values of one period.
pub(crate) const ONE_PERIOD_BYTES: usize = 16 * 1024;

/// The newest periods with events, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Periods<'a>(Vec<(Time, Total<'a>)>);

impl<'a> Periods<'a> {
    /// Adds one event.
    pub(crate) fn fold(
        &mut self,
        kind: Kind,
        calendar: &Calendar,
        when: When,
        values: impl IntoIterator<Item = Packed<'a>>,
    ) {
        // Most events are early enough in the last period for the calendar not to be asked.
        let last = self.0.last().map(|(start, _)| *start);
        let last = last.filter(|start| *start <= when.time);
        let last = last.filter(|start| when.time < start.plus_micros(calendar.shortest()));
        let start = last.unwrap_or_else(|| calendar.start(when.time));
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
    pub(crate) fn of(&self, start: Time) -> Option<&Total<'a>> {
        self.0.iter().find(|(known, _)| *known == start).map(|(_, total)| total)
    }

    fn slot(&mut self, kind: Kind, start: Time) -> Option<&mut Total<'a>> {
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

    pub(crate) fn read(kind: Kind, reader: &mut Reader<'a>) -> Option<Self> {
        let length = read_length(reader)?;
        let mut list = Vec::with_capacity(length + 1);
        for _ in 0..length {
            list.push((reader.time()?, Total::read(kind, reader)?));
        }
        Some(Self(list))
    }
}

/// What [`Periods::fold`] makes of what was written, for an event of the last period: the one before it is not read
/// as more than bytes. Says whether it is such a case.
pub(crate) fn add_to_last<'a>(
    written: &'a [u8],
    kind: Kind,
    calendar: &Calendar,
    when: When,
    values: impl IntoIterator<Item = Packed<'a>>,
    out: &mut impl Sink,
) -> bool {
    let last = || {
        let mut reader = Reader(written);
        let mut last = None;
        for _ in 0..read_length(&mut reader)? {
            let start = reader.time()?;
            let before = written.get(..written.len() - reader.left())?;
            last = Some((start, before, Total::read(kind, &mut reader)?));
        }
        last.filter(|_| reader.left() == 0)
    };
    let Some((start, before, mut total)) = last() else { return false };
    if when.time < start || when.time >= start.plus_micros(calendar.shortest()) {
        return false;
    }
    out.put(before);
    total.fold(kind, when, values);
    total.put(out);
    true
}
