//! A JSON value as the text it came in: nothing is copied or rounded until somebody asks.

use std::borrow::Cow;

use sonic_rs::{JsonValueTrait, LazyValue};

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
    /// Checks that the bytes are exactly one JSON value in UTF-8. Escapes in strings are checked only
    /// when the string is read.
    pub fn check(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let value: LazyValue<'a> = sonic_rs::from_str(text).ok()?;
        match value.as_raw_cow() {
            Cow::Borrowed(text) => Some(Self(text)),
            Cow::Owned(_) => None,
        }
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
            return sonic_rs::from_str::<String>(self.0).ok().map(Cow::Owned);
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
    pub fn fields(self) -> impl Iterator<Item = (Cow<'a, str>, Raw<'a>)> {
        let object = (self.kind() == Kind::Object).then_some(self.0);
        object.into_iter().flat_map(sonic_rs::to_object_iter).map_while(|field| {
            let (key, value) = field.ok()?;
            Some((key, Raw(borrowed(&value)?)))
        })
    }

    /// The values of an array; nothing for other kinds.
    pub fn elements(self) -> impl Iterator<Item = Raw<'a>> {
        let array = (self.kind() == Kind::Array).then_some(self.0);
        array
            .into_iter()
            .flat_map(sonic_rs::to_array_iter)
            .map_while(|value| Some(Raw(borrowed(&value.ok()?)?)))
    }

    /// The value of a key. Where the key is repeated, the last one counts.
    pub fn get(self, key: &str) -> Option<Self> {
        if self.kind() != Kind::Object {
            return None;
        }
        let mut found = None;
        for field in sonic_rs::to_object_iter(self.0) {
            let Ok((name, value)) = field else { break };
            if name == key {
                found = borrowed(&value).map(Raw);
            }
        }
        found
    }

    /// The value at the end of a path of keys.
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Calls `visit` for every key and value of an object without copying keys.
    pub fn each_field(self, mut visit: impl FnMut(&str, Self)) {
        if self.kind() != Kind::Object {
            return;
        }
        for field in sonic_rs::to_object_iter(self.0) {
            let Ok((key, value)) = field else { return };
            let Some(text) = borrowed(&value) else { return };
            visit(&key, Raw(text));
        }
    }
}

fn borrowed<'a>(value: &LazyValue<'a>) -> Option<&'a str> {
    debug_assert!(value.is_null() || !value.as_raw_str().is_empty());
    match value.as_raw_cow() {
        Cow::Borrowed(text) => Some(text),
        Cow::Owned(_) => None,
    }
}
