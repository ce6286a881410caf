use proptest::collection::vec;
use proptest::prelude::*;
use selfsame_event::{RecordId, Time};

use super::{Element, Newest, Room};
use crate::elements::Elements;
use crate::when::When;

const BODY: [u8; 20] = [7; 20];

fn element(time: i64) -> Element<'static> {
    let when = When::new(Time::from_micros(time), RecordId([0; 16]), 0);
    let length = usize::try_from(time * 7 % 20).expect("small") + 1;
    Element { when, body: &BODY[..length] }
}

proptest! {
    /// Read from the parts of sections, however they divide the events: as if the lists were combined.
    #[test]
    fn they_are_those_of_the_combined_lists(
        times in vec(1..200_i64, 0..60), shares in vec(0..3_usize, 60), events in 1..40_usize,
        start in 0..200_i64, to in 0..50_i64, bytes in 40..1_500_usize, order in any::<bool>(),
    ) {
        let room = Room { events, bytes };
        let mut times = times;
        times.sort_unstable();
        times.dedup();
        let mut sections = vec![Elements::default(); 3];
        for (time, share) in times.iter().zip(shares) {
            sections[share].add(element(*time), room);
        }
        let written: Vec<Vec<u8>> = sections.iter().map(|section| {
            let mut out = Vec::new();
            section.put(&mut out, 1);
            out
        }).collect();
        let mut all = Elements::default();
        sections.into_iter().for_each(|section| all.combine(section, room));
        let newest = Newest::of(1, room, written.iter().map(Vec::as_slice));
        let (start, behind) = (Time::from_micros(start), Time::from_micros(start + to));
        let until = all.list.iter().rev().position(|one| one.when.time <= start);
        let is_behind = |one: &Element<'_>| one.when.time < behind;
        let place = all.list.iter().rev().position(is_behind);
        let ask = || {
            prop_assert_eq!(newest.place_until(start), until.unwrap_or(all.list.len()));
            prop_assert_eq!(newest.place_behind(start, to), place.unwrap_or(all.list.len()));
            prop_assert_eq!(
                newest.is_cut_since(start), all.cut.is_some_and(|cut| cut.time >= start)
            );
            Ok(())
        };
        // Whether it was read before makes no difference.
        if order {
            ask()?;
        }
        let read: Vec<_> = (0..).map_while(|place| newest.get(place)).collect();
        prop_assert_eq!(&read, &all.list.iter().rev().copied().collect::<Vec<_>>());
        ask()?;
    }
}
