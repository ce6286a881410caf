//! Values while they are computed: what is of the event or of the definition is borrowed, and what was
//! made is shared, so that handing a value on copies nothing.

mod read;
mod write;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::budget::Budget;
use crate::number;
use crate::text::{as_index, length, unit};

/// One value: part of an event, or what was made of one. Cloning it copies no text, list or object.
#[derive(Debug, Clone)]
pub enum Item<'e> {
    /// There is none.
    Undefined,
    /// JSON's null.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number that was computed.
    Number(f64),
    /// A number as it was written.
    Written(Cow<'e, str>),
    /// A text of the event or of a definition.
    Text(&'e str),
    /// A text that was made.
    Made(Arc<str>),
    /// A list of JSON that is kept elsewhere.
    Array(&'e [Value]),
    /// An object of JSON that is kept elsewhere.
    Map(&'e Map<String, Value>),
    /// A list that was made.
    List(Arc<Vec<Self>>),
    /// An object that was made.
    Object(Arc<Fields<'e>>),
}

/// Keys and values in order, each key once.
pub type Fields<'e> = Vec<(Cow<'e, str>, Item<'e>)>;

impl<'e> From<&'e Value> for Item<'e> {
    fn from(value: &'e Value) -> Self {
        Self::of(value)
    }
}

impl<'e> Item<'e> {
    /// A text that was made.
    pub fn made(text: impl Into<Arc<str>>) -> Self {
        Self::Made(text.into())
    }

    /// A list that was made.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    /// An object that was made; each key once.
    pub fn object(fields: Fields<'e>) -> Self {
        Self::Object(Arc::new(fields))
    }

    /// Whether there is none.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    /// Whether there is none, or it is null.
    pub fn is_nullish(&self) -> bool {
        matches!(self, Self::Undefined | Self::Null)
    }

    /// Whether JavaScript takes it for true.
    pub fn is_true(&self) -> bool {
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

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Map(_) | Self::Object(_))
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Array(_) | Self::List(_))
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
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
    pub fn member(&self, key: &str) -> Self {
        match self {
            Self::Map(map) => map.get(key).map_or(Self::Undefined, Self::of),
            Self::Object(fields) => fields
                .iter()
                .find(|(name, _)| is_same(name, key))
                .map_or(Self::Undefined, |(_, item)| item.clone()),
            _ if key == "length" => match (self.as_text(), self.len()) {
                (Some(text), _) => Self::Number(number::count(length(text))),
                (None, Some(len)) => Self::Number(number::count(len)),
                (None, None) => Self::Undefined,
            },
            _ => as_index(key).map_or(Self::Undefined, |index| self.element(index, key)),
        }
    }

    /// The same, without a copy where the value has one.
    pub(crate) fn look(&self, key: &str) -> Cow<'_, Self> {
        match self {
            Self::Object(fields) => match fields.iter().find(|(name, _)| is_same(name, key)) {
                Some((_, item)) => Cow::Borrowed(item),
                None => Cow::Owned(Self::Undefined),
            },
            other => Cow::Owned(other.member(key)),
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
            (Self::Written(a), Self::Written(b)) if a == b => true,
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
}

/// Fields put together; of a key that comes again, the last value in the first place.
pub(crate) fn merged<'e>(all: impl IntoIterator<Item = (Cow<'e, str>, Item<'e>)>) -> Fields<'e> {
    const FEW: usize = 64;
    let all = all.into_iter();
    let mut fields: Fields<'e> = Vec::with_capacity(all.size_hint().0);
    let mut seen = Seen::default();
    let mut places = std::collections::BTreeMap::new();
    for (key, item) in all {
        let known = if fields.len() <= FEW {
            let may_be_there = seen.holds(&key);
            may_be_there.then(|| fields.iter().position(|(name, _)| is_same(name, &key))).flatten()
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

/// Whether two keys are the same; most are not, and show it at their ends.
fn is_same(one: &str, other: &str) -> bool {
    let (a, b) = (one.as_bytes(), other.as_bytes());
    a.len() == b.len() && a.last() == b.last() && a.first() == b.first() && a == b
}

/// Which keys there were, by a few bits of each: most keys are seen to be new without looking at the others.
#[derive(Default)]
struct Seen([u64; 4]);

impl Seen {
    /// Whether the key may have been there, which it has from now on.
    fn holds(&mut self, key: &str) -> bool {
        let bytes = key.as_bytes();
        let middle = bytes.get(bytes.len() / 2).copied();
        let mixed = [bytes.first().copied(), middle, bytes.last().copied()]
            .into_iter()
            .flatten()
            .fold(bytes.len(), |mixed, byte| mixed.wrapping_mul(31).wrapping_add(byte.into()));
        let (word, bit) = ((mixed >> 6) % 4, 1_u64 << (mixed % 64));
        let word = self.0.get_mut(word).expect("one of four");
        let held = *word & bit != 0;
        *word |= bit;
        held
    }
}

#[cfg(test)]
mod tests;
