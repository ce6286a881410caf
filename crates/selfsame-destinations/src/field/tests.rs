use selfsame_mapping::Item;
use serde_json::{Value, json};

use super::Around;
use crate::manifest::Manifest;

/// What a payload becomes by fields, or the first reason why it does not.
#[expect(clippy::needless_pass_by_value, reason = "what is written where it is called")]
fn check(fields: &str, payload: Value, expected: Result<Value, &str>) {
    let text = format!(
        "manifest: 1\nid: a\nname: A\ncategory: a\ndocs: [a]\nversion: a\nstatus: native\n\
         actions:\n  a:\n    title: A\n    request: {{url: 'https://a/'}}\n    fields: {fields}\n"
    );
    let manifest = Manifest::read("a", &text).unwrap_or_else(|error| panic!("{error}"));
    let fields = &manifest.action("a").expect("the action").fields;
    let made = fields.payload(Item::owned(payload), Around { single: true, now_ms: 0 });
    let made = made.map(|item| serde_json::from_str(&item.to_json()).expect("JSON"));
    assert_eq!(
        made.as_ref().map_err(|faults| faults[0].as_str()),
        expected.as_ref().map_err(|why| *why),
        "{text}"
    );
}

#[test]
fn kinds_are_changed_where_nothing_is_lost() {
    let made = |kind: &str, value: Value, expected: Value| {
        check(
            &format!("{{x: {{type: {kind}}}}}"),
            json!({ "x": value }),
            Ok(json!({ "x": expected })),
        );
    };
    made("string", json!(5), json!("5"));
    made("string", json!(true), json!("true"));
    made("string", json!(["one"]), json!("one"));
    made("number", json!("1.5"), json!(1.5));
    made("number", json!(true), json!(1));
    made("integer", json!("7"), json!(7));
    made("boolean", json!("true"), json!(true));
    made("boolean", json!(0), json!(false));
    made("datetime", json!(1_700_000_000), json!(1_700_000_000));
    made("object", json!({ "a": null }), json!({ "a": null }));
}

#[test]
fn what_would_lose_something_is_refused() {
    let refused = |kind: &str, value: Value, why: &str| {
        check(&format!("{{x: {{type: {kind}}}}}"), json!({ "x": value }), Err(why));
    };
    refused("number", json!("many"), "`x` has to be a number");
    refused("integer", json!(1.5), "`x` has to be a whole number");
    refused("boolean", json!("yes"), "`x` has to be true or false");
    refused("object", json!("text"), "`x` has to be an object");
    refused("string", json!({ "a": 1 }), "`x` has to be a text");
    refused("string", json!(["a", "b"]), "`x` has to be a text");
    refused("datetime", json!("soon"), "`x` has to be a date");
    refused("string, format: email", json!("nobody"), "`x` has to be an address of e-mail");
    refused("string, format: uri", json!("shop"), "`x` has to be an absolute address");
    refused("string, choices: [a, b]", json!("c"), "`x` has to be one of \"a\", \"b\"");
    refused("number, maximum: 3", json!(4), "`x` is above its maximum");
    refused("string, minimum: 3", json!("ab"), "`x` is below its minimum");
}

#[test]
fn what_is_empty_goes_and_so_does_what_no_field_is_for() {
    let fields = "{x: {type: string}, n: {type: number, allow_null: true}, o: {type: object, properties: {a: {type: string}}}}";
    let payload = json!({ "x": "", "n": null, "o": { "a": null, "b": 1 }, "more": 1 });
    check(fields, payload, Ok(json!({ "n": null, "o": {} })));
    check("{x: {type: string, required: true}}", json!({ "x": "" }), Err("`x` is required"));
    check("{x: {type: string, required: true}}", json!({ "x": null }), Err("`x` is required"));
}

#[test]
fn a_value_alone_becomes_a_list_where_one_is_wanted() {
    let fields =
        "{x: {type: object, multiple: true, properties: {id: {type: string, required: true}}}}";
    check(fields, json!({ "x": { "id": 1 } }), Ok(json!({ "x": [{ "id": "1" }] })));
    check(fields, json!({ "x": [{ "id": "a" }, {}] }), Err("`x.1.id` is required"));
}

#[test]
fn a_field_may_be_required_because_of_another() {
    let fields = "{kind: {type: string}, url: {type: string, required: =payload.kind == 'page'}}";
    check(fields, json!({ "kind": "page" }), Err("`url` is required here"));
    check(fields, json!({ "kind": "track" }), Ok(json!({ "kind": "track" })));
}
