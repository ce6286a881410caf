use proptest::collection::vec;
use proptest::prelude::*;
use selfsame_event::packed::Reader;
use selfsame_event::{RecordId, Time};

use super::{BESIDE, Element, Elements, Room, add_newest};
use crate::when::When;

const ROOM: Room = Room { events: 5, bytes: 4 * (BESIDE + 8) };
const BODY: [u8; 20] = [7; 20];

/// Of a length that is no function of the time.
fn element(time: i64) -> Element<'static> {
    let when = When::new(Time::from_micros(time), RecordId([0; 16]), 0);
    let length = usize::try_from(time * 7 % 20).expect("small") + 1;
    Element { when, body: &BODY[..length] }
}

fn added(times: &[i64]) -> Elements<'static> {
    let mut all = Elements::default();
    times.iter().for_each(|time| all.add(element(*time), ROOM));
    all
}

proptest! {
    #[test]
    fn what_stays_does_not_depend_on_the_order(
        times in vec(1..60_i64, 0..20), turn in 0..20_usize, at in 0..20_usize,
    ) {
        let mut times = times;
        times.sort_unstable();
        times.dedup();
        let mut turned = times.clone();
        turned.reverse();
        turned.rotate_left(turn.min(times.len()));
        prop_assert_eq!(added(&times), added(&turned));
        let (one, other) = turned.split_at(at.min(turned.len()));
        let mut both = added(one);
        both.combine(added(other), ROOM);
        prop_assert_eq!(both, added(&times));
    }

    /// The newest, up to the first for which there is no room.
    #[test]
    fn the_newest_stay(times in vec(1..60_i64, 0..20)) {
        let mut times = times;
        times.sort_unstable();
        times.dedup();
        let mut bytes = 0;
        let fits = |time: &&i64| {
            bytes += element(**time).size();
            bytes <= ROOM.bytes
        };
        let expected = times.iter().rev().take(ROOM.events).take_while(fits).count();
        let all = added(&times);
        let kept = &all.list;
        prop_assert_eq!(kept.len(), expected);
        prop_assert_eq!(all.cut.is_some(), expected < times.len());
        prop_assert!(all.cut < kept.first().map(|element| element.when) || kept.is_empty());
    }
}

proptest! {
    /// Added to the bytes or to the list: the same bytes.
    #[test]
    fn what_is_written_grows_as_the_list_does(
        times in vec(1..60_i64, 0..20), reach in 1..80_i64, columns in 0..2_usize,
    ) {
        let (mut bytes, mut newest) = (Vec::new(), 0);
        added(&[]).put(&mut bytes, columns);
        let mut all = Elements::default();
        for time in times {
            let element = element(time);
            let element = Element { body: if columns > 0 { element.body } else { &[] }, ..element };
            let until = Some(Time::from_micros(newest.max(time) - reach));
            let mut next = Vec::new();
            let is_added = add_newest(&bytes, columns, element, (ROOM, until), &mut next);
            let is_newest = all.list.last().is_some_and(|last| last.when < element.when);
            prop_assert!(!is_added || is_newest);
            if all.list.iter().any(|known| known.when == element.when) {
                continue;
            }
            all.add(element, ROOM);
            until.into_iter().for_each(|until| all.forget(until));
            let mut expected = Vec::new();
            all.put(&mut expected, columns);
            if is_added {
                prop_assert_eq!(&next, &expected);
            }
            bytes = expected;
            newest = newest.max(time);
            let again = Elements::read(columns, &mut Reader(&bytes));
            prop_assert_eq!(again.as_ref(), Some(&all));
            let mut plain = Vec::new();
            all.put_plain(&mut plain, columns);
            prop_assert_eq!(Elements::read_plain(columns, &mut Reader(&plain)), again);
        }
    }
}
