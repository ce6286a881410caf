use serde_json::{Value, json};

use super::Trigger;

fn check(trigger: &str, event: &Value, expected: bool) {
    let compiled =
        Trigger::compile(trigger).unwrap_or_else(|problem| panic!("{trigger}: {problem}"));
    assert_eq!(compiled.holds(event), expected, "{trigger}");
}

fn check_problem(trigger: &str, expected: &str) {
    assert_eq!(Trigger::compile(trigger).expect_err(trigger).to_string(), expected);
    assert!(!Trigger::closed(trigger).holds(&json!({})));
}

#[test]
fn conditions_hold_as_segment_reads_them() {
    let event = json!({"type": "track", "event": "Order Completed", "properties": {"n": 5, "s": "5", "b": true, "o": {"b c": 1}}});
    check("type = \"track\" and event = \"Order Completed\" and properties.n > 4", &event, true);
    check("properties.n = 5", &event, true);
    check("properties.s = 5", &event, false);
    check("properties.s = \"5\"", &event, true);
    check("properties.n != 6 and properties.s != \"6\" and properties.none != \"x\"", &event, true);
    // What is no number is not unequal to one.
    check("properties.s != 6", &event, false);
    check("properties.b = true and userId = null and properties.n != null", &event, true);
    check(
        "contains(event, \"Order\") and match(event, \"Order*\") and !match(event, \"*x\")",
        &event,
        true,
    );
    // Of what is no text, neither holds.
    check("contains(properties.n, \"5\")", &event, false);
    check("!contains(properties.n, \"6\")", &event, false);
    check("properties.o.b\\ c = 1", &event, true);
    check("properties.o.b\\ c < 1", &event, false);
}

#[test]
fn the_last_word_joins_a_group() {
    let event = json!({"type": "track"});
    // By precedence it would hold.
    check("type = \"track\" or type = \"a\" and type = \"b\"", &event, false);
    check("type = \"a\" and type = \"b\" or type = \"track\"", &event, true);
    check("(type = \"a\" or type = \"track\") and type = \"track\"", &event, true);
}

#[test]
fn what_is_not_known_is_passed_over() {
    let event = json!({"type": "track"});
    check("anonymousId = \"x\" and type = \"track\"", &event, true);
}

#[test]
fn problems_point() {
    check_problem("properties.a>5", "byte 12: expected a space behind the name, found `>`");
    check_problem(
        "event = \"x",
        "byte 8: expected a closing \" of the text that begins here, found `\"`",
    );
    check_problem("(event = \"x\"", "byte 0: expected a closing bracket, found `(event = \"x\"`");
    check_problem(
        "anonymousId = 5",
        "byte 0: expected a condition of `type`, `event`, `name`, `userId`, `properties`, `traits` or `context`, found `anonymousId = 5`",
    );
    check_problem("event ? 5", "byte 6: expected a condition, found `?`");
}
