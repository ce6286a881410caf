//! Drawn mappings and triggers with the answers of Segment's packages: `fixtures/mapping/cases.json`, which
//! `tests/sdk/support/mapping-fixture.mjs` wrote. `tests/sdk/test/mapping.test.mjs` draws new ones.

use std::path::Path;

use selfsame_mapping::{Item, Mapping, Trigger};
use serde_json::Value;

fn fixture() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/mapping/cases.json");
    let text = std::fs::read_to_string(path).expect("a fixture");
    serde_json::from_str(&text).expect("JSON")
}

fn read(text: &str) -> Item<'_> {
    Item::read(text).expect("JSON")
}

/// Numbers are the same if JavaScript's are; the order of keys does not count.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

#[test]
fn mappings_and_triggers_come_to_what_segment_says() {
    let fixture = fixture();
    let (mut values, mut errors, mut held) = (0, 0, 0);
    for case in fixture["cases"].as_array().expect("cases") {
        let nth = usize::try_from(case["event"].as_u64().expect("a number")).expect("small");
        let event = &fixture["events"][nth];
        if let Some(trigger) = case["trigger"].as_str() {
            let holds = Trigger::closed(trigger).holds(event);
            assert_eq!(Some(holds), case["holds"].as_bool(), "{trigger} of {event}");
            let text = event.to_string();
            assert_eq!(Trigger::closed(trigger).holds(read(&text)), holds, "{trigger} of {text}");
            held += usize::from(holds);
            continue;
        }
        let mapping = Mapping::compile(&case["mapping"]);
        if let Ok(mapping) = &mapping {
            let text = event.to_string();
            let item = mapping.item(&read(&text)).map(Item::into_json);
            assert_eq!(item, mapping.try_resolve(event), "{case}: of text and of a value");
        }
        let resolved = mapping.map(|mapping| mapping.try_resolve(event));
        match case.get("value") {
            Some(expected) => {
                let resolved = resolved.unwrap_or_else(|problems| panic!("{case}: {problems:?}"));
                let resolved = resolved.unwrap_or_else(|failure| panic!("{case}: {failure}"));
                assert!(same(&resolved, expected), "{case} of {event}: {resolved}");
                values += 1;
            }
            None => {
                assert!(!matches!(resolved, Ok(Ok(_))), "{case} of {event}: nothing fails");
                errors += 1;
            }
        }
    }
    // Answers that are all alike would say nothing.
    assert!(values > 300 && errors > 40 && held > 10, "{values} {errors} {held}");
}
