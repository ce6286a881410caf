use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::{Parts as Of, Reading, Rewriting};

type Parts = BTreeMap<usize, Vec<u8>>;

fn parts() -> impl Strategy<Value = Parts> {
    let bytes = (any::<u8>(), prop_oneof![4 => 0..4_usize, 1 => 120..140_usize]);
    btree_map(0..400_usize, bytes.prop_map(|(byte, length)| vec![byte; length]), 0..8)
}

fn part(row: &[u8], number: usize) -> Option<&[u8]> {
    Of::of(row).get(number)
}

fn rewritten(row: &[u8], changed: &Parts) -> Option<Vec<u8>> {
    let mut written = vec![1];
    let (mut rewriting, mut reading) = (Rewriting::new(row, &mut written), Reading::new(row));
    for (number, bytes) in changed {
        assert_eq!(rewriting.part(*number), part(row, *number));
        assert_eq!(reading.part(*number), part(row, *number));
        rewriting.replace(*number, bytes);
    }
    rewriting.done().then_some(written)
}

proptest! {
    #[test]
    fn a_row_has_the_parts_that_were_put_last(before in parts(), changed in parts()) {
        let row = rewritten(&[], &before).unwrap_or_default();
        let row = rewritten(&row, &changed).unwrap_or(row);
        let mut all = before;
        all.extend(changed);
        for number in 0..400 {
            prop_assert_eq!(part(&row, number), all.get(&number).map(Vec::as_slice));
        }
        // However it came about, a row with the same parts has the same bytes.
        prop_assert_eq!(rewritten(&[], &all).unwrap_or_default(), row);
    }
}

#[test]
fn nothing_new_makes_no_new_row() {
    let row = rewritten(&[], &Parts::from([(3, vec![1]), (5, vec![2])])).expect("two parts");
    let mut written = Vec::new();
    let mut rewriting = Rewriting::new(&row, &mut written);
    assert_eq!(rewriting.part(4), None);
    assert_eq!(rewriting.part(5), Some(&[2][..]));
    assert!(!rewriting.done());
}
