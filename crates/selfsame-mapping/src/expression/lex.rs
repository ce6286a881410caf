//! The words of an expression.

use std::ops::Range;

use crate::problem::{Problem, quoted};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Name(String),
    Text(String),
    Number(String),
    Sign(&'static str),
    End,
}

/// A word, and which bytes it is.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) word: Word,
    pub(super) place: Range<usize>,
}

/// Longer ones first.
const SIGNS: [&str; 34] = [
    "...", "===", "!==", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "(", ")", "[", "]",
    "{", "}", ",", ":", "?", ".", "!", "<", ">", "+", "-", "*", "/", "%", "|", "=", "&", ";",
];

/// All words, and the end.
pub(super) fn words(text: &str) -> Result<Vec<Placed>, Problem> {
    let mut words = vec![];
    let mut at = 0;
    while let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if char.is_whitespace() {
            at += char.len_utf8();
            continue;
        }
        let (word, end) = word(text, at, char)?;
        words.push(Placed { word, place: at..end });
        at = end;
    }
    words.push(Placed { word: Word::End, place: at..at });
    Ok(words)
}

fn word(text: &str, at: usize, first: char) -> Result<(Word, usize), Problem> {
    let rest = text.get(at..).unwrap_or_default();
    if first.is_alphabetic() || first == '_' || first == '$' {
        let is_outside = |char: char| !(char.is_alphanumeric() || char == '_' || char == '$');
        let length = rest.find(is_outside).unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        return Ok((Word::Name(name.to_owned()), at + length));
    }
    if first.is_ascii_digit() {
        return number(rest, at);
    }
    if first == '"' || first == '\'' {
        return quotation(text, at, first);
    }
    // `a?.5:1` is a choice.
    let is_choice =
        rest.starts_with("?.") && rest.as_bytes().get(2).is_some_and(u8::is_ascii_digit);
    match SIGNS.iter().find(|sign| rest.starts_with(**sign) && !(is_choice && **sign == "?.")) {
        Some(sign) => Ok((Word::Sign(sign), at + sign.len())),
        None => {
            let end = at + first.len_utf8();
            Err(Problem::within(at..end, "an expression", quoted(&first.to_string())))
        }
    }
}

fn number(rest: &str, at: usize) -> Result<(Word, usize), Problem> {
    let bytes = rest.as_bytes();
    let digits = |mut from: usize| {
        while bytes.get(from).is_some_and(u8::is_ascii_digit) {
            from += 1;
        }
        from
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if let Some(b'e' | b'E') = bytes.get(end) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if digits(end + 1 + sign) > end + 1 + sign {
            end = digits(end + 1 + sign);
        }
    }
    let text = rest.get(..end).unwrap_or_default();
    let follows = rest.get(end..).and_then(|rest| rest.chars().next());
    if let Some(char) = follows.filter(|char| char.is_alphanumeric() || *char == '_') {
        let place = at + end..at + end + char.len_utf8();
        return Err(Problem::within(place, "the end of a number", quoted(&char.to_string())));
    }
    // JavaScript has no decimal numbers that begin with a zero.
    if text.len() > 1
        && text.starts_with('0')
        && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
    {
        return Err(Problem::within(at..at + end, "a number without zeros in front", quoted(text)));
    }
    Ok((Word::Number(text.to_owned()), at + end))
}

fn quotation(text: &str, start: usize, quote: char) -> Result<(Word, usize), Problem> {
    let mut content = String::new();
    let mut chars = text.get(start + 1..).unwrap_or_default().char_indices();
    while let Some((offset, char)) = chars.next() {
        let at = start + 1 + offset;
        match char {
            _ if char == quote => return Ok((Word::Text(content), at + 1)),
            '\\' => {
                let Some((_, escaped)) = chars.next() else { break };
                let meant = match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    '\\' | '"' | '\'' | '/' => escaped,
                    'u' => hexadecimal(&mut chars).ok_or_else(|| {
                        let expected = "four hexadecimal digits of a character";
                        Problem::within(at..(at + 6).min(text.len()), expected, "something else")
                    })?,
                    other => {
                        let found = quoted(&format!("\\{other}"));
                        let expected = "one of the escapes \\n \\t \\r \\\\ \\\" \\' \\/ \\u";
                        let end = at + 1 + other.len_utf8();
                        return Err(Problem::within(at..end, expected, found));
                    }
                };
                content.push(meant);
            }
            _ => content.push(char),
        }
    }
    let expected = format!("a closing {quote}");
    Err(Problem::within(start..text.len(), expected, "the end of the text"))
}

fn hexadecimal(chars: &mut std::str::CharIndices<'_>) -> Option<char> {
    let mut code = 0;
    for _ in 0..4 {
        code = code * 16 + chars.next()?.1.to_digit(16)?;
    }
    char::from_u32(code)
}
