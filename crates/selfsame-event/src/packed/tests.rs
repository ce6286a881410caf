use proptest::prelude::*;

use super::*;

#[test]
fn numbers_take_seven_bits_a_byte() {
    for (value, bytes) in [
        (0, vec![0]),
        (127, vec![127]),
        (128, vec![128, 1]),
        (u64::MAX, vec![255, 255, 255, 255, 255, 255, 255, 255, 255, 1]),
    ] {
        let mut out = Scratch::new();
        put_number(&mut out, value);
        assert_eq!(out.as_slice(), bytes, "{value}");
        assert_eq!(Reader(&out).number(), Some(value));
    }
}

#[test]
fn a_number_of_more_than_64_bits_is_refused() {
    assert_eq!(Reader(&[255, 255, 255, 255, 255, 255, 255, 255, 255, 2]).number(), None);
    assert_eq!(Reader(&[128; 11]).number(), None);
    assert_eq!(Reader(&[128]).number(), None);
}

proptest! {
    #[test]
    fn either_sign_survives(value: i64) {
        prop_assert_eq!(unzigzag(zigzag(value)), value);
    }

    #[test]
    fn texts_survive(text in ".*") {
        let mut out = Scratch::new();
        put_text(&mut out, &text);
        let mut reader = Reader(&out);
        prop_assert_eq!(reader.text(), Some(text.as_str()));
        prop_assert_eq!(reader.left(), 0);
    }
}
