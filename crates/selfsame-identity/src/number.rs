//! Numbers that stand for types of identifiers in rows.

use selfsame_event::Collection;
use serde::{Deserialize, Serialize};

use crate::rule::BUILT_IN;

/// The number of a type. It stays the type's own when rules change, so rows may hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeNumber(pub u16);

impl TypeNumber {
    /// Whether it is a built-in type whose values devices make and keep, so that nobody but the device
    /// and whoever it sends to knows one. All others are names, which anybody may know or guess.
    pub const fn is_device(self) -> bool {
        matches!(self.0, 2..=6 | 8..=10)
    }
}

/// Every type that any rules of a space ever named, in the order in which they came.
///
/// Invariant: a name keeps its place for ever, so the list only grows. It belongs to the state of the
/// space; the built-in types have the same numbers everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct TypeNumbers(Vec<(Collection, Box<str>)>);

impl Default for TypeNumbers {
    fn default() -> Self {
        Self(BUILT_IN.map(|(collection, name)| (collection, name.into())).to_vec())
    }
}

impl TypeNumbers {
    /// The number of a type.
    pub fn number(&self, collection: Collection, name: &str) -> Option<TypeNumber> {
        let index = self.0.iter().position(|(of, one)| *of == collection && **one == *name)?;
        u16::try_from(index).ok().map(TypeNumber)
    }

    /// The type of a number.
    pub fn name(&self, number: TypeNumber) -> Option<(Collection, &str)> {
        self.0.get(usize::from(number.0)).map(|(collection, name)| (*collection, &**name))
    }

    /// The number of a type, a new one if it has none yet; none when there are no more numbers.
    pub(crate) fn assign(&mut self, collection: Collection, name: &str) -> Option<TypeNumber> {
        if let Some(number) = self.number(collection, name) {
            return Some(number);
        }
        let number = u16::try_from(self.0.len()).ok()?;
        self.0.push((collection, name.into()));
        Some(TypeNumber(number))
    }
}

impl From<TypeNumbers> for Vec<String> {
    fn from(numbers: TypeNumbers) -> Self {
        let text =
            |(collection, name): &(Collection, Box<str>)| format!("{}/{name}", collection.name());
        numbers.0.iter().map(text).collect()
    }
}

impl TryFrom<Vec<String>> for TypeNumbers {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let mut numbers = Self(Vec::with_capacity(texts.len()));
        for (index, text) in texts.iter().enumerate() {
            let number = text
                .split_once('/')
                .and_then(|(of, name)| Some((Collection::from_name(of)?, name)))
                .and_then(|(of, name)| numbers.assign(of, name))
                .filter(|number| usize::from(number.0) == index);
            number.ok_or_else(|| format!("{text:?} is not a new `collection/type`"))?;
        }
        if numbers.0.len() < BUILT_IN.len() || numbers.0[..BUILT_IN.len()] != Self::default().0 {
            return Err("the built-in types do not have their numbers".to_owned());
        }
        Ok(numbers)
    }
}
