//! JSON values with expressions in them.

use std::borrow::Cow;

use serde_json::Value;

use crate::budget::Budget;
use crate::expression::Scope;
use crate::item::{Item, merged};
use crate::limits::{NESTING, PROBLEMS};
use crate::problem::{Problem, pushed};
use crate::template::Template;

/// The key whose value is spread into the object that it stands in.
const SPREAD: &str = "...";

/// A JSON value in which every string is a [`Template`]. What is undefined is left out of its object, and of
/// its list. `{"...": "=expression"}` spreads an object into the one that it stands in: a key behind it wins, a
/// key in front of it loses.
#[derive(Debug, Clone)]
pub struct Tree {
    root: Node,
    names: Vec<String>,
}

/// What a value would become is more than an evaluation may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

#[derive(Debug, Clone)]
enum Node {
    Constant(Value),
    Template(Template),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    /// An object into which others are spread.
    Merged(Vec<(Option<String>, Self)>),
}

impl Tree {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// The problems of its texts: each points into the value (JSON pointer), and into the text.
    pub fn compile(value: &Value) -> Result<Self, Vec<Problem>> {
        let mut compiler = Compiler { problems: vec![], names: vec![] };
        let root = compiler.node(value, "", 0);
        let Compiler { problems, names } = compiler;
        if problems.is_empty() { Ok(Self { root, names }) } else { Err(problems) }
    }

    /// What it comes to; `None`: undefined.
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        let budget = Budget::new();
        self.root.item(scope, &budget).into_value(&budget)
    }

    /// The same without copying what is of the scope; undefined too if it is too much.
    pub fn item<'s>(&'s self, scope: &Scope<'s>) -> Item<'s> {
        let budget = Budget::new();
        let item = self.root.item(scope, &budget);
        if budget.is_spent() { Item::Undefined } else { item }
    }

    /// As JSON; `None`: undefined.
    ///
    /// # Errors
    ///
    /// It is too large.
    pub fn json(&self, scope: &Scope<'_>) -> Result<Option<String>, TooLarge> {
        let budget = Budget::new();
        let json = self.root.item(scope, &budget).exact_json(&budget);
        if budget.is_spent() { Err(TooLarge) } else { Ok(json) }
    }

    /// As a text: lists and objects as JSON. `None`: undefined or null.
    pub fn text(&self, scope: &Scope<'_>) -> Option<String> {
        self.root.item(scope, &Budget::new()).to_text()
    }

    /// What it comes to; null where that is undefined.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Value {
        self.value(scope).unwrap_or(Value::Null)
    }

    /// The names that it reads from the scope, each once, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

struct Compiler {
    problems: Vec<Problem>,
    names: Vec<String>,
}

impl Compiler {
    fn node(&mut self, value: &Value, pointer: &str, depth: usize) -> Node {
        if depth > NESTING {
            let expected = format!("at most {NESTING} levels of nesting");
            self.problem(Problem::at(pointer, expected, "more"));
            return Node::Constant(Value::Null);
        }
        match value {
            Value::String(text) => match Template::compile(text) {
                Ok(template) => self.template(template),
                Err(problem) => {
                    self.problem(problem.under(pointer));
                    Node::Constant(Value::Null)
                }
            },
            Value::Array(values) => {
                let numbered = values.iter().enumerate();
                let nodes = numbered
                    .map(|(n, value)| self.node(value, &format!("{pointer}/{n}"), depth + 1));
                let nodes: Vec<_> = nodes.collect();
                match nodes.iter().map(constant).collect::<Option<_>>() {
                    Some(values) => Node::Constant(Value::Array(values)),
                    None => Node::List(nodes),
                }
            }
            Value::Object(map) => {
                let fields = map.iter().map(|(key, value)| {
                    (key.clone(), self.node(value, &pushed(pointer, key), depth + 1))
                });
                let fields: Vec<_> = fields.collect();
                if fields.iter().any(|(key, _)| key == SPREAD) {
                    let named = |key| Some(key).filter(|key| key != SPREAD);
                    return Node::Merged(
                        fields.into_iter().map(|(key, node)| (named(key), node)).collect(),
                    );
                }
                let constants =
                    fields.iter().map(|(key, node)| Some((key.clone(), constant(node)?)));
                match constants.collect::<Option<_>>() {
                    Some(map) => Node::Constant(Value::Object(map)),
                    None => Node::Object(fields),
                }
            }
            scalar => Node::Constant(scalar.clone()),
        }
    }

    fn template(&mut self, template: Template) -> Node {
        for name in template.names() {
            if !self.names.contains(name) {
                self.names.push(name.clone());
            }
        }
        match template.constant() {
            Some(text) => Node::Constant(Value::String(text.to_owned())),
            None => Node::Template(template),
        }
    }

    fn problem(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }
}

fn constant(node: &Node) -> Option<Value> {
    match node {
        Node::Constant(value) => Some(value.clone()),
        _ => None,
    }
}

impl Node {
    fn item<'s>(&'s self, scope: &Scope<'s>, budget: &Budget) -> Item<'s> {
        if budget.spend(1).is_none() {
            return Item::Undefined;
        }
        match self {
            Self::Constant(value) => Item::of(value),
            Self::Template(template) => template.item(scope, budget),
            Self::List(nodes) => {
                let items = nodes.iter().map(|node| node.item(scope, budget));
                Item::list(items.filter(|item| !item.is_undefined()).collect())
            }
            Self::Object(fields) => {
                let mut made = Vec::with_capacity(fields.len());
                for (key, node) in fields {
                    let item = node.item(scope, budget);
                    if !item.is_undefined() {
                        made.push((Cow::Borrowed(&**key), item));
                    }
                }
                Item::object(made)
            }
            Self::Merged(parts) => {
                let mut fields = Vec::with_capacity(parts.len());
                for (key, node) in parts {
                    let item = node.item(scope, budget);
                    match key {
                        Some(key) if !item.is_undefined() => {
                            fields.push((Cow::Borrowed(&**key), item));
                        }
                        None if item.is_object() => fields.extend(item.fields()),
                        _ => {}
                    }
                }
                if budget.spend(fields.len()).is_none() {
                    return Item::Undefined;
                }
                Item::object(merged(fields))
            }
        }
    }
}

#[cfg(test)]
mod tests;
