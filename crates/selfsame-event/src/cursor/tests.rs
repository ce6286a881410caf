use proptest::prelude::*;
use sonic_rs::LazyValue;

use super::*;
use crate::{Event, Kind, Shared};

const BOUNDS: Bounds = Bounds { depth: 5, values: 12 };

fn read(text: &str) -> Option<&str> {
    let mut cursor = Checking::new(text, BOUNDS);
    let value = cursor.value()?;
    cursor.end()?;
    Some(value.text())
}

/// What another parser finds, and our bounds, counted apart from it.
fn oracle(text: &str) -> Option<&str> {
    sonic_rs::from_str::<LazyValue<'_>>(text).ok()?;
    // A lazy value's strings are looked at when they are read; this one reads them all.
    serde_json::from_str::<serde_json::Value>(text).ok()?;
    let (mut depth, mut values, mut rest) = (0_u32, 0, text.chars());
    while let Some(letter) = rest.next() {
        match letter {
            '"' => loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => rest.next().map(drop)?,
                    _ => {}
                }
            },
            '[' | '{' => (depth, values) = (depth + 1, values + 1),
            ']' | '}' => depth -= 1,
            ',' => values += 1,
            _ => {}
        }
        if depth > BOUNDS.depth || values > BOUNDS.values {
            return None;
        }
    }
    Some(text.trim_matches([' ', '\t', '\n', '\r']))
}

/// Tokens in any order: mostly not JSON, now and then nearly.
fn near_json() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"\"",
        "\"\\u00e9\\n\"",
        "\"\\",
        "\"\\u12",
        "\"\n\"",
        "\"é\u{1f600}\"",
        "\"longer than a word\"",
        "\"eight by\"",
        "null",
        "true",
        "false",
        "nul",
        "truefalse",
        "0",
        "-0",
        "01",
        "1.",
        ".5",
        "1.5e+9",
        "-",
        "1e",
        "1E-2",
        " ",
        "\t",
        "\r\n",
        "\u{b}",
        "\u{feff}",
        "{\"a\":",
        "[1,",
        "{}",
        "[]",
        "\"\u{1}\"",
        "\"\u{7f}\"",
        "+1",
        "NaN",
    ];
    proptest::collection::vec(proptest::sample::select(TOKENS), 0..14)
        .prop_map(|tokens| tokens.concat())
}

/// A text that is JSON, with space anywhere and escapes of every sort.
fn json() -> impl Strategy<Value = String> {
    let space = || proptest::sample::select(&["", " ", "\n", " \t\r "][..]);
    let string = || {
        let part = proptest::sample::select(
            &[
                "a",
                "b",
                "é",
                "\u{1f600}",
                "type",
                "\\\"",
                "\\\\",
                "\\u0041",
                "\\ud83d\\ude00",
                "\\/",
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                " ",
                "\u{7f}",
                "seven7s",
                "eight8ei",
            ][..],
        );
        proptest::collection::vec(part, 0..6).prop_map(|parts| format!("\"{}\"", parts.concat()))
    };
    let number =
        proptest::sample::select(&["0", "-0", "12", "-1.50", "1e400", "1E-2", "0.1e+3"][..]);
    let word = proptest::sample::select(&["null", "true", "false"][..]);
    let leaf = prop_oneof![string(), number.prop_map(str::to_owned), word.prop_map(str::to_owned)];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let element = (space(), inner, space());
        let element = element.prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let field = (space(), string(), space(), element.clone());
        let field =
            field.prop_map(|(before, key, after, value)| format!("{before}{key}{after}:{value}"));
        let list = |parts: Vec<String>| parts.join(",");
        prop_oneof![
            (space(), proptest::collection::vec(element, 0..5))
                .prop_map(move |(space, parts)| format!("[{space}{}]", list(parts))),
            (space(), proptest::collection::vec(field, 0..5))
                .prop_map(move |(space, parts)| format!("{{{space}{}}}", list(parts))),
        ]
    })
}

/// What a reader sees of a value, by our walk.
fn ours(raw: Raw<'_>) -> String {
    let mut seen = format!("{:?}", raw.string());
    for (key, value) in raw.fields() {
        seen += &format!("({key:?} {} {})", value.text(), ours(value));
    }
    raw.elements().for_each(|value| seen += &format!("<{} {}>", value.text(), ours(value)));
    seen
}

fn last<'a>(raw: Raw<'a>, wanted: &str) -> Option<&'a str> {
    raw.fields().filter(|(key, _)| key == wanted).last().map(|(_, value)| value.text())
}

/// The same by another parser.
fn theirs(text: &str) -> String {
    let string = text.starts_with('"').then(|| sonic_rs::from_str::<String>(text).ok()).flatten();
    let mut seen = format!("{string:?}");
    if text.starts_with('{') {
        for field in sonic_rs::to_object_iter(text) {
            let (key, value) = field.expect("checked");
            let value = value.as_raw_str().to_owned();
            seen += &format!("({key:?} {value} {})", theirs(&value));
        }
    }
    if text.starts_with('[') {
        for value in sonic_rs::to_array_iter(text) {
            let value = value.expect("checked").as_raw_str().to_owned();
            seen += &format!("<{value} {}>", theirs(&value));
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_json_is_json_to_other_parsers(text in near_json()) {
        prop_assert_eq!(read(&text), oracle(&text), "{}", text);
    }

    #[test]
    fn a_walk_sees_what_another_parser_sees(text in json()) {
        let raw = Raw::check(text.as_bytes()).expect("made as JSON");
        prop_assert_eq!(ours(raw), theirs(raw.text()), "{}", text);
        let mut fields = Vec::new();
        raw.each_field(|key, value| fields.push((key.to_owned(), value)));
        let same = raw.fields().map(|(key, value)| (key.into_owned(), value));
        prop_assert_eq!(&fields, &same.collect::<Vec<_>>());
        for (key, _) in &fields {
            prop_assert_eq!(raw.get(key).map(Raw::text), last(raw, key));
        }
    }

    /// One byte is changed, removed or doubled.
    #[test]
    fn damaged_json_is_seen_as_by_other_parsers(
        text in json(),
        at in any::<prop::sample::Index>(),
        letter in proptest::sample::select(&["", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "n", "\n"][..]),
    ) {
        let mut letters: Vec<_> = text.chars().map(String::from).collect();
        let at = at.index(letters.len());
        letters[at] = letter.to_owned();
        let text = letters.concat();
        let bounds = Bounds { depth: 64, values: usize::MAX };
        let mut cursor = Checking::new(&text, bounds);
        let read = cursor.value().filter(|_| cursor.end().is_some()).map(|raw| raw.text().to_owned());
        let is_json = serde_json::from_str::<serde_json::Value>(&text).is_ok()
            && sonic_rs::from_str::<LazyValue<'_>>(&text).is_ok();
        prop_assert_eq!(read.is_some(), is_json, "{}", &text);
        prop_assert!(read.is_none_or(|read| read == text.trim()));
    }

    #[test]
    fn text_that_was_not_checked_does_no_harm(text in near_json()) {
        let raw = Raw::trusted(&text);
        drop(ours(raw));
        drop(Event::read(raw, &Shared::default()));
    }

    /// In the one pass, an event is judged as it is when it is read alone.
    #[test]
    fn an_event_is_judged_alike_in_both_ways(
        fields in proptest::collection::vec(field(), 0..9),
        implied in proptest::option::of(proptest::sample::select(&crate::EventType::ALL[..])),
    ) {
        let text = format!("{{{}}}", fields.join(" ,"));
        let mut cursor = Checking::new(&text, Bounds { depth: 9, values: 99 });
        let found = Event::find(&mut cursor, implied).expect("made as JSON");
        let raw = Raw::check(text.as_bytes()).expect("made as JSON");
        let shared = Shared { implied, ..Shared::default() };
        let read = Event::read(raw, &shared);
        prop_assert_eq!(found.raw, raw);
        prop_assert_eq!(found.write_key, raw.get("writeKey").filter(|key| !key.is_null()));
        let direct = |event: Event<'_>| Some(event.context.own?.get("direct")?.bool() == Some(true));
        prop_assert_eq!(found.verdict, read.map(direct));
    }
}

/// A field of an event, right or wrong.
fn field() -> impl Strategy<Value = String> {
    let key = proptest::sample::select(
        &[
            "type",
            "type",
            "userId",
            "userId",
            "anonymousId",
            "groupId",
            "previousId",
            "messageId",
            "event",
            "name",
            "category",
            "properties",
            "traits",
            "context",
            "context",
            "writeKey",
            "sentAt",
            "timestamp",
            "integrations",
            "us\\u0065rId",
            "other",
        ][..],
    );
    let value = proptest::sample::select(
        &[
            "null",
            "7",
            "\"\"",
            "\"u\"",
            "\"track\"",
            "\"page\"",
            "\"group\"",
            "\" \"",
            "\"\\u0041\"",
            "[]",
            "{}",
            "{\"direct\":true}",
            "{\"direct\":1,\"consent\":{}}",
            "{\"direct\":null}",
            "{\"consent\":{\"categoryPreferences\":{\"a\":true}},\"consent\":null}",
            "{\"consent\":{\"categoryPreferences\":{\"a\":1}}}",
            "{\"device\":{\"advertisingId\":7}}",
        ][..],
    );
    (key, value).prop_map(|(key, value)| format!("\"{key}\": {value}"))
}

#[test]
fn bounds_hold_exactly() {
    assert_eq!(read("[[[[[]]]]]"), Some("[[[[[]]]]]"));
    assert_eq!(read("[[[[[[]]]]]]"), None);
    assert_eq!(read("[[[[[]]]],[[[[]]]]]").map(str::len), Some(19));
    assert_eq!(read("[1,2,3,4,5,6,7,8,9,10,11,12]").map(str::len), Some(28));
    assert_eq!(read("[1,2,3,4,5,6,7,8,9,10,11,12,13]"), None);
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    assert!(Raw::check(deep.as_bytes()).is_some());
    let deeper = format!("[{deep}]");
    assert!(Raw::check(deeper.as_bytes()).is_none());
    assert_eq!(Raw::trusted(&deeper).elements().map(Raw::text).collect::<Vec<_>>(), [deep]);
}

#[test]
fn half_of_a_pair_is_left_to_others() {
    for half in [r#""\ud83d""#, r#""\ude00\ud83d""#, r#"{"\ud83d":1}"#, r#""\ud83d\u0041""#] {
        assert_eq!(read(half), None, "{half}");
        let raw = Raw::check(half.as_bytes()).expect("readable but for its string");
        assert_eq!((raw.string(), raw.fields().count()), (None, 0), "{half}");
    }
    assert_eq!(read(r#""\uD83D\uDE00""#).map(str::len), Some(14));
}

#[test]
fn a_value_may_be_of_any_kind() {
    for (text, kind) in [("{}", Kind::Object), ("[]", Kind::Array), ("-1", Kind::Number)] {
        assert_eq!(Raw::check(text.as_bytes()).map(Raw::kind), Some(kind));
    }
    assert_eq!(Raw::check(b""), None);
    assert_eq!(Raw::check(b"\xff"), None);
    assert_eq!(Raw::check(b" 1 ").map(Raw::text), Some("1"));
}
