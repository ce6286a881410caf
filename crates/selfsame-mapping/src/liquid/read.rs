//! Reads values and filters.

use std::ops::Range;

use crate::number;
use crate::problem::{Problem, quoted};

use super::filter::Filter;
use super::{Argument, Filtered, Operand, Operator, Step};

/// Longer ones first.
const OPERATORS: [(&str, Operator); 10] = [
    ("==", Operator::Equal),
    ("!=", Operator::Unequal),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("contains", Operator::Contains),
    ("not", Operator::Not),
    ("and", Operator::And),
    ("or", Operator::Or),
];

/// Most values in each other.
const NESTING: usize = 16;

impl Operator {
    fn precedence(self) -> u8 {
        match self {
            Self::And | Self::Or => 0,
            Self::Not => 1,
            _ => 2,
        }
    }
}

/// Stands in a part of a template.
pub(super) struct Reader<'t> {
    text: &'t str,
    pub(super) at: usize,
    end: usize,
    depth: usize,
}

pub(super) fn is_blank(char: char) -> bool {
    char.is_whitespace() && char != '\u{85}'
}

fn is_word(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '?');
    }
    !is_blank(char) && !matches!(char, '\u{201c}' | '\u{201d}')
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str, range: Range<usize>) -> Self {
        Self { text, at: range.start, end: range.end, depth: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    pub(super) fn blank(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.next();
        }
    }

    pub(super) fn problem(&self, expected: &str) -> Problem {
        let found = match self.peek() {
            Some(char) => quoted(&char.to_string()),
            None => "the end".to_owned(),
        };
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Problem::within(self.at..end, expected, found)
    }

    /// Passes over everything up to and with a character. Says whether it is there.
    pub(super) fn pass(&mut self, wanted: char) -> bool {
        while let Some(char) = self.next() {
            if char == wanted {
                return true;
            }
        }
        false
    }

    pub(super) fn name(&mut self) -> &'t str {
        self.blank();
        let start = self.at;
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// A value and its filters, to the end.
    pub(super) fn filtered(&mut self) -> Result<Filtered, Problem> {
        let value = self.expression()?;
        if value.is_empty() {
            return Err(self.problem("a value"));
        }
        let mut filters = vec![];
        loop {
            self.blank();
            if self.is_at_end() {
                return Ok(Filtered { value, filters });
            }
            if self.peek() != Some('|') {
                return Err(self.problem("`|` or the end"));
            }
            self.next();
            let start = self.at;
            let name = self.name();
            if name.is_empty() {
                if self.is_at_end() {
                    return Ok(Filtered { value, filters });
                }
                return Err(self.problem("the name of a filter"));
            }
            let place = self.at - name.len()..self.at;
            let arguments = self.arguments()?;
            debug_assert!(start <= place.start);
            match Filter::named(name) {
                Ok(Some(filter)) => filters.push((filter, arguments)),
                // `liquidjs` takes a filter that it does not know for one that changes nothing.
                Ok(None) => {}
                Err(reason) => {
                    return Err(Problem::within(place, "a filter", quoted(name)).hint(reason));
                }
            }
        }
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, Problem> {
        self.blank();
        let mut arguments = vec![];
        match self.peek() {
            None | Some('|') => return Ok(arguments),
            Some(':') => {}
            Some(_) => return Err(self.problem("`:` behind the name of a filter")),
        }
        loop {
            self.next();
            let start = self.at;
            if let Some(value) = self.value()? {
                let written = self.text.get(start..self.at).unwrap_or_default().trim();
                self.blank();
                if self.peek() == Some(':') {
                    self.next();
                    let name = Some(written.to_owned());
                    let value = self.value()?.unwrap_or(Operand::Path(None, vec![]));
                    arguments.push(Argument { name, value });
                } else {
                    arguments.push(Argument { name: None, value });
                }
            }
            self.blank();
            match self.peek() {
                Some(',') => {}
                None | Some('|') => return Ok(arguments),
                Some(_) => return Err(self.problem("`,`, `|` or the end")),
            }
        }
    }

    /// Operands and operators, each operator behind its operands. Operators of the same precedence bind to
    /// the right.
    fn expression(&mut self) -> Result<Vec<Step>, Problem> {
        let mut steps = vec![];
        let mut waiting: Vec<Operator> = vec![];
        while !self.is_at_end() {
            if let Some(operator) = self.operator() {
                while let Some(before) =
                    waiting.pop_if(|before| before.precedence() > operator.precedence())
                {
                    steps.push(Step::Operator(before));
                }
                waiting.push(operator);
            } else if let Some(operand) = self.value()? {
                steps.push(Step::Operand(operand));
            } else {
                break;
            }
        }
        steps.extend(waiting.into_iter().rev().map(Step::Operator));
        Ok(steps)
    }

    fn operator(&mut self) -> Option<Operator> {
        self.blank();
        let rest = self.rest();
        let (name, operator) = OPERATORS.iter().find(|(name, _)| rest.starts_with(name))?;
        self.ends_word(name).then(|| self.at += name.len()).map(|()| *operator)
    }

    /// Whether what is next is not the beginning of a longer word.
    fn ends_word(&self, name: &str) -> bool {
        let is_name = name.chars().next_back().is_some_and(is_word);
        let follows = self.rest().get(name.len()..).and_then(|rest| rest.chars().next());
        !is_name || !follows.is_some_and(is_word)
    }

    pub(super) fn value(&mut self) -> Result<Option<Operand>, Problem> {
        if self.depth == NESTING {
            return Err(self.problem(&format!("at most {NESTING} values in each other")));
        }
        self.depth += 1;
        self.blank();
        let first = match self.literal().or_else(|| self.quotation()) {
            Some(operand) => Some(operand),
            None => self.range()?.or_else(|| self.number()),
        };
        let keys = self.keys(first.is_none())?;
        self.depth -= 1;
        Ok(match (first, keys.is_empty()) {
            (first, true) => first,
            (first, false) => Some(Operand::Path(first.map(Box::new), keys)),
        })
    }

    fn keys(&mut self, is_first: bool) -> Result<Vec<Operand>, Problem> {
        let mut keys = vec![];
        loop {
            if self.peek() == Some('[') {
                self.next();
                let key = self.value()?.unwrap_or_else(|| Operand::Text(String::new()));
                if !self.pass(']') {
                    return Err(self.problem("`]`"));
                }
                keys.push(key);
                continue;
            }
            if is_first && keys.is_empty() {
                let name = self.name();
                if !name.is_empty() {
                    keys.push(Operand::Text(name.to_owned()));
                    continue;
                }
            }
            if self.rest().starts_with('.') && !self.rest().starts_with("..") {
                self.next();
                let name = self.name();
                if name.is_empty() {
                    return Ok(keys);
                }
                keys.push(Operand::Text(name.to_owned()));
                continue;
            }
            return Ok(keys);
        }
    }

    fn literal(&mut self) -> Option<Operand> {
        let literals = [
            ("true", Operand::Bool(true)),
            ("false", Operand::Bool(false)),
            ("nil", Operand::Nil),
            ("null", Operand::Nil),
            ("empty", Operand::Empty),
            ("blank", Operand::Blank),
        ];
        let rest = self.rest();
        let (name, operand) = literals.into_iter().find(|(name, _)| rest.starts_with(name))?;
        self.ends_word(name).then(|| self.at += name.len()).map(|()| operand)
    }

    pub(super) fn quotation(&mut self) -> Option<Operand> {
        let quote = self.peek().filter(|char| matches!(char, '"' | '\''))?;
        self.next();
        let start = self.at;
        let mut is_escaped = false;
        let mut last = start;
        while let Some(char) = self.next() {
            if char == quote && !is_escaped {
                break;
            }
            is_escaped = char == '\\' && !is_escaped;
            last = self.at;
        }
        // The last character counts as the closing quotation mark, whatever it is.
        let is_closed = last < self.at;
        let written = self.text.get(start..last).unwrap_or_default();
        let mut chars = written.chars();
        if !is_closed {
            chars.next_back();
        }
        Some(Operand::Text(unescaped(chars.as_str())))
    }

    fn range(&mut self) -> Result<Option<Operand>, Problem> {
        if self.peek() != Some('(') {
            return Ok(None);
        }
        self.next();
        let low = self.value()?.ok_or_else(|| self.problem("a value"))?;
        self.blank();
        if !self.rest().starts_with("..") {
            return Err(self.problem("`..`"));
        }
        self.at += 2;
        let high = self.value()?.ok_or_else(|| self.problem("a value"))?;
        self.blank();
        if self.peek() != Some(')') {
            return Err(self.problem("`)`"));
        }
        self.next();
        Ok(Some(Operand::Range(Box::new(low), Box::new(high))))
    }

    fn number(&mut self) -> Option<Operand> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut end = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
        let (mut has_point, mut has_digit) = (false, false);
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'0'..=b'9' => has_digit = true,
                b'.' if bytes.get(end + 1) != Some(&b'.') => {
                    if has_point || !has_digit {
                        return None;
                    }
                    has_point = true;
                }
                _ => break,
            }
            end += 1;
        }
        let is_longer = rest.get(end..).and_then(|rest| rest.chars().next()).is_some_and(is_word);
        if !has_digit || is_longer {
            return None;
        }
        self.at += end;
        Some(Operand::Number(number::of_text(rest.get(..end)?)))
    }
}

/// The text between quotation marks.
fn unescaped(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    let mut chars = written.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        let (radix, most) = match chars.peek() {
            Some('u') => {
                chars.next();
                (16, 4)
            }
            Some('0'..='7') => (8, 3),
            _ => {
                text.extend(chars.next().map(|char| match char {
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    other => other,
                }));
                continue;
            }
        };
        let mut code = 0;
        for _ in 0..most {
            match chars.peek().and_then(|char| char.to_digit(radix)) {
                Some(digit) => code = code * radix + digit,
                None => break,
            }
            chars.next();
        }
        text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    text
}
