//! What a document may look like, as tables: read by the check that points at what is wrong, and by
//! the JSON Schema that editors use. What one of them accepts, the other does.

use serde_json::{Value, json};

use selfsame_mapping::{Expression, Mapping, Tree, Trigger};

use crate::problem::{Problems, below};

/// What may stand in a place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A text that is not empty.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number that is not negative.
    Count,
    /// Any number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Any value, taken as it is.
    Literal,
    /// A text that begins with `=`: an expression.
    Expression,
    /// `true`, `false` or an expression.
    Condition,
    /// Any value; texts in it may be expressions or have expressions between braces.
    Rendered,
    /// A text that is a trigger.
    Trigger,
    /// Any value, a mapping with Segment's directives.
    Mapping,
    /// A list of one shape.
    List(&'static Self),
    /// Names of the author's, each with one shape.
    Map(&'static Self),
    /// Names of the format's.
    Object(&'static Named),
}

/// An object of the format.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) name: &'static str,
    pub(crate) says: &'static str,
    pub(crate) keys: &'static [Key],
    /// Exactly one of these has to be there, if there are any.
    pub(crate) one_of: &'static [&'static str],
}

/// A key of an object of the format.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) needed: bool,
    pub(crate) says: &'static str,
}

impl Key {
    pub(crate) const fn may(name: &'static str, shape: Shape, says: &'static str) -> Self {
        Self { name, shape, needed: false, says }
    }

    pub(crate) const fn must(name: &'static str, shape: Shape, says: &'static str) -> Self {
        Self { name, shape, needed: true, says }
    }
}

/// Finds what a document has that the shape has not, and the other way round.
pub(crate) fn check(shape: Shape, value: &Value, pointer: &str, problems: &mut Problems) {
    match shape {
        Shape::Text if value.as_str().is_some_and(|text| !text.is_empty()) => {}
        Shape::Count if value.is_u64() => {}
        Shape::Number if value.is_number() => {}
        Shape::Flag if value.is_boolean() => {}
        Shape::Condition if value.is_boolean() => {}
        Shape::Literal => {}
        Shape::Rendered => problems.faults(pointer, Tree::compile(value).err()),
        Shape::Mapping => {
            // What stands there is one field of a mapping.
            let faults = Mapping::compile(&json!({ "field": value })).err();
            let inside = |mut fault: selfsame_mapping::Problem| {
                let inside = fault.pointer.strip_prefix("/field").map(str::to_owned);
                fault.pointer = inside.unwrap_or_default();
                fault
            };
            problems.faults(pointer, faults.map(|all| all.into_iter().map(inside).collect()));
        }
        Shape::Word(words) => word(words, value, pointer, problems),
        Shape::Expression | Shape::Condition => {
            match value.as_str().and_then(|text| text.strip_prefix('=')) {
                Some(text) => problems.faults(pointer, Expression::compile(text).err().map(one)),
                None => wrong(shape, value, pointer, problems),
            }
        }
        Shape::Trigger => match value.as_str() {
            Some(text) => problems.faults(pointer, Trigger::compile(text).err().map(one)),
            None => wrong(shape, value, pointer, problems),
        },
        Shape::List(inner) => match value.as_array() {
            Some(list) => {
                for (index, item) in list.iter().enumerate() {
                    check(*inner, item, &below(pointer, &index.to_string()), problems);
                }
            }
            None => wrong(shape, value, pointer, problems),
        },
        Shape::Map(inner) => match value.as_object() {
            Some(map) => {
                for (key, item) in map {
                    check(*inner, item, &below(pointer, key), problems);
                }
            }
            None => wrong(shape, value, pointer, problems),
        },
        Shape::Object(named) => object(named, value, pointer, problems),
        Shape::Text | Shape::Count | Shape::Number | Shape::Flag => {
            wrong(shape, value, pointer, problems);
        }
    }
}

fn one<T>(thing: T) -> Vec<T> {
    vec![thing]
}

fn object(named: &Named, value: &Value, pointer: &str, problems: &mut Problems) {
    let Some(map) = value.as_object() else {
        return wrong(Shape::Object(&EMPTY), value, pointer, problems);
    };
    for (name, item) in map {
        match named.keys.iter().find(|key| key.name == name) {
            Some(key) => check(key.shape, item, &below(pointer, name), problems),
            None => {
                let names: Vec<&str> = named.keys.iter().map(|key| key.name).collect();
                let message = format!("{} has no `{name}`", named.name);
                problems.hint(&below(pointer, name), message, meant(name, &names));
            }
        }
    }
    for key in named.keys.iter().filter(|key| key.needed && !map.contains_key(key.name)) {
        problems.hint(pointer, format!("{} needs `{}`", named.name, key.name), key.says);
    }
    let there = named.one_of.iter().filter(|name| map.contains_key(**name)).count();
    if !named.one_of.is_empty() && there != 1 {
        let names = named.one_of.join("`, `");
        problems.add(pointer, format!("{} needs exactly one of `{names}`", named.name));
    }
}

static EMPTY: Named = Named { name: "object", says: "", keys: &[], one_of: &[] };

fn word(words: &[&str], value: &Value, pointer: &str, problems: &mut Problems) {
    match value.as_str() {
        Some(word) if words.contains(&word) => {}
        Some(word) => problems.hint(pointer, format!("no such word: `{word}`"), meant(word, words)),
        None => wrong(Shape::Word(&[]), value, pointer, problems),
    }
}

/// A name that is near, or all that there are.
pub(crate) fn meant(written: &str, names: &[&str]) -> String {
    match near(written, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are `{}`", names.join("`, `")),
    }
}

/// The name that was meant, as far as it is at most two letters away.
pub fn near<'n>(written: &str, names: &[&'n str]) -> Option<&'n str> {
    let nearest = names.iter().map(|name| (distance(written, name), *name)).min();
    nearest.filter(|(steps, _)| *steps <= 2).map(|(_, name)| name)
}

/// How many letters have to be added, taken away or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, there) in other.iter().enumerate() {
            let change = corner + usize::from(letter != *there);
            corner = row[column + 1];
            row[column + 1] = change.min(corner + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

fn wrong(shape: Shape, value: &Value, pointer: &str, problems: &mut Problems) {
    let expected = match shape {
        Shape::Text => "a text that is not empty",
        Shape::Word(_) => "a word",
        Shape::Count => "a whole number from 0",
        Shape::Number => "a number",
        Shape::Flag => "`true` or `false`",
        Shape::Expression => "an expression: a text that begins with `=`",
        Shape::Condition => "`true`, `false` or an expression, which begins with `=`",
        Shape::Trigger => "a trigger such as `type = \"track\"`",
        Shape::List(_) => "a list",
        Shape::Map(_) | Shape::Object(_) => "names with values",
        Shape::Literal | Shape::Rendered | Shape::Mapping => "a value",
    };
    let found = match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "names with values",
    };
    problems.add(pointer, format!("expected {expected}, found {found}"));
}
