//! Texts with expressions in them.

use std::borrow::Cow;

use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use crate::budget::Budget;
use crate::expression::{COMPONENT, Expression, Scope};
use crate::item::Item;
use crate::limits::TEXT_BYTES;
use crate::problem::Problem;

/// A value of a manifest that was written as a string: `=expression`, `text {{ expression }} text`, or just
/// text. `\=` at the beginning is an equals sign, and `\{{` are two brackets.
#[derive(Debug, Clone)]
pub struct Template {
    parts: Parts,
    names: Vec<String>,
}

#[derive(Debug, Clone)]
enum Parts {
    Whole(Expression),
    Text(Vec<Part>),
}

#[derive(Debug, Clone)]
enum Part {
    Text(String),
    Expression(Expression),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// An expression in it is none; the problem's place is in the whole text.
    pub fn compile(text: &str) -> Result<Self, Problem> {
        if text.len() > TEXT_BYTES {
            let expected = format!("at most {TEXT_BYTES} bytes");
            return Err(Problem::within(0..text.len(), expected, format!("{}", text.len())));
        }
        if let Some(written) = text.strip_prefix('=') {
            let expression = Expression::compile(written).map_err(|problem| problem.moved(1))?;
            let names = expression.names().to_vec();
            return Ok(Self { parts: Parts::Whole(expression), names });
        }
        let parts = parts(text)?;
        let mut names: Vec<String> = vec![];
        for part in &parts {
            let Part::Expression(expression) = part else { continue };
            for name in expression.names() {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        Ok(Self { parts: Parts::Text(parts), names })
    }

    /// What it comes to: of `=expression` any value; of texts a text, in which undefined and null parts are
    /// empty. `None`: undefined.
    pub fn value(&self, scope: &Scope<'_>) -> Option<Value> {
        let budget = Budget::new();
        self.item(scope, &budget).into_value(&budget)
    }

    /// The same as text; `None` where it is null or undefined.
    pub fn text(&self, scope: &Scope<'_>) -> Option<String> {
        let budget = Budget::new();
        let item = self.item(scope, &budget);
        (!item.is_nullish()).then(|| item.text(&budget).into_owned())
    }

    /// The same as part of a URL: what expressions give is percent-encoded as by `encodeURIComponent`, unless
    /// it is `raw(…)`; `=expression` is not encoded.
    pub fn url(&self, scope: &Scope<'_>) -> Option<String> {
        let Parts::Text(parts) = &self.parts else { return self.text(scope) };
        let budget = Budget::new();
        joined(parts, scope, &budget, |expression, text| {
            if expression.is_raw() {
                text.to_owned()
            } else {
                utf8_percent_encode(text, COMPONENT).to_string()
            }
        })
    }

    /// The names that it reads from the scope, each once, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The text, if there is no expression in it.
    pub fn constant(&self) -> Option<&str> {
        match &self.parts {
            Parts::Text(parts) => match parts.as_slice() {
                [] => Some(""),
                [Part::Text(text)] => Some(text),
                _ => None,
            },
            Parts::Whole(_) => None,
        }
    }

    pub(crate) fn item<'s>(&'s self, scope: &Scope<'s>, budget: &Budget) -> Item<'s> {
        match &self.parts {
            Parts::Whole(expression) => expression.within(scope, budget),
            Parts::Text(parts) => match parts.as_slice() {
                [] => Item::Text(""),
                [Part::Text(text)] => Item::Text(text),
                parts => joined(parts, scope, budget, |_, text| text.to_owned())
                    .map_or(Item::Undefined, Item::made),
            },
        }
    }
}

fn joined(
    parts: &[Part],
    scope: &Scope<'_>,
    budget: &Budget,
    written: impl Fn(&Expression, &str) -> String,
) -> Option<String> {
    let mut joined = String::new();
    for part in parts {
        let more = match part {
            Part::Text(text) => Cow::Borrowed(text.as_str()),
            Part::Expression(expression) => {
                let item = expression.within(scope, budget);
                if item.is_nullish() {
                    continue;
                }
                Cow::Owned(written(expression, &item.text(budget)))
            }
        };
        budget.spend(more.len())?;
        joined.push_str(&more);
    }
    Some(joined)
}

/// Texts, and what is between `{{` and `}}`. Brackets in the texts of an expression do not end it.
fn parts(text: &str) -> Result<Vec<Part>, Problem> {
    let mut parts = vec![];
    let mut literal = String::new();
    let mut at = 0;
    if text.starts_with("\\=") {
        at = 1;
    }
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("\\{{") {
            literal.push_str("{{");
            at += 3;
        } else if rest.starts_with("{{") {
            let start = at + 2;
            let Some(length) = end(text.get(start..).unwrap_or_default()) else {
                let problem = Problem::within(at..text.len(), "`}}`", "the end of the text");
                return Err(problem.hint("two brackets of the text itself are written `\\{{`"));
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            let written = text.get(start..start + length).unwrap_or_default();
            let expression =
                Expression::compile(written).map_err(|problem| problem.moved(start))?;
            parts.push(Part::Expression(expression));
            at = start + length + 2;
        } else {
            let length = rest.chars().next().map_or(1, char::len_utf8);
            literal.push_str(rest.get(..length).unwrap_or_default());
            at += length;
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// How far it is to `}}`, outside of quotations and of other brackets.
fn end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match (quote, char) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), _) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(char),
            (None, '{') => depth += 1,
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') if chars.peek().is_some_and(|(_, next)| *next == '}') => return Some(at),
            (None, _) => {}
        }
    }
    None
}
