//! Definitions of accounts: what is asked of each user is answered where the user is, and counted.

use proptest::collection::vec;
use proptest::prelude::*;
use selfsame_audience::{Plans, Query, Tally};
use selfsame_event::Time;
use selfsame_expr::query::Condition;
use selfsame_expr::query::testing::{Shape, condition};
use serde_json::Map;

use super::SECTIONS;
use super::draw::{Step, What, step};
use super::many::check;
use super::world::{Known, fold};
use crate::reference::{self, Account, Collection, Definition, Event, History, Subject, windows};

#[derive(Debug, Clone)]
struct Case {
    /// What the account is asked.
    condition: Condition,
    steps: Vec<Step>,
}

fn case() -> impl Strategy<Value = Case> {
    let shape = Shape { comparisons: 2, nesting: 1, ..Shape::default() };
    let of_account = condition(&Shape { comparisons: 1, ..shape.clone() });
    let of_users = (condition(&shape), any::<bool>()).prop_map(|(one, is_any)| match is_any {
        true => Condition::Any(Box::new(one)),
        false => Condition::All(Box::new(one)),
    });
    let part = (prop_oneof![1 => of_account, 4 => of_users], any::<bool>());
    let part = part.prop_map(|(part, is_not)| match is_not {
        true => Condition::Not(Box::new(part)),
        false => part,
    });
    let joined = (vec(part, 1..3), any::<bool>()).prop_map(|(mut parts, is_and)| {
        match (parts.len(), is_and) {
            (1, _) => parts.remove(0),
            (_, true) => Condition::And(parts),
            (_, false) => Condition::Or(parts),
        }
    });
    (joined, vec(step(), 1..10)).prop_map(|(condition, steps)| Case { condition, steps })
}

/// A user: what the user's definitions keep, what the account's keep of the user's events, and what the
/// account has been told.
#[derive(Debug, Clone, Default)]
struct User {
    is_in: bool,
    own: Vec<u8>,
    of_account: Vec<u8>,
    history: History,
    told: Option<Vec<bool>>,
}

#[test]
fn an_account_is_asked_what_its_users_are() {
    check("accounts", (500, 4), &case(), |case| agree(&case));
}

fn agree(case: &Case) -> Result<(), TestCaseError> {
    let Ok(plans) = Plans::compile_accounts(&[Query::Audience(case.condition.clone())]) else {
        return Err(TestCaseError::reject("it would keep too much"));
    };
    let asked: Vec<_> = plans.of_users().iter().cloned().map(Query::Audience).collect();
    let Ok(of_users) = Plans::compile(&asked) else {
        return Err(TestCaseError::reject("it would keep too much"));
    };
    let windows = windows(&[Definition {
        key: "k".to_owned(),
        collection: Collection::Accounts,
        query: reference::Query::Audience(case.condition.clone()),
    }]);
    let mut users = vec![User::default(); SECTIONS];
    let mut tally = Tally::default();
    let mut now = Time::parse("2026-01-01T00:00:00Z").expect("a time");
    let traits = Map::from_iter([("plan".to_owned(), "a".into()), ("score".to_owned(), 2.into())]);
    for step in &case.steps {
        now = now.plus_micros(step.after.micros(&windows));
        match &step.what {
            What::Event { event, section, late } => {
                let time = now.plus_micros(-late.micros(&windows));
                let event = Event { time, ..Event::clone(event) };
                let user = &mut users[*section];
                fold(&of_users, &mut user.own, &event, now);
                fold(&plans, &mut user.of_account, &event, now);
                user.history.events.push(event);
            }
            What::Traits { section, traits } => users[*section].history.traits.clone_from(traits),
            What::People(people) => {
                for (user, is_out) in users.iter_mut().zip(people) {
                    user.is_in = *is_out == 0;
                }
            }
        }
        for user in &mut users {
            tell(user, &of_users, asked.len(), &mut tally, now);
        }
        let mut bytes = Vec::new();
        tally.put(&mut bytes);
        prop_assert_eq!(Tally::read(&bytes), Some(tally.clone()));

        let inside = || users.iter().filter(|user| user.is_in);
        let rows: Vec<&[u8]> = inside().map(|user| user.of_account.as_slice()).collect();
        let known =
            Known(traits.iter().map(|(key, json)| (key.clone(), json.to_string())).collect());
        let found = plans.profile(&rows, now).evaluate_account(0, &known, &tally);
        let found = found.expect("there is one").value.json();
        let histories = inside().map(|user| user.history.clone()).collect();
        let account = Account { users: histories, traits: traits.clone(), ..Account::default() };
        let expected = reference::holds(&case.condition, &Subject::account(&account), now);
        prop_assert_eq!(found, expected.to_string(), "at {}, of {:?}", now, &account);
    }
    Ok(())
}

/// What has changed of a user is told the account. Of those who are not in it nothing holds.
fn tell(user: &mut User, of_users: &Plans, number: usize, tally: &mut Tally, now: Time) {
    if user.is_in && user.told.is_none() {
        tally.join();
        user.told = Some(vec![false; number]);
    }
    let known = user.history.traits.iter().map(|(key, json)| (key.clone(), json.to_string()));
    let known = Known(known.collect());
    let rows = [user.own.as_slice()];
    let profile = of_users.profile(&rows, now);
    for (number, told) in user.told.iter_mut().flatten().enumerate() {
        let found = profile.evaluate(number, &known).expect("there is one");
        let holds = user.is_in && found.value.json() == "true";
        let before = (tally.any(number), tally.all(number));
        let is_another = tally.change(number, *told, holds);
        assert_eq!(is_another, before != (tally.any(number), tally.all(number)));
        *told = holds;
    }
    if !user.is_in && user.told.take().is_some() {
        tally.leave();
    }
}
