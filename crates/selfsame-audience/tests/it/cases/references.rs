//! Definitions that read each other's values, and memberships.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::account;
use crate::notation::{
    NOW, X, all_users, and, any_user, days, event, history, hours, not, property, time, trait_,
};
use crate::reference::{
    Account, Collection, Cycle, Definition, History, Query, advance, advance_account, all,
    all_of_account, moments, order,
};

fn audience(key: &str, condition: selfsame_expr::query::Condition) -> Definition {
    let query = Query::Audience(condition);
    Definition { key: key.to_owned(), collection: Collection::Users, query }
}

fn computed(key: &str, scalar: X) -> Definition {
    let query = Query::Trait(scalar.0);
    Definition { key: key.to_owned(), collection: Collection::Users, query }
}

fn of_accounts(definition: Definition) -> Definition {
    Definition { collection: Collection::Accounts, ..definition }
}

fn values(definitions: &[Definition], of: &str) -> BTreeMap<String, Json> {
    all(definitions, &history(of), time(NOW))
}

fn value(definitions: &[Definition], of: &str, key: &str) -> Json {
    values(definitions, of).remove(key).expect("a definition of that key")
}

#[test]
fn an_audience_may_read_a_computed_trait() {
    let definitions = [
        audience("big_spender", trait_("total").ge(100)),
        computed("total", event("Order").sum(property("price"))),
    ];
    let of = "-2d Order {'price': 60}; -1d Order {'price': 40}";
    assert_eq!(value(&definitions, of, "total"), json!(100));
    assert_eq!(value(&definitions, of, "big_spender"), json!(true));
    assert_eq!(value(&definitions, "-2d Order {'price': 60}", "big_spender"), json!(null));
    assert_eq!(value(&definitions, "", "total"), json!(null));
}

#[test]
fn a_computed_trait_may_read_another_one_in_a_where() {
    let definitions = [
        computed("above", event("Order").given(property("price").gt(trait_("avg"))).count()),
        computed("avg", event("Order").avg(property("price"))),
    ];
    let of = "0 Order {'price': 1}; 0 Order {'price': 2}; 0 Order {'price': 6}";
    assert_eq!(value(&definitions, of, "above"), json!(1));
}

#[test]
fn part_of_an_audience_and_not_part_of_one() {
    let definitions = [
        audience("vip", event("Order").count().ge(2)),
        audience("vip_here", and([trait_("vip").eq(true), event("Visit").once()])),
        audience("others", not(trait_("vip").eq(true))),
        audience("left", trait_("vip").eq(false)),
        audience("never", trait_("vip").absent()),
    ];
    let of = "-2d Order; -1d Order; 0 Visit";
    let keys_of = |of: &History| -> Vec<String> {
        let values = all(&definitions, of, time(NOW));
        values.into_iter().filter(|(_, value)| *value == json!(true)).map(|(key, _)| key).collect()
    };
    assert_eq!(keys_of(&history(of)), ["vip", "vip_here"]);
    assert_eq!(keys_of(&history("0 Visit")), ["never", "others"]);
    let mut was = history("0 Visit");
    was.ever.insert("vip".to_owned());
    assert_eq!(keys_of(&was), ["left", "others"]);
}

#[test]
fn a_membership_is_absent_then_true_then_false() {
    let definitions = [audience("active", event("A").within(days(7)).once())];
    let at = |user: &History, now: &str| all(&definitions, user, time(now)).remove("active");
    let mut user = history("");
    assert_eq!(at(&user, "0"), Some(json!(null)));
    user = history("0 A");
    assert_eq!(at(&user, "0"), Some(json!(true)));
    assert_eq!(at(&user, "+7d-1u"), Some(json!(true)));
    // Nobody had looked before it was over.
    assert_eq!(at(&user, "+7d"), Some(json!(null)));
    advance(&definitions, &mut user, time("0"), time("+6d"));
    assert_eq!(at(&user, "+6d"), Some(json!(true)));
    assert_eq!(at(&user, "+7d"), Some(json!(false)));
}

/// Between two events a window may open and close again.
#[test]
fn a_membership_that_came_and_went_was_one() {
    let definitions = [
        audience("due", event("A").between(hours(1), hours(2)).once()),
        audience("was_due", trait_("due").eq(false)),
        computed("number", event("A").count()),
    ];
    let mut user = history("0 A");
    assert_eq!(all(&definitions, &user, time("+3h")).remove("was_due"), Some(json!(null)));
    advance(&definitions, &mut user, time("0"), time("+3h"));
    assert_eq!(user.ever, ["due".to_owned(), "was_due".to_owned()].into());
    assert_eq!(all(&definitions, &user, time("+3h")).remove("was_due"), Some(json!(true)));
}

#[test]
fn a_computed_value_wins_over_a_custom_trait() {
    let definitions = [
        computed("total", event("Order").sum(property("price"))),
        computed("plan", event("Order").last(property("plan"))),
        audience("vip", event("Order").count().ge(2)),
        audience("rich", trait_("total").ge(100)),
        audience("unknown_plan", trait_("plan").absent()),
        audience("is_vip", trait_("vip").eq(true)),
        audience("named", trait_("name").eq("Ada")),
    ];
    let of =
        "trait {'total': 500, 'plan': 'pro', 'vip': true, 'name': 'Ada'}; 0 Order {'price': 7}";
    let values = values(&definitions, of);
    assert_eq!(values["total"], json!(7));
    assert_eq!(values["rich"], json!(null));
    // Also where the definition has no value.
    assert_eq!(values["plan"], json!(null));
    assert_eq!(values["unknown_plan"], json!(true));
    assert_eq!(values["vip"], json!(null));
    assert_eq!(values["is_vip"], json!(null));
    assert_eq!(values["named"], json!(true));
}

#[test]
fn a_list_may_be_read_element_by_element() {
    let definitions = [
        computed("brands", event("Order").unique(property("brand"))),
        computed("again", trait_("brands.$")),
        audience("likes_b", trait_("brands.$").eq("b")),
        audience(
            "new_brand",
            event("Seen").given(property("brand").eq(trait_("brands.$"))).never(),
        ),
    ];
    let of = "0 Order {'brand': 'b'}; 0 Order {'brand': 'a'}; 0 Seen {'brand': 'b'}";
    let values = values(&definitions, of);
    assert_eq!(values["brands"], json!(["a", "b"]));
    assert_eq!(values["again"], json!(["a", "b"]));
    assert_eq!(values["likes_b"], json!(true));
    assert_eq!(values["new_brand"], json!(null));
}

#[test]
fn an_account_reads_memberships_of_its_users() {
    let definitions = [
        audience("active", event("Login").within(days(7)).once()),
        of_accounts(audience(
            "at_risk",
            and([trait_("tier").eq("business"), all_users(not(trait_("active").eq(true)))]),
        )),
        of_accounts(audience("lively", any_user(trait_("active").eq(true)))),
        of_accounts(computed("logins", event("Login").count())),
        of_accounts(audience("busy", trait_("logins").ge(2))),
        of_accounts(audience("one_user_busy", any_user(trait_("logins").ge(1)))),
    ];
    let at_noon = |users: &[&str]| {
        all_of_account(&definitions, &account("trait {'tier': 'business'}", users), time(NOW))
    };
    let values = at_noon(&["-1d Login", "-9d Login"]);
    assert_eq!(values["lively"], json!(true));
    assert_eq!(values["at_risk"], json!(null));
    assert_eq!(values["logins"], json!(2));
    assert_eq!(values["busy"], json!(true));
    assert_eq!(values["one_user_busy"], json!(null));
    assert!(!values.contains_key("active"));
    let values = at_noon(&["-8d Login", "-9d Login"]);
    assert_eq!(values["lively"], json!(null));
    assert_eq!(values["at_risk"], json!(true));
    let values = at_noon(&[]);
    assert_eq!(values["at_risk"], json!(null));
}

#[test]
fn users_and_accounts_have_their_keys_apart() {
    let definitions = [
        computed("n", event("A").count()),
        of_accounts(computed("n", event("B").count())),
        of_accounts(audience("a", trait_("n").eq(3))),
        of_accounts(audience("u", any_user(trait_("n").eq(1)))),
    ];
    let account = account("", &["0 A; 0 B; 0 B", "0 B"]);
    let values = all_of_account(&definitions, &account, time(NOW));
    assert_eq!(values["n"], json!(3));
    assert_eq!(values["a"], json!(true));
    assert_eq!(values["u"], json!(true));
    assert_eq!(
        all(&definitions, &account.users[0], time(NOW)),
        [("n".to_owned(), json!(1))].into()
    );
}

#[test]
fn a_membership_of_an_account_ends_as_time_passes() {
    let definitions = [
        audience("active", event("Login").within(days(7)).once()),
        of_accounts(audience("lively", any_user(trait_("active").eq(true)))),
        of_accounts(audience("lost", any_user(trait_("active").eq(false)))),
    ];
    let mut account = account("", &["0 Login", ""]);
    advance_account(&definitions, &mut account, time("-1u"), time("+8d"));
    assert_eq!(account.users[0].ever, ["active".to_owned()].into());
    assert!(account.users[1].ever.is_empty());
    assert_eq!(account.ever, ["lively".to_owned(), "lost".to_owned()].into());
    let values = all_of_account(&definitions, &account, time("+8d"));
    assert_eq!(values["lively"], json!(false));
    assert_eq!(values["lost"], json!(true));
}

fn cycle(definitions: &[Definition]) -> Option<Vec<String>> {
    order(definitions).err().map(|Cycle(keys)| keys)
}

#[test]
fn a_cycle_is_found() {
    let is_in = |key: &str| trait_(key).eq(true);
    assert_eq!(cycle(&[audience("a", is_in("a"))]), Some(vec!["a".into()]));
    let a_b = [audience("a", is_in("b")), computed("b", event("X").given(is_in("a")).count())];
    assert_eq!(cycle(&a_b), Some(vec!["a".into(), "b".into()]));
    let behind = [
        audience("x", is_in("a")),
        audience("a", is_in("b")),
        audience("b", is_in("c")),
        audience("c", event("E").sum(trait_("a")).gt(1)),
    ];
    assert_eq!(cycle(&behind), Some(vec!["a".into(), "b".into(), "c".into()]));
    // What was read on the way and is in no cycle is not told.
    let beside = [
        audience("a", and([is_in("x"), is_in("b")])),
        audience("x", event("E").once()),
        audience("b", is_in("a")),
    ];
    assert_eq!(cycle(&beside), Some(vec!["a".into(), "b".into()]));
    let diamond = [
        audience("top", and([is_in("left"), is_in("right")])),
        audience("left", is_in("bottom")),
        audience("right", is_in("bottom")),
        audience("bottom", is_in("custom")),
    ];
    assert_eq!(cycle(&diamond), None);
    let across =
        [of_accounts(audience("a", any_user(is_in("a")))), audience("a", event("X").once())];
    assert_eq!(cycle(&across), None);
    assert_eq!(
        cycle(&[of_accounts(audience("a", and([is_in("b"), is_in("a")])))]),
        Some(vec!["a".into()])
    );
}

/// Every moment at which one of these changes is one of the moments.
#[test]
fn the_moments_are_those_at_which_something_changes() {
    let definitions = [
        audience("a", event("A").within(hours(1)).once()),
        audience("b", trait_("d").within_next(days(1))),
        audience("c", event("A").expires_after(hours(2)).once()),
    ];
    let users = vec![history("0 A; trait {'d': '2024-05-18T00:00:00Z'}")];
    let account = Account { users, ..Account::default() };
    let moments = moments(&definitions, &account, time("0"), time("+9d"));
    for moment in ["+1h", "+2h+1u", "2024-05-17T00:00:00Z", "2024-05-18T00:00:00.000001Z"] {
        assert!(moments.contains(&time(moment)), "{moment}");
        let before = time(moment).plus_micros(-1);
        let values = |now| all(&definitions, &account.users[0], now);
        assert_ne!(values(before), values(time(moment)), "{moment}");
    }
    assert!(!moments.contains(&time("0")) && moments.iter().all(|moment| *moment <= time("+9d")));
}

/// Whatever is written anywhere may be compared with now.
#[test]
fn every_time_that_is_written_has_its_moments() {
    let definitions = [of_accounts(audience("a", trait_("d").within_last(days(30))))];
    let user = history(
        "-1d A {'p': ['2024-05-20']} {'c': {'d': '2024-05-21'}}; trait {'t': '2024-05-22'}",
    );
    let mut account = account("trait {'d': '2024-05-23'}", &[]);
    account.users.push(user);
    let (from, to) = (time("0"), time("+10d"));
    let moments = moments(&definitions, &account, from, to);
    for day in ["2024-05-20", "2024-05-21", "2024-05-22", "2024-05-23"] {
        assert!(moments.contains(&time(day)), "{day}");
    }
    // Thirty days later is after the end.
    assert!(moments.iter().all(|moment| from < *moment && *moment <= to));
}

#[test]
fn a_definition_is_computed_after_each_one_that_it_reads() {
    let reads = |condition| {
        let definitions = [audience("a", condition), audience("b", event("E").once())];
        let order = order(&definitions).expect("no cycle");
        order.iter().map(|definition| definition.key.clone()).collect::<Vec<_>>()
    };
    let x = || trait_("x");
    for condition in [
        x().eq(trait_("b")),
        x().contains([trait_("b")]),
        x().omits(trait_("b")),
        x().before_date(trait_("b")),
        event("E").given(trait_("b").exists()).once(),
        event("E").unique(trait_("b")).exists(),
        not(and([x().exists(), trait_("b.c").exists()])),
    ] {
        assert_eq!(reads(condition.clone()), ["b", "a"], "{condition:?}");
    }
    assert_eq!(reads(x().exists()), ["a", "b"]);
}
