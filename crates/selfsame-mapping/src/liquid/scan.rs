//! Takes a template apart into texts, outputs and tags.

use std::collections::VecDeque;
use std::ops::Range;

use crate::limits::NESTING;
use crate::problem::{Problem, quoted};

use super::read::{Reader, is_blank};
use super::{Operand, Part};

/// The tags that Segment disables.
const DISABLED: [&str; 6] = ["case", "for", "include", "layout", "render", "tablerow"];
const TAGS: [&str; 15] = [
    "assign",
    "block",
    "break",
    "capture",
    "comment",
    "continue",
    "cycle",
    "decrement",
    "echo",
    "if",
    "increment",
    "liquid",
    "raw",
    "unless",
    "#",
];

/// A part of the text, by what its beginning says that it is.
#[derive(Debug, Clone)]
enum Token {
    Text(Range<usize>),
    Output(Range<usize>),
    /// Its name, what follows it, and all of it with its brackets.
    Tag(String, Range<usize>, Range<usize>),
}

/// Reads a whole template.
pub(super) fn template(text: &str) -> Result<Vec<Part>, Problem> {
    let tokens = tokens(text)?;
    let mut parser = Parser { text, tokens: tokens.into(), depth: 0 };
    let mut parts = vec![];
    while let Some(token) = parser.tokens.pop_front() {
        parts.extend(parser.part(token)?);
    }
    Ok(parts)
}

struct Parser<'t> {
    text: &'t str,
    tokens: VecDeque<Token>,
    depth: usize,
}

impl Parser<'_> {
    fn part(&mut self, token: Token) -> Result<Option<Part>, Problem> {
        match token {
            Token::Text(range) => Ok(Some(Part::Text(self.at(range)))),
            Token::Output(range) => {
                Reader::new(self.text, range).filtered().map(|value| Some(Part::Output(value)))
            }
            Token::Tag(name, rest, whole) => {
                if self.depth == NESTING {
                    let expected = format!("at most {NESTING} tags in each other");
                    return Err(Problem::within(whole, expected, "more"));
                }
                self.depth += 1;
                let part = self.tag(&name, rest, whole);
                self.depth -= 1;
                part
            }
        }
    }

    fn at(&self, range: Range<usize>) -> String {
        self.text.get(range).unwrap_or_default().to_owned()
    }

    fn tag(
        &mut self,
        name: &str,
        rest: Range<usize>,
        whole: Range<usize>,
    ) -> Result<Option<Part>, Problem> {
        let mut reader = Reader::new(self.text, rest.clone());
        Ok(Some(match name {
            "if" | "unless" => return self.decision(name, rest, whole).map(Some),
            "assign" => {
                let name = reader.name().to_owned();
                if name.is_empty() {
                    return Err(reader.problem("the name of a variable"));
                }
                reader.blank();
                if reader.peek() != Some('=') {
                    return Err(reader.problem("`=`"));
                }
                reader.next();
                Part::Assign(name, reader.filtered()?)
            }
            "capture" => {
                let mut name = reader.name().to_owned();
                if name.is_empty() {
                    let Some(Operand::Text(text)) = reader.quotation() else {
                        return Err(reader.problem("the name of a variable"));
                    };
                    name = text;
                }
                Part::Capture(name, self.until("endcapture", whole)?)
            }
            "block" => Part::Block(self.until("endblock", whole)?),
            "comment" => {
                self.passed("endcomment", whole)?;
                return Ok(None);
            }
            "raw" => {
                let passed = self.passed("endraw", whole)?;
                Part::Text(passed.into_iter().map(|range| self.at(range)).collect())
            }
            "increment" | "decrement" => Part::Count(reader.name().to_owned(), name == "increment"),
            "break" | "continue" => Part::Stop,
            "echo" => {
                reader.blank();
                if reader.is_at_end() {
                    return Ok(None);
                }
                Part::Output(reader.filtered()?)
            }
            "cycle" => cycle(&mut reader)?,
            "liquid" => {
                let lines = lines(self.text, rest)?;
                let tokens = std::mem::replace(&mut self.tokens, lines.into());
                let mut parts = vec![];
                while let Some(token) = self.tokens.pop_front() {
                    parts.extend(self.part(token)?);
                }
                self.tokens = tokens;
                Part::Block(parts)
            }
            "#" => {
                let text = self.at(rest);
                let mut lines = text.split('\n').skip(1).map(str::trim_start);
                if lines.any(|line| !line.is_empty() && !line.starts_with('#')) {
                    return Err(Problem::within(
                        whole,
                        "`#` at the beginning of each line",
                        "none",
                    ));
                }
                return Ok(None);
            }
            _ => {
                let problem = Problem::within(whole, "a tag", quoted(name));
                return Err(if DISABLED.contains(&name) {
                    problem.hint("Segment has disabled it")
                } else {
                    problem.suggest(name, TAGS)
                });
            }
        }))
    }

    /// The parts up to a tag.
    fn until(&mut self, end: &str, whole: Range<usize>) -> Result<Vec<Part>, Problem> {
        let mut parts = vec![];
        while let Some(token) = self.tokens.pop_front() {
            if matches!(&token, Token::Tag(name, ..) if name == end) {
                return Ok(parts);
            }
            parts.extend(self.part(token)?);
        }
        Err(not_closed(end, whole))
    }

    /// What lies in front of a tag, whatever it is.
    fn passed(&mut self, end: &str, whole: Range<usize>) -> Result<Vec<Range<usize>>, Problem> {
        let mut passed = vec![];
        while let Some(token) = self.tokens.pop_front() {
            match token {
                Token::Tag(name, ..) if name == end => return Ok(passed),
                Token::Text(range) | Token::Output(range) | Token::Tag(_, _, range) => {
                    passed.push(range);
                }
            }
        }
        Err(not_closed(end, whole))
    }

    fn decision(
        &mut self,
        name: &str,
        rest: Range<usize>,
        whole: Range<usize>,
    ) -> Result<Part, Problem> {
        let end = format!("end{name}");
        let first = Reader::new(self.text, rest).filtered()?;
        let mut branches = vec![(first, name == "if", vec![])];
        let mut other: Option<Vec<Part>> = None;
        // What follows a second `else` of `unless` is passed over.
        let mut is_over = false;
        while let Some(token) = self.tokens.pop_front() {
            match &token {
                Token::Tag(tag, ..) if *tag == end => {
                    return Ok(Part::If(branches, other.unwrap_or_default()));
                }
                Token::Tag(tag, rest, range) if tag == "elsif" => {
                    if other.is_some() && name == "if" {
                        return Err(Problem::within(
                            range.clone(),
                            "`endif`",
                            "`elsif` behind `else`",
                        ));
                    }
                    is_over = other.is_some();
                    if !is_over {
                        let value = Reader::new(self.text, rest.clone()).filtered()?;
                        branches.push((value, true, vec![]));
                    }
                }
                Token::Tag(tag, _, range) if tag == "else" => {
                    if other.is_some() && name == "if" {
                        return Err(Problem::within(range.clone(), "`endif`", "a second `else`"));
                    }
                    is_over = other.is_some();
                    other.get_or_insert_default();
                }
                _ => {
                    let part = self.part(token)?;
                    let parts = match (&mut other, branches.last_mut()) {
                        (Some(other), _) => other,
                        (None, Some((_, _, parts))) => parts,
                        (None, None) => continue,
                    };
                    if !is_over {
                        parts.extend(part);
                    }
                }
            }
        }
        Err(not_closed(&end, whole))
    }
}

fn not_closed(end: &str, whole: Range<usize>) -> Problem {
    Problem::within(whole, format!("`{end}` behind this tag"), "the end of the template")
}

fn cycle(reader: &mut Reader<'_>) -> Result<Part, Problem> {
    let (mut group, mut values) = (None, vec![]);
    if let Some(value) = reader.value()? {
        reader.blank();
        if reader.peek() == Some(':') {
            reader.next();
            group = Some(value);
        } else {
            values.push(value);
        }
    }
    while !reader.is_at_end() {
        values.extend(reader.value()?);
        reader.pass(',');
    }
    if values.is_empty() {
        return Err(reader.problem("a value"));
    }
    Ok(Part::Cycle(group, values))
}

/// The tags of a `liquid` tag: each line is one.
fn lines(text: &str, rest: Range<usize>) -> Result<Vec<Token>, Problem> {
    let mut tokens = vec![];
    let mut at = rest.start;
    for line in text.get(rest).unwrap_or_default().split('\n') {
        let start = at + line.len() - line.trim_start_matches(is_blank).len();
        let end = start + line.trim_matches(is_blank).len();
        at += line.len() + 1;
        if start < end {
            tokens.push(tag(text, start..end, start..end)?);
        }
    }
    Ok(tokens)
}

/// A tag whose name begins its content.
fn tag(text: &str, content: Range<usize>, whole: Range<usize>) -> Result<Token, Problem> {
    let mut reader = Reader::new(text, content.clone());
    let name = if reader.peek() == Some('#') {
        reader.next();
        "#"
    } else {
        reader.name()
    };
    if name.is_empty() {
        return Err(reader.problem("the name of a tag"));
    }
    let name = name.to_owned();
    reader.blank();
    Ok(Token::Tag(name, reader.at..content.end, whole))
}

fn tokens(text: &str) -> Result<Vec<Token>, Problem> {
    let mut tokens = vec![];
    let (mut at, mut trims_next, mut is_raw) = (0, false, false);
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        let opening = match (rest.find("{%"), rest.find("{{")) {
            (tag, Some(output)) if !is_raw && tag.is_none_or(|tag| output < tag) => {
                Some((output, true))
            }
            (Some(tag), _) => Some((tag, false)),
            (None, _) => None,
        };
        let (length, is_output) = opening.unwrap_or((rest.len(), false));
        if length > 0 {
            let trims_end = opening.is_some()
                && rest.get(length + 2..).is_some_and(|rest| rest.starts_with('-'));
            let piece = rest.get(..length).unwrap_or_default();
            let mut range = at..at + length;
            if trims_next {
                range.start = range.end - piece.trim_start_matches(is_blank).len();
            }
            if trims_end && !is_raw {
                let kept = text.get(range.clone()).unwrap_or_default().trim_end_matches(is_blank);
                range.end = range.start + kept.len();
            }
            tokens.push(Token::Text(range));
            at += length;
        }
        if opening.is_none() {
            break;
        }
        let (whole, content, trims) = delimited(text, at, is_output)?;
        at = whole.end;
        if is_raw && !is_named(text, &content, "endraw") {
            tokens.push(Token::Text(whole));
            continue;
        }
        trims_next = trims;
        if is_output {
            tokens.push(Token::Output(content));
        } else {
            is_raw = is_named(text, &content, "raw");
            trims_next &= !is_raw;
            tokens.push(tag(text, content, whole)?);
        }
    }
    Ok(tokens)
}

fn is_named(text: &str, content: &Range<usize>, name: &str) -> bool {
    Reader::new(text, content.clone()).name() == name
}

/// A tag or an output: all of it, its content, and whether space behind it is cut.
fn delimited(
    text: &str,
    start: usize,
    is_output: bool,
) -> Result<(Range<usize>, Range<usize>, bool), Problem> {
    let close = if is_output { "}}" } else { "%}" };
    let mut chars = text.get(start + 2..).unwrap_or_default().char_indices();
    let mut quote = None;
    let end = loop {
        let Some((offset, char)) = chars.next() else {
            let problem =
                Problem::within(start..text.len(), format!("`{close}`"), "the end of the template");
            return Err(problem);
        };
        let at = start + 2 + offset;
        match (quote, char) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), _) if open == char => quote = None,
            (None, '"' | '\'') if is_output => quote = Some(char),
            (None, _) if text.get(at..).is_some_and(|rest| rest.starts_with(close)) => break at,
            _ => {}
        }
    };
    let mut content = start + 2..end;
    let is_dash = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)) == Some(&b'-');
    if is_dash(Some(content.start)) && !content.is_empty() {
        content.start += 1;
    }
    let trims = !content.is_empty() && is_dash(content.end.checked_sub(1));
    if trims {
        content.end -= 1;
    }
    let inner = text.get(content.clone()).unwrap_or_default();
    content.start += inner.len() - inner.trim_start_matches(is_blank).len();
    content.end = content.start + inner.trim_matches(is_blank).len();
    Ok((start..end + 2, content, trims))
}
