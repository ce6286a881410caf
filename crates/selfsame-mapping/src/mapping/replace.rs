//! `@replace`: parts of a text by other texts.

use crate::budget::Budget;
use crate::item::Item;

use super::Node;

#[derive(Debug, Clone)]
pub(super) struct Replace {
    pub(super) value: Node,
    pub(super) first: Pair,
    pub(super) second: Option<Pair>,
    pub(super) ignores_case: bool,
    pub(super) everywhere: bool,
}

/// What is looked for, and what is put in its place.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) pattern: String,
    pub(super) replacement: String,
}

impl Replace {
    /// Of what is no text, an empty one comes back.
    pub(super) fn resolve<'e>(&self, text: Option<&str>, budget: &Budget) -> Option<Item<'e>> {
        let Some(text) = text else { return Some(Item::Text("")) };
        let text = self.replaced(text, &self.first, budget)?;
        Some(Item::made(match &self.second {
            Some(second) => self.replaced(&text, second, budget)?,
            None => text,
        }))
    }

    fn replaced(&self, text: &str, pair: &Pair, budget: &Budget) -> Option<String> {
        let pattern: Vec<char> = pair.pattern.chars().collect();
        let chars: Vec<(usize, char)> = text.char_indices().collect();
        let mut result = String::with_capacity(text.len());
        let (mut at, mut kept) = (0, 0);
        while at + pattern.len() <= chars.len() {
            let part = chars.get(at..at + pattern.len())?;
            if !part.iter().zip(&pattern).all(|((_, a), b)| self.is_same(*a, *b)) {
                at += 1;
                continue;
            }
            let start = chars.get(at)?.0;
            let end = chars.get(at + pattern.len()).map_or(text.len(), |(byte, _)| *byte);
            result.push_str(text.get(kept..start)?);
            pair.push(&mut result, text, start, end, budget)?;
            (at, kept) = (at + pattern.len(), end);
            if !self.everywhere {
                break;
            }
        }
        result.push_str(text.get(kept..)?);
        budget.spend(text.len() + result.len())?;
        Some(result)
    }

    fn is_same(&self, a: char, b: char) -> bool {
        a == b || (self.ignores_case && folded(a) == folded(b))
    }
}

impl Pair {
    /// Adds the replacement, in which `$$`, `$&`, ``$` `` and `$'` mean what they mean in JavaScript.
    fn push(
        &self,
        result: &mut String,
        text: &str,
        start: usize,
        end: usize,
        budget: &Budget,
    ) -> Option<()> {
        let mut chars = self.replacement.chars().peekable();
        while let Some(char) = chars.next() {
            let meant = match (char, chars.peek()) {
                ('$', Some('$')) => "$",
                ('$', Some('&')) => text.get(start..end)?,
                ('$', Some('`')) => text.get(..start)?,
                ('$', Some('\'')) => text.get(end..)?,
                _ => {
                    result.push(char);
                    continue;
                }
            };
            chars.next();
            budget.spend(meant.len())?;
            result.push_str(meant);
        }
        Some(())
    }
}

/// The form in which JavaScript compares characters without regard to case.
fn folded(char: char) -> char {
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) if char.is_ascii() || !upper.is_ascii() => upper,
        _ => char,
    }
}
