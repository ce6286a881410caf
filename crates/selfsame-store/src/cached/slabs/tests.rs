use proptest::prelude::*;

use super::*;

/// Rows and their seats, as the entries of a shard hold them.
#[derive(Debug, Default)]
struct Rows {
    slabs: Slabs,
    seats: Vec<Option<(Seat, Vec<u8>)>>,
}

impl Rows {
    fn set(&mut self, owner: u32, row: Vec<u8>) {
        let at = owner as usize;
        if self.seats.len() <= at {
            self.seats.resize(at + 1, None);
        }
        let moved = if let Some((seat, was)) = &mut self.seats[at] {
            was.clone_from(&row);
            self.slabs.set(seat, &row, owner)
        } else {
            self.seats[at] = Some((self.slabs.add(&row, owner), row));
            None
        };
        self.follow(moved);
    }

    fn remove(&mut self, owner: u32) {
        let taken = self.seats.get_mut(owner as usize).and_then(Option::take);
        if let Some((seat, _)) = taken {
            let moved = self.slabs.remove(&seat);
            self.follow(moved);
        }
    }

    fn follow(&mut self, moved: Option<Moved>) {
        if let Some(moved) = moved {
            let (seat, _) = self.seats[moved.owner as usize].as_mut().expect("who moves is there");
            Slabs::follow(seat, moved);
        }
    }

    /// Every row is what was set last, and the pages are those that so many places need.
    fn check(&self) {
        let rows: Vec<_> = self.seats.iter().flatten().collect();
        for (seat, row) in &rows {
            assert_eq!(self.slabs.row(seat), row);
        }
        let places = || rows.iter().map(|(_, row)| place_of(row.len()));
        assert_eq!(self.slabs.used(), places().sum::<usize>());
        for (number, size) in self.slabs.sizes.iter().enumerate() {
            let of_it = |place: &usize| *place <= LARGEST && number_of(*place) == number;
            let places: Vec<_> = places().filter(of_it).collect();
            let pages = places.first().map_or(0, |place| places.len().div_ceil(PAGE / place));
            assert_eq!(size.pages.len(), pages, "pages of size {number}");
        }
        assert_eq!(self.slabs.large.len(), places().filter(|place| *place > LARGEST).count());
    }
}

#[derive(Debug, Clone)]
enum Step {
    Set(u32, usize),
    Remove(u32),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However rows come, grow, shrink and go, each stays what it is and there is no air between them.
    #[test]
    fn slabs_behave_like_a_map(steps in prop::collection::vec(prop_oneof![
        6 => (0_u32..300, 0_usize..200).prop_map(|(owner, length)| Step::Set(owner, length)),
        1 => (0_u32..300, 0_usize..4_000).prop_map(|(owner, length)| Step::Set(owner, length)),
        2 => (0_u32..300).prop_map(Step::Remove),
    ], 0..1_500)) {
        let mut rows = Rows::default();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Set(owner, length) => rows.set(owner, (number..).map(mark).take(length).collect()),
                Step::Remove(owner) => rows.remove(owner),
            }
            if number % 64 == 0 {
                rows.check();
            }
        }
        rows.check();
        (0..300).for_each(|owner| rows.remove(owner));
        rows.check();
        prop_assert_eq!(rows.slabs.used(), 0);
    }
}

fn mark(number: usize) -> u8 {
    u8::try_from(number % 251).expect("it is below 251")
}

#[test]
fn sizes_are_numbered_without_gaps_and_hold_their_rows() {
    let places: Vec<_> = (0..=LARGEST - OWNER).map(place_of).collect();
    for (length, place) in places.iter().enumerate() {
        assert!(*place >= OWNER + length, "a row of {length} bytes in a place of {place}");
    }
    let mut numbers: Vec<_> = places.into_iter().map(number_of).collect();
    numbers.dedup();
    assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>());
}

/// The case that an allocator is bad at: many rows that grow a little at a time, in no order.
#[test]
fn rows_that_grow_at_random_take_little_more_than_their_bytes() {
    const ROWS: u32 = 2_000;
    let (mut rows, mut drawn) = (Rows::default(), 1_u32);
    (0..ROWS).for_each(|owner| rows.set(owner, vec![0; 40]));
    for _ in 0..ROWS * 12 {
        drawn = drawn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let owner = (drawn >> 8) % ROWS;
        let (_, row) = rows.seats[owner as usize].as_ref().expect("all are there");
        rows.set(owner, vec![1; row.len() + 24]);
    }
    rows.check();
    let bytes: usize = rows.seats.iter().flatten().map(|(_, row)| row.len()).sum();
    let (used, held) = (rows.slabs.used(), rows.slabs.bytes());
    assert!(used >= bytes && used <= bytes * 11 / 10, "{used} bytes of places for {bytes}");
    // The last page of each of some forty sizes is half empty.
    assert!(held >= used && held <= used * 11 / 10 + 40 * PAGE, "{held} bytes held for {bytes}");
}
