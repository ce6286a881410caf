//! Calls of functions.

mod hash;
mod list;
mod md5;
mod number;
mod object;
mod text;
mod time;
mod web;

use std::borrow::Cow;

use crate::budget::Budget;
use crate::item::Item;

use super::evaluate::Evaluation;
use super::function::Name;
use super::{Call, Each};

pub(crate) use text::COMPONENT;

/// One call: what the function is of, and how to get at the rest.
struct Given<'c, 's, 'b> {
    evaluation: &'c mut Evaluation<'s, 'b>,
    call: &'s Call,
    subject: Item<'s>,
}

impl<'s> Evaluation<'s, '_> {
    pub(super) fn call(&mut self, call: &'s Call) -> Option<Item<'s>> {
        let subject = call.arguments.first().map_or(Item::Undefined, |node| self.item(node));
        Given { evaluation: self, call, subject }.value()
    }
}

impl<'s> Given<'_, 's, '_> {
    fn value(&mut self) -> Option<Item<'s>> {
        if let Some(item) = self.about_anything() {
            return Some(item);
        }
        if self.subject.is_nullish() && self.call.name != Name::Now {
            return self.of_nothing();
        }
        match self.call.each.as_ref() {
            Some(each) => list::each(self, each),
            None => self.of_something(),
        }
    }

    fn of_something(&mut self) -> Option<Item<'s>> {
        match self.call.name {
            Name::Bool => truth(&self.subject),
            Name::Sha256
            | Name::Hashed
            | Name::Sha512
            | Name::Sha1
            | Name::Md5
            | Name::Hmac
            | Name::Base64
            | Name::Base64Url
            | Name::Base64Decode
            | Name::UuidOf => hash::call(self),
            Name::Number
            | Name::Integer
            | Name::Round
            | Name::Floor
            | Name::Ceil
            | Name::Abs
            | Name::Fixed
            | Name::Min
            | Name::Max
            | Name::Sum => number::call(self),
            Name::Now
            | Name::EpochMs
            | Name::Epoch
            | Name::Iso
            | Name::Date
            | Name::FormatTime
            | Name::AddTime => time::call(self),
            Name::First
            | Name::Last
            | Name::List
            | Name::Unique
            | Name::Compact
            | Name::Reverse
            | Name::Concat
            | Name::Chunks => list::call(self),
            Name::Keys
            | Name::Values
            | Name::Entries
            | Name::FromEntries
            | Name::Pick
            | Name::Omit
            | Name::Merge
            | Name::DropNull
            | Name::DropEmpty
            | Name::Flatten
            | Name::Get => object::call(self),
            Name::EmailDomain
            | Name::UrlHost
            | Name::UrlPath
            | Name::UrlParam
            | Name::UaBrowser
            | Name::UaOs
            | Name::UaDevice
            | Name::UsState => web::call(self),
            _ => text::call(self),
        }
    }

    /// The functions that say something of what is undefined too.
    fn about_anything(&mut self) -> Option<Item<'s>> {
        let subject = &self.subject;
        Some(Item::Bool(match self.call.name {
            Name::IsText => subject.as_text().is_some(),
            Name::IsNumber => subject.as_number().is_some(),
            Name::IsBool => matches!(subject, Item::Bool(_)),
            Name::IsList => subject.is_list(),
            Name::IsObject => subject.is_object(),
            Name::IsEmpty => is_empty(subject),
            Name::IsEmail => subject.as_text().is_some_and(web::is_email),
            Name::IsCurrency => subject.as_text().is_some_and(web::is_currency),
            Name::Has => {
                let key = self.argument_text(1).unwrap_or_default();
                self.subject.is_object() && !self.subject.member(&key).is_nullish()
            }
            Name::Type => {
                return Some(Item::Text(match self.subject.kind() {
                    "array" => "list",
                    kind => kind,
                }));
            }
            Name::Default => {
                let is_there = !subject.is_nullish() && subject.as_text() != Some("");
                return Some(if is_there { subject.clone() } else { self.argument(1) });
            }
            _ => return None,
        }))
    }

    /// What a function gives for null and undefined.
    fn of_nothing(&mut self) -> Option<Item<'s>> {
        Some(match self.call.name {
            Name::Contains | Name::StartsWith | Name::EndsWith | Name::Matches | Name::Any => {
                Item::Bool(false)
            }
            Name::All => Item::Bool(true),
            Name::List => Item::list(vec![]),
            Name::Concat => return list::call(self),
            Name::Merge => return object::call(self),
            Name::Min | Name::Max => return number::call(self),
            _ => return None,
        })
    }

    fn budget(&self) -> &Budget {
        self.evaluation.budget
    }

    /// An argument, the subject being the first.
    fn argument(&mut self, place: usize) -> Item<'s> {
        let node = self.call.arguments.get(place);
        node.map_or(Item::Undefined, |node| self.evaluation.item(node))
    }

    fn argument_text(&mut self, place: usize) -> Option<String> {
        let item = self.argument(place);
        scalar(&item, self.budget()).map(Cow::into_owned)
    }

    fn argument_number(&mut self, place: usize) -> Option<f64> {
        self.argument(place).as_number()
    }

    /// A whole number from 0 to `most`, which is what larger ones are taken for.
    fn argument_count(&mut self, place: usize, most: u32) -> Option<usize> {
        let number = self.argument_number(place)?;
        let number = number.clamp(0.0, f64::from(most)).trunc();
        usize::try_from(crate::number::whole(number)?).ok()
    }

    /// All arguments behind the subject.
    fn others(&mut self) -> Vec<Item<'s>> {
        (1..self.call.arguments.len()).map(|place| self.argument(place)).collect()
    }

    /// The subject as text, if it is a text, a number or a truth value.
    fn text(&self) -> Option<Cow<'_, str>> {
        scalar(&self.subject, self.budget())
    }

    /// A text that was made.
    fn made(&self, text: impl Into<String>) -> Option<Item<'s>> {
        let text = text.into();
        self.budget().spend(text.len())?;
        Some(Item::made(text))
    }

    fn apply(&mut self, each: &'s Each, item: &Item<'s>, second: Item<'s>) -> Item<'s> {
        self.evaluation.apply(each, item.clone(), second)
    }
}

/// A text, number or truth value as text.
fn scalar<'i>(item: &'i Item<'_>, budget: &Budget) -> Option<Cow<'i, str>> {
    let is_scalar = !item.is_nullish() && !item.is_list() && !item.is_object();
    is_scalar.then(|| item.text(budget))
}

/// What is meant by a value as a truth value, if it is one.
fn truth<'s>(item: &Item<'s>) -> Option<Item<'s>> {
    let truth = match (item, item.as_text().map(str::to_ascii_lowercase).as_deref()) {
        (Item::Bool(truth), _) => *truth,
        (_, Some("true" | "1" | "yes")) => true,
        (_, Some("false" | "0" | "no")) => false,
        _ => match item.as_number()? {
            1.0 => true,
            0.0 => false,
            _ => return None,
        },
    };
    Some(Item::Bool(truth))
}

/// Whether there is nothing in it.
fn is_empty(item: &Item<'_>) -> bool {
    item.is_nullish()
        || item.as_text() == Some("")
        || item.len() == Some(0)
        || (item.is_object() && item.fields().is_empty())
}
