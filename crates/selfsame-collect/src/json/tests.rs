use super::{Bounds, prepare};
use crate::Problem;

fn check(text: &str, expected: Result<&str, Problem>) {
    let mut body = text.as_bytes().to_vec();
    let prepared = prepare(&mut body, Bounds { depth: 3, values: 5 });
    assert_eq!(
        prepared.map(|()| String::from_utf8(body).unwrap()),
        expected.map(str::to_owned),
        "{text}"
    );
}

#[test]
fn what_is_within_its_bounds_stays_as_it_is() {
    for text in ["", "{}", "[[[]]]", r#"{"a":[1,2,3]}"#, r#""[[[[[[,,,,,,,""#, r#""\"[[[[""#, "]]]"]
    {
        check(text, Ok(text));
    }
}

#[test]
fn what_is_not_is_named() {
    check("[[[[", Err(Problem::JsonDeep));
    check(r#"{"a":{"a":{"a":{}}}}"#, Err(Problem::JsonDeep));
    check("[1,2,3,4,5,6]", Err(Problem::JsonWide));
}

#[test]
fn only_halves_without_their_partner_are_replaced() {
    check(r#""\ud83d\ude00""#, Ok(r#""\ud83d\ude00""#));
    check(r#""\uD83D\uDE00""#, Ok(r#""\uD83D\uDE00""#));
    check(r#""\ud83d""#, Ok(r#""\ufffd""#));
    check(r#""\ude00\ud83d""#, Ok(r#""\ufffd\ufffd""#));
    check(r#""\ud83d\ud83d\ude00""#, Ok(r#""\ufffd\ud83d\ude00""#));
    check(r#""\ud83dA""#, Ok(r#""\ufffdA""#));
    check(r#""\\ud83d""#, Ok(r#""\\ud83d""#));
    check(r#""\\\ud83d""#, Ok(r#""\\\ufffd""#));
    check("\u{7f}", Ok("\u{7f}"));
    check(r"\ud83d", Ok(r"\ud83d"));
}

/// Found by fuzzing: the parser did not look at escapes in a key that nobody asked for.
#[test]
fn what_is_in_a_string_is_checked() {
    for text in
        [r#"{"\usent":1}"#, r#""\ud8"#, r#""\u12g4""#, r#""\q""#, "\"\n\"", "\"\u{1}\"", r#""\"#]
    {
        check(text, Err(Problem::JsonInvalid));
    }
    check(r#""\"\\\/\b\f\n\r\t\u12aF""#, Ok(r#""\"\\\/\b\f\n\r\t\u12aF""#));
}
