//! What the grammar allows and the meaning does not.
//!
//! A definition that passes can be evaluated, and costs no more than the limits say. Everything that
//! is wrong is found at once, each with the place where it stands and what to do about it.

mod stream;
mod value;

use std::fmt;

use crate::query::ast::{Comparison, Condition, Place, Scalar, Test};
use crate::query::limits;
use crate::spot::Spot;

/// Whose a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A user has the trait or is in the audience.
    Users,
    /// An account does.
    Accounts,
}

/// Something in a definition that has no meaning, or costs too much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse {
    /// Where it stands, if the definition was read from a text.
    pub place: Place,
    /// What is wrong, and what to do.
    pub sentence: String,
}

impl Misuse {
    /// For a terminal: where in the text, the line, carets under it, the sentence.
    pub fn shown(&self, text: &str) -> String {
        let spot = Spot::of(text, self.place);
        format!("line {}, column {}:\n{spot}\n{}", spot.line, spot.column, self.sentence)
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl std::error::Error for Misuse {}

/// Checks the definition of an audience.
///
/// # Errors
///
/// Everything that is wrong, at least one, in the order in which it stands.
pub fn check_condition(condition: &Condition, holder: Holder) -> Result<(), Vec<Misuse>> {
    let mut checker = Checker::new(holder);
    checker.condition(condition, Scope::TOP);
    checker.ended(place_of(condition))
}

/// Checks the definition of a computed trait.
///
/// # Errors
///
/// Everything that is wrong, at least one, in the order in which it stands.
pub fn check_scalar(scalar: &Scalar, holder: Holder) -> Result<(), Vec<Misuse>> {
    let mut checker = Checker::new(holder);
    match scalar {
        Scalar::Literal(_) => checker
            .misuse(Place::default(), "A computed trait is computed: begin with `event('…')`."),
        Scalar::Reduced(reduce) => checker.reduce(reduce, Scope::TOP),
        other => checker.extracted(other, Scope::TOP),
    }
    let place = match scalar {
        Scalar::Reduced(reduce) => reduce.stream.place,
        _ => Place::default(),
    };
    checker.ended(place)
}

/// Where in a definition something stands.
#[derive(Debug, Clone, Copy)]
struct Scope {
    /// How many streams are around it.
    streams: usize,
    /// Whether `ANY` or `ALL` is around it.
    of_users: bool,
    /// How many brackets, `NOT` and `where` its text has around it.
    nesting: usize,
}

impl Scope {
    const TOP: Self = Self { streams: 0, of_users: false, nesting: 0 };

    fn deeper(self) -> Self {
        Self { nesting: self.nesting + 1, ..self }
    }
}

struct Checker {
    holder: Holder,
    found: Vec<Misuse>,
    /// Comparisons, and streams that no comparison begins with.
    expressions: usize,
}

impl Checker {
    fn new(holder: Holder) -> Self {
        Self { holder, found: vec![], expressions: 0 }
    }

    fn misuse(&mut self, place: Place, sentence: impl Into<String>) {
        self.found.push(Misuse { place, sentence: sentence.into() });
    }

    fn ended(mut self, whole: Place) -> Result<(), Vec<Misuse>> {
        if self.expressions > limits::EXPRESSIONS {
            self.misuse(
                whole,
                format!(
                    "A definition has at most {} primary expressions, and this one has {}: make \
                     audiences or computed traits of parts of it and refer to them with `trait('…')`.",
                    limits::EXPRESSIONS,
                    self.expressions
                ),
            );
        }
        if self.found.is_empty() { Ok(()) } else { Err(self.found) }
    }

    fn condition(&mut self, condition: &Condition, scope: Scope) {
        if scope.nesting > limits::NESTING {
            let sentence = format!(
                "Brackets, `NOT` and `where` stand in each other at most {} levels deep: make an \
                 audience of a part and refer to it with `trait('…')`.",
                limits::NESTING
            );
            return self.misuse(place_of(condition), sentence);
        }
        match condition {
            Condition::And(parts) | Condition::Or(parts) => {
                if parts.len() < 2 {
                    let sentence = "`AND` and `OR` join two conditions or more.";
                    self.misuse(place_of(condition), sentence);
                }
                for part in parts {
                    // Where its text has brackets.
                    let brackets = match part {
                        Condition::Or(_) => true,
                        Condition::And(_) => matches!(condition, Condition::And(_)),
                        _ => false,
                    };
                    self.condition(part, if brackets { scope.deeper() } else { scope });
                }
            }
            Condition::Not(part) => self.behind_a_word(part, scope),
            Condition::Any(part) | Condition::All(part) => {
                self.aggregate_of_users(condition, scope);
                self.behind_a_word(part, Scope { of_users: true, ..scope });
            }
            Condition::Is(comparison) => self.comparison(comparison, scope),
        }
    }

    /// What `NOT`, `ANY` or `ALL` stands before.
    fn behind_a_word(&mut self, part: &Condition, scope: Scope) {
        let brackets = matches!(part, Condition::And(_) | Condition::Or(_));
        let scope = scope.deeper();
        self.condition(part, if brackets { scope.deeper() } else { scope });
    }

    fn aggregate_of_users(&mut self, condition: &Condition, scope: Scope) {
        let sentence = if self.holder == Holder::Users {
            "`ANY` and `ALL` ask about the users of an account: only the definition of an account can \
             have them."
        } else if scope.streams > 0 {
            "`ANY` and `ALL` cannot stand in a `where`: events have no users to ask about."
        } else if scope.of_users {
            "`ANY` and `ALL` cannot stand in each other: under the outer one there is one user."
        } else {
            return;
        };
        self.misuse(place_of(condition), sentence);
    }

    fn comparison(&mut self, comparison: &Comparison, scope: Scope) {
        self.expressions += 1;
        match &comparison.value {
            Scalar::Literal(_) => self.misuse(
                comparison.place,
                "What is tested stands first and is no written value, which would always be the same.",
            ),
            Scalar::Reduced(reduce) => {
                self.no_list(reduce);
                self.reduce(reduce, scope);
                // It is one expression together with its test.
                self.expressions -= 1;
            }
            other => self.extracted(other, scope),
        }
        self.test(comparison, scope);
    }

    fn test(&mut self, comparison: &Comparison, scope: Scope) {
        for right in comparison.test.scalars() {
            match right {
                Scalar::Literal(literal) => self.literal(literal, comparison.place),
                Scalar::Reduced(reduce) => {
                    self.no_list(reduce);
                    self.reduce(reduce, scope);
                }
                other => self.extracted(other, scope),
            }
        }
        match &comparison.test {
            Test::Contains(parts) => self.list(parts.len(), comparison),
            Test::OneOf(values) | Test::NoneOf(values) => {
                self.list(values.len(), comparison);
                for value in values {
                    self.literal(value, comparison.place);
                }
            }
            Test::BeforeDate(Scalar::Literal(literal))
            | Test::AfterDate(Scalar::Literal(literal)) => self.date(literal, comparison.place),
            _ => {}
        }
    }

    fn list(&mut self, length: usize, comparison: &Comparison) {
        let name = comparison.test.name();
        if length == 0 {
            self.misuse(comparison.place, format!("`{name}` needs one value at least."));
        } else if length > limits::LIST {
            let sentence = format!(
                "A list has at most {} values, and this one has {length}: use several `{name}`.",
                limits::LIST
            );
            self.misuse(comparison.place, sentence);
        }
    }
}

/// The place of the first comparison that a condition has.
fn place_of(condition: &Condition) -> Place {
    let mut at = condition;
    loop {
        at = match at {
            Condition::Is(comparison) => return comparison.place,
            Condition::Not(part) | Condition::Any(part) | Condition::All(part) => part,
            Condition::And(parts) | Condition::Or(parts) => match parts.first() {
                Some(part) => part,
                None => return Place::default(),
            },
        }
    }
}
