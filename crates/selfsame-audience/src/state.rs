//! What a section keeps of one stream.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink};

use crate::elements::{self, Column, Element, Elements};
use crate::periods::{self, Periods};
use crate::plan::{Keep, Stream};
use crate::runs::{self, Runs};
use crate::slots::{self, Slots};
use crate::total::{Kind, Total};
use crate::values;
use crate::when::When;

/// What is kept of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State<'a> {
    Total(Total<'a>),
    Elements(Elements<'a>),
    Slots(Slots<'a>),
    Runs(Runs<'a>),
    Periods(Periods<'a>),
}

impl<'a> State<'a> {
    pub(crate) fn new(keep: &Keep) -> Self {
        match keep {
            Keep::Total { kind, .. } => Self::Total(Total::new(*kind)),
            Keep::Elements { .. } => Self::Elements(Elements::default()),
            Keep::Slots { .. } => Self::Slots(Slots::new()),
            Keep::Runs { .. } => Self::Runs(Runs::default()),
            Keep::Periods { .. } => Self::Periods(Periods::default()),
        }
    }

    /// Adds one event of the stream, given its columns. What no window reaches any more, now or later, is
    /// forgotten.
    pub(crate) fn fold(&mut self, stream: &Stream, when: When, body: &'a [u8], now: Time) {
        let until = stream.keep.horizon().map(|horizon| now.plus_micros(-horizon));
        let is_gone = until.is_some_and(|until| when.time <= until);
        // Reducers read the first column.
        let values = || Column::first(body).flatten();
        match (self, &stream.keep) {
            (Self::Total(total), Keep::Total { kind, .. }) => {
                if !is_gone {
                    total.fold(*kind, when, values());
                }
                if let (Total::Seen(seen), Some(until)) = (total, until) {
                    seen.forget(until);
                }
            }
            (Self::Elements(elements), Keep::Elements { room, .. }) => {
                if !is_gone {
                    elements.add(Element { when, body }, *room);
                }
                until.into_iter().for_each(|until| elements.forget(until));
            }
            (Self::Slots(slots), Keep::Slots { kind, .. }) => {
                until.into_iter().for_each(|until| slots.forget(until));
                if !is_gone {
                    slots.fold(*kind, when, values());
                }
            }
            (Self::Runs(runs), Keep::Runs { kind, gap }) => {
                runs.fold(*kind, *gap, when, values());
            }
            (Self::Periods(periods), Keep::Periods { kind, calendar }) => {
                periods.fold(*kind, calendar, when, values());
            }
            (state, keep) => debug_assert!(false, "{state:?} is not what {keep:?} keeps"),
        }
    }

    /// Adds what another section keeps of the same stream.
    pub(crate) fn combine(&mut self, keep: &Keep, other: Self) {
        match (self, other, keep) {
            (Self::Total(total), Self::Total(other), Keep::Total { kind, .. }) => {
                total.combine(*kind, other);
            }
            (Self::Elements(elements), Self::Elements(other), Keep::Elements { room, .. }) => {
                elements.combine(other, *room);
            }
            (Self::Slots(slots), Self::Slots(other), Keep::Slots { kind, .. }) => {
                slots.combine(*kind, other);
            }
            (Self::Runs(runs), Self::Runs(other), Keep::Runs { kind, gap }) => {
                runs.combine(*kind, *gap, other);
            }
            (Self::Periods(periods), Self::Periods(other), Keep::Periods { kind, .. }) => {
                periods.combine(*kind, other);
            }
            (state, other, _) => debug_assert!(false, "{state:?} and {other:?} differ in kind"),
        }
    }

    /// Writes it as part of a row.
    pub(crate) fn put(&self, stream: &Stream, out: &mut impl Sink) {
        match (self, &stream.keep) {
            (Self::Elements(elements), _) => elements.put(out, stream.columns.len()),
            (Self::Slots(slots), Keep::Slots { kind, .. }) => slots.put(*kind, out),
            (state, keep) => state.put_small(keep, out),
        }
    }

    /// Reads what [`Self::put`] wrote; nothing may follow it.
    pub(crate) fn read(stream: &Stream, bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let state = match &stream.keep {
            Keep::Elements { .. } => {
                Self::Elements(Elements::read(stream.columns.len(), &mut reader)?)
            }
            Keep::Slots { kind, .. } => Self::Slots(Slots::read(*kind, &mut reader)?),
            keep => return Self::read_small(keep, reader),
        };
        Some(state)
    }

    /// Writes it in the form that records have.
    pub(crate) fn put_plain(&self, stream: &Stream, out: &mut impl Sink) {
        match (self, &stream.keep) {
            (Self::Elements(elements), _) => elements.put_plain(out, stream.columns.len()),
            (Self::Slots(slots), Keep::Slots { kind, .. }) => slots.put_plain(*kind, out),
            (state, keep) => state.put_small(keep, out),
        }
    }

    /// Reads what [`Self::put_plain`] wrote; nothing may follow it.
    pub(crate) fn read_plain(stream: &Stream, bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let state = match &stream.keep {
            Keep::Elements { .. } => {
                Self::Elements(Elements::read_plain(stream.columns.len(), &mut reader)?)
            }
            Keep::Slots { kind, .. } => Self::Slots(Slots::read_plain(*kind, &mut reader)?),
            keep => return Self::read_small(keep, reader),
        };
        (reader.left() == 0).then_some(state)
    }

    fn put_small(&self, keep: &Keep, out: &mut impl Sink) {
        match self {
            Self::Total(total) => total.put(out),
            Self::Runs(runs) => runs.put(out),
            Self::Periods(periods) => periods.put(out),
            state => debug_assert!(false, "{state:?} is not what {keep:?} keeps"),
        }
    }

    fn read_small(keep: &Keep, mut reader: Reader<'a>) -> Option<Self> {
        let state = match keep {
            Keep::Total { kind, .. } => Self::Total(Total::read(*kind, &mut reader)?),
            Keep::Runs { kind, .. } => Self::Runs(Runs::read(*kind, &mut reader)?),
            Keep::Periods { kind, .. } => Self::Periods(Periods::read(*kind, &mut reader)?),
            Keep::Elements { .. } | Keep::Slots { .. } => return None,
        };
        (reader.left() == 0).then_some(state)
    }
}

/// Adds an event to what was written of a stream, as [`State::fold`] does, where that takes no reading of the rest:
/// it is newer than all others, or has a value that was there before. Says whether it is such a case.
pub(crate) fn add_one<'a>(
    written: &'a [u8],
    stream: &Stream,
    (when, body): (When, &'a [u8]),
    now: Time,
    out: &mut Vec<u8>,
) -> bool {
    let until = stream.keep.horizon().map(|horizon| now.plus_micros(-horizon));
    if until.is_some_and(|until| when.time <= until) {
        return false;
    }
    // Reducers read the first column.
    let only = || Column::first(body).only().flatten();
    match (&stream.keep, until) {
        (Keep::Total { kind: Kind::Counts(_), .. }, None) => {
            only().is_some_and(|value| values::count_again(written, value, out))
        }
        (Keep::Total { kind: Kind::Seen(_), .. }, None) => {
            only().is_some_and(|value| values::see_again(written, value, when, out))
        }
        (Keep::Runs { kind, gap }, None) => {
            let values = Column::first(body).flatten();
            runs::add_last(written, (*kind, *gap), when, values, out)
        }
        (Keep::Periods { kind, calendar }, None) => {
            let values = Column::first(body).flatten();
            periods::add_to_last(written, *kind, calendar, when, values, out)
        }
        (Keep::Elements { room, .. }, until) => {
            let element = Element { when, body };
            elements::add_newest(written, stream.columns.len(), element, (*room, until), out)
        }
        (Keep::Slots { kind, .. }, Some(until)) => {
            let values = Column::first(body).flatten();
            slots::add_newest(written, *kind, when, values, until, out)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
