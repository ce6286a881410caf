use super::*;

fn id(number: u64) -> Id {
    let word = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Id { high: (word ^ (word >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9), low: number }
}

#[test]
fn a_tag_stays_for_two_generations_through_all_growth() {
    let mut tags = Tags::new(10_000);
    (0..10_000).for_each(|number| tags.insert(id(number)));
    tags.rotate();
    (10_000..20_000).for_each(|number| tags.insert(id(number)));
    assert!((0..20_000).all(|number| tags.contains(id(number))));
    let wrong = (20_000..120_000).filter(|number| tags.contains(id(*number))).count();
    assert!(wrong < 10, "{wrong} of 100,000 absent ids have a tag");
    tags.rotate();
    assert!((0..10_000).filter(|number| tags.contains(id(*number))).count() < 10);
    assert!((10_000..20_000).all(|number| tags.contains(id(number))));
}

#[test]
fn full_generations_take_the_stated_memory() {
    let mut tags = Tags::new(200_000);
    (0..200_000).for_each(|number| tags.insert(id(number)));
    tags.rotate();
    (200_000..400_000).for_each(|number| tags.insert(id(number)));
    assert!(tags.bytes() < 400_000 * 6, "{} bytes", tags.bytes());
}

#[test]
fn a_shard_may_get_more_than_its_part() {
    let mut tags = Tags::new(1_000);
    let skewed = |number: u64| Id { high: number << 24, low: 0 };
    (0..1_000).for_each(|number| tags.insert(skewed(number)));
    assert!((0..1_000).all(|number| tags.contains(skewed(number))));
}

#[test]
fn ids_in_order_are_taken_as_fast_as_others() {
    let mut tags = Tags::new(2_000_000);
    tags.reserve(0, 1_000_000);
    let before = tags.bytes();
    (0..1_000_000_u64).for_each(|number| {
        tags.insert(Id { high: number * (u64::MAX / 1_000_000), low: 0 });
    });
    assert_eq!(tags.bytes(), before, "no table grew while it was filled from one end");
    assert!(tags.contains(Id { high: 999_999 * (u64::MAX / 1_000_000), low: 0 }));
}
