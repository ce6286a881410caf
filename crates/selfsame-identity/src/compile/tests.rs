use super::*;

fn refused(yaml: &str, because: &str) {
    let set: RuleSet = serde_yaml_ng::from_str(yaml).expect("readable");
    let error = Rules::compile(&set, &mut TypeNumbers::default()).expect_err(yaml);
    assert_eq!(error.to_string(), because);
    assert_eq!(error.class(), Class::Invalid);
}

#[test]
fn rules_that_cannot_be_meant_are_refused_with_the_reason() {
    refused(
        "types: [{ name: Phone, priority: 1 }]",
        r#"type "Phone": a name has 1 to 64 of the characters a-z, 0-9, `_`, `.` and `-`"#,
    );
    refused(
        "types: [{ name: phone, priority: 1 }, { name: phone, priority: 2 }]",
        "type `phone` is listed twice",
    );
    refused(
        "types: [{ name: group_id, priority: 1 }]",
        "type `group_id` identifies accounts; list it with `collection: accounts`",
    );
    refused(
        "types: [{ name: email, priority: 1, key: mail }]",
        "type `email` is read from its own place in an event and takes no `key`",
    );
    refused(
        "types: [{ name: a, priority: 1, key: crmId }, { name: b, priority: 2, key: crm_id }]",
        "types `b` and `a` are both read from the key `crmId`",
    );
    refused(
        "types: [{ name: phone, priority: 0 }]",
        "type `phone`: priorities start at 1, the most trusted",
    );
    refused(
        "types: [{ name: phone, priority: 1 }, { name: email, priority: 1 }]",
        "types `email` and `phone` both have priority 1",
    );
    refused(
        "types: [{ name: phone, priority: 1, limit: { count: 0 } }]",
        "type `phone`: a limit is at least 1; to ignore the type, do not list it",
    );
    refused("caps: { mappings: 0 }", "`caps.mappings` is at least 1");
    for people in [0, 1, 33, u32::MAX] {
        let rules = format!("shared_devices: {{ people: {people} }}");
        refused(&rules, "`shared_devices.people` is 2 to 32");
    }
    refused(
        "types: [{ name: phone, priority: 1, blocked: { regex: ['('] } }]",
        "type `phone`: a blocked regex cannot be used",
    );
}

#[test]
fn one_priority_in_two_collections_is_fine() {
    let set: RuleSet = serde_yaml_ng::from_str(
        "types: [{ name: user_id, priority: 1 }, { name: group_id, collection: accounts, priority: 1 }]",
    )
    .expect("readable");
    assert!(Rules::compile(&set, &mut TypeNumbers::default()).is_ok());
}

#[test]
fn a_type_keeps_its_number_whatever_the_rules_become() {
    let mut numbers = TypeNumbers::default();
    let mut compile = |yaml: &str| {
        let set: RuleSet = serde_yaml_ng::from_str(yaml).expect("readable");
        Rules::compile(&set, &mut numbers).expect("valid")
    };
    let first = compile("types: [{ name: phone, priority: 1 }]");
    let phone = first.number(Collection::Users, "phone").expect("listed");
    let second = compile("types: [{ name: crm, priority: 1 }, { name: phone, priority: 2 }]");
    assert_eq!(second.number(Collection::Users, "phone"), Some(phone));
    let third = compile("types: [{ name: crm, priority: 1 }]");
    assert_eq!(third.number(Collection::Users, "phone"), None, "no longer listed");
    assert_eq!(third.number(Collection::Users, "crm"), second.number(Collection::Users, "crm"));

    let json = serde_json::to_string(&numbers).expect("JSON");
    assert_eq!(serde_json::from_str::<TypeNumbers>(&json).expect("the same"), numbers);
    assert_eq!(numbers.name(phone), Some((Collection::Users, "phone")));
    assert!(serde_json::from_str::<TypeNumbers>(r#"["users/email"]"#).is_err());
}

#[test]
fn refused_rules_assign_no_numbers() {
    let mut numbers = TypeNumbers::default();
    let set: RuleSet = serde_yaml_ng::from_str(
        "types: [{ name: a, priority: 1 }, { name: b, priority: 2, blocked: { regex: ['('] } }]",
    )
    .expect("readable");
    assert!(Rules::compile(&set, &mut numbers).is_err());
    assert_eq!(numbers, TypeNumbers::default());
}

#[test]
fn values_are_folded_in_ascii_only() {
    let rules = Rules::compile(&RuleSet::default(), &mut TypeNumbers::default()).expect("valid");
    let email = rules.number(Collection::Users, "email").expect("listed");
    let user_id = rules.number(Collection::Users, "user_id").expect("listed");
    assert_eq!(rules.folded(email, " Ada@Example.COM\n"), "ada@example.com");
    assert_eq!(rules.folded(email, "Ä@x"), "Ä@x");
    assert_eq!(rules.folded(user_id, "Ada "), "Ada ");
}
