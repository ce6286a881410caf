//! Rows of any length, side by side and without air between them.
//!
//! A row that grows leaves its place for a longer one. An allocator gives a page of such places back
//! when the last of hundreds of rows has left it, so that a million rows that grow at random hold
//! twice the memory that they need. Here the last row of a size moves into the place that became
//! free: every place before the last one is taken, whatever came and went.
//!
//! ```text
//! size     pages, cut into places of that size; a place: owner: u32, row, rest
//!  16  ->  [owner row|owner row|owner row] [owner row|         |         ]
//!  24  ->  [owner row   |owner row   |   ]
//!  ..
//! large->  (owner, row, room) (owner, row, room)
//! ```
//!
//! The owner is the number of the row's entry, which is told when its row moves. The size of a place
//! follows from the length of its row, so an entry holds the length and the number of the place.

use super::home::{Home, Moved};

/// Bytes of a page. An allocator that cuts 64 KiB into blocks and needs a little of them for itself
/// gets nine of these, but seven of eight KiB.
const PAGE: usize = 7 << 10;
/// The largest place in a page. Longer rows are few and have a block of their own, with room for the bytes of
/// their size.
const LARGEST: usize = 2 << 10;
const OWNER: usize = size_of::<u32>();
/// How many places a page has, for each size: looked up, because to divide takes as long as the rest
/// of finding a row.
const IN_PAGE: [u32; number_of(LARGEST) + 1] = in_page();

type Page = [u8; PAGE];

/// What an entry holds of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    index: u32,
    length: u32,
}

/// The rows of a shard.
#[derive(Debug, Default)]
pub struct Slabs {
    sizes: Vec<Size>,
    large: Vec<(u32, Vec<u8>)>,
    /// A page that became free: another size may need one soon.
    spare: Option<Box<Page>>,
    used: usize,
}

/// All places of one size.
#[derive(Debug, Default)]
struct Size {
    pages: Vec<Box<Page>>,
    rows: u32,
}

impl Home<[u8]> for Slabs {
    type Seat = Seat;

    fn add(&mut self, row: &[u8], owner: u32) -> Seat {
        let place = place_of(row.len());
        self.used += place;
        let length = u32::try_from(row.len()).expect("a row has fewer than 2^32 bytes");
        if place > LARGEST {
            let mut room = Vec::with_capacity(place);
            room.extend_from_slice(row);
            self.large.push((owner, room));
            return Seat { index: number(self.large.len() - 1), length };
        }
        let number = number_of(place);
        if self.sizes.len() <= number {
            self.sizes.resize_with(number + 1, Size::default);
        }
        let index = self.sizes[number].push(place, &mut self.spare);
        let bytes = self.sizes[number].place_mut(index, place);
        bytes[..OWNER].copy_from_slice(&owner.to_le_bytes());
        bytes[OWNER..OWNER + row.len()].copy_from_slice(row);
        Seat { index, length }
    }

    fn row<'a>(&'a self, seat: &'a Seat) -> &'a [u8] {
        let length = seat.length as usize;
        let place = place_of(length);
        if place > LARGEST {
            return &self.large[seat.index as usize].1;
        }
        &self.sizes[number_of(place)].place(seat.index, place)[OWNER..OWNER + length]
    }

    fn set(&mut self, seat: &mut Seat, row: &[u8], owner: u32) -> Option<Moved> {
        let place = place_of(row.len());
        if place != place_of(seat.length as usize) {
            let moved = self.remove(seat);
            *seat = self.add(row, owner);
            return moved;
        }
        if place > LARGEST {
            let (_, room) = &mut self.large[seat.index as usize];
            room.clear();
            room.extend_from_slice(row);
        } else {
            let bytes = self.sizes[number_of(place)].place_mut(seat.index, place);
            bytes[OWNER..OWNER + row.len()].copy_from_slice(row);
        }
        seat.length = number(row.len());
        None
    }

    fn remove(&mut self, seat: &Seat) -> Option<Moved> {
        let place = place_of(seat.length as usize);
        self.used -= place;
        if place > LARGEST {
            self.large.swap_remove(seat.index as usize);
            let (owner, _) = self.large.get(seat.index as usize)?;
            return Some(Moved { owner: *owner, index: seat.index });
        }
        self.sizes[number_of(place)].remove(seat.index, place, &mut self.spare)
    }

    fn follow(seat: &mut Seat, moved: Moved) {
        seat.index = moved.index;
    }

    fn used(&self) -> usize {
        self.used
    }

    fn bytes(&self) -> usize {
        let pages: usize = self.sizes.iter().map(|size| size.pages.capacity()).sum();
        let held: usize = self.sizes.iter().map(|size| size.pages.len()).sum();
        let large = self.large.iter().map(|(_, row)| row.capacity()).sum::<usize>()
            + self.large.capacity() * size_of::<(u32, Vec<u8>)>();
        let held = held + usize::from(self.spare.is_some());
        held * PAGE
            + large
            + pages * size_of::<Box<Page>>()
            + self.sizes.capacity() * size_of::<Size>()
    }
}

impl Size {
    /// The place of that number. All of them have `place` bytes.
    fn place(&self, index: u32, place: usize) -> &[u8] {
        let (page, at) = spot(index, place);
        &self.pages[page][at..at + place]
    }

    fn place_mut(&mut self, index: u32, place: usize) -> &mut [u8] {
        let (page, at) = spot(index, place);
        &mut self.pages[page][at..at + place]
    }

    /// Takes the place behind the last one.
    fn push(&mut self, place: usize, spare: &mut Option<Box<Page>>) -> u32 {
        let index = self.rows;
        if spot(index, place).0 == self.pages.len() {
            self.pages.push(spare.take().unwrap_or_else(new_page));
        }
        self.rows += 1;
        index
    }

    /// Frees a place: the last row moves there.
    fn remove(&mut self, index: u32, place: usize, spare: &mut Option<Box<Page>>) -> Option<Moved> {
        self.rows -= 1;
        let last = self.rows;
        let (from, from_at) = spot(last, place);
        let moved = (index != last).then(|| {
            let (to, to_at) = spot(index, place);
            if from == to {
                self.pages[to].copy_within(from_at..from_at + place, to_at);
            } else {
                let (pages, rest) = self.pages.split_at_mut(from);
                let row = &rest[0][from_at..from_at + place];
                pages[to][to_at..to_at + place].copy_from_slice(row);
            }
            let bytes = self.place(index, place);
            let owner = bytes.first_chunk().expect("a place begins with its owner");
            Moved { owner: u32::from_le_bytes(*owner), index }
        });
        if from_at == 0 {
            *spare = self.pages.pop();
        }
        moved
    }
}

/// The page of a place, and where it is there.
fn spot(index: u32, place: usize) -> (usize, usize) {
    let in_page = IN_PAGE[number_of(place)];
    let (page, within) = (index / in_page, index % in_page);
    (page as usize, within as usize * place)
}

#[expect(clippy::cast_possible_truncation, reason = "a page has fewer than 2^32 places")]
const fn in_page() -> [u32; number_of(LARGEST) + 1] {
    let mut counts = [0; number_of(LARGEST) + 1];
    let mut place = 8;
    while place <= LARGEST {
        counts[number_of(place)] = (PAGE / place) as u32;
        place = allocated(place + 1);
    }
    counts
}

/// The bytes of the place of a row.
fn place_of(length: usize) -> usize {
    allocated(OWNER + length)
}

/// The number of a size: eight for each doubling.
const fn number_of(place: usize) -> usize {
    if place <= 64 {
        return place / 8 - 1;
    }
    let double = place.next_power_of_two();
    let doubling = double.trailing_zeros() as usize - 7;
    8 + 8 * doubling + (place - double / 2) / (double / 16) - 1
}

/// About what an allocator takes for so many bytes: it has eight sizes for each doubling.
const fn allocated(bytes: usize) -> usize {
    if bytes <= 64 {
        return bytes.next_multiple_of(8);
    }
    let step = bytes.next_power_of_two() / 16;
    bytes.next_multiple_of(step)
}

fn new_page() -> Box<Page> {
    vec![0; PAGE].into_boxed_slice().try_into().expect("it has the length of a page")
}

fn number(number: usize) -> u32 {
    u32::try_from(number).expect("a shard has fewer than 2^32 rows, each of fewer than 2^32 bytes")
}

#[cfg(test)]
mod tests;
