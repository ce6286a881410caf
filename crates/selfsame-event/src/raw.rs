//! A JSON value as the text it came in: nothing is copied or rounded until somebody asks.

use std::borrow::Cow;

use crate::cursor::{Checking, Walking};

/// What kind of value a [`Raw`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// Any number, kept as its text.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// The text of one valid JSON value.
///
/// Invariant: the text was checked when the value was made, so reading parts of it cannot fail;
/// what is absent or of another kind is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    /// Checks that the bytes are exactly one JSON value in UTF-8, nested at most 128 levels deep.
    /// Half of a surrogate pair may stand in a string; such a string cannot be read.
    pub fn check(bytes: &'a [u8]) -> Option<Self> {
        Checking::whole(std::str::from_utf8(bytes).ok()?)
    }

    /// A value whose text begins and ends where the value does.
    pub(crate) fn of(text: &'a str) -> Self {
        Self(text)
    }

    /// A value whose text is known to be valid: it was checked before it was stored.
    pub fn trusted(text: &'a str) -> Self {
        Self(text.trim())
    }

    /// The text.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// The kind of value, from its first byte.
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            _ => Kind::Number,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The string's content, borrowed unless it has escapes.
    pub fn string(self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let inner = self.0.get(1..self.0.len().checked_sub(1)?)?;
        if inner.contains('\\') {
            return serde_json::from_str::<String>(self.0).ok().map(Cow::Owned);
        }
        Some(Cow::Borrowed(inner))
    }

    /// The value as a boolean.
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// The keys and values of an object, in order, repeated keys repeated (the last one counts);
    /// nothing for other kinds.
    pub fn fields(self) -> impl Iterator<Item = (Cow<'a, str>, Self)> {
        let mut cursor = Walking::over(self);
        let mut more = cursor.begin(b'{').unwrap_or(false);
        std::iter::from_fn(move || {
            if !more {
                return None;
            }
            let field = (cursor.key()?, cursor.value()?);
            more = cursor.more(b'}')?;
            Some(field)
        })
        .fuse()
    }

    /// The values of an array; nothing for other kinds.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        let mut cursor = Walking::over(self);
        let mut more = cursor.begin(b'[').unwrap_or(false);
        std::iter::from_fn(move || {
            if !more {
                return None;
            }
            let element = cursor.value()?;
            more = cursor.more(b']')?;
            Some(element)
        })
        .fuse()
    }

    /// The value of a key. Where the key is repeated, the last one counts.
    pub fn get(self, key: &str) -> Option<Self> {
        let mut found = None;
        Walking::over(self).object(|name, cursor| {
            let value = cursor.value()?;
            if name == key {
                found = Some(value);
            }
            Some(())
        });
        found
    }

    /// The value at the end of a path of keys.
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Calls `visit` for every key and value of an object without copying keys.
    pub fn each_field(self, mut visit: impl FnMut(&str, Self)) {
        Walking::over(self).object(|key, cursor| {
            visit(key, cursor.value()?);
            Some(())
        });
    }
}
