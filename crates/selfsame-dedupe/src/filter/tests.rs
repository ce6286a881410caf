use super::*;

/// An id that looks as a keyed hash does.
fn id(number: u64) -> Id {
    let mix = |word: u64| {
        let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
    };
    let high = mix(number + 1);
    Id { high, low: mix(high ^ (high >> 31)) }
}

#[test]
fn what_was_added_passes_and_little_else() {
    let mut filter = Filter::new(50_000);
    (0..50_000).for_each(|number| filter.insert(id(number)));
    assert!((0..50_000).all(|number| filter.may_have(id(number))));
    let passed = (50_000..150_000).filter(|number| filter.may_have(id(*number))).count();
    assert!(passed < 2_500, "{passed} of 100,000 absent ids pass");
}

#[test]
fn a_filter_reads_back_unless_a_bit_has_changed() {
    let mut filter = Filter::new(100);
    (0..100).for_each(|number| filter.insert(id(number)));
    let bytes = filter.seal().to_vec();
    let again = Filter::from_bytes(bytes.clone()).expect("whole");
    assert!((0..100).all(|number| again.may_have(id(number))));
    for byte in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[byte] ^= 4;
        assert!(Filter::from_bytes(damaged).is_none(), "byte {byte}");
    }
}
