//! FQL: filters over one event, as Segment writes them for destinations and transformations.
//!
//! A filter is read once and evaluated on events as they lie in their JSON text; nothing is copied in
//! the usual case. What is not documented, or differs between Segment's own engines, is decided in
//! `docs/reference/definitions.md`. A text that is no filter must let nothing through: [`closed`].

mod evaluate;
mod function;
mod glob;
mod ir;
mod lex;
mod parse;
mod value;

use selfsame_event::Raw;

use crate::decimal::Decimal;
use crate::fault::ParseError;

use function::Function;
use glob::Glob;

/// Most bytes of a filter.
pub const TEXT_BYTES: usize = 5 * 1024;
/// Most brackets, `!` and functions in each other.
pub const NESTING: usize = 16;

/// A filter that can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    root: Node,
}

impl Filter {
    /// Whether the filter holds for an event: whether it is true, and not only something that is
    /// there.
    pub fn holds(&self, event: Raw<'_>) -> bool {
        evaluate::holds(&self.root, event)
    }

    /// The form in which device-mode filters are sent to SDKs; `None` where those cannot express it.
    pub fn intermediate(&self) -> Option<serde_json::Value> {
        ir::of(&self.root)
    }
}

/// Reads a filter.
///
/// # Errors
///
/// The text is no FQL.
pub fn parse(text: &str) -> Result<Filter, ParseError> {
    parse::whole(text).map(|root| Filter { root })
}

/// Reads a filter that holds for no event if the text is no FQL.
pub fn closed(text: &str) -> Filter {
    parse(text).unwrap_or(Filter { root: Node::Literal(Literal::Bool(false)) })
}

/// A part of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Literal(Literal),
    List(Vec<Literal>),
    /// Keys from the event down.
    Path(Vec<String>),
    Call(Function, Vec<Self>),
    /// `match` with a pattern that is written.
    Match(Box<Self>, Pattern),
    Compare(Compare, Box<Self>, Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Literal {
    Null,
    Bool(bool),
    Number { text: String, number: Decimal },
    Text(String),
}

/// A glob as it was written, and as it is matched; one that is malformed matches nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    glob: Option<Glob>,
}

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
}

impl Compare {
    const ALL: [(&'static str, Self); 7] = [
        ("=", Self::Equal),
        ("!=", Self::Unequal),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("<", Self::Less),
        (">", Self::Greater),
        ("in", Self::In),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(symbol, _)| *symbol == name).map(|(_, compare)| *compare)
    }

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, compare)| *compare == self).map_or("", |(symbol, _)| symbol)
    }
}

#[cfg(test)]
mod tests;
