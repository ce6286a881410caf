//! `@liquid`: the templates of Shopify, as `liquidjs` renders them with what Segment leaves of it.
//!
//! The tags `case`, `for`, `include`, `layout`, `render` and `tablerow` are disabled, and so are filters that go
//! through lists; Segment's engine refuses an event when it comes to one, we refuse the template. There is no clock
//! and no chance here: `date` leaves `now` as it is, and `sample` is refused.

mod date;
mod filter;
mod markup;
mod read;
mod render;
mod scan;

use crate::budget::Budget;
use crate::item::Item;
use crate::limits::LIQUID_CHARS;
use crate::problem::Problem;
use crate::text::length;

use filter::Filter;

/// A compiled template.
#[derive(Debug, Clone)]
pub(crate) struct Liquid {
    parts: Vec<Part>,
}

impl Liquid {
    pub(crate) fn compile(text: &str) -> Result<Self, Problem> {
        if length(text) > LIQUID_CHARS {
            let expected = format!("at most {LIQUID_CHARS} characters");
            return Err(Problem::within(0..text.len(), expected, length(text).to_string()));
        }
        Ok(Self { parts: scan::template(text)? })
    }

    /// What it says of a payload; or why it says nothing.
    pub(crate) fn render(&self, payload: &Item<'_>, budget: &Budget) -> Result<String, String> {
        render::text(&self.parts, payload, budget)
    }
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Output(Filtered),
    Assign(String, Filtered),
    Capture(String, Vec<Self>),
    /// Branches with what has to be true for each, and the last one.
    If(Vec<(Filtered, bool, Vec<Self>)>, Vec<Self>),
    /// A counter, and whether it counts up.
    Count(String, bool),
    /// Values in turn: under which name, which.
    Cycle(Option<Operand>, Vec<Operand>),
    Block(Vec<Self>),
    Stop,
}

/// A value, and what is made of it.
#[derive(Debug, Clone)]
struct Filtered {
    /// Operands and operators, each operator behind its operands.
    value: Vec<Step>,
    filters: Vec<(Filter, Vec<Argument>)>,
}

#[derive(Debug, Clone)]
enum Step {
    Operand(Operand),
    Operator(Operator),
}

#[derive(Debug, Clone)]
struct Argument {
    name: Option<String>,
    value: Operand,
}

#[derive(Debug, Clone)]
enum Operand {
    Text(String),
    Number(f64),
    Bool(bool),
    Nil,
    Empty,
    Blank,
    /// Keys from a value, or from all that has a name.
    Path(Option<Box<Self>>, Vec<Self>),
    Range(Box<Self>, Box<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Contains,
    Not,
    And,
    Or,
}

#[cfg(test)]
mod tests;
