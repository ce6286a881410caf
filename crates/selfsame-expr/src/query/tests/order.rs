use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::query::{self, Cycle, References, order};

type Reads = BTreeMap<u8, BTreeSet<u8>>;

fn reads(of: &[(u8, &[u8])]) -> Reads {
    of.iter().map(|(key, reads)| (*key, reads.iter().copied().collect())).collect()
}

#[test]
fn a_definition_reads_the_traits_that_it_names_anywhere() {
    let text = "trait('a.x') = trait('b') AND event('E').where(property('p') > trait('c') AND \
                event('F').where(context('q').contains(trait('d'), 'x')).count() > 0).count() >= 1 \
                OR NOT ANY (trait('e') = 1 AND trait('a') = 2)";
    let found = References::of_condition(&query::condition(text).expect("a condition"));
    assert_eq!(found.own.into_iter().collect::<String>(), "abcd");
    assert_eq!(found.users.into_iter().collect::<String>(), "ae");
    let text = "event('E').where(property('p') > trait('c')).sum(property('n'))";
    let found = References::of_scalar(&query::scalar(text).expect("a value"));
    assert_eq!(found.own.into_iter().collect::<String>(), "c");
}

#[test]
fn what_is_read_comes_first() {
    let strata = order(&reads(&[(1, &[2, 3]), (2, &[3, 9]), (3, &[]), (4, &[9])]));
    assert_eq!(strata, Ok(vec![vec![3, 4], vec![2], vec![1]]));
}

#[test]
fn a_circle_is_named_from_one_of_it_to_the_same() {
    assert_eq!(order(&reads(&[(1, &[1])])), Err(Cycle { path: vec![1, 1] }));
    assert_eq!(
        order(&reads(&[(0, &[1]), (1, &[2]), (2, &[4, 3]), (3, &[1]), (4, &[])])),
        Err(Cycle { path: vec![1, 2, 3, 1] })
    );
    let error = order(&BTreeMap::from([("vip", BTreeSet::from(["vip"]))])).expect_err("a circle");
    assert_eq!(error.to_string(), "definitions refer to each other in a circle: `vip` reads `vip`");
}

/// Whether anything is reached from itself.
fn has_circle(reads: &Reads) -> bool {
    reads.keys().any(|start| {
        let (mut reached, mut next) = (BTreeSet::new(), vec![*start]);
        while let Some(at) = next.pop() {
            for read in reads.get(&at).into_iter().flatten() {
                if reached.insert(*read) {
                    next.push(*read);
                }
            }
        }
        reached.contains(start)
    })
}

proptest! {
    #[test]
    fn an_order_is_one_or_there_is_a_circle(
        reads in prop::collection::btree_map(0..12_u8, prop::collection::btree_set(0..16_u8, 0..3), 0..12),
    ) {
        match order(&reads) {
            Ok(strata) => {
                prop_assert!(!has_circle(&reads));
                let mut earlier = BTreeSet::new();
                for stratum in &strata {
                    for key in stratum {
                        for read in reads[key].iter().filter(|read| reads.contains_key(read)) {
                            prop_assert!(earlier.contains(read), "{} before {}", read, key);
                        }
                    }
                    earlier.extend(stratum.iter().copied());
                }
                prop_assert!(earlier.iter().eq(reads.keys()));
            }
            Err(Cycle { path }) => {
                prop_assert!(path.len() > 1);
                prop_assert_eq!(path.first(), path.last());
                for pair in path.windows(2) {
                    prop_assert!(reads[&pair[0]].contains(&pair[1]));
                }
            }
        }
    }
}
