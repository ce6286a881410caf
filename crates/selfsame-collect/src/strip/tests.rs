use proptest::prelude::*;
use selfsame_event::{Bounds, Checking, Event};

use super::*;

/// The event without its tokens, as collecting would leave it.
fn stripped(text: &str) -> String {
    let bounds = Bounds { depth: 32, values: 1_000 };
    let found = Event::find(&mut Checking::new(text, bounds), None).expect("JSON");
    let places: Vec<_> = found
        .tokens
        .iter()
        .map(|token| {
            let start = token.text().as_ptr() as usize - text.as_ptr() as usize;
            start..start + token.text().len()
        })
        .collect();
    String::from_utf8(without(text.as_bytes(), &places)).expect("UTF-8")
}

#[test]
fn a_member_goes_with_one_comma_and_nothing_else_changes() {
    let cases = [
        (r#"{"context":{"identityToken":"a.b.c","ip":1}}"#, r#"{"context":{"ip":1}}"#),
        (r#"{"context":{"ip":1,"identityToken":"a.b.c"}}"#, r#"{"context":{"ip":1}}"#),
        (r#"{"context":{"identityToken":"x"},"n":1.50}"#, r#"{"context":{},"n":1.50}"#),
        (
            "{\"context\" : {\n \"a\" : 1 ,\n \"identityToken\" : \"x\"\n } }",
            "{\"context\" : {\n \"a\" : 1 \n } }",
        ),
        (
            r#"{"context":{"identityToken":"x","identityToken":{"y":[1,"\""]},"z":0}}"#,
            r#"{"context":{"z":0}}"#,
        ),
        (r#"{"context":{"a":1,"identityToken":1,"identityToken":2}}"#, r#"{"context":{"a":1}}"#),
        // A key may be written with escapes, and a context may come twice.
        (r#"{"context":{"identity\u0054oken":"x","b":2}}"#, r#"{"context":{"b":2}}"#),
        (
            r#"{"context":{"identityToken":"x"},"context":{"c":3}}"#,
            r#"{"context":{},"context":{"c":3}}"#,
        ),
        // Elsewhere the name means nothing.
        (r#"{"identityToken":1,"traits":{"identityToken":2}}"#, ""),
        (r#"{"context":{"page":{"identityToken":2}}}"#, ""),
    ];
    for (text, expected) in cases {
        assert_eq!(stripped(text), if expected.is_empty() { text } else { expected });
    }
}

proptest! {
    #[test]
    fn what_is_left_is_the_object_without_its_tokens(
        keys in prop::collection::vec(
            prop_oneof![Just("identityToken"), Just("identity\\u0054oken"), Just("a"), Just("b\\\"")],
            0..6,
        ),
        space in "[ \n\t]{0,2}", value in prop_oneof![
            Just("\"x\""), Just("1"), Just("{\"a\":[]}"), Just("\"\\\"\\\\\""),
        ],
    ) {
        let member = |key: &&str| format!("{space}\"{key}\"{space}:{space}{value}{space}");
        let members: Vec<_> = keys.iter().map(member).collect();
        let text = format!("{{\"context\":{{{}}},\"z\":[1.0]}}", members.join(","));
        let left = stripped(&text);
        prop_assert!(!left.contains("oken"), "{left}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text);
        let mut expected = read(&text).expect("JSON");
        expected["context"].as_object_mut().expect("an object").remove("identityToken");
        prop_assert_eq!(read(&left).expect("JSON"), expected);
    }
}
