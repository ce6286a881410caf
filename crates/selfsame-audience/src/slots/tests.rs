use std::collections::BTreeMap;

use selfsame_event::packed::Reader;
use selfsame_event::{RecordId, Time};
use selfsame_expr::Value;

use super::{Grain, LARGE_BYTES, LEAVING, MINUTE, MOST_SLOTS, ONE_SLOT_BYTES, Slots};
use crate::datum::{Packed, pack};
use crate::total::{Kind, Total};
use crate::when::When;

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Moments that look as if they were random: so many, over so long.
fn times(number: i64, micros: i64) -> Vec<i64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state >> 1).expect("63 bits")
    };
    (0..number).map(|_| 1_700_000_000_000_000 + next() % micros).collect()
}

fn when(time: i64) -> When {
    When::new(Time::from_micros(time), RecordId([0; 16]), 0)
}

fn counted(times: &[i64]) -> Slots<'static> {
    let mut slots = Slots::new();
    times.iter().for_each(|time| slots.fold(Kind::Count, when(*time), []));
    slots
}

/// First and last event of a slot, and how many.
fn content(slots: &Slots<'_>) -> Vec<(i64, i64, u64)> {
    let slot = |slot: &super::Slot<'_>| match slot.total {
        Total::Count(count) => (slot.first.micros(), slot.last.micros(), count),
        _ => panic!("a count"),
    };
    slots.iter().map(slot).collect()
}

fn grouped(times: &[i64], grain: Grain) -> Vec<(i64, i64, u64)> {
    let mut groups = BTreeMap::new();
    for time in times {
        let group = groups.entry(grain.slot(Time::from_micros(*time))).or_insert((*time, *time, 0));
        *group = (group.0.min(*time), group.1.max(*time), group.2 + 1);
    }
    groups.into_values().collect()
}

/// The finest grain under which there is room: looked for one after the other.
fn expected(times: &[i64]) -> Vec<(i64, i64, u64)> {
    let exact = grouped(times, Grain::FINEST);
    if exact.len() <= MOST_SLOTS {
        return exact;
    }
    for level in 1..LEAVING {
        let ends: Vec<Time> =
            times.iter().map(|time| Grain::end(level, Time::from_micros(*time))).collect();
        let mut ends: Vec<Time> = ends.into_iter().collect();
        ends.sort_unstable();
        ends.dedup();
        let fits =
            |until: &Time| grouped(times, Grain { level, until: *until }).len() <= MOST_SLOTS;
        // More of them are never finer.
        let first = ends.partition_point(|until| !fits(until));
        if let Some(until) = ends.get(first) {
            return grouped(times, Grain { level, until: *until });
        }
    }
    panic!("days always fit");
}

#[test]
fn events_are_added_up_only_where_there_are_too_many_and_the_oldest_first() {
    let cases = [
        (4_096, 90 * DAY, 0),
        (4_200, 30 * DAY, 1),
        (5_000, DAY, 1),
        (9_000, 30 * DAY, 2),
        (9_000, 90 * DAY, 2),
        (14_000, 1_800 * DAY, 3),
    ];
    for (number, span, level) in cases {
        let times = times(number, span);
        let slots = counted(&times);
        assert_eq!(slots.grain.level, level, "{number} in {span}");
        assert_eq!(content(&slots), expected(&times), "{number} in {span}");
    }
}

#[test]
fn neither_order_nor_division_matters() {
    for (number, span) in [(4_200, 30 * DAY), (7_000, 60 * DAY), (5_500, 2 * DAY)] {
        let times = times(number, span);
        let all = counted(&times);
        let mut sorted = times.clone();
        sorted.sort_unstable();
        assert_eq!(counted(&sorted), all);
        sorted.reverse();
        assert_eq!(counted(&sorted), all);
        for share in [2, 3, 50] {
            let part = |rest| {
                let part = times.iter().enumerate().filter(|(at, _)| (at % share == 0) == rest);
                counted(&part.map(|(_, time)| *time).collect::<Vec<_>>())
            };
            let mut both = part(true);
            both.combine(Kind::Count, part(false));
            assert_eq!(both, all);
        }
    }
}

#[test]
fn they_are_read_as_they_were_written() {
    for number in [0, 1, 100, 4_500] {
        let slots = counted(&times(number, 30 * DAY));
        let mut bytes = Vec::new();
        slots.put(Kind::Count, &mut bytes);
        assert_eq!(Slots::read(Kind::Count, &mut Reader(&bytes)).expect("slots"), slots);
        // A count with its time is a few bytes.
        assert!(bytes.len() < 16 + 8 * slots.list.len(), "{} bytes", bytes.len());
    }
}

#[test]
fn what_is_forgotten_makes_room_for_what_is_fine_again() {
    let mut slots = counted(&times(9_000, 30 * DAY));
    assert_eq!(slots.grain.level, 2);
    let start = 1_700_000_000_000_000;
    slots.forget(Time::from_micros(start + 25 * DAY));
    assert_eq!(slots.grain.level, 1, "the last hours are gone");
    slots.fold(Kind::Count, when(start + 33 * DAY), []);
    slots.fold(Kind::Count, when(start + 33 * DAY + 1), []);
    let last = content(&slots).into_iter().rev().take(2).map(|slot| slot.2).collect::<Vec<_>>();
    assert_eq!(last, [1, 1]);
    // What comes late to a time that is coarse is added up there.
    let number = slots.list.len();
    let (first, _, count) = content(&slots)[0];
    slots.fold(Kind::Count, when(first + 1), []);
    assert_eq!((slots.list.len(), content(&slots)[0].2), (number, count + 1));
    slots.forget(Time::from_micros(start + 32 * DAY));
    assert_eq!((slots.grain, slots.list.len()), (Grain::FINEST, 2));
}

/// Texts of 1,000 bytes, one a day for years: not even days fit.
#[test]
fn the_oldest_days_leave_where_days_are_too_many_bytes() {
    let long: Vec<Vec<u8>> = (0..90)
        .map(|number| {
            let mut bytes = Vec::new();
            pack(&mut bytes, &Value::Text(format!("{number}{}", "x".repeat(1_000)).into()));
            bytes
        })
        .collect();
    let at =
        |number: usize| when(1_700_000_000_000_000 + DAY * i64::try_from(number).expect("few"));
    for kind in [Kind::First, Kind::Counts(ONE_SLOT_BYTES), Kind::Seen(ONE_SLOT_BYTES)] {
        let folded = |numbers: &mut dyn Iterator<Item = usize>| {
            let mut slots = Slots::new();
            for number in numbers {
                let value = Packed::read(&mut Reader(&long[number])).expect("a value");
                slots.fold(kind, at(number), [value]);
            }
            slots
        };
        let slots = folded(&mut (0..90));
        assert_eq!(slots, folded(&mut (0..90).rev()));
        let mut both = folded(&mut (0..90).step_by(2));
        both.combine(kind, folded(&mut (1..90).step_by(2)));
        assert_eq!(slots, both);
        let weight: usize = slots.iter().map(|slot| slot.weight(kind)).sum();
        assert!(weight <= LARGE_BYTES && weight > LARGE_BYTES - 1_100, "{weight}");
        let gone = 90 - slots.list.len();
        assert_eq!(slots.cut, Some(at(gone - 1).time));
        assert_eq!(slots.iter().next().expect("a slot").first, at(gone).time);
    }
}
