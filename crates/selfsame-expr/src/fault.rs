//! What is wrong with a text: where, what stands there, what should.

use std::fmt;

use crate::query::Place;
use crate::spot::Spot;

/// A text is not of the language it should be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Which bytes of the text.
    pub place: Place,
    /// The same for people.
    pub spot: Spot,
    /// What stands there.
    pub found: String,
    /// What could stand there.
    pub expected: String,
    /// A name that may have been meant.
    pub meant: Option<String>,
}

impl ParseError {
    /// The error as one sentence, without where.
    pub fn sentence(&self) -> String {
        let meant = self.meant.as_ref().map(|name| format!("; did you mean `{name}`?"));
        format!("expected {}, found {}{}", self.expected, self.found, meant.unwrap_or_default())
    }
}

/// For a terminal: where, the line, carets under it, the sentence.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spot { line, column, .. } = self.spot;
        writeln!(f, "line {line}, column {column}:\n{}", self.spot)?;
        f.write_str(&self.sentence())
    }
}

impl std::error::Error for ParseError {}

/// What a parser says before the text is added.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) found: String,
    pub(crate) expected: String,
    pub(crate) meant: Option<String>,
}

impl Fault {
    pub(crate) fn new(
        (start, end): (usize, usize),
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Box<Self> {
        let (found, expected) = (found.into(), expected.into());
        Box::new(Self { start, end, found, expected, meant: None })
    }

    /// Adds the name that is nearest to what was written, if one is near.
    pub(crate) fn suggest<'n>(
        mut self: Box<Self>,
        written: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Box<Self> {
        self.meant = nearest(written, names).map(str::to_owned);
        self
    }

    pub(crate) fn within(self, text: &str) -> ParseError {
        let place = place(self.start, self.end);
        let spot = Spot::of(text, place);
        let Self { found, expected, meant, .. } = self;
        ParseError { place, spot, found, expected, meant }
    }
}

/// A place from bytes of a text that is shorter than 4 GiB.
pub(crate) fn place(start: usize, end: usize) -> Place {
    let byte = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Place { start: byte(start), end: byte(end) }
}

/// Part of a text for a message: in backquotes, and not too long.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 40;
    let shown = text.chars().take(MOST).map(|char| if char.is_control() { ' ' } else { char });
    let mut shown: String = shown.collect();
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
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

/// How many bytes have to be put in, taken out, replaced or swapped with their neighbour to make
/// one of the other.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &to) in b.iter().enumerate() {
            let mut least =
                (last[j] + usize::from(from != to)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}
