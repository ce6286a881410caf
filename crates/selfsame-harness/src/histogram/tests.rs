use std::time::Duration;

use super::{Histogram, bucket, highest};
use crate::random::Random;

#[test]
fn every_value_lies_in_a_bucket_that_ends_at_most_a_64th_above_it() {
    let mut random = Random::part(7, 0);
    for bits in 1..40 {
        for _ in 0..200 {
            let value = random.below(1 << bits);
            let end = highest(bucket(value));
            assert!(end >= value, "{value} is above the end {end} of its bucket");
            assert!(end - value <= value / 64, "{value} is far below the end {end} of its bucket");
        }
    }
}

#[test]
fn buckets_follow_each_other_without_a_gap() {
    for index in 0..2_000 {
        assert_eq!(bucket(highest(index)), index);
        assert_eq!(bucket(highest(index) + 1), index + 1);
    }
}

#[test]
fn quantiles_agree_with_a_sorted_list() {
    let mut random = Random::part(11, 0);
    let mut list = Vec::new();
    let (mut one, mut two) = (Histogram::default(), Histogram::default());
    for index in 0..10_000 {
        let bits = random.between(1, 30);
        let micros = random.below(1 << bits);
        list.push(micros);
        let half = if index % 2 == 0 { &mut one } else { &mut two };
        half.record(Duration::from_micros(micros));
    }
    one.merge(&two);
    list.sort_unstable();
    assert_eq!(one.count(), 10_000);
    assert_eq!(one.max(), Duration::from_micros(list[9_999]));
    for per_mille in [1, 500, 990, 999, 1_000] {
        let exact = list[usize::try_from(per_mille * 10).expect("fits") - 1];
        let told = u64::try_from(one.quantile(per_mille).as_micros()).expect("fits");
        assert!(told >= exact && told <= exact + exact / 64, "{per_mille}: {told} for {exact}");
    }
}

#[test]
fn nothing_counted_is_zero_and_the_longest_has_a_place() {
    assert_eq!(Histogram::default().quantile(990), Duration::ZERO);
    let mut histogram = Histogram::default();
    histogram.record(Duration::MAX);
    assert_eq!(histogram.count(), 1);
}
