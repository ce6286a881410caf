//! Functions of numbers.

use crate::item::Item;
use crate::number;
use crate::text::trim;

use super::{Given, Name};

/// Most places behind the point.
const MOST_PLACES: u32 = 20;

pub(super) fn call<'s>(given: &mut Given<'_, 's, '_>) -> Option<Item<'s>> {
    let number = match given.call.name {
        Name::Number => match &given.subject {
            // As it was written.
            Item::Written(_) => return Some(given.subject.clone()),
            subject => read(subject)?,
        },
        Name::Integer => match &given.subject {
            Item::Written(written) if number::whole(number::of_json(written)).is_none() => {
                let is_whole = written.bytes().all(|byte| byte.is_ascii_digit());
                if is_whole {
                    return Some(given.subject.clone());
                }
                number::of_json(written).trunc()
            }
            subject => read(subject)?.trunc(),
        },
        Name::Round => {
            let number = read(&given.subject)?;
            let places = given.argument_count(1, MOST_PLACES).unwrap_or(0);
            rounded(number, places)
        }
        Name::Floor => read(&given.subject)?.floor(),
        Name::Ceil => read(&given.subject)?.ceil(),
        Name::Abs => read(&given.subject)?.abs(),
        Name::Fixed => {
            let number = read(&given.subject)?;
            let places = given.argument_count(1, MOST_PLACES)?;
            if number.abs() >= 1e21 {
                return given.made(number::text(number));
            }
            return given.made(format!("{:.places$}", rounded(number, places)));
        }
        Name::Sum => given.subject.elements().iter().filter_map(read).sum(),
        Name::Min => all(given).reduce(f64::min)?,
        _ => all(given).reduce(f64::max)?,
    };
    number.is_finite().then_some(Item::Number(number))
}

/// A number, or a text or truth value as one.
fn read(item: &Item<'_>) -> Option<f64> {
    let number = match item {
        Item::Bool(truth) => f64::from(u8::from(*truth)),
        _ => match item.as_text() {
            Some(text) if trim(text).is_empty() => return None,
            Some(text) => number::of_text(text),
            None => item.as_number()?,
        },
    };
    number.is_finite().then_some(number)
}

/// Half away from zero, as the number is written in decimal.
fn rounded(number: f64, places: usize) -> f64 {
    let text = number::text(number.abs());
    let Some((_, fraction)) = text.split_once('.').filter(|_| !text.contains('e')) else {
        return number;
    };
    if fraction.len() <= places {
        return number;
    }
    let is_up = fraction.as_bytes().get(places).is_some_and(|digit| *digit >= b'5');
    let kept = text.len() - fraction.len() + places;
    let digits: String = text.chars().take(kept).filter(char::is_ascii_digit).collect();
    let digits = digits.parse::<u128>().unwrap_or(0) + u128::from(is_up);
    let magnitude = format!("{digits}e-{places}").parse().unwrap_or(0.0);
    if number < 0.0 { -magnitude } else { magnitude }
}

/// The numbers among the arguments, and of the lists among them.
fn all(given: &mut Given<'_, '_, '_>) -> impl Iterator<Item = f64> {
    let mut items = given.others();
    items.insert(0, given.subject.clone());
    items.into_iter().flat_map(|item| {
        let items = if item.is_list() { item.elements() } else { vec![item] };
        items.iter().filter_map(read).collect::<Vec<_>>()
    })
}
