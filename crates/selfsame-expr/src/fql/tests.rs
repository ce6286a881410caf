use proptest::prelude::*;
use selfsame_event::Raw;
use serde_json::json;

use super::glob::Glob;
use super::{closed, parse};

fn holds_for(filter: &str, event: &str) -> bool {
    let filter = parse(filter).unwrap_or_else(|error| panic!("{error}"));
    filter.holds(Raw::check(event.as_bytes()).expect("JSON"))
}

const EVENT: &str = r#"{
    "event": "Button Clicked", "type": "track", "userId": null,
    "context": {"library": {"name": "analytics.js", "version": "1.0"}, "ip": "10.1.2.3", "a.b": "dotted"},
    "properties": {
        "features": ["discounts", "dark-mode", 5], "yes": true, "no": false, "n": 5, "s": "5", "kana": "ア",
        "o": {"a": 1, "b": 2}, "product 1": {"price": "19.99"}, "huge": 1e400, "words": "two Words", "123": "digits",
        "at": "2026-01-02T00:00:00Z", "in": "it", "pattern": "a*", "six": "2001:db8::1"
    }
}"#;

/// That each of them holds.
fn yes(filters: &[&str]) {
    for filter in filters {
        assert!(holds_for(filter, EVENT), "{filter}");
    }
}

/// That each of them does not, and its negation does.
fn no(filters: &[&str]) {
    for filter in filters {
        assert!(!holds_for(filter, EVENT), "{filter}");
        assert!(holds_for(&format!("!({filter})"), EVENT), "!({filter})");
    }
}

#[test]
fn the_examples_of_the_language() {
    yes(&[
        "event = 'Button Clicked'",
        "type = 'identify' or type = 'track'",
        "event = 'Button Clicked' and type = 'track'",
        "match( context.library.version, '1.*' )",
        "type = 'track' and ( event = 'Click' or match( event, 'Button *' ) )",
        "'dark-mode' in properties.features",
        "properties.product\\ 1.price = '19.99'",
        "context.a\\.b = 'dotted'",
        "!( type in ['identify', 'page'] )",
    ]);
    no(&[
        "event = 'Screen Tapped'",
        "context.path.path = '/login'",
        "match( context.library.version, '2.*' )",
        "!contains( context.library.name, 'js' )",
        "'blink' in properties.features",
        "length( userId ) > 0",
    ]);
}

#[test]
fn types_are_strict() {
    yes(&[
        "properties.n = 5",
        "properties.n = 5.0",
        "properties.n != '5'",
        "properties.s = '5'",
        "properties.none = null",
        "userId = null",
        "properties.none != 'x'",
        "properties.features = ['discounts', 'dark-mode', 5]",
        "properties.huge != 5",
        "properties.huge = properties.huge",
        "properties.o = properties.o",
    ]);
    no(&[
        "properties.n = '5'",
        "properties.s = 5",
        "properties.yes = 'true'",
        "properties.none = false",
        "properties.features = ['dark-mode', 'discounts', 5]",
        "properties.o = properties.n",
    ]);
}

#[test]
fn order_is_of_numbers_and_of_texts() {
    yes(&["properties.n > 4.9", "properties.n >= 5", "properties.n <= +5", "-6 < properties.n"]);
    yes(&["properties.at >= '2026-01-01T00:00:00Z'"]);
    no(&[
        "properties.s > 4",
        "properties.n > '4'",
        "properties.none < 1",
        "properties.none >= null",
        "properties.yes > false",
        "properties.huge > 5",
        "properties.features > 1",
    ]);
}

#[test]
fn only_true_is_true() {
    yes(&[
        "properties.yes",
        "true",
        "!properties.no",
        "!properties.none",
        "!properties.n",
        "(properties.yes)",
    ]);
    no(&[
        "properties.no",
        "properties.n",
        "properties.s",
        "properties.none",
        "'true'",
        "1",
        "null",
        "properties.none and true",
        "properties.none or false",
        "lowercase(event)",
    ]);
}

#[test]
fn not_binds_closer_than_and_and_that_closer_than_or() {
    yes(&[
        "true or true and false",
        "!false and true",
        "!properties.n = 6",
        "!true or true",
        "(true or true) and !false",
    ]);
    no(&["(true or true) and false", "!(true or true)", "!properties.n = 5"]);
}

#[test]
fn lists_hold_what_is_of_the_same_type() {
    yes(&[
        "5 in properties.features",
        "properties.n in [4, 5]",
        "null in [null]",
        "properties.none in [null]",
    ]);
    yes(&["lowercase(type) in ['track']", "properties.in in ['it']"]);
    no(&[
        "'5' in properties.features",
        "properties.n in ['5']",
        "5 in properties.n",
        "5 in properties.none",
        "5 in []",
    ]);
}

#[test]
fn functions_take_what_they_are_for_and_null_for_the_rest() {
    yes(&[
        "length('ア') = 3",
        "length(properties.kana) = 3",
        "length(properties.features) = 3",
        "length([1, 2]) = 2",
        "length(null) = 0",
        "length(properties.n) = null",
        "lowercase(event) = 'button clicked'",
        "uppercase('é') = 'É'",
        "lowercase(properties.n) = null",
        "snakecase('a b c') = 'a_b_c'",
        "kebabcase('a b') = 'a-b'",
        "titlecase('test  string') = 'Test  String'",
        "titlecase(properties.words) = 'Two Words'",
        "typeof(event) = 'string'",
        "typeof(properties.n) = 'number'",
        "typeof(properties.huge) = 'number'",
        "typeof(properties.features) = 'list'",
        "typeof(properties.yes) = 'bool'",
        "typeof(properties.none) = 'null'",
        "typeof(properties.o) = 'object'",
        "contains(lowercase(event), 'button')",
        "contains(event, '') = true",
        "bool('true')",
        "bool(properties.n)",
        "bool(properties.features)",
        "bool('x') = null",
        "bool(0) = false",
        "string(properties.n) = '5'",
        "string(properties.features) = '[\"discounts\",\"dark-mode\",5]'",
        "string(null) = null",
        "number(properties.s) = 5",
        "number('x') = null",
        "match(event, properties.none) = false",
        "match('abc', properties.pattern)",
        "properties.123 = 'digits'",
    ]);
    no(&[
        "contains(properties.none, 'a')",
        "contains(properties.n, '5')",
        "match(null, '*')",
        "match(event, '[')",
    ]);
}

#[test]
fn addresses_are_in_networks() {
    yes(&[
        "cidrmatch(context.ip, '10.0.0.0/8')",
        "cidrmatch(context.ip, '10.1.2.3')",
        "cidrmatch(context.ip, '0.0.0.0/0')",
        "cidrmatch(context.ip, '10.1.2.3/32')",
        "cidrmatch('::ffff:10.1.2.3', '10.0.0.0/8')",
        "cidrmatch(properties.six, '2001:db8::/32')",
        "cidrmatch(properties.six, '::/0')",
    ]);
    no(&[
        "cidrmatch(context.ip, '10.1.2.2/32')",
        "cidrmatch(context.ip, '11.0.0.0/8')",
        "cidrmatch(context.ip, '10.0.0.0/33')",
        "cidrmatch(context.ip, '10.0.0.0/+8')",
        "cidrmatch(context.ip, '::/0')",
        "cidrmatch(properties.none, '0.0.0.0/0')",
        "cidrmatch(event, '0.0.0.0/0')",
        "cidrmatch(properties.six, '2001:db9::/32')",
    ]);
}

#[test]
fn globs_match_the_whole_text() {
    for (text, pattern, expected) in [
        ("abcd", "a*d", true),
        ("", "*", true),
        ("abc", "ab", false),
        ("abcd", "a??d", true),
        ("abcd", "*d", true),
        ("ab*d", r"ab\*d", true),
        ("abxd", r"ab\*d", false),
        ("abCd", "ab[cC]d", true),
        ("abcd", "ab[a-z]d", true),
        ("abcd", "ab[A-Z]d", false),
        ("abcd", "ab[^x]d", true),
        ("abcd", "ab[^a-z]d", false),
        ("ab/c", "a*", true),
        ("a]", "a]", true),
        ("a-b", r"a[\-x]b", true),
        ("é", "?", true),
        ("😀x", "?x", true),
        ("aab", "*ab", true),
        ("abab", "*ab*b", true),
        ("", "", true),
        ("", "**", true),
        ("a", "", false),
        ("[", "[", false),
        ("a", "[a", false),
        ("a", "[]a]", false),
        ("-", "[-a]", false),
        ("a", "a\\", false),
    ] {
        let matches = Glob::parse(pattern).is_some_and(|glob| glob.matches(text));
        assert_eq!(matches, expected, "{text:?} {pattern:?}");
    }
}

/// That the filter is refused at that part, with that sentence.
fn refused(filter: &str, at: &str, sentence: &str) {
    let error = parse(filter).expect_err(filter);
    assert_eq!(error.sentence(), sentence, "{filter}");
    assert_eq!(
        filter.get(error.place.start as usize..error.place.end as usize),
        Some(at),
        "{filter}"
    );
    let event = Raw::check(EVENT.as_bytes()).expect("JSON");
    assert!(!closed(filter).holds(event), "{filter}");
}

#[test]
fn what_is_no_filter_is_pointed_at_and_lets_nothing_through() {
    refused("userId = oops\"", "\"", "expected a text in \"…\", found a text that does not end");
    refused("", "", "expected a path, a text, a number, a list or a function, found the end");
    refused("type == 'track'", "==", "expected `=`, found `==`");
    refused("true && true", "&&", "expected `and`, found `&&`");
    refused(
        "true AND true",
        "AND",
        "expected `and`, `or` or the end, found `AND`; did you mean `and`?",
    );
    refused(
        "contians(event, 'x')",
        "contians",
        "expected the name of a function, found `contians`; did you mean `contains`?",
    );
    refused("contains(event)", "contains", "expected 2 arguments of `contains`, found 1 of them");
    refused("length()", "length", "expected 1 argument of `length`, found 0 of them");
    refused("(true", "", "expected an operator, `and`, `or` or `)`, found the end");
    refused("a in 'x'", "'x'", "expected a list in brackets, or a path to one, found `'x'`");
    refused("a in ['x' 'y']", "'y'", "expected `,` or `]`, found `'y'`");
    refused("a in [b]", "b", "expected a text, a number, `true`, `false` or `null`, found `b`");
    refused("a = 5.", "5.", "expected a number, such as -12.5, found `5.`");
    refused("a = 1.2.3", "1.2.3", "expected a number, such as -12.5, found `1.2.3`");
    refused("a = 12x", "12x", "expected a number, such as -12.5, found `12x`");
    refused("a = -", "-", "expected a number, such as -12.5, found `-`");
    refused("a. = 1", "", "expected a name behind the point, found `=`");
    refused("a\\", "\\", "expected a character behind the backslash, found the end");
    refused(
        "a = b = c",
        "=",
        "expected `and`, `or` or the end: a comparison has two sides, found `=`",
    );
    refused(
        "a ? b",
        "?",
        "expected a word of FQL (in names, other characters have a backslash before them), found `?`",
    );
    let long = format!("a = '{}'", "x".repeat(6_000));
    assert_eq!(
        parse(&long).expect_err("long").sentence(),
        "expected at most 5120 bytes, found 6006 bytes"
    );
    for part in ["(", "!", "length("] {
        let deep = parse(&part.repeat(5_000 / part.len())).expect_err("deep");
        assert!(deep.expected.contains("in each other"), "{deep}");
    }
}

#[test]
fn quotes_may_stand_in_texts() {
    yes(&[
        r#""it's" = 'it\'s'"#,
        r#"'say "x"' = "say \"x\"""#,
        r"contains('a\d', 'a\d')",
        r"'a\\b' = 'a\\b'",
    ]);
}

#[test]
fn sdks_get_nested_lists() {
    for (filter, ir) in [
        ("properties.yes", json!("properties.yes")),
        (
            "type = 'track' and !(event = 'x' or userId != null)",
            json!(["and", ["=", "type", { "value": "track" }], ["!", ["or", ["=", "event", { "value": "x" }], ["!=", "userId", { "value": null }]]]]),
        ),
        ("match(event, 'a*')", json!(["match", "event", { "value": "a*" }])),
        ("length(event) > 1.50", json!([">", ["length", "event"], { "value": 1.5 }])),
        (
            "type in ['a', true]",
            json!(["in", "type", { "value": [{ "value": "a" }, { "value": true }] }]),
        ),
    ] {
        assert_eq!(parse(filter).expect("a filter").intermediate(), Some(ir), "{filter}");
    }
    for filter in [
        "uppercase(event) = 'A'",
        "contains(lowercase(event), 'a')",
        "context.a\\.b = 1",
        "(event = 'x') = true",
        "lowercase(type) in ['a']",
        "cidrmatch(context.ip, '10.0.0.0/8')",
    ] {
        assert_eq!(parse(filter).expect("a filter").intermediate(), None, "{filter}");
    }
}

/// Every way to cut the text, tried.
fn slow(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('*', rest)) => (0..=text.len()).any(|cut| slow(rest, &text[cut..])),
        Some(('?', rest)) => !text.is_empty() && slow(rest, &text[1..]),
        Some((same, rest)) => text.first() == Some(same) && slow(rest, &text[1..]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn globs_match_as_trying_everything_does(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        let glob = Glob::parse(&pattern).expect("well formed");
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(glob.matches(&text), slow(&chars(&pattern), &chars(&text)), "{} {}", pattern, text);
    }

    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(prop_oneof![
        6 => prop::sample::select(vec![
            "a", ".", "a.b", "'x'", "\"", " ", "(", ")", "[", "]", ",", "=", "!=", "!", "<", "in ", "and ", "or ", "null",
            "true", "length(", "match(", "'['", "1", "-1.5", "contains(", "cidrmatch(",
        ]),
        1 => prop::sample::select(vec!["\\", "'", "é", "5.", "+", "&&", "\n", "\u{0}"]),
    ], 0..30)) {
        let text = pieces.concat();
        let event = Raw::check(EVENT.as_bytes()).expect("JSON");
        match parse(&text) {
            Ok(filter) => {
                filter.holds(event);
                filter.intermediate();
            }
            Err(error) => {
                let (start, end) = (error.place.start as usize, error.place.end as usize);
                prop_assert!(text.get(start..end).is_some());
                prop_assert!(!closed(&text).holds(event));
            }
        }
    }
}
