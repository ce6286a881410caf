//! The form in which SDKs get filters: nested lists, evaluated in the browser or on the phone.

use serde_json::{Value, json};

use super::function::Function;
use super::{Compare, Literal, Node};

/// The form of a part that is true or false.
pub(super) fn of(node: &Node) -> Option<Value> {
    match node {
        Node::And(parts) => many("and", parts),
        Node::Or(parts) => many("or", parts),
        Node::Not(part) => Some(json!(["!", of(part)?])),
        Node::Compare(compare, left, right) => {
            let (left, right) = match compare {
                // The list comes as it is; what is looked for in it is never computed.
                Compare::In => (plain(left)?, plain(right)?),
                _ => (operand(left)?, operand(right)?),
            };
            Some(json!([compare.name(), left, right]))
        }
        other => operand(other),
    }
}

fn many(name: &str, parts: &[Node]) -> Option<Value> {
    let mut all = vec![Value::from(name)];
    for part in parts {
        all.push(of(part)?);
    }
    Some(Value::Array(all))
}

/// A side of a comparison: it may be computed by one function.
fn operand(node: &Node) -> Option<Value> {
    match node {
        Node::Call(
            function @ (Function::Contains
            | Function::Match
            | Function::Length
            | Function::Lowercase
            | Function::TypeOf),
            arguments,
        ) => {
            let mut all = vec![Value::from(function.name())];
            for argument in arguments {
                all.push(plain(argument)?);
            }
            Some(Value::Array(all))
        }
        Node::Match(text, pattern) => {
            Some(json!(["match", plain(text)?, { "value": pattern.text }]))
        }
        other => plain(other),
    }
}

/// What is read or written.
fn plain(node: &Node) -> Option<Value> {
    match node {
        Node::Literal(literal) => written(literal),
        Node::List(values) => {
            let values: Option<Vec<_>> = values.iter().map(written).collect();
            Some(json!({ "value": values? }))
        }
        // Keys have no escapes there.
        Node::Path(keys) if keys.iter().all(|key| !key.contains('.')) => {
            Some(keys.join(".").into())
        }
        _ => None,
    }
}

fn written(literal: &Literal) -> Option<Value> {
    let value = match literal {
        Literal::Null => Value::Null,
        Literal::Bool(truth) => Value::Bool(*truth),
        Literal::Number { number, .. } => serde_json::from_str(&number.to_string()).ok()?,
        Literal::Text(text) => Value::from(text.as_str()),
    };
    Some(json!({ "value": value }))
}
