//! Reads a trigger as `@segment/destination-subscriptions` does.

use std::vec::IntoIter;

use crate::number;
use crate::problem::{Problem, quoted};

use super::lex::{Kind, Word, words};
use super::{Condition, Operator, Subject, Test};

/// Names that every object of JavaScript has: as the name of a condition, each passes over the operator and
/// the value behind it, where other names that are not known do not.
const OF_OBJECTS: [&str; 12] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

const OPERATORS: [(&str, Operator); 18] = [
    ("=", Operator::Equal),
    ("!=", Operator::Unequal),
    ("<", Operator::Less),
    ("<=", Operator::AtMost),
    (">", Operator::Greater),
    (">=", Operator::AtLeast),
    ("number_equals", Operator::NumberEqual),
    ("number_not_equals", Operator::NumberUnequal),
    ("contains", Operator::Contains),
    ("not_contains", Operator::ContainsNot),
    ("starts_with", Operator::Starts),
    ("not_starts_with", Operator::StartsNot),
    ("ends_with", Operator::Ends),
    ("not_ends_with", Operator::EndsNot),
    ("exists", Operator::Exists),
    ("not_exists", Operator::ExistsNot),
    ("is_true", Operator::True),
    ("is_false", Operator::False),
];

/// The whole of a text.
pub(super) fn whole(text: &str) -> Result<Condition, Problem> {
    let words = words(text)?;
    let expected = |expected: &str| Problem::within(0..text.len(), expected, quoted(text));
    let condition = group(words.into_iter()).map_err(expected)?.ok_or_else(|| {
        expected(
            "a condition of `type`, `event`, `name`, `userId`, `properties`, `traits` or `context`",
        )
    })?;
    Ok(condition)
}

type Parsed = Result<Option<Condition>, &'static str>;

/// The conditions of a group, joined by the last word that joins some. None, if there is none.
fn group(mut words: IntoIter<Word>) -> Parsed {
    let mut parts = vec![];
    let mut any = false;
    while let Some(word) = words.next().filter(|word| word.kind != Kind::End) {
        match word.kind {
            Kind::Name => {
                if let Some(part) = named(&word, &mut words)? {
                    parts.extend(part);
                } else if is_function(&word) {
                    parts.extend(function(&word, &mut words, false)?);
                }
            }
            Kind::Operator if word.value == "!" => {
                if words.as_slice().first().is_some_and(is_function)
                    && let Some(name) = words.next()
                {
                    parts.extend(function(&name, &mut words, true)?);
                }
            }
            Kind::Open => {
                let mut inner = vec![];
                loop {
                    match words.next() {
                        None => return Err("a closing bracket"),
                        Some(word) if word.kind == Kind::Close => break,
                        Some(word) => inner.push(word),
                    }
                }
                inner.push(Word::end());
                parts.push(group(inner.into_iter())?.unwrap_or(Condition::Broken));
            }
            Kind::Joint => any = word.value == "or",
            _ => {}
        }
    }
    Ok(if parts.len() > 1 { Some(Condition::Group { any, parts }) } else { parts.pop() })
}

/// A condition that begins with the name of something. `None`: the name is not of that kind;
/// `Some(None)`: it is passed over.
fn named(
    word: &Word,
    words: &mut IntoIter<Word>,
) -> Result<Option<Option<Condition>>, &'static str> {
    let first = word.value.split('.').next().unwrap_or_default();
    let is_passed = OF_OBJECTS.contains(&first);
    let subject = subject(&word.value, first);
    if subject.is_none() && !is_passed {
        return Ok(None);
    }
    let operator = words.next().ok_or("an operator")?;
    let value = words.next().ok_or("a value")?;
    Ok(Some(subject.map(|subject| Condition::Test(test(subject, &operator, &value)))))
}

/// What a condition is of; the functions take everything that begins with the name of an object for
/// something below it.
fn subject(name: &str, first: &str) -> Option<Subject> {
    match first {
        "type" => Some(Subject::Field("type")),
        "event" => Some(Subject::Field("event")),
        "name" => Some(Subject::Field("name")),
        "userId" => Some(Subject::Field("userId")),
        "properties" | "traits" | "context" => below(name),
        _ => None,
    }
}

fn below(name: &str) -> Option<Subject> {
    let root =
        ["properties", "traits", "context"].into_iter().find(|root| name.starts_with(root))?;
    let path = name.get(root.len()..)?.strip_prefix('.').unwrap_or(name);
    let keys = path.split(['[', '.', ']']).filter(|key| !key.is_empty());
    Some(Subject::Below(root, keys.map(str::to_owned).collect()))
}

fn test(subject: Subject, operator: &Word, value: &Word) -> Test {
    let is = |symbol: &str, text: &str| operator.value == symbol && value.value == text;
    let is_number = value.kind == Kind::Number;
    let name = match subject {
        Subject::Field("type" | "event") => None,
        _ if is("!=", "null") => Some(Operator::Exists),
        _ if is("=", "null") => Some(Operator::ExistsNot),
        Subject::Field("name") => None,
        _ if is("=", "true") => Some(Operator::True),
        _ if is("=", "false") => Some(Operator::False),
        Subject::Field(_) => None,
        _ if operator.value == "=" && is_number => Some(Operator::NumberEqual),
        _ if operator.value == "!=" && is_number => Some(Operator::NumberUnequal),
        Subject::Below(..) => None,
    };
    let written = || OPERATORS.iter().find(|(name, _)| *name == operator.value);
    let operator = name.or_else(|| written().map(|(_, operator)| *operator));
    let text = text(value);
    // Of what is below, a truth value is compared as a number is.
    let number = match text.as_str() {
        "true" if value.kind == Kind::Name && matches!(subject, Subject::Below(..)) => 1.0,
        "false" if value.kind == Kind::Name && matches!(subject, Subject::Below(..)) => 0.0,
        text => number::of_text(text),
    };
    Test { subject, operator: operator.unwrap_or(Operator::Unknown), text, number }
}

/// What a word says as text.
fn text(word: &Word) -> String {
    match word.kind {
        Kind::Text => {
            let text = word.value.strip_prefix('"').unwrap_or(&word.value);
            text.strip_suffix('"').unwrap_or(text).to_owned()
        }
        Kind::Number => number::text(number::of_text(&word.value)),
        _ => word.value.clone(),
    }
}

fn is_function(word: &Word) -> bool {
    word.kind == Kind::Name && matches!(word.value.as_str(), "contains" | "match")
}

/// `contains(name, text)` or `match(name, glob)`, from behind its name.
fn function(
    word: &Word,
    words: &mut IntoIter<Word>,
    is_negative: bool,
) -> Result<Option<Condition>, &'static str> {
    words.next();
    let name = words.next().ok_or("what the function is of")?;
    words.next();
    let value = words.next().ok_or("a text for the function")?;
    words.next();
    let mut text = text(&value);
    let operator = if word.value == "contains" {
        if is_negative { Operator::ContainsNot } else { Operator::Contains }
    } else if value.value.ends_with("*\"") {
        text.pop();
        if is_negative { Operator::StartsNot } else { Operator::Starts }
    } else {
        text = text.chars().skip(1).collect();
        if is_negative { Operator::EndsNot } else { Operator::Ends }
    };
    let subject = match name.value.as_str() {
        "event" => Some(Subject::Field("event")),
        "name" => Some(Subject::Field("name")),
        "userId" => Some(Subject::Field("userId")),
        name => below(name),
    };
    let test = |subject| Test { subject, operator, text, number: f64::NAN };
    Ok(subject.map(|subject| Condition::Test(test(subject))))
}
