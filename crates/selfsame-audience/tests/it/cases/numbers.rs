//! Numbers: what is one, how it is rounded, how it is written.

use crate::reference::Decimal;

#[track_caller]
fn reads(text: &str, expected: &str) {
    assert_eq!(Decimal::parse(text).map(Decimal::text).as_deref(), Some(expected), "{text}");
}

#[track_caller]
fn is_none(text: &str) {
    assert_eq!(Decimal::parse(text), None, "{text}");
}

#[test]
fn a_number_has_one_shortest_form() {
    reads("100", "100");
    reads("0.50", "0.5");
    reads("-3.25", "-3.25");
    reads("1.000", "1");
    reads("007", "7");
    reads("1e2", "100");
    reads("1E+2", "100");
    reads("12345e-3", "12.345");
    reads("+5", "5");
    reads(".5", "0.5");
    reads("5.", "5");
    reads("-0", "0");
    reads("-0.0e7", "0");
    reads("0.000000001", "0.000000001");
}

#[test]
fn what_stands_behind_the_ninth_place_is_rounded_half_to_even() {
    reads("0.0000000004", "0");
    reads("0.0000000005", "0");
    reads("0.00000000050000000001", "0.000000001");
    reads("0.0000000015", "0.000000002");
    reads("0.0000000025", "0.000000002");
    reads("-0.0000000015", "-0.000000002");
    reads("-0.0000000004", "0");
    reads("0.99999999949", "0.999999999");
    reads("0.9999999995", "1");
    reads("1e-9", "0.000000001");
    reads("5e-10", "0");
    reads("15e-10", "0.000000002");
    reads("9e-11", "0");
    reads("1e-999999999999999999999", "0");
    reads("0e999999999999999999999", "0");
}

#[test]
fn a_number_out_of_range_is_none() {
    reads("170000000000000000000000000000", "170000000000000000000000000000");
    reads("-1.7e29", "-170000000000000000000000000000");
    reads("170000000000000000000000000000.0000000005", "170000000000000000000000000000");
    is_none("170000000000000000000000000000.0000000006");
    is_none("170000000000000000000000000001");
    is_none("-1.7000000000000000000000000000000000001e29");
    is_none("1e30");
    is_none("1e400");
    is_none("1e999999999999999999999");
    is_none("999999999999999999999999999999999999999999");
}

#[test]
fn a_number_is_nothing_but_a_number() {
    for text in [
        "", "-", "+", ".", "e5", "1e", "1e+", "0e", "1e5.0", "1e5e5", " 1", "1 ", "1 000", "1,5",
        "1.2.3", "0x10", "1_000", "--1", "+-1", "NaN", "inf", "Infinity", "٣", "½", "1€", "-.e1",
    ] {
        is_none(text);
    }
}

fn all(numbers: &[&str]) -> Vec<Decimal> {
    numbers.iter().map(|number| Decimal::parse(number).expect("a number")).collect()
}

#[track_caller]
fn sums(numbers: &[&str], expected: Option<&str>) {
    assert_eq!(Decimal::sum(&all(numbers)).map(Decimal::text).as_deref(), expected, "{numbers:?}");
}

#[track_caller]
fn averages(numbers: &[&str], expected: Option<&str>) {
    let average = Decimal::average(&all(numbers)).map(Decimal::text);
    assert_eq!(average.as_deref(), expected, "{numbers:?}");
}

#[test]
fn a_sum_is_exact() {
    sums(&["0.1", "0.2"], Some("0.3"));
    sums(&["1.7e29", "-1.7e29", "0.000000001"], Some("0.000000001"));
    sums(&["1.7e29", "1.7e29", "-1.7e29"], Some("170000000000000000000000000000"));
    sums(
        &["-1.7e29", "-1.7e29", "-1.7e29", "1.7e29", "1.7e29"],
        Some("-170000000000000000000000000000"),
    );
    sums(&["1.7e29", "0.000000001"], None);
    sums(&["-1.7e29", "-0.000000001"], None);
    sums(&["1.7e29", "1.7e29"], None);
    sums(&["-1", "-2.5"], Some("-3.5"));
}

#[test]
fn an_average_is_rounded_once_half_to_even() {
    averages(&[], None);
    averages(&["1", "2"], Some("1.5"));
    averages(&["1", "1", "2"], Some("1.333333333"));
    averages(&["1", "2", "2"], Some("1.666666667"));
    averages(&["-1", "-1", "-2"], Some("-1.333333333"));
    averages(&["0", "0.000000001"], Some("0"));
    averages(&["0.000000001", "0.000000002"], Some("0.000000002"));
    averages(&["-0.000000001", "0"], Some("0"));
    averages(&["-0.000000001", "-0.000000002"], Some("-0.000000002"));
    averages(&["1.7e29", "1.7e29", "-1.7e29", "-1.7e29"], Some("0"));
    averages(&["1.7e29", "1.7e29"], None);
}
