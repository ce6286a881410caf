//! One pass over JSON text: what is read is checked, or passed over, as it comes by.
//!
//! A cursor stands in front of a value. [`Cursor::value`] passes over it and returns its text;
//! [`Cursor::object`] and [`Cursor::array`] stop in front of each of its parts, so that a reader
//! takes what it wants to know from the one pass that has to be made anyway.
//!
//! Invariants:
//! - a checked cursor that reaches the end has seen the whole grammar of RFC 8259, every escape
//!   included; depth and number of values were within its bounds;
//! - an unchecked one looks for ends only. On text that was not checked before, it may return
//!   nonsense, but it ends, and does not panic;
//! - neither recurses: how deep a text is nested costs no stack.

use std::borrow::Cow;

use crate::raw::Raw;
use crate::swar;

/// Stands in front of a JSON value. `None` from any method: there is none, or it is not within the
/// bounds; the cursor is of no use then.
#[derive(Debug, Clone)]
pub struct Cursor<'a, const CHECKED: bool> {
    text: &'a str,
    at: usize,
    bounds: Bounds,
    /// Whether a half of a surrogate pair may stand alone.
    halves: bool,
}

/// Checks what it passes over.
pub type Checking<'a> = Cursor<'a, true>;
/// Looks for ends only: the text was checked before.
pub(crate) type Walking<'a> = Cursor<'a, false>;

/// How large the tree of a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Deepest nesting, at most 128.
    pub depth: u32,
    /// Most values, counted by opening brackets and commas.
    pub values: usize,
}

/// Each level's kind of bracket is one bit of a number.
const MOST_DEPTH: u32 = u128::BITS;

impl<'a> Checking<'a> {
    /// Begins to check a text. In strings, no half of a surrogate pair may stand alone.
    pub fn new(text: &'a str, bounds: Bounds) -> Self {
        let bounds = Bounds { depth: bounds.depth.min(MOST_DEPTH), ..bounds };
        Self { text, at: 0, bounds, halves: false }
    }

    /// The one value that the text is.
    pub(crate) fn whole(text: &'a str) -> Option<Raw<'a>> {
        let bounds = Bounds { depth: MOST_DEPTH, values: usize::MAX };
        let mut cursor = Self { halves: true, ..Self::new(text, bounds) };
        let value = cursor.value()?;
        cursor.end()?;
        Some(value)
    }

    /// That nothing but space follows.
    pub fn end(&mut self) -> Option<()> {
        self.space();
        (self.at == self.text.len()).then_some(())
    }
}

impl<'a> Walking<'a> {
    pub(crate) fn over(raw: Raw<'a>) -> Self {
        let bounds = Bounds { depth: u32::MAX, values: usize::MAX };
        Self { text: raw.text(), at: 0, bounds, halves: true }
    }
}

impl<'a, const CHECKED: bool> Cursor<'a, CHECKED> {
    /// The first byte of the value.
    pub fn peek(&mut self) -> Option<u8> {
        self.space();
        self.byte(self.at)
    }

    /// Passes over a value of any kind.
    pub fn value(&mut self) -> Option<Raw<'a>> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => self.string().map(drop)?,
            b'{' | b'[' if CHECKED => self.checked_container()?,
            b'{' | b'[' => self.container()?,
            _ if CHECKED => self.checked_scalar(first)?,
            _ => self.scalar(),
        }
        self.since(start)
    }

    /// Passes over an object and calls `visit` in front of each of its values, which it has to pass
    /// over. Repeated keys come repeatedly; the last one counts.
    pub fn object(
        &mut self,
        mut visit: impl FnMut(&str, &mut Self) -> Option<()>,
    ) -> Option<Raw<'a>> {
        self.peek()?;
        let start = self.at;
        let mut more = self.begin(b'{')?;
        while more {
            let key = self.key()?;
            visit(&key, self)?;
            more = self.more(b'}')?;
        }
        self.since(start)
    }

    /// Passes over an array and calls `visit` in front of each of its values, which it has to pass
    /// over.
    pub fn array(&mut self, mut visit: impl FnMut(&mut Self) -> Option<()>) -> Option<Raw<'a>> {
        self.peek()?;
        let start = self.at;
        let mut more = self.begin(b'[')?;
        while more {
            visit(self)?;
            more = self.more(b']')?;
        }
        self.since(start)
    }

    /// Passes over the opening bracket, and over the closing one if nothing is between them. Says
    /// whether something is.
    pub fn begin(&mut self, open: u8) -> Option<bool> {
        if self.peek()? != open {
            return None;
        }
        self.enter()?;
        // In ASCII, both closing brackets are two behind their opening ones.
        if self.peek()? != open + 2 {
            return Some(true);
        }
        self.leave();
        Some(false)
    }

    /// Behind a part: passes over the comma, or the closing bracket. Says whether it was a comma.
    pub fn more(&mut self, close: u8) -> Option<bool> {
        let byte = self.peek()?;
        if byte == b',' {
            self.count()?;
            self.at += 1;
            return Some(true);
        }
        if byte != close {
            return None;
        }
        self.leave();
        Some(false)
    }

    /// Takes a key and its colon.
    pub fn key(&mut self) -> Option<Cow<'a, str>> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at;
        let has_escapes = self.string()?;
        let quoted = start..self.at;
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        if has_escapes {
            return serde_json::from_str::<String>(self.text.get(quoted)?).ok().map(Cow::Owned);
        }
        self.text.get(quoted.start + 1..quoted.end - 1).map(Cow::Borrowed)
    }

    fn since(&self, start: usize) -> Option<Raw<'a>> {
        self.text.get(start..self.at).map(Raw::of)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte(self.at) {
            self.at += 1;
        }
    }

    fn count(&mut self) -> Option<()> {
        if CHECKED {
            self.bounds.values = self.bounds.values.checked_sub(1)?;
        }
        Some(())
    }

    fn enter(&mut self) -> Option<()> {
        if CHECKED {
            self.count()?;
            self.bounds.depth = self.bounds.depth.checked_sub(1)?;
        }
        self.at += 1;
        Some(())
    }

    fn leave(&mut self) {
        if CHECKED {
            self.bounds.depth += 1;
        }
        self.at += 1;
    }

    /// Passes over a string, from its opening quote. Says whether it has escapes.
    fn string(&mut self) -> Option<bool> {
        let bytes = self.text.as_bytes();
        let (mut at, mut has_escapes) = (self.at + 1, false);
        loop {
            at = swar::special::<CHECKED>(bytes, at);
            match *bytes.get(at)? {
                b'"' => break,
                b'\\' if CHECKED => at = escape(bytes, at, self.halves)?,
                b'\\' => at += 2,
                _ => return None,
            }
            has_escapes = true;
        }
        self.at = at + 1;
        Some(has_escapes)
    }

    fn container(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.byte(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn checked_container(&mut self) -> Option<()> {
        let (mut kinds, mut depth) = (0_u128, 0_u32);
        loop {
            // In front of a value.
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    let is_object = open == b'{';
                    if self.begin(open)? {
                        (kinds, depth) = ((kinds << 1) | u128::from(is_object), depth + 1);
                        self.pass_key(is_object)?;
                        continue;
                    }
                }
                b'"' => self.string().map(drop)?,
                first => self.checked_scalar(first)?,
            }
            // Behind one.
            loop {
                if depth == 0 {
                    return Some(());
                }
                let is_object = kinds & 1 == 1;
                if self.more(if is_object { b'}' } else { b']' })? {
                    self.pass_key(is_object)?;
                    break;
                }
                (kinds, depth) = (kinds >> 1, depth - 1);
            }
        }
    }

    fn pass_key(&mut self, is_object: bool) -> Option<()> {
        if is_object {
            if self.peek()? != b'"' {
                return None;
            }
            self.string()?;
            if self.peek()? != b':' {
                return None;
            }
            self.at += 1;
        }
        Some(())
    }

    fn scalar(&mut self) {
        while let Some(byte) = self.byte(self.at)
            && !matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t')
        {
            self.at += 1;
        }
    }

    fn checked_scalar(&mut self, first: u8) -> Option<()> {
        let word: &[u8] = match first {
            b'n' => b"null",
            b't' => b"true",
            b'f' => b"false",
            _ => return self.number(),
        };
        let end = self.at + word.len();
        if self.text.as_bytes().get(self.at..end)? != word {
            return None;
        }
        self.at = end;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        self.at += usize::from(self.byte(self.at) == Some(b'-'));
        if self.byte(self.at) == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte(self.at) == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte(self.at) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// Passes over the escape at `at`, and over the partner of one that is half of a pair.
fn escape(bytes: &[u8], at: usize, halves: bool) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => return Some(at + 2),
        b'u' => {}
        _ => return None,
    }
    match code_unit(bytes, at)? {
        0xd800..0xdc00 if matches!(code_unit(bytes, at + 6), Some(0xdc00..0xe000)) => Some(at + 12),
        0xd800..0xe000 if !halves => None,
        _ => Some(at + 6),
    }
}

/// The value of the `\uXXXX` at `at`, if there is one.
pub fn code_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests;
