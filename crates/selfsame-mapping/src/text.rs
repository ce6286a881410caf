//! Texts as JavaScript sees them.

/// What JavaScript takes for space around a text.
fn is_space(char: char) -> bool {
    (char.is_whitespace() && char != '\u{85}') || char == '\u{feff}'
}

pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

pub(crate) fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

pub(crate) fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_space)
}

/// How many units of UTF-16 a text has: its `length` in JavaScript.
pub(crate) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The unit at an index, if it is a character: half of one cannot be a text.
pub(crate) fn unit(text: &str, index: usize) -> Option<String> {
    let unit = text.encode_utf16().nth(index)?;
    char::from_u32(u32::from(unit)).map(String::from)
}

/// The units from `start` up to `end`, without halves of characters at the ends.
pub(crate) fn units(text: &str, start: usize, end: usize) -> String {
    if text.is_ascii() {
        let end = end.min(text.len());
        return text.get(start.min(end)..end).unwrap_or_default().to_owned();
    }
    let mut at = 0;
    let within = |char: &char| {
        let first = at;
        at += char.len_utf16();
        first >= start && at <= end
    };
    text.chars().filter(within).collect()
}

/// An index of an array as it is written as a key: `0`, `17`, and not `01`.
pub(crate) fn as_index(key: &str) -> Option<usize> {
    let is_canonical = key == "0" || !key.starts_with(['0', '+']);
    if !is_canonical || key.len() > 10 {
        return None;
    }
    let index: u32 = key.parse().ok()?;
    (index != u32::MAX).then(|| usize::try_from(index).ok()).flatten()
}

/// The text as JSON.
pub(crate) fn push_json(json: &mut String, text: &str) {
    json.reserve(text.len() + 2);
    json.push('"');
    let (mut rest, mut at) = (text, plain(text.as_bytes()));
    while let Some(byte) = rest.as_bytes().get(at) {
        json.push_str(rest.get(..at).unwrap_or_default());
        match byte {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            0x08 => json.push_str("\\b"),
            b'\t' => json.push_str("\\t"),
            b'\n' => json.push_str("\\n"),
            0x0c => json.push_str("\\f"),
            b'\r' => json.push_str("\\r"),
            byte => json.push_str(&format!("\\u{byte:04x}")),
        }
        rest = rest.get(at + 1..).unwrap_or_default();
        at = plain(rest.as_bytes());
    }
    json.push_str(rest);
    json.push('"');
}

/// How many bytes there are before one that JSON writes otherwise. Eight at a time are looked at.
fn plain(bytes: &[u8]) -> usize {
    let (words, _) = bytes.as_chunks::<8>();
    let before = 8 * words.iter().take_while(|word| is_plain(u64::from_le_bytes(**word))).count();
    let is_special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    let rest = bytes.get(before..).unwrap_or_default();
    before + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// Whether none of eight bytes is a quotation mark, a backslash or below a space. It may say no of some others.
fn is_plain(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let below = |word: u64, least: u64| word.wrapping_sub(ONES * least) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & (ONES * 0x80) == 0
}

#[cfg(test)]
mod tests;
