use serde_json::{Value, json};

use super::Tree;
use crate::{Scope, Template};

fn check(tree: &Value, expected: &Value) {
    let event = json!({"userId": "u/1", "n": null, "list": [1, 2], "traits": {"a": 1, "b": 2}});
    let scope = Scope::at(0).with("event", &event);
    let compiled = Tree::compile(tree).expect("a tree");
    assert_eq!(compiled.value(&scope).as_ref(), Some(expected), "{tree}");
}

#[test]
fn strings_are_templates_and_what_is_undefined_is_left_out() {
    check(
        &json!({
            "id": "=event.userId",
            "text": "{{ event.userId }} and {{event.missing}}{{ event.n }}.",
            "none": "=event.missing",
            "null": "=event.n",
            "list": ["=event.missing", "=event.list", true, null],
            "deep": {"x": {"y": "=event.missing"}},
            "constant": {"a": [1, "b"]},
        }),
        &json!({
            "id": "u/1",
            "text": "u/1 and .",
            "null": null,
            "list": [[1, 2], true, null],
            "deep": {"x": {}},
            "constant": {"a": [1, "b"]},
        }),
    );
}

#[test]
fn objects_are_spread() {
    check(
        &json!({"a": 0, "...": "=event.traits", "b": "=event.missing", "c": "=event.userId"}),
        &json!({"a": 1, "b": 2, "c": "u/1"}),
    );
    check(&json!({"...": "=event.traits", "a": 5}), &json!({"a": 5, "b": 2}));
}

#[test]
fn texts_that_look_like_expressions_can_be_written() {
    check(
        &json!(["\\=a", "\\{{x}}", "{{ '}}' }}", "{{ {a: '\\'}'}.a }}"]),
        &json!(["=a", "{{x}}", "}}", "'}"]),
    );
}

#[test]
fn problems_point_into_the_tree() {
    let problems = Tree::compile(&json!({
        "a/b": ["x", "=1 +"],
        "c": "http://{{ lowr(x) }}/",
        "d": "{{ x",
    }));
    let problems: Vec<_> =
        problems.expect_err("problems").iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "/a~1b/1, byte 4: expected an expression, found the end of the text",
            "/c, byte 10: expected a function, found `lowr`; did you mean `lower`?",
            "/d, byte 0: expected `}}`, found the end of the text; two brackets of the text itself are written `\\{{`",
        ]
    );
}

#[test]
fn parts_of_urls_are_encoded() {
    let (id, base) = (json!("a/b c"), json!("https://x.example"));
    let scope = Scope::at(0).with("id", &id).with("base", &base);
    let url = |text: &str| Template::compile(text).expect(text).url(&scope);
    assert_eq!(url("https://h/{{ id }}?x={{ 1 + 1 }}").as_deref(), Some("https://h/a%2Fb%20c?x=2"));
    assert_eq!(url("{{ raw(base) }}/{{ id }}").as_deref(), Some("https://x.example/a%2Fb%20c"));
    assert_eq!(url("=base + '/y'").as_deref(), Some("https://x.example/y"));
}

#[test]
fn names_are_collected() {
    let tree = Tree::compile(&json!({"a": "=x.y", "b": ["{{ z }}{{ x }}"]})).expect("a tree");
    assert_eq!(tree.names(), ["x", "z"]);
}
