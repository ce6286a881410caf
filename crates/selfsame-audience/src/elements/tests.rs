use proptest::collection::vec;
use proptest::prelude::*;
use selfsame_event::{RecordId, Time};

use super::{BESIDE, Element, Elements, Room};
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
        let kept = all.since(Time::EPOCH);
        prop_assert_eq!(kept.len(), expected);
        prop_assert_eq!(all.cut().is_some(), expected < times.len());
        prop_assert!(all.cut() < kept.first().map(|element| element.when.time) || kept.is_empty());
    }
}
