use super::*;

#[test]
fn what_differs_from_letter_to_letter_is_no_part_of_a_cause() {
    for (answer, wanted) in [
        ("", ""),
        ("no such hook", "no such hook"),
        ("user 4711 is unknown", "user # is unknown"),
        ("ada.l@example.com bounced", "# bounced"),
        (
            r#"{"error":{"code":"INVALID_EMAIL","message":"bad email ada@example.com"}}"#,
            r#"{"error":{"code":"INVALID_EMAIL","message":"bad email #"}}"#,
        ),
        (
            r#"{"requestId":"3f2c-99","at":1700000000,"status":"error"}"#,
            r##"{"requestId":"#","at":#,"status":"error"}"##,
        ),
        (r#"{"a1":"say \"hi 5\" twice"}"#, r#"{"a1":"say \"hi #\" twice"}"#),
        (r#""never closed 7"#, r#""never closed #""#),
        ("many      spaces", "many spaces"),
    ] {
        assert_eq!(normal(answer), wanted, "{answer}");
    }
    let long = "word ".repeat(1_000);
    assert!(normal(&long).chars().count() <= ERROR_LENGTH);
}

#[test]
fn a_cause_has_one_name() {
    let cause =
        |error: &str, status| Cause { failure: Failure::Refused, status, error: error.to_owned() };
    assert_eq!(cause("a", Some(400)).id(), cause("a", Some(400)).id());
    assert_ne!(cause("a", Some(400)).id(), cause("b", Some(400)).id());
    assert_ne!(cause("a", Some(400)).id(), cause("a", Some(422)).id());
    assert_eq!(cause("a", None).id().len(), 10);
}

proptest::proptest! {
    #[test]
    fn any_answer_has_a_short_cause(answer in "(?s).{0,400}") {
        let once = normal(&answer);
        proptest::prop_assert!(once.chars().count() <= ERROR_LENGTH);
    }
}
