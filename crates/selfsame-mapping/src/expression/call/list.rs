//! Functions of lists.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::item::{Item, merged};
use crate::number;

use super::super::evaluate::order;
use super::{Each, Given, Name, scalar};

pub(super) fn call<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    if given.call.name == Name::List {
        let is_list = given.subject.is_list();
        let subject = given.subject.clone();
        return Some(if is_list { subject } else { Item::list(vec![subject]) });
    }
    let mut elements = given.subject.elements();
    given.budget().spend(elements.len())?;
    if given.call.name == Name::Concat {
        let mut all = vec![given.subject.clone()];
        all.extend(given.others());
        let parts = all
            .into_iter()
            .filter(|item| !item.is_nullish())
            .flat_map(|item| if item.is_list() { item.elements() } else { vec![item] });
        let parts: Vec<_> = parts.collect();
        given.budget().spend(parts.len())?;
        return Some(Item::list(parts));
    }
    if !given.subject.is_list() {
        return None;
    }
    match given.call.name {
        Name::First => return elements.into_iter().next(),
        Name::Last => return elements.pop(),
        Name::Unique => {
            let mut kept: Vec<Item<'s>> = vec![];
            for element in elements {
                given.budget().spend(kept.len())?;
                if !kept.iter().any(|known| known.equals(&element, given.budget())) {
                    kept.push(element);
                }
            }
            elements = kept;
        }
        Name::Compact => {
            elements.retain(|item| !item.is_nullish() && item.as_text() != Some(""));
        }
        Name::Reverse => elements.reverse(),
        _ => {
            let count = given.argument_count(1, u32::MAX).filter(|count| *count > 0)?;
            let chunks = elements.chunks(count).map(|chunk| Item::list(chunk.to_vec()));
            return Some(Item::list(chunks.collect()));
        }
    }
    Some(Item::list(elements))
}

/// The functions that take one.
pub(super) fn each<'s>(given: &mut Given<'_, 's, '_>, each: &'s Each) -> Option<Item<'s>> {
    let name = given.call.name;
    if name == Name::MapLeaves {
        let subject = given.subject.clone();
        return subject.is_object().then(|| leaves(given, each, &subject))?;
    }
    if matches!(name, Name::MapValues | Name::MapKeys | Name::FilterFields) {
        return each_field(given, each);
    }
    if !given.subject.is_list() {
        return match name {
            Name::Any => Some(Item::Bool(false)),
            Name::All => Some(Item::Bool(true)),
            _ => None,
        };
    }
    let elements = given.subject.elements();
    given.budget().spend(elements.len())?;
    let mut results = vec![];
    for (n, element) in elements.iter().enumerate() {
        let result = given.apply(each, element, Item::Number(number::count(n)));
        match name {
            Name::Any if result.is_true() => return Some(Item::Bool(true)),
            Name::All if !result.is_true() => return Some(Item::Bool(false)),
            Name::Find if result.is_true() => return Some(element.clone()),
            _ => results.push(result),
        }
    }
    let pairs = elements.into_iter().zip(results);
    Some(match name {
        Name::Any => Item::Bool(false),
        Name::All => Item::Bool(true),
        Name::Find => return None,
        Name::Filter => {
            let kept = pairs.filter(|(_, result)| result.is_true());
            Item::list(kept.map(|(element, _)| element).collect())
        }
        Name::FlatMap => {
            let parts = pairs.flat_map(|(_, result)| match result {
                Item::Undefined => vec![],
                result if result.is_list() => result.elements(),
                result => vec![result],
            });
            let parts: Vec<_> = parts.collect();
            given.budget().spend(parts.len())?;
            Item::list(parts)
        }
        Name::SortBy => {
            let mut pairs: Vec<_> = pairs.collect();
            pairs.sort_by(|(_, a), (_, b)| {
                let kinds = kind(a).cmp(&kind(b));
                kinds.then_with(|| order(a, b).unwrap_or(Ordering::Equal))
            });
            Item::list(pairs.into_iter().map(|(element, _)| element).collect())
        }
        Name::GroupBy => grouped(given, pairs)?,
        _ => {
            let results = pairs.map(|(_, result)| result);
            Item::list(results.filter(|result| !result.is_undefined()).collect())
        }
    })
}

/// Numbers before texts before everything else.
fn kind(item: &Item<'_>) -> u8 {
    match (item.as_number(), item.as_text()) {
        (Some(number), _) if number.is_nan() => 2,
        (Some(_), _) => 0,
        (None, Some(_)) => 1,
        (None, None) => 2,
    }
}

fn grouped<'s>(
    given: &Given<'_, 's, '_>,
    pairs: impl Iterator<Item = (Item<'s>, Item<'s>)>,
) -> Option<Item<'s>> {
    let mut groups: Vec<(String, Vec<Item<'s>>)> = vec![];
    for (element, result) in pairs {
        let Some(key) = scalar(&result, given.budget()) else { continue };
        given.budget().spend(groups.len())?;
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(element),
            None => groups.push((key.into_owned(), vec![element])),
        }
    }
    let fields = groups.into_iter().map(|(key, group)| (Cow::Owned(key), Item::list(group)));
    Some(Item::object(fields.collect()))
}

fn each_field<'s>(given: &mut Given<'_, 's, '_>, each: &'s Each) -> Option<Item<'s>> {
    if !given.subject.is_object() {
        return None;
    }
    let mut fields = vec![];
    for (key, item) in given.subject.fields() {
        given.budget().spend(1 + key.len())?;
        let result = given.apply(each, &item, Item::made(&*key));
        match given.call.name {
            Name::MapValues if !result.is_undefined() => fields.push((key, result)),
            Name::FilterFields if result.is_true() => fields.push((key, item)),
            Name::MapKeys => {
                if let Some(key) = scalar(&result, given.budget()) {
                    fields.push((Cow::Owned(key.into_owned()), item));
                }
            }
            _ => {}
        }
    }
    Some(Item::object(merged(fields)))
}

/// An object with another value for each field of it, and of the objects in it, that is no object.
fn leaves<'s>(
    given: &mut Given<'_, 's, '_>,
    each: &'s Each,
    object: &Item<'s>,
) -> Option<Item<'s>> {
    let mut fields = vec![];
    for (key, item) in object.fields() {
        given.budget().spend(1 + key.len())?;
        let result = if item.is_object() {
            leaves(given, each, &item)?
        } else {
            given.apply(each, &item, Item::made(&*key))
        };
        if !result.is_undefined() {
            fields.push((key, result));
        }
    }
    Some(Item::object(merged(fields)))
}
