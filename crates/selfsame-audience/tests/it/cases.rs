//! Short cases with their answers: every line of docs/reference/definitions.md, and every example
//! that Segment's documents give.

mod conditions;
mod filters;
mod funnels;
mod numbers;
mod periods;
mod reducers;
mod references;
mod tests;
mod values;

use selfsame_expr::query::Condition;
use serde_json::Value as Json;

use crate::notation::{NOW, X, history, time};
use crate::reference::{self, Account, Subject};

/// The value of a scalar, now.
#[track_caller]
fn is(of: &str, scalar: &X, expected: &Json) {
    is_at(NOW, of, scalar, expected);
}

#[track_caller]
fn is_at(now: &str, of: &str, scalar: &X, expected: &Json) {
    let value = reference::value(&scalar.0, &Subject::user(&history(of)), time(now));
    assert_eq!(value.json().to_string(), expected.to_string(), "at {now} of {of}: {scalar:?}");
}

/// A condition holds now.
#[track_caller]
fn yes(of: &str, condition: &Condition) {
    let holds = reference::holds(condition, &Subject::user(&history(of)), time(NOW));
    assert!(holds, "of {of}: {condition:?}");
}

/// A condition does not hold now.
#[track_caller]
fn no(of: &str, condition: &Condition) {
    let holds = reference::holds(condition, &Subject::user(&history(of)), time(NOW));
    assert!(!holds, "of {of}: {condition:?}");
}

fn account(traits: &str, users: &[&str]) -> Account {
    let users = users.iter().map(|user| history(user)).collect();
    Account { users, traits: history(traits).traits, ..Account::default() }
}

fn holds_of_account(traits: &str, users: &[&str], condition: &Condition) -> bool {
    reference::holds(condition, &Subject::account(&account(traits, users)), time(NOW))
}
