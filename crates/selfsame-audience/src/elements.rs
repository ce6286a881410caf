//! The newest events of a stream, each with the values that conditions and reducers read.
//!
//! Invariant: what is kept is a function of the set of events that were added, and combining two lists
//! keeps what one list of all of them would.

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink};
use smallvec::SmallVec;

use crate::datum::{Datum, put_length, put_optional, read_length, read_optional};
use crate::total::{put_moment, read_moment};
use crate::when::When;

/// The values at the end of one path: one, or as many as a list has elements.
pub(crate) type Column = SmallVec<[Option<Datum>; 1]>;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// When it happened.
    pub(crate) when: When,
    /// The columns of its stream.
    pub(crate) columns: SmallVec<[Column; 1]>,
}

/// The newest events, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Elements {
    list: Vec<Element>,
    /// When the newest of those happened that are no longer kept, though they may still count.
    pub(crate) cut: Option<Time>,
}

impl Elements {
    /// Adds an event; of more than `most`, the oldest leaves.
    pub(crate) fn add(&mut self, element: Element, most: usize) {
        let at = self.list.partition_point(|known| known.when < element.when);
        self.list.insert(at, element);
        self.shorten(most);
    }

    /// Adds those of another list.
    pub(crate) fn combine(&mut self, other: Self, most: usize) {
        self.cut = self.cut.max(other.cut);
        self.list.extend(other.list);
        self.list.sort_by_key(|element| element.when);
        self.shorten(most);
    }

    /// Forgets what happened at that time or before: no window reaches it any more.
    pub(crate) fn forget(&mut self, until: Time) {
        let gone = self.list.partition_point(|element| element.when.time <= until);
        self.list.drain(..gone);
        self.cut = self.cut.filter(|cut| *cut > until);
    }

    fn shorten(&mut self, most: usize) {
        let over = self.list.len().saturating_sub(most);
        if let Some(newest) = over.checked_sub(1).and_then(|last| self.list.get(last)) {
            self.cut = self.cut.max(Some(newest.when.time));
            self.list.drain(..over);
        }
    }

    /// Those of that time or later.
    pub(crate) fn since(&self, start: Time) -> &[Element] {
        let first = self.list.partition_point(|element| element.when.time < start);
        self.list.get(first..).unwrap_or_default()
    }

    /// Those behind that event.
    pub(crate) fn behind(&self, when: When) -> &[Element] {
        let first = self.list.partition_point(|element| element.when <= when);
        self.list.get(first..).unwrap_or_default()
    }

    pub(crate) fn put(&self, out: &mut impl Sink) {
        put_moment(out, self.cut);
        put_length(out, self.list.len());
        for element in &self.list {
            element.when.put(out);
            for column in &element.columns {
                put_length(out, column.len());
                column.iter().for_each(|value| put_optional(out, value.as_ref()));
            }
        }
    }

    pub(crate) fn read(columns: usize, reader: &mut Reader<'_>) -> Option<Self> {
        let cut = read_moment(reader)?;
        let mut list = Vec::with_capacity(read_length(reader)?);
        for _ in 0..list.capacity() {
            let mut element = Element { when: When::read(reader)?, columns: SmallVec::new() };
            for _ in 0..columns {
                let values = 0..read_length(reader)?;
                element.columns.push(values.map(|_| read_optional(reader)).collect::<Option<_>>()?);
            }
            list.push(element);
        }
        Some(Self { list, cut })
    }
}
