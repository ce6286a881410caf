//! Triggers: which events a mapping is for, as `@segment/destination-subscriptions` reads them.
//!
//! They look like FQL and are looser: a group of conditions is joined by the last `and` or `or` in it, brackets
//! nest once, what is not known is passed over, and a text is compared by its characters. Triggers that were
//! written for Segment have to be read so, or they would choose other events. FQL itself is in `selfsame-expr`.

mod lex;
mod parse;
mod reach;

use crate::item::Item;
use crate::problem::Problem;

/// A compiled trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    root: Condition,
}

impl Trigger {
    /// Reads a trigger.
    ///
    /// # Errors
    ///
    /// It is none: Segment takes it for one that holds for no event.
    pub fn compile(text: &str) -> Result<Self, Problem> {
        Ok(Self { root: parse::whole(text)? })
    }

    /// Reads a trigger; one that cannot be read holds for no event.
    pub fn closed(text: &str) -> Self {
        Self::compile(text).unwrap_or(Self { root: Condition::Broken })
    }

    /// Whether the event is one that the mapping is for.
    pub fn holds<'e>(&self, event: impl Into<Item<'e>>) -> bool {
        self.root.holds(&event.into()).unwrap_or(false)
    }
}

pub use reach::Reach;

#[derive(Debug, Clone)]
enum Condition {
    Group {
        any: bool,
        parts: Vec<Self>,
    },
    Test(Test),
    /// Brackets with no condition in them: Segment's engine throws when it comes to them.
    Broken,
}

#[derive(Debug, Clone)]
struct Test {
    subject: Subject,
    operator: Operator,
    text: String,
    number: f64,
}

#[derive(Debug, Clone)]
enum Subject {
    /// `type`, `event`, `name` or `userId`.
    Field(&'static str),
    /// What is at the end of some keys of `properties`, `traits` or `context`; there may be no keys.
    Below(&'static str, Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NumberEqual,
    Unequal,
    NumberUnequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Contains,
    ContainsNot,
    Starts,
    StartsNot,
    Ends,
    EndsNot,
    Exists,
    ExistsNot,
    True,
    False,
    /// One that nothing fulfils.
    Unknown,
}

impl Condition {
    /// `None`: Segment's engine throws.
    fn holds(&self, event: &Item<'_>) -> Option<bool> {
        match self {
            Self::Broken => None,
            Self::Test(test) => Some(test.holds(event)),
            Self::Group { any, parts } => {
                for part in parts {
                    if part.holds(event)? == *any {
                        return Some(*any);
                    }
                }
                Some(!any)
            }
        }
    }
}

impl Test {
    fn holds(&self, event: &Item<'_>) -> bool {
        let actual = self.subject.find(event);
        let text = actual.as_text();
        let number = |test: fn(f64, f64) -> bool| {
            actual.as_number().is_some_and(|number| test(number, self.number))
        };
        let is_text =
            |test: fn(&str, &str) -> bool| text.is_some_and(|text| test(text, &self.text));
        match self.operator {
            Operator::Equal => text == Some(&self.text),
            Operator::Unequal => text != Some(&self.text),
            Operator::NumberEqual => number(|a, b| a == b),
            Operator::NumberUnequal => number(|a, b| a != b),
            Operator::Less => number(|a, b| a < b),
            Operator::AtMost => number(|a, b| a <= b),
            Operator::Greater => number(|a, b| a > b),
            Operator::AtLeast => number(|a, b| a >= b),
            Operator::Contains => is_text(|text, part| text.contains(part)),
            Operator::ContainsNot => is_text(|text, part| !text.contains(part)),
            Operator::Starts => is_text(|text, part| text.starts_with(part)),
            Operator::StartsNot => is_text(|text, part| !text.starts_with(part)),
            Operator::Ends => is_text(|text, part| text.ends_with(part)),
            Operator::EndsNot => is_text(|text, part| !text.ends_with(part)),
            Operator::Exists => !actual.is_nullish(),
            Operator::ExistsNot => actual.is_nullish(),
            Operator::True => matches!(actual, Item::Bool(true)),
            Operator::False => matches!(actual, Item::Bool(false)),
            Operator::Unknown => false,
        }
    }
}

impl Subject {
    fn find<'e>(&self, event: &Item<'e>) -> Item<'e> {
        match self {
            Self::Field(name) => event.member(name),
            Self::Below(_, keys) if keys.is_empty() => Item::Undefined,
            Self::Below(name, keys) => keys.iter().fold(event.member(name), |found, key| {
                if found.is_true() { found.member(key) } else { found }
            }),
        }
    }
}

#[cfg(test)]
mod tests;
