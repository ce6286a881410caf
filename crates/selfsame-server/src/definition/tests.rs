use selfsame_event::Collection::{Accounts, Users};
use selfsame_pipeline::workspace::DefinitionKind::{Audience, ComputedTrait};

use super::{Said, pointed};

#[test]
fn text_and_json_are_two_forms_of_one_thing() {
    for (of, text) in [
        ((Audience, Users), "event('A').within(30  days).count()>=2 and trait('vip')=true"),
        ((Audience, Accounts), "any(event('A').count() >= 1) and trait('plan') = 'big'"),
        ((ComputedTrait, Users), "event('A').sum(property(\"price\"))"),
    ] {
        let said = Said::read(of, text).expect("it is one");
        let again = Said::from_json(of, &said.to_json()).expect("it is one");
        assert_eq!(again.to_string(), said.to_string());
        assert_eq!(Said::read(of, &said.to_string()).expect("it is one"), again);
    }
}

#[test]
fn what_is_wrong_is_pointed_at() {
    let wrong =
        Said::read((Audience, Users), "event('A').count() >=\n  nothing").expect_err("no value");
    let shown = pointed(&wrong);
    assert!(shown.starts_with("line 2, column 3:\n    nothing\n    ^"), "{shown}");
    assert!(wrong[0].to_string().starts_with("line 2, column 3: expected "), "{}", wrong[0]);
    let wrong = Said::read((Audience, Users), "property('a') = 1 or property('b') = 2")
        .expect_err("no event");
    assert_eq!(wrong.len(), 2, "all that is wrong: {wrong:?}");
}

#[test]
fn a_wrong_part_of_the_json_is_named() {
    let json = serde_json::json!({ "and": [{ "value": { "trait": "a" }, "test": "equal" }] });
    let wrong = Said::from_json((Audience, Users), &json).expect_err("there is no such test");
    assert!(wrong[0].to_string().contains("/and/0"), "{}", wrong[0]);
}

#[test]
fn the_definitions_that_are_read_are_known() {
    let said = Said::read((Audience, Users), "trait('a') = true and trait('b') > 1");
    let said = said.expect("it is one");
    assert!(["a", "b"].iter().all(|id| said.reads(Users, id, Users)));
    assert!(!said.reads(Users, "c", Users) && !said.reads(Users, "a", Accounts));
    let said = Said::read((Audience, Accounts), "trait('a') = true and any(trait('b') > 1)");
    let said = said.expect("it is one");
    assert!(said.reads(Accounts, "a", Accounts) && said.reads(Accounts, "b", Users));
    assert!(!said.reads(Accounts, "a", Users) && !said.reads(Accounts, "b", Accounts));
}

#[test]
fn users_are_asked_by_accounts_alone() {
    let text = "any(event('A').count() >= 1)";
    assert!(Said::read((Audience, Accounts), text).is_ok());
    let wrong = Said::read((Audience, Users), text).expect_err("a user has no users");
    assert!(wrong[0].to_string().contains("only the definition of an account"), "{}", wrong[0]);
}
