use serde_json::{Value, json};

use super::fields;

fn check(old: &Value, new: &Value, expected: &[&str]) {
    let found: Vec<_> = fields(old, new)
        .into_iter()
        .map(|field| format!("{}: {} -> {}", field.path, field.old, field.new))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_the_same_is_not_shown() {
    check(&json!({"a": 1, "b": [1, 2]}), &json!({"b": [1, 2], "a": 1}), &[]);
}

#[test]
fn a_field_is_shown_with_its_path() {
    check(
        &json!({"name": "a", "caps": {"merges": 1, "mappings": 2}}),
        &json!({"name": "b", "caps": {"merges": 1, "mappings": 3}}),
        &["name: \"a\" -> \"b\"", "caps.mappings: 2 -> 3"],
    );
}

#[test]
fn elements_with_names_are_compared_by_name_in_any_order() {
    check(
        &json!({"types": [{"name": "x", "priority": 1}, {"name": "y", "priority": 2}]}),
        &json!({"types": [{"name": "y", "priority": 3}, {"name": "x", "priority": 1}]}),
        &["types[y].priority: 2 -> 3"],
    );
}

#[test]
fn elements_with_ids_are_compared_by_id() {
    check(
        &json!({"identity_keys": [{"id": "a"}, {"id": "b", "public_key": "x"}]}),
        &json!({"identity_keys": [{"id": "b", "public_key": "x"}, {"id": "c", "secret_env": "S"}]}),
        &[
            "identity_keys[a]: {\"id\":\"a\"} -> none",
            "identity_keys[c]: none -> {\"id\":\"c\",\"secret_env\":\"S\"}",
        ],
    );
}

#[test]
fn elements_come_and_go() {
    check(
        &json!({"types": [{"name": "x"}]}),
        &json!({"types": [{"name": "y"}]}),
        &["types[x]: {\"name\":\"x\"} -> none", "types[y]: none -> {\"name\":\"y\"}"],
    );
}

#[test]
fn lists_of_plain_values_are_compared_whole() {
    check(&json!({"events": ["a"]}), &json!({"events": []}), &["events: [\"a\"] -> []"]);
}

#[test]
fn names_of_variables_are_not_compared() {
    check(&json!({"id": 1}), &json!({"id": 1, "secret_env": "S", "write_key_env": "W"}), &[]);
}

#[test]
fn a_field_is_of_the_member_that_it_is_in() {
    let of = |path: &str, member| {
        let (old, new) = (String::new(), String::new());
        super::Field { path: path.to_owned(), old, new }.is_of(member)
    };
    assert!(of("rules", "rules") && of("rules.caps.merges", "rules") && of("events[a]", "events"));
    assert!(!of("rules_of", "rules") && !of("name", "rules"));
}
