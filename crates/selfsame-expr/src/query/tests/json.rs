use proptest::prelude::*;
use serde_json::{Value, json};

use crate::query::testing::{self, Shape};
use crate::query::{self, condition_from_json, scalar_from_json};

/// That the error is where the pointer leads and says that.
fn wrong(json: &Value, pointer: &str, words: &str) {
    let error = condition_from_json(json).expect_err(words);
    assert_eq!(error.pointer, pointer, "{error}");
    assert!(error.sentence.contains(words), "{error}");
}

#[test]
fn the_example_of_the_page_is_what_it_says() {
    let text = "event('Shoes Bought').where(property('price') >= trait('avg_spend') AND \
                event('Shoes Returned').within(parent: 5 days).count() >= 1).within(30 days).count() >= 1";
    let json = json!({
        "value": {
            "event": "Shoes Bought",
            "filters": [
                { "where": { "and": [
                    { "value": { "property": "price" }, "test": "at_least", "with": { "trait": "avg_spend" } },
                    {
                        "value": {
                            "event": "Shoes Returned",
                            "filters": [{ "within_parent": { "count": 5, "unit": "day" } }],
                            "reduce": "count",
                        },
                        "test": "at_least",
                        "with": { "number": "1" },
                    },
                ] } },
                { "within": { "count": 30, "unit": "day" } },
            ],
            "reduce": "count",
        },
        "test": "at_least",
        "with": { "number": "1" },
    });
    let condition = query::condition(text).expect("a condition");
    assert_eq!(condition.to_json(), json);
    assert_eq!(condition_from_json(&json), Ok(condition));
    let page = include_str!("../../../../../docs/reference/definitions.md");
    let examples = page.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let examples: Vec<Value> =
        examples.map(|example| serde_json::from_str(example).expect("JSON")).collect();
    assert!(examples.contains(&json), "the page has the example");
}

#[test]
fn a_number_of_json_is_taken_as_it_is_written() {
    let json = r#"{"value": {"trait": "x"}, "test": "equals", "with": {"number": 1.50}}"#;
    let json: Value = serde_json::from_str(json).expect("JSON");
    assert_eq!(condition_from_json(&json).expect("a condition").to_string(), "trait('x') = 1.50");
}

#[test]
fn an_error_leads_to_the_part_that_is_wrong() {
    let right = || json!({ "value": { "trait": "x" }, "test": "exists" });
    wrong(&json!([]), "", "Write an object here.");
    wrong(&json!({}), "", "one of the keys `and`, `or`");
    wrong(&json!({ "and": [right(), { "xor": [] }] }), "/and/1", "one of the keys");
    wrong(&json!({ "and": right() }), "/and", "Write a list here.");
    wrong(&json!({ "not": right(), "or": [] }), "", "`not` is not known here: there are `or`");
    wrong(
        &json!({ "value": { "trait": 5 }, "test": "exists" }),
        "/value/trait",
        "Write a text here.",
    );
    wrong(
        &json!({ "value": { "trait": "a..b" }, "test": "exists" }),
        "/value/trait",
        "a key on both sides",
    );
    wrong(&json!({ "value": { "trait": "x" }, "test": "is" }), "/test", "`is` is not known here");
    wrong(&json!({ "value": { "trait": "x" } }), "", "`test` is missing");
    wrong(&json!({ "value": { "trait": "x" }, "test": "equals" }), "", "`with` is missing");
    wrong(
        &json!({ "value": { "trait": "x" }, "test": "exists", "with": 1 }),
        "",
        "nothing to be compared",
    );
    let of = |filter: &Value, rest: &Value| {
        let mut value = json!({ "event": "A", "filters": [filter], "reduce": "mode", "of": { "property": "p" } });
        value
            .as_object_mut()
            .expect("an object")
            .extend(rest.as_object().expect("an object").clone());
        json!({ "any": { "value": value, "test": "exists" } })
    };
    let span = || json!({ "count": 1, "unit": "day" });
    let none = || json!({});
    wrong(
        &of(&json!({ "within": 5 }), &none()),
        "/any/value/filters/0/within",
        "Write an object here.",
    );
    wrong(
        &of(&json!({ "within": { "count": -1, "unit": "day" } }), &none()),
        "/any/value/filters/0/within/count",
        "Write a whole number here",
    );
    wrong(
        &of(&json!({ "within": { "count": 1, "unit": "days" } }), &none()),
        "/any/value/filters/0/within/unit",
        "`days` is not known here",
    );
    wrong(
        &of(&json!({ "between": [span()] }), &none()),
        "/any/value/filters/0/between",
        "two lengths of time",
    );
    wrong(
        &of(&json!({ "a/b~": span() }), &none()),
        "/any/value/filters/0",
        "one of the keys `where`",
    );
    wrong(
        &of(&json!({ "this": { "period": "year" } }), &none()),
        "/any/value/filters/0/this/period",
        "`year` is not known here",
    );
    let within = json!({ "within": span() });
    wrong(&of(&within, &json!({ "reduce": "count" })), "/any/value", "`count` has no `of`");
    wrong(
        &of(&within, &json!({ "reduce": "sum", "as": "number" })),
        "/any/value",
        "`sum` has no `as`",
    );
    wrong(&of(&within, &json!({ "at_least": "2" })), "/any/value/at_least", "Write a whole number");
    wrong(
        &of(&within, &json!({ "reduce": "median" })),
        "/any/value/reduce",
        "`median` is not known here",
    );
    let list = json!({ "value": { "trait": "x" }, "test": "one_of", "with": [{ "text": "a" }, { "trait": "b" }] });
    wrong(&list, "/with/1", "one of the keys `text`, `number`, `bool`, `time`");
}

#[test]
fn depth_is_bounded() {
    let mut json = json!({ "value": { "trait": "x" }, "test": "exists" });
    for _ in 0..100_000 {
        json = Value::Object([("not".to_owned(), json)].into_iter().collect());
    }
    let error = condition_from_json(&json).expect_err("too deep");
    assert!(error.sentence.contains("too deep"), "{error}");
    // Dropping it would recurse as deep as it is.
    while let Some(inner) = json.get_mut("not").map(Value::take) {
        json = inner;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn conditions_survive_the_way_there_and_back(tree in testing::condition(&Shape::default())) {
        let json = serde_json::to_string(&tree.to_json()).expect("JSON");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        prop_assert_eq!(condition_from_json(&json), Ok(tree));
    }

    #[test]
    fn values_survive_the_way_there_and_back(tree in testing::scalar(&Shape::default())) {
        let json = serde_json::to_string(&tree.to_json()).expect("JSON");
        let json: Value = serde_json::from_str(&json).expect("JSON");
        prop_assert_eq!(scalar_from_json(&json), Ok(tree));
    }
}
