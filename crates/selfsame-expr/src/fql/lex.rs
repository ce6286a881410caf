//! The words of FQL.

use std::borrow::Cow;

use crate::fault::{Fault, quoted};

/// One word of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, the name of a function, or a path of one key: all without backslashes.
    Word(&'a str),
    /// Keys between points, or one with backslashes in it.
    Path(Vec<String>),
    /// What stands between quotes.
    Text(Cow<'a, str>),
    /// Digits, perhaps with a sign and a point.
    Number(&'a str),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The filter is over.
    End,
}

const SYMBOLS: [&str; 13] = ["!=", ">=", "<=", "=", ">", "<", "!", "(", ")", "[", "]", ",", "."];

/// What people write by habit from elsewhere, and what it is here.
const FOREIGN: [(&str, &str); 3] = [("==", "`=`"), ("&&", "`and`"), ("||", "`or`")];

/// Cuts a filter into tokens, one by one.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

type Read<T> = Result<T, Box<Fault>>;

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// The next token and its bytes.
    pub(super) fn next(&mut self) -> Read<(Token<'a>, (usize, usize))> {
        self.space();
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, (start, start))) };
        let token = match first {
            '\'' | '"' => self.quoted(first)?,
            'a'..='z' | 'A'..='Z' | '_' | '\\' => self.path()?,
            '0'..='9' | '+' | '-' => self.number()?,
            _ => {
                let foreign = FOREIGN.iter().find(|(sign, _)| rest.starts_with(sign));
                if let Some((sign, here)) = foreign {
                    return Err(Fault::new((start, start + sign.len()), quoted(sign), *here));
                }
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let Some(symbol) = symbol else {
                    let place = (start, start + first.len_utf8());
                    let expected =
                        "a word of FQL (in names, other characters have a backslash before them)";
                    return Err(Fault::new(place, quoted(&first.to_string()), expected));
                };
                self.at += symbol.len();
                Token::Symbol(symbol)
            }
        };
        Ok((token, (start, self.at)))
    }

    /// A backslash stands for itself, unless it is before a quote: then the quote is of the text.
    fn quoted(&mut self, quote: char) -> Read<Token<'a>> {
        let start = self.at;
        let inner = start + 1;
        let mut escaped = false;
        for (at, char) in self.rest().char_indices().skip(1) {
            if char == quote && !escaped {
                let raw = self.text.get(inner..start + at).unwrap_or("");
                self.at = start + at + 1;
                return Ok(Token::Text(match raw.contains("\\'") || raw.contains("\\\"") {
                    true => Cow::Owned(raw.replace("\\'", "'").replace("\\\"", "\"")),
                    false => Cow::Borrowed(raw),
                }));
            }
            escaped = char == '\\';
        }
        let place = (start, self.text.len());
        Err(Fault::new(place, "a text that does not end", format!("a text in {quote}…{quote}")))
    }

    fn number(&mut self) -> Read<Token<'a>> {
        let (start, rest) = (self.at, self.rest());
        let sign = usize::from(rest.starts_with(['+', '-']));
        let of_a_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        let tail = rest.get(sign..).unwrap_or("");
        let length = sign + tail.bytes().position(|byte| !of_a_number(byte)).unwrap_or(tail.len());
        let text = rest.get(..length).unwrap_or("");
        let digits = text.trim_start_matches(['+', '-']);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let runs_on = rest.get(length..).is_some_and(|rest| rest.starts_with(is_of_a_name));
        if whole.is_empty() || fraction.is_empty() || fraction.contains('.') || runs_on {
            let more = rest.get(length..).unwrap_or("");
            let more = more.find(|char| !is_of_a_name(char)).unwrap_or(more.len());
            let end = (length + more).max(1);
            let found = quoted(rest.get(..end).unwrap_or(""));
            return Err(Fault::new((start, start + end), found, "a number, such as -12.5"));
        }
        self.at += length;
        Ok(Token::Number(text))
    }

    /// Keys between points; a backslash makes any character part of a key.
    fn path(&mut self) -> Read<Token<'a>> {
        let start = self.at;
        let mut keys = vec![];
        let mut plain = true;
        loop {
            let mut key = String::new();
            while let Some(char) = self.rest().chars().next() {
                if char == '\\' {
                    plain = false;
                    self.at += 1;
                    let Some(escaped) = self.rest().chars().next() else {
                        let place = (self.at - 1, self.at);
                        return Err(Fault::new(
                            place,
                            "the end",
                            "a character behind the backslash",
                        ));
                    };
                    key.push(escaped);
                    self.at += escaped.len_utf8();
                } else if is_of_a_name(char) {
                    key.push(char);
                    self.at += 1;
                } else {
                    break;
                }
            }
            if key.is_empty() {
                let found = self.rest().chars().next();
                let found =
                    found.map_or_else(|| "the end".to_owned(), |char| quoted(&char.to_string()));
                return Err(Fault::new((self.at, self.at), found, "a name behind the point"));
            }
            keys.push(key);
            let end = self.at;
            self.space();
            if !self.rest().starts_with('.') {
                self.at = end;
                break;
            }
            self.at += 1;
            self.space();
        }
        let written = self.text.get(start..self.at).unwrap_or("");
        Ok(if plain && keys.len() == 1 { Token::Word(written) } else { Token::Path(keys) })
    }
}

fn is_of_a_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-')
}
