use super::*;

#[test]
fn a_command_survives_the_shell() {
    assert_eq!(quoted("user_id:42"), "user_id:42");
    assert_eq!(quoted("email:a+b@c.d"), "email:a+b@c.d");
    assert_eq!(quoted("name:Ada L"), "'name:Ada L'");
    assert_eq!(quoted("name:O'Hara; rm -r *"), r"'name:O'\''Hara; rm -r *'");
    assert_eq!(quoted(""), "''");
}

#[test]
fn only_stricter_rules_give_a_hint() {
    let old = RuleSet::default();
    assert_eq!(hint("dev", &old, &old), None);
    let mut new = old.clone();
    new.types[1].limit.count = 2;
    new.blocked.exact.push("test".to_owned());
    let said = hint("dev", &old, &new).expect("a hint");
    assert!(said.contains("blocked values, the limit of email from 5 to 2."), "{said}");
    assert!(said.contains("`selfsame identity proposals --space dev`"), "{said}");
    assert_eq!(hint("dev", &new, &old), None, "looser rules are none");
}
