use super::allows;

/// A connection `Sales` of the tool `Salesforce`.
fn check(integrations: &str, expected: bool) {
    let event = format!(
        r#"{{"type":"track","properties":{{"integrations":{{"All":false}}}},"integrations":{integrations}}}"#
    );
    let names = ["Sales".to_owned(), "Salesforce".to_owned()];
    assert_eq!(allows(event.as_bytes(), &names), expected, "{integrations}");
}

#[test]
fn an_event_goes_to_those_that_its_integrations_do_not_leave_out() {
    check("{}", true);
    check(r#"{"All": true}"#, true);
    check(r#"{"All": false}"#, false);
    check(r#"{"all": false}"#, false);
    check(r#"{"All": false, "Salesforce": true}"#, true);
    check(r#"{"All": false, "Salesforce": {"leads": 1}}"#, true);
    check(r#"{"Salesforce": false}"#, false);
    check(r#"{"Mixpanel": false}"#, true);
    check(r#"{"All": false, "Mixpanel": true}"#, false);
}

#[test]
fn its_own_name_says_more_than_the_name_of_the_tool() {
    check(r#"{"Sales": false, "Salesforce": true}"#, false);
    check(r#"{"All": false, "Sales": true, "Salesforce": false}"#, true);
}

#[test]
fn names_are_compared_letter_by_letter() {
    check(r#"{"salesforce": false}"#, true);
    check(r#"{"All": false, "SALES": true}"#, false);
    check(r#"{"\u0053ales": false}"#, false);
}

#[test]
fn only_false_leaves_out() {
    check(r#"{"Sales": null}"#, true);
    check(r#"{"All": false, "Sales": null}"#, true);
    check(r#"{"Sales": 0, "All": "false"}"#, true);
    check(r#"{"Sales": true, "Sales": false}"#, false);
    for nothing in ["null", "false", "[]", "\"All\"", "7"] {
        check(nothing, true);
    }
}

#[test]
fn an_event_without_any_goes_to_everybody() {
    let names = ["Sales".to_owned()];
    assert!(allows(br#"{"properties":{"integrations":{"Sales":false}}}"#, &names));
    assert!(allows(b"{}", &names));
}
