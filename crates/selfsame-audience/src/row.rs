//! The row of a section: what it keeps of every stream, by the number of the stream.
//!
//! ```text
//! for each stream, by number: number | length | what is kept of it
//! ```

use selfsame_event::packed::{Reader, Scratch, Sink, put_number};

use crate::datum::put_length;

/// The parts of a row, by number.
pub(crate) fn parts(row: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut reader = Reader(row);
    std::iter::from_fn(move || {
        let number = usize::try_from(reader.number()?).ok()?;
        let length = usize::try_from(reader.number()?).ok()?;
        Some((number, reader.slice(length)?))
    })
    .fuse()
}

/// What a row keeps of a stream.
pub(crate) fn part(row: &[u8], number: usize) -> Option<&[u8]> {
    parts(row)
        .take_while(|(known, _)| *known <= number)
        .find(|(known, _)| *known == number)
        .map(|(_, part)| part)
}

/// The row with these parts, sorted by number, in place of its own.
pub(crate) fn with_parts(row: &[u8], changed: &[(usize, Scratch)]) -> Vec<u8> {
    let added: usize = changed.iter().map(|(_, part)| part.len() + 8).sum();
    let mut written = Vec::with_capacity(row.len() + added);
    let mut kept = parts(row).peekable();
    for (number, part) in changed {
        while let Some((known, kept)) = kept.next_if(|(known, _)| known < number) {
            put(&mut written, known, kept);
        }
        kept.next_if(|(known, _)| known == number);
        put(&mut written, *number, part);
    }
    kept.for_each(|(known, kept)| put(&mut written, known, kept));
    written
}

fn put(out: &mut impl Sink, number: usize, part: &[u8]) {
    put_number(out, u64::try_from(number).unwrap_or(u64::MAX));
    put_length(out, part.len());
    out.put(part);
}
