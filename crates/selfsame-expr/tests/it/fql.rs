//! The answers that `tests/sdk/test/fql.test.mjs` compares with those of Segment's packages.

use std::path::Path;

use expect_test::expect_file;
use selfsame_event::Raw;
use selfsame_expr::fql;
use serde_json::{Value, json};

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fql").join(name);
    let text = std::fs::read_to_string(path).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

/// For each filter, its nested lists and for which events it holds, one digit for each.
#[test]
fn filters_hold_for_the_events_that_are_kept_with_them() {
    let events: Vec<String> = match fixture("events.json") {
        Value::Array(events) => events.iter().map(Value::to_string).collect(),
        other => panic!("a list of events, not {other}"),
    };
    let filters = fixture("filters.json");
    let answers = |kind: &str| {
        let filters = filters[kind].as_array().expect("a list of filters");
        let answers = filters.iter().map(|filter| {
            let text = filter.as_str().expect("a text");
            let filter = fql::parse(text).unwrap_or_else(|error| panic!("{error}"));
            let holds = events.iter().map(|event| {
                let event = Raw::check(event.as_bytes()).expect("JSON");
                if filter.holds(event) { '1' } else { '0' }
            });
            let holds: String = holds.collect();
            json!({ "filter": text, "ir": filter.intermediate(), "holds": holds }).to_string()
        });
        answers.collect::<Vec<_>>().join(",\n")
    };
    let all = format!(
        "{{\n\"filters\": [\n{}\n],\n\"triggers\": [\n{}\n]\n}}\n",
        answers("filters"),
        answers("triggers")
    );
    expect_file!["../../../../fixtures/fql/answers.json"].assert_eq(&all);
    // Answers that are all alike would say nothing.
    let ones = all.matches('1').count();
    assert!(ones > 1_000, "{ones}");
}
