//! What a mapping makes of an event.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::budget::Budget;
use crate::item::{Fields, Item, merged};
use crate::path::Path;

use super::placeholders::Placeholders;
use super::{Computed, Each, If, Node, Transform};

impl Node {
    pub(super) fn resolve<'e>(&'e self, payload: &Item<'e>, budget: &Budget) -> Item<'e> {
        match budget.spend(1) {
            Some(()) => self.made(payload, budget).unwrap_or(Item::Undefined),
            None => Item::Undefined,
        }
    }

    fn made<'e>(&'e self, payload: &Item<'e>, budget: &Budget) -> Option<Item<'e>> {
        let of = |node: &'e Self| node.resolve(payload, budget);
        Some(match self {
            Self::Constant(value) => Item::of(value),
            Self::Object(fields) => {
                let made = fields.iter().map(|(key, node)| (Cow::Borrowed(&**key), of(node)));
                Item::object(made.collect())
            }
            Self::List(nodes) => Item::list(nodes.iter().map(of).collect()),
            Self::Path(path) => path.find(payload),
            Self::Template(template) => template.render(payload, budget)?,
            Self::Computed(computed) => computed.resolve(payload, budget)?,
            Self::If(decision) => decision.resolve(payload, budget)?,
            Self::Case { upper, value } => {
                let item = of(value);
                let Some(text) = item.as_text() else { return Some(item) };
                budget.spend(text.len())?;
                Item::made(if *upper { text.to_uppercase() } else { text.to_lowercase() })
            }
            Self::Replace(replace) => {
                let text = replaceable(&of(&replace.value), budget);
                replace.resolve(text.as_deref(), budget)?
            }
            Self::Each(each) => each.resolve(payload, budget),
            Self::Merge { objects, left } => {
                let mut sources: Vec<_> = objects.iter().map(of).collect();
                if *left {
                    sources.reverse();
                }
                let all: Vec<_> = sources.iter().flat_map(assigned).collect();
                budget.spend(all.len())?;
                Item::object(merged(all))
            }
            Self::Transform(transform) => transform.resolve(payload, budget)?,
            Self::Json { encode: true, value } => Item::made(of(value).json(budget)?),
            Self::Json { encode: false, value } => decoded(of(value), budget)?,
            Self::Flatten { value, separator, omits_arrays } => {
                let mut flat = vec![];
                let flattening = Flattening { separator, omits_arrays: *omits_arrays, budget };
                flattening.push(of(value), "", &mut flat)?;
                Item::object(merged(flat))
            }
            Self::WithoutNulls(value) => match of(value) {
                Item::Null => return None,
                item => without_nulls(item, budget)?,
            },
            Self::Liquid(written) => match written.liquid.render(payload, budget) {
                Ok(text) => Item::made(text),
                Err(reason) => {
                    budget.fail(&written.pointer, || reason);
                    return None;
                }
            },
            Self::Undefined => return None,
        })
    }
}

/// The text in which something is replaced; there is none in null, a list or an object.
fn replaceable(item: &Item<'_>, budget: &Budget) -> Option<String> {
    match item {
        Item::Bool(_) | Item::Number(_) | Item::Written(_) | Item::Text(_) | Item::Made(_) => {
            Some(item.text(budget).into_owned())
        }
        _ => None,
    }
}

impl Computed {
    fn resolve<'e>(&'e self, payload: &Item<'e>, budget: &Budget) -> Option<Item<'e>> {
        let item = self.of.resolve(payload, budget);
        let Some(text) = item.as_text() else {
            budget.fail(&self.pointer, || format!("expected string, got {}", item.kind()));
            return None;
        };
        budget.spend(text.len())?;
        if self.is_path {
            Some(Path::of_directive(text).find(payload))
        } else {
            Placeholders::read(text).render(payload, budget)
        }
    }
}

impl If {
    fn resolve<'e>(&'e self, payload: &Item<'e>, budget: &Budget) -> Option<Item<'e>> {
        let item = self.test.resolve(payload, budget);
        let is_none = item.is_nullish() || (self.is_blank && is_blank(&item, budget));
        let branch = if is_none { &self.other } else { &self.then };
        Some(branch.as_ref()?.resolve(payload, budget))
    }
}

/// Whether JavaScript's `==` takes a value for `''`.
fn is_blank(item: &Item<'_>, budget: &Budget) -> bool {
    match item {
        Item::Bool(truth) => !truth,
        Item::Number(_) | Item::Written(_) => item.as_number() == Some(0.0),
        Item::Text(_) | Item::Made(_) | Item::Array(_) | Item::List(_) => {
            item.text(budget).is_empty()
        }
        _ => false,
    }
}

impl Each {
    fn resolve<'e>(&'e self, payload: &Item<'e>, budget: &Budget) -> Item<'e> {
        let root = self.root.resolve(payload, budget);
        let Some(shape) = &self.shape else { return root };
        if root.is_object() {
            return Item::list(vec![shape.resolve(&root, budget)]);
        }
        if !root.is_list() {
            return root;
        }
        let shaped = root.elements().into_iter().map(|item| shape.resolve(&item, budget));
        Item::list(shaped.collect())
    }
}

impl Transform {
    fn resolve<'e>(&'e self, payload: &Item<'e>, budget: &Budget) -> Option<Item<'e>> {
        // Segment's engine takes an empty object for nothing.
        let empty = Item::object(vec![]);
        let payload = if payload.is_undefined() { &empty } else { payload };
        if !payload.is_object() {
            budget
                .fail(&self.pointer, || format!("data must be an object, got {}", payload.kind()));
            return None;
        }
        let applied = without_undefined(self.apply.resolve(payload, budget), budget)?;
        Some(self.mapping.resolve(&applied, budget))
    }
}

/// What `Object.assign` copies of a value.
fn assigned<'e>(source: &Item<'e>) -> Fields<'e> {
    let Some(text) = source.as_text() else { return source.fields() };
    let mut place = 0;
    let mut fields = vec![];
    for char in text.chars() {
        // Half of a character is no text.
        if char.len_utf16() == 1 {
            fields.push((Cow::Owned(place.to_string()), Item::made(char.to_string())));
        }
        place += char.len_utf16();
    }
    fields
}

/// The value that a text is the JSON of; the text itself if it is of none.
fn decoded<'e>(item: Item<'e>, budget: &Budget) -> Option<Item<'e>> {
    let Some(text) = item.as_text() else { return Some(item) };
    budget.spend(text.len())?;
    Some(serde_json::from_str::<Value>(text).map_or_else(|_| item.clone(), Item::owned))
}

struct Flattening<'f> {
    separator: &'f str,
    omits_arrays: bool,
    budget: &'f Budget,
}

impl Flattening<'_> {
    fn push<'e>(&self, item: Item<'e>, prefix: &str, flat: &mut Fields<'e>) -> Option<()> {
        self.budget.spend(1 + prefix.len())?;
        if item.is_object() || (!self.omits_arrays && item.is_list()) {
            for (key, item) in item.fields() {
                let key = if prefix.is_empty() {
                    key.into_owned()
                } else {
                    format!("{prefix}{}{key}", self.separator)
                };
                self.push(item, &key, flat)?;
            }
        } else {
            flat.push((Cow::Owned(prefix.to_owned()), item));
        }
        Some(())
    }
}

/// The value without the nulls that are in its objects, but not without those in its lists.
fn without_nulls<'e>(item: Item<'e>, budget: &Budget) -> Option<Item<'e>> {
    if !item.is_object() || !has_null(&item) {
        return Some(item);
    }
    let fields = item.fields();
    budget.spend(fields.len())?;
    let kept = fields.into_iter().map(|(key, item)| match item {
        Item::Null => Some((key, Item::Undefined)),
        item => Some((key, without_nulls(item, budget)?)),
    });
    Some(Item::object(kept.collect::<Option<_>>()?))
}

fn has_null(item: &Item<'_>) -> bool {
    match item {
        Item::Map(map) => map.values().any(value_has_null),
        Item::Object(fields) => {
            fields.iter().any(|(_, item)| matches!(item, Item::Null) || has_null(item))
        }
        _ => false,
    }
}

fn value_has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(value_has_null),
        _ => false,
    }
}

/// The value without the fields that are undefined. What is of an event has none.
fn without_undefined<'e>(item: Item<'e>, budget: &Budget) -> Option<Item<'e>> {
    Some(match item {
        Item::Object(fields) => {
            budget.spend(fields.len())?;
            let fields = Arc::unwrap_or_clone(fields).into_iter();
            let kept = fields.filter(|(_, item)| !item.is_undefined());
            let kept = kept.map(|(key, item)| Some((key, without_undefined(item, budget)?)));
            Item::object(kept.collect::<Option<_>>()?)
        }
        Item::List(items) => {
            budget.spend(items.len())?;
            let items = Arc::unwrap_or_clone(items).into_iter();
            Item::list(items.map(|item| without_undefined(item, budget)).collect::<Option<_>>()?)
        }
        item => item,
    })
}
