//! What is wrong with a manifest: where, what stands there, what to do.
//!
//! A place is a JSON pointer into the document and the line of the text that it leads to. Lines are
//! found from the indentation of the text; inside a value that is written on one line, and behind an
//! alias, it is the line of the nearest key that is written out.

use std::fmt;

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the document, as a JSON pointer.
    pub pointer: String,
    /// On which line of the text, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "line {}, {pointer}: {}", self.line, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.file, .problems))]
pub struct ManifestError {
    /// The file, as it was named.
    pub file: String,
    /// Everything that is wrong with it.
    pub problems: Vec<Problem>,
}

fn lines(file: &str, problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| format!("{file}: {problem}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Collects problems while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<(String, String, Option<String>)>,
    /// The line of a text that is no document.
    unread: Option<usize>,
}

impl Problems {
    pub(crate) fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.found.push((pointer.to_owned(), message.into(), None));
    }

    /// The text is no document; the line is where reading ended.
    pub(crate) fn unread(&mut self, line: Option<usize>, message: impl Into<String>) {
        self.unread = line;
        self.add("", message);
    }

    pub(crate) fn hint(
        &mut self,
        pointer: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.found.push((pointer.to_owned(), message.into(), Some(hint.into())));
    }

    /// What is wrong with a text of one of the languages that stands at a place.
    pub(crate) fn faults(&mut self, pointer: &str, faults: Option<Vec<selfsame_mapping::Problem>>) {
        for fault in faults.into_iter().flatten() {
            let selfsame_mapping::Problem { pointer: inside, place, found, expected, hint } = fault;
            let byte = place.map(|place| format!("byte {}: ", place.start));
            let message = format!("{}expected {expected}, found {found}", byte.unwrap_or_default());
            self.found.push((format!("{pointer}{inside}"), message, hint));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The problems with the lines of the text they are on.
    pub(crate) fn within(self, file: &str, text: &str) -> ManifestError {
        let unread = self.unread;
        let problems = self.found.into_iter().map(|(pointer, message, hint)| {
            let line = unread.unwrap_or_else(|| line_of(text, &pointer));
            Problem { pointer, line, message, hint }
        });
        ManifestError { file: file.to_owned(), problems: problems.collect() }
    }
}

/// One more step of a JSON pointer.
pub(crate) fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The line, from 1, of the nearest key that is written out on the way to a place.
fn line_of(text: &str, pointer: &str) -> usize {
    let mut lines: Vec<Line<'_>> = text.lines().enumerate().filter_map(Line::read).collect();
    let mut found = 1;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let Some(indent) = lines.iter().map(|line| line.indent).min() else { break };
        let places: Vec<usize> =
            (0..lines.len()).filter(|at| lines[*at].indent == indent).collect();
        let is_list = places.first().is_some_and(|at| lines[*at].text.starts_with('-'));
        let chosen = if is_list {
            let items: Vec<usize> =
                places.into_iter().filter(|at| lines[*at].text.starts_with('-')).collect();
            step.parse().ok().and_then(|index: usize| items.get(index).copied())
        } else {
            places.into_iter().find(|at| lines[*at].key() == Some(&step))
        };
        let Some(at) = chosen else { break };
        found = lines[at].number;
        let first = lines[at].item();
        let inside: Vec<Line<'_>> = lines[at + 1..]
            .iter()
            .take_while(|line| {
                line.indent > indent
                    || (!is_list && line.text.starts_with("- ") && line.indent == indent)
            })
            .copied()
            .collect();
        lines = first.into_iter().chain(inside).collect();
    }
    found
}

/// A line that has something on it.
#[derive(Debug, Clone, Copy)]
struct Line<'t> {
    number: usize,
    indent: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    fn read((index, line): (usize, &'t str)) -> Option<Self> {
        let text = line.trim_start();
        let there = !text.is_empty() && !text.starts_with('#');
        there.then_some(Self { number: index + 1, indent: line.len() - text.len(), text })
    }

    /// What an item of a list has on the line of its dash.
    fn item(self) -> Option<Self> {
        let text = self.text.strip_prefix("- ")?.trim_start();
        let indent = self.indent + self.text.len() - text.len();
        (!text.is_empty()).then_some(Self { text, indent, ..self })
    }

    fn key(&self) -> Option<&'t str> {
        if let Some(rest) = self.text.strip_prefix('"') {
            return rest.split_once("\":").map(|(key, _)| key);
        }
        let end = self.text.find(": ").or_else(|| self.text.strip_suffix(':').map(str::len))?;
        self.text.get(..end)
    }
}

#[cfg(test)]
mod tests;
