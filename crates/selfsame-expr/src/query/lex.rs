//! The words of the query language.

use crate::fault::{Fault, quoted};

/// One word of a text. What is in quotes is still as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, or the name of a function.
    Word(&'a str),
    /// What stands between quotes, and where it begins.
    Text(&'a str),
    /// Digits, perhaps with a sign, a point and an exponent.
    Number(&'a str),
    /// Four digits and a hyphen begin a date.
    Time(&'a str),
    /// An operator or a bracket.
    Symbol(&'static str),
    /// The text is over.
    End,
}

impl Token<'_> {
    /// How a message names it.
    pub(super) fn named(self) -> String {
        match self {
            Self::Word(text) | Self::Number(text) | Self::Time(text) => quoted(text),
            Self::Text(text) => quoted(&format!("'{text}'")),
            Self::Symbol(text) => quoted(text),
            Self::End => "the end".to_owned(),
        }
    }

    /// Whether it is that word, in capitals or not.
    pub(super) fn is_keyword(self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// Longer ones first.
const SYMBOLS: [&str; 16] =
    ["==", "!=", ">=", "<=", "=", ">", "<", "(", ")", "[", "]", "{", "}", ",", ":", "."];

/// What people write by habit from elsewhere, and what it is here.
const FOREIGN: [(&str, &str); 11] = [
    ("&&", "`AND`"),
    ("||", "`OR`"),
    ("<>", "`!=`"),
    ("!", "`NOT` or `!=`"),
    ("≠", "`!=`"),
    ("≥", "`>=`"),
    ("≤", "`<=`"),
    ("--", "a word of the language, which has no comments"),
    ("//", "a word of the language, which has no comments"),
    ("/*", "a word of the language, which has no comments"),
    ("#", "a word of the language, which has no comments"),
];

/// Cuts a text into tokens, one by one.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token and its bytes.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, (usize, usize)), Box<Fault>> {
        let rest = self.text.get(self.at..).unwrap_or("");
        let rest = rest.trim_start();
        let start = self.text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, (start, start))) };
        let (token, length) = match first {
            '\'' | '"' => self.text_in_quotes(rest, start, first)?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || c == b'_');
                (Token::Word(part(rest, 0, length)), length)
            }
            '0'..='9' | '-' | '+' if number_length(rest) > 0 => number(rest),
            _ => {
                let foreign = FOREIGN.iter().find(|(sign, _)| rest.starts_with(sign));
                // A `!` in front of `=` is of this language.
                if let Some((sign, here)) = foreign.filter(|_| !rest.starts_with("!=")) {
                    return Err(Fault::new((start, start + sign.len()), quoted(sign), *here));
                }
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let symbol = symbol.ok_or_else(|| unknown(first, start))?;
                (Token::Symbol(symbol), symbol.len())
            }
        };
        self.at = start + length;
        Ok((token, (start, self.at)))
    }

    fn text_in_quotes(
        &self,
        rest: &'a str,
        start: usize,
        quote: char,
    ) -> Result<(Token<'a>, usize), Box<Fault>> {
        let mut escaped = false;
        for (at, char) in rest.char_indices().skip(1) {
            match char {
                '\n' | '\r' => break,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if char == quote => return Ok((Token::Text(part(rest, 1, at)), at + 1)),
                _ => {}
            }
        }
        let line = rest.split(['\n', '\r']).next().unwrap_or(rest);
        let curly = line.chars().skip(1).find(|&char| typographic(char));
        let found = match curly {
            Some(curly) => format!("the typographic quote {curly} at the end of the text"),
            None => "a text that does not end on its line".to_owned(),
        };
        Err(Fault::new((start, start + line.len()), found, format!("a text in {quote}…{quote}")))
    }
}

fn part(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or("")
}

fn run(text: &str, belongs: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !belongs(byte)).unwrap_or(text.len())
}

fn digits(text: &str) -> usize {
    run(text, |byte| byte.is_ascii_digit())
}

/// How long the number at the beginning is; 0 where there is none.
pub(super) fn number_length(text: &str) -> usize {
    let sign = usize::from(text.starts_with(['-', '+']));
    let tail = |from: usize| text.get(from..).unwrap_or("");
    let whole = digits(tail(sign));
    if whole == 0 {
        return 0;
    }
    let mut length = sign + whole;
    if tail(length).starts_with('.') {
        let fraction = digits(tail(length + 1));
        length += if fraction > 0 { 1 + fraction } else { 0 };
    }
    if tail(length).starts_with(['e', 'E']) {
        let signed = usize::from(tail(length + 1).starts_with(['-', '+']));
        let exponent = digits(tail(length + 1 + signed));
        length += if exponent > 0 { 1 + signed + exponent } else { 0 };
    }
    length
}

fn number(rest: &str) -> (Token<'_>, usize) {
    if digits(rest) == 4 && rest.as_bytes().get(4) == Some(&b'-') {
        let mut length = 0;
        let of_a_time =
            |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b':' | b'T' | b'Z');
        loop {
            length += run(part(rest, length, rest.len()), of_a_time);
            let point = part(rest, length, rest.len());
            // A point that no digit follows is the one of a chain.
            if !point.starts_with('.') || digits(part(point, 1, point.len())) == 0 {
                break;
            }
            length += 1;
        }
        return (Token::Time(part(rest, 0, length)), length);
    }
    let length = number_length(rest);
    (Token::Number(part(rest, 0, length)), length)
}

/// Whether the text is read as one date or time.
pub(super) fn is_time(text: &str) -> bool {
    let mut lexer = Lexer::new(text);
    matches!(lexer.next(), Ok((Token::Time(all), _)) if all == text)
}

fn typographic(char: char) -> bool {
    matches!(char, '\u{2018}'..='\u{201f}' | '«' | '»' | '‹' | '›' | '´' | '`' | '′' | '″')
}

fn unknown(char: char, start: usize) -> Box<Fault> {
    let place = (start, start + char.len_utf8());
    if typographic(char) {
        return Fault::new(place, format!("the typographic quote {char}"), "the quote ' or \"");
    }
    let expected = if char.is_alphabetic() {
        "a word of the language (names of your own stand in quotes)"
    } else {
        "a word of the language"
    };
    Fault::new(place, quoted(&char.to_string()), expected)
}

/// A text in quotes as it is meant: escapes resolved. On failure, where in it and what is there.
pub(super) fn text(raw: &str) -> Result<String, Escape> {
    let mut out = String::with_capacity(raw.len());
    for char in (Escapes { raw, at: 0 }) {
        out.push(char?.0);
    }
    Ok(out)
}

/// An escape that means nothing.
#[derive(Debug)]
pub(super) struct Escape {
    /// Its first byte in the text between the quotes.
    pub(super) start: usize,
    /// Behind its last one.
    pub(super) end: usize,
}

/// The characters of a text in quotes, each with whether it was written as an escape.
pub(super) struct Escapes<'a> {
    pub(super) raw: &'a str,
    pub(super) at: usize,
}

impl Escapes<'_> {
    pub(super) fn rest(&self) -> &str {
        part(self.raw, self.at, self.raw.len())
    }

    /// Four hexadecimal digits, that many bytes behind here.
    fn code(&self, behind: usize) -> Option<u32> {
        let digits = self.rest().get(behind..behind + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }

    /// The character of `\uXXXX`, or of two of them that are one, and how long it is.
    fn coded(&self) -> Option<(char, usize)> {
        let high = self.code(2)?;
        if let Some(char) = char::from_u32(high) {
            return Some((char, 6));
        }
        if !(0xd800..0xdc00).contains(&high) || !part(self.rest(), 6, 8).starts_with("\\u") {
            return None;
        }
        let low = self.code(8).filter(|low| (0xdc00..0xe000).contains(low))?;
        Some((char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 12))
    }

    fn escape(&self) -> Result<(char, usize), Escape> {
        let second = self.rest().chars().nth(1);
        let plain = match second {
            Some(same @ ('\\' | '\'' | '"' | '/')) => Some(same),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            _ => None,
        };
        if let Some(plain) = plain {
            return Ok((plain, 2));
        }
        let coded = if second == Some('u') { self.coded() } else { None };
        coded.ok_or_else(|| Escape {
            start: self.at,
            end: self.at + 1 + second.map_or(0, char::len_utf8),
        })
    }
}

impl Iterator for Escapes<'_> {
    type Item = Result<(char, bool), Escape>;

    fn next(&mut self) -> Option<Self::Item> {
        let char = self.rest().chars().next()?;
        if char != '\\' {
            self.at += char.len_utf8();
            return Some(Ok((char, false)));
        }
        Some(self.escape().map(|(char, length)| {
            self.at += length;
            (char, true)
        }))
    }
}
