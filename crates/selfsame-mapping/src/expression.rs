//! The expressions of manifests.
//!
//! A subset of JavaScript's: names and members (`event.traits.email`, `products[0]`, `a['b c']`), literals,
//! `?:`, `??`, `||`, `&&`, `!`, comparisons, arithmetic, `{a, 'b': 1, [key]: 2, ...c}`, `[1, ...list]`, and calls
//! of [`functions`]. A function of one value (`x => …`, also `(x, index) => …`) may stand only as an argument of
//! those that take one: `map(products, p => p.sku)`.
//!
//! Nothing throws: a member of what has none is undefined, arithmetic on what is no number is undefined,
//! and a function whose subject is undefined or null gives undefined, unless it is about that.
//!
//! Equality is `===` however many `=` are written, and lists and objects are equal if their parts are; truth is
//! JavaScript's: `false`, `0`, `""`, null and undefined are false. `docs/reference/expressions.md` has all of it.

mod call;
mod evaluate;
mod function;
mod lex;
mod parse;

use regex::Regex;
use serde_json::Value;

use crate::budget::Budget;
use crate::item::Item;
use crate::problem::Problem;

pub(crate) use call::COMPONENT;
use evaluate::Evaluation;
use function::Name;
pub use function::{Function, functions};

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    root: Node,
    names: Vec<String>,
}

/// What the names of an expression stand for.
#[derive(Debug, Clone, Default)]
pub struct Scope<'e> {
    names: Vec<(&'e str, Item<'e>)>,
    now_ms: i64,
}

impl<'e> Scope<'e> {
    /// A scope without names; `now()` is this time, in milliseconds since 1970.
    pub fn at(now_ms: i64) -> Self {
        Self { names: vec![], now_ms }
    }

    /// Adds a name. A name that is there already is hidden by it.
    #[must_use]
    pub fn with(mut self, name: &'e str, value: impl Into<Item<'e>>) -> Self {
        self.set(name, value.into());
        self
    }

    /// The same for a scope that is built in steps (`let`, `steps`): the name stands for this from now on.
    pub fn set(&mut self, name: &'e str, item: Item<'e>) {
        match self.names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = item,
            None => self.names.push((name, item)),
        }
    }

    /// What a name stands for; undefined if it is not there.
    pub fn get(&self, name: &str) -> Item<'e> {
        self.look(name).cloned().unwrap_or(Item::Undefined)
    }

    fn look(&self, name: &str) -> Option<&Item<'e>> {
        self.names.iter().find(|(known, _)| *known == name).map(|(_, item)| item)
    }
}

impl Expression {
    /// Reads an expression (the text behind the `=` of a manifest).
    ///
    /// # Errors
    ///
    /// It is none; the problem's place is in the text.
    pub fn compile(text: &str) -> Result<Self, Problem> {
        let (root, names) = parse::whole(text)?;
        Ok(Self { root, names })
    }

    /// What it comes to; null where that is undefined.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Value {
        self.value(scope).unwrap_or(Value::Null)
    }

    /// What it comes to; `None` where that is undefined: its key is then left out.
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        let budget = Budget::new();
        self.within(scope, &budget).into_value(&budget)
    }

    /// The same without copying what is of the scope; undefined too if it is too much.
    pub fn item<'s>(&'s self, scope: &Scope<'s>) -> Item<'s> {
        let budget = Budget::new();
        let item = self.within(scope, &budget);
        if budget.is_spent() { Item::Undefined } else { item }
    }

    /// Whether it is true, as JavaScript sees it. For `when`, `require`, `ok`, `stop`.
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        self.within(scope, &Budget::new()).is_true()
    }

    /// As text; `None` where it is null or undefined.
    pub fn text(&self, scope: &Scope<'_>) -> Option<String> {
        let budget = Budget::new();
        let item = self.within(scope, &budget);
        (!item.is_nullish()).then(|| item.text(&budget).into_owned())
    }

    /// The names that it reads from the scope, each once, in order: a manifest can refuse others.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it is `raw(…)`.
    pub(crate) fn is_raw(&self) -> bool {
        matches!(&self.root, Node::Call(call) if call.name == Name::Raw)
    }

    pub(crate) fn within<'s>(&'s self, scope: &Scope<'s>, budget: &Budget) -> Item<'s> {
        Evaluation::new(scope, &self.names, budget).item(&self.root)
    }
}

/// A part of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Constant(Value),
    Undefined,
    /// A name of the scope, by its place among those of the expression.
    Name(usize),
    /// A parameter, by how many are in force around the one that it names.
    Local(usize),
    Member(Box<Self>, Box<str>),
    Element(Box<Self>, Box<Self>),
    List(Vec<Part>),
    Object(Vec<Field>),
    Not(Box<Self>),
    Negative(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Else(Box<Self>, Box<Self>),
    Choice(Box<Choice>),
    Compare(Compare, Box<Self>, Box<Self>),
    Compute(Compute, Box<Self>, Box<Self>),
    Call(Box<Call>),
}

/// `test ? then : other`.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    test: Node,
    then: Node,
    other: Node,
}

/// A part of a list.
#[derive(Debug, Clone)]
pub(crate) enum Part {
    One(Node),
    Spread(Node),
}

/// A part of an object.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    Named(Box<str>, Node),
    Computed(Node, Node),
    Spread(Node),
}

/// A call, with the pattern that is written in it and the function of its elements, if it has them.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    name: Name,
    arguments: Vec<Node>,
    pattern: Option<Regex>,
    each: Option<Each>,
}

/// `(a, b) => body`: how many parameters are in force around it, how many it has.
#[derive(Debug, Clone)]
pub(crate) struct Each {
    around: usize,
    parameters: usize,
    body: Node,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compute {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[cfg(test)]
mod tests;
