//! What becomes of the events of a stream.

use std::collections::BTreeMap;

use selfsame_expr::query::{Aggregate, Quantity, Reduce, Scalar, Step};

use super::decimal::Decimal;
use super::stream::events;
use super::value::Value;
use super::{Event, Scope, values};

pub(crate) fn reduce(reduce: &Reduce, scope: Scope<'_>) -> Value {
    let events = events(&reduce.stream, scope);
    let all = |of: &Scalar| -> Vec<Value> {
        events.iter().flat_map(|event| of_event(of, event, scope)).collect()
    };
    let numbers = |of| -> Vec<Decimal> { all(of).iter().filter_map(Value::number).collect() };
    let texts = |of| -> Vec<String> { all(of).iter().filter_map(Value::text).collect() };
    let number = |number: Option<Decimal>| number.map_or(Value::Null, Value::Number);
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    match &reduce.aggregate {
        Aggregate::Count => Value::Number(Decimal::whole(events.len())),
        Aggregate::Sum(of) => {
            let numbers = numbers(of);
            if numbers.is_empty() { Value::Null } else { number(Decimal::sum(&numbers)) }
        }
        Aggregate::Average(of) => number(Decimal::average(&numbers(of))),
        Aggregate::Min(of, Quantity::Number) => number(numbers(of).into_iter().min()),
        Aggregate::Max(of, Quantity::Number) => number(numbers(of).into_iter().max()),
        Aggregate::Min(of, Quantity::Text | Quantity::List) => text(texts(of).into_iter().min()),
        Aggregate::Max(of, Quantity::Text | Quantity::List) => text(texts(of).into_iter().max()),
        Aggregate::Mode { of, kind: Some(Quantity::List), at_least } => {
            let lists = events.iter().filter_map(|event| of_event_as_list(of, event, scope));
            text(mode(lists.filter_map(|list| list.text()).collect(), *at_least))
        }
        Aggregate::Mode { of, at_least, .. } => text(mode(texts(of), *at_least)),
        Aggregate::First(of) => first(all(of)),
        Aggregate::Last(of) => first(all(of).into_iter().rev().collect()),
        Aggregate::Unique(of) => {
            let unique = unique(all(of));
            if unique.is_empty() { Value::Null } else { Value::List(unique) }
        }
        Aggregate::UniqueCount(of) => Value::Number(Decimal::whole(unique(all(of)).len())),
    }
}

/// What one event has to give: each element by itself under `$`, null and all.
fn of_event(of: &Scalar, event: &Event, scope: Scope<'_>) -> Vec<Value> {
    values(of, scope.of(event))
}

/// The same with the elements under `$` as one list, if there are any.
fn of_event_as_list(of: &Scalar, event: &Event, scope: Scope<'_>) -> Option<Value> {
    let values = of_event(of, event, scope);
    if !has_each(of) {
        return values.into_iter().next();
    }
    (!values.is_empty()).then_some(Value::List(values))
}

fn has_each(of: &Scalar) -> bool {
    match of {
        Scalar::Trait(path)
        | Scalar::Property(path)
        | Scalar::ParentProperty(path)
        | Scalar::Context(path) => path.steps.contains(&Step::Each),
        Scalar::Literal(_) | Scalar::Reduced(_) => false,
    }
}

/// The most frequent text, if it is there often enough; the first in order of those that are.
fn mode(texts: Vec<String>, at_least: Option<u32>) -> Option<String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let most = *counts.values().max()?;
    let (text, _) = counts.into_iter().find(|(_, count)| *count == most)?;
    (most >= at_least.unwrap_or(1)).then_some(text)
}

fn first(values: Vec<Value>) -> Value {
    values.into_iter().find(|value| !value.is_null()).unwrap_or(Value::Null)
}

/// Each value that is not null once, in the order of texts, then of kinds.
fn unique(mut values: Vec<Value>) -> Vec<Value> {
    values.retain(|value| !value.is_null());
    values.sort_by_key(|value| (value.text(), value.kind()));
    values.dedup_by_key(|value| (value.text(), value.kind()));
    values
}
