use super::*;
use crate::rule::{TypeRule, Window};

fn limit(count: u32, window: Window) -> Limit {
    Limit { count, window }
}

fn rules(of_email: Limit, blocked: &[&str]) -> RuleSet {
    let mut rules = RuleSet::default();
    for rule in rules.types.iter_mut().filter(|rule| rule.name == "email") {
        rule.limit = of_email;
        rule.blocked.exact = blocked.iter().map(ToString::to_string).collect();
    }
    rules
}

#[test]
fn what_is_stricter_is_named() {
    let before = rules(limit(5, Window::Weekly), &["x"]);
    let check = |after: RuleSet, expected: &str| {
        let told = after.tightened_from(&before);
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told.join("; "), expected);
    };
    check(before.clone(), "");
    check(rules(limit(6, Window::Weekly), &["x"]), "");
    check(rules(limit(5, Window::Daily), &[]), "");
    check(rules(limit(4, Window::Weekly), &["x"]), "the limit of email from 5 weekly to 4 weekly");
    check(rules(limit(9, Window::Ever), &["x"]), "the limit of email from 5 weekly to 9");
    check(rules(limit(5, Window::Weekly), &["x", "y"]), "blocked values of email");
    let mut all = before.clone();
    all.blocked.regex.push("^test".to_owned());
    check(all, "blocked values");
    let mut more = before.clone();
    more.types.push(TypeRule::new("phone", 99));
    check(more, "");
}

#[test]
fn the_fullest_window_is_found() {
    assert_eq!(most_within(&[], 10), 0);
    assert_eq!(most_within(&[0, 9, 10, 19], 10), 2);
    assert_eq!(most_within(&[0, 9, 10, 18], 10), 3);
    assert_eq!(most_within(&[5, 5, 5], 1), 3);
}
