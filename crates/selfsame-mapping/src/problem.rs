//! What is wrong with a definition, and where.

use std::fmt;
use std::ops::Range;

/// Most characters of a definition that a message repeats.
const MOST_SHOWN: usize = 40;

/// One thing that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer into the definition; empty for the whole of it.
    pub pointer: String,
    /// Which bytes of the text there, if it is one.
    pub place: Option<Range<usize>>,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// What may help.
    pub hint: Option<String>,
}

impl Problem {
    pub(crate) fn at(pointer: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (expected, found) = (expected.into(), found.into());
        Self { pointer: pointer.to_owned(), place: None, found, expected, hint: None }
    }

    /// A problem in a text.
    pub(crate) fn within(
        place: Range<usize>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self { place: Some(place), ..Self::at("", expected, found) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds the name that is nearest to what was written, if one is near.
    pub(crate) fn suggest<'n>(
        self,
        written: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Self {
        match nearest(written, names) {
            Some(name) => self.hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// The same problem, of a text that begins so many bytes into a larger one.
    pub(crate) fn moved(mut self, by: usize) -> Self {
        self.place = self.place.map(|place| place.start + by..place.end + by);
        self
    }

    /// The same problem, of a definition that lies at `pointer` in a larger one.
    #[must_use]
    pub fn under(mut self, pointer: &str) -> Self {
        self.pointer.insert_str(0, pointer);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}", self.pointer)?;
        }
        if let Some(place) = &self.place {
            let space = if self.pointer.is_empty() { "" } else { ", " };
            write!(f, "{space}byte {}", place.start)?;
        }
        if !self.pointer.is_empty() || self.place.is_some() {
            f.write_str(": ")?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// Part of a text for a message: in backquotes, and not too long.
pub(crate) fn quoted(text: &str) -> String {
    let shown =
        text.chars().take(MOST_SHOWN).map(|char| if char.is_control() { ' ' } else { char });
    let mut shown: String = shown.collect();
    if text.chars().nth(MOST_SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A key added to a JSON pointer.
pub(crate) fn pushed(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The first of the names with the least distance, at most 2 and less than its length.
fn nearest<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    const FARTHEST: usize = 2;
    const LONGEST: usize = 32;
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_ascii_lowercase();
    let mut best = None;
    for name in names {
        let distance = distance(written.as_bytes(), name.to_ascii_lowercase().as_bytes());
        let near = distance <= FARTHEST && distance < name.len();
        if near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// How many bytes have to be put in, taken out or replaced to make one of the other.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let least = (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            row.push(least);
        }
        last = row;
    }
    last.last().copied().unwrap_or(0)
}
