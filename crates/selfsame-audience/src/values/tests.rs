use proptest::collection::vec;
use proptest::prelude::*;
use selfsame_event::packed::Reader;
use selfsame_event::{RecordId, Time};
use selfsame_expr::Value;

use super::{BESIDE, Counts, Seen};
use crate::datum::{Packed, pack};
use crate::when::When;

/// Room for about four of the values below.
const BYTES: usize = 4 * (BESIDE + 6);

fn packed(number: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Of different lengths.
    pack(&mut bytes, &Value::Text("x".repeat(usize::from(number % 7) + 1).into()));
    bytes.push(number);
    *bytes.get_mut(1).expect("a length") += 1;
    bytes
}

fn read(bytes: &[u8]) -> Packed<'_> {
    Packed::read(&mut Reader(bytes)).expect("a value")
}

fn when(time: u8) -> When {
    When::new(Time::from_micros(i64::from(time)), RecordId([0; 16]), 0)
}

fn counts(list: &[(Vec<u8>, u8)]) -> Counts<'_> {
    let mut all = Counts::default();
    list.iter().for_each(|(value, _)| all.add(read(value), 1, BYTES));
    all
}

fn seen(list: &[(Vec<u8>, u8)]) -> Seen<'_> {
    let mut all = Seen::default();
    list.iter().for_each(|(value, time)| all.add(read(value), when(*time), BYTES));
    all
}

proptest! {
    #[test]
    fn what_stays_does_not_depend_on_the_order(
        list in vec((0..12_u8, 0..20_u8), 0..30), turn in 0..30_usize, at in 0..30_usize,
    ) {
        let list: Vec<_> = list.into_iter().map(|(value, time)| (packed(value), time)).collect();
        let mut turned = list.clone();
        turned.reverse();
        turned.rotate_left(turn.min(list.len()));
        prop_assert_eq!(counts(&list), counts(&turned));
        prop_assert_eq!(seen(&list), seen(&turned));

        let (one, other) = list.split_at(at.min(list.len()));
        let mut both = counts(one);
        both.combine(counts(other), BYTES);
        prop_assert_eq!(both, counts(&list));
        let mut both = seen(one);
        both.combine(seen(other), BYTES);
        prop_assert_eq!(both, seen(&list));
    }

    /// The values that were there last, as many as there is room for; the one that is too much and all
    /// before it are not.
    #[test]
    fn those_seen_last_stay(list in vec((0..12_u8, 0..200_u8), 0..30)) {
        let list: Vec<_> = list.into_iter().map(|(value, time)| (packed(value), time)).collect();
        let mut last: Vec<(u8, u64, &[u8])> = Vec::new();
        for (value, time) in &list {
            match last.iter_mut().find(|(.., known)| known == value) {
                Some((known, ..)) => *known = (*known).max(*time),
                None => last.push((*time, read(value).rank(), value)),
            }
        }
        last.sort_unstable();
        let mut room = BYTES;
        let mut expected: Vec<&[u8]> = Vec::new();
        for (.., value) in last.into_iter().rev() {
            match room.checked_sub(value.len() + BESIDE) {
                Some(left) => room = left,
                None => break,
            }
            expected.push(value);
        }
        expected.sort_unstable();
        let seen = seen(&list);
        let kept: Vec<&[u8]> = seen.since(Time::EPOCH).map(|(value, _)| value.bytes()).collect();
        prop_assert_eq!(kept, expected);
    }
}

#[test]
fn what_is_left_out_is_said() {
    let list: Vec<_> = (0..12).map(|number| (packed(number), number)).collect();
    assert!(counts(&list).is_cut());
    let newest_gone = seen(&list).cut().expect("not all of them fit");
    let oldest_kept = seen(&list).since(Time::EPOCH).map(|(_, time)| time).min();
    assert!(Some(newest_gone) < oldest_kept);
    assert!(!counts(list.get(..2).expect("two")).is_cut());
    assert_eq!(seen(list.get(..2).expect("two")).cut(), None);
}
