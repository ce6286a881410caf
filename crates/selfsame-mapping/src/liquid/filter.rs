//! The filters.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};

use crate::budget::Budget;
use crate::item::Item;
use crate::number;
use crate::text::{length, trim, trim_end, trim_start};

use super::render::{found, is_true, same};
use super::{date, markup};

/// Filters that Segment disables.
const DISABLED: [&str; 21] = [
    "array_to_sentence_string",
    "concat",
    "find",
    "find_exp",
    "find_index",
    "find_index_exp",
    "group_by",
    "group_by_exp",
    "has",
    "has_exp",
    "map",
    "newline_to_br",
    "reject",
    "reject_exp",
    "reverse",
    "sort",
    "sort_natural",
    "uniq",
    "where_exp",
    "type",
    "sample",
];

macro_rules! filters {
    ($($id:ident $name:literal)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Filter {
            $($id),*
        }

        const TABLE: &[(&str, Filter)] = &[$(($name, Filter::$id)),*];
    };
}

filters! {
    Abs "abs" Append "append" AtLeast "at_least" AtMost "at_most" Base64Decode "base64_decode"
    Base64Encode "base64_encode" Capitalize "capitalize" Ceil "ceil" CgiEscape "cgi_escape"
    Compact "compact" Date "date" DateLong "date_to_long_string" DateRfc822 "date_to_rfc822"
    DateString "date_to_string" DateXml "date_to_xmlschema" Default "default" DividedBy "divided_by"
    Downcase "downcase" Escape "escape" EscapeOnce "escape_once" First "first" Floor "floor"
    Hmac "hmac_sha256" Inspect "inspect" Join "join" Json "json" Jsonify "jsonify" Last "last"
    Lstrip "lstrip" Minus "minus" Modulo "modulo" Normalize "normalize_whitespace"
    Words "number_of_words" Plus "plus" Pop "pop" Prepend "prepend" Push "push" Raw "raw"
    Remove "remove" RemoveFirst "remove_first" RemoveLast "remove_last" Replace "replace"
    ReplaceFirst "replace_first" ReplaceLast "replace_last" Round "round" Rstrip "rstrip"
    Sha256 "sha256" Shift "shift" Size "size" Slice "slice" Slugify "slugify" Split "split"
    Strip "strip" StripHtml "strip_html" StripNewlines "strip_newlines" Sum "sum" Times "times"
    ToInteger "to_integer" Truncate "truncate" TruncateWords "truncatewords" Unshift "unshift"
    Upcase "upcase" UriEscape "uri_escape" UrlDecode "url_decode" UrlEncode "url_encode"
    Where "where" XmlEscape "xml_escape"
}

type Applied<'e> = Result<Item<'e>, String>;

impl Filter {
    /// The filter of a name; none, if there is none; and why it may not be used.
    pub(super) fn named(name: &str) -> Result<Option<Self>, &'static str> {
        match name {
            "sample" => Err("it is left to chance"),
            name if DISABLED.contains(&name) => Err("Segment has disabled it"),
            name => Ok(TABLE.iter().find(|(known, _)| *known == name).map(|(_, filter)| *filter)),
        }
    }

    /// Whether it changes nothing.
    pub(super) fn is_raw(self) -> bool {
        self == Self::Raw
    }

    pub(super) fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::Jsonify | Self::Inspect)
    }

    pub(super) fn apply<'e>(self, of: Item<'e>, with: &[Item<'e>], budget: &Budget) -> Applied<'e> {
        let applied = match self {
            Self::Raw => of,
            Self::Default => with_default(of, with),
            Self::Json | Self::Jsonify | Self::Inspect => {
                of.json(budget).map_or(Item::Undefined, Item::made)
            }
            Self::ToInteger => Item::Number(of.to_number(budget)),
            Self::Date | Self::DateXml | Self::DateRfc822 | Self::DateString | Self::DateLong => {
                self.date(of, with, budget)
            }
            Self::First | Self::Last | Self::Size | Self::Slice => self.part(&of, with, budget),
            Self::Compact
            | Self::Join
            | Self::Pop
            | Self::Push
            | Self::Shift
            | Self::Sum
            | Self::Unshift
            | Self::Where => self.list(of, with, budget),
            Self::Abs
            | Self::AtLeast
            | Self::AtMost
            | Self::Ceil
            | Self::DividedBy
            | Self::Floor
            | Self::Minus
            | Self::Modulo
            | Self::Plus
            | Self::Round
            | Self::Times => Item::Number(self.number(&of, with, budget)),
            Self::Split => split(&of, with, budget),
            Self::Truncate => truncated(of, with, budget),
            Self::Words => {
                let text = stringified(&of, budget);
                let text = trim(&text);
                let count = if text.is_empty() { 0 } else { spaced(text).count() };
                Item::Number(number::count(count))
            }
            _ => return self.text(&of, with, budget).map(Item::made),
        };
        budget.spend(8).ok_or("what the template says is too large")?;
        Ok(applied)
    }

    fn number(self, of: &Item<'_>, with: &[Item<'_>], budget: &Budget) -> f64 {
        let number = |item: &Item<'_>| {
            let number = item.to_number(budget);
            if number.is_nan() { 0.0 } else { number }
        };
        let value = number(of);
        let first = with.first().map(number);
        let other = first.unwrap_or(f64::NAN);
        match self {
            Self::Abs => value.abs(),
            Self::AtLeast => with.iter().map(number).fold(value, f64::max),
            Self::AtMost => with.iter().map(number).fold(value, f64::min),
            Self::Ceil => value.ceil(),
            Self::Floor => value.floor(),
            Self::Minus => value - other,
            Self::Plus => value + other,
            Self::Times => value * other,
            Self::Modulo => ((value % other) + other) % other,
            Self::DividedBy => {
                let quotient = value / other;
                let is_whole = with.get(1).map(number).is_some_and(|whole| whole != 0.0);
                if is_whole { quotient.floor() } else { quotient }
            }
            _ => rounded(value, first.unwrap_or(0.0)),
        }
    }

    fn date<'e>(self, of: Item<'e>, with: &[Item<'e>], budget: &Budget) -> Item<'e> {
        let given = |place: usize| {
            let item = with.get(place).filter(|item| !item.is_nullish());
            item.map(|item| stringified(item, budget))
        };
        let zone = if self == Self::Date { with.get(1) } else { None };
        let Some(zoned) = date::read(&of, zone) else { return of };
        let ordinal = given(0).as_deref() == Some("ordinal");
        let american = given(1).as_deref() == Some("US");
        let format = match self {
            Self::Date => given(0).unwrap_or_else(|| date::DEFAULT.into()),
            Self::DateXml => "%Y-%m-%dT%H:%M:%S%:z".into(),
            Self::DateRfc822 => "%a, %d %b %Y %H:%M:%S %z".into(),
            _ => {
                let month = if self == Self::DateLong { "%B" } else { "%b" };
                Cow::Owned(match (ordinal, american) {
                    (true, true) => format!("{month} %-d%q, %Y"),
                    (true, false) => format!("%-d%q {month} %Y"),
                    (false, _) => format!("%d {month} %Y"),
                })
            }
        };
        date::format(&zoned, &format, budget).map_or(Item::Undefined, Item::made)
    }

    fn part<'e>(self, of: &Item<'e>, with: &[Item<'e>], budget: &Budget) -> Item<'e> {
        let len = of.len().or_else(|| of.as_text().filter(|text| !text.is_empty()).map(length));
        match (self, len) {
            (Self::Size, _) => match of.member("length") {
                length if of.is_true() && length.is_true() => length,
                _ => Item::Number(0.0),
            },
            (Self::First, Some(_)) => of.element(0, "0"),
            (Self::Last, Some(len)) => {
                len.checked_sub(1).map_or(Item::Undefined, |at| of.element(at, ""))
            }
            (Self::First | Self::Last, None) => Item::Text(""),
            _ if of.is_nullish() => Item::list(vec![]),
            _ => slice(of, with, budget),
        }
    }

    fn list<'e>(self, of: Item<'e>, with: &[Item<'e>], budget: &Budget) -> Item<'e> {
        let mut items = match of {
            item if item.is_nullish() => vec![],
            item if item.is_list() => item.elements(),
            item => vec![item],
        };
        if budget.spend(items.len()).is_none() {
            return Item::Undefined;
        }
        let first = with.first().filter(|item| !item.is_nullish());
        match self {
            Self::Join => {
                let between = first.map_or(Cow::Borrowed(" "), |item| stringified(item, budget));
                return Item::made(Item::list(items).joined(&between, budget));
            }
            Self::Sum => {
                let name =
                    first.filter(|item| item.is_true()).map(|item| stringified(item, budget));
                let numbers = items.iter().map(|item| match &name {
                    Some(name) => found(item, name, budget).to_number(budget),
                    None => item.to_number(budget),
                });
                return Item::Number(numbers.filter(|number| !number.is_nan()).sum());
            }
            Self::Compact => items.retain(|item| !item.is_nullish()),
            Self::Pop => drop(items.pop()),
            Self::Push => items.push(with.first().cloned().unwrap_or(Item::Undefined)),
            Self::Shift => drop((!items.is_empty()).then(|| items.remove(0))),
            Self::Unshift => items.insert(0, with.first().cloned().unwrap_or(Item::Undefined)),
            _ => {
                let name = with.first().map(|item| stringified(item, budget)).unwrap_or_default();
                let expected = with.get(1).filter(|item| !item.is_undefined());
                items.retain(|item| {
                    let value = found(item, &name, budget);
                    expected
                        .map_or_else(|| is_true(&value), |expected| same(&value, expected, budget))
                });
            }
        }
        Item::list(items)
    }

    fn text<'e>(self, of: &Item<'e>, with: &[Item<'e>], budget: &Budget) -> Result<String, String> {
        let text = stringified(of, budget);
        let argument = |place: usize| with.get(place).map(|item| stringified(item, budget));
        let first = argument(0).unwrap_or_default();
        let second = argument(1).unwrap_or_default();
        budget.spend(text.len() + first.len() + second.len()).ok_or("a text is too large")?;
        Ok(match self {
            Self::Append | Self::Prepend if with.len() != 1 => {
                return Err("append and prepend take one argument".to_owned());
            }
            Self::Append => format!("{text}{first}"),
            Self::Prepend => format!("{first}{text}"),
            Self::Downcase => text.to_lowercase(),
            Self::Upcase => text.to_uppercase(),
            Self::Capitalize => {
                let mut chars = text.chars();
                let first = chars.next().map(char::to_uppercase).into_iter().flatten();
                first.chain(chars.as_str().to_lowercase().chars()).collect()
            }
            Self::Strip | Self::Lstrip | Self::Rstrip => self.stripped(&text, with, &first),
            Self::StripNewlines => text.replace("\r\n", "").replace('\n', ""),
            Self::StripHtml => markup::without_tags(&text),
            Self::Normalize => spaced(&text).collect::<Vec<_>>().join(" "),
            Self::Remove => text.replace(&*first, ""),
            Self::RemoveFirst => text.replacen(&*first, "", 1),
            Self::RemoveLast => replaced_last(&text, &first, ""),
            Self::Replace => {
                let times = text.matches(&*first).count();
                budget.spend(times.saturating_mul(second.len())).ok_or("a text is too large")?;
                if first.is_empty() {
                    let chars: Vec<_> = text.chars().map(String::from).collect();
                    chars.join(&second)
                } else {
                    text.replace(&*first, &second)
                }
            }
            Self::ReplaceFirst => text.replacen(&*first, &second, 1),
            Self::ReplaceLast => replaced_last(&text, &first, &second),
            Self::TruncateWords => truncated_words(&text, with, argument(1).as_deref(), budget),
            Self::Escape | Self::XmlEscape => markup::escaped(&text),
            Self::EscapeOnce => markup::escaped(&markup::unescaped(&text)),
            Self::UrlDecode => markup::url_decoded(&text).ok_or("a text is no part of a URL")?,
            Self::UrlEncode => markup::url_encoded(&text),
            Self::CgiEscape => markup::cgi_escaped(&text),
            Self::UriEscape => markup::uri_escaped(&text),
            Self::Slugify => {
                let is_cased = with.get(1).is_some_and(Item::is_true);
                markup::slug(&text, argument(0).as_deref().unwrap_or("default"), is_cased)
            }
            Self::Base64Encode => STANDARD.encode(&*text),
            Self::Base64Decode => markup::base64_decoded(&text).ok_or("a text is no base64")?,
            Self::Sha256 => {
                markup::hexadecimal(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
            }
            _ => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, first.as_bytes());
                markup::hexadecimal(hmac::sign(&key, text.as_bytes()).as_ref())
            }
        })
    }

    fn stripped(self, text: &str, with: &[Item<'_>], chars: &str) -> String {
        let in_set = |char: char| chars.contains(char);
        let has_chars = with.first().is_some_and(Item::is_true);
        match (self, has_chars) {
            (Self::Lstrip, false) => trim_start(text),
            (Self::Rstrip, false) => trim_end(text),
            (_, false) => trim(text),
            (Self::Lstrip, true) => text.trim_start_matches(in_set),
            (Self::Rstrip, true) => text.trim_end_matches(in_set),
            (_, true) => text.trim_matches(in_set),
        }
        .to_owned()
    }
}

/// A value as text: null and undefined are empty, the elements of lists stand beside each other.
pub(super) fn stringified<'i>(item: &'i Item<'_>, budget: &Budget) -> Cow<'i, str> {
    if item.is_nullish() {
        return Cow::Borrowed("");
    }
    if !item.is_list() {
        return item.text(budget);
    }
    let mut text = String::new();
    for element in item.elements() {
        let more = stringified(&element, budget);
        if budget.spend(1 + more.len()).is_none() {
            break;
        }
        text.push_str(&more);
    }
    Cow::Owned(text)
}

/// The keys of a path that is written as a text.
pub(super) fn path(written: &str) -> impl Iterator<Item = &str> {
    written
        .split(['.', '[', ']'])
        .map(|key| key.trim_matches(['"', '\'']))
        .filter(|key| !key.is_empty())
}

fn with_default<'e>(of: Item<'e>, with: &[Item<'e>]) -> Item<'e> {
    let default = with.first().cloned().unwrap_or(Item::Undefined);
    let allows_false = with.iter().any(|item| {
        item.element(0, "0").as_text() == Some("allow_false") && item.element(1, "1").is_true()
    });
    match &of {
        Item::Bool(false) if allows_false => of,
        _ if of.as_text() == Some("") || of.len() == Some(0) || !is_true(&of) => default,
        _ => of,
    }
}

fn split<'e>(of: &Item<'e>, with: &[Item<'e>], budget: &Budget) -> Item<'e> {
    let text = stringified(of, budget);
    let between = with.first().map(|item| stringified(item, budget)).unwrap_or_default();
    let mut parts: Vec<String> = if between.is_empty() {
        text.chars().map(String::from).collect()
    } else {
        text.split(&*between).map(str::to_owned).collect()
    };
    while parts.pop_if(|part| part.is_empty()).is_some() {}
    if budget.spend(text.len() + 8 * parts.len()).is_none() {
        return Item::Undefined;
    }
    Item::list(parts.into_iter().map(Item::made).collect())
}

fn truncated<'e>(of: Item<'e>, with: &[Item<'e>], budget: &Budget) -> Item<'e> {
    let text = stringified(&of, budget);
    let given = |place: usize| with.get(place).filter(|item| !item.is_undefined());
    let most = given(0).map_or(50.0, |item| item.to_number(budget));
    let end = given(1).map_or(Cow::Borrowed("..."), |item| stringified(item, budget));
    let len = text.chars().count();
    if number::count(len) <= most {
        drop(text);
        return of;
    }
    let kept = passed(most - number::count(end.chars().count()), len);
    Item::made(text.chars().take(kept).collect::<String>() + &end)
}

/// So many characters of a text, or elements of a list, from one on; a negative one counts from the end.
fn slice<'e>(of: &Item<'e>, with: &[Item<'e>], budget: &Budget) -> Item<'e> {
    let begin = with.first().map_or(f64::NAN, |item| item.to_number(budget));
    let count = with.get(1).map_or(1.0, |item| item.to_number(budget));
    let elements = of.is_list().then(|| of.elements());
    let text = if of.is_list() { Cow::Borrowed("") } else { stringified(of, budget) };
    let len = elements.as_ref().map_or_else(|| text.chars().count(), Vec::len);
    let begin = if begin < 0.0 { number::count(len) + begin } else { begin };
    let is_none = begin < 0.0 || count < 0.0;
    match elements {
        Some(_) if is_none => Item::list(vec![]),
        Some(elements) => {
            let (start, end) = (place(begin, len), place(begin + count, len));
            Item::list(elements.get(start..end.max(start)).unwrap_or_default().to_vec())
        }
        None if is_none => Item::Text(""),
        None => {
            let kept = text.chars().skip(passed(begin, len)).take(passed(count, len));
            Item::made(kept.collect::<String>())
        }
    }
}

/// How many characters are passed when so many are to be.
fn passed(count: f64, len: usize) -> usize {
    let count = if count.is_nan() { 0.0 } else { count.ceil().clamp(0.0, number::count(len)) };
    number::whole(count).and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

fn truncated_words(text: &str, with: &[Item<'_>], end: Option<&str>, budget: &Budget) -> String {
    let given = with.first().filter(|item| !item.is_undefined());
    let most = given.map_or(15.0, |item| item.to_number(budget));
    let most = if most <= 0.0 { 1.0 } else { most };
    let words: Vec<_> = spaced(trim_start(text)).collect();
    let kept = place(most, words.len());
    let mut short = words.get(..kept).unwrap_or_default().join(" ");
    if number::count(words.len()) >= most {
        short.push_str(end.unwrap_or("..."));
    }
    short
}

fn replaced_last(text: &str, what: &str, with: &str) -> String {
    match text.rfind(what) {
        Some(at) => {
            let (before, after) = (text.get(..at), text.get(at + what.len()..));
            [before.unwrap_or_default(), with, after.unwrap_or_default()].concat()
        }
        None => text.to_owned(),
    }
}

/// What is between stretches of space, with nothing in front of the first and behind the last.
fn spaced(text: &str) -> impl Iterator<Item = &str> {
    let is_space = |char: char| trim(char.encode_utf8(&mut [0; 4])).is_empty();
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(is_space) else { return rest.take() };
        let behind = text.get(end..).unwrap_or_default();
        rest = Some(behind.trim_start_matches(is_space));
        text.get(..end)
    })
}

/// Half away from zero, as the number is written in decimal.
fn rounded(value: f64, places: f64) -> f64 {
    const MOST: f64 = 9_007_199_254_740_991.0;
    let moved = |number: f64, by: f64| {
        let text = number::text(number);
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        number::of_text(&format!("{mantissa}e{}", number::text(number::of_text(power) + by)))
    };
    let scaled = moved(value.abs(), places);
    if scaled.is_nan() || scaled > MOST {
        return value;
    }
    let rounded = moved((scaled + 0.5).floor(), -places);
    if value < 0.0 { -rounded } else { rounded }
}

/// The place that `slice` of JavaScript takes a number for.
fn place(at: f64, len: usize) -> usize {
    let most = number::count(len);
    let at = if at.is_nan() { 0.0 } else { at.trunc() };
    let at = if at < 0.0 { most + at } else { at };
    number::whole(at.clamp(0.0, most)).and_then(|at| usize::try_from(at).ok()).unwrap_or(0)
}
