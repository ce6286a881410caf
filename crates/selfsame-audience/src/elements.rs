//! The newest events of a stream, each with the values that conditions and reducers read.
//!
//! Invariant: what is kept is a function of the set of events that were added, and combining two lists
//! keeps what one list of all of them would. The newest stay, up to the first for which there is no room.
//! Where that is, is kept: what is older does not stay either, though there may be room for it.
//!
//! ```text
//! cut | where the stream has columns: what all take | a chain, for each event: rank
//!                 where the stream has columns: length, for each column: number of values, values
//! ```
//!
//! An event that is newer than all others is added to the bytes ([`add_newest`]). Whoever evaluates reads them
//! from the newest on, as far as is needed ([`Newest`]).

mod newest;

pub(crate) use self::newest::Newest;
use selfsame_event::Time;
use selfsame_event::packed::{Reader, Sink};
use smallvec::SmallVec;

use crate::chain::Chain;
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

    /// Its value, if there is one and no other.
    pub(crate) fn only(mut self) -> Option<Option<Packed<'a>>> {
        if self.left == 1 { self.next() } else { None }
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
}

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

    /// It without its time.
    fn put(&self, out: &mut impl Sink, columns: usize) {
        self.when.put_rank(out);
        if columns > 0 {
            put_length(out, self.body.len());
            out.put(self.body);
        }
    }

    fn read(columns: usize, time: Time, reader: &mut Reader<'a>) -> Option<Self> {
        let when = When::read_rank(time, reader)?;
        let length = if columns > 0 { read_length(reader)? } else { 0 };
        Some(Self { when, body: reader.slice(length)? })
    }
}

impl<'a> Elements<'a> {
    /// Adds an event; of more than there is room for, the oldest leave.
    pub(crate) fn add(&mut self, element: Element<'a>, room: Room) {
        if self.cut.is_some_and(|cut| element.when <= cut) {
            return;
        }
        let at = self.list.partition_point(|known| known.when < element.when);
        self.list.insert(at, element);
        self.bytes += element.size();
        self.shorten(room);
    }

    /// Adds those of another list.
    pub(crate) fn combine(&mut self, other: Self, room: Room) {
        self.cut = self.cut.max(other.cut);
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
        }
    }

    /// Writes it as part of a row.
    pub(crate) fn put(&self, out: &mut impl Sink, columns: usize) {
        put_front(out, self.cut, (columns > 0).then_some(self.bytes));
        let put = |element: &Element<'_>, out: &mut Vec<u8>| element.put(out, columns);
        Chain::put_all(out, &self.list, |element| element.when.time, put);
    }

    pub(crate) fn read(columns: usize, reader: &mut Reader<'a>) -> Option<Self> {
        let Front { cut, bytes, chain } = Front::read(columns, reader)?;
        let mut list = Vec::with_capacity(chain.number + 1);
        let mut walk = chain.walk();
        for _ in 0..chain.number {
            list.push(walk.next(|time, reader| Element::read(columns, time, reader))?);
        }
        list.reverse();
        Some(Self { list, bytes, cut })
    }

    /// Writes it in the form that records have: the oldest first, without an end.
    pub(crate) fn put_plain(&self, out: &mut impl Sink, columns: usize) {
        put_cut(out, self.cut);
        put_length(out, self.list.len());
        let mut before = Time::EPOCH;
        for element in &self.list {
            put_after(out, element.when.time, before);
            element.put(out, columns);
            before = element.when.time;
        }
    }

    pub(crate) fn read_plain(columns: usize, reader: &mut Reader<'a>) -> Option<Self> {
        let cut = read_cut(reader)?;
        let length = read_length(reader)?;
        let list = Vec::with_capacity(length);
        let mut all = Self { list, bytes: 0, cut };
        let mut before = Time::EPOCH;
        for _ in 0..length {
            before = read_after(reader, before)?;
            let element = Element::read(columns, before, reader)?;
            all.bytes += element.size();
            all.list.push(element);
        }
        Some(all)
    }
}

/// What stands before the events, and they.
struct Front<'a> {
    cut: Option<When>,
    bytes: usize,
    chain: Chain<'a>,
}

impl<'a> Front<'a> {
    fn read(columns: usize, reader: &mut Reader<'a>) -> Option<Self> {
        let cut = read_cut(reader)?;
        let said = if columns > 0 { Some(usize::try_from(reader.number()?).ok()?) } else { None };
        let chain = Chain::read(reader)?;
        Some(Self { cut, bytes: said.unwrap_or(chain.number * BARE_BYTES), chain })
    }
}

fn put_front(out: &mut impl Sink, cut: Option<When>, bytes: Option<usize>) {
    put_cut(out, cut);
    bytes.into_iter().for_each(|bytes| put_length(out, bytes));
}

fn put_cut(out: &mut impl Sink, cut: Option<When>) {
    out.put(&[u8::from(cut.is_some())]);
    cut.into_iter().for_each(|cut| cut.put(out));
}

fn read_cut(reader: &mut Reader<'_>) -> Option<Option<When>> {
    Some(match reader.byte()? {
        0 => None,
        _ => Some(When::read(reader)?),
    })
}

/// What [`Elements::add`] and then [`Elements::forget`] make of what was written, for an event that is newer than
/// all that are kept: nothing else is read but what leaves. Says whether it is such a case.
pub(crate) fn add_newest(
    written: &[u8],
    columns: usize,
    element: Element<'_>,
    (room, until): (Room, Option<Time>),
    out: &mut Vec<u8>,
) -> bool {
    let Some(front) = Front::read(columns, &mut Reader(written)) else { return false };
    let Front { mut cut, mut bytes, chain } = front;
    let time = element.when.time;
    if chain.number == 0 || time <= chain.newest || element.size() > room.bytes || room.events == 0
    {
        return false;
    }
    let is_forgotten = |time: Time| until.is_some_and(|until| time <= until);
    cut = cut.filter(|cut| !is_forgotten(cut.time));
    let (mut number, mut blocks) = (chain.number + 1, Vec::new());
    bytes += element.size();
    let is_too_much = |number: usize, bytes: usize| number > room.events || bytes > room.bytes;
    let chain = if is_too_much(number, bytes) || is_forgotten(chain.oldest) {
        let read = |time, reader: &mut Reader<'_>| {
            let element = Element::read(columns, time, reader)?;
            Some((element.when, element.size()))
        };
        let goes = |time, (when, size): (When, usize)| {
            let is_forgotten = is_forgotten(time);
            let is_over = is_too_much(number, bytes);
            if is_over && !is_forgotten {
                cut = cut.max(Some(when));
            }
            if is_over || is_forgotten {
                (number, bytes) = (number - 1, bytes - size);
            }
            is_over || is_forgotten
        };
        let Some(chain) = chain.without(&mut blocks, read, goes) else { return false };
        chain
    } else {
        chain
    };
    put_front(out, cut, (columns > 0).then_some(bytes));
    let mut entry: SmallVec<[u8; 64]> = SmallVec::new();
    element.put(&mut entry, columns);
    chain.put_with(out, time, &entry);
    true
}

#[cfg(test)]
mod tests;
