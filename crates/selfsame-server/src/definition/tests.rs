use selfsame_pipeline::workspace::DefinitionKind::{Audience, ComputedTrait};

use super::{Said, pointed};

#[test]
fn text_and_json_are_two_forms_of_one_thing() {
    for (kind, text) in [
        (Audience, "event('A').within(30  days).count()>=2 and trait('vip')=true"),
        (ComputedTrait, "event('A').sum(property(\"price\"))"),
    ] {
        let said = Said::read(kind, text).expect("it is one");
        let again = Said::from_json(kind, &said.to_json()).expect("it is one");
        assert_eq!(again.to_string(), said.to_string());
        assert_eq!(Said::read(kind, &said.to_string()).expect("it is one"), again);
    }
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let wrong = Said::read(Audience, "event('A').count() >=\n  nothing").expect_err("no value");
    let shown = pointed(&wrong);
    assert!(shown.starts_with("line 2, column 3:\n    nothing\n    ^"), "{shown}");
    assert!(wrong[0].to_string().starts_with("line 2, column 3: expected "), "{}", wrong[0]);
    let wrong =
        Said::read(Audience, "property('a') = 1 or property('b') = 2").expect_err("no event");
    assert_eq!(wrong.len(), 2, "all that is wrong: {wrong:?}");
}

#[test]
fn a_wrong_part_of_the_json_is_named() {
    let json = serde_json::json!({ "and": [{ "value": { "trait": "a" }, "test": "equal" }] });
    let wrong = Said::from_json(Audience, &json).expect_err("there is no such test");
    assert!(wrong[0].to_string().contains("/and/0"), "{}", wrong[0]);
}

#[test]
fn the_traits_that_are_read_are_known() {
    let said = Said::read(Audience, "trait('a') = true and trait('b') > 1").expect("it is one");
    assert_eq!(said.reads().into_iter().collect::<Vec<_>>(), ["a", "b"]);
}
