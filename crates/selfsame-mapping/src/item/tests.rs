use serde_json::Value;

use super::Item;

/// What is read says the same as what `serde_json` reads.
fn reads(json: &str) {
    let expected: Value = serde_json::from_str(json).expect("JSON");
    let item = Item::read(json).unwrap_or_else(|| panic!("not read: {json}"));
    let again: Value = serde_json::from_str(&item.to_json()).expect("JSON again");
    assert_eq!(again, expected, "{json}");
    assert_eq!(item.into_json(), expected, "{json}");
    assert_eq!(Item::owned(expected.clone()).to_json(), expected.to_string());
}

#[test]
fn what_is_read_is_what_was_written() {
    reads(r#"{"a":1,"b":[true,false,null,"x",{}],"c":{"d":[]}}"#);
    reads(r#" [ 1 , 2.50 , -0 , 1e+400 , 12345678901234567890123 ] "#);
    reads(r#"{"quote \" back \\ line \n":"tab \t, \u00e4, \ud83d\ude00, \u0000"}"#);
    reads("\"ä\u{2028}\u{7f}\"");
    // Of a key that comes again, the last value in the first place.
    reads(r#"{"a":1,"b":2,"a":3,"aa":4,"b":{"c":5}}"#);
    let keys: Vec<String> = (0..200).map(|n| format!("\"k{}\":{n}", n % 150)).collect();
    reads(&format!("{{{}}}", keys.join(",")));
}

#[test]
fn what_is_no_json_is_not_read() {
    for text in ["", "{", "[1,]", "{\"a\"}", "{a:1}", "01", "nul", "1 2", "\"\\ud800\"", "\"\n\""] {
        assert!(Item::read(text).is_none(), "{text}");
    }
    assert!(Item::read(&format!("{}1{}", "[".repeat(128), "]".repeat(128))).is_some());
    assert!(Item::read(&format!("{}1{}", "[".repeat(129), "]".repeat(129))).is_none());
}
