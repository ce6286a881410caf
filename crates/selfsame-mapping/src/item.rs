//! Values while they are computed: what is of the event or of the definition is borrowed.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::{Map, Number, Value};

use crate::budget::Budget;
use crate::number;
use crate::text::{as_index, length, push_json, unit};

/// One value. Cloning it copies no text, list or object.
#[derive(Debug, Clone)]
pub(crate) enum Item<'e> {
    /// There is none.
    Undefined,
    Null,
    Bool(bool),
    /// A number that was computed.
    Number(f64),
    /// A number as it was written.
    Written(&'e Number),
    Text(&'e str),
    Made(Rc<str>),
    Array(&'e [Value]),
    Map(&'e Map<String, Value>),
    List(Rc<Vec<Self>>),
    Object(Rc<Fields<'e>>),
}

/// Keys and values in order, each key once.
pub(crate) type Fields<'e> = Vec<(Cow<'e, str>, Item<'e>)>;

impl<'e> Item<'e> {
    pub(crate) fn of(value: &'e Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Written(number),
            Value::String(text) => Self::Text(text),
            Value::Array(values) => Self::Array(values),
            Value::Object(map) => Self::Map(map),
        }
    }

    /// A value that nobody else holds.
    pub(crate) fn owned(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => Self::Number(number::of_json(&number)),
            Value::String(text) => Self::made(text),
            Value::Array(values) => Self::list(values.into_iter().map(Item::owned).collect()),
            Value::Object(map) => Self::object(
                map.into_iter().map(|(key, value)| (Cow::Owned(key), Item::owned(value))).collect(),
            ),
        }
    }

    pub(crate) fn made(text: impl Into<Rc<str>>) -> Self {
        Self::Made(text.into())
    }

    pub(crate) fn list(items: Vec<Self>) -> Self {
        Self::List(Rc::new(items))
    }

    pub(crate) fn object(fields: Fields<'e>) -> Self {
        Self::Object(Rc::new(fields))
    }

    pub(crate) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    /// Whether there is none, or it is null.
    pub(crate) fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// Whether JavaScript takes it for true.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(truth) => *truth,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Written(written) => number::of_json(written) != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Made(text) => !text.is_empty(),
            Self::Array(_) | Self::Map(_) | Self::List(_) | Self::Object(_) => true,
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Self::Map(_) | Self::Object(_))
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::Array(_) | Self::List(_))
    }

    /// The text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Written(written) => Some(number::of_json(written)),
            _ => None,
        }
    }

    /// What messages call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) | Self::Written(_) => "number",
            Self::Text(_) | Self::Made(_) => "string",
            Self::Array(_) | Self::List(_) => "array",
            Self::Map(_) | Self::Object(_) => "object",
        }
    }

    /// What a key leads to: a field, the `length` of a text or a list; of nothing else, anything.
    pub(crate) fn member(&self, key: &str) -> Self {
        match self {
            Self::Map(map) => map.get(key).map_or(Self::Undefined, Self::of),
            Self::Object(fields) => fields
                .iter()
                .find(|(name, _)| name == key)
                .map_or(Self::Undefined, |(_, item)| item.clone()),
            _ if key == "length" => match (self.as_text(), self.len()) {
                (Some(text), _) => Self::Number(number::count(length(text))),
                (None, Some(len)) => Self::Number(number::count(len)),
                (None, None) => Self::Undefined,
            },
            _ => as_index(key).map_or(Self::Undefined, |index| self.element(index, key)),
        }
    }

    /// What an index leads to; `name` is the index as a key.
    pub(crate) fn element(&self, index: usize, name: &str) -> Self {
        match self {
            Self::Map(_) | Self::Object(_) => self.member(name),
            Self::Array(values) => values.get(index).map_or(Self::Undefined, Self::of),
            Self::List(items) => items.get(index).cloned().unwrap_or(Self::Undefined),
            _ => match self.as_text().and_then(|text| unit(text, index)) {
                Some(unit) => Self::made(unit),
                None => Self::Undefined,
            },
        }
    }

    /// How many elements a list has.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Array(values) => Some(values.len()),
            Self::List(items) => Some(items.len()),
            _ => None,
        }
    }

    /// The elements of a list; of anything else, none.
    pub(crate) fn elements(&self) -> Vec<Self> {
        match self {
            Self::Array(values) => values.iter().map(Self::of).collect(),
            Self::List(items) => items.as_ref().clone(),
            _ => vec![],
        }
    }

    /// The fields of an object in JavaScript's order: indexes first, by size, then in order; of a list, its
    /// elements by index; of anything else, none.
    pub(crate) fn fields(&self) -> Fields<'e> {
        let mut fields: Fields<'e> = match self {
            Self::Map(map) => {
                map.iter().map(|(key, value)| (Cow::Borrowed(&**key), Self::of(value))).collect()
            }
            Self::Object(fields) => fields.as_ref().clone(),
            Self::Array(_) | Self::List(_) => {
                let numbered = self.elements().into_iter().enumerate();
                return numbered.map(|(n, item)| (Cow::Owned(n.to_string()), item)).collect();
            }
            _ => vec![],
        };
        if fields.iter().any(|(key, _)| as_index(key).is_some()) {
            fields.sort_by_key(|(key, _)| as_index(key).unwrap_or(usize::MAX));
        }
        fields
    }

    /// `String(item)`: lists are their elements with commas between them, objects say only that they are.
    pub(crate) fn text<'s>(&'s self, budget: &Budget) -> Cow<'s, str> {
        Cow::Borrowed(match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Text(text) => text,
            Self::Made(text) => text,
            Self::Map(_) | Self::Object(_) => "[object Object]",
            Self::Number(computed) => return Cow::Owned(number::text(*computed)),
            Self::Written(written) => return Cow::Owned(number::text_of_json(written)),
            Self::Array(_) | Self::List(_) => return Cow::Owned(self.joined(",", budget)),
        })
    }

    /// The elements of a list as texts, null and undefined being empty ones.
    pub(crate) fn joined(&self, between: &str, budget: &Budget) -> String {
        let mut joined = String::new();
        for (n, item) in self.elements().iter().enumerate() {
            let text = if item.is_nullish() { Cow::Borrowed("") } else { item.text(budget) };
            if budget.spend(1 + text.len() + between.len()).is_none() {
                break;
            }
            if n > 0 {
                joined.push_str(between);
            }
            joined.push_str(&text);
        }
        joined
    }

    /// `Number(item)`.
    pub(crate) fn to_number(&self, budget: &Budget) -> f64 {
        match self {
            Self::Undefined | Self::Map(_) | Self::Object(_) => f64::NAN,
            Self::Null => 0.0,
            Self::Bool(truth) => f64::from(u8::from(*truth)),
            Self::Number(number) => *number,
            Self::Written(written) => number::of_json(written),
            Self::Text(_) | Self::Made(_) | Self::Array(_) | Self::List(_) => {
                number::of_text(&self.text(budget))
            }
        }
    }

    /// `===`, and the same of lists and objects if all their parts are.
    pub(crate) fn equals(&self, other: &Self, budget: &Budget) -> bool {
        if budget.spend(1).is_none() {
            return false;
        }
        match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Written(a), Self::Written(b)) if a.as_str() == b.as_str() => true,
            _ => match (self.as_number(), other.as_number()) {
                (Some(a), Some(b)) => a == b,
                (None, None) => self.same_parts(other, budget),
                _ => false,
            },
        }
    }

    fn same_parts(&self, other: &Self, budget: &Budget) -> bool {
        if let (Some(a), Some(b)) = (self.as_text(), other.as_text()) {
            return a == b;
        }
        if self.is_list() && other.is_list() {
            let (a, b) = (self.elements(), other.elements());
            return a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.equals(b, budget));
        }
        if !self.is_object() || !other.is_object() {
            return false;
        }
        let (a, b) = (self.fields(), other.fields());
        a.len() == b.len() && a.iter().all(|(key, item)| item.equals(&other.member(key), budget))
    }

    /// As a value of its own, without what is undefined; `None` if that is all of it, or too much.
    pub(crate) fn into_value(self, budget: &Budget) -> Option<Value> {
        budget.spend(8)?;
        Some(match self {
            Self::Undefined => return None,
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Number(number) => number::json(number).map_or(Value::Null, Value::Number),
            Self::Written(number) => Value::Number(number.clone()),
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
                let items = Rc::unwrap_or_clone(items).into_iter();
                Value::Array(
                    items.map(|item| item.into_value(budget).unwrap_or(Value::Null)).collect(),
                )
            }
            Self::Object(fields) => {
                let mut map = Map::with_capacity(fields.len());
                for (key, item) in Rc::unwrap_or_clone(fields) {
                    budget.spend(key.len())?;
                    if let Some(value) = item.into_value(budget) {
                        map.insert(key.into_owned(), value);
                    }
                }
                Value::Object(map)
            }
        })
    }

    /// `JSON.stringify(item)`.
    pub(crate) fn json(&self, budget: &Budget) -> Option<String> {
        if self.is_undefined() {
            return None;
        }
        let mut json = String::new();
        self.push_json(&mut json, budget)?;
        Some(json)
    }

    fn push_json(&self, json: &mut String, budget: &Budget) -> Option<()> {
        let before = json.len();
        match self {
            Self::Number(number) if !number.is_finite() => json.push_str("null"),
            Self::Text(_) | Self::Made(_) => push_json(json, self.as_text().unwrap_or_default()),
            Self::Undefined => json.push_str("null"),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Written(_) => {
                json.push_str(&self.text(budget));
            }
            Self::Array(_) | Self::List(_) => {
                json.push('[');
                for (n, item) in self.elements().iter().enumerate() {
                    if n > 0 {
                        json.push(',');
                    }
                    item.push_json(json, budget)?;
                }
                json.push(']');
                return budget.spend(2);
            }
            Self::Map(_) | Self::Object(_) => {
                json.push('{');
                let mut is_first = true;
                for (key, item) in self.fields() {
                    if item.is_undefined() {
                        continue;
                    }
                    if !is_first {
                        json.push(',');
                    }
                    is_first = false;
                    push_json(json, &key);
                    json.push(':');
                    budget.spend(key.len())?;
                    item.push_json(json, budget)?;
                }
                json.push('}');
                return budget.spend(2);
            }
        }
        budget.spend(1 + json.len() - before)
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

/// Fields put together; of a key that comes again, the last value in the first place.
pub(crate) fn merged<'e>(all: impl IntoIterator<Item = (Cow<'e, str>, Item<'e>)>) -> Fields<'e> {
    const FEW: usize = 16;
    let mut fields: Fields<'e> = vec![];
    let mut places = std::collections::BTreeMap::new();
    for (key, item) in all {
        let known = if fields.len() <= FEW {
            fields.iter().position(|(name, _)| *name == key)
        } else {
            if places.is_empty() {
                let numbered = fields.iter().enumerate();
                places.extend(numbered.map(|(place, (name, _))| (name.clone(), place)));
            }
            places.get(&key).copied()
        };
        match known.and_then(|place| fields.get_mut(place)) {
            Some((_, known)) => *known = item,
            None => {
                if !places.is_empty() {
                    places.insert(key.clone(), fields.len());
                }
                fields.push((key, item));
            }
        }
    }
    fields
}
