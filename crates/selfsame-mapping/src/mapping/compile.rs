//! Reads a mapping.

use serde_json::{Map, Value};

use crate::limits::{NESTING, PROBLEMS};
use crate::problem::{Problem, pushed, quoted};

use super::Node;

/// The key under which one directive stands for the whole mapping: the other keys are its `mapping`.
const ROOT: &str = "__segment_internal_directive";

/// The directives.
pub(super) const DIRECTIVES: [&str; 13] = [
    "@arrayPath",
    "@case",
    "@excludeWhenNull",
    "@flatten",
    "@if",
    "@json",
    "@liquid",
    "@literal",
    "@merge",
    "@path",
    "@replace",
    "@template",
    "@transform",
];

/// Reads a whole mapping.
pub(super) fn root(mapping: &Value) -> Result<Node, Vec<Problem>> {
    let mut compiler = Compiler { problems: vec![], depth: 0 };
    let node = compiler.whole(mapping, "");
    if compiler.problems.is_empty() { Ok(node) } else { Err(compiler.problems) }
}

/// Whether keys with `@` may stand beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// They may not.
    Checked,
    /// They may: Segment's engine does not look into lists, and not into the objects of `@literal` and
    /// `@excludeWhenNull`, before it resolves them. Such an object is an object.
    Free,
}

#[derive(Debug)]
pub(super) struct Compiler {
    problems: Vec<Problem>,
    depth: usize,
}

impl Compiler {
    pub(super) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// A mapping, or what `@transform` applies: an object, which may have a root directive.
    pub(super) fn whole(&mut self, mapping: &Value, pointer: &str) -> Node {
        let Some(fields) = mapping.as_object() else {
            self.problem(Problem::at(pointer, "an object", kind(mapping)));
            return Node::Undefined;
        };
        let Some(root) = fields.get(ROOT) else {
            return self.node(mapping, pointer, Rule::Checked);
        };
        let pointer = pushed(pointer, ROOT);
        let directive = root.as_object().filter(|root| root.len() == 1);
        let directive = directive.and_then(|root| root.iter().next());
        let Some((name, Value::Object(config))) = directive else {
            let expected = "an object with one directive whose value is an object";
            self.problem(Problem::at(&pointer, expected, kind(root)));
            return Node::Undefined;
        };
        let others = fields.iter().filter(|(key, _)| *key != ROOT);
        let others: Map<_, _> = others.map(|(key, value)| (key.clone(), value.clone())).collect();
        let mut config = config.clone();
        config.insert("mapping".to_owned(), Value::Object(others));
        let whole = Map::from_iter([(name.clone(), Value::Object(config))]);
        self.node(&Value::Object(whole), &pointer, Rule::Checked)
    }

    pub(super) fn node(&mut self, value: &Value, pointer: &str, rule: Rule) -> Node {
        if self.depth == NESTING {
            let expected = format!("at most {NESTING} levels of nesting");
            self.problem(Problem::at(pointer, expected, "more"));
            return Node::Undefined;
        }
        self.depth += 1;
        let node = match value {
            Value::Object(fields) => self.object(fields, pointer, rule),
            Value::Array(values) => {
                let numbered = values.iter().enumerate();
                let nodes = numbered.map(|(n, value)| {
                    let pointer = format!("{pointer}/{n}");
                    self.node(value, &pointer, Rule::Free)
                });
                let nodes: Vec<_> = nodes.collect();
                match nodes.iter().map(constant).collect::<Option<_>>() {
                    Some(values) => Node::Constant(Value::Array(values)),
                    None => Node::List(nodes),
                }
            }
            scalar => Node::Constant(scalar.clone()),
        };
        self.depth -= 1;
        node
    }

    fn object(&mut self, fields: &Map<String, Value>, pointer: &str, rule: Rule) -> Node {
        let mut names = fields.keys().filter(|key| key.starts_with('@'));
        let name = names.next();
        let other = fields.keys().find(|key| !key.starts_with('@') && *key != "_metadata");
        match (name, other) {
            (Some(name), None) => {
                if let Some(second) = names.next() {
                    let found = format!("{} and {}", quoted(name), quoted(second));
                    self.problem(Problem::at(pointer, "one directive", found));
                    return Node::Undefined;
                }
                let config = fields.get(name).unwrap_or(&Value::Null);
                return self.directive(name, config, &pushed(pointer, name));
            }
            (Some(name), Some(other)) if rule == Rule::Checked => {
                let found = format!("{} beside {}", quoted(other), quoted(name));
                let problem = Problem::at(pointer, "a directive alone, or keys without `@`", found);
                self.problem(problem.hint("put the directive into a field of its own"));
                return Node::Undefined;
            }
            _ => {}
        }
        let made = fields.iter().map(|(key, value)| {
            let node = self.node(value, &pushed(pointer, key), rule);
            (key.clone(), node)
        });
        let made: Vec<_> = made.collect();
        let constants = made.iter().map(|(key, node)| Some((key.clone(), constant(node)?)));
        match constants.collect::<Option<_>>() {
            Some(map) => Node::Constant(Value::Object(map)),
            None => Node::Object(made),
        }
    }

    /// The fields of a directive. Those that it does not know must be well-formed, and mean nothing.
    pub(super) fn config<'v>(
        &mut self,
        value: &'v Value,
        pointer: &str,
        names: &[&str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(fields) = value.as_object() else {
            let expected = format!("an object with {}", listed(names));
            self.problem(Problem::at(pointer, expected, kind(value)));
            return None;
        };
        if let Some(name) = fields.keys().find(|key| key.starts_with('@')) {
            let expected = format!("an object with {}", listed(names));
            self.problem(Problem::at(pointer, expected, quoted(name)));
            return None;
        }
        for (key, value) in fields.iter().filter(|(key, _)| !names.contains(&key.as_str())) {
            self.node(value, &pushed(pointer, key), Rule::Checked);
        }
        Some(fields)
    }

    /// A text of a directive's fields; `None` if there is none.
    pub(super) fn text<'v>(
        &mut self,
        fields: &'v Map<String, Value>,
        name: &str,
        pointer: &str,
    ) -> Option<&'v str> {
        let value = fields.get(name)?;
        let text = value.as_str();
        if text.is_none() {
            self.problem(Problem::at(&pushed(pointer, name), "a string", kind(value)));
        }
        text
    }

    /// The same, which must be there and not empty.
    pub(super) fn needed_text<'v>(
        &mut self,
        fields: &'v Map<String, Value>,
        name: &str,
        pointer: &str,
    ) -> Option<&'v str> {
        match fields.get(name) {
            None => self.missing(name, pointer),
            Some(Value::String(text)) if text.is_empty() => {
                let pointer = pushed(pointer, name);
                self.problem(Problem::at(&pointer, "a string", "an empty one"));
            }
            Some(_) => return self.text(fields, name, pointer),
        }
        None
    }

    pub(super) fn missing(&mut self, name: &str, pointer: &str) {
        self.problem(Problem::at(pointer, format!("a field `{name}`"), "none"));
    }

    /// A truth value of a directive's fields.
    pub(super) fn truth(
        &mut self,
        fields: &Map<String, Value>,
        name: &str,
        pointer: &str,
    ) -> Option<bool> {
        let value = fields.get(name)?;
        let truth = value.as_bool();
        if truth.is_none() {
            self.problem(Problem::at(&pushed(pointer, name), "a boolean", kind(value)));
        }
        truth
    }

    /// What must be a text or a directive.
    pub(super) fn text_or_directive(&mut self, value: &Value, pointer: &str) -> Node {
        if !value.is_string() && !is_directive(value) {
            self.problem(Problem::at(pointer, "a string or a directive", kind(value)));
            return Node::Undefined;
        }
        self.node(value, pointer, Rule::Checked)
    }

    /// What must be an object or a directive.
    pub(super) fn object_or_directive(&mut self, value: &Value, pointer: &str) -> Node {
        if !value.is_object() {
            self.problem(Problem::at(pointer, "an object or a directive", kind(value)));
            return Node::Undefined;
        }
        self.node(value, pointer, Rule::Checked)
    }
}

fn constant(node: &Node) -> Option<Value> {
    match node {
        Node::Constant(value) => Some(value.clone()),
        _ => None,
    }
}

pub(super) fn is_directive(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.keys().any(|key| key.starts_with('@')))
}

/// Whether JavaScript takes a value of a definition for false.
pub(super) fn is_false(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => crate::number::of_json(number.as_str()) == 0.0,
        Value::Bool(true) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// What messages call a value.
pub(crate) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => format!("`{truth}`"),
        Value::Number(number) => quoted(number.as_str()),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn listed(names: &[&str]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}
