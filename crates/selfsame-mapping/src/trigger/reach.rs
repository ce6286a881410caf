//! Which events a trigger can hold for at all, by their types and names.
//!
//! It is found without an event, and may be more than the trigger holds for, never less: connections are found
//! by it that may want an event.

use std::collections::BTreeSet;

use super::{Condition, Operator, Subject, Test, Trigger};

/// Alternatives that are told apart. Beyond, it is any event.
const MOST: usize = 256;

/// Events with one of these types and one of these names; none: any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Their `type`.
    pub types: Option<BTreeSet<String>>,
    /// Their `event`.
    pub names: Option<BTreeSet<String>>,
}

impl Reach {
    /// What is in both.
    fn and(&self, other: &Self) -> Self {
        Self { types: both(&self.types, &other.types), names: both(&self.names, &other.names) }
    }

    fn is_empty(&self) -> bool {
        [&self.types, &self.names].into_iter().flatten().any(BTreeSet::is_empty)
    }
}

type Texts = Option<BTreeSet<String>>;

fn both(one: &Texts, other: &Texts) -> Texts {
    match (one, other) {
        (Some(one), Some(other)) => Some(one & other),
        (some, None) | (None, some) => some.clone(),
    }
}

impl Trigger {
    /// The events that it can hold for: those of any of these alternatives.
    pub fn reach(&self) -> Vec<Reach> {
        self.root.reach()
    }
}

impl Condition {
    fn reach(&self) -> Vec<Reach> {
        match self {
            Self::Broken => Vec::new(),
            Self::Test(test) => vec![test.reach()],
            Self::Group { any: true, parts } => {
                bounded(parts.iter().flat_map(Self::reach).collect())
            }
            Self::Group { any: false, parts } => {
                parts.iter().map(Self::reach).fold(vec![Reach::default()], |found, part| {
                    let pairs = found.iter().flat_map(|one| part.iter().map(|two| one.and(two)));
                    bounded(pairs.filter(|reach| !reach.is_empty()).take(MOST + 1).collect())
                })
            }
        }
    }
}

fn bounded(found: Vec<Reach>) -> Vec<Reach> {
    if found.len() > MOST { vec![Reach::default()] } else { found }
}

impl Test {
    fn reach(&self) -> Reach {
        let only = || Some(BTreeSet::from([self.text.clone()]));
        match (&self.subject, self.operator) {
            (Subject::Field("type"), Operator::Equal) => Reach { types: only(), names: None },
            (Subject::Field("event"), Operator::Equal) => Reach { types: None, names: only() },
            _ => Reach::default(),
        }
    }
}
