use serde_json::json;

use super::*;

#[test]
fn secrets_are_hidden_wherever_they_stand() {
    let secrets = json!({"key": "k-12/34+x", "long": "k-12/34+x-and-more", "short": "ab"});
    let mask = Mask::of([&secrets]);
    for (said, shown) in [
        ("key=k-12/34+x!", "key=***!"),
        ("k-12/34+x-and-more", "***"),
        ("?key=k-12%2F34%2Bx&ab=1", "?key=***&ab=1"),
        ("nothing", "nothing"),
    ] {
        assert_eq!(mask.text(said), shown);
    }
    let shown = mask.value(&json!({"a": ["k-12/34+x", 5], "k-12/34+x": null}));
    assert_eq!(shown, json!({"a": ["***", 5], "***": null}));
}

#[test]
fn what_proves_who_sends_is_hidden_though_it_is_encoded() {
    let mask = Mask::default();
    assert_eq!(mask.header("authorization", "Basic YWJjOmRlZg=="), "Basic ***");
    assert_eq!(mask.header("authorization", "YWJjOmRlZg=="), "***");
    assert_eq!(mask.header("content-type", "application/json"), "application/json");
}

#[test]
fn nothing_of_it_is_in_debug() {
    let shown = format!("{:?}", Mask::of([&json!("secret-text")]));
    assert!(!shown.contains("secret-text"), "{shown}");
}
