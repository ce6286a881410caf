//! The row of a section: what it keeps of every stream, by the number of the stream.
//!
//! ```text
//! for each stream, by number: number | length | what is kept of it
//! ```

use selfsame_event::packed::{Reader, Sink, put_number};

use crate::datum::put_length;

/// One part of a row, and how many bytes are behind it.
struct Part<'a> {
    number: usize,
    bytes: &'a [u8],
    left: usize,
}

fn next<'a>(reader: &mut Reader<'a>) -> Option<Part<'a>> {
    let number = usize::try_from(reader.number()?).ok()?;
    let length = usize::try_from(reader.number()?).ok()?;
    let bytes = reader.slice(length)?;
    Some(Part { number, bytes, left: reader.left() })
}

/// The parts of a row, with the numbers of their streams.
pub(crate) fn each_part(row: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut reader = Reader(row);
    std::iter::from_fn(move || next(&mut reader).map(|part| (part.number, part.bytes)))
}

/// What a row keeps, by the number of the stream.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    row: &'a [u8],
    places: Vec<Place>,
}

/// Where a part is in its row.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: u32,
    start: u32,
    end: u32,
}

/// How many parts a row seldom has more than.
const MANY: usize = 512;

impl<'a> Parts<'a> {
    /// All that a row keeps.
    pub(crate) fn of(row: &'a [u8]) -> Self {
        let place = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let mut reader = Reader(row);
        let mut places = Vec::with_capacity((row.len() / 6).min(MANY));
        while let Some(part) = next(&mut reader) {
            let end = row.len() - part.left;
            let start = place(end - part.bytes.len());
            places.push(Place { number: place(part.number), start, end: place(end) });
        }
        Self { row, places }
    }

    /// What it keeps of a stream.
    pub(crate) fn get(&self, number: usize) -> Option<&'a [u8]> {
        let number = u32::try_from(number).ok()?;
        let at = self.places.binary_search_by_key(&number, |place| place.number).ok()?;
        let Place { start, end, .. } = *self.places.get(at)?;
        self.row.get(start as usize..end as usize)
    }
}

/// Writes a row anew in which some parts are others: those of ascending numbers. Nothing is copied as
/// long as nothing changes, and whatever lies between two changes is copied at once.
pub(crate) struct Rewriting<'a, 'o> {
    row: &'a [u8],
    rest: Reader<'a>,
    ahead: Option<Part<'a>>,
    /// How much of the row is copied or replaced.
    done: usize,
    written: &'o mut Vec<u8>,
}

impl<'a, 'o> Rewriting<'a, 'o> {
    /// Of that row. The new one is put there.
    pub(crate) fn new(row: &'a [u8], written: &'o mut Vec<u8>) -> Self {
        let mut rest = Reader(row);
        let ahead = next(&mut rest);
        written.clear();
        Self { row, rest, ahead, done: 0, written }
    }

    /// What the row keeps of a stream, whose number is greater than all that were asked for before.
    pub(crate) fn part(&mut self, number: usize) -> Option<&'a [u8]> {
        while self.ahead.as_ref().is_some_and(|part| part.number < number) {
            self.ahead = next(&mut self.rest);
        }
        self.ahead.as_ref().filter(|part| part.number == number).map(|part| part.bytes)
    }

    /// Puts another part in its place; it was asked for last.
    pub(crate) fn replace(&mut self, number: usize, bytes: &[u8]) {
        if self.written.is_empty() {
            self.written.reserve(self.row.len() + bytes.len() + 64);
        }
        // Up to where the part begins that is ahead: it, or the one behind its place.
        let start = match &self.ahead {
            Some(part) => {
                self.row.len()
                    - part.left
                    - part.bytes.len()
                    - header(part.number, part.bytes.len())
            }
            None => self.row.len() - self.rest.left(),
        };
        self.written.extend_from_slice(self.row.get(self.done..start).unwrap_or_default());
        put_number(self.written, u64::try_from(number).unwrap_or(u64::MAX));
        put_length(self.written, bytes.len());
        self.written.put(bytes);
        self.done = match &self.ahead {
            Some(part) if part.number == number => self.row.len() - part.left,
            _ => start,
        };
    }

    /// Ends the new row. Says whether there is one; there is none where nothing is new.
    pub(crate) fn done(self) -> bool {
        if self.written.is_empty() {
            return false;
        }
        self.written.extend_from_slice(self.row.get(self.done..).unwrap_or_default());
        true
    }
}

/// Reads parts of a row.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    rest: Reader<'a>,
    ahead: Option<(usize, &'a [u8])>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(row: &'a [u8]) -> Self {
        Self { rest: Reader(row), ahead: None }
    }

    /// What the row keeps of a stream, whose number is greater than all that were asked for before.
    pub(crate) fn part(&mut self, number: usize) -> Option<&'a [u8]> {
        while self.ahead.is_none_or(|(known, _)| known < number) {
            let Part { number, bytes, .. } = next(&mut self.rest)?;
            self.ahead = Some((number, bytes));
        }
        self.ahead.filter(|(known, _)| *known == number).map(|(_, bytes)| bytes)
    }
}

/// How many bytes stand before a part.
fn header(number: usize, length: usize) -> usize {
    let bytes = |number: usize| (number.max(1).ilog2() / 7 + 1) as usize;
    bytes(number) + bytes(length)
}

#[cfg(test)]
mod tests;
