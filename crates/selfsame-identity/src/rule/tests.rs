use super::*;

#[test]
fn a_new_space_starts_with_eleven_types_and_four_blocked_values() {
    let rules = RuleSet::default();
    assert_eq!(rules.types.len(), 11);
    let user_id = &rules.types[0];
    assert_eq!((user_id.name.as_str(), user_id.priority, user_id.limit.count), ("user_id", 1, 1));
    assert_eq!((rules.types[1].name.as_str(), rules.types[1].priority), ("email", 2));
    let rest = &rules.types[2..];
    assert!(rest.is_sorted_by_key(|rule| (&rule.name, rule.priority)), "in the order of names");
    assert!(
        rules.types[1..].iter().all(|rule| rule.limit == Limit { count: 5, window: Window::Ever })
    );
    assert_eq!(rules.blocked.exact, ["-1", "null", "anonymous"]);
    assert_eq!(rules.blocked.regex, ["^[0-]*$"]);
    assert_eq!((rules.caps.merges, rules.caps.mappings), (100, 1_000));
    let accounts = rules.types.iter().filter(|rule| rule.collection == Collection::Accounts);
    assert_eq!(accounts.map(|rule| &*rule.name).collect::<Vec<_>>(), ["group_id"]);
}

#[test]
fn rules_are_written_and_read_as_json_and_yaml() {
    let rules = RuleSet::default();
    let json = serde_json::to_string(&rules).expect("JSON");
    assert_eq!(serde_json::from_str::<RuleSet>(&json).expect("the same"), rules);
    let yaml = serde_yaml_ng::to_string(&rules).expect("YAML");
    assert_eq!(serde_yaml_ng::from_str::<RuleSet>(&yaml).expect("the same"), rules);
}

#[test]
fn what_is_not_written_is_as_by_default() {
    let rules: RuleSet = serde_yaml_ng::from_str(
        "types: [{ name: phone, priority: 3, limit: { count: 2, window: annually } }]
options: { properties_email: [Signed Up] }",
    )
    .expect("rules");
    let phone = &rules.types[0];
    assert_eq!(phone.limit, Limit { count: 2, window: Window::Annually });
    assert_eq!((phone.collection, &phone.key), (Collection::Users, &None));
    assert!(rules.options.alias && rules.options.properties_email.contains(Some("Signed Up")));
    assert!(!rules.options.properties_email.contains(Some("Invited")));
    assert_eq!(rules.caps, Caps::default());
    assert_eq!(rules.strategy, Strategy::Merge);
}

#[test]
fn rules_that_say_nothing_of_strategies_are_written_as_they_were() {
    let json = serde_json::to_value(RuleSet::default()).expect("JSON");
    let keys: Vec<_> = json.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["types", "blocked", "options", "caps"]);
    let isolated = RuleSet { strategy: Strategy::Isolate, ..RuleSet::default() };
    let json = serde_json::to_value(&isolated).expect("JSON");
    assert_eq!(json["strategy"], "isolate");
    assert!(json.get("shared_devices").is_none());
    assert_eq!(serde_json::from_value::<RuleSet>(json).expect("the same"), isolated);
}

#[test]
fn a_key_that_does_not_exist_is_refused_by_its_name() {
    for (yaml, name) in [
        ("caps: { merge: 5 }", "merge"),
        ("types: [{ name: phone, priority: 1, limits: 5 }]", "limits"),
        ("types: [{ name: phone, priority: 1, limit: { count: 5, window: hourly } }]", "hourly"),
        ("types: [{ name: phone, priority: 1, collection: people }]", "people"),
        ("rules: []", "rules"),
        ("strategy: guess", "guess"),
        ("shared_devices: { persons: 3 }", "persons"),
    ] {
        let error = serde_yaml_ng::from_str::<RuleSet>(yaml).expect_err(yaml).to_string();
        assert!(error.contains(name), "{error}");
    }
}
