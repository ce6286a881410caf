use serde_json::{Value, json};

use super::Mapping;

fn event() -> Value {
    json!({
        "userId": "u",
        "properties": {
            "a": "Hi", "n": 5, "z": null, "zero": 0, "list": [{"x": 1}, {"x": 2}],
            "order": 12_345_678_901_234_567_890_u64, "deep": {"b c": {"d": null, "e": [null]}}
        },
    })
}

fn check(mapping: &Value, expected: &Value) {
    let compiled = Mapping::compile(&json!({ "it": mapping })).expect("a mapping");
    let resolved = compiled.try_resolve(&event()).expect("a payload");
    let left_out = json!("left out");
    assert_eq!(resolved.get("it").unwrap_or(&left_out), expected, "{mapping}");
}

fn check_problems(mapping: &Value, expected: &[&str]) {
    let problems = Mapping::compile(mapping).expect_err("problems");
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, expected, "{mapping}");
}

#[test]
fn paths_lead_to_values_as_segment_has_it() {
    check(&json!({"@path": "$.properties.a"}), &json!("Hi"));
    check(&json!({"@path": "properties['deep'][\"b c\"].e[0]"}), &Value::Null);
    check(&json!({"@path": "$.properties.list[1].x"}), &json!(2));
    check(&json!({"@path": "$.properties.list.length"}), &json!(2));
    check(&json!({"@path": "$.properties.missing"}), &json!("left out"));
    // What is false on the way is what is found.
    check(&json!({"@path": "$.properties.zero.more"}), &json!(0));
    check(&json!({"@path": "$.properties.z.more"}), &Value::Null);
    check(&json!({"@path": {"@template": "properties.{{properties.none}}a"}}), &json!("Hi"));
    check(&json!({"@path": "$.properties.order"}), &json!(12_345_678_901_234_567_890_u64));
}

#[test]
fn what_an_event_says_is_no_template() {
    let mapping = Mapping::compile(&json!({"it": {"@template": "{{{name}}} {{ name }}"}}));
    let event = json!({"name": "{{userId}}", "userId": "secret"});
    let resolved = mapping.expect("a mapping").resolve(&event);
    assert_eq!(resolved, json!({"it": "{{userId}} {{userId}}"}));
}

#[test]
fn templates_write_what_javascript_writes() {
    check(
        &json!({"@template": "{{userId}}-{{{ properties.a }}}-{{none}}{{properties.z}}"}),
        &json!("u-Hi-"),
    );
    check(
        &json!({"@template": "{{properties.list}} {{properties.n}}"}),
        &json!("[object Object],[object Object] 5"),
    );
    // JavaScript would round it.
    check(&json!({"@template": "{{properties.order}}"}), &json!("12345678901234567890"));
}

#[test]
fn directives() {
    check(
        &json!({"@if": {"exists": {"@path": "properties.zero"}, "then": 1, "else": 2}}),
        &json!(1),
    );
    check(
        &json!({"@if": {"blank": {"@path": "properties.zero"}, "then": 1, "else": 2}}),
        &json!(2),
    );
    check(
        &json!({"@if": {"exists": {"@path": "properties.z"}, "then": 1, "else": 0}}),
        &json!("left out"),
    );
    check(
        &json!({"@case": {"operator": "upper", "value": {"@path": "properties.a"}}}),
        &json!("HI"),
    );
    check(
        &json!({"@replace": {"pattern": "h", "replacement": "$&$&", "ignorecase": true, "value": {"@path": "properties.a"}}}),
        &json!("HHi"),
    );
    check(
        &json!({"@arrayPath": ["$.properties.list", {"v": {"@path": "$.x"}}]}),
        &json!([{"v": 1}, {"v": 2}]),
    );
    check(
        &json!({"@merge": {"direction": "left", "objects": [{"a": 1}, {"a": 2, "b": 3}]}}),
        &json!({"a": 1, "b": 3}),
    );
    check(
        &json!({"@transform": {"apply": {"q": {"@path": "properties.a"}}, "mapping": {"@path": "$.q"}}}),
        &json!("Hi"),
    );
    check(
        &json!({"@json": {"mode": "encode", "value": {"b": 1.5, "1": [null]}}}),
        &json!("{\"1\":[null],\"b\":1.5}"),
    );
    check(&json!({"@json": {"mode": "decode", "value": "[1,{}]"}}), &json!([1, {}]));
    check(
        &json!({"@flatten": {"separator": "_", "value": {"a": {"b": [1, 2]}, "c": {}}}}),
        &json!({"a_b_0": 1, "a_b_1": 2}),
    );
    check(
        &json!({"@excludeWhenNull": {"@path": "properties.deep"}}),
        &json!({"b c": {"e": [null]}}),
    );
    check(&json!({"@liquid": "{{ properties.a | upcase }}"}), &json!("HI"));
    check(&json!({"@literal": {"x": {"@path": "userId"}}}), &json!({"x": "u"}));
}

#[test]
fn half_of_a_character_is_no_text() {
    let mapping = json!({"a": {"@path": "t[0]"}, "b": {"@path": "t[2]"}, "c": {"@merge": {"direction": "left", "objects": [{"@path": "t"}]}}});
    let mapping = Mapping::compile(&mapping).expect("a mapping");
    assert_eq!(mapping.resolve(&json!({"t": "😀x"})), json!({"b": "x", "c": {"2": "x"}}));
}

#[test]
fn a_root_directive_holds_the_other_keys() {
    let mapping = json!({
        "__segment_internal_directive": {"@transform": {"apply": {"u": {"@path": "$.userId"}}}},
        "__segment_internal_sync_mode": "upsert",
        "id": {"@path": "$.u"},
    });
    let compiled = Mapping::compile(&mapping).expect("a mapping");
    assert_eq!(compiled.sync_mode(), Some("upsert"));
    assert_eq!(compiled.resolve(&event())["id"], json!("u"));
}

#[test]
fn objects_that_segment_does_not_check_may_have_such_keys() {
    check(
        &json!([{"@type": "Offer", "price": {"@path": "properties.n"}}]),
        &json!([{"@type": "Offer", "price": 5}]),
    );
}

#[test]
fn problems_point_and_help() {
    check_problems(
        &json!({"a": {"@pth": "$.x"}}),
        &["/a/@pth: expected a directive, found `@pth`; did you mean `@path`?"],
    );
    check_problems(
        &json!({"a": {"@path": "$.x", "b": 1}}),
        &[
            "/a: expected a directive alone, or keys without `@`, found `b` beside `@path`; put the directive into a field of its own",
        ],
    );
    check_problems(
        &json!({"a": {"@path": "$.x", "@template": "y"}}),
        &["/a: expected one directive, found `@path` and `@template`"],
    );
    check_problems(
        &json!({"a": {"@path": 5}}),
        &["/a/@path: expected a string or a directive, found `5`"],
    );
    check_problems(
        &json!({"a/b": {"@if": {"then": 1}}}),
        &["/a~1b/@if: expected a field `exists` or `blank`, found none"],
    );
    check_problems(
        &json!({"a": {"@case": {"operator": "uper", "value": {"@path": 5}}}}),
        &[
            "/a/@case/value/@path: expected a string or a directive, found `5`",
            "/a/@case/operator: expected `lower` or `upper`, found `uper`; did you mean `upper`?",
        ],
    );
    check_problems(
        &json!({"a": {"@replace": {"pattern": "12345678901", "value": "x"}}}),
        &["/a/@replace/pattern: expected at most 10 characters, found 11"],
    );
    check_problems(
        &json!({"a": {"@arrayPath": "x"}}),
        &[
            "/a/@arrayPath: expected an array of a path and perhaps the shape of its elements, found the string `x`",
        ],
    );
    check_problems(
        &json!({"a": {"@liquid": "{% for x in y %}"}}),
        &["/a/@liquid, byte 0: expected a tag, found `for`; Segment has disabled it"],
    );
    check_problems(&json!(["x"]), &["expected an object, found an array"]);
    let deep = (0..100).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert_eq!(Mapping::compile(&deep).expect_err("too deep").len(), 1);
}

#[test]
fn failures_are_told_and_left_out() {
    let mapping =
        Mapping::compile(&json!({"a": {"b": {"@path": {"@path": "properties.n"}}}, "c": 1}));
    let mapping = mapping.expect("a mapping");
    let failure = mapping.try_resolve(&event()).expect_err("a failure");
    assert_eq!(failure.to_string(), "/a/b/@path: expected string, got number");
    assert_eq!(mapping.resolve(&event()), json!({"a": {}, "c": 1}));
}

#[test]
fn growth_is_bounded() {
    // Each level doubles what is below it.
    let doubled = |inner: Value| {
        let twice = json!({"a": {"@path": "$.x"}, "b": {"@path": "$.x"}});
        json!({"@transform": {"apply": {"x": inner}, "mapping": twice}})
    };
    let mapping = (0..25).fold(json!("0123456789"), |inner, _| doubled(inner));
    let mapping = Mapping::compile(&json!({ "it": mapping })).expect("a mapping");
    let failure = mapping.try_resolve(&event()).expect_err("too large");
    assert_eq!(failure.reason, "what the event becomes is too large");
}
