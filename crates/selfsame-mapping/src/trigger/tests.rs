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

/// What a trigger reaches, as text: types and names of each alternative.
fn reach(text: &str) -> Vec<String> {
    let texts = |texts: &Option<std::collections::BTreeSet<String>>| {
        texts
            .as_ref()
            .map_or_else(|| "any".to_owned(), |texts| Vec::from_iter(texts.clone()).join(","))
    };
    let reach = Trigger::compile(text).expect("a trigger").reach();
    reach.iter().map(|one| format!("{}:{}", texts(&one.types), texts(&one.names))).collect()
}

#[test]
fn a_trigger_reaches_what_it_can_hold_for() {
    assert_eq!(reach("type = \"track\""), ["track:any"]);
    assert_eq!(reach("type = \"track\" and event = \"A\""), ["track:A"]);
    assert_eq!(reach("type = \"track\" or event = \"A\""), ["track:any", "any:A"]);
    assert_eq!(
        reach("type = \"track\" and (event = \"A\" or event = \"B\")"),
        ["track:A", "track:B"]
    );
    assert_eq!(reach("event = \"A\" and event = \"B\""), Vec::<String>::new());
    assert_eq!(reach("type != \"track\" and event = \"A\""), ["any:A"]);
    assert_eq!(reach("properties.price > 3"), ["any:any"]);
}

/// Whatever a trigger holds for is within its reach.
#[test]
fn nothing_that_a_trigger_holds_for_is_out_of_its_reach() {
    let tests = [
        "type = \"track\"",
        "type = \"page\"",
        "event = \"A\"",
        "event != \"A\"",
        "event = \"B\"",
        "userId exists",
    ];
    for (first, second, third) in triples(&tests) {
        for (one, two) in [("and", "and"), ("and", "or"), ("or", "and"), ("or", "or")] {
            for text in [
                format!("{first} {one} ({second} {two} {third})"),
                format!("({first} {one} {second}) {two} {third}"),
                format!("{first} {one} {second} {two} {third}"),
            ] {
                let trigger = Trigger::compile(&text).expect("a trigger");
                let reach = trigger.reach();
                for (kind, name) in [("track", "A"), ("track", "B"), ("page", "A"), ("page", "C")] {
                    let event = json!({ "type": kind, "event": name, "userId": "u" });
                    let has = |texts: &Option<std::collections::BTreeSet<String>>, text: &str| {
                        texts.as_ref().is_none_or(|texts| texts.contains(text))
                    };
                    let is_in =
                        reach.iter().any(|one| has(&one.types, kind) && has(&one.names, name));
                    assert!(is_in || !trigger.holds(&event), "{text} holds for {event}");
                }
            }
        }
    }
}

fn triples<'t>(tests: &[&'t str]) -> Vec<(&'t str, &'t str, &'t str)> {
    let each = tests.iter().flat_map(|one| tests.iter().map(move |two| (*one, *two)));
    each.flat_map(|(one, two)| tests.iter().map(move |three| (one, two, *three))).collect()
}
