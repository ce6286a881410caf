//! What a section keeps of every stream, each by itself: an event changes those that it belongs to, and nothing is
//! copied of the others.
//!
//! Invariant: [`Loose::put`] writes the row that the same events would have made of the row it was read from.

use selfsame_event::Time;
use selfsame_event::packed::{Sink as _, put_number};
use smallvec::SmallVec;

use crate::datum::put_length;
use crate::event::Event;
use crate::plans::{Plans, keep_one};
use crate::row::each_part;

/// What is kept of a stream seldom has more bytes.
const SHORT: usize = 24;

/// The row of a section, its parts apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loose {
    /// The numbers of the streams, in order,
    numbers: Vec<u32>,
    /// and what is kept of each.
    parts: Vec<Part>,
    /// Bytes of memory that parts take outside of the list.
    beside: usize,
}

type Part = SmallVec<[u8; SHORT]>;

/// What a section keeps.
#[derive(Debug, Clone, Copy)]
pub enum Keeps<'a> {
    /// As a row.
    Row(&'a [u8]),
    /// Each part by itself.
    Loose(&'a Loose),
}

fn beside(part: &Part) -> usize {
    if part.spilled() { part.capacity() } else { 0 }
}

impl Loose {
    /// What a row keeps.
    pub fn of(row: &[u8]) -> Self {
        let mut loose = Self::default();
        for (number, bytes) in each_part(row) {
            let part = Part::from_slice(bytes);
            loose.numbers.push(u32::try_from(number).unwrap_or(u32::MAX));
            loose.beside += beside(&part);
            loose.parts.push(part);
        }
        loose
    }

    /// Adds the row.
    pub fn put(&self, out: &mut Vec<u8>) {
        for (number, part) in self.numbers.iter().zip(&self.parts) {
            put_number(out, u64::from(*number));
            put_length(out, part.len());
            out.put(part);
        }
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        self.parts.capacity() * (size_of::<Part>() + size_of::<u32>()) + self.beside
    }

    /// What is kept of a stream.
    pub(crate) fn get(&self, number: usize) -> Option<&[u8]> {
        let at = self.numbers.binary_search(&u32::try_from(number).ok()?).ok()?;
        self.parts.get(at).map(Part::as_slice)
    }

    /// The places of streams, which come by number: where they are, or would be. All of them are asked for at once,
    /// so that the waits for memory are side by side.
    fn places(&self, numbers: impl Iterator<Item = usize>) -> Places {
        let (mut places, mut from, mut seen) = (Places::new(), 0, 0_usize);
        for number in numbers {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let rest = self.numbers.get(from..).unwrap_or_default();
            let found = rest.binary_search(&number);
            from += found.unwrap_or_else(|place| place);
            if found.is_ok() {
                let first = self.parts.get(from).and_then(|part| part.first());
                seen += first.copied().map_or(0, usize::from);
            }
            places.push((from, found.is_ok()));
        }
        std::hint::black_box(seen);
        places
    }

    /// Puts another part in the place of one.
    fn set(&mut self, place: usize, bytes: &[u8]) {
        let Some(part) = self.parts.get_mut(place) else { return };
        self.beside -= beside(part);
        part.clear();
        part.extend_from_slice(bytes);
        self.beside += beside(part);
    }

    /// Adds a part before a place.
    fn insert(&mut self, place: usize, number: usize, bytes: &[u8]) {
        let part = Part::from_slice(bytes);
        self.beside += beside(&part);
        self.numbers.insert(place, u32::try_from(number).unwrap_or(u32::MAX));
        self.parts.insert(place, part);
    }
}

/// Where parts are, and whether there are such; else, where they would be.
type Places = SmallVec<[(usize, bool); 64]>;

impl Plans {
    /// Folds an event into what a section keeps, as [`Self::fold_into`] does. Says whether that is something else now.
    pub fn fold_loose(
        &self,
        loose: &mut Loose,
        event: &Event<'_>,
        now: Time,
        (wants, touched): (impl Fn(u32) -> bool, &mut Vec<u32>),
    ) -> bool {
        let Some(named) = self.named(event) else { return false };
        let places = loose.places(named.streams().iter().map(|wanted| wanted.number));
        let mut written = Vec::with_capacity(512);
        let (mut is_new, mut added) = (false, 0);
        self.each_stream(named, event, (wants, touched), |(at, wanted), stream, body| {
            let Some((place, is_known)) = places.get(at).copied() else { return };
            let place = place + added;
            let part = loose.parts.get(place).filter(|_| is_known).map(Part::as_slice);
            written.clear();
            keep_one(stream, part, (event.when, body), now, &mut written);
            if part == Some(written.as_slice()) {
                return;
            }
            is_new = true;
            if is_known {
                loose.set(place, &written);
            } else {
                loose.insert(place, wanted.number, &written);
                added += 1;
            }
        });
        is_new
    }
}
