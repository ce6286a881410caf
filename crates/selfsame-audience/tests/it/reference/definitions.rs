//! Definitions that refer to each other.

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::Time;
use selfsame_expr::query::{Condition, Scalar, Step};
use serde_json::Value as Json;

use super::walk::{self, Part};
use super::{Account, History, Subject, Value, holds, moments, value};

#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// The key of the trait that holds its value.
    pub(crate) key: String,
    /// Whose it is. Users and accounts have their keys apart.
    pub(crate) collection: Collection,
    pub(crate) query: Query,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    Users,
    Accounts,
}

#[derive(Debug, Clone)]
pub(crate) enum Query {
    Audience(Condition),
    Trait(Scalar),
}

/// Definitions that need each other's values: each one the next one's, the last one the first one's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cycle(pub(crate) Vec<String>);

impl Definition {
    /// Which traits it reads, and whose.
    fn reads(&self) -> Vec<(Collection, String)> {
        let mut reads = Vec::new();
        let mut visit = |part: Part<'_>| {
            if let Part::Trait { path, of_users } = part
                && let Some(Step::Key(key)) = path.steps.first()
            {
                let collection = if of_users { Collection::Users } else { self.collection };
                reads.push((collection, key.clone()));
            }
        };
        match &self.query {
            Query::Audience(condition) => walk::condition(condition, false, &mut visit),
            Query::Trait(scalar) => walk::scalar(scalar, false, &mut visit),
        }
        reads
    }

    fn is(&self, (collection, key): &(Collection, String)) -> bool {
        self.collection == *collection && self.key == *key
    }
}

/// The definitions, each one after those that it reads.
pub(crate) fn order(definitions: &[Definition]) -> Result<Vec<&Definition>, Cycle> {
    let mut ordered = Vec::new();
    for definition in definitions {
        place(definition, definitions, &mut Vec::new(), &mut ordered)?;
    }
    Ok(ordered)
}

fn place<'a>(
    definition: &'a Definition,
    definitions: &'a [Definition],
    path: &mut Vec<&'a Definition>,
    ordered: &mut Vec<&'a Definition>,
) -> Result<(), Cycle> {
    if ordered.iter().any(|placed| std::ptr::eq(*placed, definition)) {
        return Ok(());
    }
    if let Some(start) = path.iter().position(|before| std::ptr::eq(*before, definition)) {
        let cycle = path.iter().skip(start).map(|definition| definition.key.clone());
        return Err(Cycle(cycle.collect()));
    }
    path.push(definition);
    for read in definition.reads() {
        if let Some(other) = definitions.iter().find(|other| other.is(&read)) {
            place(other, definitions, path, ordered)?;
        }
    }
    path.pop();
    ordered.push(definition);
    Ok(())
}

/// The values of all definitions of users, by key.
pub(crate) fn all(definitions: &[Definition], user: &History, now: Time) -> BTreeMap<String, Json> {
    let mut subject = Subject::user(user);
    compute(definitions, Collection::Users, &mut subject, &user.ever, now)
}

/// The values of all definitions of accounts, by key.
pub(crate) fn all_of_account(
    definitions: &[Definition],
    account: &Account,
    now: Time,
) -> BTreeMap<String, Json> {
    let mut subject = Subject::account(account);
    for (subject, user) in subject.users.iter_mut().flatten().zip(&account.users) {
        compute(definitions, Collection::Users, subject, &user.ever, now);
    }
    compute(definitions, Collection::Accounts, &mut subject, &account.ever, now)
}

/// Computes definitions and puts their values where the traits are: whatever reads a trait of that
/// name then reads the definition's value, null or not, and never a custom trait.
fn compute(
    definitions: &[Definition],
    collection: Collection,
    subject: &mut Subject,
    ever: &BTreeSet<String>,
    now: Time,
) -> BTreeMap<String, Json> {
    let mut values = BTreeMap::new();
    for definition in order(definitions).expect("no cycles") {
        if definition.collection != collection {
            continue;
        }
        let key = &definition.key;
        let value = match &definition.query {
            Query::Trait(scalar) => value(scalar, subject, now),
            Query::Audience(condition) => match holds(condition, subject, now) {
                true => Value::Bool(true),
                false if ever.contains(key) => Value::Bool(false),
                false => Value::Null,
            },
        };
        values.insert(key.clone(), value.json());
        subject.traits.insert(key.clone(), value);
    }
    values
}

/// Lets time pass after one moment and up to another, at which nothing happens, and notes which
/// audiences somebody was in.
pub(crate) fn advance(definitions: &[Definition], user: &mut History, from: Time, to: Time) {
    let alone = Account { users: vec![user.clone()], ..Account::default() };
    for now in moments(definitions, &alone, from, to).into_iter().chain([to]) {
        let values = all(definitions, user, now);
        note(&values, &mut user.ever);
    }
}

/// The same for an account and all its users.
pub(crate) fn advance_account(
    definitions: &[Definition],
    account: &mut Account,
    from: Time,
    to: Time,
) {
    for now in moments(definitions, account, from, to).into_iter().chain([to]) {
        for user in &mut account.users {
            let values = all(definitions, user, now);
            note(&values, &mut user.ever);
        }
        let values = all_of_account(definitions, account, now);
        note(&values, &mut account.ever);
    }
}

fn note(values: &BTreeMap<String, Json>, ever: &mut BTreeSet<String>) {
    ever.extend(
        values.iter().filter(|(_, value)| **value == Json::Bool(true)).map(|(k, _)| k.clone()),
    );
}
