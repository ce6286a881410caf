use super::*;

const SIZES: [(u64, u64); 3] = [(10, 1_000), (20, 1_000), (40, 300)];

#[test]
fn bytes_are_counted_from_an_offset_on() {
    let from = |offset| bytes_from(&SIZES, 43, offset);
    assert_eq!(from(0), 2_300);
    assert_eq!(from(10), 2_300);
    assert_eq!(from(15), 1_800);
    assert_eq!(from(30), 800);
    assert_eq!(from(42), 100);
    assert_eq!(from(43), 0);
    assert_eq!(from(99), 0);
    assert_eq!(bytes_from(&[], 0, 0), 0);
    assert_eq!(bytes_from(&[(5, 64)], 5, 5), 0, "a segment without a record");
}

#[test]
fn who_is_before_the_near_place_is_beyond_the_limit_and_nobody_else() {
    for limit in [1, 299, 300, 301, 1_299, 1_300, 2_299, 2_300, 2_301, 9_999] {
        let near = first_near(&SIZES, limit);
        for offset in (10..43).filter(|offset| *offset < near) {
            let behind = bytes_from(&SIZES, 43, offset);
            assert!(behind >= limit, "{offset} is {behind} behind, of {limit}");
        }
    }
    assert_eq!(first_near(&SIZES, 300), 40);
    assert_eq!(first_near(&SIZES, 301), 20);
    assert_eq!(first_near(&SIZES, 2_301), 0);
}
