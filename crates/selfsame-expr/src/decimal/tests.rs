use proptest::prelude::*;

use super::Decimal;

#[test]
fn numbers_are_read() {
    let cases = [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("1", Some(1_000_000_000)),
        ("+1.50", Some(1_500_000_000)),
        ("1e3", Some(1_000_000_000_000)),
        ("12E-1", Some(1_200_000_000)),
        (".5", Some(500_000_000)),
        ("5.", Some(5_000_000_000)),
        ("0.0000000005", Some(0)),
        ("0.00000000050001", Some(1)),
        ("0.0000000015", Some(2)),
        ("0.0000000025", Some(2)),
        ("-0.0000000015", Some(-2)),
        ("9.9999999999", Some(10_000_000_000)),
        ("1e-400", Some(0)),
        ("0e999999999999999999999", Some(0)),
        ("170141183460469231731687303715.884105727", Some(i128::MAX)),
        ("170141183460469231731687303715.884105728", None),
        ("1e30", None),
        ("1e999999999999999999999", None),
        ("", None),
        ("-", None),
        (".", None),
        ("1e", None),
        ("1e+", None),
        ("0x1", None),
        (" 1", None),
        ("1 ", None),
        ("1_000", None),
        ("NaN", None),
        ("--1", None),
        ("1.2.3", None),
    ];
    for (text, nanos) in cases {
        assert_eq!(Decimal::parse(text).map(|decimal| decimal.0), nanos, "{text}");
    }
}

#[test]
fn numbers_are_printed_in_their_shortest_form() {
    let cases = [
        (0, "0"),
        (1, "0.000000001"),
        (-1, "-0.000000001"),
        (1_500_000_000, "1.5"),
        (100_000_000_000, "100"),
        (-3_250_000_000, "-3.25"),
        (i128::MIN, "-170141183460469231731687303715.884105728"),
    ];
    for (nanos, text) in cases {
        assert_eq!(Decimal(nanos).to_string(), text);
    }
}

#[test]
fn averages_are_rounded_half_to_even() {
    let cases =
        [(1, 2, 0), (3, 2, 2), (-1, 2, 0), (-3, 2, -2), (10, 3, 3), (-10, 3, -3), (7, 7, 1)];
    for (sum, count, average) in cases {
        assert_eq!(Decimal::average(Decimal(sum), count), Some(Decimal(average)), "{sum}/{count}");
    }
    assert_eq!(Decimal::average(Decimal(1), 0), None);
}

proptest! {
    #[test]
    fn what_is_printed_is_read(nanos: i128) {
        let number = Decimal(nanos);
        let text = number.to_string();
        if nanos != i128::MIN {
            prop_assert_eq!(Decimal::parse(&text), Some(number));
        }
    }

    /// With the digits written out by hand, and the exponent in place of the point.
    #[test]
    fn a_point_moves_with_the_exponent(nanos in -10_i128.pow(30)..10_i128.pow(30), shift in 0_usize..20) {
        let text = format!("{nanos}{}e-{}", "0".repeat(shift), shift + 9);
        prop_assert_eq!(Decimal::parse(&text), Some(Decimal(nanos)));
    }

    #[test]
    fn rounding_is_that_of_whole_numbers(nanos in -10_i128.pow(20)..10_i128.pow(20), places in 1_u32..12) {
        let unit = 10_i128.pow(places);
        let (down, rest) = (nanos.div_euclid(unit), nanos.rem_euclid(unit));
        let is_up = rest * 2 > unit || rest * 2 == unit && down % 2 != 0;
        let text = format!("{nanos}e-{}", 9 + places);
        prop_assert_eq!(Decimal::parse(&text), Some(Decimal(down + i128::from(is_up))));
    }
}
