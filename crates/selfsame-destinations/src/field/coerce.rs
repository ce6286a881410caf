//! Changes of kind that lose nothing.

use std::borrow::Cow;

use selfsame_mapping::Item;

use super::Kind;

/// The value as this kind, or the value as it was.
pub(super) fn to(kind: Kind, item: Item<'_>) -> Result<Item<'_>, Item<'_>> {
    match kind {
        Kind::Object if item.is_object() => return Ok(item),
        Kind::Object => return Err(item),
        Kind::Text | Kind::Time if item.as_text().is_some() => return Ok(item),
        _ => {}
    }
    match (kind, item) {
        (Kind::Flag, item @ Item::Bool(_))
        | (Kind::Time | Kind::Number, item @ (Item::Number(_) | Item::Written(_))) => Ok(item),
        (Kind::Text | Kind::Time, Item::Bool(flag)) => {
            Ok(Item::Text(if flag { "true" } else { "false" }))
        }
        (Kind::Text, Item::Written(number)) => Ok(Item::made(text_of(&number))),
        (Kind::Text, Item::Number(number)) => {
            let json = plain(number).map(|number| number.into_owned());
            json.map(Item::made).ok_or(Item::Number(number))
        }
        (Kind::Text | Kind::Time, Item::Null) => Ok(Item::Text("")),
        (kind, item) if item.is_list() => alone(kind, item),
        (Kind::Flag, item) => flag(item),
        (Kind::Number | Kind::Integer, item) => number(kind == Kind::Integer, item),
        (_, item) => Err(item),
    }
}

/// The only element of a list, if it is no list itself.
fn alone(kind: Kind, list: Item<'_>) -> Result<Item<'_>, Item<'_>> {
    let mut items = list.into_elements();
    match items.pop() {
        Some(one) if items.is_empty() && !one.is_list() => {
            to(kind, one).map_err(|one| Item::list(vec![one]))
        }
        Some(last) => {
            items.push(last);
            Err(Item::list(items))
        }
        None => Err(Item::list(items)),
    }
}

fn flag(item: Item<'_>) -> Result<Item<'_>, Item<'_>> {
    let flag = match (item.as_text(), item.as_number()) {
        (Some("true"), _) => true,
        (Some("false"), _) => false,
        (None, Some(1.0)) => true,
        (None, Some(0.0)) => false,
        (None, None) if matches!(item, Item::Null) => false,
        _ => return Err(item),
    };
    Ok(Item::Bool(flag))
}

fn number(whole: bool, item: Item<'_>) -> Result<Item<'_>, Item<'_>> {
    let read = match &item {
        Item::Number(_) | Item::Written(_) => Some(item.clone()),
        Item::Null => Some(Item::Number(0.0)),
        Item::Bool(flag) => Some(Item::Number(f64::from(u8::from(*flag)))),
        item => {
            let read = item.as_text().and_then(|text| text.trim().parse::<f64>().ok());
            read.and_then(plain).map(Item::Written)
        }
    };
    match read {
        Some(number) if !whole || is_whole(&number) => Ok(number),
        _ => Err(item),
    }
}

fn is_whole(number: &Item<'_>) -> bool {
    number.as_number().is_some_and(|number| number % 1.0 == 0.0)
}

/// A number as JSON writes it where it is whole and small enough to be exact.
fn plain(number: f64) -> Option<Cow<'static, str>> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    if number % 1.0 == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Some(Cow::Owned((number as i64).to_string()));
    }
    serde_json::Number::from_f64(number).map(|number| Cow::Owned(number.to_string()))
}

/// A number as a text: whole numbers without a point.
pub(crate) fn text_of(written: &str) -> String {
    let is_whole = written.parse::<i64>().is_ok() || written.parse::<u64>().is_ok();
    let number = written.parse::<f64>().ok().filter(|_| !is_whole);
    match number.and_then(plain) {
        Some(plain) => plain.into_owned(),
        None => written.to_owned(),
    }
}
