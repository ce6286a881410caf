//! The newest events of a stream, each with the values that conditions and reducers read.
//!
//! Invariant: what is kept is a function of the set of events that were added, and combining two lists
//! keeps what one list of all of them would. The newest stay, up to the first for which there is no room.
//! Where that is, is kept: what is older does not stay either, though there may be room for it.
//!
//! ```text
//! cut | number of events
//! for each event: time, from the second on how long after the one before | rank
//!                 where the stream has columns: length, for each column: number of values, values
//! ```

use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink};

use crate::datum::{Packed, put_length, read_length};
use crate::moment::{put_after, read_after};
use crate::when::When;

/// What an event takes that has no columns.
pub(crate) const BARE_BYTES: usize = 12;
/// What one takes beside its columns.
const BESIDE: usize = 16;

/// One event, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    /// When it happened.
    pub(crate) when: When,
    /// The columns of its stream.
    pub(crate) body: &'a [u8],
}

/// The values at the end of one path: one, or as many as a list has elements. Damaged bytes have none.
#[derive(Debug, Clone)]
pub(crate) struct Column<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Column<'a> {
    /// The first column of what an event holds.
    pub(crate) fn first(body: &'a [u8]) -> Self {
        let mut reader = Reader(body);
        let left = read_length(&mut reader).unwrap_or(0);
        Self { reader, left }
    }

    /// The column behind it.
    fn next_column(mut self) -> Self {
        self.by_ref().for_each(drop);
        Self::first(self.reader.0)
    }
}

impl<'a> Iterator for Column<'a> {
    type Item = Option<Packed<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Packed::read_optional(&mut self.reader)
    }
}

/// The newest events, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Elements<'a> {
    list: Vec<Element<'a>>,
    /// What they take.
    bytes: usize,
    /// The newest of those that are no longer kept, though they may still count.
    cut: Option<When>,
    read: AsRead<'a>,
}

/// The bytes of the first events of a list, as long as these are the ones that were read: they need not
/// be written anew. It takes no part in comparisons.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AsRead<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) number: usize,
}

impl PartialEq for AsRead<'_> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for AsRead<'_> {}

/// How many events there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

impl<'a> Element<'a> {
    /// The values of a column.
    pub(crate) fn column(&self, number: usize) -> Column<'a> {
        (0..number).fold(Column::first(self.body), |column, _| column.next_column())
    }

    fn size(&self) -> usize {
        if self.body.is_empty() { BARE_BYTES } else { self.body.len() + BESIDE }
    }
}

impl<'a> Elements<'a> {
    /// Adds an event; of more than there is room for, the oldest leave.
    pub(crate) fn add(&mut self, element: Element<'a>, room: Room) {
        if self.cut.is_some_and(|cut| element.when <= cut) {
            return;
        }
        let at = self.list.partition_point(|known| known.when < element.when);
        if at < self.read.number {
            self.read = AsRead::default();
        }
        self.list.insert(at, element);
        self.bytes += element.size();
        self.shorten(room);
    }

    /// Adds those of another list.
    pub(crate) fn combine(&mut self, other: Self, room: Room) {
        self.cut = self.cut.max(other.cut);
        self.read = AsRead::default();
        self.list.extend(other.list);
        self.list.sort_by_key(|element| element.when);
        if let Some(cut) = self.cut {
            self.list.retain(|element| element.when > cut);
        }
        self.bytes = self.list.iter().map(Element::size).sum();
        self.shorten(room);
    }

    /// Forgets what happened at that time or before: no window reaches it any more.
    pub(crate) fn forget(&mut self, until: Time) {
        self.cut = self.cut.filter(|cut| cut.time > until);
        let gone = self.list.partition_point(|element| element.when.time <= until);
        if gone == 0 {
            return;
        }
        self.read = AsRead::default();
        self.bytes -= self.list.drain(..gone).map(|element| element.size()).sum::<usize>();
    }

    fn shorten(&mut self, room: Room) {
        let mut over = self.list.len().saturating_sub(room.events);
        let leaving = self.list.iter().take(over);
        self.bytes -= leaving.map(Element::size).sum::<usize>();
        while self.bytes > room.bytes {
            let Some(element) = self.list.get(over) else { break };
            self.bytes -= element.size();
            over += 1;
        }
        if let Some(newest) = over.checked_sub(1).and_then(|last| self.list.get(last)) {
            self.cut = self.cut.max(Some(newest.when));
            self.list.drain(..over);
            self.read = AsRead::default();
        }
    }

    /// When the newest of those happened that are no longer kept, though they may still count.
    pub(crate) fn cut(&self) -> Option<Time> {
        self.cut.map(|cut| cut.time)
    }

    /// Those of that time or later.
    pub(crate) fn since(&self, start: Time) -> &[Element<'a>] {
        let first = self.list.partition_point(|element| element.when.time < start);
        self.list.get(first..).unwrap_or_default()
    }

    /// Those from the one time on, up to the other.
    pub(crate) fn between(&self, start: Time, last: Time) -> &[Element<'a>] {
        let since = self.since(start);
        let length = since.partition_point(|element| element.when.time <= last);
        since.get(..length).unwrap_or_default()
    }

    /// Those behind that event by so many microseconds: at least the one, less than the other.
    pub(crate) fn behind(&self, when: When, (from, to): (i64, i64)) -> &[Element<'a>] {
        let distance = |element: &Element<'_>| element.when.time.micros() - when.time.micros();
        let is_before = |element: &Element<'_>| element.when <= when || distance(element) < from;
        let first = self.list.partition_point(is_before);
        let behind = self.list.get(first..).unwrap_or_default();
        let length = behind.partition_point(|element| distance(element) < to);
        behind.get(..length).unwrap_or_default()
    }

    pub(crate) fn put(&self, out: &mut impl Sink, columns: usize) {
        out.put(&[u8::from(self.cut.is_some())]);
        self.cut.into_iter().for_each(|cut| cut.put(out));
        put_length(out, self.list.len());
        out.put(self.read.bytes);
        let (kept, new) = self.list.split_at_checked(self.read.number).unwrap_or_default();
        let mut before = kept.last().map_or(Time::EPOCH, |element| element.when.time);
        for element in new {
            put_after(out, element.when.time, before);
            element.when.put_rank(out);
            if columns > 0 {
                put_length(out, element.body.len());
                out.put(element.body);
            }
            before = element.when.time;
        }
    }

    pub(crate) fn read(columns: usize, reader: &mut Reader<'a>) -> Option<Self> {
        let cut = match reader.byte()? {
            0 => None,
            _ => Some(When::read(reader)?),
        };
        let length = read_length(reader)?;
        // One more may be added.
        let list = Vec::with_capacity(length + 1);
        let mut all = Self { list, bytes: 0, cut, read: AsRead::default() };
        let (mut before, start) = (Time::EPOCH, reader.0);
        for _ in 0..length {
            before = read_after(reader, before)?;
            let when = When::read_rank(before, reader)?;
            let length = if columns > 0 { read_length(reader)? } else { 0 };
            let element = Element { when, body: reader.slice(length)? };
            all.bytes += element.size();
            all.list.push(element);
        }
        let bytes = start.get(..start.len() - reader.left())?;
        all.read = AsRead { bytes, number: length };
        Some(all)
    }
}

#[cfg(test)]
mod tests;
