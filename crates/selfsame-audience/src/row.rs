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

/// What a row keeps, by the number of the stream.
pub(crate) type Parts<'a> = Vec<(usize, &'a [u8])>;

/// How many parts a row seldom has more than.
const MANY: usize = 512;

/// All that a row keeps.
pub(crate) fn parts(row: &[u8]) -> Parts<'_> {
    let mut reader = Reader(row);
    let mut parts = Vec::with_capacity((row.len() / 6).min(MANY));
    while let Some(part) = next(&mut reader) {
        parts.push((part.number, part.bytes));
    }
    parts
}

/// Writes a row anew in which some parts are others: those of ascending numbers. Nothing is copied as
/// long as nothing changes, and whatever lies between two changes is copied at once.
pub(crate) struct Rewriting<'a> {
    row: &'a [u8],
    rest: Reader<'a>,
    ahead: Option<Part<'a>>,
    /// How much of the row is copied or replaced.
    done: usize,
    written: Vec<u8>,
}

impl<'a> Rewriting<'a> {
    pub(crate) fn new(row: &'a [u8]) -> Self {
        let mut rest = Reader(row);
        let ahead = next(&mut rest);
        Self { row, rest, ahead, done: 0, written: Vec::new() }
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
        put_number(&mut self.written, u64::try_from(number).unwrap_or(u64::MAX));
        put_length(&mut self.written, bytes.len());
        self.written.put(bytes);
        self.done = match &self.ahead {
            Some(part) if part.number == number => self.row.len() - part.left,
            _ => start,
        };
    }

    /// The new row; nothing where nothing is new.
    pub(crate) fn done(mut self) -> Option<Vec<u8>> {
        if self.written.is_empty() {
            return None;
        }
        self.written.extend_from_slice(self.row.get(self.done..).unwrap_or_default());
        Some(self.written)
    }
}

/// How many bytes stand before a part.
fn header(number: usize, length: usize) -> usize {
    let bytes = |number: usize| (number.max(1).ilog2() / 7 + 1) as usize;
    bytes(number) + bytes(length)
}

#[cfg(test)]
mod tests;
