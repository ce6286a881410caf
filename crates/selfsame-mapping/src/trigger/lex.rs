//! The words of a trigger, as `@segment/fql-ts` reads them.

use crate::limits::TEXT_BYTES;
use crate::problem::{Problem, quoted};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Dot,
    Operator,
    Joint,
    Text,
    Number,
    Null,
    Open,
    Close,
    /// A bracket of a list, or a comma.
    Other,
    End,
}

#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) kind: Kind,
    /// With its quotation marks, if it is a text.
    pub(super) value: String,
}

impl Word {
    /// The end of a text or of a group. As a value it is the text that Segment's lexer gives it.
    pub(super) fn end() -> Self {
        Self { kind: Kind::End, value: "eos".to_owned() }
    }
}

/// All words and the end; names that are joined by dots are one.
pub(super) fn words(text: &str) -> Result<Vec<Word>, Problem> {
    if text.len() > TEXT_BYTES {
        let expected = format!("at most {TEXT_BYTES} bytes");
        return Err(Problem::within(0..text.len(), expected, format!("{}", text.len())));
    }
    let mut lexer = Lexer { chars: text.char_indices().collect(), at: 0, len: text.len() };
    let mut words: Vec<Word> = vec![];
    loop {
        let Some(char) = lexer.next() else {
            words.push(Word::end());
            return Ok(joined(words));
        };
        if !is_space(char) {
            words.push(lexer.word(char)?);
        }
    }
}

fn joined(words: Vec<Word>) -> Vec<Word> {
    let mut joined: Vec<Word> = vec![];
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let is_inner = word.kind == Kind::Dot;
        match (joined.last_mut(), words.peek()) {
            (Some(last), Some(next))
                if is_inner && last.kind == Kind::Name && next.kind == Kind::Name =>
            {
                last.value.push('.');
                last.value.push_str(&next.value);
                words.next();
            }
            _ => joined.push(word),
        }
    }
    joined
}

struct Lexer {
    chars: Vec<(usize, char)>,
    at: usize,
    len: usize,
}

impl Lexer {
    fn next(&mut self) -> Option<char> {
        let char = self.peek();
        self.at += usize::from(char.is_some());
        char
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).map(|(_, char)| *char)
    }

    /// That something else was expected at a place, counted in characters.
    fn problem(&self, at: usize, expected: &str) -> Problem {
        let start = self.chars.get(at).map_or(self.len, |(byte, _)| *byte);
        let end = self.chars.get(at + 1).map_or(self.len, |(byte, _)| *byte);
        let found = self.chars.get(at).map_or_else(
            || "the end of the text".to_owned(),
            |(_, char)| quoted(&char.to_string()),
        );
        Problem::within(start..end, expected, found)
    }

    fn word(&mut self, char: char) -> Result<Word, Problem> {
        let next = self.peek();
        let simple = |kind, value: &str| Ok(Word { kind, value: value.to_owned() });
        match char {
            '!' if next.is_some_and(|next| next.is_ascii_alphabetic() || next == '(') => {
                simple(Kind::Operator, "!")
            }
            '!' if self.accept("=") => simple(Kind::Operator, "!="),
            '!' => Err(self.problem(self.at, "`=`, a name or `(` behind `!`")),
            '=' => simple(Kind::Operator, "="),
            '<' if self.accept("=") => simple(Kind::Operator, "<="),
            '<' => simple(Kind::Operator, "<"),
            '>' if self.accept("=") => simple(Kind::Operator, ">="),
            '>' => simple(Kind::Operator, ">"),
            'a' if self.accept("nd") => simple(Kind::Joint, "and"),
            'o' if self.accept("r") => simple(Kind::Joint, "or"),
            'n' if self.accept("ull") => simple(Kind::Null, "null"),
            _ if char.is_ascii_alphabetic() || char == '\\' || char == '_' => self.name(char),
            '0'..='9' | '-' | '+' => self.number(char),
            '"' | '\'' => self.quotation(char),
            '.' => simple(Kind::Dot, "."),
            '[' | ']' | ',' => simple(Kind::Other, &char.to_string()),
            '(' => simple(Kind::Open, "("),
            ')' => simple(Kind::Close, ")"),
            _ => Err(self.problem(self.at - 1, "a condition")),
        }
    }

    fn quotation(&mut self, quote: char) -> Result<Word, Problem> {
        let start = self.at - 1;
        let mut value = String::from(quote);
        loop {
            match self.next() {
                Some(char) => value.push(char),
                None => {
                    let expected = format!("a closing {quote} of the text that begins here");
                    return Err(self.problem(start, &expected));
                }
            }
            if value.ends_with(quote) {
                // A closing mark with something right behind it opens the next text as well.
                if !self.is_at_end() {
                    self.at -= 1;
                }
                return Ok(Word { kind: Kind::Text, value });
            }
        }
    }

    fn number(&mut self, first: char) -> Result<Word, Problem> {
        let mut value = String::from(first);
        let mut has_point = false;
        while let Some(char @ ('0'..='9' | '.')) = self.peek() {
            value.push(char);
            self.at += 1;
            if char == '.' {
                if self.is_at_end() || has_point {
                    return Err(
                        self.problem(self.at - 1, "digits with at most one point among them")
                    );
                }
                has_point = true;
            }
        }
        Ok(Word { kind: Kind::Number, value })
    }

    fn name(&mut self, first: char) -> Result<Word, Problem> {
        let mut value = String::new();
        let mut char = first;
        loop {
            if char == '\\' {
                let Some(escaped) = self.next() else {
                    return Err(self.problem(self.at, "a character behind `\\`"));
                };
                char = escaped;
            }
            value.push(char);
            match self.peek().filter(|next| is_of_name(*next)) {
                Some(next) => char = next,
                None => break,
            }
            self.at += 1;
        }
        let is_ended = self.is_at_end() || matches!(self.peek(), Some('.' | '(' | '=' | '!'));
        if is_ended {
            Ok(Word { kind: Kind::Name, value })
        } else {
            Err(self.problem(self.at, "a space behind the name"))
        }
    }

    fn is_at_end(&self) -> bool {
        self.peek().is_none_or(is_end)
    }

    /// Takes these characters if they are next and end there. At the end of the text, those that are passed
    /// on the way are lost: so Segment's lexer has it.
    fn accept(&mut self, wanted: &str) -> bool {
        let start = self.at;
        let mut passed = String::new();
        for _ in wanted.chars() {
            let Some(char) = self.next() else { return false };
            passed.push(char);
            if is_end(char) {
                break;
            }
        }
        if passed == wanted && self.is_at_end() {
            return true;
        }
        self.at = start;
        false
    }
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n')
}

fn is_end(char: char) -> bool {
    is_space(char) || matches!(char, ',' | ']' | ')')
}

fn is_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '\\')
}
