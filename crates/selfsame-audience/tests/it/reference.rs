//! What definitions mean, computed the slow and obvious way: from all events of a profile, each time.
//!
//! This is docs/reference/definitions.md as code, in its order and its words, and the judge of the
//! engine: it shares nothing with it but the tree of a definition and the type of a time. Nothing
//! here is kept from one question to the next except the one thing that the events do not say:
//! which audiences somebody was in before.

mod calendar;
mod decimal;
mod definitions;
mod moments;
mod reduce;
mod stream;
mod test;
mod value;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::Time;
use selfsame_expr::query::{Condition, Path, Scalar, Step};
use serde_json::{Map, Value as Json};

pub(crate) use decimal::Decimal;
pub(crate) use definitions::{
    Collection, Cycle, Definition, Query, advance, advance_account, all, all_of_account, order,
};
pub(crate) use moments::{moments, windows};
pub(crate) use value::Value;

/// What is known of a profile.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    /// In any order.
    pub(crate) events: Vec<Event>,
    /// Its custom traits.
    pub(crate) traits: Map<String, Json>,
    /// The keys of the audiences that it has been in.
    pub(crate) ever: BTreeSet<String>,
}

/// What is known of an account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) users: Vec<History>,
    /// Its custom traits.
    pub(crate) traits: Map<String, Json>,
    /// The keys of the audiences that it has been in.
    pub(crate) ever: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    /// Of a track event; of a page or a screen, where it has one.
    pub(crate) name: Option<String>,
    /// Its effective time.
    pub(crate) time: Time,
    pub(crate) record: [u8; 16],
    pub(crate) item: u32,
    pub(crate) source: String,
    pub(crate) properties: Json,
    pub(crate) context: Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Track,
    Page,
    Screen,
    Identify,
    Group,
    Alias,
}

impl Event {
    /// Events are in the order of this.
    pub(crate) fn order(&self) -> (Time, [u8; 16], u32) {
        (self.time, self.record, self.item)
    }

    fn property(&self, steps: &[Step]) -> Vec<Value> {
        let name_of_kind = match self.kind {
            Kind::Page => "page_name",
            Kind::Screen => "screen_name",
            Kind::Track | Kind::Identify | Kind::Group | Kind::Alias => {
                return Value::read(&self.properties).at(steps);
            }
        };
        match steps {
            [Step::Key(key), rest @ ..]
                if key == name_of_kind && self.properties.get(key).is_none() =>
            {
                self.name.clone().map_or(Value::Null, Value::Text).at(rest)
            }
            _ => Value::read(&self.properties).at(steps),
        }
    }
}

/// Whose events and traits a definition reads: a user's or an account's.
#[derive(Debug)]
pub(crate) struct Subject {
    /// Of an account, those of all its users.
    pub(crate) events: Vec<Event>,
    /// Custom traits, and over them the values of definitions.
    pub(crate) traits: BTreeMap<String, Value>,
    /// Of an account only.
    pub(crate) users: Option<Vec<Self>>,
}

impl Subject {
    pub(crate) fn user(history: &History) -> Self {
        Self { events: history.events.clone(), traits: read(&history.traits), users: None }
    }

    pub(crate) fn account(account: &Account) -> Self {
        Self {
            events: account.users.iter().flat_map(|user| user.events.clone()).collect(),
            traits: read(&account.traits),
            users: Some(account.users.iter().map(Self::user).collect()),
        }
    }
}

fn read(traits: &Map<String, Json>) -> BTreeMap<String, Value> {
    traits.iter().map(|(key, value)| (key.clone(), Value::read(value))).collect()
}

/// Where a condition stands: of whom, when, and in which `where`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    subject: &'a Subject,
    now: Time,
    /// The event at hand.
    at: Option<&'a Event>,
    /// The event around it.
    parent: Option<&'a Event>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(subject: &'a Subject, now: Time) -> Self {
        Self { subject, now, at: None, parent: None }
    }

    /// At an event of a stream that stands here.
    fn of(self, event: &'a Event) -> Self {
        Self { at: Some(event), parent: self.at, ..self }
    }
}

/// Whether a condition holds.
pub(crate) fn holds(condition: &Condition, subject: &Subject, now: Time) -> bool {
    holds_in(condition, Scope::new(subject, now))
}

fn holds_in(condition: &Condition, scope: Scope<'_>) -> bool {
    let of_user = |condition, user| holds(condition, user, scope.now);
    match condition {
        Condition::And(all) => all.iter().all(|one| holds_in(one, scope)),
        Condition::Or(any) => any.iter().any(|one| holds_in(one, scope)),
        Condition::Not(one) => !holds_in(one, scope),
        Condition::Any(one) => users(scope).iter().any(|user| of_user(one, user)),
        Condition::All(one) => {
            !users(scope).is_empty() && users(scope).iter().all(|user| of_user(one, user))
        }
        Condition::Is(comparison) => test::passes(comparison, scope),
    }
}

fn users(scope: Scope<'_>) -> &[Subject] {
    scope.subject.users.as_deref().expect("only an account has users")
}

/// The value of a trait's definition. A path with `$` is the list of its values.
pub(crate) fn value(scalar: &Scalar, subject: &Subject, now: Time) -> Value {
    let mut values = values(scalar, Scope::new(subject, now));
    match scalar {
        Scalar::Trait(path) if path.steps.contains(&Step::Each) => {
            values.retain(|value| !value.is_null());
            if values.is_empty() { Value::Null } else { Value::List(values) }
        }
        _ => values.into_iter().next().unwrap_or(Value::Null),
    }
}

/// The value of a scalar; of a path with `$` as many as there are elements.
fn values(scalar: &Scalar, scope: Scope<'_>) -> Vec<Value> {
    let property = |event: Option<&Event>, path: &Path| {
        event.map_or_else(|| Value::Null.at(&path.steps), |event| event.property(&path.steps))
    };
    match scalar {
        Scalar::Literal(literal) => vec![Value::written(literal)],
        Scalar::Trait(path) => match path.steps.split_first() {
            Some((Step::Key(key), rest)) => {
                scope.subject.traits.get(key).unwrap_or(&Value::Null).at(rest)
            }
            Some((Step::Each, _)) | None => Vec::new(),
        },
        Scalar::Property(path) => property(scope.at, path),
        Scalar::ParentProperty(path) => property(scope.parent, path),
        Scalar::Context(path) => match scope.at {
            Some(event) => Value::read(&event.context).at(&path.steps),
            None => Value::Null.at(&path.steps),
        },
        Scalar::Reduced(reduced) => vec![reduce::reduce(reduced, scope)],
    }
}
