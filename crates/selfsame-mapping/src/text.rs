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
    json.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            b'\t' => "\\t",
            b'\n' => "\\n",
            0x0c => "\\f",
            b'\r' => "\\r",
            0..0x20 => "",
            _ => continue,
        };
        json.push_str(text.get(start..at).unwrap_or_default());
        if escape.is_empty() {
            json.push_str(&format!("\\u{byte:04x}"));
        } else {
            json.push_str(escape);
        }
        start = at + 1;
    }
    json.push_str(text.get(start..).unwrap_or_default());
    json.push('"');
}
