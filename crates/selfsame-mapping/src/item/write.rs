//! Values as JSON: as values of their own, and as text.

use std::sync::Arc;

use serde_json::{Map, Number, Value};

use crate::budget::Budget;
use crate::number;
use crate::text::{as_index, push_json};

use super::{Fields, Item};

impl<'e> Item<'e> {
    /// Without what JSON has not: fields that are undefined go, elements that are, and numbers that are none,
    /// are null. `None` if that is all of it, or too much.
    pub(crate) fn settled(self, budget: &Budget) -> Option<Self> {
        if is_settled(&self, budget)? {
            return Some(self);
        }
        Some(match self {
            Self::Undefined => return None,
            Self::List(items) => Self::list(
                Arc::unwrap_or_clone(items)
                    .into_iter()
                    .map(|item| item.settled(budget).unwrap_or(Self::Null))
                    .collect(),
            ),
            Self::Object(fields) => Self::object(
                Arc::unwrap_or_clone(fields)
                    .into_iter()
                    .filter_map(|(key, item)| Some((key, item.settled(budget)?)))
                    .collect(),
            ),
            _ => Self::Null,
        })
    }

    /// As a value of its own, without what is undefined; `None` if that is all of it, or too much.
    pub(crate) fn into_value(self, budget: &Budget) -> Option<Value> {
        budget.spend(8)?;
        Some(match self {
            Self::Undefined => return None,
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Number(number) => number::json(number).map_or(Value::Null, Value::Number),
            Self::Written(number) => {
                Value::Number(Number::from_string_unchecked(number.into_owned()))
            }
            Self::Text(text) => {
                budget.spend(text.len())?;
                Value::String(text.to_owned())
            }
            Self::Made(text) => {
                budget.spend(text.len())?;
                Value::String(text.as_ref().to_owned())
            }
            Self::Array(values) => {
                let all = values.iter();
                Value::Array(all.map(|value| copied(value, budget)).collect::<Option<_>>()?)
            }
            Self::Map(map) => copied_map(map, budget)?,
            Self::List(items) => {
                let items = Arc::unwrap_or_clone(items).into_iter();
                Value::Array(
                    items.map(|item| item.into_value(budget).unwrap_or(Value::Null)).collect(),
                )
            }
            Self::Object(fields) => {
                let mut map = Map::with_capacity(fields.len());
                for (key, item) in Arc::unwrap_or_clone(fields) {
                    budget.spend(key.len())?;
                    if let Some(value) = item.into_value(budget) {
                        map.insert(key.into_owned(), value);
                    }
                }
                Value::Object(map)
            }
        })
    }

    /// The fields of an object in the order that they have; of anything else, none.
    pub fn into_fields(self) -> Fields<'e> {
        match self {
            Self::Object(fields) => Arc::unwrap_or_clone(fields),
            Self::Map(map) => {
                map.iter().map(|(key, value)| (key.into(), Self::of(value))).collect()
            }
            _ => vec![],
        }
    }

    /// The elements of a list; of anything else, none.
    pub fn into_elements(self) -> Vec<Self> {
        match self {
            Self::List(items) => Arc::unwrap_or_clone(items),
            Self::Array(values) => values.iter().map(Self::of).collect(),
            _ => vec![],
        }
    }

    /// As a text: lists and objects as JSON. `None`: undefined, null, or too much.
    pub fn to_text(&self) -> Option<String> {
        let budget = Budget::new();
        if self.is_list() || self.is_object() {
            return self.exact_json(&budget);
        }
        (!self.is_nullish()).then(|| self.text(&budget).into_owned())
    }

    /// As a value of its own; null if it is undefined, or too much.
    pub fn into_json(self) -> Value {
        self.into_value(&Budget::new()).unwrap_or(Value::Null)
    }

    /// As JSON; null if it is undefined, or too much.
    pub fn to_json(&self) -> String {
        self.exact_json(&Budget::new()).unwrap_or_else(|| "null".to_owned())
    }

    /// `JSON.stringify(item)`.
    pub(crate) fn json(&self, budget: &Budget) -> Option<String> {
        self.written(false, budget)
    }

    /// As JSON: numbers as they were written, keys in their order. `None`: undefined, or too much.
    pub(crate) fn exact_json(&self, budget: &Budget) -> Option<String> {
        self.written(true, budget)
    }

    fn written(&self, exact: bool, budget: &Budget) -> Option<String> {
        if self.is_undefined() {
            return None;
        }
        let mut writer = Writer { json: String::new(), exact, budget };
        writer.item(self)?;
        Some(writer.json)
    }
}

/// Whether there is nothing in it that JSON has not. `None`: it is too much to look at.
fn is_settled(item: &Item<'_>, budget: &Budget) -> Option<bool> {
    budget.spend(1)?;
    Some(match item {
        Item::Undefined => false,
        Item::Number(number) => number.is_finite(),
        Item::List(items) => {
            for item in items.iter() {
                if !is_settled(item, budget)? {
                    return Some(false);
                }
            }
            true
        }
        Item::Object(fields) => {
            for (_, item) in fields.iter() {
                if !is_settled(item, budget)? {
                    return Some(false);
                }
            }
            true
        }
        _ => true,
    })
}

struct Writer<'w> {
    json: String,
    /// Whether numbers stay as they were written, and keys where they were.
    exact: bool,
    budget: &'w Budget,
}

impl Writer<'_> {
    fn item(&mut self, item: &Item<'_>) -> Option<()> {
        let before = self.json.len();
        match item {
            Item::Undefined | Item::Null => self.json.push_str("null"),
            Item::Number(number) if !number.is_finite() => self.json.push_str("null"),
            Item::Text(text) => push_json(&mut self.json, text),
            Item::Made(text) => push_json(&mut self.json, text),
            Item::Written(number) if self.exact => self.json.push_str(number),
            Item::Bool(_) | Item::Number(_) | Item::Written(_) => {
                self.json.push_str(&item.text(self.budget));
            }
            Item::Array(values) => return self.list(values.iter().map(Item::of)),
            Item::List(items) => return self.list(items.iter()),
            Item::Map(map) => {
                if !self.exact && map.keys().any(|key| as_index(key).is_some()) {
                    return self.object(item.fields().iter().map(|(key, item)| (&**key, item)));
                }
                return self.object(map.iter().map(|(key, value)| (&**key, Item::of(value))));
            }
            Item::Object(fields) => {
                if !self.exact && fields.iter().any(|(key, _)| as_index(key).is_some()) {
                    return self.object(item.fields().iter().map(|(key, item)| (&**key, item)));
                }
                return self.object(fields.iter().map(|(key, item)| (&**key, item)));
            }
        }
        self.budget.spend(1 + self.json.len() - before)
    }

    fn list<'i, I: std::borrow::Borrow<Item<'i>>>(
        &mut self,
        items: impl Iterator<Item = I>,
    ) -> Option<()> {
        self.json.push('[');
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.json.push(',');
            }
            self.item(item.borrow())?;
        }
        self.json.push(']');
        self.budget.spend(2)
    }

    fn object<'k, 'i, I: std::borrow::Borrow<Item<'i>>>(
        &mut self,
        fields: impl Iterator<Item = (&'k str, I)>,
    ) -> Option<()> {
        self.json.push('{');
        let mut is_first = true;
        for (key, item) in fields {
            let item = item.borrow();
            if item.is_undefined() {
                continue;
            }
            if !is_first {
                self.json.push(',');
            }
            is_first = false;
            push_json(&mut self.json, key);
            self.json.push(':');
            self.budget.spend(key.len())?;
            self.item(item)?;
        }
        self.json.push('}');
        self.budget.spend(2)
    }
}

fn copied(value: &Value, budget: &Budget) -> Option<Value> {
    budget.spend(8)?;
    Some(match value {
        Value::String(text) => {
            budget.spend(text.len())?;
            Value::String(text.clone())
        }
        Value::Array(values) => {
            Value::Array(values.iter().map(|value| copied(value, budget)).collect::<Option<_>>()?)
        }
        Value::Object(map) => copied_map(map, budget)?,
        scalar => scalar.clone(),
    })
}

fn copied_map(map: &Map<String, Value>, budget: &Budget) -> Option<Value> {
    let mut copy = Map::with_capacity(map.len());
    for (key, value) in map {
        budget.spend(key.len())?;
        copy.insert(key.clone(), copied(value, budget)?);
    }
    Some(Value::Object(copy))
}
