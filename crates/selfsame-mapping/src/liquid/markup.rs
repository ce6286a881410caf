//! What filters do with markup, URLs and encodings.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

use crate::expression::COMPONENT;

/// What `encodeURI` leaves as it is, beside what `encodeURIComponent` does; and brackets.
const WHOLE: &AsciiSet = &COMPONENT
    .remove(b';')
    .remove(b',')
    .remove(b'/')
    .remove(b'?')
    .remove(b':')
    .remove(b'@')
    .remove(b'&')
    .remove(b'=')
    .remove(b'+')
    .remove(b'$')
    .remove(b'#')
    .remove(b'[')
    .remove(b']');

const CGI: &AsciiSet = &COMPONENT.add(b'!').add(b'\'').add(b'(').add(b')').add(b'*');

const ENTITIES: [(&str, char); 5] =
    [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&#34;", '"'), ("&#39;", '\'')];

pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match ENTITIES.iter().find(|(_, plain)| *plain == char) {
            Some((entity, _)) => escaped.push_str(entity),
            None => escaped.push(char),
        }
    }
    escaped
}

pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        let entity = ENTITIES.iter().find(|(entity, _)| rest.starts_with(entity));
        let (length, char) =
            entity.map_or_else(|| (char.len_utf8(), char), |(entity, char)| (entity.len(), *char));
        plain.push(char);
        rest = rest.get(length..).unwrap_or_default();
    }
    plain
}

/// Without scripts, styles, comments and tags. What is opened and not closed stays.
pub(super) fn without_tags(text: &str) -> String {
    let mut blocks =
        vec![("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">")];
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        kept.push_str(before);
        let mut behind = None;
        blocks.retain(|(open, close)| {
            if behind.is_some() || !tag.starts_with(open) {
                return true;
            }
            let end = tag.get(open.len()..).and_then(|inner| inner.find(close));
            behind = end.and_then(|end| tag.get(open.len() + end + close.len()..));
            behind.is_some()
        });
        match behind {
            Some(behind) => rest = behind,
            None => return kept + tag,
        }
    }
    kept + rest
}

pub(super) fn url_encoded(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string().replace("%20", "+")
}

pub(super) fn cgi_escaped(text: &str) -> String {
    utf8_percent_encode(text, CGI).to_string().replace("%20", "+")
}

pub(super) fn uri_escaped(text: &str) -> String {
    utf8_percent_encode(text, WHOLE).to_string()
}

pub(super) fn url_decoded(text: &str) -> Option<String> {
    let is_whole = text.split('%').skip(1).all(|part| {
        part.get(..2).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    is_whole.then(|| decoded.into_owned())
}

/// The text that base64 is of; spaces in it and padding do not count.
pub(super) fn base64_decoded(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|char| !" \t\n\r\u{c}".contains(*char)).collect();
    let unpadded = match digits.len() % 4 {
        0 => digits.strip_suffix("==").or_else(|| digits.strip_suffix('=')).unwrap_or(&digits),
        _ => &digits,
    };
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&STANDARD, config).decode(unpadded).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Runs of what the mode does not keep as one `-`, and none of them at the ends.
pub(super) fn slug(text: &str, mode: &str, is_cased: bool) -> String {
    let keeps: fn(char) -> bool = match mode {
        "raw" => |char| !char.is_whitespace(),
        "pretty" => |char| char.is_alphanumeric() || "._~!$&'()+,;=@".contains(char),
        "ascii" => |char| char.is_ascii_alphanumeric(),
        "default" | "latin" => char::is_alphanumeric,
        _ => return if is_cased { text.to_owned() } else { text.to_lowercase() },
    };
    let text = if mode == "latin" { without_accents(text) } else { text.to_owned() };
    let mut slug = String::new();
    for char in text.chars() {
        if keeps(char) {
            slug.push(char);
        } else if !slug.ends_with('-') || keeps('-') {
            slug.push('-');
        }
    }
    let slug = slug.strip_prefix('-').unwrap_or(&slug);
    let slug = slug.strip_suffix('-').unwrap_or(slug);
    if is_cased { slug.to_owned() } else { slug.to_lowercase() }
}

fn without_accents(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars() {
        plain.push_str(match char {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
            'æ' => "ae",
            'ç' => "c",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ð' => "d",
            'ñ' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ý' | 'ÿ' => "y",
            'ß' => "ss",
            'œ' => "oe",
            'þ' => "th",
            'ẞ' => "SS",
            'Œ' => "OE",
            'Þ' => "TH",
            other => {
                plain.push(other);
                continue;
            }
        });
    }
    plain
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
