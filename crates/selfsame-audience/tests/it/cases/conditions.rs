//! AND, OR, NOT, and the users of accounts.

use selfsame_expr::query::Condition;
use serde_json::json;

use super::{account, holds_of_account, no, yes};
use crate::notation::{
    NOW, all_users, and, any_user, days, event, hours, not, or, parent, property, time, trait_,
};
use crate::reference::{Subject, value};

fn t() -> Condition {
    trait_("t").exists()
}

fn f() -> Condition {
    trait_("f").exists()
}

#[test]
fn and_or_not() {
    let of = "trait {'t': 1}";
    yes(of, &and([t(), t()]));
    no(of, &and([t(), f()]));
    no(of, &and([f(), t()]));
    no(of, &and([t(), t(), f()]));
    yes(of, &or([t(), f()]));
    yes(of, &or([f(), f(), t()]));
    no(of, &or([f(), f()]));
    yes(of, &not(f()));
    no(of, &not(t()));
    yes(of, &or([t(), and([f(), f()])]));
    no(of, &and([or([t(), f()]), f()]));
}

#[test]
fn a_condition_that_is_not_met_is_false_and_not_null() {
    no("", &trait_("v").gt(5));
    yes("", &not(trait_("v").gt(5)));
    no("", &trait_("v").le(5));
    yes("", &not(trait_("v").le(5)));
    yes("", &not(trait_("v").eq(trait_("w"))));
}

#[test]
fn did_not_buy_and_has_not_spent_much() {
    let audience = not(and([event("Shoes Bought").count().ge(1), trait_("total_spend").gt(200)]));
    yes("", &audience);
    yes("-1d Shoes Bought; trait {'total_spend': 200}", &audience);
    yes("trait {'total_spend': 201}", &audience);
    no("-1d Shoes Bought; trait {'total_spend': 201}", &audience);
}

#[test]
fn a_truth_value_as_a_trait() {
    yes("trait {'VIP': true}", &trait_("VIP").eq("true"));
    yes("trait {'VIP': true}", &trait_("VIP").eq(true));
    no("trait {'VIP': false}", &trait_("VIP").eq(true));
    no("", &trait_("VIP").eq(false));
    yes(
        "trait {'segment_consent_preference': {'categories': {'ads': true}}}",
        &trait_("segment_consent_preference.categories.ads").eq(true),
    );
}

const BUYER: &str = "-1d Shoes Bought; trait {'total_spend': 201}";
const VISITOR: &str = "-1d Shoes Seen; trait {'total_spend': 500}";

fn bought() -> Condition {
    event("Shoes Bought").count().ge(1)
}

#[test]
fn all_users_of_an_account() {
    let audience = all_users(and([bought(), trait_("total_spend").gt(200)]));
    assert!(holds_of_account("", &[BUYER], &audience));
    assert!(holds_of_account("", &[BUYER, BUYER], &audience));
    assert!(!holds_of_account("", &[BUYER, VISITOR], &audience));
    assert!(!holds_of_account("", &[VISITOR], &audience));
    assert!(!holds_of_account("", &[], &audience));
    assert!(holds_of_account("", &[], &not(audience)));
}

#[test]
fn any_user_of_an_account() {
    let audience = any_user(bought());
    assert!(holds_of_account("", &[BUYER], &audience));
    assert!(holds_of_account("", &[VISITOR, BUYER], &audience));
    assert!(!holds_of_account("", &[VISITOR, VISITOR], &audience));
    assert!(!holds_of_account("", &[], &audience));
    assert!(holds_of_account("", &[], &not(audience)));
}

#[test]
fn no_user_of_an_account() {
    let audience = all_users(not(bought()));
    assert!(holds_of_account("", &[VISITOR], &audience));
    assert!(!holds_of_account("", &[VISITOR, BUYER], &audience));
    assert!(!holds_of_account("", &[], &audience));
    assert!(holds_of_account("", &[], &not(any_user(bought()))));
}

/// One user has to meet the whole of a condition under ANY.
#[test]
fn a_condition_of_users_is_one_of_each_user() {
    let users = ["-1d A", "-1d B"];
    let both = and([event("A").once(), event("B").once()]);
    assert!(!holds_of_account("", &users, &any_user(both.clone())));
    assert!(holds_of_account("", &users, &both));
    let each = and([any_user(event("A").once()), any_user(event("B").once())]);
    assert!(holds_of_account("", &users, &each));
}

#[test]
fn outside_of_any_and_all_the_traits_are_the_accounts() {
    let users = ["trait {'plan': 'free'}", "trait {'seat': 1}"];
    assert!(holds_of_account("trait {'plan': 'pro'}", &users, &trait_("plan").eq("pro")));
    assert!(!holds_of_account("trait {'plan': 'pro'}", &users, &trait_("seat").exists()));
    assert!(holds_of_account(
        "trait {'plan': 'pro'}",
        &users,
        &any_user(trait_("plan").eq("free"))
    ));
    assert!(!holds_of_account(
        "trait {'plan': 'pro'}",
        &users,
        &any_user(trait_("plan").eq("pro"))
    ));
    assert!(!holds_of_account("", &users, &trait_("plan").exists()));
}

#[test]
fn outside_of_any_and_all_events_are_those_of_all_users() {
    let users = ["-3d A {'p': 1}; -1d A {'p': 2}", "-2d A {'p': 4}", ""];
    assert!(holds_of_account("", &users, &event("A").count().eq(3)));
    assert!(!holds_of_account("", &users, &any_user(event("A").count().eq(3))));
    let subject = Subject::account(&account("", &users));
    let last = event("A").between(days(1), days(3)).last(property("p"));
    assert_eq!(value(&last.0, &subject, time(NOW)).json(), json!(2));
    let sum = event("A").sum(property("p"));
    assert_eq!(value(&sum.0, &subject, time(NOW)).json(), json!(7));
}

/// An event of one user may follow that of another one.
#[test]
fn a_funnel_of_an_account_goes_across_its_users() {
    let same = property("seat").eq(parent("seat"));
    let followed =
        event("A").given(event("B").within_of_parent(hours(1)).given(same).once()).once();
    let users = ["-5h A {'seat': 7}", "-5h+1m B {'seat': 7}"];
    assert!(holds_of_account("", &users, &followed));
    assert!(!holds_of_account("", &users, &any_user(followed.clone())));
    assert!(!holds_of_account("", &["-5h A {'seat': 7}", "-5h+1m B {'seat': 8}"], &followed));
}

/// In a condition of an account, the trait in a `where` is the account's.
#[test]
fn a_where_of_an_account_reads_its_traits() {
    let big = event("A").given(property("p").gt(trait_("limit"))).once();
    let users = ["trait {'limit': 100}; -1h A {'p': 10}"];
    assert!(holds_of_account("trait {'limit': 5}", &users, &big));
    assert!(!holds_of_account("", &users, &big));
    assert!(!holds_of_account("trait {'limit': 5}", &users, &any_user(big)));
}
