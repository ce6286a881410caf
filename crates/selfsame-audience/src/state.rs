//! What a section keeps of one stream.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink};

use crate::datum::Datum;
use crate::elements::{Column, Element, Elements};
use crate::periods::Periods;
use crate::plan::{Keep, Stream};
use crate::runs::Runs;
use crate::total::Total;
use crate::when::When;

/// What is kept of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Total(Total),
    Elements(Elements),
    Runs(Runs),
    Periods(Periods),
}

impl State {
    pub(crate) fn new(keep: &Keep) -> Self {
        match keep {
            Keep::Total { kind, .. } => Self::Total(Total::new(*kind)),
            Keep::Elements { .. } => Self::Elements(Elements::default()),
            Keep::Runs { .. } => Self::Runs(Runs::default()),
            Keep::Periods { .. } => Self::Periods(Periods::default()),
        }
    }

    /// Adds one event of the stream. What no window reaches any more, now or later, is forgotten.
    pub(crate) fn fold(&mut self, stream: &Stream, element: Element, now: Time) {
        let when = element.when;
        match (self, &stream.keep) {
            (Self::Total(total), Keep::Total { kind, horizon }) => {
                total.fold(*kind, when, values(&element.columns));
                if let (Total::Seen(seen), Some(horizon)) = (total, horizon) {
                    seen.forget(now.plus_micros(-horizon));
                }
            }
            (Self::Elements(elements), Keep::Elements { most, horizon }) => {
                elements.add(element, *most);
                if let Some(horizon) = horizon {
                    elements.forget(now.plus_micros(-horizon));
                }
            }
            (Self::Runs(runs), Keep::Runs { kind, gap }) => {
                runs.fold(*kind, *gap, when, values(&element.columns));
            }
            (Self::Periods(periods), Keep::Periods { kind, calendar }) => {
                periods.fold(*kind, calendar.start(when.time), when, values(&element.columns));
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
            (Self::Elements(elements), Self::Elements(other), Keep::Elements { most, .. }) => {
                elements.combine(other, *most);
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

    pub(crate) fn put(&self, out: &mut impl Sink) {
        match self {
            Self::Total(total) => total.put(out),
            Self::Elements(elements) => elements.put(out),
            Self::Runs(runs) => runs.put(out),
            Self::Periods(periods) => periods.put(out),
        }
    }

    /// Reads what [`Self::put`] wrote; nothing may follow it.
    pub(crate) fn read(stream: &Stream, bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let state = match &stream.keep {
            Keep::Total { kind, .. } => Self::Total(Total::read(*kind, &mut reader)?),
            Keep::Elements { .. } => {
                Self::Elements(Elements::read(stream.columns.len(), &mut reader)?)
            }
            Keep::Runs { kind, .. } => Self::Runs(Runs::read(*kind, &mut reader)?),
            Keep::Periods { kind, .. } => Self::Periods(Periods::read(*kind, &mut reader)?),
        };
        (reader.left() == 0).then_some(state)
    }
}

/// The values of the only column.
fn values(columns: &[Column]) -> impl Iterator<Item = &Datum> {
    columns.iter().flatten().flatten()
}

impl Element {
    /// An event with its columns.
    pub(crate) fn new(when: When, columns: impl Iterator<Item = Column>) -> Self {
        Self { when, columns: columns.collect() }
    }
}
