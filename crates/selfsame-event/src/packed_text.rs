//! Texts that are ids, packed.

use std::cmp::Ordering;
use std::fmt;

use crate::packed::{Reader, Sink, put_number};

/// A text that is often an id. A UUID at its end takes 16 bytes instead of 36, and before it the
/// fixed word and the time of a browser's message ids take 6 instead of 23. Compared as texts are.
///
/// ```text
/// form: number = 4 * length of the head + (2 if it has a time) + (1 if it has a UUID)
/// head; time: number of milliseconds; uuid: 16 bytes
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PackedText<'a> {
    head: &'a str,
    browser_millis: Option<u64>,
    uuid: Option<[u8; 16]>,
}

const BROWSER: &str = "ajs-next-";
/// Of a number of milliseconds, from 2001 to 2286.
const MILLIS_DIGITS: usize = 13;
const UUID_CHARS: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const PAIRS: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const LETTERS: &[u8; 16] = b"0123456789abcdef";

impl<'a> PackedText<'a> {
    /// The packed form of that text.
    pub fn new(text: &'a str) -> Self {
        let split = text.len().checked_sub(UUID_CHARS).and_then(|at| text.split_at_checked(at));
        match split.and_then(|(head, tail)| Some((head, parse_uuid(tail.as_bytes())?))) {
            Some((head, uuid)) => match parse_browser(head) {
                Some(millis) => Self { head: "", browser_millis: Some(millis), uuid: Some(uuid) },
                None => Self { head, browser_millis: None, uuid: Some(uuid) },
            },
            None => Self { head: text, browser_millis: None, uuid: None },
        }
    }

    fn text_bytes(&self) -> impl Iterator<Item = u8> {
        let browser = self.browser_millis.map(|millis| {
            let (mut text, mut rest) = ([b'-'; MILLIS_DIGITS + 1], millis);
            for letter in text.iter_mut().take(MILLIS_DIGITS).rev() {
                *letter = LETTERS[usize::from((rest % 10).to_le_bytes()[0])];
                rest /= 10;
            }
            BROWSER.bytes().chain(text)
        });
        let uuid = self.uuid.iter().flat_map(uuid_chars);
        self.head.bytes().chain(browser.into_iter().flatten()).chain(uuid)
    }

    /// Appends its packed form.
    pub fn write(&self, out: &mut impl Sink) {
        let has_uuid = u64::from(self.uuid.is_some());
        let has_time = u64::from(self.browser_millis.is_some());
        put_number(out, self.head.len() as u64 * 4 + has_time * 2 + has_uuid);
        out.put(self.head.as_bytes());
        if let Some(millis) = self.browser_millis {
            put_number(out, millis);
        }
        if let Some(uuid) = &self.uuid {
            out.put(uuid);
        }
    }

    /// Reads what [`Self::write`] wrote.
    pub fn read(reader: &mut Reader<'a>) -> Option<Self> {
        let form = reader.number()?;
        let head = std::str::from_utf8(reader.slice(usize::try_from(form / 4).ok()?)?).ok()?;
        let browser_millis = if form & 2 == 2 { Some(reader.number()?) } else { None };
        let uuid = if form & 1 == 1 { Some(reader.array()?) } else { None };
        Some(Self { head, browser_millis, uuid })
    }

    /// Whether this is the form that its text takes: a text has one only.
    pub fn is_canonical(&self) -> bool {
        match (self.browser_millis, self.uuid) {
            (Some(millis), Some(_)) => {
                self.head.is_empty() && (MILLIS_LEAST..MILLIS_LEAST * 10).contains(&millis)
            }
            (Some(_), None) => false,
            (None, Some(_)) => parse_browser(self.head).is_none(),
            (None, None) => Self::new(self.head).uuid.is_none(),
        }
    }
}

const MILLIS_LEAST: u64 = 1_000_000_000_000;

/// The time in what a browser's message id has before its UUID.
fn parse_browser(head: &str) -> Option<u64> {
    let digits = head.strip_prefix(BROWSER)?.strip_suffix('-')?;
    let all_digits = digits.bytes().all(|letter| letter.is_ascii_digit());
    let millis = digits.parse().ok().filter(|_| all_digits && digits.len() == MILLIS_DIGITS)?;
    (millis >= MILLIS_LEAST).then_some(millis)
}

/// The 16 bytes of a UUID in its usual form: lower case, with hyphens.
fn parse_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let text: &[u8; UUID_CHARS] = text.try_into().ok()?;
    if HYPHENS.iter().any(|at| text[*at] != b'-') {
        return None;
    }
    let mut uuid = [0; 16];
    let mut seen = 0;
    for (byte, at) in uuid.iter_mut().zip(PAIRS) {
        let (high, low) = (DIGITS[usize::from(text[at])], DIGITS[usize::from(text[at + 1])]);
        seen |= high | low;
        *byte = high << 4 | low & 15;
    }
    (seen < 16).then_some(uuid)
}

/// The value of each hexadecimal digit in lower case, and more than 15 for all other bytes.
const DIGITS: [u8; 256] = {
    let mut digits = [0x80; 256];
    let mut value = 0;
    while value < 16 {
        digits[LETTERS[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

fn uuid_chars(uuid: &[u8; 16]) -> impl Iterator<Item = u8> {
    uuid.iter().enumerate().flat_map(|(index, byte)| {
        let hyphen = matches!(index, 4 | 6 | 8 | 10).then_some(b'-');
        let digits = [LETTERS[usize::from(byte >> 4)], LETTERS[usize::from(byte & 15)]];
        hyphen.into_iter().chain(digits)
    })
}

impl Ord for PackedText<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let shape = |id: &Self| (id.browser_millis.is_some(), id.uuid.is_some());
        if self.head == other.head && shape(self) == shape(other) {
            // Digits of one length are in the order of their numbers.
            return (self.browser_millis, self.uuid).cmp(&(other.browser_millis, other.uuid));
        }
        self.text_bytes().cmp(other.text_bytes())
    }
}

impl PartialOrd for PackedText<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for PackedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.head)?;
        let after = self.text_bytes().skip(self.head.len());
        after.map(char::from).try_for_each(|letter| fmt::Write::write_char(f, letter))
    }
}

impl fmt::Debug for PackedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedText({self})")
    }
}

#[cfg(test)]
mod tests;
