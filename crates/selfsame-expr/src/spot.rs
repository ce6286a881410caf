//! Points at a stretch of a text the way people look at it: a line, and carets under it.

use std::fmt;

use crate::query::Place;

/// Most characters of a line that are shown.
const MOST_SHOWN: usize = 100;
/// Characters that are shown in front of the place when a line is cut.
const SHOWN_BEFORE: usize = 40;

/// Where in a text something is, with the line to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The line, counted from 1.
    pub line: u32,
    /// The character in the line, counted from 1.
    pub column: u32,
    /// The line, or the part of it around the place; whatever could disturb a terminal is a space.
    shown: Box<str>,
    /// Characters before the carets.
    indent: u32,
    /// How many carets, at least one.
    width: u32,
}

impl Spot {
    /// The spot of a place in the text that it was found in.
    pub fn of(text: &str, place: Place) -> Self {
        let start = floor(text, place.start);
        let end = floor(text, place.end).max(start);
        let before = text.get(..start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(line_start..).unwrap_or("");
        let line = rest.split('\n').next().unwrap_or("");
        let column = text.get(line_start..start).unwrap_or("").chars().count();
        let marked = text.get(start..end).unwrap_or("");
        let marked = marked.split('\n').next().unwrap_or("").chars().count();

        let skipped = if line.chars().count() <= MOST_SHOWN {
            0
        } else {
            column.saturating_sub(SHOWN_BEFORE)
        };
        let part = line.chars().skip(skipped).take(MOST_SHOWN);
        let shown = part.map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let indent = column - skipped;
        let width = marked.clamp(1, (MOST_SHOWN - indent.min(MOST_SHOWN)).max(1));
        let lines = before.matches('\n').count() + 1;
        let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            line: small(lines),
            column: small(column + 1),
            shown: shown.trim_end().into(),
            indent: small(indent),
            width: small(width),
        }
    }
}

/// The line and the carets, each indented by two spaces.
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.shown)?;
        let repeated = |char: char, times| (0..times).map(|_| char).collect::<String>();
        write!(f, "  {}{}", repeated(' ', self.indent), repeated('^', self.width))
    }
}

/// The byte, or the last boundary of a character before it.
fn floor(text: &str, byte: u32) -> usize {
    let mut byte = usize::try_from(byte).unwrap_or(usize::MAX).min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}
