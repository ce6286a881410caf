//! Functions of texts.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::item::Item;
use crate::number;
use crate::text::{length, trim, units};

use super::{Given, Name, scalar};

/// What `encodeURIComponent` leaves as it is.
pub(crate) const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Most characters that a text is padded to.
const MOST_PADDED: u32 = 1_000;

pub(super) fn call<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    match given.call.name {
        Name::Text | Name::Raw => {
            let text = given.subject.text(given.budget()).into_owned();
            given.made(text)
        }
        Name::Join => {
            let between = given.argument_text(1).unwrap_or_else(|| ",".to_owned());
            given
                .subject
                .is_list()
                .then(|| given.subject.joined(&between, given.budget()))
                .map(Item::made)
        }
        Name::Contains => contains(given),
        Name::Slice => slice(given),
        Name::Length => {
            let length = match (given.subject.as_text(), given.subject.len()) {
                (Some(text), _) => length(text),
                (None, Some(len)) => len,
                (None, None) if given.subject.is_object() => given.subject.fields().len(),
                (None, None) => return None,
            };
            Some(Item::Number(number::count(length)))
        }
        Name::Json => given.subject.json(given.budget()).map(Item::made),
        Name::ParseJson => {
            let text = given.subject.as_text()?;
            given.budget().spend(text.len())?;
            serde_json::from_str::<Value>(text).ok().map(Item::owned)
        }
        Name::Query => query(given),
        Name::StartsWith | Name::EndsWith | Name::Matches => Some(Item::Bool(test(given))),
        _ => of_text(given),
    }
}

fn test(given: &mut Given<'_, '_, '_>) -> bool {
    let (subject, part) = (given.subject.clone(), given.argument(1));
    let Some(text) = scalar(&subject, given.budget()) else { return false };
    if given.call.name == Name::Matches {
        return given.call.pattern.as_ref().is_some_and(|pattern| pattern.is_match(&text));
    }
    let Some(part) = scalar(&part, given.budget()) else { return false };
    if given.call.name == Name::StartsWith {
        text.starts_with(&*part)
    } else {
        text.ends_with(&*part)
    }
}

fn of_text<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    let text = given.text()?.into_owned();
    given.budget().spend(text.len())?;
    let changed = match given.call.name {
        Name::Lower => text.to_lowercase(),
        Name::Upper => text.to_uppercase(),
        Name::Trim => trim(&text).to_owned(),
        Name::Clean => Some(trim(&text).to_lowercase()).filter(|text| !text.is_empty())?,
        Name::Capitalize => {
            let mut chars = text.chars();
            let first = chars.next().map(char::to_uppercase);
            first.into_iter().flatten().chain(chars).collect()
        }
        Name::Replace => replaced(given, &text)?,
        Name::ReplaceMatches => {
            let with = given.argument_text(2)?;
            let pattern = given.call.pattern.as_ref()?;
            // Each match may become as much as the text and what it is replaced by.
            let matches = pattern.find_iter(&text).count();
            given
                .budget()
                .spend(matches.saturating_mul(with.len().saturating_mul(1 + text.len())))?;
            pattern.replace_all(&text, with).into_owned()
        }
        Name::Extract => {
            let pattern = given.call.pattern.as_ref()?;
            let found = pattern.captures(&text)?;
            let group = if pattern.captures_len() > 1 { found.get(1) } else { found.get(0) };
            group?.as_str().to_owned()
        }
        Name::Split => {
            let between = given.argument_text(1)?;
            let parts: Vec<_> = if between.is_empty() {
                text.chars().map(|char| Item::made(char.to_string())).collect()
            } else {
                text.split(&*between).map(Item::made).collect()
            };
            given.budget().spend(parts.len() * 8)?;
            return Some(Item::list(parts));
        }
        Name::PadStart => {
            let wanted = given.argument_count(1, MOST_PADDED)?;
            let with = given.argument_text(2).unwrap_or_else(|| " ".to_owned());
            let missing = wanted.saturating_sub(length(&text));
            let padding: String = with.chars().cycle().take(missing).collect();
            padding + &text
        }
        Name::Truncate => units(&text, 0, given.argument_count(1, u32::MAX)?),
        Name::Digits => text.chars().filter(char::is_ascii_digit).collect(),
        Name::Alphanumeric => text.chars().filter(|char| char.is_alphanumeric()).collect(),
        Name::UrlEncode => utf8_percent_encode(&text, COMPONENT).to_string(),
        Name::UrlDecode => percent_decode_str(&text).decode_utf8().ok()?.into_owned(),
        Name::EscapeHtml => escaped(&text),
        _ => return None,
    };
    given.made(changed)
}

fn replaced(given: &mut Given<'_, '_, '_>, text: &str) -> Option<String> {
    let (what, with) = (given.argument_text(1)?, given.argument_text(2)?);
    if what.is_empty() {
        return Some(text.to_owned());
    }
    given.budget().spend(text.matches(&*what).count().saturating_mul(with.len()))?;
    Some(text.replace(&*what, &with))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char => escaped.push(char),
        }
    }
    escaped
}

fn contains<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    let part = given.argument(1);
    let budget = given.budget();
    if given.subject.is_list() {
        let mut elements = given.subject.elements().into_iter();
        return Some(Item::Bool(elements.any(|element| element.equals(&part, budget))));
    }
    let is_in = match (given.subject.as_text(), scalar(&part, budget)) {
        (Some(text), Some(part)) => text.contains(&*part),
        _ => false,
    };
    Some(Item::Bool(is_in))
}

/// From `start` up to `end`, negative ones counted from the end.
fn slice<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    let (start, end) = (given.argument_number(1)?, given.argument_number(2));
    let place = |at: f64, len: usize| {
        let len_or_more = number::count(len);
        let at = if at < 0.0 { len_or_more + at } else { at };
        let at = number::whole(at.clamp(0.0, len_or_more).trunc());
        at.and_then(|at| usize::try_from(at).ok()).unwrap_or(0)
    };
    if given.subject.is_list() {
        let elements = given.subject.elements();
        let len = elements.len();
        let (start, end) = (place(start, len), end.map_or(len, |end| place(end, len)));
        let kept = elements.get(start..end.max(start))?.to_vec();
        given.budget().spend(kept.len())?;
        return Some(Item::list(kept));
    }
    let text = given.text()?.into_owned();
    let len = length(&text);
    let (start, end) = (place(start, len), end.map_or(len, |end| place(end, len)));
    given.made(units(&text, start, end.max(start)))
}

/// The fields of an object as the query of a URL.
fn query<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    let mut query = String::new();
    for (key, item) in given.subject.fields() {
        let all = if item.is_list() { item.elements() } else { vec![item] };
        for item in all.iter().filter(|item| !item.is_nullish()) {
            let text = item.text(given.budget());
            given.budget().spend(3 * (key.len() + text.len()) + 2)?;
            if !query.is_empty() {
                query.push('&');
            }
            query.extend(utf8_percent_encode(&key, COMPONENT));
            query.push('=');
            query.extend(utf8_percent_encode(&text, COMPONENT));
        }
    }
    given.subject.is_object().then(|| Item::made(query))
}
