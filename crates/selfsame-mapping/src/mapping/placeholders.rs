//! `@template`: a text with paths in it.

use std::borrow::Cow;

use crate::budget::Budget;
use crate::item::Item;
use crate::path::Path;
use crate::text::trim;

/// A text, and paths between its parts. What an event says is put in as it is, and never read for more
/// placeholders.
#[derive(Debug, Clone)]
pub(super) struct Placeholders {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Path(Path),
}

impl Placeholders {
    /// `{{{path}}}` is looked for first, then `{{path}}` in what is between; both mean the same.
    pub(super) fn read(text: &str) -> Self {
        let mut parts = vec![];
        let mut rest = text;
        while let Some((before, path, behind)) = next(rest, 3) {
            doubles(before, &mut parts);
            parts.push(Part::Path(Path::read(trim(path))));
            rest = behind;
        }
        doubles(rest, &mut parts);
        Self { parts }
    }

    pub(super) fn render<'e>(&self, payload: &Item<'e>, budget: &Budget) -> Option<Item<'e>> {
        // Segment's engine takes an empty object for nothing.
        let empty = Item::object(vec![]);
        let payload = if payload.is_undefined() { &empty } else { payload };
        let mut text = String::new();
        for part in &self.parts {
            let found;
            let more = match part {
                Part::Text(text) => Cow::Borrowed(text.as_str()),
                Part::Path(path) => {
                    found = path.find(payload);
                    if found.is_nullish() { Cow::Borrowed("") } else { found.text(budget) }
                }
            };
            budget.spend(more.len())?;
            text.push_str(&more);
        }
        Some(Item::made(text))
    }
}

fn doubles(text: &str, parts: &mut Vec<Part>) {
    let mut rest = text;
    while let Some((before, path, behind)) = next(rest, 2) {
        push(before, parts);
        parts.push(Part::Path(Path::read(trim(path))));
        rest = behind;
    }
    push(rest, parts);
}

fn push(text: &str, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

/// The first placeholder: so many opening brackets, something without closing ones, so many closing ones.
fn next(text: &str, brackets: usize) -> Option<(&str, &str, &str)> {
    let (open, close) = ("{{{".get(..brackets)?, "}}}".get(..brackets)?);
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find(open)?;
        let inner = start + brackets;
        let length = text.get(inner..)?.find('}')?;
        let end = inner + length;
        if length > 0 && text.get(end..)?.starts_with(close) {
            return Some((text.get(..start)?, text.get(inner..end)?, text.get(end + brackets..)?));
        }
        from = start + 1;
    }
}
